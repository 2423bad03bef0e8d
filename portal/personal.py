"""Where the product keeps something about a person: what an export gives them, and what an erasure makes of it.

    register_traces(
        Trace("requests", _("Requests you sent"), "crm.Request", "submitted_by", ("title",), clear={"submitted_by_name": NAME}),
    )

Every package declares its own in `personal.py`; a test fails for a link to a person that nobody declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import QuerySet

NAME = "<name>"  # in `clear`: whatever stands for a person who was erased
KEEP, CLEAR, DROP = "keep", "clear", "drop"


@dataclass(frozen=True, slots=True)
class Person:
    """Whose data it is: their id, every address that is theirs for sure, and what stands in place of their name once they are erased."""

    user_id: int
    emails: tuple[str, ...]
    placeholder: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One kind of row about a person. `by` is its link to them, or an e-mail field; `fields` are what an export shows:
    none where the row is others' work and only the link is the person's.

    An erasure drops the rows, or clears the fields that `clear` names, or keeps them; `why` says in words why they stay.
    """

    key: str
    label: Any
    model: str
    by: str
    fields: tuple[str, ...]
    erase: str = CLEAR
    clear: Mapping[str, Any] = field(default_factory=dict)
    why: Any = ""
    where: Mapping[str, Any] = field(default_factory=dict)

    def rows(self, person: Person) -> QuerySet:
        """The rows about a person."""
        model = apps.get_model(self.model)
        rows = model._default_manager.filter(**self.where)
        if model._meta.get_field(self.by).is_relation:
            return rows.filter(**{f"{self.by}_id": person.user_id})
        return rows.filter(**{f"{self.by}__in": person.emails})

    def export(self, person: Person) -> list[dict[str, Any]]:
        """What is stored, row by row."""
        return list(self.rows(person).order_by("pk").values(*self.fields)) if self.fields else []

    def forget(self, person: Person) -> int:
        """Do with the rows what an erasure does; gives how many it changed."""
        rows = self.rows(person)
        if self.erase == DROP:
            return rows.delete()[0]
        if self.erase == CLEAR and self.clear:
            return rows.update(**{name: person.placeholder if value == NAME else value for name, value in self.clear.items()})
        return 0


_traces: dict[str, Trace] = {}


def register_traces(*traces: Trace) -> None:
    """Take a package's traces in."""
    for trace in traces:
        _traces[trace.key] = trace


def traces() -> list[Trace]:
    """All of them, in the order in which the packages gave them."""
    return list(_traces.values())


def kept_words() -> list[tuple[Any, Any]]:
    """What an erasure leaves, and why, in words for the person: label and reason, each once."""
    return list(dict.fromkeys((trace.label, trace.why) for trace in _traces.values() if trace.why))
