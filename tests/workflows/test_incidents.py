"""A failing step tries again by itself, then one incident tells its owner why; one, a group or a batch is tried again by people."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal import jobs
from portal.errors import Refused
from portal.models import Job
from social_feed.models import Notification
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, service
from workflows import causes, selectors, services
from workflows.connector_registry import connector
from workflows.models import Incident, OutboxCall, ProcessInstance
from workflows.selectors.incidents import IncidentFilter
from workflows.services.incidents import MOST_TRIES
from workflows.services.timers import run_due

WEATHER: dict[str, Exception | None] = {"error": None}
FAILING = diagram("weather", ENDS + service("work", "tests.weather") + chain("start", "work", "end"))


@connector("tests.weather")
def weather(step) -> dict:
    """Fails as it is told to."""
    if WEATHER["error"] is not None:
        raise WEATHER["error"]
    return {}


@pytest.fixture
def failing(cast):
    """Starts an instance whose step fails with an error."""
    services.deploy(SYSTEM, FAILING)

    def start(error: Exception) -> int:
        WEATHER["error"] = error
        return services.start_process(cast.erin, "weather")

    yield start
    WEATHER["error"] = None


def told(cast) -> list[int]:
    return list(Notification.objects.filter(kind="incident", read=None).order_by("user_id").values_list("user_id", flat=True))


def test_it_tries_again_with_longer_and_longer_waits_then_tells_its_owner_once(cast, failing):
    pk = failing(TimeoutError("no answer from ada@example.org with token=abc123"))
    row = Incident.objects.get(instance_id=pk)
    assert "didn't answer in time" in row.message and "ada@" not in row.message and "abc123" not in row.message
    assert row.attempts == 1 and row.next_try and not told(cast) and ProcessInstance.objects.get(pk=pk).has_incident
    assert run_due() == 0
    waits, now = [], timezone.now()
    for attempt in range(2, MOST_TRIES + 1):
        waits.append(row.next_try - now)
        now = row.next_try + timedelta(milliseconds=1)
        with time_machine.travel(now, tick=False):
            assert run_due() == 1
        row.refresh_from_db()
        assert row.attempts == attempt and row.resolved is None
    assert waits == sorted(waits) and waits[-1] > 10 * waits[0]
    assert row.next_try is None and told(cast) == [cast.erin.user_id] and Incident.objects.count() == 1
    assert OutboxCall.objects.filter(kind="mail", payload__icontains="erin@northwind.example").count() == 1
    with time_machine.travel(now + timedelta(days=1)):
        run_due()
    assert Incident.objects.get().attempts == MOST_TRIES
    assert_consistent(pk)
    WEATHER["error"] = None
    assert services.retry_incident(cast.mona, row.pk, "the line is mended")
    assert ProcessInstance.objects.get(pk=pk).status == "completed" and told(cast) == []


def test_what_goes_well_at_another_try_troubles_nobody(cast, failing):
    pk = failing(ConnectionError())
    WEATHER["error"] = None
    services.suspend_instance(cast.mona, pk, "a look")
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert run_due() == 0
        services.resume_instance(cast.mona, pk, "go on")
        assert run_due() == 1
    row = Incident.objects.get()
    assert row.resolved and row.attempts == 2 and ProcessInstance.objects.get(pk=pk).status == "completed" and not told(cast)
    assert_consistent(pk)


def test_what_trying_again_cannot_mend_is_told_at_once(cast, failing):
    failing(Refused("The warehouse is closed."))
    row = Incident.objects.get()
    assert (row.message, row.next_try, row.trace) == ("The warehouse is closed.", None, "") and told(cast) == [cast.erin.user_id]


def test_a_trace_names_places_and_no_values(cast, failing):
    failing(ValueError("Ada Lovelace, +49 170 1234567, password: hunter2"))
    row = Incident.objects.get()
    assert "test_incidents.py" in row.trace and "ValueError" in row.trace and "Ada" not in row.trace
    assert "hunter2" not in row.message and "1234567" not in row.message
    shown = selectors.open_incidents(cast.mona)[0]
    assert shown.trace and not selectors.open_incidents(cast.erin)[0].trace
    page = Client()
    page.force_login(cast.users["mona@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    text = page.get(reverse("workflows:instance", args=[row.instance_id])).text
    assert "tried 1 of 5, again in" in text and "Where in the code" in text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.abc", "eyJ"),
        ("postgres://admin:s3cret@db.local/x", "s3cret"),
        ("https://pay.example/charge?card=4111111111111111", "4111"),
        ("IBAN 44 1234 5678 9012", "5678"),
        ("key sk_live_51HqLyjWDarjtT1zdp7dcABCDEF", "51HqLy"),
    ],
)
def test_secrets_are_hidden(text, hidden):
    assert hidden not in causes.redacted(text) and causes.redacted("12 chairs at 1,200.50") == "12 chairs at 1,200.50"


def test_a_group_is_tried_again_as_a_whole(cast, failing):
    ids = [failing(RuntimeError("the press is broken")) for _ in range(3)]
    other = failing(RuntimeError("no paper"))
    large, small = selectors.incident_groups(cast.mona, IncidentFilter())
    assert (large.count, large.trying, large.message, small.count) == (3, 3, "the press is broken", 1)
    assert selectors.incident_groups(cast.fiona, IncidentFilter()) == []
    mona = Client()
    mona.force_login(cast.users["mona@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    page = mona.get(reverse("workflows:incidents"), {"process": "weather", "cause": "no paper"}).text
    assert "no paper" in page and "the press" not in page
    url, group = reverse("workflows:bulk"), {"act": "retry", "failing": "yes", "everything": "yes", "process": "weather", "source": "work"}
    shown = mona.post(url, {**group, "cause": "the press is broken"}).text
    assert "these 3" in shown and f'name="ids" value="{",".join(map(str, ids))}"' in shown
    WEATHER["error"] = None
    mona.post(url, {"act": "retry", "source": "work", "ids": ",".join(map(str, ids)), "apply": "yes", "reason": "a new press"})
    job = Job.objects.latest("pk")
    jobs.run(job.pk)
    assert ProcessInstance.objects.filter(pk__in=ids, status="completed").count() == 3
    assert ProcessInstance.objects.get(pk=other).has_incident
    WEATHER["error"] = RuntimeError("still no paper")
    job = services.start_bulk(cast.mona, services.Act("retry"), [other, ids[0]], "paper came")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.failed == 2 and "still no paper" in job.result["refused"][str(other)]
