"""Starting a process by hand: what an employee may begin, with the form that stands at its start event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import formats, timezone
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

PREFIX = "ask"


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


def first_form(actor: Actor, key: str, known: Mapping[str, Any], data: Any = None, uploads: Any = None) -> StepForm | None:
    """What a process asks for at its start event when it is begun for a record of another package, filled with what is known; None where it
    asks for nothing. Its fields stand beside that record's own, under the prefix `ask`. A visitor adds no files and chooses no people."""
    row = definitions.current(key)
    try:
        element = _start_event(row.digest) if row else None
    except NotFound:
        return None
    if element is None or element.form is None:
        return None
    form = build_form(actor, element, known, data, uploads, prefix=PREFIX)
    if actor.is_anonymous:
        for name in [name for name, field in form.fields.items() if field.kind in ("file", "person", "partner")]:  # type: ignore[attr-defined]
            del form.fields[name]
            form.rules.pop(name, None)
    return form if form.fields else None


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What was filled into one field of a start form: as it was typed, for the next time, and in words, for people."""

    id: str
    label: str
    raw: Any
    words: str


def first_answers(form: StepForm) -> tuple[dict[str, Any], list[FirstAnswer], dict[str, UploadedFile]]:
    """Of a checked start form: the process's variables, what people read of it, and the files that have yet to be put away."""
    values, answers, files = {}, [], {}
    shown = form.shown()
    for name, value in form.cleaned_data.items():
        if isinstance(value, UploadedFile):
            files[name] = value
            values[name] = None
            answers.append(FirstAnswer(name, str(form.fields[name].label), "", value.name or ""))
            continue
        values[name] = plain_value(value)
        if shown.get(name) and value not in (None, "", [], False):
            answers.append(FirstAnswer(name, str(form.fields[name].label), raw_of(value), in_words(form.fields[name], value)))
    return values, answers, files


def raw_of(value: Any) -> Any:
    """A checked value as a form takes it again, in plain JSON."""
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return value if isinstance(value, bool) else value.isoformat() if isinstance(value, date) else str(value)


def in_words(field: forms.Field, value: Any) -> str:
    """A checked value for people."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    names = {str(key): str(label) for key, label in getattr(field, "choices", ())}
    if isinstance(value, list | tuple):
        return ", ".join(names.get(str(one), str(one)) for one in value)
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value) if timezone.is_aware(value) else value, "SHORT_DATETIME_FORMAT")
    if isinstance(value, date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, Decimal):
        return formats.number_format(value.normalize() if value % 1 else int(value), use_l10n=True)
    return names.get(str(value), str(value))


def _start_event(digest: str) -> Element:
    definition = definitions.load(digest)
    event = next((e for e in definition.start_events if e.event == "none"), None)
    if event is None:
        raise NotFound
    return definition.element(event.element_id)
