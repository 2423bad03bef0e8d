"""The pages on which operators change a running process: shown first, done with a reason, for those alone who may."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, user
from tests.workflows.test_operations import FIRST, stands_at
from workflows import services
from workflows.models import ProcessInstance


@pytest.fixture
def row(cast):
    """A process of three steps, started."""
    services.deploy(SYSTEM, FIRST)
    return services.start_process(cast.erin, "steps")


def signed_in(cast, email: str) -> Client:
    client = Client()
    client.force_login(cast.users[email], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_change_is_shown_then_done(cast, row):
    mona, url = signed_in(cast, "mona@northwind.example"), reverse("workflows:instance-change", args=[row])
    assert reverse("workflows:instance-change", args=[row]) in mona.get(reverse("workflows:instance", args=[row])).text
    page = mona.get(url)
    assert page.status_code == 200 and "Ask" in page.text and "Version" not in page.text
    wish = {"kind": "move", "source": "ask", "target": "send", "reason": "the customer <called>"}
    page = mona.post(url, wish)
    assert page.status_code == 200 and "It goes on at: Send" in page.text and stands_at(row) == ["ask"]
    assert mona.post(url, {**wish, "target": "", "do": "1"}).status_code == 400
    assert mona.post(url, {**wish, "reason": "", "do": "1"}).status_code == 400
    assert stands_at(row) == ["ask"]
    assert mona.post(url, {**wish, "do": "1"}).status_code == 302 and stands_at(row) == ["send"]
    assert "the customer &lt;called&gt;" in mona.get(reverse("workflows:instance", args=[row])).text


def test_another_version_asks_where_lost_steps_are(cast, row):
    body = ENDS + user("question", name="Ask") + user("send", name="Send") + chain("start", "question", "send", "end")
    version = services.deploy(SYSTEM, diagram("steps", body)).definition_id
    mona, url = signed_in(cast, "mona@northwind.example"), reverse("workflows:instance-change", args=[row])
    wish = {"kind": "version", "version": version, "reason": "the new one is better"}
    page = mona.post(url, wish)
    assert "Say where it goes on" in page.text and '<option value="question" selected' in page.text
    page = mona.post(url, {**wish, "map_ask": "question"})
    assert "This would happen" in page.text and stands_at(row) == ["ask"]
    assert mona.post(url, {**wish, "map_ask": "question", "do": "1"}).status_code == 302
    assert stands_at(row) == ["question"] and ProcessInstance.objects.get(pk=row).definition_id == version


def test_a_process_is_held_and_goes_on(cast, row):
    mona, url = signed_in(cast, "mona@northwind.example"), reverse("workflows:instance-hold", args=[row])
    mona.post(url, {"reason": ""})
    assert ProcessInstance.objects.get(pk=row).status == "running"
    mona.post(url, {"reason": "an audit"})
    page = mona.get(reverse("workflows:instance", args=[row])).text
    assert ProcessInstance.objects.get(pk=row).status == "suspended" and "Held" in page and "Let it go on" in page
    mona.post(url, {"reason": "over"})
    assert ProcessInstance.objects.get(pk=row).status == "running"


def test_others_find_nothing(cast, row):
    for email in ("erin@northwind.example", "cara@acme.example", "paul@pine.example"):
        client = signed_in(cast, email)
        for name in ("instance-change", "instance-hold"):
            assert client.post(reverse(f"workflows:{name}", args=[row]), {"reason": "x"}).status_code == 404
