"""FEEL expressions: what each means, one line a meaning."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from bpmn.dmn import DmnError, YearsMonths, feel, feel_test
from bpmn.dmn.functions import library

D = Decimal

VALUES = [
    # literals
    ("1.50", D("1.5")),
    (".25", D("0.25")),
    ("1.2e3", D(1200)),
    ('"a\\"b\\n\\u00e9\\U01F600"', 'a"b\né😀'),
    ("null", None),
    ("true", True),
    ('@"2026-02-28"', date(2026, 2, 28)),
    ('@"10:30:00+02:00".time offset', timedelta(hours=2)),
    ("/* a comment */ 1 // and another", D(1)),
    # arithmetic: decimals, precedence, null for what has no meaning
    ("0.1 + 0.2", D("0.3")),
    ("1 + 2 * 3 - 4 / 2", D(5)),
    ("-3 ** 2", D(9)),
    ("2 ** 3 ** 2", D(64)),
    ("(1 + 0.5) ** -2", D("0.4444444444444444444444444444444444")),
    ("1 / 0", None),
    ('"a" + "b"', "ab"),
    ('"a" + 1', None),
    ("null + 1", None),
    ("10 - -3", D(13)),
    # comparison and logic
    ("1 = 1.0", True),
    ('1 = "1"', None),
    ("null = null", True),
    ("1 != null", True),
    ("[1, 2] = [1, 2]", True),
    ("{a: 1} = {a: 2}", False),
    ("1 < null", None),
    ('"a" < "b"', True),
    ("false and null", False),
    ("true and null", None),
    ("true or null", True),
    ("null or false", None),
    ("5 between 1 and 5", True),
    ("5 between 1 and 4 or true", True),
    ("5 in [1..5)", False),
    ("5 in ]1..5]", True),
    ("1 in ]1..5[", False),
    ("5 in (1, 2, > 4)", True),
    ("5 in < 5", False),
    ("5 in [1, 5]", True),
    ('"b" in ("a", "b")', True),
    ("3 in [[1..2], [3..4]]", True),
    # control
    ("if 1 > 2 then 3 else 4 + 1", D(5)),
    ("if null then 1 else 2", D(2)),
    ("1 + if true then 1 else 2", D(2)),
    ("for i in 1..3 return i * 2", [D(2), D(4), D(6)]),
    ("for i in 3..1 return i", [D(3), D(2), D(1)]),
    ("for x in [1, 2], y in [10, 20] return x * y", [D(10), D(20), D(20), D(40)]),
    ("for i in 1..5 return if i = 1 then 1 else i * partial[-1]", [D(1), D(2), D(6), D(24), D(120)]),
    ('for d in @"2026-02-27"..@"2026-03-01" return d.day', [D(27), D(28), D(1)]),
    ("some x in [1, 2] satisfies x > 1", True),
    ("every x in [1, 2] satisfies x > 1", False),
    ("every x in [] satisfies x > 1", True),
    # lists, contexts, paths, filters
    ("[1, 2, 3][2]", D(2)),
    ("[1, 2, 3][-1]", D(3)),
    ("[1, 2, 3][4]", None),
    ("[1, 2, 3][item >= 2]", [D(2), D(3)]),
    ("[{p: 1}, {p: 5}][p > 3].p", [D(5)]),
    ("[{p: 1}, {q: 5}][p = 1]", [{"p": D(1)}]),
    ("{a: 1, b: a + 1}.b", D(2)),
    ("{first name: 1, b: first name + 1}.b", D(2)),
    ('{"a key": 1}.a key', D(1)),
    ("{a: {b: {c: 3}}}.a.b.c", D(3)),
    ("{a: 1}.b", None),
    ("{a: 1, a: 2}", None),
    # functions
    ("(function(x, y) x + y)(1, 2)", D(3)),
    ("{double it: function(n: number) n * 2, r: double it(4)}.r", D(8)),
    ("{f: function(n) if n = 0 then 1 else n * f(n - 1), r: f(10)}.r", D(3628800)),
    ('substring(string: "foobar", start position: 3)', "obar"),
    ('substring("foobar", -2, 1)', "a"),
    ("sort([3, 1, 2], function(a, b) a > b)", [D(3), D(2), D(1)]),
    # types
    ("1 instance of number", True),
    ("[1] instance of list<string>", False),
    ("{a: 1} instance of context<a: number>", True),
    ('@"P1D" instance of days and time duration', True),
    ("null instance of number", False),
    # dates, times, durations
    ('date("2026-01-31") + duration("P1M")', date(2026, 2, 28)),
    ('date("2026-03-31") - date("2026-03-01")', timedelta(days=30)),
    ('date and time("2026-01-01T10:00:00Z") + @"PT90M"', datetime(2026, 1, 1, 11, 30, tzinfo=UTC)),
    ('time("23:30:00") + @"PT1H"', time(0, 30)),
    ('@"P1Y" + @"P2M"', YearsMonths(14)),
    ('@"PT1H" * 2.5', timedelta(hours=2, minutes=30)),
    ('@"PT3H" / @"PT1H30M"', D(2)),
    ('@"2026-03-31" > @"2026-03-30"', True),
    ('@"P1Y" > @"P11M"', True),
    ('@"P1DT2H".hours', D(2)),
    ('@"2026-11-22".weekday', D(7)),
    ('years and months duration(date("2011-12-22"), date("2013-08-24"))', YearsMonths(20)),
    ('date("2026-02-30")', None),
    ('string(date and time("2026-06-01T12:00:00@Europe/Paris"))', "2026-06-01T12:00:00@Europe/Paris"),
    ('date and time("2026-06-01T12:00:00@Europe/Paris").time offset', timedelta(hours=2)),
    ('string(@"-PT3.5S")', "-PT3.5S"),
    ('string(@"-P1DT2H")', "-P1DT2H"),
    ('day of week(@"2026-11-22")', "Sunday"),
    # built-in functions, one or two each
    ("string(1.10)", "1.1"),
    ('string(["a", 1, null, {b: true}])', '["a", 1, null, {b: true}]'),
    ('number("1 000,5", " ", ",")', D("1000.5")),
    ('number("x")', None),
    ('upper case("aé")', "AÉ"),
    ('substring before("foobar", "bar")', "foo"),
    ('substring after("foobar", "ob")', "ar"),
    ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', "[1=ab][2=]cd"),
    ('matches("foobar", "^Fo*b", "i")', True),
    ('split("a;b;;c", ";")', ["a", "b", "", "c"]),
    ('string join(["a", null, "b"], "-")', "a-b"),
    ("sum(1, 2, 3)", D(6)),
    ("sum([])", None),
    ("mean([1, 2, 6])", D(3)),
    ("median([6, 1, 2, 3])", D("2.5")),
    ("mode([6, 3, 9, 6, 6])", [D(6)]),
    ("stddev([2, 4, 7, 5])", D("2.081665999466132735282297706979931")),
    ("min(3, 1, 2)", D(1)),
    ('max("a", "b")', "b"),
    ("all([true, null])", None),
    ("any(false, true)", True),
    ("count([1, null])", D(2)),
    ("concatenate([1], [2, 3])", [D(1), D(2), D(3)]),
    ("insert before([1, 3], 2, 2)", [D(1), D(2), D(3)]),
    ("remove([1, 2, 3], 2)", [D(1), D(3)]),
    ("index of([1, 2, 1], 1)", [D(1), D(3)]),
    ("union([1, 2], [2, 3])", [D(1), D(2), D(3)]),
    ("distinct values([1, 2, 1])", [D(1), D(2)]),
    ("flatten([[1, [2]], 3])", [D(1), D(2), D(3)]),
    ("sublist([1, 2, 3], -2, 1)", [D(2)]),
    ("decimal(2.5, 0)", D(2)),
    ("floor(-1.5)", D(-2)),
    ("ceiling(1.56, 1)", D("1.6")),
    ("round half up(5.125, 2)", D("5.13")),
    ("round half down(5.125, 2)", D("5.12")),
    ("modulo(-12, 5)", D(3)),
    ("odd(5) and even(-2)", True),
    ("sqrt(16)", D(4)),
    ('get value({a: 1}, "a")', D(1)),
    ("get entries({a: 1})[1].key", "a"),
    ('context put({a: 1}, ["b", "c"], 2)', {"a": D(1), "b": {"c": D(2)}}),
    ("context merge([{a: 1}, {a: 2}])", {"a": D(2)}),
    ("before([1..5], 6)", True),
    ("meets([1..5], [5..8])", True),
    ("overlaps([1..5], [4..8])", True),
    ("during(3, [1..5])", True),
    ("starts(1, [1..5])", True),
    ("coincides([1..5], [1..5))", False),
    ('is(@"10:00:00Z", @"10:00:00+00:00")', True),
    ("not(true)", False),
    ("number(1, 2, 3, 4)", None),
]


@pytest.mark.parametrize(("expression", "value"), VALUES, ids=[expression for expression, _ in VALUES])
def test_value(expression, value):
    result = feel(expression)
    assert result == value
    assert type(result) is type(value)


def test_names_of_several_words_are_known_by_their_scope():
    context = {"Monthly Income": 5, "a-b": 7, "Approved/Declined": "yes", "time offset": 3, "loan": {"term in months": 12}, "a": 1}
    assert feel("Monthly   Income * 2", context) == 10
    assert feel("a-b", context) == 7
    assert feel("Approved/Declined", context) == "yes"
    assert feel("loan.term in months + a", context) == 13
    assert feel("a - a", context) == 0


def test_python_values_come_in_as_feel_values():
    assert feel("x + y", {"x": 0.1, "y": 1}) == D("1.1")
    assert feel("x[2].n", {"x": ({"n": 1}, {"n": 2})}) == 2
    with pytest.raises(DmnError, match="x is a object"):
        feel("x", {"x": object()})
    with pytest.raises(DmnError, match="not a finite number"):
        feel("x", {"x": float("nan")})


def test_the_clock_is_handed_in():
    moment = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
    assert feel("now()", now=moment) == moment
    assert feel('today() + @"P1D"', now=moment) == date(2026, 11, 23)
    assert feel("now()") is None


TESTS = [
    ("-", 5, True),
    ("", 5, True),
    ("5", 5, True),
    ("< 5", 5, False),
    ("5, 6", 6, True),
    ("not(5)", 5, False),
    ("not(5, 6)", 7, True),
    ('"a","b"', "b", True),
    ('not("a","b")', "b", False),
    ("[1..5], > 10", 11, True),
    ("(1..5)", 1, False),
    ("-5", -5, True),
    ("? > 3 and ? < 6", 5, True),
    ('contains(?, "x")', "axb", True),
    ("limit", 10, True),
    ("< limit * 2", 15, True),
    ("limits", 3, True),
    ("true", True, True),
    ("true", False, False),
    ("false", False, True),
    ("null", None, True),
    ("< 5", None, False),
    ("not(null)", None, False),
    ('date("2026-01-01")', date(2026, 1, 1), True),
    ('>= @"2026-01-01"', date(2026, 2, 1), True),
    ('starts with(name, "N")', 5, True),
]


@pytest.mark.parametrize(("tests", "value", "passes"), TESTS)
def test_cell(tests, value, passes):
    assert feel_test(tests, value, {"limit": 10, "limits": [1, 3], "name": "Nora"}) is passes


MISTAKES = [
    ("1 +", "ends too early"),
    ("1 2", "“2” is not expected here"),
    ('"abc', "not closed"),
    ('x == "a"', "compares with one ="),
    ("'a'", "double quotation marks"),
    ("amonut * 2", "nothing is called “amonut” here"),
    ("first wrod", "nothing is called “first wrod” here"),
    ("function(x) external {java: {}}", "external functions"),
    ("", "ends too early"),
]


@pytest.mark.parametrize(("expression", "word"), MISTAKES)
def test_mistakes_are_said_with_the_expression(expression, word):
    with pytest.raises(DmnError, match=word) as problem:
        feel(expression, {"amount": 1, "first": 1})
    assert expression in problem.value.place


STANDARD = (
    "abs",
    "after",
    "all",
    "any",
    "append",
    "before",
    "ceiling",
    "coincides",
    "concatenate",
    "contains",
    "context",
    "context merge",
    "context put",
    "count",
    "date",
    "date and time",
    "day of week",
    "day of year",
    "decimal",
    "distinct values",
    "duration",
    "during",
    "ends with",
    "even",
    "exp",
    "finished by",
    "finishes",
    "flatten",
    "floor",
    "get entries",
    "get value",
    "includes",
    "index of",
    "insert before",
    "is",
    "list contains",
    "list replace",
    "log",
    "lower case",
    "matches",
    "max",
    "mean",
    "median",
    "meets",
    "met by",
    "min",
    "mode",
    "modulo",
    "month of year",
    "not",
    "now",
    "number",
    "odd",
    "overlaps",
    "overlaps after",
    "overlaps before",
    "product",
    "range",
    "remove",
    "replace",
    "reverse",
    "round down",
    "round half down",
    "round half up",
    "round up",
    "sort",
    "split",
    "sqrt",
    "started by",
    "starts",
    "starts with",
    "stddev",
    "string",
    "string join",
    "string length",
    "sublist",
    "substring",
    "substring after",
    "substring before",
    "sum",
    "time",
    "today",
    "union",
    "upper case",
    "week of year",
    "years and months duration",
)


def test_every_built_in_function_of_the_standard_is_there():
    assert set(STANDARD) <= set(library.all_names())
