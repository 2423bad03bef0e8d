"""The same act on many instances: looked at first, then done in the background, each in a savepoint of its own, each with its result.

The set is frozen when it is looked at: the job gets the very ids that were shown, and rights and states are asked again for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal import jobs
from portal.access import Actor
from portal.errors import Conflict, NotAllowed, Refused
from portal.jobs import Job
from workflows.access import WorkflowPermission, visible_instances
from workflows.models import Incident, ProcessDefinition, ProcessInstance
from workflows.services import operations
from workflows.services.incidents import retry_incident
from workflows.services.instances import cancel_instance
from workflows.services.operations import MAX_PREVIEW, Preview

CHUNK = 20
MOST = 10_000
LIVE = (ProcessInstance.Status.RUNNING, ProcessInstance.Status.SUSPENDED)
ACTS = {  # act → what it is called, what it does
    "hold": (gettext_lazy("Hold"), gettext_lazy("Nobody can do their steps, and deadlines and messages wait, until they go on.")),
    "resume": (
        gettext_lazy("Let go on"),
        gettext_lazy("Their steps can be done again; deadlines that passed meanwhile are acted on at once."),
    ),
    "cancel": (
        gettext_lazy("Cancel"),
        gettext_lazy("They end, and their open tasks disappear from everybody's inbox. This can't be undone."),
    ),
    "retry": (gettext_lazy("Try again"), gettext_lazy("Their failed steps are tried again; what fails again stays an incident.")),
    "change": (gettext_lazy("Move"), gettext_lazy("What stands at one step goes to another.")),
    "version": (gettext_lazy("Change version"), gettext_lazy("They go on in another version of their process, where they stand.")),
}


@dataclass(frozen=True, slots=True)
class Act:
    """What is done to each: `change` needs `source` and `target` (an empty target passes the step), `version` the definition's id and
    where lost steps go, `retry` may be narrowed to one step by `source`."""

    kind: str
    source: str = ""
    target: str = ""
    definition: int = 0
    mapping: Mapping[str, str] = field(default_factory=dict)

    def as_params(self) -> dict[str, Any]:
        """As a job keeps it."""
        return {
            "kind": self.kind,
            "source": self.source,
            "target": self.target,
            "definition": self.definition,
            "mapping": dict(self.mapping),
        }


def preview_bulk(actor: Actor, act: Act, ids: Iterable[int]) -> list[Preview]:
    """What would become of each of the first five hundred, in the order of their ids. Raises NotAllowed, or Refused for an unknown act."""
    _check(actor, act)
    chosen = sorted(set(ids))[:MAX_PREVIEW]
    if act.kind == "version":
        return operations.preview_migration(actor, act.definition, chosen, act.mapping)
    if act.kind == "change":
        visible = visible_instances(actor).filter(pk__in=chosen).order_by("pk").values_list("pk", flat=True)
        changes = operations.changes_for("move" if act.target else "skip", act.source, act.target)
        return [operations.preview_change(actor, pk, changes) for pk in list(visible)]
    rows = list(visible_instances(actor).filter(pk__in=chosen).defer("state", "data", "waits").order_by("pk"))
    failed = set(_failures(act, [row.pk for row in rows]).values_list("instance_id", flat=True)) if act.kind == "retry" else set()
    return [_verdict(row, act, row.pk in failed) for row in rows]


def _verdict(row: ProcessInstance, act: Act, has_failed: bool) -> Preview:
    allowed, why_not = {
        "hold": (row.status == ProcessInstance.Status.RUNNING, _("Only a running process can be held.")),
        "resume": (row.status == ProcessInstance.Status.SUSPENDED, _("This process isn't held.")),
        "cancel": (row.status in LIVE, _("This process has ended already.")),
        "retry": (has_failed and row.status == ProcessInstance.Status.RUNNING, _("Nothing failed in it, or it is held.")),
    }[act.kind]
    return Preview(row.pk, row.title, "safe" if allowed else "blocked", () if allowed else (why_not,))


def _failures(act: Act, ids: Iterable[int]):
    rows = Incident.objects.filter(resolved=None, instance_id__in=list(ids))
    return rows.filter(element_id=act.source) if act.source else rows


def _check(actor: Actor, act: Act) -> None:
    if not actor.can(WorkflowPermission.OPERATE):
        raise NotAllowed(_("Only managers and administrators mend running processes."))
    if act.kind not in ACTS:
        raise Refused(_("Choose what is to be done with them."))
    if act.kind == "change" and not act.source:
        raise Refused(_("Choose the step where they stand."), "source")
    if act.kind == "version" and not act.definition:
        raise Refused(_("Choose a version."), "definition")


def start_bulk(actor: Actor, act: Act, ids: Iterable[int], reason: str) -> Job:
    """Do an act to exactly these instances, in the background; what can't be done to one is told in the job's result, and it stays as it
    is. Raises NotAllowed, or Refused without a reason, a step or a version, or for more than ten thousand."""
    _check(actor, act)
    if not reason.strip():
        raise Refused(_("Say why: the reason is kept in the history."), "reason")
    wanted = set(ids)
    if len(wanted) > MOST:
        raise Refused(_("Choose at most %(most)s at once.") % {"most": MOST})
    chosen = list(visible_instances(actor).filter(pk__in=wanted).order_by("pk").values_list("pk", flat=True))
    if not chosen:
        raise Refused(_("Nothing of what you chose is left."))
    words = ngettext("%(act)s: %(count)s instance", "%(act)s: %(count)s instances", len(chosen))
    title = words % {"act": _title(act), "count": len(chosen)}
    return jobs.enqueue(
        actor, "workflows.bulk", title[:200], total=len(chosen), params={"ids": chosen, "reason": reason, **act.as_params()}
    )


def _title(act: Act) -> str:
    if act.kind != "version":
        return str(ACTS[act.kind][0])
    row = ProcessDefinition.objects.only("name", "version").get(pk=act.definition)
    return _("“%(name)s” to version %(version)s") % {"name": row.name, "version": row.version}


@jobs.job_kind("workflows.bulk")
def bulk_chunk(job: Job) -> None:
    """The next few instances of a bulk act."""
    actor, refused = jobs.actor_of(job), job.result.get("refused", {})
    params = job.params
    act = Act(params["kind"], params["source"], params["target"], params["definition"], params["mapping"])
    for pk in params["ids"][job.done : job.done + CHUNK]:
        try:
            with transaction.atomic():
                words = _do(actor, act, pk, params["reason"])
        except Refused as error:
            words = error.message
        if words:
            refused[str(pk)] = words
            job.failed += 1
        job.done += 1
    job.result = {"refused": refused, "url": reverse("workflows:bulk-result", args=[job.pk])}
    if job.done >= job.total:
        job.state = Job.State.DONE
        job.message = _("%(done)s done, %(refused)s stayed as they were.") % {"done": job.total - job.failed, "refused": job.failed}


def _do(actor: Actor, act: Act, pk: int, reason: str) -> str:
    """Do it; gives why it helped nothing, where it didn't. Raises Refused where it can't be done."""
    match act.kind:
        case "hold":
            operations.suspend_instance(actor, pk, reason)
        case "resume":
            operations.resume_instance(actor, pk, reason)
        case "cancel":
            cancel_instance(actor, pk, reason)
        case "change":
            operations.change_instance(actor, pk, operations.changes_for("move" if act.target else "skip", act.source, act.target), reason)
        case "version":
            operations.migrate_instance(actor, pk, act.definition, reason, act.mapping)
        case "retry":
            return _retry(actor, act, pk, reason)
    return ""


def _retry(actor: Actor, act: Act, pk: int, reason: str) -> str:
    waiting = list(_failures(act, [pk]).order_by("pk").values_list("pk", flat=True))
    if not waiting:
        raise Conflict(_("This was mended already."))
    went_well = [retry_incident(actor, incident, reason) for incident in waiting]  # each of them, whatever became of the first
    if all(went_well):
        return ""
    why = Incident.objects.filter(instance_id=pk, resolved=None).order_by("-pk").values_list("message", flat=True).first()
    return _("It failed again: %(why)s") % {"why": why or ""}


def migrate_instances(
    actor: Actor, instance_ids: Iterable[int], definition_id: int, reason: str, mapping: Mapping[str, str] | None = None
) -> Job:
    """Take many instances of one process to another version, in the background; each that isn't safe is told and stays."""
    operations.target_version(actor, definition_id)
    return start_bulk(actor, Act("version", definition=definition_id, mapping=mapping or {}), instance_ids, reason)
