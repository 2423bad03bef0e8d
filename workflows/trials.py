"""A trial run of a drawing in plain words: what `bpmn.draft` reports, as the designer's page shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bpmn.model import Definition, Element


def trial(definition: Definition, report: dict[str, Any]) -> dict[str, Any]:
    """The report for the page: `result` in words with its `tone`, the `lines` of what happened, the elements that were `taken`, where it
    is `waiting`, the variables that were `assumed`, and what functions `answered`: id, name and answer of each step with a result."""
    tone, words = _result(definition, report)
    return {
        "tone": tone,
        "result": words,
        "lines": [_line(definition, act) for act in report["acts"] if act["act"] != "assume"],
        "taken": report["steps"],
        "waiting": [wait["element"] for wait in report["waits"]],
        "assumed": report["assumed"],
        "answered": [[one, _name(definition, one), answer] for one, answer in report["answered"].items() if _answers(definition, one)],
    }


def _result(definition: Definition, report: dict[str, Any]) -> tuple[str, str]:
    ended = report["ended"]
    if ended == "completed":
        return "good", _("It came to its end.")
    if ended == "incident":
        first = report["incidents"][0]
        return "bad", _("It got stuck at “%(step)s”: %(cause)s") % {"step": _name(definition, first["element"]), "cause": first["message"]}
    if ended == "bound":
        return "warn", _("It went on and on: after %(n)s acts it was stopped. Is there a way out of the loop?") % {"n": len(report["acts"])}
    if ended == "waits":
        return "warn", _("It waits for something that nothing in this drawing gives.")
    if report["error_code"]:
        return "bad", _("It ended with the error “%(code)s”, which nothing catches.") % {"code": report["error_code"]}
    return "warn", _("It was ended before its end.")


def _line(definition: Definition, act: dict[str, Any]) -> dict[str, Any]:
    element = definition.elements.get(act["element"])
    after = [_name(definition, one) for one in act.get("steps", ()) if one != act["element"] and _is_worth_telling(definition, one)]
    line = {"element": act["element"], "act": act["act"], "words": _words(definition, act, element), "then": after}
    if act["act"] == "task" and element is not None:
        line |= {"audience": element.audience, **_asked(element, act["answer"])}
    return line


def _words(definition: Definition, act: dict[str, Any], element: Element | None) -> str:
    name = _name(definition, act["element"])
    if act["act"] == "start":
        return _("It begins.")
    if act["act"] == "task":
        lane = element.lane_name if element and element.lane_name else _("Somebody")
        return _("%(who)s: “%(step)s”") % {"who": lane, "step": name}
    if act["act"] == "timer":
        return _("“%(step)s” is due, %(wait)s later.") % {"step": name, "wait": _span(act.get("after", 0))}
    if act["act"] == "refused":
        return act.get("words", "")
    words = {
        "message": _("“%(step)s” gets what it waits for."),
        "finish": _("“%(step)s” is answered by the other system."),
        "continue": _("It goes on."),
    }
    return words[act["act"]] % {"step": name}


def _asked(element: Element, answer: dict[str, Any]) -> dict[str, Any]:
    """What the step's form asks, with the answers given, for the designer to change."""
    fields = [
        {
            "id": field.id,
            "label": field.label or field.id,
            "type": field.type,
            "options": [[option.value, option.label] for option in field.options],
            "value": answer.get(field.id),
        }
        for field in (element.form.fields if element.form else ())
        if field.id and not field.readonly and field.type != "display"
    ]
    return {"fields": fields, "actions": [[one.id, one.label or one.id] for one in element.actions], "action": answer.get("action", "")}


def _name(definition: Definition, element_id: str) -> str:
    element = definition.elements.get(element_id)
    return (element.name if element else "") or element_id


def _answers(definition: Definition, element_id: str) -> bool:
    element = definition.elements.get(element_id)
    return element is not None and bool(element.result)


def _is_worth_telling(definition: Definition, element_id: str) -> bool:
    """Steps and named events; a gateway or a nameless circle says nothing to the reader."""
    element = definition.elements.get(element_id)
    return element is not None and bool(element.name) and not element.kind.endswith("Gateway")


def _span(seconds: float) -> str:
    span = timedelta(seconds=max(0, round(seconds)))
    if span.days:
        return ngettext("%(n)s day", "%(n)s days", span.days) % {"n": span.days}
    hours, rest = divmod(span.seconds, 3600)
    if hours:
        return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    return ngettext("%(n)s minute", "%(n)s minutes", rest // 60) % {"n": rest // 60}
