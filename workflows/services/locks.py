"""A record that waits for a decision stays as it is meanwhile, where its process says so: the one place to ask before a record is changed.

    row = rows.select_for_update().get(pk=pk)
    refuse_locked(SubjectRef("crm.deal", pk))     → Conflict, with whose approval it is and who is still asked

Asked with the record's row locked: an approval locks the same row when it begins, so that one of the two is first.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.errors import Conflict
from portal.registry import SubjectRef
from workflows.models import Approval, HumanTask, ProcessInstance
from workflows.runtime import is_inside_a_run

LIVE = (ProcessInstance.Status.RUNNING, ProcessInstance.Status.SUSPENDED)


def refuse_locked(ref: SubjectRef, *, actor: Actor | None = None, besides: int | None = None) -> None:
    """Raise Conflict where a record waits for a decision that its process locks it for.

    A process's own steps go on; `besides` is the instance that acts, whose own approval doesn't hinder it. Outsiders read that we decide,
    not who.
    """
    if is_inside_a_run():
        return
    words = locks_on([ref], besides=besides).get(ref)
    if words:
        outside = actor is not None and not actor.is_internal
        raise Conflict(_("We are deciding on this just now; it can be changed again when that is done. Try later.") if outside else words)


def refuse_locked_among(refs: Iterable[SubjectRef]) -> None:
    """Raise Conflict where any of many records is locked, naming them: nothing of a bulk change is made then."""
    refs = list(refs)
    found = locks_on(refs)
    if found:
        told = " ".join(list(found.values())[:3])
        words = _("Nothing was changed: %(n)d of the %(all)d can't be changed now. %(which)s")
        raise Conflict(words % {"n": len(found), "all": len(refs), "which": told})


def lock_words(ref: SubjectRef, *, besides: int | None = None) -> str:
    """Why a record can't be changed now, for employees; empty where it can."""
    return locks_on([ref], besides=besides).get(ref, "")


def locks_on(refs: Iterable[SubjectRef], *, besides: int | None = None) -> dict[SubjectRef, str]:
    """Which of these records are locked, and why in words; one query, and another where any is."""
    by_kind: dict[str, set[int]] = {}
    for ref in refs:
        by_kind.setdefault(ref.kind, set()).add(ref.id)
    which = Q(pk__in=[])
    for kind, ids in by_kind.items():
        which |= Q(subject_kind=kind, subject_id__in=ids)
    rows = Approval.objects.filter(which, state=Approval.State.OPEN, locks=True, instance__status__in=LIVE).order_by("pk")
    found = {SubjectRef(row.subject_kind, row.subject_id): row for row in rows.exclude(instance_id=besides) if row.subject_id}
    asked = _still_asked(list(found.values()))
    return {ref: _words(row, asked.get(row.pk, [])) for ref, row in found.items()}


def _still_asked(rows: list[Approval]) -> dict[int, list[str]]:
    """Who still has to decide, as each approval names them."""
    if not rows:
        return {}
    open_: dict[int, set[str]] = {}
    tasks = HumanTask.objects.filter(approval_id__in=[row.pk for row in rows], status=HumanTask.Status.OPEN)
    for approval_id, item in tasks.values_list("approval_id", "loop_item"):
        open_.setdefault(approval_id or 0, set()).add((item or {}).get("voter", ""))
    return {row.pk: [one["label"] for one in row.voters if one["voter"] in open_.get(row.pk, ())] for row in rows}


def _words(row: Approval, asked: list[str]) -> str:
    told = {"title": row.title, "who": row.asked_by_name, "asked": ", ".join(asked[:3])}
    if asked:
        words = _(
            "“%(title)s” waits for a decision that %(who)s asked for; %(asked)s still has to decide. It can be changed when that is done, "
            "or when %(who)s takes the question back."
        )
        return words % told
    return _("“%(title)s” waits for a decision that %(who)s asked for. It can be changed when that is made or taken back.") % told
