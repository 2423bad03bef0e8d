"""Working time: one sum in both directions, across changes of the clock, and never without an end."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn import engine
from bpmn.calendars import AROUND_THE_CLOCK, Calendar, NoWorkingTime, add_working_time, parse_working, usual, working_time_between
from bpmn.model import DeployRefused
from bpmn.parser import parse
from bpmn.timers import BadTime, due_from, parse_cycle, parse_target, target_in
from tests.bpmn.build import boundary, chain, end, node, start, timer, user, wrap

BERLIN = usual("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia"]


@st.composite
def days(draw):
    """A day's hours: up to three times of work, some across what the clock skips or repeats."""
    marks = sorted(draw(st.lists(st.integers(0, 24 * 12), max_size=6, unique=True)))
    marks = marks[: len(marks) // 2 * 2]
    return tuple((a * 5, b * 5) for a, b in zip(marks[::2], marks[1::2], strict=True))


@st.composite
def calendars(draw):
    """A week with some work in it, days off and exceptions."""
    week = draw(st.lists(days(), min_size=7, max_size=7).filter(any))
    dates = st.dates(date(2026, 1, 1), date(2027, 12, 31))
    off = draw(st.frozensets(dates, max_size=5))
    own = draw(st.dictionaries(dates, days(), max_size=5))
    return Calendar(draw(st.sampled_from(ZONES)), tuple(week), off, own)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC))
lengths = st.timedeltas(timedelta(0), timedelta(hours=12))


@settings(max_examples=25, deadline=None)
@given(calendars(), moments, lengths)
def test_what_is_added_has_passed(calendar, begun, length):
    assert working_time_between(begun, add_working_time(begun, length, calendar), calendar) == length


