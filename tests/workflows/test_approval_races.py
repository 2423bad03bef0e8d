"""Approvals when two things happen at one moment, on a real database."""

import pytest

from portal.errors import Refused
from portal.registry import SubjectRef
from tests.workflows.test_exactness import together
from tests.world import build_people
from workflows import packs, services
from workflows.approvals import start_approval
from workflows.models import Approval, DecisionLink, HumanTask, Incident, ProcessInstance
from workflows.services.links import token_of, use_link


@pytest.fixture
def live(transactional_db):
    """People and the shipped processes, committed."""
    cast = build_people()
    packs.deploy_shipped()
    cast.ref = SubjectRef("portal.organisation", cast.organisations["Acme Bikes (demo)"].pk)
    return cast


def tasks_of(instance_id):
    return {t.assignee_id: t.pk for t in HumanTask.objects.filter(instance_id=instance_id, status="open")}


def test_two_reach_the_quorum_at_one_moment(live):
    people = [live.mona, live.dan, live.fiona, live.dora]
    for _round in range(3):
        pk = start_approval(live.erin, live.ref, [p.user_id for p in people], mode="quorum", needed=2, text="?")
        tasks = tasks_of(pk)
        acts = [lambda p=p, t=tasks[p.user_id]: services.complete_task(p, t, {}, action="approve") for p in people[:3]]
        results = together(*acts)
        assert sorted(isinstance(r, Refused) for r in results) == [False, False, True], results
        row = Approval.objects.get(instance_id=pk)
        assert (row.state, row.sheet_id is not None) == ("approved", True)
        assert HumanTask.objects.filter(instance_id=pk, status="done").count() == 2
        assert ProcessInstance.objects.get(pk=pk).status == "completed" and not Incident.objects.exists()


def test_a_link_used_twice_at_once(live):
    start_approval(live.erin, live.ref, [live.mona.user_id, live.dan.user_id], text="?")
    link = DecisionLink.objects.get(user_id=live.mona.user_id)
    yes, no = token_of(link, "approve"), token_of(link, "reject")
    results = together(lambda: use_link(yes, ""), lambda: use_link(no, "never"), lambda: use_link(yes, "again"))
    assert sum(isinstance(r, Refused) for r in results) == 2, results
    assert all("has been used" in r.message for r in results if isinstance(r, Refused))
    assert HumanTask.objects.filter(status="done").count() == 1


def test_taken_back_while_the_last_one_decides(live):
    for _round in range(3):
        pk = start_approval(live.erin, live.ref, [live.mona.user_id], text="?")
        [task], row = tasks_of(pk).values(), Approval.objects.get(instance_id=pk)
        results = together(
            lambda t=task: services.complete_task(live.mona, t, {}, action="approve"),
            lambda r=row: services.withdraw_approval(live.erin, r.pk, "no more"),
        )
        assert sorted(isinstance(r, Refused) for r in results) == [False, True], results
        row.refresh_from_db()
        assert row.state == ("withdrawn" if isinstance(results[0], Refused) else "approved")
        assert ProcessInstance.objects.get(pk=pk).status == "completed"


def test_one_person_speaks_for_two_at_one_moment(live):
    from django.utils import timezone

    today = timezone.localdate()
    for away in (live.dan, live.fiona):
        services.plan_absence(away, today, today, live.mona.user_id)
    pk = start_approval(live.erin, live.ref, [live.dan.user_id, live.fiona.user_id], text="?")
    tasks = tasks_of(pk)
    results = together(*[lambda t=t: services.complete_task(live.mona, t, {}, action="approve") for t in tasks.values()])
    assert sorted(isinstance(r, Refused) for r in results) == [False, True], results
    assert Approval.objects.get(instance_id=pk).state == "open"
