"""Which stages a record's process can be moved to now, by whom, and why not: what a kanban board asks before it moves a card."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bpmn.model import Definition, Element
from bpmn.scripts import ScriptError, truth
from portal.access import Actor
from portal.registry import SubjectRef
from portal.selectors import names_of, organisations
from workflows import definitions
from workflows.access import may_do
from workflows.models import HumanTask, ProcessInstance
from workflows.selectors.instances import for_subject, holder
from workflows.services.locks import lock_words


@dataclass(frozen=True, slots=True)
class Move:
    """A stage, and how to get there: completing `task_id` with `action`. Where it isn't `allowed`, `why_not` says why."""

    stage: str
    task_id: int | None
    action: str
    allowed: bool
    why_not: str = ""
    label: str = ""
    needs_form: bool = False


def stage_moves(actor: Actor, ref: SubjectRef) -> list[Move]:
    """For every stage of the record's running process, except the one where it stands: the move, or why there is none."""
    instance = (
        for_subject(actor, ref)
        .filter(status=ProcessInstance.Status.RUNNING, definition__isnull=False)
        .exclude(stage="")
        .defer("state")
        .order_by("-started", "-pk")
        .first()
    )
    if instance is None:
        return []
    definition = definitions.load(instance.digest)
    locked = lock_words(ref, besides=instance.pk)
    stages = list(dict.fromkeys(e.stage for e in definition.elements.values() if e.stage))
    tasks = list(HumanTask.objects.filter(instance=instance, status=HumanTask.Status.OPEN).order_by("pk"))
    names = names_of(t.assignee_id for t in tasks)
    companies = organisations(t.organisation_id for t in tasks if t.organisation_id)
    moves: dict[str, Move] = {}
    for task in tasks:
        element = definition.elements[task.element_id]
        for action in element.actions or (None,):
            values = {**instance.data, **task.data, "action": action.id if action else ""}
            label = action.label if action else (element.form.submit if element.form else "") or task.name
            needs = bool(element.form and element.form.fields) or bool(action and action.requires)
            for stage in _leads_to(definition, element, values):
                allowed = may_do(actor, task) and not locked
                words = locked or (
                    ""
                    if allowed
                    else _("“%(task)s” comes first; it waits for %(who)s.")
                    % {
                        "task": task.name,
                        "who": holder(task, names, companies),
                    }
                )
                known = moves.get(stage)
                if known is None or (allowed and not known.allowed):
                    moves[stage] = Move(stage, task.pk, action.id if action else "", allowed, words, label, needs)
    waiting = "; ".join(f"“{t.name}” · {holder(t, names, companies)}" for t in tasks[:3])
    for stage in stages:
        if stage not in moves and stage != instance.stage:
            words = locked or _("The process doesn't go there from here. It waits for: %(tasks)s.") % {
                "tasks": waiting or _("a system step")
            }
            moves[stage] = Move(stage, None, "", False, words)
    return [moves[stage] for stage in stages if stage in moves and stage != instance.stage]


def _leads_to(definition: Definition, element: Element, values: dict[str, Any]) -> list[str]:
    """The stages that a token may come to next from an element, as far as conditions can be foretold."""
    found: list[str] = []
    seen: set[str] = set()
    queue = deque(_ways(definition, element, values))
    while queue:
        current = queue.popleft()
        if current.id in seen:
            continue
        seen.add(current.id)
        if current.stage and current.stage != element.stage:
            found.append(current.stage)
            continue
        if current.is_human:
            continue
        queue.extend(_ways(definition, current, values))
    return list(dict.fromkeys(found))


def _ways(definition: Definition, element: Element, values: dict[str, Any]) -> list[Element]:
    """The elements after one; at a gateway only those whose conditions hold or can't be foretold."""
    flows = [definition.flows[flow] for flow in element.outgoing]
    if element.kind in ("exclusiveGateway", "inclusiveGateway") and len(flows) > 1:
        taken: list[Any] = []
        unknown: list[Any] = []
        for flow in flows:
            if not flow.condition or flow.id == element.default_flow:
                continue
            try:
                if truth(flow.condition, values):
                    taken.append(flow)
                    if element.kind == "exclusiveGateway" and not unknown:
                        break
            except ScriptError:
                unknown.append(flow)
        chosen = taken + unknown
        if not taken:
            chosen += [flow for flow in flows if flow.id == element.default_flow]
        flows = chosen
    return [definition.elements[flow.target] for flow in flows]
