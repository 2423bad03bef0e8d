"""Hostile and enormous expressions and files end with a DmnError, soon, and never another way."""

import os
import string
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpmn.dmn import DmnError, evaluate, feel, feel_test, parse_decisions
from tests.bpmn.dmn.writing import decision, literal, model

LAYERS = ", ".join(f"{b}: [{', '.join([a] * 10)}]" for a, b in zip("abcdefghi", "bcdefghij", strict=True))

ENORMOUS = {
    "brackets": "(" * 5000 + "1" + ")" * 5000,
    "lists": "[" * 5000 + "]" * 5000,
    "signs": "-" * 5000 + "1",
    "sums": "1" + "+1" * 5000,
    "paths": "a" + ".a" * 5000,
    "ifs": "if true then 1 else " * 500 + "1",
    "endless recursion": "{f: function(n) f(n + 1), r: f(1)}.r",
    "self application": "{w: function(f) f(f), r: w(w)}.r",
    "a long loop": "for i in 1..1000000000 return i",
    "loops in loops": "for i in 1..9999, j in 1..9999 return i * j",
    "a doubling text": '{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: string length(f("aaaaaaaaaaaaaaaa", 40))}.r',
    "shared lists as text": "{a: 1, " + LAYERS + ", r: string(j)}.r",
    "shared lists compared": "{a: 1, " + LAYERS + ", r: j = [j[1], 2]}.r and {a: 1, " + LAYERS + ", r: i = i}.r",
    "shared lists given out": "{a: 1, " + LAYERS + "}",
    "shared lists flattened": "{a: 1, " + LAYERS + ", r: count(flatten(j))}.r",
    "a deep value": "for i in 1..900 return [partial[-1]]",
    "many distinct": "distinct values(for i in 1..40000 return i)",
    "a long replacement": f'replace("{"a" * 9000}", "a", "{"b" * 9000}")',
    "a long number": "1" * 19000,
    "too long": "1" * 30000,
}


@pytest.mark.parametrize("name", ENORMOUS)
def test_an_enormous_expression_ends_soon(name):
    start = time.process_time()
    try:
        feel(ENORMOUS[name], {"a": {}})
    except DmnError as problem:
        assert problem.message
    assert time.process_time() - start < 8


def test_patterns_take_time_in_proportion_to_the_text():
    start = time.process_time()
    assert feel('matches(text, "^(a+)+$")', {"text": "a" * 10_000 + "b"}) is False
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    "expression",
    [
        "9999999999 ** 99999999",
        "1e6144 * 10",
        "(-8) ** 0.5",
        "0 ** -1",
        "exp(1e10)",
        "decimal(1, 1e30)",
        "floor(1e6000, -6000)",
        'duration("P999999999999D")',
        '@"9999-12-31" + @"P1D"',
        "date(1e300, 1, 1)",
        'substring("a", 1e300)',
        '@"PT1S" * 1e300',
        "time(25, 0, 0)",
    ],
)
def test_numbers_and_dates_beyond_all_bounds_have_no_value_or_a_value(expression):
    feel(expression)


WORDS = st.sampled_from(
    [
        "1",
        "2.5",
        '"a"',
        "x",
        "y z",
        "?",
        "item",
        "true",
        "null",
        "+",
        "-",
        "*",
        "/",
        "**",
        "=",
        "<",
        ">=",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        ".",
        "..",
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "every",
        "satisfies",
        "and",
        "or",
        "between",
        "instance of",
        "function",
        "not",
        "date",
        '@"P1D"',
        '@"2026-01-01"',
        "number",
        "list<",
        ">",
        "sum",
        "string join",
        "sort",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=14).map(" ".join) | st.text(string.printable + "é😀“", max_size=40))
def test_any_text_has_a_value_or_a_mistake(text):
    for read in (lambda: feel(text, {"x": 1, "y z": [1, {"x": 2}]}), lambda: feel_test(text, 3, {"x": 1})):
        try:
            read()
        except DmnError as problem:
            assert problem.message


def test_a_chain_of_decisions_may_be_long():
    chain = [decision("D0", literal("1"))]
    chain += [decision(f"D{n}", literal(f"D{n - 1} + 1"), decisions=[f"D{n - 1}"]) for n in range(1, 1500)]
    assert evaluate(parse_decisions(model(*chain)), "D1499", {}).value == 1500


def test_boxes_nested_too_deeply_are_refused():
    with pytest.raises(DmnError):
        parse_decisions(model(decision("A", "<list>" * 200 + literal("1") + "</list>" * 200)))


def test_a_tiny_budget_ends_an_evaluation():
    parsed = parse_decisions(model(decision("A", literal("for i in 1..100 return i"))))
    with pytest.raises(DmnError, match="too many steps"):
        evaluate(parsed, "A", {}, max_steps=50)


def inputs_folder() -> Path | None:
    places = [Path(os.environ["TANDEM_INPUTS"])] if "TANDEM_INPUTS" in os.environ else []
    places += [parent / "shared" / "inputs" for parent in Path(__file__).resolve().parents]
    return next((place for place in places if place.is_dir()), None)


def test_hostile_files_are_refused():
    folder = inputs_folder()
    if folder is None:
        pytest.skip("the hostile files are not beside the project; set TANDEM_INPUTS to their folder")
    files = [path for name in ("sec-own-malformed", "sec-defusedxml") for path in (folder / name).rglob("*") if path.is_file()]
    assert files
    for path in files:
        with pytest.raises(DmnError):
            parse_decisions(path.read_bytes())
    for garbage in (b"", b"\x00\x01", b"<definitions/>", b"<a" * 100_000):
        with pytest.raises(DmnError):
            parse_decisions(garbage)
