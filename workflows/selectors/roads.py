"""The road of a process in plain words: what is done, where it is now and whom it waits for, and what comes.

An outsider's road holds only the steps that the diagram makes public to their audience, in the diagram's public words.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from bpmn.model import Definition, Element
from portal.access import Actor, Audience
from portal.registry import SubjectRef
from portal.rows import Prepared, PreparedFor
from portal.selectors import names_of, organisations
from workflows import definitions
from workflows.access import may_do, visible_instances
from workflows.models import HistoryEvent, HumanTask, ProcessInstance
from workflows.selectors.instances import for_subject, holder


@dataclass(frozen=True, slots=True)
class RoadStep:
    """One step of a road. `state` is done, now or next; `task_id` only where the reader may open the task."""

    label: str
    state: str
    audience: Audience
    waits_on: str = ""
    since: datetime | None = None
    due: datetime | None = None
    task_id: int | None = None
    mine: bool = False
    element_id: str = ""
    milestone: bool = False
    note: str = ""  # in whose name it was done, where that was another


@dataclass(frozen=True, slots=True)
class Road:
    """The whole road of one instance."""

    instance_id: int
    status: str
    steps: tuple[RoadStep, ...]
    started: datetime
    ended: datetime | None
    has_incident: bool = False

    @property
    def now(self) -> tuple[RoadStep, ...]:
        """Where it stands."""
        return tuple(step for step in self.steps if step.state == "now")

    @property
    def near(self) -> tuple[RoadStep, ...]:
        """What is done, what is now and the two next steps: what a place with little room shows."""
        coming = 0
        return tuple(step for step in self.steps if step.state != "next" or (coming := coming + 1) <= 2)

    @property
    def later(self) -> tuple[RoadStep, ...]:
        """The steps that may follow after the near ones."""
        return tuple(step for step in self.steps if step.state == "next")[2:]

    @property
    def mine(self) -> tuple[RoadStep, ...]:
        """The steps that wait for the reader."""
        return tuple(step for step in self.steps if step.mine)


def road_for(actor: Actor, where: int | SubjectRef) -> Road | None:
    """The road of an instance, or of a record's process; None where there is none for this actor.

    Of a record's running processes it is the first, for an approval that was asked for later is a by-way; else the newest that ended."""
    if isinstance(where, SubjectRef):
        rows = _ABOUT.rows(actor, where.kind, values=[where.id])
    else:
        found = ProcessInstance.objects.all() if actor.is_system else visible_instances(actor)
        rows = list(_newest(found.filter(pk=where)))
    if not rows:
        return None
    running = [row for row in rows if row.status == ProcessInstance.Status.RUNNING]
    return road_of(actor, running[-1] if running else rows[0])


def _newest(found: QuerySet[ProcessInstance]) -> QuerySet[ProcessInstance]:
    return found.defer("state", "data").order_by("-started", "-pk")[:20]


_ABOUT = PreparedFor(lambda actor, key, kind: _newest(for_subject(actor, SubjectRef(kind, key))), outsiders_only=True)


def road_for_row(actor: Actor, instance_id: int, ref: SubjectRef) -> Road | None:
    """The road of one of the instances about a record; None where the actor follows neither."""
    row = for_subject(actor, ref).filter(pk=instance_id).defer("state", "data").first()
    return road_of(actor, row) if row else None


def label_for(element: Element, audience: Audience) -> str:
    """A step's name for an audience; empty where the diagram doesn't show it to them."""
    match audience:
        case Audience.INTERNAL:
            shown = element.is_human or element.milestone or bool(element.public_label or element.partner_label)
            return (element.name or element.id) if shown else ""
        case Audience.CUSTOMER:
            return element.public_label
        case Audience.PARTNER:
            return element.partner_label
        case _:
            return ""


