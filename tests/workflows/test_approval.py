"""The shipped approval: in turn, all at once, some are enough; whoever asks never decides."""

import pytest

from portal.errors import NotAllowed, Refused
from portal.models import AuditEntry
from portal.registry import SubjectRef
from tests.workflows.conftest import SYSTEM
from workflows import packs, services
from workflows.approvals import start_approval
from workflows.errors import FormRefused
from workflows.models import HumanTask, ProcessInstance


@pytest.fixture
def shipped(cast):
    packs.deploy_shipped()


@pytest.fixture
def ref(cast, acme):
    return SubjectRef("portal.organisation", acme)


def open_tasks(instance_id):
    return {t.assignee_id: t.pk for t in HumanTask.objects.filter(instance_id=instance_id, status="open")}


def status(instance_id):
    row = ProcessInstance.objects.get(pk=instance_id)
    return row.status, (row.data.get("decision") or {}).get("approved")


def test_all_at_once(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id], text="Buy a van?")
    tasks = open_tasks(pk)
    assert set(tasks) == {cast.mona.user_id, cast.dan.user_id}
    services.complete_task(cast.mona, tasks[cast.mona.user_id], {}, action="approve")
    assert status(pk) == ("running", None)
    services.complete_task(cast.dan, tasks[cast.dan.user_id], {"reason": "yes"}, action="approve")
    assert status(pk) == ("completed", True)
    assert AuditEntry.objects.filter(verb="approval.approved", subject_id=str(ref.id)).count() == 1


def test_one_rejection_ends_it(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id], text="Buy a van?")
    tasks = open_tasks(pk)
    with pytest.raises(FormRefused):
        services.complete_task(cast.mona, tasks[cast.mona.user_id], {}, action="reject")
    services.complete_task(cast.mona, tasks[cast.mona.user_id], {"reason": "too dear"}, action="reject")
    assert status(pk) == ("completed", False)
    assert HumanTask.objects.get(pk=tasks[cast.dan.user_id]).status == "gone"


def test_in_turn(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id], mode="sequential", text="Buy a van?")
    first = open_tasks(pk)
    assert set(first) == {cast.mona.user_id}
    services.complete_task(cast.mona, first[cast.mona.user_id], {}, action="approve")
    second = open_tasks(pk)
    assert set(second) == {cast.dan.user_id}
    services.complete_task(cast.dan, second[cast.dan.user_id], {}, action="approve")
    assert status(pk) == ("completed", True)


def test_some_are_enough(cast, shipped, ref):
    people = [cast.mona.user_id, cast.dan.user_id, cast.fiona.user_id]
    pk = start_approval(cast.erin, ref, people, mode="quorum", needed=2, text="Buy a van?")
    tasks = open_tasks(pk)
    services.complete_task(cast.mona, tasks[people[0]], {"reason": "no"}, action="reject")
    services.complete_task(cast.dan, tasks[people[1]], {}, action="approve")
    assert status(pk) == ("running", None)
    services.complete_task(cast.fiona, tasks[people[2]], {}, action="approve")
    assert status(pk) == ("completed", True)


def test_whoever_asks_never_decides(cast, shipped, ref):
    with pytest.raises(Refused, match="yourself"):
        start_approval(cast.mona, ref, [cast.mona.user_id, cast.dan.user_id], text="Buy a van?")
    pk = start_approval(cast.mona, ref, [cast.dan.user_id], text="Buy a van?")
    [task] = open_tasks(pk).values()
    with pytest.raises(Refused):
        services.delegate_task(cast.dan, task, cast.mona.user_id, "you decide")
    with pytest.raises(NotAllowed):
        services.complete_task(cast.mona, task, {}, action="approve")
    assert status(pk) == ("running", None)


def test_bad_questions(cast, shipped, ref):
    for people, mode, needed in (
        ([], "parallel", None),
        ([99999], "parallel", None),
        ([cast.dan.user_id], "quorum", 3),
        ([cast.dan.user_id], "x", None),
    ):
        with pytest.raises(Refused):
            start_approval(cast.erin, ref, people, mode=mode, needed=needed, text="?")
    with pytest.raises(NotAllowed):
        start_approval(cast.cara, ref, [cast.dan.user_id], text="?")
    with pytest.raises(NotAllowed):
        start_approval(SYSTEM, ref, [cast.dan.user_id], text="?")
