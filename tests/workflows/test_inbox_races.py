"""Several people at one task at one time, and a task that goes away under the open form: one wins, the others are told, words are kept."""

import pytest

from portal.errors import Refused
from tests.workflows.test_exactness import live, start_order, together  # noqa: F401  the fixture of committed rows
from tests.workflows.test_tasks import task_of
from workflows import services
from workflows.models import HumanTask, ProcessInstance, TaskBatch


def refusals(results):
    wrong = [r for r in results if isinstance(r, Exception) and not isinstance(r, Refused)]
    assert not wrong, wrong
    return [isinstance(r, Refused) for r in results]


def test_one_takes_while_another_completes_and_a_third_hands_it_on(live):  # noqa: F811
    erin, mona, dan = live.erin, live.mona, live.dan
    for _round in range(4):
        instance = start_order(live)
        pk = task_of(instance).pk
        results = together(
            lambda pk=pk: services.claim_task(erin, pk),
            lambda pk=pk: services.complete_task(mona, pk, {"amount": 1}),
            lambda pk=pk: services.delegate_task(mona, pk, dan.user_id, "yours"),
        )
        refusals(results)
        task = HumanTask.objects.get(pk=pk)
        following = HumanTask.objects.filter(instance_id=instance, element_id="decide").count()
        if task.status == "done":
            assert following == 1 and task.done_by_id == mona.user_id and not isinstance(results[1], Refused)
        else:  # somebody took it first: it waits for one holder, and whoever completed was told
            assert following == 0 and task.assignee_id in (erin.user_id, dan.user_id) and isinstance(results[1], Refused)


def test_two_hand_one_task_to_different_people(live):  # noqa: F811
    pk = task_of(start_order(live)).pk
    results = together(
        lambda: services.delegate_task(live.mona, pk, live.dan.user_id), lambda: services.delegate_task(live.adam, pk, live.fiona.user_id)
    )
    refusals(results)
    assert HumanTask.objects.get(pk=pk).assignee_id in (live.dan.user_id, live.fiona.user_id)


def test_a_batch_against_single_acts_and_another_batch(live):  # noqa: F811
    tasks = [task_of(start_order(live)).pk for _n in range(6)]
    hers = services.choose_tasks(live.erin, "claim", tasks)
    his = services.choose_tasks(live.mona, "delegate", reversed(tasks))
    results = together(
        lambda: services.apply_batch(live.erin, hers),
        lambda: services.apply_batch(live.mona, his, user_id=live.dan.user_id),
        lambda: services.complete_task(live.mona, tasks[3], {"amount": 1}),
    )
    refusals(results)
    for batch in (hers, his):
        row = TaskBatch.objects.get(pk=batch)
        assert row.state == "done" and len(row.before) + len(row.refused) == 6
    for task in HumanTask.objects.filter(pk__in=tasks, status="open"):
        assert task.assignee_id in (live.erin.user_id, live.dan.user_id)


def test_one_set_is_applied_once(live):  # noqa: F811
    tasks = [task_of(start_order(live)).pk for _n in range(3)]
    batch = services.choose_tasks(live.erin, "claim", tasks)
    results = together(*[lambda: services.apply_batch(live.erin, batch)] * 3)
    assert sorted(refusals(results)) == [False, True, True]
    assert len(TaskBatch.objects.get(pk=batch).before) == 3


@pytest.mark.django_db
def test_a_task_whose_process_was_cancelled_under_the_open_form(client, cast, started):
    client.force_login(cast.users["erin@northwind.example"])
    address = f"/work/tasks/{task_of(started).pk}/?box=group"
    key = client.get(address).context["task"].form.key
    services.cancel_instance(cast.mona, started, "not needed")
    sent = client.post(address, {"amount": "12", "note": "my long words", "idempotency_key": key})
    page = sent.content.decode()
    assert sent.status_code == 409 and "needed any more" in page and "my long words" in page


@pytest.mark.django_db
def test_a_task_of_a_process_taken_to_a_new_version_under_the_open_form(client, cast, started):
    from tests.workflows.conftest import SYSTEM
    from tests.workflows.diagrams import ORDER

    client.force_login(cast.users["erin@northwind.example"])
    task = task_of(started)
    address = f"/work/tasks/{task.pk}/"
    key = client.get(address).context["task"].form.key
    newer = services.deploy(SYSTEM, ORDER.replace(b"Check the order", b"Check the new order"))
    services.migrate_instance(cast.adam, started, newer.definition_id, "the new way")
    sent = client.post(address, {"amount": "12", "note": "my long words", "idempotency_key": key})
    # The step is still there in the new version: it is done with what was typed, or the words say what became of it and keep it.
    if sent.status_code == 302:
        assert ProcessInstance.objects.get(pk=started).data["note"] == "my long words"
    else:
        assert sent.status_code == 409 and "my long words" in sent.content.decode()


@pytest.mark.django_db
def test_a_colleague_took_it_under_the_open_form(client, cast, started):
    client.force_login(cast.users["erin@northwind.example"])
    address = f"/work/tasks/{task_of(started).pk}/"
    services.claim_task(cast.mona, task_of(started).pk)
    sent = client.post(address, {"amount": "12", "note": "my long words"})
    page = sent.content.decode()
    assert sent.status_code == 409 and "A colleague has taken" in page and "my long words" in page