def road_of(actor: Actor, instance: ProcessInstance) -> Road:
    """The road of an instance that the caller has found through a gate."""
    definition = definitions.load(instance.digest)
    public = {e.id: label for e in definition.elements.values() if (label := label_for(e, actor.audience))}
    done = _done(actor, instance, definition, public)
    now = _now(actor, instance, definition, public) if instance.status == ProcessInstance.Status.RUNNING else []
    standing = {step.label for step in now}
    steps = [step for step in done if step.label not in standing]
    if instance.status == ProcessInstance.Status.RUNNING and not now:
        now = [_in_between(actor, instance, steps)]
        steps = [step for step in steps if step.label != now[0].label]
    steps.extend(now)
    if instance.status == ProcessInstance.Status.RUNNING:
        taken = {step.label for step in steps}
        steps.extend(_next(instance, definition, public, taken))
    return Road(instance.pk, instance.status, tuple(steps), instance.started, instance.ended, instance.has_incident and actor.is_internal)


_COMPLETED: PreparedFor[tuple] = PreparedFor(
    lambda _system, instance, steps: (
        HistoryEvent.objects.filter(instance_id=instance, state="completed", element_id__in=steps)
        .order_by("ended", "pk")
        .values_list("element_id", "ended", "actor_name", "on_behalf_of")
    )
)


def _done(actor: Actor, instance: ProcessInstance, definition: Definition, public: dict[str, str]) -> list[RoadStep]:
    """What has happened, each step once, at its latest time, in the order of its first."""
    latest: dict[str, RoadStep] = {}
    for element_id, ended, who, away in _COMPLETED.rows(Actor.system(), tuple(public), values=[instance.pk]):
        element = definition.elements[element_id]
        label = public[element_id]
        note = _in_whose_name(actor, element, who, away)
        latest[label] = RoadStep(
            label, "done", Audience(element.audience), since=ended, element_id=element_id, milestone=element.milestone, note=note
        )
    return list(latest.values())


def _in_whose_name(actor: Actor, element: Element, who: str, away: str) -> str:
    """What a reader learns of a step that an employee did as its customer or partner told it: those read whom we heard it from."""
    if not away or element.audience == Audience.INTERNAL:
        return ""
    if actor.is_internal:
        return _("%(who)s for %(away)s") % {"who": who, "away": away}
    return _("We did this for you, as %(who)s told us.") % {"who": away} if element.audience == actor.audience else ""


_OPEN_TASKS = Prepared(
    lambda instance: HumanTask.objects.filter(instance_id=instance, status=HumanTask.Status.OPEN).defer("data").order_by("pk"), 987_654_321
)


def _now(actor: Actor, instance: ProcessInstance, definition: Definition, public: dict[str, str]) -> list[RoadStep]:
    tasks = _OPEN_TASKS.rows(instance.pk)
    names = names_of(t.assignee_id for t in tasks) if actor.is_internal else {}
    companies = organisations(t.organisation_id for t in tasks if t.organisation_id) if actor.is_internal else {}
    steps: dict[str, RoadStep] = {}
    for task in tasks:
        label = public.get(task.element_id)
        own = actor.is_internal or (task.audience == actor.audience and task.organisation_id == actor.organisation_id)
        if not label and own and not actor.is_internal:
            label = task.name  # a step that is theirs to do is never hidden from them
        if not label or (label in steps and steps[label].mine):
            continue
        mine = own and may_do(actor, task)
        steps[label] = RoadStep(
            label,
            "now",
            Audience(task.audience),
            waits_on=holder(task, names, companies) if actor.is_internal else _outsiders_words(actor, task),
            since=task.created,
            due=task.due if own or task.audience == "internal" else None,
            task_id=task.pk if own else None,
            mine=mine,
            element_id=task.element_id,
            milestone=definition.elements[task.element_id].milestone,
        )
    for element_id in instance.active:
        label = public.get(element_id)
        element = definition.elements.get(element_id)
        if label and element and label not in steps and not element.is_human:
            steps[label] = RoadStep(label, "now", Audience(element.audience), element_id=element_id, milestone=element.milestone)
    return list(steps.values())


def _outsiders_words(actor: Actor, task: HumanTask) -> str:
    """Whom a step waits for, as an outsider may know it: no names, and no other organisation's."""
    if task.audience == actor.audience and task.organisation_id == actor.organisation_id:
        return actor.organisation_name
    return {"internal": _("us"), "partner": _("our partner"), "customer": _("the customer")}.get(task.audience, _("us"))


