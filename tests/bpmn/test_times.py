"""Times: ISO 8601 in, UTC out, the calendar's zone respected, everything else refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bpmn.timers import BadTime, due_from, parse_cycle, parse_date, parse_duration
from tests.bpmn.build import Instance, boundary, chain, end, node, start, timer, user, wrap

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "later"),
    [
        ("PT1H", timedelta(hours=1)),
        ("PT0.5H", timedelta(minutes=30)),
        ("PT90M", timedelta(minutes=90)),
        ("PT30S", timedelta(seconds=30)),
        ("P1D", timedelta(days=1)),
        ("P1DT12H", timedelta(hours=36)),
        ("P1W", timedelta(days=7)),
        ("P1M", timedelta(days=31)),
        ("P1Y", timedelta(days=365)),
        ("PT0S", timedelta(0)),
    ],
)
def test_durations(text, later):
    assert parse_duration(text).after(NOON) == NOON + later


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1H", "-PT1H", "PT-1H", "P1H", "PT1D", "P1.5M", "0 9 * * *", "PT1H PT2H", "P99999999Y", "pt1h"]
)
def test_what_is_no_duration(text):
    with pytest.raises(BadTime):
        parse_duration(text)


def test_a_duration_beyond_the_calendar():
    with pytest.raises(BadTime):
        parse_duration("P9999Y").after(NOON)


def test_a_day_is_a_day_of_the_calendar():
    before = datetime(2026, 3, 28, 11, 0, tzinfo=UTC)  # noon in Berlin; the clocks change in the night after
    assert parse_duration("P1D").after(before, "Europe/Berlin") == datetime(2026, 3, 29, 10, 0, tzinfo=UTC)
    assert parse_duration("PT24H").after(before, "Europe/Berlin") == datetime(2026, 3, 29, 11, 0, tzinfo=UTC)


def test_dates():
    assert parse_date("2030-07-05T10:00:00Z") == datetime(2030, 7, 5, 10, tzinfo=UTC)
    assert parse_date("2030-07-05T10:00:00+02:00") == datetime(2030, 7, 5, 8, tzinfo=UTC)
    assert parse_date("2030-07-05T10:00:00", "Europe/Berlin") == datetime(2030, 7, 5, 8, tzinfo=UTC)
    assert parse_date("2030-01-05T10:00:00", "Europe/Berlin") == datetime(2030, 1, 5, 9, tzinfo=UTC)
    for text in ("2030-07-05T10:00:00", "tomorrow", "2030-13-01T00:00:00Z"):
        with pytest.raises(BadTime):
            parse_date(text)


def test_cycles():
    count, first, every = parse_cycle("R3/PT10M")
    assert (count, first, every.after(NOON)) == (3, None, NOON + timedelta(minutes=10))
    assert parse_cycle("R/P1D")[0] == -1
    assert parse_cycle("R2/2026-01-01T00:00:00Z/P1D")[1] == datetime(2026, 1, 1, tzinfo=UTC)
    for text in ("R0/PT1H", "R/PT0S", "R/PT0.1S", "0 9 31 2 *", "R3", "R3/P1D/2026-01-01T00:00:00Z"):
        with pytest.raises(BadTime):
            parse_cycle(text)


def test_values_of_expressions():
    assert due_from("PT1H", NOON) == NOON + timedelta(hours=1)
    assert due_from(timedelta(hours=2), NOON) == NOON + timedelta(hours=2)
    assert due_from(date(2026, 5, 1), NOON, "Europe/Berlin") == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert due_from(datetime(2026, 5, 1, 9, tzinfo=UTC), NOON) == datetime(2026, 5, 1, 9, tzinfo=UTC)
    for bad in (timedelta(hours=-1), datetime(2026, 5, 1, 9), 5, None, "", "soon", "-PT1H"):
        with pytest.raises(BadTime):
            due_from(bad, NOON)


def test_a_timer_from_a_variable_and_in_the_calendars_zone():
    body = start() + node("intermediateCatchEvent", "t", timer("= deadline", "timeDate")) + end() + chain("start", "t", "end")
    run = Instance(wrap(body, attributes='tandem:timeZone="Europe/Berlin"'), {"deadline": "2026-07-01T09:00:00"})
    assert run.out.timers[0].due == datetime(2026, 7, 1, 7, tzinfo=UTC)
    broken = Instance(wrap(body), {"deadline": "whenever"})
    assert broken.out.incident.code == "timer.failed"


def test_due_and_people_of_a_task():
    body = (
        start()
        + user("u", t_due="= days", t_assignee="= owner", t_candidates="= [1, 2]", t_organisation="= 7")
        + end()
        + chain("start", "u", "end")
    )
    run = Instance(body, {"days": "P2D", "owner": 42})
    task = run.task("u")
    assert (task.due, task.assignee, task.candidates, task.organisation) == (run.now + timedelta(days=2), 42, [1, 2], 7)
    assert task.entered == run.now


def test_a_timer_keeps_its_time_when_the_process_moves_elsewhere():
    body = start() + user("a") + boundary("b", "a", timer("PT5H")) + user("c") + end() + chain("start", "a", "end") + chain("b", "end")
    body = body.replace('<bpmn:userTask id="c"></bpmn:userTask>', "")
    run = Instance(body)
    due = run.out.timers[0].due
    run.now += timedelta(hours=3)
    run.resume()
    assert run.out.timers[0].due == due
