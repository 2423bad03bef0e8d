"""The outcome of a vote: right, decided as early as it is sure, and never changed by what comes after."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.scripts import evaluate
from bpmn.voting import Voter, outcome, vote_state

A, R = "approve", "reject"


def voters(*marks):
    """Voices 1, 2, …; a mark is a weight, negative for one with a veto."""
    return [Voter(str(n), abs(mark), mark < 0) for n, mark in enumerate(marks, 1)]


@pytest.mark.parametrize(
    ("marks", "needed", "given_", "state"),
    [
        ((1, 1), 2, {}, "open"),
        ((1, 1), 2, {"1": A}, "open"),
        ((1, 1), 2, {"1": A, "2": A}, "approved"),
        ((1, 1), 2, {"2": R}, "rejected"),
        ((1, 1, 1), 2, {"1": R}, "open"),
        ((1, 1, 1), 2, {"1": R, "2": A, "3": A}, "approved"),
        ((1, 1, 1), 2, {"1": R, "3": R}, "rejected"),
        ((1, 1, 1), 2, {"1": A, "2": A}, "approved"),  # the third isn't waited for
        ((1, 1, -1), 2, {"1": A, "2": A}, "open"),  # who can veto is
        ((1, 1, -1), 2, {"1": A, "2": A, "3": R}, "rejected"),
        ((1, 1, -1), 2, {"3": R}, "rejected"),
        ((1, 1, -1), 2, {"1": A, "3": A}, "approved"),
        ((2, 1, 1), 3, {"1": A, "2": A}, "approved"),
        ((2, 1, 1), 3, {"1": R}, "rejected"),  # two can't make three
        ((2, 1, 1), 3, {"2": A, "3": A}, "open"),
        ((1,), 1, {"1": A, "stranger": R}, "approved"),
    ],
)
def test_outcome(marks, needed, given_, state):
    assert outcome(voters(*marks), needed, given_) == state


MARKS = st.lists(st.integers(-4, 4).filter(bool), min_size=1, max_size=6)


@given(MARKS, st.data())
def test_sure_means_sure_and_open_means_open(marks, data):
    """Against the plain truth: every way in which those who are left could still vote."""
    people = voters(*marks)
    needed = data.draw(st.integers(1, sum(v.weight for v in people)))
    given_ = {v.key: word for v in people if (word := data.draw(st.sampled_from([A, R, ""])))}
    left = [v.key for v in people if v.key not in given_]

    def at_the_end(votes):
        vetoed = any(v.veto and votes[v.key] == R for v in people)
        return "rejected" if vetoed or sum(v.weight for v in people if votes[v.key] == A) < needed else "approved"

    possible = {at_the_end({**given_, **dict(zip(left, words, strict=True))}) for words in product([A, R], repeat=len(left))}
    assert outcome(people, needed, given_) == (possible.pop() if len(possible) == 1 else "open")


@given(MARKS, st.data())
def test_the_order_of_votes_changes_nothing(marks, data):
    people = voters(*marks)
    needed = data.draw(st.integers(1, sum(v.weight for v in people)))
    votes = [(v.key, data.draw(st.sampled_from([A, R]))) for v in people]
    shuffled = data.draw(st.permutations(votes))
    assert outcome(people, needed, dict(votes)) == outcome(people, needed, dict(shuffled)) != "open"


def test_diagrams_ask_for_it():
    approval = {"needed": 1, "voters": [{"voter": "1", "weight": 1, "veto": False}, {"voter": "2", "weight": 1, "veto": False}]}
    votes = [{"voter": approval["voters"][1], "action": A, "reason": ""}]
    assert vote_state(approval, votes) == "approved"
    assert evaluate("vote_state(approval, votes) != 'open'", {"approval": approval, "votes": votes}) is True
    twice = [{"voter": approval["voters"][0], "action": R}, {"voter": approval["voters"][0], "action": A}]
    assert vote_state(approval | {"needed": 2}, twice) == "rejected"  # the first word of a voice counts
