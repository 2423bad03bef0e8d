"""Acting on many tasks at once: the exact set is kept, its effect is shown first, then each task goes through the service of a single one.

`choose_tasks` keeps the set, `preview_batch` says who gets what and what is refused and why, `apply_batch` does it (as a job where there
are many), `undo_batch` takes it back wherever nobody has touched a task since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal import jobs
from portal.access import Actor
from portal.audit import record
from portal.errors import Conflict, Refused
from portal.jobs import Job
from portal.registry import SubjectRef
from portal.selectors import employees
from workflows.access import visible_batches, visible_tasks
from workflows.errors import NotFound
from workflows.models import HumanTask, TaskBatch, TaskCandidate, TaskSnooze
from workflows.runtime import lock_task
from workflows.services.snoozing import snooze_task
from workflows.services.tasks import (
    check_claim,
    check_delegate,
    check_release,
    claim_task,
    delegate_task,
    release_task,
    tell_holders,
    words_of_end,
)

ACTS = {
    "claim": gettext_lazy("Take"),
    "release": gettext_lazy("Give back"),
    "delegate": gettext_lazy("Hand on"),
    "snooze": gettext_lazy("Snooze"),
    "wake": gettext_lazy("Wake"),
}
MOST = 5000
AT_ONCE = 25  # more go to a job, so many a chunk


@dataclass(frozen=True, slots=True)
class Line:
    """A chosen task in the preview; `why` says what keeps it as it is."""

    task_id: int
    name: str
    title: str
    holder_id: int | None
    why: str = ""


@dataclass(slots=True)
class Effect:
    """What would become of the chosen tasks."""

    changed: list[Line] = field(default_factory=list)
    refused: list[Line] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        """Why tasks stay as they are, and how many for each reason."""
        found: dict[str, int] = {}
        for line in self.refused:
            found[line.why] = found.get(line.why, 0) + 1
        return found


def choose_tasks(actor: Actor, act: str, ids: Iterable[int], *, view: str = "") -> int:
    """Keep a set of tasks to act on; gives the batch's id. Raises Refused for an unknown act, for nothing and for too many."""
    if act not in ACTS or actor.user_id is None or not actor.is_internal:
        raise Refused(_("Choose what to do with these tasks."))
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST:
        raise Refused(_("Choose at most %(n)s tasks at once; narrow the list with filters.") % {"n": MOST})
    seen = set(visible_tasks(actor).filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()
    kept = [pk for pk in wanted if pk in seen]
    if not kept:
        raise Refused(_("Choose at least one task."))
    return TaskBatch.objects.create(owner_id=actor.user_id, act=act, task_ids=kept, view=view[:1000]).pk


def preview_batch(actor: Actor, batch_id: int, *, user_id: int | None = None) -> Effect:
    """What the act would do to each chosen task now; nothing is written. Raises NotFound."""
    batch = visible_batches(actor).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    asked = TaskCandidate.objects.filter(task=OuterRef("pk"))
    rows = HumanTask.objects.filter(pk__in=batch.task_ids).select_related("instance")
    rows = rows.defer("instance__state", "instance__data", "instance__waits", "data")
    found = rows.annotate(asked=Exists(asked.filter(user_id=actor.user_id)), has_candidates=Exists(asked)).in_bulk()
    effect, targets = Effect(), {person.id for person in employees()} if batch.act == "delegate" else set()
    for pk in batch.task_ids:
        if (task := found.get(pk)) is None:
            continue
        why = _why_refused(actor, batch.act, task, user_id, targets)
        line = Line(pk, task.name, task.instance.title, task.assignee_id, why)
        (effect.refused if why else effect.changed).append(line)
    return effect


def _why_refused(actor: Actor, act: str, task: HumanTask, user_id: int | None, targets: set[int]) -> str:
    """Why an act wouldn't change a task, in words without its name; empty where it would."""
    if task.status != HumanTask.Status.OPEN:
        return _("It is done or no longer needed.")
    try:
        match act:
            case "claim":
                if task.assignee_id == actor.user_id:
                    return _("It is yours already.")
                if task.assignee_id is not None:
                    return _("A colleague has taken it.")
                check_claim(actor, task)
            case "release":
                if task.assignee_id is None:
                    return _("Nobody has taken it.")
                if not task.is_shared and not task.__dict__["has_candidates"]:
                    return _("It was meant for one person and has no group to go back to.")
                check_release(actor, task)
            case "delegate":
                check_delegate(actor, task)
                if user_id is not None and user_id == task.assignee_id:
                    return _("That person has it already.")
                if user_id is not None and user_id in task.excluded:
                    return _("That person asked for it, so somebody else has to decide.")
                if task.audience != "internal" or (user_id is not None and user_id not in targets):
                    return _("It can't be handed to that person.")
    except Conflict as conflict:
        return conflict.message
    except Refused:
        return _("It isn't yours to do.")
    return ""


def apply_batch(actor: Actor, batch_id: int, *, user_id: int | None = None, until: datetime | None = None, note: str = "") -> Job | None:
    """Do what was chosen to exactly the chosen tasks; gives the job where there are many. Raises Conflict for a set that was acted on."""
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        if batch.state != TaskBatch.State.CHOSEN:
            raise Conflict(_("These tasks were acted on already."))
        if batch.act == "delegate":
            person = next((p for p in employees() if p.id == user_id), None)
            if person is None:
                raise Refused(_("Choose a colleague."), "user_id")
            batch.user_id, batch.user_name = person.id, person.name[:150]
        if batch.act == "snooze" and until is None:
            raise Refused(_("Choose until when."), "until")
        batch.until, batch.note, batch.state = until, note.strip()[:500], TaskBatch.State.RUNNING
        batch.save()
        record(actor, f"tasks.{batch.act}", SubjectRef("workflows.batch", batch.pk), after={"tasks": batch.task_ids[:1000]})
        return _start(actor, batch, ACTS[batch.act])


def undo_batch(actor: Actor, batch_id: int) -> Job | None:
    """Take back what was done to tasks that nobody has touched since; the others stay, and are told. Raises Conflict a second time."""
    with transaction.atomic():
        batch = _locked(actor, batch_id)
        if batch.state != TaskBatch.State.DONE:
            raise Conflict(_("There is nothing to take back any more."))
        batch.state = TaskBatch.State.UNDOING
        batch.save(update_fields=["state"])
        record(actor, "tasks.undone", SubjectRef("workflows.batch", batch.pk), after={"tasks": len(batch.before)})
        return _start(actor, batch, _("Undo"))


def _locked(actor: Actor, batch_id: int) -> TaskBatch:
    batch = visible_batches(actor).select_for_update().filter(pk=batch_id).first()
    if batch is None:
        raise NotFound
    return batch


def _start(actor: Actor, batch: TaskBatch, words: Any) -> Job | None:
    """Do it now, or by a job where there are many."""
    ids = _still_to_do(batch)
    if len(ids) <= AT_ONCE:
        _go_on(actor, batch, ids)
        return None
    title = ngettext("%(what)s: %(n)d task", "%(what)s: %(n)d tasks", len(ids)) % {"what": words, "n": len(ids)}
    return jobs.enqueue(actor, "workflows.batch", title, total=len(ids), params={"batch": batch.pk})


def _still_to_do(batch: TaskBatch) -> list[int]:
    """The ids of the set, or of what it changed, in the order in which rows are always locked."""
    if batch.state == TaskBatch.State.UNDOING:
        return sorted(line["id"] for line in batch.before)
    return sorted(batch.task_ids)


@jobs.job_kind("workflows.batch")
def batch_chunk(job: Job) -> None:
    """Act on the next tasks of a set."""
    batch = TaskBatch.objects.select_for_update().get(pk=job.params["batch"])
    ids = _still_to_do(batch)
    now, rest = ids[job.done : job.done + AT_ONCE], ids[job.done + AT_ONCE :]
    _go_on(jobs.actor_of(job), batch, now, is_last=not rest)
    job.done += len(now)
    job.failed = len(batch.kept if batch.state in (TaskBatch.State.UNDOING, TaskBatch.State.UNDONE) else batch.refused)
    if not rest:
        job.state = Job.State.DONE
        job.result["url"] = reverse("workflows:batch", args=[batch.pk])


def _go_on(actor: Actor, batch: TaskBatch, ids: list[int], *, is_last: bool = True) -> None:
    """Act on these tasks, one after the other; what is refused stops nobody else."""
    undoing = batch.state == TaskBatch.State.UNDOING
    act = _undo_one if undoing else _do_one
    told = batch.kept if undoing else batch.refused
    known = {line["id"]: line for line in batch.before}
    for pk in ids:
        try:
            with transaction.atomic():
                act(actor, batch, pk, known)
        except Refused as refused:
            name = HumanTask.objects.filter(pk=pk).values_list("name", flat=True).first() or ""
            told.append([pk, name, refused.message])
    if is_last:
        batch.state = TaskBatch.State.UNDONE if undoing else TaskBatch.State.DONE
    batch.save()


def _do_one(actor: Actor, batch: TaskBatch, pk: int, known: Mapping[int, Any]) -> None:
    task = HumanTask.objects.get(pk=pk) if visible_tasks(actor).filter(pk=pk).exists() else None
    if task is None:
        raise NotFound
    if task.status != HumanTask.Status.OPEN:
        raise Conflict(words_of_end(task))
    before = {
        "id": pk,
        "assignee": task.assignee_id,
        "claimed": task.claimed,
        "delegated_by": task.delegated_by_id,
        "delegated_by_name": task.delegated_by_name,
        "note": task.note,
    }
    match batch.act:
        case "claim":
            if task.assignee_id == actor.user_id:
                raise Conflict(_("It is yours already."))
            claim_task(actor, pk)
        case "release":
            if task.assignee_id is None:
                raise Conflict(_("Nobody has taken it."))
            release_task(actor, pk)
        case "delegate":
            delegate_task(actor, pk, batch.user_id or 0, batch.note)
        case _:
            asleep = TaskSnooze.objects.filter(task_id=pk, user_id=actor.user_id).values_list("until", flat=True).first()
            before["until"] = asleep
            snooze_task(actor, pk, batch.until if batch.act == "snooze" else None)
    batch.before.append(before)


def _undo_one(actor: Actor, batch: TaskBatch, pk: int, known: Mapping[int, Any]) -> None:
    """Put a task back where it was, unless somebody has done or moved it since."""
    line = known[pk]
    if batch.act in ("snooze", "wake"):
        until = _moment(line.get("until"))
        snooze_task(actor, pk, until if until and until > timezone.now() else None)
        return
    _instance, task = lock_task(pk)
    if task.status != HumanTask.Status.OPEN:
        raise Conflict(words_of_end(task))
    now_has = {"claim": actor.user_id, "release": None, "delegate": batch.user_id}[batch.act]
    if task.assignee_id != now_has:
        raise Conflict(_("Somebody has moved “%(name)s” on since.") % {"name": task.name})
    changes = {
        "assignee_id": line["assignee"],
        "claimed": _moment(line["claimed"]),
        "delegated_by_id": line["delegated_by"],
        "delegated_by_name": line["delegated_by_name"],
        "note": line["note"],
    }
    HumanTask.objects.filter(pk=pk).update(**changes)
    tell_holders(task, now_has, line["assignee"])


def _moment(value: Any) -> datetime | None:
    """A moment as it was, or as JSON kept it."""
    return parse_datetime(value) if isinstance(value, str) else value
