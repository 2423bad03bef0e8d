"""The radar sees what would make a promise late, and mends exactly what was chosen."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from portal.audit import AuditEntry
from portal.errors import NotAllowed, Refused
from social_feed.models import Notification
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from workflows import services
from workflows.models import HumanTask, MessageBuffer, OutboxCall, ProcessInstance, Timer
from workflows.selectors.radar import KINDS, radar

WAITING = diagram(
    "waiting",
    ENDS + '<bpmn:intermediateCatchEvent id="later"><bpmn:timerEventDefinition><bpmn:timeDuration>PT1H</bpmn:timeDuration>'
    "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>" + chain("start", "later", "end"),
)


def seen(actor) -> dict[str, int]:
    return {group.kind: group.total for group in radar(actor)}


@pytest.fixture
def task(started):
    found = HumanTask.objects.get(instance_id=started, status="open")
    HumanTask.objects.filter(pk=found.pk).update(due=timezone.now() + timedelta(days=1))
    return found


def test_all_clear(cast, task):
    assert seen(cast.mona) == {}


def test_an_overdue_step_gets_a_new_date(cast, task):
    HumanTask.objects.filter(pk=task.pk).update(due=timezone.now() - timedelta(hours=1))
    assert seen(cast.mona) == {"overdue": 1} and seen(cast.erin) == {}
    later = timezone.now() + timedelta(days=3)
    with pytest.raises(NotAllowed):
        services.mend(cast.erin, "overdue", "due", [task.pk], "it is ill", due=later)
    for bad in ({"due": None}, {"due": timezone.now()}):
        with pytest.raises(Refused):
            services.mend(cast.mona, "overdue", "due", [task.pk], "why not", **bad)
    with pytest.raises(Refused):
        services.mend(cast.mona, "overdue", "due", [task.pk], " ", due=later)
    assert services.mend(cast.mona, "overdue", "due", [task.pk, 999], "the customer agreed", due=later).done == 1
    assert seen(cast.mona) == {}
    assert AuditEntry.objects.get(verb="task.due_changed").reason == "the customer agreed"
    assert services.mend(cast.mona, "overdue", "due", [task.pk], "again", due=later).done == 0  # no finding any more


def test_steps_that_nobody_can_do_are_handed_on(cast, task):
    HumanTask.objects.filter(pk=task.pk).update(role="night-watch")
    assert seen(cast.mona) == {"nobody": 1}
    services.mend(cast.mona, "nobody", "hand", [task.pk], "no watch tonight", user_id=cast.erin.user_id)
    assert seen(cast.mona) == {}
    today = timezone.localdate()
    services.plan_absence(cast.erin, today, today + timedelta(days=1), None)
    assert seen(cast.mona) == {"nobody": 1}


def test_steps_without_a_date(cast, task):
    HumanTask.objects.filter(pk=task.pk).update(due=None)
    assert seen(cast.mona) == {"undated": 1}


def test_a_late_timer_fires_once(cast, db):
    services.deploy(SYSTEM, WAITING)
    pk = services.start_process(SYSTEM, "waiting")
    timer = Timer.objects.get(instance_id=pk)
    Timer.objects.update(attempts=5, last_error="no line")
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        assert seen(cast.mona) == {"timer": 1}
        with pytest.raises(KeyError):
            services.mend(cast.mona, "nonsense", "fire", [timer.pk], "x")
        assert services.mend(cast.mona, "timer", "fire", [timer.pk], "the line is back").done == 1
        assert seen(cast.mona) == {}
    assert ProcessInstance.objects.get(pk=pk).status == "completed"


def test_calls_and_messages(cast, db):
    call = services.enqueue_call("mail", {"to": []}, idempotency_key="one")
    OutboxCall.objects.filter(pk=call.pk).update(next_try=timezone.now() - timedelta(minutes=5), lease="dead", attempts=4)
    services.correlate_message("nobody", {"n": 1})
    MessageBuffer.objects.update(received=timezone.now() - timedelta(minutes=5))
    assert seen(cast.mona) == {"call": 1, "message": 1}
    services.mend(cast.mona, "call", "send", [call.pk], "the line is back")
    call.refresh_from_db()
    assert (call.attempts, call.lease, call.idempotency_key) == (0, "", "one")
    services.mend(cast.mona, "message", "drop", list(MessageBuffer.objects.values_list("pk", flat=True)), "a test")
    assert seen(cast.mona) == {} and AuditEntry.objects.filter(verb="message.dropped").exists()


def test_a_process_without_a_next_step(cast, started):
    HumanTask.objects.all().delete()
    ProcessInstance.objects.filter(pk=started).update(active=[], started=timezone.now() - timedelta(hours=1))
    assert seen(cast.mona) == {"still": 1}


def test_the_page_shows_the_effect_before_it_acts(cast, task, client):
    HumanTask.objects.filter(pk=task.pk).update(due=timezone.now() - timedelta(hours=1))
    client.force_login(cast.users["mona@northwind.example"])
    assert b"Overdue steps" in client.get(reverse("workflows:radar")).content
    address = reverse("workflows:radar-mend", args=["overdue"])
    shown = client.post(address, {"fix": "due", "id": task.pk})
    assert shown.status_code == 200 and b"Exactly this one" in shown.content
    assert seen(cast.mona) == {"overdue": 1}
    wish = {"fix": "due", "id": task.pk, "apply": "yes", "due": "2020-01-01", "reason": "kept as typed"}
    again = client.post(address, wish)
    assert again.status_code == 422 and b"kept as typed" in again.content
    wish["due"] = (timezone.localdate() + timedelta(days=2)).isoformat()
    assert client.post(address, wish, follow=True).status_code == 200
    assert seen(cast.mona) == {}
    assert client.post(address, {"fix": "drop", "id": task.pk}).status_code == 302  # nothing to drop here
    client.force_login(cast.users["erin@northwind.example"])
    assert client.get(reverse("workflows:radar")).status_code in (403, 404)


def test_statements_do_not_grow_with_findings(cast, order, acme, client):
    def statements(number: int) -> int:
        for _turn in range(number):
            services.start_process(cast.erin, "order", customer_organisation_id=acme)
        HumanTask.objects.update(due=timezone.now() - timedelta(hours=1))
        with CaptureQueriesContext(connection) as caught:
            radar(cast.mona)
        return len(caught)

    assert statements(2) == statements(12) <= 3 * len(KINDS)


OUTSIDE = diagram(
    "outside",
    ENDS + user("theirs", name="Choose a date") + chain("start", "theirs", "end"),
    lanes=lane("Customer", "customer", "", "start", "theirs", "end"),
)


def test_an_outsiders_late_step_is_reminded_or_gets_more_time(cast, acme):
    services.deploy(SYSTEM, OUTSIDE)
    pk = services.start_process(cast.erin, "outside", customer_organisation_id=acme)
    task = HumanTask.objects.get(instance_id=pk)
    HumanTask.objects.filter(pk=task.pk).update(due=timezone.now() - timedelta(hours=1))
    group = next(one for one in radar(cast.mona) if one.kind == "outside")
    assert group.total == 1 and "hand" not in group.fixes and "Acme" in group.findings[0].words and "overdue" not in seen(cast.mona)
    told = Notification.objects.filter(user_id=cast.cara.user_id).count()
    assert services.mend(cast.mona, "outside", "remind", [task.pk], "a week over").done == 1
    assert Notification.objects.filter(user_id=cast.cara.user_id).count() == told + 1
    assert AuditEntry.objects.get(verb="task.reminded").reason == "a week over"
    assert services.mend(cast.mona, "outside", "remind", [task.pk], "and again").done == 1
    reminders = Notification.objects.filter(source__startswith=f"remind:{task.pk}:", user_id=cast.cara.user_id)
    assert (reminders.count(), reminders.filter(read=None).count()) == (2, 1), "the newest is the one to read"
    assert services.mend(cast.mona, "outside", "due", [task.pk], "they asked", due=timezone.now() + timedelta(days=2)).done == 1
    assert "outside" not in seen(cast.mona)
    services.complete_task(cast.cara, task.pk, {})
    assert not reminders.filter(read=None).exists(), "done is done"
