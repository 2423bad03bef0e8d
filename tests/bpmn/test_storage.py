"""Stored states: values come back as they went in, old formats are read for ever, damage is said."""

import base64
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import orjson
import pytest
import zstandard

from bpmn import engine
from bpmn.model import StateRefused
from bpmn.parser import parse
from bpmn.serializer import MAGIC, VERSION, decode, encode
from bpmn.values import Unstorable, check_value, copy_value, pack, unpack
from tests.bpmn.build import NOW, Instance, both, boundary, chain, end, flow, start, timer, user, wrap

VALUES = [
    None,
    True,
    0,
    -1,
    2**53,
    2**70,
    -(2**64),
    1.5,
    -0.0,
    1e300,
    "",
    "text",
    "emoji 🦊 \x00 \u2028",
    "ключ",
    b"\x00\xff",
    Decimal("1.10"),
    Decimal("-0"),
    Decimal("1E+5"),
    date(2026, 1, 1),
    datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC),
    datetime(2026, 1, 1),
    timedelta(days=1, microseconds=5),
    timedelta(seconds=-1),
    uuid.UUID(int=5),
    [],
    {},
    (),
    (1, (2, [3])),
    {1, 2},
    {"a": {"b": [1, {"c": Decimal("2")}]}},
    {1: "a", (2, 3): "b", None: "c"},
    {"$": "D", "v": "1"},
    {"$": "nothing"},
    {"$": {"$": 1}},
    [{"typename": "UUID", "value": "x"}],
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back(value):
    check_value(value)
    back = unpack(orjson.loads(orjson.dumps(pack(value))))
    assert back == value and type(back) is type(value)
    copied = copy_value(value)
    assert copied == value and type(copied) is type(value)


def _deep():
    value = []
    for _ in range(30):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), Decimal("NaN"), object(), len, 2**5000, "\ud800", _deep(), [0] * 30_000, "x" * 2_000_000],
    ids=type,
)
def test_values_that_cant_be_kept_are_refused(value):
    with pytest.raises(Unstorable):
        check_value({"v": value})


@pytest.mark.parametrize(
    "state", [b"", b"x", b"TS", MAGIC + bytes([VERSION]) + b"rubbish", b"PK\x03\x04zip", MAGIC + bytes([200]) + b"later"]
)
def test_damage_is_said(state):
    with pytest.raises(StateRefused):
        decode(state)


def test_a_bomb_in_a_state_is_refused():
    bomb = MAGIC + bytes([VERSION]) + zstandard.ZstdCompressor().compress(b'"' + b"a" * (64 * 1024 * 1024) + b'"')
    with pytest.raises(StateRefused):
        decode(bomb)


def test_a_state_of_another_process_is_refused():
    run = Instance(start() + user("u") + end() + chain("start", "u", "end"))
    other = parse(wrap(start() + user("u") + end() + chain("start", "u", "end"), key="q"))
    with pytest.raises(StateRefused):
        engine.look(other, run.out.state, now=NOW)


