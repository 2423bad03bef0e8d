"""Cron: what is meant, across the changes of the clock, and what is refused."""

from datetime import UTC, datetime

import pytest

from bpmn.cron import BadCron, parse_cron
from bpmn.parser import parse
from bpmn.timers import following, opened
from tests.bpmn.build import NOW, Instance, boundary, chain, end, flow, node, start, timer, user, wrap
from tests.bpmn.support import proves


def at(text):
    return datetime.fromisoformat(text + "Z")


@pytest.mark.parametrize(
    ("cron", "moment", "expected"),
    [
        ("0 9 * * MON-FRI", "2026-03-06T10:00:00", "2026-03-09T09:00:00"),
        ("*/15 * * * *", "2026-03-06T10:15:00", "2026-03-06T10:30:00"),
        ("5,35 8-10 * * *", "2026-03-06T10:35:00", "2026-03-07T08:05:00"),
        ("0 0 1 */3 *", "2026-03-06T10:00:00", "2026-04-01T00:00:00"),
        ("0 12 29 2 *", "2026-03-06T10:00:00", "2028-02-29T12:00:00"),
        ("0 0 * * 7", "2026-03-06T10:00:00", "2026-03-08T00:00:00"),
        ("0/5 0/1 * 1/1 * ?", "2026-03-06T10:00:03", "2026-03-06T10:00:05"),
        ("0 30 9 ? * FRI *", "2026-03-06T10:00:00", "2026-03-13T09:30:00"),
        ("0 9 * JAN SUN,SAT", "2026-03-06T10:00:00", "2027-01-02T09:00:00"),
    ],
)
def test_the_next_time(cron, moment, expected):
    assert parse_cron(cron).after(at(moment)) == at(expected)


def test_the_clock_goes_forward_and_back():
    berlin = "Europe/Berlin"
    cron = parse_cron("30 2 * * *")
    assert cron.after(at("2026-03-28T12:00:00"), berlin) == at("2026-03-29T01:30:00")  # 02:30 doesn't exist: half past three
    assert cron.after(at("2026-03-29T01:30:00"), berlin) == at("2026-03-30T00:30:00")
    assert cron.after(at("2026-10-24T12:00:00"), berlin) == at("2026-10-25T00:30:00")  # comes twice, counts once
    assert cron.after(at("2026-10-25T00:30:00"), berlin) == at("2026-10-26T01:30:00")
    often = parse_cron("0,30 * * * *")
    moment, times = at("2026-10-24T23:50:00"), []
    for _ in range(5):
        moment = often.after(moment, berlin)
        times.append(moment.strftime("%H:%M"))
    assert times == ["00:00", "00:30", "01:00", "01:30", "02:00"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
def test_times_always_rise(zone):
    for text in ("*/20 * * * *", "45 1-3 * * *", "0 0 1 * *"):
        moment, cron = datetime(2026, 3, 1, tzinfo=UTC), parse_cron(text)
        for _ in range(60):
            later = cron.after(moment, zone)
            assert later > moment
            moment = later


@pytest.mark.parametrize(
    "text",
    ["* * * *", "60 * * * *", "0 24 * * *", "0 9 31 2 *", "0 9 1 * MON", "0 0 9 * * 2", "a * * * *", "*/0 * * * *", "5-1 * * * *",
     "0 0 L * *", "0 9 * * MON#2", "0 0 9 * * ? 2027", "", "1 2 3 4 5 6 7 8"],
)  # fmt: skip
def test_what_is_refused(text):
    with pytest.raises(BadCron):
        parse_cron(text)


@proves("timer cycle", "start by message, signal or timer")
def test_a_process_that_starts_each_weekday():
    definition = parse(wrap(start("s", timer("0 9 * * MON-FRI", "timeCycle")) + user("u") + end() + chain("s", "u", "end")))
    (event,) = definition.start_events
    wait = opened(event.timer.kind, event.timer.expression, NOW, definition.time_zone)
    assert wait["due"] == at("2026-03-03T09:00:00")
    assert following(wait, at("2026-03-06T12:00:00"))["due"] == at("2026-03-09T09:00:00")
    assert Instance(definition, at="s").open == ["u"]


@proves("timer cycle")
def test_cron_is_the_next_time_wherever_an_event_happens_once():
    nine = timer("0 9 * * *", "timeCycle")
    run = Instance(start() + node("intermediateCatchEvent", "c", nine) + user("u") + chain("start", "c", "u"))
    assert [wait.due for wait in run.out.timers] == [at("2026-03-03T09:00:00")]
    run.fire("c")
    assert run.open == ["u"] and not run.out.timers
    run = Instance(start() + user("u") + boundary("b", "u", nine) + user("late") + chain("start", "u") + flow("b", "late"))
    run.fire("b")
    assert run.open == ["late"] and not run.out.timers
    taking_over = node("subProcess", "ev", start("s2", nine) + user("late") + chain("s2", "late"), triggeredByEvent="true")
    run = Instance(start() + user("u") + chain("start", "u") + taking_over)
    run.fire("ev")
    assert run.open == ["late"] and not run.out.timers
    either = node("eventBasedGateway", "g") + node("intermediateCatchEvent", "c", nine)
    either += node("intermediateCatchEvent", "d", timer("P9D")) + user("u") + user("v")
    run = Instance(start() + either + chain("start", "g", "c", "u") + chain("g", "d", "v"))
    run.fire("c")
    assert run.open == ["u"] and not run.out.timers
    run = Instance(start() + node("intermediateCatchEvent", "c", timer("= when", "timeCycle")) + user("u") + chain("start", "c", "u"),
                   {"when": "R1/PT2H"})  # fmt: skip
    run.fire("c")
    assert run.open == ["u"] and run.now == at("2026-03-02T11:00:00")


@proves("timer cycle")
def test_a_reminder_by_cron():
    run = Instance(
        start() + user("u") + boundary("b", "u", timer("0 9 * * *", "timeCycle"), interrupting=False) + user("nudge")
        + chain("start", "u") + flow("b", "nudge")
    )  # fmt: skip
    run.fire("b")
    run.fire("b")
    assert run.open == ["nudge", "nudge", "u"] and run.now == at("2026-03-04T09:00:00")
