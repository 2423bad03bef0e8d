"""A step's form as a Django form: the diagram's fields, checked on the server, the same for a page and for a call.

`task_form(actor, task_id)` gives what a template needs, `submit_task(actor, task_id, request.POST, request.FILES)` does the step.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from bpmn.conditions import Rule, bind, holds, names_in, rule_of
from bpmn.model import Action, Element, Field
from bpmn.scripts import ScriptError, value_of
from portal import files
from portal.access import Actor, Audience
from portal.errors import Conflict, NotAllowed, Refused
from portal.registry import registry
from portal.rows import PreparedFor
from portal.selectors import employees, organisations_of
from workflows import definitions
from workflows.access import may_do, visible_tasks
from workflows.connector_registry import choices_of
from workflows.errors import FormRefused, NotFound
from workflows.models import HumanTask
from workflows.runtime import subjects_of
from workflows.services.tasks import CompletionResult, complete_task, words_of_end
from workflows.services.telling import Told

MAX_TEXT = 10_000


class StoredFileField(forms.FileField):
    """A file: a fresh upload, or the id of one that is stored already."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Give the upload, or the id as text; whether the id may be used is checked by the form."""
        if isinstance(data, str) and data:
            return data
        return super().clean(data, initial)


class StoredFileInput(forms.FileInput):
    """Takes an upload, else the id that a call from code gives."""

    def value_from_datadict(self, data: Any, uploads: Any, name: str) -> Any:
        """The upload or the id."""
        return (uploads or {}).get(name) or data.get(name)


class StepForm(forms.Form):
    """Built by `build_form`; knows its element and its actor."""

    actor: Actor
    display: list[tuple[str, str]]
    rules: dict[str, Rule]  # fields that are shown only when what stands before them says so

    def shown(self) -> dict[str, bool]:
        """Whether each field is shown, by what stands in the fields before it; what isn't shown holds nothing."""
        values: dict[str, Any] = {}
        shown: dict[str, bool] = {}
        for name, asked in self.fields.items():
            shown[name] = name not in self.rules or holds(self.rules[name], values)
            if shown[name] and not isinstance(asked, forms.FileField):
                value = self[name].data if self.is_bound else self[name].initial
                values[name] = bool(value) if isinstance(asked, forms.BooleanField) else value
        return shown

    def laid_out(self) -> list[tuple[Any, str, bool]]:
        """Each field with its rule for the browser (empty: always shown) and whether it is shown as the page comes."""
        shown = self.shown() if self.rules else {}
        return [(self[name], json.dumps(self.rules[name]) if name in self.rules else "", shown.get(name, True)) for name in self.fields]

    @property
    def has_files(self) -> bool:
        """Whether a file may be added."""
        return any(isinstance(field, forms.FileField) for field in self.fields.values())

    def _clean_fields(self) -> None:
        """What isn't shown isn't asked for and gives nothing, whatever was sent."""
        if not self.rules:
            return super()._clean_fields()
        every, shown = self.fields, self.shown()
        self.fields = {name: field for name, field in every.items() if shown[name]}
        try:
            super()._clean_fields()
        finally:
            self.fields = every
        self.cleaned_data |= {name: None for name in every if not shown[name]}
        return None

    def clean(self) -> dict[str, Any]:
        """Check the ids of stored files against what the actor may see."""
        cleaned = super().clean() or self.cleaned_data
        for name, value in list(cleaned.items()):
            if isinstance(self.fields[name], StoredFileField) and isinstance(value, str) and value:
                try:
                    found = files.files_of_ids(self.actor, [value])
                except (ValueError, forms.ValidationError):
                    found = []
                if not found:
                    self.add_error(name, _("This file isn't there any more. Choose it again."))
        return cleaned


# --- from the diagram's field to Django's ---------------------------------------------------------------------------