def _in_between(actor: Actor, instance: ProcessInstance, steps: list[RoadStep]) -> RoadStep:
    """Where it stands when no public step is open: still at our last public step, else simply with us."""
    last = steps[-1] if steps else None
    waits_on = "" if actor.is_internal else _("us")
    if last is not None and last.audience is Audience.INTERNAL:
        return RoadStep(last.label, "now", Audience.INTERNAL, waits_on=waits_on, since=last.since, element_id=last.element_id)
    since = last.since if last else instance.started
    return RoadStep(_("We are working on it"), "now", Audience.INTERNAL, waits_on=waits_on, since=since)


def _next(instance: ProcessInstance, definition: Definition, public: dict[str, str], taken: set[str]) -> list[RoadStep]:
    """What will come if all goes well: public steps reachable from where tokens stand, nearest first.

    A step that only leads back to what comes before it, such as putting something right, is told when it is there.
    """
    steps: dict[str, RoadStep] = {}
    for element_id in reachable(definition, instance.active):
        label = public.get(element_id)
        if label and label not in taken and label not in steps and not definition.elements[element_id].unannounced:
            before = {other for other, name in public.items() if name in taken or name in steps}
            if not _leads_on(definition, element_id, before):
                continue
            element = definition.elements[element_id]
            steps[label] = RoadStep(label, "next", Audience(element.audience), element_id=element_id, milestone=element.milestone)
    return list(steps.values())


def _leads_on(definition: Definition, element_id: str, before: set[str]) -> bool:
    """Whether an end can be reached from a step without going through those before it."""
    for other in [element_id, *reachable(definition, [element_id], before)]:
        element = definition.elements.get(other)
        if element is not None and not element.outgoing and element.scope not in definition.elements:
            return True
    return False


def reachable(definition: Definition, start: list[str], without: AbstractSet[str] = frozenset()) -> list[str]:
    """Elements that can come after some elements along the drawn flows, nearest first; boundary events count as exceptions.

    Ways through the elements `without` aren't followed.
    """
    seen: dict[str, None] = {}
    queue = deque(start)
    while queue:
        element = definition.elements.get(queue.popleft())
        if element is None:
            continue
        targets = [definition.flows[flow].target for flow in element.outgoing if flow in definition.flows]
        if element.inner and element.inner in definition.scopes:
            targets = [*definition.scopes[element.inner].starts, *targets]
        if element.scope and not targets and element.scope in definition.elements:  # the end of a subprocess leads on
            outer = definition.elements[element.scope]
            targets = [definition.flows[flow].target for flow in outer.outgoing]
        for target in targets:
            if target not in seen and target not in without:
                seen[target] = None
                queue.append(target)
    return list(seen)


OpenStep = tuple[int, str, str, datetime]  # instance, step, digest of its definition, since when
_OPEN_STEPS: PreparedFor[OpenStep] = PreparedFor(
    lambda actor, *keys: (
        HumanTask.objects.filter(instance__in=visible_instances(actor).filter(pk__in=keys), status=HumanTask.Status.OPEN)
        .order_by("instance_id", "pk")
        .values_list("instance_id", "element_id", "instance__digest", "created")
    ),
    outsiders_only=True,
)


def open_steps(actor: Actor, instance_ids: Iterable[int]) -> list[OpenStep]:
    """The open steps of the instances that the actor may follow, for `standing` and `forecasts` of the same list; one query."""
    return _OPEN_STEPS.among(actor, set(instance_ids))


def standing(actor: Actor, instance_ids: Iterable[int], steps: list[OpenStep] | None = None) -> dict[int, str]:
    """Where instances stand, in the words of the reader's audience, for lists; one query for any number, none where `steps` are known.

    An outsider gets only steps that the diagram makes public to them; an instance that stands elsewhere is left out.
    """
    told: dict[int, list[str]] = {}
    for instance_id, element_id, digest, _since in open_steps(actor, instance_ids) if steps is None else steps:
        element = definitions.load(digest).elements.get(element_id)
        label = label_for(element, actor.audience) if element else ""
        if label and label not in told.setdefault(instance_id, []):
            told[instance_id].append(label)
    return {pk: " · ".join(labels) for pk, labels in told.items() if labels}
