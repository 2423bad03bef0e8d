"""What operators do to running instances: hold and go on, move, skip, start elsewhere, take to another version.

Each is permission-checked, needs a reason, is written into the audit, and can be tried first: a preview says in words what would come
of it and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Case, Model, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from bpmn import engine, operations
from bpmn.model import Definition, NotWaiting
from bpmn.operations import Change, Impossible
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.live import ping
from portal.registry import SubjectRef
from workflows import clocks, definitions
from workflows.access import WorkflowPermission, visible_instances
from workflows.errors import NotFound
from workflows.models import (
    HistoryEvent,
    HumanTask,
    Incident,
    MessageWait,
    OutboxCall,
    ProcessDefinition,
    ProcessInstance,
    ServiceClock,
    Timer,
)
from workflows.runtime import one_step
from workflows.services.instances import _for_operator

RUNNING, SUSPENDED = ProcessInstance.Status.RUNNING, ProcessInstance.Status.SUSPENDED
MAX_PREVIEW = 500


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: `verdict` safe, mapping (steps must be told where to go) or blocked, and why in plain words."""

    instance_id: int
    title: str
    verdict: str
    words: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    suggested: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()  # names of the steps where it stands
    after: tuple[str, ...] = ()


def _ref(instance_id: int) -> SubjectRef:
    return SubjectRef("workflows.instance", instance_id)


# --- hold and go on -------------------------------------------------------------------------------------------------


def suspend_instance(actor: Actor, instance_id: int, reason: str) -> None:
    """Hold an instance: no step is done in it, timers and messages wait until it goes on. Raises Conflict where it isn't running."""
    with transaction.atomic():
        instance = _for_operator(actor, instance_id, reason)
        if instance.status != RUNNING:
            raise Conflict(_("Only a running process can be held."))
        _set_status(actor, instance, SUSPENDED, "process.suspended", reason)


def resume_instance(actor: Actor, instance_id: int, reason: str) -> None:
    """Let a held instance go on: answers that came meanwhile are taken, due timers fire at the next look."""
    with transaction.atomic():
        instance = _for_operator(actor, instance_id, reason)
        if instance.status != SUSPENDED:
            raise Conflict(_("This process isn't held."))
        _set_status(actor, instance, RUNNING, "process.resumed", reason)
        for call in OutboxCall.objects.filter(instance=instance, status=OutboxCall.Status.SENT).exclude(waiting_step=""):
            _take_late_answer(instance, call)


def _take_late_answer(instance: ProcessInstance, call: OutboxCall) -> None:
    if instance.status != RUNNING:
        return
    with one_step(instance, Actor.system(_("Answer from outside"))) as (run, writes):
        try:
            outcome = engine.finish_service(run.definition, bytes(instance.state), call.waiting_step, call.answer, host=run, now=run.now)
        except NotWaiting:  # it was taken when it came
            return
        run.take(outcome, writes)


def _set_status(actor: Actor, instance: ProcessInstance, status: str, verb: str, reason: str) -> None:
    instance.status = status
    ProcessInstance.objects.filter(pk=instance.pk).update(status=status, version=instance.version + 1)
    instance.version += 1
    clocks.hold(instance.pk, timezone.now(), held=status == SUSPENDED)
    tell(actor, instance, verb, reason, {"status": str(status)})


def tell(
    actor: Actor, instance: ProcessInstance, verb: str, reason: str, after: dict[str, Any], before: dict[str, Any] | None = None
) -> None:
    """Audit, a line in the history, a ping."""
    now = timezone.now()
    record(actor, verb, _ref(instance.pk), before=before, after=after, reason=reason)
    HistoryEvent.objects.create(
        instance=instance, kind="operation", state=verb.removeprefix("process.")[:20], started=now, ended=now, actor_id=actor.user_id,
        actor_name=actor.name[:150], reason=reason, detail={**after, "before": before} if before else after,
    )  # fmt: skip
    ping(f"process:{instance.pk}", f"processes:{instance.key}", *instance.subjects)


# --- change where it stands -----------------------------------------------------------------------------------------


