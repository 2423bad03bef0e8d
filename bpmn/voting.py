"""How votes come to an outcome: all, any n of them, by weight, with vetoes; decided as soon as no further vote could change it.

Diagrams call it as `vote_state(approval, votes)`, in the completion condition of the step that asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["open", "approved", "rejected"]
APPROVE, REJECT = "approve", "reject"


@dataclass(frozen=True, slots=True)
class Voter:
    """One voice: a person, or a group of whom one speaks. Who holds a veto has to be heard before it is approved."""

    key: str
    weight: int = 1
    veto: bool = False


def outcome(voters: Iterable[Voter], needed: int, given: Mapping[str, str]) -> State:
    """Where a vote stands that needs approvals worth `needed`; `given`: voter's key → approve or reject, one word a voter.

    Open as long as any votes still to come could make a difference. Whoever isn't a voter isn't counted.
    """
    agreed = left = 0
    veto_left = False
    for voter in voters:
        match given.get(voter.key):
            case "approve":
                agreed += voter.weight
            case "reject":
                if voter.veto:
                    return "rejected"
            case _:
                left += voter.weight
                veto_left = veto_left or voter.veto
    if agreed + left < needed:
        return "rejected"
    return "approved" if agreed >= needed and not veto_left else "open"


def vote_state(approval: Mapping[str, Any], votes: Iterable[Mapping[str, Any]]) -> State:
    """The outcome as diagrams ask for it: `approval` as the step before the votes gives it, `votes` as the rounds left them."""
    voters = [Voter(one["voter"], one["weight"], one["veto"]) for one in approval["voters"]]
    given: dict[str, str] = {}
    for vote in votes:
        given.setdefault(vote["voter"]["voter"], vote["action"])
    return outcome(voters, approval["needed"], given)
