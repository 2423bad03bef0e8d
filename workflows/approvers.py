"""From what a diagram, a decision table or a person says to the people who decide.

A list, or a text with commas between:

    "manager, role:finance veto, mona@northwind.example x2, user:12, everyone:sales"

`manager` is whom the one who asks answers to (`manager+1` that one's manager; who has none is answered for by the role Manager),
`role:…` one voice that anybody of the role may raise, `everyone:…` a voice for each of them. `veto` gives a veto, `x2` counts twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from portal.access import Audience
from portal.errors import Refused
from portal.numbers import whole_number
from portal.registry import registry
from portal.selectors import PersonView, employees, manager_of, people_with_role

MAX_VOTERS = 50
_ITEM = re.compile(r"^(?P<who>\S+?)(?P<marks>(\s+(veto|x\d{1,3}))*)$")


@dataclass(frozen=True, slots=True)
class Voter:
    """One voice: a person, or several of whom one speaks."""

    label: str
    people: tuple[int, ...]
    weight: int = 1
    veto: bool = False

    def as_item(self, number: int) -> dict[str, Any]:
        """The voice as the diagram's round has it: `voter` names it, `user` is the one person, `people` are several."""
        alone = self.people[0] if len(self.people) == 1 else None
        several = [] if alone else list(self.people)
        return {
            "voter": str(number), "label": self.label, "user": alone, "people": several, "weight": self.weight, "veto": self.veto,
        }  # fmt: skip


def voters_of(spec: Any, asked_by: int | None, excluded: Iterable[int] = ()) -> list[Voter]:
    """Who decides, each voice once; whoever is excluded (four eyes) is left out, and a person who is named twice speaks once.

    Raises Refused with words for what nobody could decide.
    """
    staff = {person.id: person for person in employees()}
    out = set(excluded)
    found: list[Voter] = []
    for item in _items(spec):
        for voter in _voters(item, staff, asked_by):
            people = tuple(p for p in voter.people if p not in out)
            if not people:
                raise Refused(_("Nobody is left to decide for “%(who)s”: whoever asks can't decide.") % {"who": voter.label}, "approvers")
            found.append(replace(voter, people=people))
    voters = _once_each(found, staff)
    if not voters or len(voters) > MAX_VOTERS:
        raise Refused(_("Choose one to %(n)d colleagues.") % {"n": MAX_VOTERS}, "approvers")
    return voters


def _items(spec: Any) -> list[str]:
    things = spec.split(",") if isinstance(spec, str) else spec if isinstance(spec, (list, tuple)) else [spec]
    return [str(thing).strip() for thing in things if thing not in (None, "") and str(thing).strip()]


def _voters(item: str, staff: dict[int, PersonView], asked_by: int | None) -> list[Voter]:
    read = _ITEM.match(item)
    if read is None:
        raise Refused(_("“%(item)s” doesn't say who decides: write a person, role:finance or manager.") % {"item": item}, "approvers")
    marks = read["marks"].split()
    veto, weight = "veto" in marks, next((int(m[1:]) for m in marks if m.startswith("x")), 1)
    if weight < 1:
        raise Refused(_("“%(item)s”: a vote counts at least once.") % {"item": item}, "approvers")
    return [replace(voter, weight=weight, veto=veto) for voter in _who(read["who"], staff, asked_by)]


def _who(who: str, staff: dict[int, PersonView], asked_by: int | None) -> list[Voter]:
    kind, _colon, name = who.partition(":")
    if kind in ("role", "everyone"):
        role = registry.roles.get(name)
        if role is None or role.audience != Audience.INTERNAL:
            raise Refused(_("There is no role “%(role)s” here.") % {"role": name}, "approvers")
        people = people_with_role(name, Audience.INTERNAL)
        if not people:
            raise Refused(_("Nobody has the role %(role)s.") % {"role": role.label}, "approvers")
        if kind == "everyone":
            return [Voter(person.name, (person.id,)) for person in people]
        return [Voter(str(role.label), tuple(person.id for person in people))]
    if kind == "manager" or kind.startswith("manager+"):
        return [_manager(kind, staff, asked_by)]
    key = name if kind == "user" else who
    person = (
        staff.get(number)
        if (number := whole_number(key)) is not None
        else next((p for p in staff.values() if p.email.lower() == key.lower()), None)
    )
    if person is None:
        raise Refused(_("“%(who)s” doesn't work here.") % {"who": who}, "approvers")
    return [Voter(person.name, (person.id,))]


