"""Support cases: from the customer's words over answers and questions to their rating, and opened again; nobody else sees them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bpmn.calendars import working_time_between
from crm import selectors, services
from crm.models import Case
from crm.services import NewCase
from crm.services.cases import answer_by
from portal.access import Audience
from portal.demo import OWN
from portal.errors import Conflict, NotAllowed, Refused
from portal.registry import SubjectRef
from social_feed.selectors.messages import messages_for
from social_feed.services.messages import post_message
from workflows.calendars import calendar_of
from workflows.models import ProcessInstance
from workflows.packs import deploy_shipped
from workflows.selectors import open_tasks_for, road_for
from workflows.services import cancel_instance, complete_task
from workflows.services.calendars import save_calendar

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(people):
    deploy_shipped()
    return people


def opened(desk, **values) -> Case:
    given = {"title": "The oven stops", "description": "E7 on the display", "severity": "critical"} | values
    return services.open_case(desk.cara, NewCase(**given))


def do(actor, case: Case, element_id: str, action: str = "", **values):
    """Do a step as its page would."""
    task = next(t for t in open_tasks_for(actor, SubjectRef("crm.case", case.pk)) if t.element_id == element_id)
    complete_task(actor, task.id, values, action=action)
    case.refresh_from_db()


def words_on(actor, case: Case) -> list[str]:
    return [message.body for message in messages_for(actor, SubjectRef("crm.case", case.pk))]


def test_a_case_goes_from_trouble_to_rating(desk):
    case = opened(desk)
    assert abs(working_time_between(case.created_at, case.answer_by, calendar_of()) - timedelta(hours=4)) < timedelta(seconds=1)
    [task] = open_tasks_for(desk.dan, SubjectRef("crm.case", case.pk))
    assert abs(task.due - case.answer_by) < timedelta(seconds=1)

    do(desk.dan, case, "answer_case", "ask", words="Which oven is it?", severity="high")
    assert (case.state, case.severity, case.answered_by_name) == ("waiting", "high", desk.dan.name)
    assert words_on(desk.cara, case) == ["Which oven is it?"]
    do(desk.colin, case, "answer_question", words="The left one.")
    assert case.state == "open" and "The left one." in words_on(desk.dan, case)
    do(desk.dan, case, "answer_case", "solve", words="The fan was stuck. It runs again.", severity="high")
    assert case.state == "solved"
    do(desk.cara, case, "confirm_case", "again", reason="It stopped again at noon.")
    assert (case.state, case.reopened) == ("open", 1)
    do(desk.dan, case, "answer_case", "solve", words="We put in a new fan.", severity="high")
    do(desk.cara, case, "confirm_case", "solved", rating="4", rating_words="Quick the second time.")
    assert (case.state, case.rating, case.rating_words) == ("closed", 4, "Quick the second time.")
    assert ProcessInstance.objects.get(pk=case.instance_id).status == "completed"


def test_a_promise_counts_our_working_time(desk, people):
    """Told on a Friday evening before a holiday: the clock begins on Tuesday morning, and the words say what is counted."""
    adam = people.actor("adam@northwind.example")
    ours = people.organisations[OWN].pk
    save_calendar(adam, ours, time_zone="Europe/Berlin", country="DE", region="", hours=["9:00–17:00"] * 5 + ["", ""])
    friday = datetime(2026, 4, 3, 18, 0, tzinfo=ZoneInfo("Europe/Berlin"))  # Good Friday; Easter Monday follows
    promised = {severity: answer_by(severity, friday).astimezone(friday.tzinfo) for severity in ("critical", "high", "normal")}
    assert {severity: f"{day:%a %d %H:%M}" for severity, day in promised.items()} == {
        "critical": "Tue 07 13:00",
        "high": "Tue 07 17:00",
        "normal": "Thu 09 17:00",
    }
    case = opened(desk, severity="high")
    shown = selectors.case_view(desk.cara, case.pk)
    assert (shown.promise, shown.is_late, shown.state_label) == ("within 1 working day", False, "In work")
    assert selectors.case_choices()[1][0] == ("critical", "Work stands still: we answer within 4 working hours")
    Case.objects.filter(pk=case.pk).update(answer_by=timezone.now() - timedelta(minutes=1))
    assert selectors.case_view(desk.cara, case.pk).is_late


def test_the_customer_reads_plain_steps_and_no_notes(desk):
    case = opened(desk)
    ref = SubjectRef("crm.case", case.pk)
    post_message(desk.dan, ref, Audience.INTERNAL, "They never clean it.")
    road = road_for(desk.cara, ref)
    assert [step.label for step in road.now] == ["We look into it"]
    assert "Answer the case" not in [step.label for step in road.steps]
    assert words_on(desk.cara, case) == [] and words_on(desk.dan, case) == ["They never clean it."]
    assert "internal" not in str(selectors.case_view(desk.cara, case.pk)).lower()


def test_a_closed_case_is_opened_again_for_a_while(desk):
    case = opened(desk)
    do(desk.dan, case, "answer_case", "solve", words="Done.", severity="critical")
    do(desk.cara, case, "confirm_case", "solved", rating="5")
    first = case.instance_id
    with pytest.raises(Refused):
        services.reopen_case(desk.cara, case.pk, "  ")
    services.reopen_case(desk.cara, case.pk, "It stopped again.")
    case.refresh_from_db()
    assert (case.state, case.reopened) == ("open", 1) and case.instance_id != first
    assert [task.element_id for task in open_tasks_for(desk.dan, SubjectRef("crm.case", case.pk))] == ["answer_case"]
    with pytest.raises(Conflict):
        services.reopen_case(desk.cara, case.pk, "And again.")
    do(desk.dan, case, "answer_case", "solve", words="Done.", severity="critical")
    do(desk.cara, case, "confirm_case", "solved")
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(days=31))
    with pytest.raises(Conflict):
        services.reopen_case(desk.cara, case.pk, "Too late.")
    assert not selectors.case_view(desk.cara, case.pk).may_reopen


def test_a_case_is_nobody_elses(desk):
    case = opened(desk)
    for other in (desk.bea, desk.paul):
        assert selectors.case_view(other, case.pk) is None
        assert selectors.cases_for(other) == []
        with pytest.raises(Refused):
            services.reopen_case(other, case.pk, "Mine.")
    with pytest.raises(NotAllowed):
        services.open_case(desk.erin, NewCase("Title", "Words"))


@pytest.mark.parametrize(
    "wrong", [{"title": " "}, {"description": ""}, {"severity": "deadly"}, {"category": "'; drop table"}, {"severity": ""}]
)
def test_a_case_without_words_or_with_made_up_choices_is_refused(desk, wrong):
    with pytest.raises(Refused):
        opened(desk, **wrong)
    assert not Case.objects.exists()


def test_sending_twice_is_once(desk):
    assert opened(desk, key="k").pk == opened(desk, key="k").pk
    assert Case.objects.count() == ProcessInstance.objects.filter(key="support_case").count() == 1


def test_a_cancelled_process_closes_its_case(desk):
    case = opened(desk)
    cancel_instance(desk.adam, case.instance_id, reason="A test")
    case.refresh_from_db()
    assert case.state == "closed"


def window(world, email: str) -> Client:
    client = Client()
    client.force_login(world.users[email], backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_pages_of_both_sides(desk, django_assert_max_num_queries):
    cara, dan = window(desk, "cara@acme.example"), window(desk, "dan@northwind.example")
    assert "Open a case" in cara.get(reverse("customer_cabinet:cases")).content.decode()
    form = cara.get(reverse("customer_cabinet:case-new")).content.decode()
    assert all(f'name="{name}"' in form for name in ("title", "description", "category", "severity", "files"))
    refused = cara.post(reverse("customer_cabinet:case-new"), {"title": "Kept", "description": "", "category": "fault", "severity": "high"})
    assert refused.status_code == 400 and 'value="Kept"' in refused.content.decode()
    answer = cara.post(
        reverse("customer_cabinet:case-new"), {"title": "Oven", "description": "Dark", "category": "fault", "severity": "high"}
    )
    case = Case.objects.get()
    assert answer["Location"] == f"/cabinet/cases/{case.pk}/"
    assert "We answer by" in cara.get(answer["Location"]).content.decode()
    assert window(desk, "bea@birch.example").get(answer["Location"]).status_code == 404
    assert "Oven" in dan.get("/work/crm/cases/?severity=high&promise=kept").content.decode()
    assert "Oven" not in dan.get("/work/crm/cases/?promise=late").content.decode()
    assert "Dark" in dan.get(f"/work/crm/cases/{case.pk}/").content.decode()
    reopened = cara.post(reverse("customer_cabinet:case-reopen", args=[case.pk]), {"reason": "Kept words"})
    assert reopened.status_code == 400 and "open already" in reopened.content.decode()
    for number in range(15):
        opened(desk, title=f"Case {number}")
    with django_assert_max_num_queries(30):
        cara.get(reverse("customer_cabinet:cases"))
    with django_assert_max_num_queries(40):
        dan.get("/work/crm/cases/")


def test_the_demos_cases_stand_at_different_steps(desk):
    from crm.demo import seed_cases

    seed_cases(desk)
    assert sorted(Case.objects.values_list("state", flat=True)) == ["open", "solved", "waiting"]
