"""The functions that service tasks call by name, and the lists that form fields choose from.

    @connector("crm.open_deal")
    def open_deal(step: ConnectorStep, request_id: int) -> dict:
        return {"deal_id": crm.services.open_deal(step.actor, request_id)}

Every app's `connectors.py` is imported at start. A connector runs inside the step's transaction, in a savepoint of its own: what it
did is undone when it fails. To fail in the business's words raise `portal.errors.Refused`; to hand the step before it back to the person
who has just done it, with words in their form, raise `workflows.errors.SentBack`; to go the way of a boundary error event raise
`ProcessError(code)`. What must reach the world outside is put into the outbox with `workflows.services.enqueue_call`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from portal.access import Actor
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class ConnectorStep:
    """The step that calls a connector. `actor` is who caused it, or the system; `idempotency_key` is the same at every retry."""

    instance_id: int
    process_key: str
    element_id: str
    name: str
    task_id: str
    subject: SubjectRef | None
    subjects: tuple[SubjectRef, ...]
    actor: Actor
    data: dict[str, Any]
    now: datetime
    customer_organisation_id: int | None = None
    partner_organisation_id: int | None = None
    loop_item: Any = None

    @property
    def idempotency_key(self) -> str:
        """Names this very step of this very instance."""
        return f"{self.instance_id}:{self.task_id}"

    def subject_of(self, kind: str) -> SubjectRef | None:
        """The newest linked record of a kind."""
        return next((ref for ref in reversed(self.subjects) if ref.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Connector:
    """A registered function and what it takes."""

    key: str
    function: Callable[..., Any]
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    takes_any: bool
    doc: str


@dataclass
class _Connectors:
    """Filled at start, read afterwards."""

    by_key: dict[str, Connector] = field(default_factory=dict)
    choices: dict[str, Callable[[Actor], Iterable[tuple[Any, str]]]] = field(default_factory=dict)


_all = _Connectors()


def connector(key: str) -> Callable:
    """Register a function under the name that diagrams use: `package.verb`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        known = list(inspect.signature(function).parameters.values())[1:]
        named = [p for p in known if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        _all.by_key[key] = Connector(
            key,
            function,
            tuple(p.name for p in named),
            tuple(p.name for p in named if p.default is p.empty),
            any(p.kind is p.VAR_KEYWORD for p in known),
            inspect.getdoc(function) or "",
        )
        return function

    return register


def find_connector(key: str) -> Connector | None:
    """The connector of this name, or None."""
    return _all.by_key.get(key)


def connectors() -> list[Connector]:
    """All connectors by name, for the designer's page."""
    return [_all.by_key[key] for key in sorted(_all.by_key)]


def register_choices(field_type: str, choices: Callable[[Actor], Iterable[tuple[Any, str]]]) -> None:
    """Say what a form field of this type may choose from, as `(value, label)`: `register_choices("product", active_products)`."""
    _all.choices[field_type] = choices


def choices_of(field_type: str, actor: Actor) -> list[tuple[Any, str]]:
    """What the actor may choose in a field of this type."""
    source = _all.choices.get(field_type)
    return list(source(actor)) if source else []
