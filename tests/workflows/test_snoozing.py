"""A snoozed task leaves one person's inbox until its time, and nobody else's."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from portal.errors import Refused
from workflows import selectors, services
from workflows.errors import NotFound
from workflows.models import HumanTask, TaskSnooze
from workflows.selectors.inbox import InboxFilter


@pytest.fixture
def task(started):
    return HumanTask.objects.get(instance_id=started, status="open")


def box(actor, name="todo"):
    return [row.id for row in selectors.tasks_for(actor, InboxFilter(box=name)).rows]


def test_it_leaves_ones_own_inbox_and_comes_back(cast, task):
    services.snooze_task(cast.erin, task.pk, timezone.now() + timedelta(days=1))
    assert box(cast.erin) == [] and box(cast.erin, "group") == [] and box(cast.erin, "snoozed") == [task.pk]
    assert selectors.waiting_count(cast.erin) == 0
    assert box(cast.mona) == [task.pk]
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert box(cast.erin) == [task.pk] and box(cast.erin, "snoozed") == []
    services.snooze_task(cast.erin, task.pk, None)
    assert box(cast.erin) == [task.pk]


def test_a_snoozed_task_can_be_done(cast, task):
    services.snooze_task(cast.erin, task.pk, timezone.now() + timedelta(days=1))
    services.complete_task(cast.erin, task.pk, {"amount": 5})
    assert box(cast.erin, "snoozed") == []


@pytest.mark.parametrize("days", [-1, 0, 400])
def test_times_that_cannot_be(cast, task, days):
    with pytest.raises(Refused):
        services.snooze_task(cast.erin, task.pk, timezone.now() + timedelta(days=days))
    assert not TaskSnooze.objects.exists()


def test_nobody_snoozes_what_they_do_not_see(cast, task):
    with pytest.raises(NotFound):
        services.snooze_task(cast.cara, task.pk, timezone.now() + timedelta(days=1))


def test_mornings_are_the_readers(cast):
    friday = datetime(2026, 3, 6, 15, tzinfo=UTC)
    woken = {way: services.when_to_wake(cast.erin, way, friday) for way in ("tomorrow", "monday", "week")}
    assert {way: (at.day, at.hour) for way, at in woken.items()} == {"tomorrow": (7, 8), "monday": (9, 8), "week": (13, 8)}
    with pytest.raises(Refused):
        services.when_to_wake(cast.erin, "someday")


def test_the_page_snoozes_and_wakes(cast, task, client):
    client.force_login(cast.users["erin@northwind.example"])
    address = reverse("workflows:task-snooze", args=[task.pk])
    page = reverse("workflows:task", args=[task.pk])
    assert b"It comes back" in client.post(address, {"until": "week"}, follow=True).content
    assert b"snoozed until" in client.get(page).content
    assert b"Snoozed" in client.get(reverse("workflows:inbox")).content
    assert b"in your inbox again" in client.post(address, {"until": "now"}, follow=True).content
    assert b"snoozed until" not in client.get(page).content
    assert client.post(address, {"until": "nonsense"}, follow=True).status_code == 200
    assert not TaskSnooze.objects.exists()