def _manager(word: str, staff: dict[int, PersonView], asked_by: int | None) -> Voter:
    """The manager so many steps up; where nobody is named, anybody with the role Manager but whoever asks."""
    steps = whole_number(word.partition("+")[2]) or 0
    current = asked_by
    for _step in range(steps + 1):
        above = manager_of(current) if current else None
        if above is None or above not in staff:
            [voter] = _who("role:manager", staff, None)
            return replace(voter, people=tuple(p for p in voter.people if p != asked_by) or voter.people)
        current = above
    return Voter(staff[current].name, (current,))  # type: ignore[index]


def _once_each(voters: list[Voter], staff: dict[int, PersonView]) -> list[Voter]:
    """One person, one voice: the same person twice becomes one, and a group is spoken for by those who have no voice of their own."""
    while True:
        alone: dict[int, int] = {}  # person → place of the voice that is theirs alone
        merged: list[Voter] = []
        for voter in voters:
            if len(voter.people) == 1 and voter.people[0] in alone:
                place = alone[voter.people[0]]
                merged[place] = _merged(merged[place], voter)
                continue
            if len(voter.people) == 1:
                alone[voter.people[0]] = len(merged)
            merged.append(voter)
        narrowed = []
        for voter in merged:
            free = tuple(p for p in voter.people if p not in alone)
            if len(voter.people) == 1 or not alone.keys() & set(voter.people):
                narrowed.append(voter)
            else:  # all of them speak already: the group's voice is the first one's
                narrowed.append(replace(voter, people=free or voter.people[:1]))
        if narrowed == voters:
            return [_named(voter, staff) for voter in voters]
        voters = narrowed


def _merged(one: Voter, other: Voter) -> Voter:
    label = one.label if other.label in one.label.split(" · ") else f"{one.label} · {other.label}"
    return replace(one, label=label, weight=max(one.weight, other.weight), veto=one.veto or other.veto)


def _named(voter: Voter, staff: dict[int, PersonView]) -> Voter:
    """A group of one is said with the person's name."""
    if len(voter.people) != 1 or voter.people[0] not in staff:
        return voter
    name = staff[voter.people[0]].name
    return voter if name in voter.label else replace(voter, label=f"{name} ({voter.label})")


def rule_words(mode: str, needed: int, voters: list[dict[str, Any]]) -> str:
    """The rule in plain words: “2 of 3 have to approve. Finance can veto.”"""
    count = len(voters)
    total = sum(one["weight"] for one in voters)
    weighted = any(one["weight"] != 1 for one in voters)
    if count == 1:
        words = [_("%(who)s decides.") % {"who": voters[0]["label"]}]
    elif needed >= total and mode == "sequential":
        words = [_("One after another, all %(n)d have to approve.") % {"n": count}]
    elif needed >= total:
        words = [_("All %(n)d have to approve.") % {"n": count}]
    elif weighted:
        words = [_("Votes worth %(needed)d of %(total)d have to approve.") % {"needed": needed, "total": total}]
    else:
        words = [_("%(needed)d of %(n)d have to approve.") % {"needed": needed, "n": count}]
    if needed < total and mode == "sequential":
        words.append(_("They are asked one after another."))
    vetoes = [one["label"] for one in voters if one["veto"]] if needed < total else []
    if vetoes:
        words.append(_("%(who)s can veto.") % {"who": ", ".join(vetoes)})
    return " ".join(words)
