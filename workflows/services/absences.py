"""Being away: planned, changed by planning anew, ended early. One's own, or a colleague's by those who may reassign work."""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.live import ping
from portal.registry import SubjectRef
from portal.rows import lock_name
from portal.selectors import PersonView, employees
from workflows.access import WorkflowPermission
from workflows.errors import NotFound
from workflows.models import Absence, ProcessDefinition
from workflows.substitution import KEPT

LONGEST = timedelta(days=730)


def _midnight(day: date, actor: Actor) -> datetime:
    """The start of a day where the actor lives."""
    zone = zoneinfo.ZoneInfo(actor.time_zone) if actor.time_zone else timezone.get_default_timezone()
    return datetime.combine(day, time.min, tzinfo=zone)


def _may_plan_for(actor: Actor, user_id: int) -> None:
    own = actor.user_id == user_id and actor.is_internal
    if not own and not (actor.is_internal and actor.can(WorkflowPermission.REASSIGN)):
        raise NotAllowed(_("You can plan only your own absences."))


def plan_absence(
    actor: Actor, first: date, last: date, substitute_id: int | None, *, user_id: int | None = None, process_key: str = "", note: str = ""
) -> int:
    """Say that somebody (the actor) is away from the first to the last day, both included, and who does their tasks; gives the id.

    Raises NotAllowed for another's absence, Refused with the field for dates, a substitute or a process that can't be.
    """
    who = user_id or actor.user_id or 0
    _may_plan_for(actor, who)
    starts, ends = _span(actor, first, last)
    people = _checked_people(who, substitute_id)
    if process_key and not ProcessDefinition.objects.filter(key=process_key).exists():
        raise Refused(_("There is no such process."), "process_key")
    with transaction.atomic():
        _check_overlap(who, substitute_id, starts, ends, process_key, people)
        row = Absence.objects.create(
            user_id=who, substitute_id=substitute_id, starts=starts, ends=ends, process_key=process_key, note=note.strip()[:200]
        )
        told = {"first": first.isoformat(), "last": last.isoformat(), "substitute": substitute_id, "process": process_key}
        record(actor, "absence.planned", SubjectRef("portal.user", who), after=told, reason=note.strip())
        _tell(row)
    return row.pk


def check_absence(actor: Actor, first: date, last: date, substitute_id: int | None) -> None:
    """Raise what `plan_absence` would raise for the actor's own absence, and plan nothing."""
    _may_plan_for(actor, actor.user_id or 0)
    starts, ends = _span(actor, first, last)
    people = _checked_people(actor.user_id or 0, substitute_id)
    with transaction.atomic():
        _check_overlap(actor.user_id or 0, substitute_id, starts, ends, "", people)


def _span(actor: Actor, first: date, last: date) -> tuple[datetime, datetime]:
    """From when to when; raises Refused for days that can't be."""
    starts, ends = max(_midnight(first, actor), timezone.now()), _midnight(last + timedelta(days=1), actor)
    if last < first:
        raise Refused(_("The last day comes before the first."), "last")
    if ends <= timezone.now():
        raise Refused(_("These days are over."), "last")
    if ends - starts > LONGEST:
        raise Refused(_("At most two years; give a colleague the role instead."), "last")
    return starts, ends


def _checked_people(who: int, substitute_id: int | None) -> dict[int, PersonView]:
    """Everybody who works here, where these two do."""
    people = {person.id: person for person in employees()}
    if who not in people:
        raise Refused(_("Nobody of that name works here."), "user_id")
    if substitute_id is not None and substitute_id not in people:
        raise Refused(_("Choose a colleague."), "substitute")
    if substitute_id == who:
        raise Refused(_("Somebody else has to stand in."), "substitute")
    return people


def _check_overlap(who: int, substitute_id: int | None, starts: datetime, ends: datetime, process_key: str, people: dict) -> None:
    """Lock the absences of those days; raises Refused for a second one, and for a substitute who is away in a circle."""
    lock_name("workflows.absences")  # who stands in for whom is judged over everybody's
    overlapping = Absence.objects.select_for_update().filter(starts__lt=ends, ends__gt=starts)
    _refuse_double(overlapping, who, process_key)
    if substitute_id is not None:
        _refuse_circle(overlapping, who, substitute_id, people)


def _refuse_double(overlapping, who: int, process_key: str) -> None:
    """One substitute a process and moment."""
    twice = overlapping.filter(user_id=who, process_key=process_key).order_by("starts").first()
    if twice:
        days = {"first": _day(twice.starts), "last": _day(twice.ends - timedelta(days=1))}
        raise Refused(_("There is an absence from %(first)s to %(last)s already; end it first, or choose other days.") % days, "first")


def _refuse_circle(overlapping, who: int, substitute_id: int, people: dict) -> None:
    """A substitute who is away themselves and, in the end, has this person as theirs would leave the work to nobody."""
    next_of: dict[int, set[int]] = {}
    for absent, substitute in overlapping.exclude(substitute=None).values_list("user_id", "substitute_id"):
        next_of.setdefault(absent, set()).add(substitute)
    seen, ways = set(), [substitute_id]
    while ways:
        current = ways.pop()
        if current == who:
            name = people[substitute_id].name
            words = _("%(name)s is away in that time too, and the tasks would come back to the same person. Choose somebody else.")
            raise Refused(words % {"name": name}, "substitute")
        if current not in seen:
            seen.add(current)
            ways.extend(next_of.get(current, ()))


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATE_FORMAT")


def end_absence(actor: Actor, absence_id: int) -> None:
    """Be back: a running absence ends now, one that hasn't begun is forgotten. Raises NotFound, NotAllowed."""
    with transaction.atomic():
        row = Absence.objects.select_for_update().filter(pk=absence_id).first()
        if row is None or not actor.is_internal:
            raise NotFound
        _may_plan_for(actor, row.user_id)
        now = timezone.now()
        if row.ends <= now:
            return
        before = {"starts": row.starts.isoformat(), "ends": row.ends.isoformat(), "substitute": row.substitute_id}
        record(actor, "absence.ended", SubjectRef("portal.user", row.user_id), before=before)
        if row.starts >= now:
            row.delete()
        else:
            Absence.objects.filter(pk=row.pk).update(ends=now)
        _tell(row)


def _tell(row: Absence) -> None:
    KEPT.forget()
    ping(*(f"inbox:user:{user}" for user in (row.user_id, row.substitute_id) if user))
