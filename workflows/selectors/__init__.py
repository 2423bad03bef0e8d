"""Reads for pages and other packages: frozen dataclasses, through the gates of `access.py`."""

from workflows.selectors.absences import AbsenceView, absences, own_absence, stand_ins, stood_in_for
from workflows.selectors.definitions import DefinitionView, definition_detail, definitions, process_choices, startable
from workflows.selectors.desk import InboxFilter, waiting_badge, waiting_count
from workflows.selectors.forecasts import Forecast, forecasts
from workflows.selectors.inbox import TaskDetail, TaskRow, first_tasks, open_tasks_for, task_detail, tasks_for
from workflows.selectors.incidents import IncidentFilter, incident_groups, instance_of_incident, open_incidents
from workflows.selectors.instances import (
    InstanceDetail,
    InstanceRow,
    diagram_state,
    instance_detail,
    instances_for_subject,
    linked_subjects,
    steps_for_subject,
)
from workflows.selectors.monitor import InstanceFilter, InstancePage, instances
from workflows.selectors.moves import Move, stage_moves
from workflows.selectors.operations import Operable, operable, places_of
from workflows.selectors.roads import Road, RoadStep, open_steps, road_for, road_for_row, standing
from workflows.selectors.waiting import WaitingStep, steps_waiting_for

__all__ = [
    "AbsenceView",
    "absences",
    "own_absence",
    "stand_ins",
    "stood_in_for",
    "DefinitionView",
    "Forecast",
    "InboxFilter",
    "IncidentFilter",
    "InstanceDetail",
    "InstanceFilter",
    "InstancePage",
    "InstanceRow",
    "Move",
    "Operable",
    "Road",
    "RoadStep",
    "TaskDetail",
    "TaskRow",
    "definition_detail",
    "definitions",
    "process_choices",
    "diagram_state",
    "first_tasks",
    "forecasts",
    "incident_groups",
    "instance_detail",
    "instance_of_incident",
    "instances",
    "instances_for_subject",
    "linked_subjects",
    "open_incidents",
    "open_steps",
    "open_tasks_for",
    "operable",
    "places_of",
    "road_for",
    "road_for_row",
    "stage_moves",
    "standing",
    "steps_for_subject",
    "startable",
    "WaitingStep",
    "steps_waiting_for",
    "task_detail",
    "tasks_for",
    "waiting_badge",
    "waiting_count",
]
