"""How a process begins, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from bpmn import scripts
from bpmn.model import StartEvent
from portal.access import Actor
from portal.registry import SubjectRef, SubjectView, registry
from workflows import definitions
from workflows.access import WorkflowPermission, visible_definitions
from workflows.models import ProcessDefinition, StartCondition, StartTimer


@dataclass(frozen=True, slots=True)
class StartLine:
    """One way in which a process begins; `source` is what the diagram says of it, `due` the next time of a timer. What failed lately is
    told with the record for which it did, where the reader may see that; why, which may quote the record, also to who may see data."""

    words: str
    name: str
    source: str = ""
    due: datetime | None = None
    failed: datetime | None = None
    error: str = ""
    record: SubjectView | None = None


def start_lines(actor: Actor, definition_id: int) -> list[StartLine]:
    """The ways in which a version of a process begins, in the order of the diagram; none of a version that the actor may not see."""
    row = visible_definitions(actor).filter(pk=definition_id).only("digest", "startable_by").first()
    if row is None:
        return []
    definition = definitions.load(row.digest)
    timers = {one.element_id: one for one in StartTimer.objects.filter(definition=row)}
    conditions = {one.element_id: one for one in StartCondition.objects.filter(definition=row)}
    starts = definition.start_events or (StartEvent("", "", "none"),)
    lines = [_line(actor, row, start, timers.get(start.element_id), conditions.get(start.element_id)) for start in starts]
    return [
        line
        if not line.error or _may_know(actor, line)
        else replace(line, error=_("Why is told to those who may see the data of processes."))
        for line in lines
    ]


def _may_know(actor: Actor, line: StartLine) -> bool:
    """Whether the reader may be told why a start failed: the words quote what was being worked out."""
    return line.record is not None or actor.can(WorkflowPermission.VIEW_DATA)


def _line(actor: Actor, row: ProcessDefinition, start: StartEvent, timer: StartTimer | None, condition: StartCondition | None) -> StartLine:
    match start.event:
        case "message":
            return StartLine(_("The message “%(name)s” comes.") % {"name": start.message}, start.name)
        case "signal":
            return StartLine(_("The signal “%(name)s” is given.") % {"name": start.signal}, start.name)
        case "timer":
            told = (timer.due, timer.last_error) if timer else (None, "")
            return StartLine(_("By the clock"), start.name, start.timer.expression if start.timer else "", told[0], error=told[1])
        case "conditional":
            kind = registry.subjects.get(start.watches)
            words = _("This comes true of a record (%(kind)s):") % {"kind": kind.label if kind else start.watches}
            asked = start.condition.removeprefix(scripts.FEEL).strip()
            if condition is None or condition.failed_id is None:
                return StartLine(words, start.name, asked)
            record = registry.resolve(actor, SubjectRef(condition.kind, condition.failed_id))
            return StartLine(words, start.name, asked, failed=condition.failed, error=condition.last_error, record=record)
    roles = ", ".join(str(registry.roles[key].label) if key in registry.roles else key for key in row.startable_by)
    return StartLine(_("Somebody starts it: %(who)s.") % {"who": roles or _("any employee")}, start.name)