GOLDEN_XML = wrap(
    start()
    + both("f")
    + user("a")
    + user("b")
    + boundary("late", "b", timer("PT2H"))
    + both("j")
    + user("c")
    + end()
    + "".join(
        flow(source, target, id=f"x{number}")
        for number, (source, target) in enumerate(
            [("start", "f"), ("f", "a"), ("f", "b"), ("a", "j"), ("b", "j"), ("j", "c"), ("c", "end"), ("late", "end")]
        )
    ),
    key="golden",
)
# One instance stored by each format: started with {"deal_id": 7, "price": Decimal("1.50")}, and `a` completed with action "approve".
GOLDEN = {
    1: (
        "VFMBKLUv/WCUAZ0KAAaXRCJAS6wDOCuLiMYH+NRVExEqfXyX191rpJXb1CoYPUZRlAMBOQA8ADoAzDgHh29ohesTcytrdoptuHeo1pZiqLk6sW"
        "NuLGdibcW0VnZSmiE5qjdZrZ5PzZYO3zjLszTLbD4UGkUx8V44iMMhyniNvm1gcT3B4QEOwbdcEIerg+fFgInNh5RhFA2CwCcWHGZef9AsTaNA"
        "HD6heOKTuL7pzbk1Vy9nHNEkgjS6YlgWAbtwFx5boFZgrYChVvETD6laeuV6tjKubK0N5t7s2F5i+6Zczog71TyCBFGSJEkE6Uq4fh5OcTsfs6"
        "feige3xeTxnux1xjNUlBIreIkL8E/CQXj6fiJzvXuv274UF+Nl6znVWNoXAK7LgXbLyWwWqKKdR5r3gkSpiQHuHq3ipbVj1MhSwxEwDsOGsSCl"
        "Mbg7eHjAM1hVTNg8Pns/EJn1BE5TUg=="
    ),
    2: (
        "VFMCKLUv/WCXAbUKADZXRSJAS6wDOCuLiMYH+NRVExFEBfPv+PlbcMstF6yaesYwDAMCOQA9ADwAzYxzcPmGVrheMXfCZqvtB6OxnGPJW5O1YsjsWJmqOb"
        "aKJaVV4p7Cu+LkxXrGNZ26fOMsz9Iss/lQx6FRtIn3wkEcDqvsNXpyA4vrCS4PcEi+lQVxuEJ5XgyYbT6kDKNojkM+seAw8/qDZmkaBeLyCcWzT+L6Js1Q"
        "xlyjscSu/VAkgjT6YlgWASnJlKSRClYSYEngrbT42UO6mD65HkLD8VyF1+pkvY0xteRm0jguRYHGAxGCIIciSAQpS7h+eam1Dr4IG4Qdd1tLurVTaWfSYq"
        "QUK3jZBfkn4SBEfT/LXP9aMhMjGu85xXXapzoXAK7LgXbLyWwWqKKdR5r3gkSpiQHuHq3ipbVj1MhSwxEwDsOGsSClMbg7eHjAM1hVTNg8Pns/EJn1BE5T"
        "Ug=="
    ),
    3: (
        "VFMDKLUv/WCXAa0KADYXRSJAS6wDOCuLiMYH+NRVExGiFfrGurBbYJfoJkY19YxhGAYEOQA9ADsAzYxzcPiGVrheMXdks9W2eweyWmPRrcla8WNuLKcyGl"
        "vFkmwVm5O865i8WM9jzaYO3zjLszTLbD4USaJRtIn3wkEcDiv3Gj21gcX1BIcHOATfckEcrg+eFwNmmw8pwyiaJIFPLDjMvP6gWZpGgTh8QvHsk7i+CYYx"
        "3VstNrbvPVElgjT6YlgWASnBlCCSClYSYEnArbT42UO6mD5e3y26JZfXnD2VPIwoDcaaXzwWSS89kaIoiSpKBClLuH4b4nZJXo6Ikg3Z1kZUEUlr2UttI6"
        "VYwcsuwD8JB+HQ97PM9XI61fqtckjj1khcLxcArsuBdsvJbBaoop1HmveCRKmJAe4ereKltWPUyFLDETAOw4axIKUxuDt4eMAzWFVM2Dw+ez8QmfUETlNS"
    ),
}


@pytest.mark.parametrize("version", GOLDEN)
def test_instances_stored_by_every_format_go_on(version):
    definition = parse(GOLDEN_XML)
    state = base64.b64decode(GOLDEN[version])
    out = engine.look(definition, state, now=NOW)
    assert [task.element_id for task in out.user_tasks] == ["b"]
    assert out.data == {"deal_id": 7, "price": Decimal("1.50"), "action": "approve", "actions": {"a": "approve"}}
    assert [(t.element_id, t.due) for t in out.timers] == [("late", NOW + timedelta(hours=2))]
    out = engine.complete(definition, state, out.user_tasks[0].id, {"action": "approve"}, host=None, now=NOW)
    assert [task.element_id for task in out.user_tasks] == ["c"]
    out = engine.complete(definition, out.state, out.user_tasks[0].id, {}, host=None, now=NOW)
    assert out.status == "completed"


def test_every_format_has_its_golden_instance():
    assert set(GOLDEN) == set(range(1, VERSION + 1))


def test_a_state_stays_small():
    run = Instance(start() + user("u") + user("v") + end() + chain("start", "u", "v", "end"), {"request_id": 1})
    assert len(run.out.state) < 350
    assert decode(encode({"a": 1})) == {"a": 1}
