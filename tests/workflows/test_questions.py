"""Questions about a step: asked of anybody, answered once, with the clock standing still where the diagram says so."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from portal.errors import Conflict, NotAllowed, Refused
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from workflows import services
from workflows.errors import NotFound
from workflows.models import HistoryEvent, HumanTask, Question, ServiceClock
from workflows.selectors.questions import question, question_count, questions_about, questions_to
from workflows.services.calendars import save_calendar
from workflows.services.questions import answer_question, ask_question, withdraw_question

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WEEK = ["9:00–17:00"] * 5 + ["", ""]
ASKED = diagram(
    "asked",
    ENDS
    + user("check", 'tandem:due="1 working day" tandem:target="8 working hours" tandem:questionsPause="true"', "", "Check it")
    + user("send", 'tandem:due="PT24H"', "", "Send it")
    + chain("start", "check", "send", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "check", "send", "end"),
    attributes='tandem:target="2 working days"',
)


@pytest.fixture
def clock_hand():
    with time_machine.travel(MONDAY, tick=False) as hand:
        yield hand


@pytest.fixture
def office(clock_hand, cast, acme):
    ours = cast.organisations["Northwind Works (demo)"].pk
    save_calendar(cast.adam, ours, time_zone="UTC", country="", region="", hours=WEEK)
    services.deploy(SYSTEM, ASKED)
    services.start_process(cast.erin, "asked", customer_organisation_id=acme)
    return cast


def task():
    return HumanTask.objects.get(status="open")


def ask(office, who=None, text="Is it blue?"):
    who = who or office.dan
    return ask_question(office.erin, task().pk, who.user_id, str(who.audience), text)


def test_a_colleague_is_asked_and_answers(office):
    pk = ask(office)
    assert question_count(office.dan) == 1
    assert [one.text for one in questions_to(office.dan)] == ["Is it blue?"]
    answer_question(office.dan, pk, "It is green")
    [seen] = questions_about(office.erin, task().pk)
    assert (seen.answer, seen.to, seen.waits) == ("It is green", office.dan.name, False)
    assert question_count(office.dan) == 0
    assert list(HistoryEvent.objects.filter(kind="question").order_by("pk").values_list("state", flat=True)) == ["asked", "answered"]


def test_the_clock_and_the_due_date_wait_for_the_answer(office, clock_hand):
    assert task().due == MONDAY + timedelta(hours=8)
    clock_hand.move_to(MONDAY + timedelta(hours=2))
    first = ask(office)
    clock_hand.move_to(MONDAY + timedelta(hours=3))
    second = ask(office, office.fiona, "And the price?")
    assert task().due is None
    assert set(ServiceClock.objects.values_list("since", "used")) == {(None, timedelta(hours=2))}
    clock_hand.move_to(MONDAY + timedelta(hours=5))
    answer_question(office.dan, first, "Yes")
    assert task().due is None
    clock_hand.move_to(MONDAY + timedelta(days=1, hours=2))
    answer_question(office.fiona, second, "Cheap")
    assert task().due == datetime(2026, 3, 3, 17, tzinfo=UTC)  # eight working hours later than Monday at five
    assert ServiceClock.objects.get(element_id="check").breach_at == datetime(2026, 3, 3, 17, tzinfo=UTC)
    assert ServiceClock.objects.get(element_id="").since == MONDAY + timedelta(days=1, hours=2)


def test_a_question_of_a_plain_step_stops_nothing(office):
    services.complete_task(office.erin, task().pk, {})
    due = task().due
    pk = ask(office)
    assert task().due == due
    assert not Question.objects.get(pk=pk).pauses
    withdraw_question(office.erin, pk)
    assert task().due == due


def test_a_due_date_that_an_operator_set_meanwhile_stays(office, clock_hand):
    pk = ask(office)
    chosen = MONDAY + timedelta(days=9)
    services.mend(office.mona, "undated", "due", [task().pk], "later", due=chosen)
    HumanTask.objects.filter(pk=task().pk).update(due=chosen)
    clock_hand.move_to(MONDAY + timedelta(hours=1))
    answer_question(office.dan, pk, "Yes")
    assert task().due == chosen


def test_a_step_that_waits_for_an_answer_isnt_undated(office):
    from workflows.selectors.radar import rows_of

    assert not rows_of(office.mona, "undated").exists()
    pk = ask(office)
    assert not rows_of(office.mona, "undated").exists()
    HumanTask.objects.update(due=None)
    answer_question(office.dan, pk, "Yes")
    HumanTask.objects.update(due=None)
    assert rows_of(office.mona, "undated").exists()


def test_withdrawing_lets_the_clock_go_on(office, clock_hand):
    pk = ask(office)
    with pytest.raises(NotAllowed):
        withdraw_question(office.dan, pk)
    clock_hand.move_to(MONDAY + timedelta(hours=1))
    withdraw_question(office.erin, pk)
    withdraw_question(office.erin, pk)
    assert task().due == datetime(2026, 3, 3, 10, tzinfo=UTC)
    with pytest.raises(Conflict, match="withdrawn"):
        answer_question(office.dan, pk, "Blue")


def test_too_late_is_said_in_words(office):
    pk, other = ask(office), ask(office, office.fiona)
    answer_question(office.dan, pk, "Blue")
    with pytest.raises(Conflict, match="already"):
        answer_question(office.dan, pk, "No, red")
    with pytest.raises(Conflict, match="faster"):
        withdraw_question(office.erin, pk)
    services.complete_task(office.erin, task().pk, {})
    with pytest.raises(Conflict, match="done already"):
        answer_question(office.fiona, other, "Dear")
    assert questions_to(office.fiona) == []
    assert question(office.fiona, other).is_over


def test_who_may_ask_and_answer_whom(office):
    for text, field in (("", "text"), ("  ", "text"), ("x" * 4001, "text")):
        with pytest.raises(Refused) as caught:
            ask(office, text=text)
        assert caught.value.field == field
    for stranger in (office.bea, office.paul, office.erin):  # another customer, a partner who has no part in it, oneself
        with pytest.raises(Refused, match="Choose"):
            ask(office, stranger)
    with pytest.raises(NotFound):
        ask_question(office.fiona, task().pk, office.dan.user_id, "internal", "May I?")
    with pytest.raises(NotFound):
        ask_question(office.cara, task().pk, office.dan.user_id, "internal", "May I?")
    pk = ask(office)
    with pytest.raises(Refused) as caught:
        answer_question(office.dan, pk, " ")
    assert caught.value.field == "answer"
    for other in (office.fiona, office.cara, office.erin):
        with pytest.raises(NotFound):
            answer_question(other, pk, "Blue")


def test_a_substitute_answers_for_whoever_is_away(office):
    pk = ask(office)
    with pytest.raises(NotFound):
        answer_question(office.fiona, pk, "Let me guess")
    services.plan_absence(office.dan, MONDAY.date(), MONDAY.date() + timedelta(days=3), office.fiona.user_id)
    assert [one.is_mine for one in questions_to(office.fiona)] == [True] and question_count(office.fiona) == 1
    answer_question(office.fiona, pk, "It is green")
    line = HistoryEvent.objects.get(kind="question", state="answered")
    assert (line.actor_name, line.on_behalf_of) == (office.fiona.name, office.dan.name)
    assert question(office.erin, pk).by == f"{office.fiona.name} for {office.dan.name}"
    services.plan_absence(office.mona, MONDAY.date(), MONDAY.date() + timedelta(days=3), office.erin.user_id)
    own = ask(office, office.mona)
    assert question_count(office.erin) == 0, "nobody answers what they asked themselves"
    with pytest.raises(NotFound):
        answer_question(office.erin, own, "Because")


def test_the_customer_sees_the_question_and_nothing_else(office, client):
    from django.contrib.auth import get_user_model

    pk = ask(office, office.cara, "Which colour?")
    client.force_login(get_user_model().objects.get(email="cara@acme.example"), backend="django.contrib.auth.backends.ModelBackend")
    home = client.get(reverse("customer_cabinet:home")).content.decode()
    assert "Which colour?" in home
    address = reverse("customer_cabinet:question", args=[pk])
    page = client.get(address).content.decode()
    assert "Which colour?" in page and "Check it" not in page
    assert client.post(address, {"answer": " "}).status_code == 422
    assert client.post(address, {"answer": "Blue"}).status_code == 302
    again = client.post(address, {"answer": "Red"})
    assert again.status_code == 409 and b"Red" in again.content and b"first answer counts" in again.content
    assert [one.answer for one in questions_about(office.erin, task().pk)] == ["Blue"]
    client.force_login(get_user_model().objects.get(email="colin@acme.example"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address).status_code == 404


def test_the_pages_of_employees(office, client):
    from django.contrib.auth import get_user_model

    def sign_in(name):
        client.force_login(
            get_user_model().objects.get(email=f"{name}@northwind.example"), backend="django.contrib.auth.backends.ModelBackend"
        )

    sign_in("erin")
    about = task().pk
    page = reverse("workflows:task-ask", args=[about])
    assert b"stands still" in client.get(page).content
    wrong = client.post(page, {"to": "", "text": "Who knows?"})
    assert wrong.status_code == 422 and b"Who knows?" in wrong.content
    assert client.post(page, {"to": f"internal:{office.dan.user_id}", "text": "Who knows?"}).status_code == 302
    assert b"Who knows?" in client.get(reverse("workflows:task-questions", args=[about])).content
    assert b"a question is open" in client.get(reverse("workflows:task", args=[about])).content.lower()
    sign_in("dan")
    assert b"1 question waits" in client.get(reverse("workflows:questions-waiting")).content
    assert b"Who knows?" in client.get(reverse("workflows:questions")).content
    pk = Question.objects.get().pk
    assert client.get(reverse("workflows:task", args=[about])).status_code == 404  # being asked shows no task
    assert client.post(reverse("workflows:question", args=[pk]), {"answer": "I do"}).status_code == 302
    sign_in("erin")
    assert b"I do" in client.get(reverse("workflows:task-questions", args=[about])).content
    assert client.post(reverse("workflows:question-withdraw", args=[pk])).status_code == 302
    services.complete_task(office.erin, about, {})
    late = client.post(page, {"to": f"internal:{office.dan.user_id}", "text": "Still there?"})
    assert late.status_code == 409


def test_the_asked_person_is_told_and_then_the_one_who_asked(office):
    from social_feed.models import Notification

    pk = ask(office, office.cara)
    assert Notification.objects.get(source=f"question:{pk}").user_id == office.cara.user_id
    answer_question(office.cara, pk, "Blue")
    assert Notification.objects.get(source=f"answer:{pk}").user_id == office.erin.user_id
