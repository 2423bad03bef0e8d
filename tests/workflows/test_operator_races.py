"""Two at one moment: operators beside each other, an operator beside the worker, a page that stood open meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal import jobs
from portal.errors import Refused
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, user
from tests.workflows.test_incidents import FAILING, WEATHER
from tests.workflows.test_operations import FIRST, stands_at
from tests.world import build_people
from workflows import services
from workflows.models import HistoryEvent, Incident, ProcessInstance
from workflows.services.incidents import retry_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(transactional_db):
    """People in a database that commits."""
    return build_people()


def together(*acts: Callable[[], object]) -> list[object]:
    """Run acts at one moment, each on a connection of its own; what each gave, or the Refused that it met."""
    gate, found = threading.Barrier(len(acts)), [None] * len(acts)

    def one(number: int, act: Callable[[], object]) -> None:
        try:
            gate.wait(30)
            found[number] = act()
        except Refused as refused:
            found[number] = refused
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return found


def test_two_cancel_and_one_is_told(live):
    services.deploy(SYSTEM, FIRST)
    pk = services.start_process(live.erin, "steps")
    found = together(*(lambda who=who: services.cancel_instance(who, pk, "enough") for who in (live.mona, live.adam)))
    assert sum(isinstance(one, Refused) for one in found) == 1
    assert assert_consistent(pk).status == "cancelled"


def test_two_move_and_it_stands_once(live):
    services.deploy(SYSTEM, FIRST)
    pk = services.start_process(live.erin, "steps")
    moves = [services.changes_for("move", "ask", target) for target in ("check", "send")]
    found = together(*(lambda move=move: services.change_instance(live.mona, pk, move, "why") for move in moves))
    assert sum(isinstance(one, Refused) for one in found) == 1 and len(stands_at(pk)) == 1
    assert HistoryEvent.objects.filter(instance_id=pk, kind="operation").count() == 1


def test_a_batch_beside_the_worker_does_each_step_once(live):
    services.deploy(SYSTEM, FAILING)
    WEATHER["error"] = ConnectionError()
    ids = [services.start_process(live.erin, "weather") for _ in range(6)]
    WEATHER["error"] = None
    Incident.objects.update(next_try=timezone.now())
    job = services.start_bulk(live.mona, services.Act("retry"), ids, "the line is back")
    together(lambda: jobs.run(job.pk), retry_due)
    jobs.run(job.pk)
    assert ProcessInstance.objects.filter(pk__in=ids, status="completed").count() == 6
    assert HistoryEvent.objects.filter(instance_id__in=ids, element_id="work", state="completed").count() == 6
    assert not Incident.objects.filter(resolved=None).exists()
    job.refresh_from_db()
    assert job.state == "done" and job.done == 6


def test_a_page_that_stood_open_says_what_happened_meanwhile(live):
    services.deploy(SYSTEM, FIRST)
    moved, ended = (services.start_process(live.erin, "steps") for _ in range(2))
    mona = Client()
    mona.force_login(live.users["mona@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    version = ProcessInstance.objects.get(pk=moved).version
    shorter = ENDS + user("question", name="Ask") + user("send", name="Send") + chain("start", "question", "send", "end")
    definition = services.deploy(SYSTEM, diagram("steps", shorter)).definition_id
    services.migrate_instance(live.adam, moved, definition, "the new one", {"ask": "question"})
    services.cancel_instance(live.adam, ended, "over")
    wish = {"kind": "move", "source": "ask", "target": "send", "reason": "why", "do": "1"}
    for pk in (moved, ended):
        page = mona.post(reverse("workflows:instance-change", args=[pk]), wish)
        assert page.status_code == 400 and "why" in page.text
    assert stands_at(moved) == ["question"]
    values = {"v_instance_id": "1", "version": version, "reason": "why", "do": "1"}
    page = mona.post(reverse("workflows:instance-data", args=[moved]), values)
    assert page.status_code == 422 and "moved on" in page.text
