"""Appointments: offered, chosen, moved and cancelled by either side, with letters for calendars; nobody gets an hour twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from crm import stories
from crm.appointments import selectors as read
from crm.appointments import services
from crm.appointments.services import Offer
from crm.appointments.times import free_times, proposals
from crm.models import Account, Appointment, Deal
from crm.selectors.timeline import timeline
from crm.tasks import remind_of_appointments
from portal.access import Actor
from portal.audit import entries_for
from portal.errors import Conflict, NotAllowed, Refused
from portal.registry import SubjectRef
from social_feed.models import Notification, Post
from tests.crm.conftest import ask, ref_of
from tests.workflows.test_exactness import live, together  # noqa: F401  the fixture of committed rows
from workflows.models import Absence, OutboxCall
from workflows.tasks import send_outbox

pytestmark = pytest.mark.django_db


def at(days: int, hour: int = 10) -> datetime:
    """A working hour of a day to come: the next weekday that many days ahead."""
    moment = timezone.now().replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
    while moment.weekday() > 4:
        moment += timedelta(days=1)
    return moment


def days(*numbers: int) -> tuple[datetime, ...]:
    """Different working days."""
    found: list[datetime] = []
    for number in numbers:
        moment = at(number)
        while moment in found:
            moment = at((moment - timezone.now()).days + 2)
        found.append(moment)
    return tuple(found)


SLOTS = (7, 8, 9)


def offered(shop, request=None, **values) -> Appointment:
    request = request or ask(shop.cara, shop.rows["planning"])
    data = {"title": "Look at the hall", "minutes": 60, "place": "Your hall", "slots": days(*SLOTS)} | values
    return services.offer_appointment(shop.erin, ref_of(request), Offer(**data))


def letters() -> list[dict]:
    return [call.payload for call in OutboxCall.objects.filter(kind="mail").order_by("pk")]


def entries() -> list[tuple[str, Calendar]]:
    return [(letter["to"][0], Calendar.from_ical(one["content"])) for letter in letters() for one in letter.get("attachments", ())]


def test_offered_chosen_moved_cancelled_with_one_entry_for_the_calendar(shop):
    row = offered(shop)
    assert {n.user_id for n in Notification.objects.filter(kind="appointment")} == {shop.cara.user_id, shop.colin.user_id, shop.ann.user_id}
    assert not entries()  # nothing is agreed yet
    [first, second, third] = days(*SLOTS)
    services.book_appointment(shop.colin, row.pk, second)
    assert sorted(who for who, _entry in entries()) == ["colin@acme.example", "erin@northwind.example"]
    services.move_appointment(shop.erin, row.pk, third, "The lift is being repaired.")
    services.cancel_appointment(shop.colin, row.pk, "The hall is sold.")
    row.refresh_from_db()
    assert (row.state, row.sequence, row.booked_by_name) == ("cancelled", 2, shop.colin.name)
    his = [entry for who, entry in entries() if who == "colin@acme.example"]
    assert [str(entry["METHOD"]) for entry in his] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [next(iter(entry.walk("VEVENT"))) for entry in his]
    assert {str(event["UID"]) for event in events} == {row.uid}
    assert [int(event["SEQUENCE"]) for event in events] == [0, 1, 2]
    assert [event.decoded("DTSTART") for event in events] == [second, third, third]
    assert "erin@northwind.example" in str(events[0]["ORGANIZER"]) and str(events[0]["LOCATION"]) == "Your hall"
    verbs = [entry.verb for entry in entries_for(services.ref_of(row.pk))]
    assert verbs == ["appointment.cancelled", "appointment.moved", "appointment.booked", "appointment.offered"]


def test_the_letter_really_carries_the_entry(shop, django_capture_on_commit_callbacks):
    row = offered(shop)
    services.book_appointment(shop.cara, row.pk, days(*SLOTS)[0])
    send_outbox()
    letter = next(one for one in mail.outbox if one.to == ["cara@acme.example"] and one.attachments)
    assert any(part.get_content_type() == "text/calendar" and part.get_param("method") == "REQUEST" for part in letter.message().walk())


def test_what_can_t_be_offered_is_refused_at_its_field(shop):
    now = timezone.now()
    wrong = [
        ({"title": " "}, "title"),
        ({"minutes": 0}, "minutes"),
        ({"slots": days(7)}, "slots"),
        ({"slots": (at(7), at(7))}, "slots"),
        ({"slots": (now - timedelta(hours=1), at(7))}, "slots"),
        ({"slots": (at(7), now + timedelta(days=400))}, "slots"),
        ({"slots": (), "first_day": now.date(), "last_day": None}, "last_day"),
        ({"slots": (), "first_day": now.date() - timedelta(days=9), "last_day": now.date() - timedelta(days=8)}, "first_day"),
        ({"host_id": shop.cara.user_id}, "host"),
    ]
    request = ask(shop.cara, shop.rows["planning"])
    for values, field in wrong:
        with pytest.raises(Refused) as refused:
            offered(shop, request, **values)
        assert refused.value.field == field, values
    with pytest.raises(NotAllowed):
        services.offer_appointment(shop.cara, ref_of(request), Offer("x", slots=days(*SLOTS)))
    assert not Appointment.objects.exists()
    deal = Deal.objects.create(title="By hand", account=Account.objects.create(name="No cabinet"))
    with pytest.raises(Refused, match="doesn't use the cabinet"):
        services.offer_appointment(shop.erin, SubjectRef("crm.deal", deal.pk), Offer("x", slots=days(*SLOTS)))
    first = offered(shop, request, key="twice")
    assert offered(shop, request, key="twice").pk == first.pk


def test_absences_and_what_is_agreed_are_not_offered(shop):
    start = at(7)
    Absence.objects.create(user_id=shop.erin.user_id, starts=start - timedelta(hours=3), ends=start + timedelta(days=1))
    with pytest.raises(Refused, match="is away"):
        offered(shop)
    free = free_times(shop.erin.user_id, 60, start.date(), start.date())
    assert not free
    other = offered(shop, slots=days(9, 10))
    services.book_appointment(shop.cara, other.pk, days(9, 10)[0])
    taken = days(9, 10)[0]
    near = free_times(shop.erin.user_id, 60, taken.date(), taken.date())
    assert near and all(time + timedelta(hours=1) <= taken or time >= taken + timedelta(hours=1) for time in near)
    assert all(time > timezone.now() for time in proposals(shop.erin.user_id, 30))


def test_within_days_the_customer_takes_any_free_time(shop):
    first = at(7).date()
    row = offered(shop, slots=(), first_day=first, last_day=first + timedelta(days=2))
    choices = read.times_to_choose(shop.cara, row.pk)
    assert len(choices) > 10 and choices[0].date() >= first
    with pytest.raises(Refused):
        services.book_appointment(shop.cara, row.pk, choices[0] + timedelta(minutes=7))
    services.book_appointment(shop.cara, row.pk, choices[3])
    assert choices[3] not in read.times_to_choose(shop.cara, row.pk)


def test_the_second_who_chooses_is_told_and_keeps_the_page(shop):
    row, other = offered(shop), offered(shop, ask(shop.cara, shop.rows["small"]))  # the same employee at the same hours
    first, second, _third = days(*SLOTS)
    cara, colin = Client(), Client()
    cara.force_login(shop.users["cara@acme.example"])
    colin.force_login(shop.users["colin@acme.example"])
    address = f"/cabinet/appointments/{row.pk}/"
    assert cara.post(f"{address}book/", {"starts": first.isoformat()}).status_code == 302
    late = colin.post(f"{address}book/", {"starts": second.isoformat()})
    assert late.status_code == 409 and "has already agreed" in late.content.decode() and row.title in late.content.decode()
    page = colin.post(f"/cabinet/appointments/{other.pk}/book/", {"starts": first.isoformat()})
    assert page.status_code == 409 and "just been taken" in page.content.decode()
    assert second.isoformat()[:13] in page.content.decode()  # the others are still there
    for nonsense in ("", "never", "2026-01-01", first.replace(tzinfo=None).isoformat()):
        assert colin.post(f"/cabinet/appointments/{other.pk}/book/", {"starts": nonsense}).status_code == 400


def test_other_times_are_asked_for_and_offered_again(shop):
    row = offered(shop)
    with pytest.raises(Refused):
        services.ask_for_other_times(shop.cara, row.pk, " ")
    services.ask_for_other_times(shop.cara, row.pk, "Only on Fridays.")
    assert Notification.objects.filter(kind="appointment", user_id=shop.erin.user_id).count() == 1
    assert [one.wish for one in read.open_offers(shop.erin, host_id=shop.erin.user_id)] == ["Only on Fridays."]
    services.offer_again(shop.erin, row.pk, Offer("", slots=days(14, 15)))
    row.refresh_from_db()
    assert row.state == "offered" and row.slots.count() == 2
    with pytest.raises(Conflict):
        services.offer_again(shop.erin, row.pk, Offer("", slots=days(16, 17)), version=1)  # a stale page


def test_strangers_and_partners_see_nothing(shop):
    row = offered(shop)
    for actor in (shop.bea, shop.paul, Actor.anonymous()):
        assert read.appointment_view(actor, row.pk) is None
        with pytest.raises(Refused):
            services.cancel_appointment(actor, row.pk, "mine")
    assert read.appointment_view(shop.colin, row.pk).title == "Look at the hall"


def test_reminded_once_the_day_before_and_again_after_a_move(shop):
    row = offered(shop)
    services.book_appointment(shop.cara, row.pk, days(*SLOTS)[0])
    remind_of_appointments()
    assert not Notification.objects.filter(source__contains="reminded").exists()
    soon = timezone.now() + timedelta(hours=20)
    Appointment.objects.filter(pk=row.pk).update(starts=soon, ends=soon + timedelta(hours=1))
    remind_of_appointments()
    remind_of_appointments()
    told = Notification.objects.filter(source__contains="reminded")
    assert sorted(n.user_id for n in told) == sorted((shop.cara.user_id, shop.erin.user_id))
    services.move_appointment(shop.erin, row.pk, days(*SLOTS)[1], "Later is better.")
    row.refresh_from_db()
    assert row.reminded_at is None


def test_it_stands_on_home_on_the_request_and_in_the_employee_s_list(shop, client):
    request = ask(shop.cara, shop.rows["planning"])
    row = offered(shop, request)
    client.force_login(shop.users["cara@acme.example"])
    assert "Look at the hall" in client.get("/cabinet/body/").content.decode()
    services.book_appointment(shop.cara, row.pk, days(*SLOTS)[0])
    home = client.get("/cabinet/body/").content.decode()
    assert "Next dates" in home and "Look at the hall" in home
    assert "Look at the hall" in client.get(f"/cabinet/appointments/on/{ref_of(request)}/").content.decode()
    assert "Look at the hall" in client.get("/cabinet/appointments/").content.decode()
    erin = Client()
    erin.force_login(shop.users["erin@northwind.example"])
    assert "Look at the hall" in erin.get("/work/appointments/").content.decode()
    assert "Look at the hall" in erin.get(f"/work/appointments/on/{ref_of(request)}/").content.decode()


def test_offering_by_the_form_keeps_what_was_typed(shop, client):
    request = ask(shop.cara, shop.rows["planning"])
    client.force_login(shop.users["erin@northwind.example"])
    address = f"/work/appointments/on/{ref_of(request)}/offer/"
    assert "slot_1" in client.get(address).content.decode()
    first, second, _third = days(*SLOTS)
    data = {"title": "Talk", "minutes": "45", "host": str(shop.erin.user_id), "mode": "slots", "note": "Bring the plan.", "place": ""}
    bad = client.post(address, data | {"slot_1": first.strftime("%Y-%m-%dT%H:%M")})
    assert bad.status_code == 400 and "Bring the plan." in bad.content.decode() and not Appointment.objects.exists()
    times = {"slot_1": first.strftime("%Y-%m-%dT%H:%M"), "slot_2": second.strftime("%Y-%m-%dT%H:%M")}
    made = client.post(address, data | times)
    row = Appointment.objects.get()
    assert made.status_code == 302 and row.minutes == 45 and row.slots.count() == 2
    assert client.post(f"/work/appointments/{row.pk}/cancel/", {"reason": ""}).status_code == 400
    assert client.post(f"/work/appointments/{row.pk}/cancel/", {"reason": "Ill."}).status_code == 302


def test_lists_ask_the_same_number_of_questions_for_any_number(shop, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    offered(shop)
    reads = (read.open_offers, read.coming_appointments, read.past_appointments)
    with CaptureQueriesContext(connection) as few:
        [one(shop.cara) for one in reads]
    for _number in range(4):
        offered(shop, ask(shop.cara, shop.rows["small"]))
    with django_assert_max_num_queries(len(few)):
        [one(shop.cara) for one in reads]


def test_races_one_wins_the_others_are_told(live):  # noqa: F811
    """Two people at one offer, two offers at one hour of one employee, moving against cancelling: never two at one time."""
    from crm.models import Product
    from workflows.packs import deploy_shipped

    deploy_shipped()
    product = Product.objects.create(name="Planning", is_public=True)
    for round_ in range(2):
        slots = days(7 * round_ + 8, 7 * round_ + 10)
        one, two = (
            services.offer_appointment(live.erin, ref_of(ask(live.cara, product)), Offer(f"Meeting {round_}", 60, slots=slots))
            for _n in range(2)
        )
        results = together(
            lambda one=one, slots=slots: services.book_appointment(live.cara, one.pk, slots[0]),
            lambda one=one, slots=slots: services.book_appointment(live.colin, one.pk, slots[1]),
            lambda two=two, slots=slots: services.book_appointment(live.colin, two.pk, slots[0]),
        )
        assert not [r for r in results if isinstance(r, Exception) and not isinstance(r, Refused)], results
        booked = list(Appointment.objects.filter(state="booked", title=f"Meeting {round_}").values_list("starts", flat=True))
        assert len(booked) == len(set(booked)) >= 1
        if not isinstance(results[0], Exception):
            assert isinstance(results[1], Conflict)
        row = Appointment.objects.filter(state="booked", title=f"Meeting {round_}").first()
        results = together(
            lambda row=row: services.cancel_appointment(live.erin, row.pk, "Ill.", version=row.version),
            lambda row=row: services.move_appointment(live.erin, row.pk, at(40), "Later.", version=row.version),
        )
        assert sum(isinstance(r, Conflict) for r in results) == 1, results


def test_what_became_of_it_stands_on_the_time_lines_and_in_the_feed(shop):
    row = offered(shop)
    about = SubjectRef(row.subject_kind, row.subject_id)
    account = SubjectRef("crm.account", Account.objects.get(organisation_id=row.customer_organisation_id).pk)

    def lines(ref: SubjectRef) -> list[tuple[str, str]]:
        return [(one.title, one.who) for one in timeline(shop.erin, ref) if one.kind == "appointment"]

    assert lines(about) == lines(account) == [("Times offered: Look at the hall", "Erin Employee")]
    first, second, _third = days(*SLOTS)
    services.book_appointment(shop.cara, row.pk, first)
    assert lines(account) == [("Appointment agreed: Look at the hall", "Cara Customer")]
    services.move_appointment(shop.erin, row.pk, second, "The lorry is broken.")
    assert lines(about) == [("Appointment moved: Look at the hall", "Erin Employee")]
    services.cancel_appointment(shop.cara, row.pk, "No time.")
    [line] = [one for one in timeline(shop.erin, account) if one.kind == "appointment"]
    assert (line.title, line.who, line.tone) == ("Appointment cancelled: Look at the hall", "Cara Customer", "bad")
    assert "No time." in line.text and line.url == f"/work/appointments/{row.pk}/"
    posts = Post.objects.filter(subject_kind=about.kind, subject_id=about.id, icon="calendar-event")
    assert sorted(posts.values_list("body", flat=True)) == sorted([stories.BOOKED, stories.MOVED_TIME, stories.CALLED_OFF])
    other = SubjectRef("crm.account", Account.objects.create(name="Birch", organisation_id=shop.bea.organisation_id).pk)
    assert lines(other) == [] and timeline(shop.cara, account) == []
