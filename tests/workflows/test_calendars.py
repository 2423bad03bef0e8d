"""Calendars as administrators set them, and due dates that count them."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from bpmn.calendars import working_time_between
from portal.errors import NotAllowed, Refused
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from workflows import services
from workflows.calendars import calendar_of, country_name, days_ahead, length_words
from workflows.models import BusinessCalendar, CalendarDay, HumanTask, Timer
from workflows.selectors.calendars import calendar_view, preview
from workflows.services.calendars import add_calendar_day, forget_calendar, hours_text, read_hours, remove_calendar_day, save_calendar

WEEK = ["9:00–17:00"] * 5 + ["", ""]
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


@pytest.fixture
def ours(cast):
    return cast.organisations["Northwind Works (demo)"].pk


def keep(cast, organisation, **changes):
    wish = {"time_zone": "UTC", "country": "", "region": "", "hours": WEEK, **changes}
    save_calendar(cast.adam, organisation, **wish)


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("9:00–17:00", ((540, 1020),)),
        ("9-17", ((540, 1020),)),
        ("14.30 - 18, 9:00-13:00", ((540, 780), (870, 1080))),
        ("0:00–24:00", ((0, 1440),)),
        ("", ()),
        ("  ", ()),
    ],
)
def test_hours_are_read_as_people_write_them(typed, hours):
    assert read_hours(typed) == hours
    assert read_hours(hours_text(hours)) == hours


@pytest.mark.parametrize("typed", ["nine to five", "9", "9:00–9:00", "17:00–9:00", "9:00–25:00", "9:60–10:00", "9–13, 12–17", ",", "9–17,"])
def test_what_are_no_hours(typed):
    with pytest.raises(Refused) as caught:
        read_hours(typed, "hours_3")
    assert caught.value.field == "hours_3"


def test_a_calendar_without_working_hours_is_refused(cast, ours):
    with pytest.raises(Refused, match="at least one weekday"):
        keep(cast, ours, hours=[""] * 7)
    assert not BusinessCalendar.objects.exists()


def test_what_cant_be_is_refused_with_its_field(cast, ours):
    for field, changes in (
        ("time_zone", {"time_zone": "Mars/Olympus"}),
        ("country", {"country": "XX"}),
        ("region", {"country": "DE", "region": "TX"}),
        ("region", {"region": "BY"}),
    ):
        with pytest.raises(Refused) as caught:
            keep(cast, ours, **changes)
        assert caught.value.field == field
    with pytest.raises(NotAllowed):
        save_calendar(cast.mona, ours, time_zone="UTC", country="", region="", hours=WEEK)
    with pytest.raises(Refused, match="Save the hours"):
        add_calendar_day(cast.adam, ours, date(2026, 3, 3), "A day")


def test_holidays_come_from_the_country_and_its_region(cast, ours):
    keep(cast, ours, country="DE", region="BY")
    epiphany = date(2027, 1, 6)
    assert not calendar_of().hours_on(epiphany)
    keep(cast, ours, country="DE", region="BE")
    assert calendar_of().hours_on(epiphany)
    add_calendar_day(cast.adam, ours, epiphany, "Inventory")
    assert not calendar_of().hours_on(epiphany)
    add_calendar_day(cast.adam, ours, epiphany, "Inventory in the morning", "9-12")
    assert calendar_of().hours_on(epiphany) == ((540, 720),)
    remove_calendar_day(cast.adam, ours, CalendarDay.objects.get().pk)
    assert calendar_of().hours_on(epiphany) == ((540, 1020),)


def test_others_go_by_ours_until_they_have_their_own(cast, ours, acme):
    keep(cast, ours, hours=["8-16"] * 5 + ["", ""])
    assert calendar_of(acme).hours[0] == ((480, 960),)
    keep(cast, acme, hours=["", *["10-12"] * 3, "", "", ""])
    assert calendar_of(acme).hours[1] == ((600, 720),)
    assert calendar_of().hours[1] == ((480, 960),)
    forget_calendar(cast.adam, acme)
    assert calendar_of(acme).hours[1] == ((480, 960),)
    with pytest.raises(Refused):
        forget_calendar(cast.adam, ours)


def test_reading_calendars_costs_nothing_once_they_are_known(cast, ours, django_assert_num_queries):
    keep(cast, ours)
    calendar_of()
    with django_assert_num_queries(0):
        working_time_between(MONDAY, MONDAY + timedelta(days=30), calendar_of(17))


def test_due_dates_and_deadlines_count_the_calendar_of_whose_step_it_is(cast, ours, acme):
    keep(cast, ours)
    keep(cast, acme, hours=["", *["9-17"] * 4, "", ""])
    late = (
        '<bpmn:boundaryEvent id="{0}_late" attachedToRef="{0}" cancelActivity="false"><bpmn:timerEventDefinition>'
        "<bpmn:timeDuration>2 working days</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
    )
    xml = diagram(
        "worked",
        ENDS
        + '<bpmn:parallelGateway id="fork"/><bpmn:endEvent id="over"/>'
        + user("we", 'tandem:due="1 working day"')
        + user("they", 'tandem:due="1 working day"')
        + late.format("we")
        + late.format("they")
        + chain("start", "fork", "we", "end")
        + chain("fork", "they", "end")
        + chain("we_late", "over")
        + chain("they_late", "over"),
        lanes=lane("Sales", "internal", "sales", "start", "fork", "we", "end", "over") + lane("Customer", "customer", "", "they"),
    )
    services.deploy(SYSTEM, xml)
    with time_machine.travel(datetime(2026, 2, 27, 12, 0, tzinfo=UTC), tick=False):  # a Friday
        services.start_process(SYSTEM, "worked", customer_organisation_id=acme)
    due = dict(HumanTask.objects.values_list("element_id", "due"))
    assert due == {"we": datetime(2026, 3, 2, 12, tzinfo=UTC), "they": datetime(2026, 3, 3, 12, tzinfo=UTC)}
    fires = dict(Timer.objects.values_list("element_id", "due"))
    assert fires == {"we_late": datetime(2026, 3, 3, 12, tzinfo=UTC), "they_late": datetime(2026, 3, 4, 12, tzinfo=UTC)}


def test_the_preview_says_what_it_means(cast, ours):
    keep(cast, ours, country="DE")
    with time_machine.travel(datetime(2026, 12, 23, 16, 0, tzinfo=UTC), tick=False):
        plain = calendar_view(cast.adam, ours).plain
        shown = preview(plain)
        assert dict(shown.due)["8 working hours"] == datetime(2026, 12, 24, 16, tzinfo=UTC)
        assert dict(shown.due)["2 working days"] == datetime(2026, 12, 28, 16, tzinfo=UTC)  # the 25th and 26th are off
        assert [one.day.isoformat() for one in days_ahead(plain)][:2] == ["2026-12-25", "2027-01-01"]  # the 26th is a Saturday anyway
        assert shown.day_words == "8 h"
    assert (length_words(timedelta(minutes=90)), country_name("DE"), country_name("??")) == ("1 h 30 min", "Germany", "??")


def test_the_pages(client, cast, ours, acme, django_assert_max_num_queries):
    from django.contrib.auth import get_user_model

    client.force_login(get_user_model().objects.get(email="adam@northwind.example"), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("workflows:calendars"))
    assert page.status_code == 200 and b"until you say otherwise" in page.content
    address = reverse("workflows:calendar", args=[ours])
    typed = {"time_zone": "Europe/Berlin", "country": "DE", "region": "BY", **{f"hours_{n}": text for n, text in enumerate(WEEK)}}
    wrong = client.post(address, {**typed, "hours_2": "morning"})
    assert wrong.status_code == 422 and b"time of work" in wrong.content and b'value="morning"' in wrong.content
    none = client.post(address, {"time_zone": "Europe/Berlin"})
    assert none.status_code == 422 and b"at least one weekday" in none.content
    seen = client.get(reverse("workflows:calendar-preview", args=[ours]), {**typed, "region": "TX"}, HTTP_HX_REQUEST="true")
    assert b"8 working hours" in seen.content and b"hx-swap-oob" in seen.content and b">BY<" in seen.content
    assert b"at least one weekday" in client.get(reverse("workflows:calendar-preview", args=[ours]), {"time_zone": "UTC"}).content
    assert client.post(address, typed).status_code == 302
    days = reverse("workflows:calendar-day-add", args=[ours])
    assert client.post(days, {"day": "2027-05-01"}).status_code == 422
    assert client.post(days, {"day": "2027-05-15", "day_name": "Fair", "day_hours": "9-13"}).status_code == 302
    page = client.get(address)
    assert b"Fair" in page.content and b"9:00" in page.content
    assert client.post(reverse("workflows:calendar-day-remove", args=[ours, CalendarDay.objects.get().pk])).status_code == 302
    assert not CalendarDay.objects.exists()
    assert client.get(reverse("workflows:calendars"), {"organisation": acme})["Location"] == reverse("workflows:calendar", args=[acme])
    assert b"goes by our calendar" in client.get(reverse("workflows:calendar", args=[acme])).content
    assert client.get(reverse("workflows:calendar", args=[987654])).status_code == 404
    client.force_login(get_user_model().objects.get(email="mona@northwind.example"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(address).status_code == 404
