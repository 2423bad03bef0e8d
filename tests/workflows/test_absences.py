"""Being away: whose tasks go where, for how long, who may decide, and what the history says."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.audit import AuditEntry
from portal.errors import NotAllowed, Refused
from portal.registry import SubjectRef
from workflows import packs, selectors, services
from workflows.access import doable_tasks
from workflows.approvals import start_approval
from workflows.models import Absence, HistoryEvent, HumanTask
from workflows.substitution import covered_by, substitutes_of


def today(days: int = 0):
    return timezone.localdate() + timedelta(days=days)


def away(cast, who, substitute, first=0, last=5, **more):
    return services.plan_absence(cast[who], today(first), today(last), cast[substitute].user_id if substitute else None, **more)


@pytest.fixture
def who(cast):
    return {name: getattr(cast, name) for name in ("erin", "dan", "mona", "fiona")}


@pytest.fixture
def erins(cast, started):
    """The first step, taken by Erin."""
    task = HumanTask.objects.get(instance_id=started, status="open")
    services.claim_task(cast.erin, task.pk)
    return task


def may_see(actor, task) -> bool:
    return doable_tasks(actor).filter(pk=task.pk).exists()


def test_the_substitute_does_it_and_the_history_says_for_whom(cast, who, erins):
    with pytest.raises(Refused):
        services.complete_task(cast.dan, erins.pk, {"amount": 5})
    away(who, "erin", "dan")
    assert may_see(cast.dan, erins) and may_see(cast.erin, erins)
    assert selectors.tasks_for(cast.dan).rows[0].stands_in_for == cast.erin.name
    services.complete_task(cast.dan, erins.pk, {"amount": 5})
    line = HistoryEvent.objects.get(element_id="check")
    assert (line.actor_name, line.on_behalf_of) == (cast.dan.name, cast.erin.name)
    assert AuditEntry.objects.get(verb="task.completed_for").on_behalf_of == cast.erin.name
    assert f"{cast.dan.name} for {cast.erin.name}" in [h.who for h in selectors.instance_detail(cast.mona, erins.instance_id).history]


def test_what_pages_keep_for_a_minute_is_not_trusted_by_acts(cast, who, erins):
    away(who, "erin", "dan")
    assert may_see(cast.dan, erins)
    Absence.objects.update(ends=timezone.now())  # as another process would, whose word hasn't come yet
    assert may_see(cast.dan, erins)
    with pytest.raises(NotAllowed):
        services.complete_task(cast.dan, erins.pk, {"amount": 5})


def test_only_from_the_first_day_to_the_last(cast, who, erins):
    away(who, "erin", "dan", 2, 3)
    for days, expected in ((0, False), (2, True), (3, True), (4, False)):
        with time_machine.travel(timezone.now() + timedelta(days=days), tick=False):
            assert may_see(cast.dan, erins) is expected, days


def test_of_one_process_alone(cast, who, erins, db):
    packs.deploy_shipped()
    away(who, "erin", "dan", process_key="approval")
    assert not may_see(cast.dan, erins)
    away(who, "erin", "mona", process_key="order")
    assert may_see(cast.mona, erins)


def test_a_substitute_who_is_away_passes_it_on(cast, who, erins):
    away(who, "erin", "dan")
    away(who, "dan", "fiona")
    assert may_see(cast.fiona, erins)
    services.complete_task(cast.fiona, erins.pk, {"amount": 5})
    assert HistoryEvent.objects.get(element_id="check").on_behalf_of == cast.erin.name


def test_a_circle_is_refused_in_words(cast, who):
    away(who, "erin", "dan")
    away(who, "dan", "fiona")
    with pytest.raises(Refused) as refused:
        away(who, "fiona", "erin")
    assert refused.value.field == "substitute" and "come back" in refused.value.message
    away(who, "fiona", "erin", 6, 7)  # other days are no circle


@pytest.mark.parametrize(
    ("first", "last", "field"), [(2, 1, "last"), (-9, -3, "last"), (0, 900, "last")], ids=["backwards", "over", "too long"]
)
def test_days_that_cannot_be(cast, who, first, last, field):
    with pytest.raises(Refused) as refused:
        away(who, "erin", "dan", first, last)
    assert refused.value.field == field
    assert not Absence.objects.exists()


def test_one_substitute_at_a_time(cast, who):
    away(who, "erin", "dan")
    with pytest.raises(Refused, match="already"):
        away(who, "erin", "mona", 3, 9)


def test_planned_twice_at_one_moment_is_one(transactional_db, who):
    """Two windows, one press each: one row, and the other is refused in words. Nor can two make a circle at once."""
    from tests.workflows.test_exactness import together

    results = together(*[lambda: away(who, "erin", "mona", 1, 5)] * 3)
    assert Absence.objects.count() == 1
    assert sum(isinstance(result, Refused) for result in results) == 2
    results = together(lambda: away(who, "dan", "fiona", 1, 5), lambda: away(who, "fiona", "dan", 1, 5))
    assert Absence.objects.count() == 2
    assert sum(isinstance(result, Refused) for result in results) == 1


def test_others_absences_are_a_managers(cast, who):
    with pytest.raises(NotAllowed):
        away(who, "erin", "mona", user_id=cast.dan.user_id)
    pk = away(who, "mona", "erin", user_id=cast.dan.user_id)
    with pytest.raises(NotAllowed):
        services.end_absence(cast.erin, pk)
    services.end_absence(cast.dan, pk)
    assert not Absence.objects.filter(ends__gt=timezone.now()).exists()


def test_one_person_decides_once_and_whoever_asks_never(cast, who):
    packs.deploy_shipped()
    ref = SubjectRef("portal.organisation", cast.organisations["Acme Bikes (demo)"].pk)
    start_approval(cast.mona, ref, [cast.erin.user_id, cast.dan.user_id], text="May we?")
    erin_task, dan_task = (HumanTask.objects.get(assignee_id=one.user_id) for one in (cast.erin, cast.dan))
    away(who, "erin", "dan")
    services.complete_task(cast.dan, dan_task.pk, {}, action="approve")
    with pytest.raises(NotAllowed, match="decides once"):
        services.complete_task(cast.dan, erin_task.pk, {}, action="approve")
    services.end_absence(cast.erin, Absence.objects.get().pk)
    away(who, "erin", "mona")
    with pytest.raises(NotAllowed, match="yourself"):
        services.complete_task(cast.mona, erin_task.pk, {}, action="approve")


def test_the_page_plans_keeps_what_was_typed_and_ends(cast, client):
    client.force_login(cast.users["erin@northwind.example"])
    page, wish = reverse("workflows:absences"), {"first": today().isoformat(), "last": today(3).isoformat(), "note": "Lisbon"}
    wrong = client.post(page, wish | {"last": today(-3).isoformat(), "substitute": cast.dan.user_id})
    assert wrong.status_code == 422 and b"Lisbon" in wrong.content
    assert client.post(page, wish | {"substitute": cast.dan.user_id}).status_code == 302
    assert b"Lisbon" in client.get(page).content
    assert b"You are away until" in client.get(reverse("workflows:inbox")).content
    client.force_login(cast.users["dan@northwind.example"])
    row = Absence.objects.get()
    client.post(reverse("workflows:absence-end", args=[row.pk]))
    assert Absence.objects.get().ends > timezone.now()
    client.force_login(cast.users["erin@northwind.example"])
    client.post(reverse("workflows:absence-end", args=[row.pk]))
    assert Absence.objects.get().ends <= timezone.now()


PEOPLE = st.integers(1, 5)
AWAY = st.lists(st.tuples(PEOPLE, PEOPLE, st.sampled_from(["", "a", "b"])).filter(lambda row: row[0] != row[1]), max_size=8)


@given(AWAY, PEOPLE, st.sampled_from(["a", "b"]))
def test_chains_end_and_agree_both_ways(away, person, key):
    """Whoever is a substitute covers that person; nobody covers themselves; circles end."""
    once = {(absent, k): (absent, s, k) for absent, s, k in away}  # one substitute a person and process
    plain = [row for row in once.values() if row[2] in ("", key) and not (row[2] == "" and (row[0], key) in once)]
    for substitute in substitutes_of(person, key, plain):
        assert any(absent == person and k in ("", key) for absent, k in covered_by(substitute, plain))
    assert person not in {absent for absent, _ in covered_by(person, plain)}
