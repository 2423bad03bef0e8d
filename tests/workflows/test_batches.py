"""Many tasks at once: exactly the chosen set, its effect first, and taken back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal import jobs
from portal.errors import Conflict, Refused
from portal.models import Job
from tests.workflows.test_inbox import ids
from tests.workflows.test_tasks import task_of
from workflows import services
from workflows.errors import NotFound
from workflows.models import HumanTask, TaskBatch
from workflows.services import batches


@pytest.fixture
def many(cast, order, acme):
    """Make so many orders that wait for sales."""

    def make(count):
        return [task_of(services.start_process(cast.mona, "order", customer_organisation_id=acme)) for _n in range(count)]

    return make


def holders(tasks):
    return [HumanTask.objects.get(pk=task.pk).assignee_id for task in tasks]


def test_the_preview_says_who_gets_what_and_why_not_and_the_act_does_just_that(cast, many):
    free, hers, gone, other = many(4)
    services.claim_task(cast.erin, hers.pk)
    services.complete_task(cast.erin, gone.pk, {"amount": 1})
    batch = services.choose_tasks(cast.erin, "claim", [free.pk, hers.pk, gone.pk, 10**9])
    effect = services.preview_batch(cast.erin, batch)
    assert [line.task_id for line in effect.changed] == [free.pk]
    assert {line.task_id: line.why for line in effect.refused} == {
        hers.pk: "It is yours already.",
        gone.pk: "It is done or no longer needed.",
    }
    assert services.apply_batch(cast.erin, batch) is None
    row = TaskBatch.objects.get(pk=batch)
    assert [line["id"] for line in row.before] == [free.pk] and {line[0] for line in row.refused} == {hers.pk, gone.pk}
    assert holders([free, other]) == [cast.erin.user_id, None]  # what wasn't chosen isn't touched
    with pytest.raises(Conflict):
        services.apply_batch(cast.erin, batch)


def test_undo_puts_back_what_nobody_has_touched_since(cast, many):
    one, two, three = many(3)
    services.claim_task(cast.erin, one.pk)
    batch = services.choose_tasks(cast.mona, "delegate", [one.pk, two.pk, three.pk])
    with pytest.raises(Refused):
        services.apply_batch(cast.mona, batch, user_id=cast.cara.user_id)
    services.apply_batch(cast.mona, batch, user_id=cast.dan.user_id, note="for today")
    assert holders([one, two, three]) == [cast.dan.user_id] * 3
    services.release_task(cast.dan, three.pk)
    services.undo_batch(cast.mona, batch)
    assert holders([one, two, three]) == [cast.erin.user_id, None, None]
    assert HumanTask.objects.get(pk=one.pk).note == ""
    [kept] = TaskBatch.objects.get(pk=batch).kept
    assert kept[0] == three.pk and "moved" in kept[2]
    with pytest.raises(Conflict):
        services.undo_batch(cast.mona, batch)


def test_snoozing_many_and_back(cast, many):
    tasks = many(2)
    batch = services.choose_tasks(cast.erin, "snooze", [task.pk for task in tasks])
    with pytest.raises(Refused):
        services.apply_batch(cast.erin, batch)
    services.apply_batch(cast.erin, batch, until=timezone.now() + timedelta(days=1))
    assert ids(cast.erin) == [] and len(ids(cast.erin, "snoozed")) == 2
    services.undo_batch(cast.erin, batch)
    assert len(ids(cast.erin)) == 2


@pytest.mark.django_db(transaction=True)
def test_many_are_a_job_that_goes_on_where_it_stopped(cast, many, monkeypatch):
    monkeypatch.setattr(batches, "AT_ONCE", 2)
    tasks = many(5)
    batch = services.choose_tasks(cast.erin, "claim", [task.pk for task in tasks])
    job = services.apply_batch(cast.erin, batch)
    services.complete_task(cast.erin, tasks[4].pk, {"amount": 1})
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.failed) == (Job.State.DONE, 5, 1)
    assert holders(tasks[:4]) == [cast.erin.user_id] * 4
    undo = services.undo_batch(cast.erin, batch)
    jobs.run(undo.pk)
    assert holders(tasks[:4]) == [None] * 4 and TaskBatch.objects.get(pk=batch).state == "undone"


def test_a_set_is_its_owners_alone(cast, client, many):
    batch = services.choose_tasks(cast.erin, "claim", [task.pk for task in many(1)])
    for act in (services.preview_batch, services.apply_batch, services.undo_batch):
        with pytest.raises(NotFound):
            act(cast.mona, batch)
    with pytest.raises(Refused):
        services.choose_tasks(cast.cara, "claim", [1])
    client.force_login(cast.users["mona@northwind.example"])
    assert client.get(f"/work/inbox/chosen/{batch}/").status_code == 404
    assert client.post(f"/work/inbox/chosen/{batch}/undo/").status_code == 404


def test_by_hand_from_the_list_to_undo(client, cast, many):
    client.force_login(cast.users["erin@northwind.example"])
    tasks = many(3)
    sent = client.post("/work/inbox/chosen/", {"act": "claim", "everything": "yes", "id": [tasks[0].pk], "view": "box=group"})
    page = client.get(sent["Location"]).content.decode()
    assert "3 chosen tasks" in page and "Take 3 tasks" in page
    sent = client.post(sent["Location"])
    assert sent["Location"].startswith("/work/inbox/?box=group&did=")
    page = client.get(sent["Location"]).content.decode()
    assert "3 tasks are yours now" in page and "Undo" in page
    number = sent["Location"].rpartition("=")[2]
    back = client.post(f"/work/inbox/chosen/{number}/undo/")
    assert "Taken back" in client.get(back["Location"]).content.decode() and holders(tasks) == [None] * 3


def test_bad_choices_are_said_in_words(client, cast, many):
    client.force_login(cast.users["erin@northwind.example"])
    [task] = many(1)
    for sent in ({}, {"act": "claim"}, {"act": "fly", "id": [task.pk]}, {"act": "claim", "id": ["x", "9" * 30]}):
        answer = client.post("/work/inbox/chosen/", sent, follow=True)
        assert "Choose" in answer.content.decode()
    sent = client.post("/work/inbox/chosen/", {"act": "delegate", "id": [task.pk]})
    wrong = client.post(sent["Location"], {"user_id": "x", "note": "typed words"})
    assert wrong.status_code == 400 and "Choose a colleague" in wrong.content.decode() and "typed words" in wrong.content.decode()
