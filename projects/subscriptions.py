"""Reactions to the processes."""

from __future__ import annotations

from portal.access import Actor
from portal.events import on
from projects import services
from projects.models import Project
from workflows.events import ProcessEnded, TaskCompleted


@on(TaskCompleted)
def reach(event: TaskCompleted) -> None:
    """A step that is a milestone closes it."""
    if event.subject_of("projects.project") is not None:
        services.reach_milestone(event.actor, event.instance_id, event.element_id)


@on(ProcessEnded)
def cancel_with_process(event: ProcessEnded) -> None:
    """A cancelled process cancels its project."""
    if event.outcome == "cancelled":
        project_id = Project.objects.filter(instance_id=event.instance_id).values_list("pk", flat=True).first()
        if project_id:
            services.end_project(Actor.system(), project_id, state=Project.State.CANCELLED)
