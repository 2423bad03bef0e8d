"""What looks like a number and isn't: said as if nothing had been sent, and never an error of ours."""

from __future__ import annotations

import pytest
from django.test import Client

from portal.numbers import whole_number
from portal.registry import SubjectRef, registry
from workflows.models import HumanTask

pytestmark = pytest.mark.django_db
ODD = ["²", "٣", "9" * 5000, "9" * 19, "-1", "1.5", " 1", ""]
READ = [  # who reads it, address
    ("mona@northwind.example", "/work/inbox/?box=all&person={odd}"),
    ("mona@northwind.example", "/work/processes/running/?person={odd}&age={odd}&place=after_2026-01-01_{odd}"),
    ("adam@northwind.example", "/work/settings/calendars/?organisation={odd}"),
    ("mona@northwind.example", "/work/projects/?after={odd}"),
    ("mona@northwind.example", "/work/crm/deals/?owner={odd}"),
    ("mona@northwind.example", "/palette/?q=D-{odd}"),
    ("mona@northwind.example", "/palette/?q=R-{odd}"),
    ("adam@northwind.example", "/work/settings/people/?organisation={odd}"),
    ("adam@northwind.example", "/work/settings/audit/?q=crm.deal:{odd}"),
]
SENT = [  # who sends it, address, field
    ("mona@northwind.example", "/work/tasks/{task}/delegate/", "user_id"),
    ("mona@northwind.example", "/work/tasks/{task}/ask/", "to"),
    ("mona@northwind.example", "/work/tasks/{outside}/told/", "told_by"),
    ("mona@northwind.example", "/work/crm/deals/assign/", "id"),
    ("mona@northwind.example", "/work/inbox/chosen/", "id"),
    ("cara@acme.example", "/switch/", "membership"),
]


def window(world, email: str) -> Client:
    client = Client()
    client.force_login(world.users[email], backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize(("text", "number"), [("7", 7), ("007", 7), ("9" * 18, int("9" * 18)), *((odd, None) for odd in ODD), (7, None)])
def test_whole_numbers(text, number):
    assert whole_number(text) == number


def test_addresses_with_odd_numbers(world):
    for email, address in READ:
        client = window(world, email)
        for odd in ODD:
            assert client.get(address.format(odd=odd)).status_code in (200, 302), address


def test_forms_with_odd_numbers(world):
    task = HumanTask.objects.filter(status="open", audience="internal").first()
    outside = HumanTask.objects.filter(status="open", audience="customer").first()
    for email, address, name in SENT:
        client, path = window(world, email), address.format(task=task.pk, outside=outside.pk)
        for odd in ODD:
            assert client.post(path, {name: odd}).status_code in (200, 302, 400, 409, 422), path


def test_topics_and_references_with_odd_numbers(people):
    for odd in ODD:
        for kind in (*registry.topics, *(f"inbox:{whose}" for whose in ("user", "customer", "partner"))):
            assert registry.may_follow(people.erin, f"{kind}:{odd}") in (True, False)
        with pytest.raises(ValueError):
            SubjectRef.parse(f"crm.deal:{odd}")