@settings(max_examples=25, deadline=None)
@given(calendars(), moments, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_adding_what_has_passed_comes_no_later(calendar, begun, later):
    end_ = begun + later
    again = add_working_time(begun, working_time_between(begun, end_, calendar), calendar)
    assert again <= end_
    assert not working_time_between(again, end_, calendar)


@settings(max_examples=25, deadline=None)
@given(calendars(), moments, lengths, lengths)
def test_more_is_later_and_it_adds_up(calendar, begun, one, two):
    first = add_working_time(begun, one, calendar)
    assert begun <= first <= add_working_time(begun, one + two, calendar)
    assert add_working_time(first, two, calendar) == add_working_time(begun, one + two, calendar) or not two


@settings(max_examples=25, deadline=None)
@given(calendars(), moments, moments, lengths)
def test_who_begins_later_is_due_no_sooner(calendar, one, other, length):
    sooner, later = sorted((one, other))
    assert add_working_time(sooner, length, calendar) <= add_working_time(later, length, calendar)


@given(moments, lengths)
def test_around_the_clock_is_the_clock(begun, length):
    assert add_working_time(begun, length, AROUND_THE_CLOCK) == begun + length


def berlin(*parts) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_the_night_when_the_clock_changes():
    nights = Calendar("Europe/Berlin", (((0, 8 * 60),),) * 7)
    march = berlin(2026, 3, 28, 23)  # midnight in Berlin; at two the clock jumps to three
    assert working_time_between(march, march + timedelta(hours=23), nights) == timedelta(hours=7)
    october = berlin(2026, 10, 24, 22)
    assert working_time_between(october, october + timedelta(hours=25), nights) == timedelta(hours=9)
    skipped = Calendar("Europe/Berlin", (((2 * 60, 3 * 60),),) * 7)  # on that Sunday nobody works
    assert add_working_time(march, timedelta(hours=1), skipped) == berlin(2026, 3, 30, 1)


def test_a_weekend_and_the_end_of_a_day():
    friday = berlin(2026, 3, 6, 15)  # four in Berlin
    assert add_working_time(friday, timedelta(hours=1), BERLIN) == berlin(2026, 3, 6, 16)
    assert add_working_time(friday, timedelta(hours=2), BERLIN) == berlin(2026, 3, 9, 9)
    assert add_working_time(friday, parse_working("2 working days").of(BERLIN), BERLIN) == berlin(2026, 3, 10, 15)


def test_a_working_saturday_and_a_day_off():
    own = {date(2026, 3, 7): ((9 * 60, 13 * 60),), date(2026, 3, 9): ()}
    calendar = Calendar("UTC", exceptions=own)
    assert add_working_time(berlin(2026, 3, 6, 16), timedelta(hours=3), calendar) == berlin(2026, 3, 7, 11)
    assert add_working_time(berlin(2026, 3, 6, 16), timedelta(hours=6), calendar) == berlin(2026, 3, 10, 10)


class Everything:
    def __contains__(self, day):
        return True


def test_years_of_holidays_end_in_words():
    for calendar in (Calendar(hours=((),) * 7), Calendar(days_off=Everything())):
        with pytest.raises(NoWorkingTime):
            add_working_time(MONDAY, timedelta(hours=1), calendar)
        assert not working_time_between(MONDAY, MONDAY + timedelta(days=4000), calendar)
    with pytest.raises(NoWorkingTime, match="no working hours"):
        _ = Calendar(hours=((),) * 7).day
    with pytest.raises(BadTime, match="twenty years"):
        due_from("99999 working days", MONDAY)


@pytest.mark.parametrize(
    ("text", "hours"), [("2 working days", 16), ("1 working day", 8), ("1.5 working hours", 1.5), ("30 Working Minutes", 0.5)]
)
def test_words_of_working_time(text, hours):
    assert parse_working(text).of(BERLIN) == timedelta(hours=hours)


@pytest.mark.parametrize(
    "text", ["", "working days", "-1 working days", "two working days", "2 days", "P2D", "2 working weeks", "1 working day 2"]
)
def test_what_is_no_working_time(text):
    assert parse_working(text) is None


def test_targets():
    assert target_in("1 working day", BERLIN) == (timedelta(hours=8), BERLIN)
    assert target_in("P1DT2H", BERLIN) == (timedelta(hours=26), AROUND_THE_CLOCK)
    for text in ("", "P1M", "soon", "PT0S", "0 working hours", "2026-03-01"):
        with pytest.raises(BadTime):
            parse_target(text)


def test_a_reminder_every_working_day():
    count, _first, every = parse_cycle("R3/1 working day", "", BERLIN)
    assert count == 3
    assert every.after(berlin(2026, 3, 6, 15)) == berlin(2026, 3, 9, 15)
    with pytest.raises(BadTime):
        parse_cycle("R/0 working hours")


class Office:
    """A host whose customers work from Tuesday to Thursday."""

    def calendar(self, element):
        day = ((9 * 60, 17 * 60),)
        return Calendar("UTC", ((), day, day, day, (), (), ())) if element.audience == "customer" else usual("UTC")

    def call(self, connector, parameters, step):
        return None


def lane(audience, *ids):
    refs = "".join(f"<bpmn:flowNodeRef>{id_}</bpmn:flowNodeRef>" for id_ in ids)
    return f'<bpmn:lane id="lane_{audience}" tandem:audience="{audience}">{refs}</bpmn:lane>'


def asked(due: str, deadline: str, audience: str = "customer") -> bytes:
    """A step with a due date and a deadline at its border."""
    lanes = f'<bpmn:laneSet id="lanes">{lane(audience, "ask")}</bpmn:laneSet>'
    late = boundary("late", "ask", timer(deadline), interrupting=False)
    return wrap(
        lanes + start() + user("ask", t_due=due) + late + end() + end("over") + chain("start", "ask", "end") + chain("late", "over")
    )


def begun(xml: bytes, host, now=MONDAY):
    return engine.start(parse(xml), {}, host=host, now=now)


def test_the_engine_counts_in_the_calendar_of_whose_lane_it_is():
    ours = begun(asked("1 working day", "12 working hours", "internal"), Office())
    assert ours.user_tasks[0].due == berlin(2026, 3, 3, 10)
    assert ours.timers[0].due == berlin(2026, 3, 3, 14)
    theirs = begun(asked("1 working day", "12 working hours"), Office())
    assert theirs.user_tasks[0].due == berlin(2026, 3, 3, 17)
    assert theirs.timers[0].due == berlin(2026, 3, 4, 13)
    assert begun(asked("= '2 working days'", "PT1H"), None).user_tasks[0].due == berlin(2026, 3, 4, 10)  # a sandbox has the usual hours


def test_a_reminder_comes_every_working_day():
    xml = asked("P3D", "x").replace(b"<bpmn:timeDuration>x</bpmn:timeDuration>", b"<bpmn:timeCycle>R3/1 working day</bpmn:timeCycle>")
    definition, host = parse(xml), Office()
    out = engine.start(definition, {}, host=host, now=MONDAY)
    seen = []
    while out.timers:
        due = out.timers[0].due
        seen.append(due.day)
        out = engine.fire_timer(definition, out.state, out.timers[0].id, host=host, now=due)
    assert seen == [3, 4, 5]


@pytest.mark.parametrize(("due", "deadline"), [("2 working weeks", "PT1H"), ("PT1H", "soon"), ("3 days", "PT1H"), ("PT1H", "working days")])
def test_what_cant_be_read_is_refused(due, deadline):
    with pytest.raises(DeployRefused, match="working"):
        parse(asked(due, deadline))


def test_service_levels_are_checked():
    good = wrap(start() + user("ask", t_target="8 working hours", t_questionsPause="true") + end() + chain("start", "ask", "end"),
                attributes='tandem:target="PT48H" tandem:targetPauses="customer"')  # fmt: skip
    definition = parse(good)
    assert (definition.target, definition.target_pauses, definition.element("ask").target) == ("PT48H", "customer", "8 working hours")
    assert definition.element("ask").questions_pause
    for wrong in (good.replace(b"8 working hours", b"P1M"), good.replace(b"PT48H", b"soon"), good.replace(b'"customer"', b'"nobody"')):
        with pytest.raises(DeployRefused):
            parse(wrong)
    with pytest.raises(DeployRefused, match="no person"):
        parse(
            wrap(
                start()
                + node("scriptTask", "ask", "<bpmn:script>a = 1</bpmn:script>", t_questionsPause="true")
                + end()
                + chain("start", "ask", "end")
            )
        )
    gateway = node("exclusiveGateway", "way", "", t_target="PT1H")
    with pytest.raises(DeployRefused, match="no token ever waits"):
        parse(wrap(start() + gateway + end() + chain("start", "way", "end")))