def changes_for(kind: str, source: str = "", target: str = "", standing: Iterable[str] = ()) -> list[Change]:
    """The changes behind an operator's word.

    `move` a token (onto its own step: begin that anew), `skip` a step, `start` at one more, `cancel` what stands at one, `restart` from a
    step: everything that stands anywhere (`standing`) goes, and it begins there alone.
    """
    match kind:
        case "move":
            return [Change("cancel", source), Change("start", target)]
        case "skip":
            return [Change("skip", source)]
        case "start":
            return [Change("start", target)]
        case "cancel":
            return [Change("cancel", source)]
        case "restart":
            return [*(Change("cancel", element) for element in dict.fromkeys(standing)), Change("start", target)]
    raise Refused(_("Choose what to do: move, skip, start, cancel or restart."), "kind")


def preview_change(actor: Actor, instance_id: int, changes: Iterable[Change]) -> Preview:
    """What a change would do, without doing it."""
    row = _seen(actor, instance_id)
    definition = definitions.load(row.digest)
    before = _names(definition, row.active)
    if row.status not in (RUNNING, SUSPENDED):
        return Preview(row.pk, row.title, "blocked", (_("This process has ended already."),), before=before)
    try:
        seen = operations.modify(definition, bytes(row.state), changes, host=None, now=timezone.now(), max_steps=0)
    except (Impossible, NotWaiting) as error:
        return Preview(row.pk, row.title, "blocked", (str(error),), before=before)
    after = _names(definition, seen.active)
    words = [_("It stands at: %(steps)s") % {"steps": ", ".join(before) or "—"}]
    gone = [h for h in seen.history if h.state == "cancelled"]
    if gone:
        names = ", ".join(dict.fromkeys(_names(definition, [h.element_id for h in gone])))
        words.append(_("No longer needed, with their tasks, deadlines and calls: %(steps)s") % {"steps": names})
    skipped = [h.element_id for h in seen.history if h.detail and h.detail.get("skipped")]
    if skipped:
        words.append(_("Passed without being done: %(steps)s") % {"steps": ", ".join(_names(definition, skipped))})
    if seen.status == "running":
        words.append(_("It goes on at: %(steps)s") % {"steps": ", ".join(after) or "—"})
        joins = [e for e in seen.active if definition.elements[e].kind in ("parallelGateway", "inclusiveGateway")]
        if joins:
            words.append(_("A gateway that waits for several paths may then wait for one that never comes."))
    else:
        words.append(_("Nothing is left to do then: the process ends."))
    return Preview(row.pk, row.title, "safe", tuple(words), before=before, after=after)


def change_instance(actor: Actor, instance_id: int, changes: Iterable[Change], reason: str) -> None:
    """Move tokens, skip steps, start elsewhere. Raises Refused with words where it can't be done; then nothing has changed."""
    changes = list(changes)
    with transaction.atomic():
        instance = _for_operator(actor, instance_id, reason)
        if instance.status != RUNNING:
            raise Conflict(_("Only a running process can be changed; let it go on first."))
        before = list(instance.active)
        with one_step(instance, actor) as (run, writes):
            try:
                outcome = operations.modify(run.definition, bytes(instance.state), changes, host=run, now=run.now)
            except Impossible as error:
                raise Refused(str(error)) from error
            run.take(outcome, writes)
        after = {"changes": [[c.kind, c.element_id] for c in changes], "active": list(instance.active)}
        tell(actor, instance, "process.changed", reason, after, {"active": before})


# --- another version ------------------------------------------------------------------------------------------------


def preview_migration(
    actor: Actor, definition_id: int, instance_ids: Iterable[int], mapping: Mapping[str, str] | None = None
) -> list[Preview]:
    """For each instance: can it go on in that version, must its steps be told where to go, or can it not, and why."""
    target = target_version(actor, definition_id)
    ids = list(instance_ids)
    if len(ids) > MAX_PREVIEW:
        raise Refused(_("Look at %(count)s instances at most at once.") % {"count": MAX_PREVIEW})
    rows = visible_instances(actor).filter(pk__in=ids).order_by("pk")
    return [_verdict(row, target, mapping or {})[0] for row in rows]


