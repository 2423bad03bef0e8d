"""Approving and rejecting from a letter: for one person, one task, one answer, once, and without signing in."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from portal.models import AuditEntry
from portal.registry import SubjectRef
from portal.services.people import remove_member
from social_feed.services.notifications import choose_notifications
from workflows import packs, services
from workflows.approvals import start_approval
from workflows.models import Approval, DecisionLink, HistoryEvent, HumanTask, OutboxCall
from workflows.services.links import token_of
from workflows.services.outbox import send_batch
from workflows.tasks import send_outbox  # noqa: F401  how letters leave


@pytest.fixture
def question(cast, acme):
    """Erin asks Mona and Dan."""
    packs.deploy_shipped()
    ref = SubjectRef("portal.organisation", acme)
    return start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id], text="Buy a van?", amount="9000")


@pytest.fixture
def browser():
    """Nobody signed in, and forms are checked as in a browser."""
    return Client(enforce_csrf_checks=True)


def link_of(person, action="approve"):
    return f"/decide/{token_of(DecisionLink.objects.get(user_id=person.user_id), action)}/"


def send(browser, address, **values):
    """Open the page and send its form."""
    page = browser.get(address)
    found = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.content)
    return browser.post(address, {**values, "csrfmiddlewaretoken": found[1].decode() if found else ""})


def task_for(person):
    return HumanTask.objects.get(assignee_id=person.user_id)


def test_the_letter_carries_both_answers_and_is_forgotten(cast, question):
    send_batch()
    letter = next(m for m in mail.outbox if m.to == [cast.mona.email])
    assert letter.subject == "Your decision is asked: Approval: Acme Bikes (demo)"
    for body in (letter.body, letter.alternatives[0][0]):
        found = re.findall(rf"{re.escape(settings.SITE_URL)}/decide/[^/\s\"]+/", body)
        assert len(set(found)) == 2 and "Buy a van?" in body
    assert not [call for call in OutboxCall.objects.filter(kind="mail") if "/decide/" in str(call.payload)]


def test_a_letter_is_a_choice(cast, question, acme):
    choose_notifications(cast.mona, {"approval": (True, False)})
    before = DecisionLink.objects.filter(user_id=cast.mona.user_id).count()
    start_approval(cast.erin, SubjectRef("portal.organisation", acme), [cast.mona.user_id], text="And a bus?")
    assert DecisionLink.objects.filter(user_id=cast.mona.user_id).count() == before


def test_opening_changes_nothing_sending_decides(cast, question, browser):
    address = link_of(cast.mona)
    for _scanner in range(3):
        page = browser.get(address)
        assert page.status_code == 200 and b"Approve this?" in page.content and b"Acme Bikes" in page.content
        assert browser.head(address).status_code == 405
    assert task_for(cast.mona).status == "open" and page["Cache-Control"].startswith("max-age=0")
    assert browser.post(address, {"reason": "x"}).status_code == 403  # not from the page
    answer = send(browser, address, reason="Good idea")
    assert answer.status_code == 200 and b"You have approved it" in answer.content
    done = task_for(cast.mona)
    assert (done.status, done.action, done.done_by_id) == ("done", "approve", cast.mona.user_id)
    assert HistoryEvent.objects.get(engine_id=done.engine_id, state="completed").reason == "Good idea"
    assert AuditEntry.objects.filter(verb="task.decided_by_mail", actor_id=cast.mona.user_id).count() == 1
    assert browser.get("/work/inbox/").status_code == 302  # it let nobody in


def test_it_works_once_for_either_answer(cast, question, browser):
    assert send(browser, link_of(cast.mona)).status_code == 200
    for action in ("approve", "reject"):
        for answer in (browser.get(link_of(cast.mona, action)), send(browser, link_of(cast.mona, action), reason="no")):
            assert answer.status_code == 409 or (answer.status_code == 403 and b"csrf" in answer.content.lower())
        assert b"This link has been used: You approved" in browser.get(link_of(cast.mona, action)).content
    assert Approval.objects.get().state == "open"


def test_a_rejection_needs_a_comment_and_keeps_the_link(cast, question, browser):
    answer = send(browser, link_of(cast.mona, "reject"), reason="   ")
    assert answer.status_code == 422 and task_for(cast.mona).status == "open"
    assert send(browser, link_of(cast.mona, "reject"), reason="Too dear").status_code == 200
    assert Approval.objects.get().state == "rejected"


def test_what_is_over_says_so(cast, question, browser):
    services.complete_task(cast.dan, task_for(cast.dan).pk, {}, action="approve")
    assert b"You have decided on this already: approved" in browser.get(link_of(cast.dan)).content
    services.withdraw_approval(cast.erin, Approval.objects.get().pk)
    assert b"Erin Employee has taken the question back" in browser.get(link_of(cast.mona)).content


def test_decided_by_others_meanwhile(cast, question, browser):
    services.complete_task(cast.dan, task_for(cast.dan).pk, {"reason": "never"}, action="reject")
    page = browser.get(link_of(cast.mona))
    assert page.status_code == 409 and b"decided meanwhile: rejected" in page.content


def test_an_old_link(cast, question, browser):
    DecisionLink.objects.update(expires=timezone.now() - timedelta(seconds=1))
    page = browser.get(link_of(cast.mona))
    assert page.status_code == 409 and b"too old" in page.content and task_for(cast.mona).status == "open"


def test_a_link_is_for_its_person_alone(cast, question, browser):
    browser.force_login(cast.users["dan@northwind.example"])
    page = browser.get(link_of(cast.mona))
    assert page.status_code == 403 and b"sent to somebody else" in page.content and b"Acme" not in page.content
    browser.force_login(cast.users["mona@northwind.example"])
    assert send(browser, link_of(cast.mona)).status_code == 200


def test_who_left_decides_no_more(cast, question, browser):
    remove_member(cast.adam, cast.mona.membership_id)
    assert b"no longer works here" in browser.get(link_of(cast.mona)).content


def test_handed_on_the_new_holder_gets_a_link_and_the_old_one_is_void(cast, question, browser):
    services.delegate_task(cast.mona, task_for(cast.mona).pk, cast.fiona.user_id, "yours")
    page = browser.get(link_of(cast.mona))
    assert page.status_code == 403 and b"A colleague has taken" in page.content
    assert send(browser, link_of(cast.fiona)).status_code == 200


def test_a_substitute_decides_in_the_others_name(cast, acme, browser):
    packs.deploy_shipped()
    today = timezone.localdate()
    services.plan_absence(cast.mona, today, today, cast.fiona.user_id)
    start_approval(cast.erin, SubjectRef("portal.organisation", acme), [cast.mona.user_id, cast.dan.user_id], text="Buy a van?")
    assert send(browser, link_of(cast.fiona)).status_code == 200
    assert task_for(cast.mona).done_for_name == "Mona Manager"


@pytest.mark.parametrize("change", [lambda t: t[:-2], lambda t: "x" + t, lambda t: "1:2:3", lambda t: t.replace(":", "/", 1)])
def test_a_changed_address_is_nobodys(cast, question, browser, change):
    token = link_of(cast.mona).removeprefix("/decide/").removesuffix("/")
    assert browser.get(f"/decide/{change(token)}/").status_code in (404, 301)
