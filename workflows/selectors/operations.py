"""What an operator may choose among for one instance."""

from __future__ import annotations

from dataclasses import dataclass

from bpmn.model import Definition
from portal.access import Actor
from workflows import definitions
from workflows.access import WorkflowPermission, visible_instances
from workflows.models import ProcessDefinition

_NO_PLACE_TO_BEGIN = ("boundaryEvent", "startEvent")


@dataclass(frozen=True, slots=True)
class Operable:
    """One instance that an operator may change: where it stands, where it could stand, and the other versions."""

    id: int
    title: str
    status: str
    here: list[tuple[str, str]]
    places: list[tuple[str, str]]
    versions: list[tuple[int, int]]
    version: int = 0  # rises with every step: says whether the instance has moved on since the page was made

    @property
    def is_live(self) -> bool:
        """Whether it isn't over."""
        return self.status in ("running", "suspended")


def operable(actor: Actor, instance_id: int) -> Operable | None:
    """The choices for an instance; None where the actor doesn't see it or may not operate."""
    if not actor.is_internal or not actor.can(WorkflowPermission.OPERATE):
        return None
    row = visible_instances(actor).defer("state", "data", "waits").filter(pk=instance_id).first()
    if row is None:
        return None
    definition = definitions.load(row.digest)
    name = lambda key: (definition.elements[key].name if key in definition.elements else "") or key  # noqa: E731
    others = ProcessDefinition.objects.filter(key=row.key).exclude(pk=row.definition_id).order_by("-version")
    return Operable(
        id=row.pk,
        title=row.title,
        status=row.status,
        here=[(key, name(key)) for key in dict.fromkeys(row.active)],
        places=places_in(definition),
        versions=list(others.values_list("pk", "version")),
        version=row.version,
    )


def places_in(definition: Definition) -> list[tuple[str, str]]:
    """The elements of the process itself where a token can begin."""
    found = definition.elements.values()
    wanted = (e for e in found if e.kind not in _NO_PLACE_TO_BEGIN and not e.triggered_by_event and e.scope == definition.key)
    return [(e.id, e.name or e.id) for e in wanted]


def places_of(definition_id: int) -> list[tuple[str, str]]:
    """The steps of a version, to say where lost ones go."""
    row = ProcessDefinition.objects.defer("xml", "decisions").get(pk=definition_id)
    return [(e.id, e.name or e.id) for e in definitions.load(row.digest).elements.values() if e.kind != "boundaryEvent"]