def _verdict(row: ProcessInstance, target: ProcessDefinition, mapping: Mapping[str, str]) -> tuple[Preview, bytes]:
    old, new = definitions.load(row.digest), definitions.load(target.digest)
    before = _names(old, row.active)

    def blocked(*words: str) -> tuple[Preview, bytes]:
        return Preview(row.pk, row.title, "blocked", words, before=before), b""

    if row.status not in (RUNNING, SUSPENDED):
        return blocked(_("This process has ended already."))
    if row.key != target.key:
        return blocked(_("This is another process: only versions of the same process can be changed over."))
    if row.more:
        return blocked(_("It is in the middle of a long run; try again in a moment."))
    found = operations.migrate(old, new, bytes(row.state), mapping, now=timezone.now())
    if found.verdict == "safe":
        after = _names(new, [mapping.get(element, element) for element in row.active])
        words = (
            _("It goes on in version %(version)s where it stands: %(steps)s") % {"version": target.version, "steps": ", ".join(after)},
        )
        return Preview(row.pk, row.title, "safe", words, before=before, after=after), found.state
    return Preview(row.pk, row.title, found.verdict, found.reasons, found.lost, found.suggested, before), b""


def migrate_instance(actor: Actor, instance_id: int, definition_id: int, reason: str, mapping: Mapping[str, str] | None = None) -> None:
    """Take a running instance to another version of its process. Raises Refused with words where it isn't safe; then nothing changed."""
    mapping = dict(mapping or {})
    with transaction.atomic():
        instance = _for_operator(actor, instance_id, reason)
        target = target_version(actor, definition_id)
        if instance.definition_id == target.pk:
            return
        preview, state = _verdict(instance, target, mapping)
        if preview.verdict != "safe":
            raise Refused(" ".join(preview.words))
        before = {"definition": instance.definition_id, "active": list(instance.active)}
        new = definitions.load(target.digest)
        instance.definition_id, instance.digest = target.pk, target.digest
        instance.state = state
        instance.active = [mapping.get(element, element) for element in instance.active]
        instance.version += 1
        instance.save(update_fields=["definition", "digest", "state", "active", "version"])
        _rename_rows(instance, mapping)
        _follow_the_drawing(instance, new)
        after = {"definition": target.pk, "version": target.version, "mapping": mapping, "active": instance.active}
        tell(actor, instance, "process.migrated", reason, after, before)


def _rename_rows(instance: ProcessInstance, mapping: Mapping[str, str]) -> None:
    """All names at once: two steps may have changed theirs with each other."""
    if not mapping:
        return
    renamed = Case(*(When(element_id=source, then=Value(name)) for source, name in mapping.items()))
    open_ones: list[tuple[type[Model], dict[str, Any]]] = [
        (HumanTask, {"status": HumanTask.Status.OPEN}), (Timer, {}), (MessageWait, {}), (ServiceClock, {"ended": None}),
        (Incident, {"resolved": None}), (OutboxCall, {"status": OutboxCall.Status.WAITING}),
    ]  # fmt: skip
    for model, still in open_ones:
        model._default_manager.filter(instance=instance, element_id__in=mapping, **still).update(element_id=renamed)


def _follow_the_drawing(instance: ProcessInstance, new: Definition) -> None:
    """Open tasks take name, role and stage of the new version; who has taken one keeps it."""
    for task in HumanTask.objects.filter(instance=instance, status=HumanTask.Status.OPEN).defer("data"):
        element = new.element(task.element_id)
        wanted = {"name": (element.name or element.id)[:250], "role": element.role, "stage": element.stage}
        if any(getattr(task, name) != value for name, value in wanted.items()):
            HumanTask.objects.filter(pk=task.pk).update(**wanted)


# --- inside ---------------------------------------------------------------------------------------------------------


def _seen(actor: Actor, instance_id: int) -> ProcessInstance:
    row = visible_instances(actor).filter(pk=instance_id).first()
    if row is None:
        raise NotFound
    if not actor.can(WorkflowPermission.OPERATE):
        raise NotAllowed(_("Only managers and administrators mend running processes."))
    return row


def target_version(actor: Actor, definition_id: int) -> ProcessDefinition:
    """The version to go to. Raises NotAllowed for those who don't operate, NotFound."""
    if not actor.can(WorkflowPermission.OPERATE):
        raise NotAllowed(_("Only managers and administrators mend running processes."))
    row = ProcessDefinition.objects.filter(pk=definition_id).defer("xml", "decisions").first()
    if row is None:
        raise NotFound
    return row


def _names(definition: Definition, element_ids: Iterable[str]) -> tuple[str, ...]:
    found = []
    for element_id in element_ids:
        element = definition.elements.get(element_id)
        found.append((element.name if element else "") or element_id)
    return tuple(found)