def _text(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return forms.CharField(max_length=int(spec.max) if spec.max.isdigit() else 500, **common)


def _textarea(spec: Field, actor: Actor, common: dict) -> forms.Field:
    length = int(spec.max) if spec.max.isdigit() else MAX_TEXT
    return forms.CharField(max_length=length, widget=forms.Textarea(attrs={"rows": 4}), **common)


def _limits(spec: Field) -> dict[str, Decimal]:
    limits = {}
    for name, text in (("min_value", spec.min), ("max_value", spec.max)):
        try:
            if text:
                limits[name] = Decimal(text)
        except ArithmeticError:
            continue
    return limits


def _number(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return forms.DecimalField(max_digits=18, decimal_places=6, **_limits(spec), **common)


def _money(spec: Field, actor: Actor, common: dict) -> forms.Field:
    limits = {"min_value": Decimal(0), **_limits(spec)}
    return forms.DecimalField(max_digits=14, decimal_places=2, **limits, **common)


def _date(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **common)


def _datetime(spec: Field, actor: Actor, common: dict) -> forms.Field:
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    return forms.DateTimeField(widget=widget, **common)


def _boolean(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return forms.BooleanField(**common)


def _options(spec: Field) -> list[tuple[str, str]]:
    return [(option.value, option.label) for option in spec.options]


def _choice(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return forms.ChoiceField(choices=[("", "—"), *_options(spec)], **common)


def _multichoice(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return forms.MultipleChoiceField(choices=_options(spec), widget=forms.CheckboxSelectMultiple, **common)


def _id_choice(choices: list[tuple[Any, str]], common: dict) -> forms.Field:
    return forms.TypedChoiceField(choices=[("", "—"), *choices], coerce=int, empty_value=None, **common)


def _person(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return _id_choice([(p.id, p.name) for p in employees()], common)


def _partner(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return _id_choice(choices_of("partner", actor) or [(o.id, o.name) for o in organisations_of(Audience.PARTNER)], common)


def _product(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return _id_choice(choices_of("product", actor), common)


def _file(spec: Field, actor: Actor, common: dict) -> forms.Field:
    return StoredFileField(widget=StoredFileInput, **common)


BUILDERS = {
    "text": _text, "textarea": _textarea, "number": _number, "money": _money, "date": _date, "datetime": _datetime,
    "boolean": _boolean, "choice": _choice, "multichoice": _multichoice, "person": _person, "partner": _partner,
    "product": _product, "file": _file,
}  # fmt: skip


def build_form(
    actor: Actor,
    element: Element,
    task_data: Mapping[str, Any],
    data: Any = None,
    uploads: Any = None,
    action: str = "",
    *,
    prefix: str | None = None,
) -> StepForm:
    """The form of a step, filled with what the process knows; bound where `data` is given. `prefix`: beside another form's fields."""
    form = StepForm(data, uploads, initial={}, auto_id="f-%s", prefix=prefix)
    form.actor, form.display, form.rules = actor, [], {}
    asked_for = [spec.id for spec in element.form.fields if spec.type != "display" and not spec.readonly] if element.form else []
    needed = {a.requires for a in element.actions if a.id == action and a.requires}
    asked = {a.requires for a in element.actions if a.requires}
    eased = is_eased(element, action)
    for spec in element.form.fields if element.form else ():
        # The words of a decision are new each time: yesterday's question must not go out as today's reason.
        is_fresh = spec.id in asked and spec.type in ("text", "textarea")
        start = _initial(spec, task_data, is_fresh=is_fresh)
        if spec.shown_when:
            rule = bind(rule_of(spec.shown_when), [] if spec.type == "display" or spec.readonly else asked_for, task_data)
            if names_in(rule):
                form.rules[spec.id] = rule
            elif not holds(rule, {}):
                continue
        if spec.type == "display" or spec.readonly:
            form.display.append((spec.label or spec.id, _shown(spec, start, actor)))
            continue
        common = {
            "label": spec.label or spec.id,
            "help_text": spec.help,
            "required": (spec.required and not eased) or spec.id in needed,
            "initial": start,
        }
        form.fields[spec.id] = BUILDERS.get(spec.type, _text)(spec, actor, common)
        form.fields[spec.id].kind = spec.type  # type: ignore[attr-defined]
    for name in asked - {f.id for f in (element.form.fields if element.form else ())}:
        label = _("Reason") if name == "reason" else name
        askers = [a.label for a in element.actions if a.requires == name]
        form.fields[name] = forms.CharField(
            label=label,
            required=name in needed,
            max_length=MAX_TEXT,
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("Needed for: %(actions)s") % {"actions": ", ".join(askers)},
        )
        form.fields[name].kind = "textarea"  # type: ignore[attr-defined]
    return form


def is_eased(element: Element, action: str) -> bool:
    """Whether an action asks only for what it names itself: declining must not need the fields of accepting."""
    return any(a.id == action and (a.requires or a.style == "danger") for a in element.actions)


def _initial(spec: Field, task_data: Mapping[str, Any], *, is_fresh: bool) -> Any:
    if not is_fresh and spec.id in task_data and task_data[spec.id] not in (None, ""):
        return task_data[spec.id]
    if not spec.default:
        return None
    try:
        return value_of(spec.default, task_data)
    except ScriptError:
        return None


def _shown(spec: Field, value: Any, actor: Actor) -> str:
    """A value in words, for fields that are only shown."""
    if value is None or value == "":
        return ""
    if spec.type == "boolean":
        return _("yes") if value else _("no")
    names = dict(_options(spec))
    if spec.type in ("person", "partner", "product"):
        found = BUILDERS[spec.type](spec, actor, {}).choices  # type: ignore[attr-defined]
        return next((str(label) for key, label in found if str(key) == str(value)), str(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(names.get(str(v), str(v)) for v in value)
    if isinstance(value, str) and len(value) == 10 and spec.type == "date":
        return value
    return names.get(str(value), str(value))


# --- checking -------------------------------------------------------------------------------------------------------


def checked_data(actor: Actor, task: HumanTask, element: Element, data: Mapping[str, Any], action: str) -> tuple[dict[str, Any], str, str]:
    """What may go into the process: declared fields only, checked; the action; and the reason. Raises FormRefused.

    The system's own completions (tests, service steps) bring their data unchecked but for the action.
    """
    action = _checked_action(element, action or str(data.get("action") or ""))
    if actor.is_system:
        values = {k: v for k, v in data.items() if k != "action"}
        return values, action, str(values.get("reason") or "")
    form = build_form(actor, element, task.data, data, None, action)
    if not form.is_valid():
        raise FormRefused({name: [str(m) for m in messages] for name, messages in form.errors.items()})
    values = {name: plain_value(value) for name, value in form.cleaned_data.items()}
    if is_eased(element, action):  # what was left empty here keeps what the process knows
        values = {name: value for name, value in values.items() if value not in (None, "", [])}
    return values, action, str(values.get("reason") or "")


def _checked_action(element: Element, action: str) -> str:
    actions: dict[str, Action] = {a.id: a for a in element.actions}
    if not actions:
        return action if not action or action == "submit" else ""
    if action not in actions:
        raise FormRefused({"action": [_("Choose one of: %(actions)s.") % {"actions": ", ".join(a.label for a in actions.values())}]})
    return action


def plain_value(value: Any) -> Any:
    """Scalars as the process keeps them: whole numbers as such, texts without blanks around."""
    if isinstance(value, Decimal) and value == value.to_integral_value() and value.as_tuple().exponent >= 0:  # type: ignore[operator]
        return int(value)
    if isinstance(value, str):
        return value.strip()
    return value


# --- for pages ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TaskForm:
    """What `workflows/parts/_task_form.html` draws."""

    task_id: int
    title: str
    help: str
    form: StepForm
    actions: tuple[Action, ...]
    submit: str
    display: list[tuple[str, str]]
    key: str
    can_do: bool
    why_not: str = ""
    has_files: bool = False
    error: str = ""
    typed: list[tuple[str, str]] = field(default_factory=list)  # what was sent for a step that can't be done any more: to be copied


@dataclass(slots=True)
class Submission:
    """What came of sending a form: `result` where it was done, else `form` to show again with what was typed."""

    form: TaskForm | None = None
    result: CompletionResult | None = None
    conflict: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether the step was done."""
        return self.result is not None


def task_form(
    actor: Actor, task_id: int, data: Any = None, uploads: Any = None, *, action: str = "", key: str = "", error: str = ""
) -> TaskForm:
    """The form of a task that the actor sees, for any face. Raises NotFound for a task out of sight."""
    found = _TASK.rows(actor, values=[task_id])
    if not found:
        raise NotFound
    return form_of(actor, found[0], data, uploads, action=action, key=key, error=error)


_TASK = PreparedFor(
    lambda actor, pk: visible_tasks(actor).select_related("instance").defer("instance__state").filter(pk=pk), outsiders_only=True
)


def form_of(
    actor: Actor, task: HumanTask, data: Any = None, uploads: Any = None, *, action: str = "", key: str = "", error: str = ""
) -> TaskForm:
    """The form of a task at hand."""
    element = definitions.load(task.instance.digest).element(task.element_id)
    form = build_form(actor, element, task.data, data, uploads, action)
    why_not = ""
    can_do = task.status == HumanTask.Status.OPEN and may_do(actor, task)
    if task.status != HumanTask.Status.OPEN:
        why_not = words_of_end(task)
    elif not can_do:
        from workflows.services.tasks import _why_not

        why_not = _why_not(actor, task)
    return TaskForm(
        task_id=task.pk,
        title=task.name,
        help=element.documentation,
        form=form,
        actions=tuple(action if action.label else replace(action, label=_("Done")) for action in element.actions),
        submit=(element.form.submit if element.form else "") or _("Done"),
        display=[(label, shown) for label, shown in form.display if shown],
        key=key or secrets.token_urlsafe(16),
        can_do=can_do,
        why_not=why_not,
        has_files=form.has_files,
        error=error,
        typed=[] if can_do or data is None else _typed(form),
    )


def _typed(form: StepForm) -> list[tuple[str, str]]:
    """The fields that a person has filled in, in words."""
    given = [(str(bound.label), bound.data) for bound in form if not isinstance(bound.field, StoredFileField)]
    return [(label, value) for label, value in given if isinstance(value, str) and value.strip()]


def submit_task(actor: Actor, task_id: int, post: Any, uploads: Any = None, *, told: Told | None = None) -> Submission:
    """Do a task with what a person has sent; files are stored on the task's record in the same transaction. `told`: an employee does an
    outsider's step for them; the form is the outsider's.

    Gives the form again with errors where something is wrong. Raises NotFound for a task out of sight.
    """
    shown_to = told.by if told else actor
    action, key = str(post.get("action") or ""), str(post.get("idempotency_key") or "")[:80]
    try:
        with transaction.atomic():
            data = _with_files(shown_to, task_id, post, uploads, action, keeper=actor)
            return Submission(result=complete_task(actor, task_id, data, action=action, idempotency_key=key, told=told))
    except FormRefused as refused:
        shown = task_form(shown_to, task_id, post, uploads, action=action, key=key)
        shown.form.is_valid()
        for name, messages in refused.errors.items():
            if name not in shown.form.errors:
                shown.form.add_error(name if name in shown.form.fields else None, messages)
        return Submission(form=shown, errors=refused.errors)
    except (Conflict, NotAllowed) as error:
        return Submission(form=task_form(shown_to, task_id, post, action=action, error=error.message), conflict=error.message)
    except NotFound:
        raise
    except Refused as refused:
        shown = task_form(shown_to, task_id, post, uploads, action=action, key=key, error=refused.message)
        return Submission(form=shown, errors={refused.field or "__all__": [refused.message]})


def _with_files(actor: Actor, task_id: int, post: Any, uploads: Any, action: str, *, keeper: Actor) -> Any:
    """Put uploads away, in the name of whoever sent them, and their ids in their place."""
    if not uploads:
        return post
    task = visible_tasks(actor).select_related("instance").defer("instance__state").filter(pk=task_id).first()
    if task is None:
        raise NotFound
    element = definitions.load(task.instance.digest).element(task.element_id)
    if not may_do(actor, task) or task.status != HumanTask.Status.OPEN:
        return post
    form = build_form(actor, element, task.data, post, uploads, action)
    if not form.is_valid():
        raise FormRefused({name: [str(m) for m in messages] for name, messages in form.errors.items()})
    specs = {spec.id: spec for spec in element.form.fields} if element.form else {}
    data = post.copy()
    for name, value in form.cleaned_data.items():
        if isinstance(value, UploadedFile):
            refs = subjects_of(task.instance)
            seen = registry.resolve_many(actor, refs)
            ref = next((ref for ref in reversed(refs) if ref in seen), None)
            if ref is None:
                raise Refused(_("This process isn't about a record that could keep a file."), name)
            wider = {Audience(o.value) for o in specs[name].options if o.value in ("customer", "partner")}
            stored = files.store_file(keeper, ref, value, {Audience(task.audience), *wider})
            data[name] = str(stored.id)
    return data
