"""Stories: what other packages' events say in the feed. Each package gives the words for its own events in its `apps.py`.

    register_story(DealWon, lambda e: Story(
        gettext_noop("%(actor)s won %(deal)s for %(value)s"),
        {"deal": SubjectRef("crm.deal", e.deal_id), "value": Amount(e.value, e.currency)},
        subject=SubjectRef("crm.deal", e.deal_id), actor=e.actor))

The words are kept as written and translated for each reader; a record in them becomes a link with the title that this reader may see.
Stories are for employees. `outside` adds words for the customer or the partner who takes part in the record: they get them on their
bell, never the story.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.access import Actor, Audience
from portal.amounts import Amount
from portal.events import in_bulk, on
from portal.registry import SubjectRef


@dataclass(frozen=True, slots=True)
class Story:
    """One story: words with places such as `%(deal)s`, and what stands in them. `%(actor)s` is always there."""

    text: str
    values: Mapping[str, str | int | Amount | SubjectRef] = field(default_factory=dict)
    subject: SubjectRef | None = None
    actor: Actor | None = None
    icon: str = "activity"
    team: str = ""
    outside: Mapping[Audience, str] = field(default_factory=dict)


_writers: dict[type, Callable[[Any], Story | None]] = {}


def register_story(event: type, write: Callable[[Any], Story | None]) -> None:
    """Give the words for an event; `write` may answer None for an occurrence that isn't worth telling."""
    if event not in _writers:
        on(event)(_tell)
    _writers[event] = write


def _tell(event: object) -> None:
    from social_feed.services.stories import tell_story

    if in_bulk():
        return
    story = _writers[type(event)](event)
    if story is not None:
        tell_story(story, type(event).__name__)


def kept(values: Mapping[str, str | int | Amount | SubjectRef]) -> dict[str, Any]:
    """The values as they are stored: records by reference, money as amount and currency, everything else as text."""
    return {name: _kept(value) for name, value in values.items()}


def _kept(value: str | int | Amount | SubjectRef) -> Any:
    if isinstance(value, SubjectRef):
        return {"ref": str(value)}
    if isinstance(value, Amount):
        return {"amount": str(value.value), "currency": value.currency}
    return str(value)


def refs_in(values: Mapping[str, Any]) -> list[SubjectRef]:
    """The records that stored values name."""
    return [SubjectRef.parse(value["ref"]) for value in values.values() if isinstance(value, dict) and "ref" in value]
