"""Starting a process by hand: what an employee may begin, with the form that stands at its start event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from bpmn.model import Element
from portal.access import Actor
from portal.registry import SubjectRef
from workflows import definitions
from workflows.errors import FormRefused, NotFound
from workflows.forms import StepForm, build_form, plain_value
from workflows.models import ProcessDefinition
from workflows.selectors.definitions import startable
from workflows.services.instances import start_process


@dataclass(frozen=True, slots=True)
class StartView:
    """A process that can be begun by hand."""

    key: str
    name: str
    documentation: str
    submit: str = ""


def startables(actor: Actor) -> list[StartView]:
    """What the actor may begin that is about no record yet, by name."""
    keys = [key for key, _name in startable(actor)]
    rows = ProcessDefinition.objects.filter(is_current=True, key__in=keys, subject_kind="").order_by("name")
    return [StartView(row.key, row.name, row.documentation) for row in rows.only("key", "name", "documentation")]


def start_form(actor: Actor, key: str, data: Any = None) -> tuple[StartView, StepForm]:
    """The form of a process that the actor may begin; raises NotFound for any other."""
    view = next((one for one in startables(actor) if one.key == key), None)
    row = definitions.current(key)
    if view is None or row is None:
        raise NotFound
    element = _start_event(row.digest)
    form = build_form(actor, element, {}, data)
    submit = (element.form.submit if element.form else "") or _("Start")
    return StartView(view.key, view.name, view.documentation, submit), form


def start_by_form(actor: Actor, key: str, data: Mapping[str, Any], *, subject: SubjectRef | None = None, idempotency_key: str = "") -> int:
    """Begin a process with what was filled in; gives the instance's id. Raises NotFound, FormRefused with the mistakes by field."""
    _view, form = start_form(actor, key, data)
    if not form.is_valid():
        raise FormRefused({name: [str(m) for m in messages] for name, messages in form.errors.items()})
    values = {name: plain_value(value) for name, value in form.cleaned_data.items()}
    once = f"{actor.user_id}:{idempotency_key}" if idempotency_key else None
    return start_process(actor, key, subject=subject, data=values, idempotency_key=once)


def _start_event(digest: str) -> Element:
    definition = definitions.load(digest)
    event = next((e for e in definition.start_events if e.event == "none"), None)
    if event is None:
        raise NotFound
    return definition.element(event.element_id)
