"""Rules of the DMN standard, one test a rule: how dates, lists, types and functions behave where implementations like to differ."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bpmn.dmn import DmnError, evaluate, feel, parse_decisions
from bpmn.dmn.functions import library
from bpmn.dmn.values import Range
from tests.bpmn.dmn.writing import data, decision, literal, model, table

D = Decimal


def values(*pairs):
    return pytest.mark.parametrize(("expression", "expected"), pairs, ids=[expression for expression, _ in pairs])


# --- dates and times (10.3.2.3.4 to 10.3.2.3.6) -----------------------------------------------------------------------


@values(
    ('@"08:00:00@America/Lima" = @"08:00:00"', False),
    ('@"08:00:00@America/Lima" = @"08:00:00@Asia/Tokyo"', False),
    ('@"08:00:00@America/Lima" = @"13:00:00Z"', True),
    ('@"08:00:00@Europe/Berlin" = @"08:00:00+01:00"', True),
    ('@"08:00:00@Europe/Dublin" = @"08:00:00Z"', True),
    ('@"08:00:00@Australia/Hobart" < @"08:00:00Z"', True),
    ('@"08:00:00@Asia/Tokyo" < @"08:00:00"', None),
    ('@"08:00:00@Asia/Tokyo" - @"08:00:00Z"', timedelta(hours=-9)),
    ('@"08:00:00@Asia/Tokyo" - @"08:00:00"', None),
    ('@"08:00:00@Asia/Tokyo".time offset', timedelta(hours=9)),
)
def test_a_time_of_a_zone_has_the_offset_of_the_zone_outside_summer_time(expression, expected):
    assert feel(expression) == expected


@values(
    ('@"2026-10-25T12:00:00@Europe/Berlin" - @"2026-10-24T12:00:00@Europe/Berlin"', timedelta(hours=25)),
    ('@"2026-03-28T12:00:00@Europe/Berlin" + @"P1D"', datetime(2026, 3, 29, 13, tzinfo=ZoneInfo("Europe/Berlin"))),
    ('@"2026-03-29T12:00:00@Europe/Berlin" - @"PT24H" = @"2026-03-28T10:00:00Z"', True),
    ('@"2026-03-28T12:00:00@Europe/Berlin" + @"P1M"', datetime(2026, 4, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))),
    ('@"2026-06-01T12:00:00+02:00" + @"P1D"', datetime(2026, 6, 2, 10, tzinfo=UTC)),
    ('@"2026-06-01T12:00:00" + @"P1D"', datetime(2026, 6, 2, 12)),
)
def test_days_and_hours_are_counted_in_elapsed_time_and_months_on_the_calendar(expression, expected):
    assert feel(expression) == expected


@values(
    ('@"2026-06-02" - @"2026-06-01T12:00:00Z"', timedelta(hours=12)),
    ('@"2026-06-02" - @"2026-06-01T12:00:00"', None),
    ('@"2026-06-01T12:00:00" - @"2026-06-02"', None),
    ('@"2026-06-01T12:00:00" - @"2026-06-01T12:00:00Z"', None),
    ('@"0001-01-01T00:00:00+10:00" < @"9999-12-31T23:00:00-10:00"', True),
)
def test_a_date_is_its_midnight_in_utc_and_a_local_time_has_no_distance_from_it(expression, expected):
    assert feel(expression) == expected


@values(
    ('date("12026-01-01")', None),
    ('date("02026-01-01")', None),
    ('date("0026-01-01")', date(26, 1, 1)),
    ('@"10:00:00z" = @"10:00:00Z"', True),
)
def test_a_year_has_four_digits_or_no_leading_zero_and_a_small_z_is_utc_too(expression, expected):
    assert feel(expression) == expected


@values(
    ('is(@"09:00:00Z", @"09:00:00+00:00")', True),
    ('is(@"09:00:00Z", @"10:00:00+01:00")', False),
    ('is(@"2026-07-01T09:00:00@Europe/Berlin", @"2026-07-01T09:00:00@Europe/Vienna")', True),
    ('is(@"2026-07-01T09:00:00@Europe/Berlin", @"2026-07-01T09:00:00+02:00")', True),
    ('is(@"2026-07-01T09:00:00@Europe/Berlin", @"2026-07-01T09:00:00+01:00")', False),
    ('is(@"09:00:00@Europe/Berlin", @"09:00:00+01:00")', True),
    ('is(@"09:00:00", @"09:00:00Z")', False),
    ('is(@"P0Y", @"P0D")', False),
)
def test_is_asks_for_the_same_clock_and_the_same_offset(expression, expected):
    assert feel(expression) is expected


# --- functions of lists and texts (10.3.4) ----------------------------------------------------------------------------


@values(
    ("append([1], [2])", [D(1), [D(2)]]),
    ("append([1], [2], 3)", [D(1), [D(2)], D(3)]),
    ("append([], [])", [[]]),
    ("append([1], null)", [D(1), None]),
    ("append(list: [1], item: [2])", [D(1), [D(2)]]),
    ("append([1])", None),
    ("concatenate([[1], [2]])", [[D(1)], [D(2)]]),
    ("concatenate([[1]], [2])", [[D(1)], D(2)]),
    ("union([[1], [1]])", [[D(1)]]),
    ("union([1, 2], [2, 3])", [D(1), D(2), D(3)]),
)
def test_append_concatenate_and_union_take_every_argument_for_itself(expression, expected):
    assert feel(expression) == expected


@values(
    ("context put({a: 1}, [null], 2)", None),
    ("abs([null])", None),
    ("substring([null], 1)", None),
)
def test_a_list_of_one_null_is_null_where_one_value_is_needed(expression, expected):
    assert feel(expression) == expected


@values(
    ('matches("red wine", "red[ ]w ine", "x")', True),
    ('matches("red wine", "red wine", "x")', False),
    ('matches("a]b", "a \\\\] b", "x")', True),
    ('replace("1 2 3", "[ ] ", "-", "x")', "1-2-3"),
)
def test_the_flag_x_drops_white_space_but_not_from_a_class_of_characters(expression, expected):
    assert feel(expression) == expected


@values(
    ('matches("a\\u000Db", "a.b")', False),
    ('matches("a\\nb", "a.b")', False),
    ('matches("a\\u000Db", "a.b", "s")', True),
    ('matches("a.b", "a[.]b") and matches("a.b", "a\\\\.b")', True),
    ('matches("a\\u000Db", "(?s)a.b")', True),
    ('matches("a b", "a . b", "qx")', False),
    ('matches("]x", "[]]x")', True),
    ('matches("a1", "[[:alpha:]]1")', True),
    ('split("a.b;c", "[.;]")', ["a", "b", "c"]),
)
def test_a_dot_in_a_pattern_is_any_sign_but_the_end_of_a_line(expression, expected):
    assert feel(expression) == expected


def test_a_pattern_that_subtracts_a_class_of_characters_is_null_and_says_so():
    read = parse_decisions(model(decision("Vowel", literal('matches("b", "[a-z-[aeiou]]")'))))
    result = evaluate(read, "Vowel", {})
    assert result.value is None
    assert "subtracted" in result.notes[0]


# --- intervals (10.3.2.7, 10.3.4.1) -----------------------------------------------------------------------------------


@values(
    ('range("[7..)")', Range(D(7), None, True, False, no_end=True)),
    ('range("(7..)") = (> 7)', True),
    ('range("(..7]") = (<= 7)', True),
    ('range(" ]..-7[ ") = (< -7)', True),
    ('12 in range("[7..)")', True),
    ('range("[..7]")', None),
    ('range("[7..]")', None),
    ('range("(..)")', None),
)
def test_range_reads_an_interval_without_one_of_its_ends(expression, expected):
    assert feel(expression) == expected


@values(
    ('range("[-2..2)") = [-2..2)', True),
    ('range("[date(\\"2026-01-01\\")..@\\"2026-02-01\\"]") = [@"2026-01-01"..@"2026-02-01"]', True),
    ('range("[date(string(\\"2026-01-01\\"))..@\\"2026-02-01\\"]")', None),
    ('range("[1 + 1..3]")', None),
    ('range("[null..3]")', None),
    ('range("[1..\\"b\\"]")', None),
    ('range("[[1..2]..3]")', None),
    ('range("7")', None),
)
def test_the_ends_that_range_reads_are_literals(expression, expected):
    assert feel(expression) == expected


def test_a_boxed_for_goes_through_an_interval_without_the_ends_that_are_excluded():
    boxed = f'<for iteratorVariable="i"><in>{literal("(1..5]")}</in><return>{literal("i * 10")}</return></for>'
    assert evaluate(parse_decisions(model(decision("Tens", boxed))), "Tens", {}).value == [20, 30, 40, 50]


@values(
    ("overlaps after([20..40], [10..30])", True),
    ("overlaps after((10..30], [10..30])", True),
    ("overlaps after([10..30], [10..30))", False),
    ("overlaps after([10..30], [10..30])", False),
    ("overlaps after((10..30], [10..31])", False),
    ("overlaps after((30..40], [10..30])", False),
    ("overlaps before([10..30], (10..30])", True),
    ("overlaps before([10..30), [10..30])", False),
)
def test_one_interval_overlaps_after_another_where_the_other_overlaps_before_it(expression, expected):
    assert feel(expression) is expected


# --- requirements (6.3.6) ---------------------------------------------------------------------------------------------


def test_a_decision_without_logic_is_made_by_somebody_and_given():
    verdict = '<decision id="verdict" name="A person\'s verdict"><variable name="A person\'s verdict" typeRef="date"/></decision>'
    uses = decision("Until", literal('A person\'s verdict + duration("P1D")'), decisions=["verdict"])
    read = parse_decisions(model(verdict, uses))
    assert evaluate(read, "Until", {"A person's verdict": "2026-05-01"}).value == date(2026, 5, 2)
    assert evaluate(read, "A person's verdict", {"verdict": date(2026, 5, 1)}).value == date(2026, 5, 1)
    with pytest.raises(DmnError, match="“A person's verdict”: it has no logic, so its value has to be given"):
        evaluate(read, "Until", {})
    with pytest.raises(DmnError, match="“A person's verdict”"):
        evaluate(read, "Until", {"A person's verdict": "soon"})


# --- types and implicit conversions (10.3.2.9) ------------------------------------------------------------------------

PERSON = """<itemDefinition name="Person"><itemComponent name="name"><typeRef>string</typeRef></itemComponent>
  <itemComponent name="age"><typeRef>number</typeRef></itemComponent></itemDefinition>
  <itemDefinition name="People" isCollection="true"><typeRef>Person</typeRef></itemDefinition>"""


def test_a_context_conforms_to_a_type_when_it_has_every_component():
    read = parse_decisions(
        model(
            PERSON,
            decision("Whole", literal('{name: "Ann", age: null, town: "Graz"}'), type_name="Person"),
            decision("Part", literal('{name: "Ann"}'), type_name="Person"),
            decision("Group", literal('[{name: "Ann", age: 1}, {age: 2}]'), type_name="People"),
        )
    )
    assert evaluate(read, "Whole", {}).value == {"name": "Ann", "age": None, "town": "Graz"}
    for name in ("Part", "Group"):
        result = evaluate(read, name, {})
        assert result.value is None
        assert "there is no “" in result.notes[0]


def test_an_input_may_leave_components_out():
    read = parse_decisions(
        model(
            PERSON,
            data("who", "Person"),
            data("all", "People"),
            decision("Age", literal("who.age"), inputs=["who"]),
            decision("Names", literal("all.name"), inputs=["all"]),
        )
    )
    assert evaluate(read, "Age", {"who": {"name": "Ann"}}).value is None
    assert evaluate(read, "Names", {"all": [{"name": "Ann"}, {"age": 4}]}).value == ["Ann", None]
    assert evaluate(read, "Names", {"all": {"name": "Ann"}}).value == ["Ann"]


def test_a_list_of_one_becomes_its_item_however_deep_it_lies():
    read = parse_decisions(
        model(decision("One", literal("[[[7]]]"), type_name="number"), decision("Two", literal("[[7, 8]]"), type_name="number"))
    )
    assert evaluate(read, "One", {}).value == 7
    assert evaluate(read, "Two", {}).value is None


GRADE = """<itemDefinition name="Grade"><typeRef>string</typeRef><allowedValues><text>"low", "middle", "high"</text></allowedValues>
  </itemDefinition><itemDefinition name="Grades" isCollection="true"><typeRef>Grade</typeRef></itemDefinition>
  <itemDefinition name="Both"><itemComponent name="Grade"><typeRef>Grade</typeRef></itemComponent>
  <itemComponent name="Note"><typeRef>string</typeRef></itemComponent></itemDefinition>"""
HITS = [("> 10", '"high"'), ("> 5", '"low"'), ("> 0", '"middle"')]
NOTED = [("> 10", '"high"', '"a"'), ("> 5", '"middle"', '"b"'), ("> 0", '"middle"', '"c"')]


@pytest.mark.parametrize(
    ("logic", "type_name", "expected"),
    [
        (table("PRIORITY", [("n", "number")], [("", "", "")], HITS), "Grade", "low"),
        (table("PRIORITY", [("n", "number")], [("", "", "")], HITS).replace("<output name", '<output typeRef="Grade" name'), "", "low"),
        (table("PRIORITY", [("n", "number")], [("", "", "")], HITS).replace("<decisionTable", '<decisionTable typeRef="Grade"'), "", "low"),
        (table("OUTPUT ORDER", [("n", "number")], [("", "", "")], HITS), "Grades", ["low", "middle", "high"]),
        (table("PRIORITY", [("n", "number")], [("", '"high", "low"', "")], HITS[:2]), "Grade", "high"),
        (table("PRIORITY", [("n", "number")], [("Grade", "", ""), ("Note", "", "")], NOTED), "Both", {"Grade": "middle", "Note": "b"}),
    ],
    ids=["of the decision", "of the output", "of the table", "of a list", "but output values come first", "of a component"],
)
def test_priority_follows_the_allowed_values_of_the_type_where_a_column_has_no_output_values(logic, type_name, expected):
    read = parse_decisions(model(GRADE, data("n", "number"), decision("Best", logic, inputs=["n"], type_name=type_name)))
    assert evaluate(read, "Best", {"n": 20}).value == expected


CONSTRAINED = """<itemDefinition name="Digit"><typeRef>number</typeRef><allowedValues><text>[0..9]</text></allowedValues></itemDefinition>
  <itemDefinition name="Code" isCollection="true"><typeRef>Digit</typeRef><typeConstraint><text>count(?) = 3</text></typeConstraint>
  </itemDefinition><itemDefinition name="Span"><typeConstraint><text>?.from &lt; ?.to</text></typeConstraint>
  <itemComponent name="from"><typeRef>number</typeRef></itemComponent><itemComponent name="to"><typeRef>number</typeRef></itemComponent>
  </itemDefinition>"""


@pytest.mark.parametrize(
    ("type_name", "expression", "fits"),
    [
        ("Code", "[1, 2, 3]", True),
        ("Code", "[1, 2]", False),
        ("Code", "[1, 2, 30]", False),
        ("Span", "{from: 1, to: 2}", True),
        ("Span", "{from: 2, to: 1}", False),
    ],
)
def test_a_type_constraint_is_tested_on_the_whole_value_and_allowed_values_on_each_item(type_name, expression, fits):
    read = parse_decisions(model(CONSTRAINED, decision("Made", literal(expression), type_name=type_name)))
    assert (evaluate(read, "Made", {}).value is not None) is fits
    given = parse_decisions(model(CONSTRAINED, data("it", type_name), decision("Echo", literal("it"), inputs=["it"])))
    plain = feel(expression)
    if fits:
        assert evaluate(given, "Echo", {"it": plain}).value == plain
    else:
        with pytest.raises(DmnError, match="input “it”"):
            evaluate(given, "Echo", {"it": plain})


FUNCTIONS = """<itemDefinition name="Numbers" isCollection="true"><typeRef>number</typeRef></itemDefinition>
  <itemDefinition name="GivesNumbers"><functionItem outputTypeRef="Numbers"/></itemDefinition>
  <itemDefinition name="GivesText"><functionItem outputTypeRef="string"/></itemDefinition>
  <itemDefinition name="GivesMoment"><functionItem outputTypeRef="date and time"/></itemDefinition>"""


def knowledge(name: str, type_name: str, body: str) -> str:
    variable = f'<variable name="{name}" typeRef="{type_name}"/>'
    logic = f"<encapsulatedLogic>{literal(body)}</encapsulatedLogic>"
    return f'<businessKnowledgeModel id="{name}" name="{name}">{variable}{logic}</businessKnowledgeModel>'


def service(name: str, type_name: str, output: str) -> str:
    variable = f'<variable name="{name}" typeRef="{type_name}"/>'
    return f'<decisionService id="{name}" name="{name}">{variable}<outputDecision href="#{output}"/></decisionService>'


def test_a_function_type_says_what_a_knowledge_model_and_a_service_answer():
    read = parse_decisions(
        model(
            FUNCTIONS,
            knowledge("many", "GivesNumbers", "5"),
            knowledge("text", "GivesText", "5"),
            decision("Many", literal("many()"), knowledge=["many"]),
            decision("Text", literal("text()"), knowledge=["text"]),
            decision("Day", literal('@"2026-05-01"'), type_name="date"),
            service("moment", "GivesMoment", "Day"),
            service("no text", "GivesText", "Day"),
        )
    )
    assert evaluate(read, "Many", {}).value == [5]
    assert evaluate(read, "Text", {}).value is None
    assert evaluate(read, "moment", {}).value == datetime(2026, 5, 1, tzinfo=UTC)
    assert evaluate(read, "no text", {}).value is None


COLOUR = """<itemDefinition name="Colour"><typeRef>string</typeRef>
  <allowedValues><text>"red", "blue"</text></allowedValues></itemDefinition>
  <itemDefinition name="Paint"><functionItem outputTypeRef="Colour"><parameters name="x" typeRef="Any"/></functionItem></itemDefinition>
  <itemDefinition name="Painted"><functionItem><parameters name="given" typeRef="Colour"/></functionItem></itemDefinition>"""
INPUT = "<literalExpression><text>any</text></literalExpression>"
ROW = "<rule><outputEntry{}><text>any</text></outputEntry></rule>"
TYPED_BOXES = {
    "the table": (f'<decisionTable typeRef="Colour"><output/>{ROW.format("")}</decisionTable>', "red", None),
    "the items of a list that a table makes": (
        f'<decisionTable hitPolicy="COLLECT" typeRef="Colour"><output/>{ROW.format("")}</decisionTable>',
        ["red"],
        [None],
    ),
    "an output cell": ("<decisionTable><output/>" + ROW.format(' typeRef="Colour"') + "</decisionTable>", "red", None),
    "a column of a relation": (
        f'<relation><column name="c" typeRef="Colour"/><row>{INPUT}</row></relation>',
        [{"c": "red"}],
        [{"c": None}],
    ),
    "an argument": (
        f"""<invocation><literalExpression><text>function(x) x</text></literalExpression>
        <binding><parameter name="x" typeRef="Colour"/>{INPUT}</binding></invocation>""",
        "red",
        None,
    ),
    "a function in a box": (
        f"""<invocation><functionDefinition typeRef="Paint"><formalParameter name="x"/>{literal("x")}</functionDefinition>
        <binding><parameter name="x"/>{INPUT}</binding></invocation>""",
        "red",
        None,
    ),
    "an expression that gives a function": (
        f"""<context><contextEntry><variable name="paint"/><literalExpression typeRef="Paint"><text>function(x) x</text></literalExpression>
        </contextEntry><contextEntry>{literal("paint(any)")}</contextEntry></context>""",
        "red",
        None,
    ),
}


@pytest.mark.parametrize("place", TYPED_BOXES)
def test_what_a_box_declares_holds_for_its_value(place):
    logic, fits, else_ = TYPED_BOXES[place]
    read = parse_decisions(model(COLOUR, data("any"), decision("Result", logic, inputs=["any"])))
    assert evaluate(read, "Result", {"any": "red"}).value == fits
    result = evaluate(read, "Result", {"any": "green"})
    assert result.value == else_
    assert "not among the allowed values" in result.notes[0]


def test_the_variable_of_a_function_in_a_box_may_declare_the_type_of_its_result():
    shorter = f"""<functionDefinition><formalParameter name="a"/><formalParameter name="b"/>{literal("if a = null then 0 else a < b")}
      </functionDefinition>"""
    logic = f"""<context><contextEntry><variable name="comes before" typeRef="boolean"/>{shorter}</contextEntry>
      <contextEntry>{literal("[sort([3, 1, 2], comes before), comes before(null, 1)]")}</contextEntry></context>"""
    read = parse_decisions(
        model(
            decision("Sorted", logic),
            decision("before", shorter, type_name="boolean"),
            decision("Uses", literal("[before(1, 2), before(null, 2)]"), decisions=["before"]),
        )
    )
    assert evaluate(read, "Sorted", {}).value == [[1, 2, 3], None]
    assert evaluate(read, "Uses", {}).value == [True, None]


def test_a_function_type_names_the_types_of_the_parameters_of_a_service_too():
    given = (
        '<decision id="given" name="given"><variable name="given"/><literalExpression><text>"never"</text></literalExpression></decision>'
    )
    offered = service("offer", "Painted", "Echo").replace("</decisionService>", '<inputDecision href="#given"/></decisionService>')
    read = parse_decisions(
        model(
            COLOUR,
            given,
            decision("Echo", literal("given"), decisions=["given"]),
            offered,
            decision("Calls", literal('[offer("blue"), offer("green"), offer(given: "red")]'), knowledge=["offer"]),
        )
    )
    assert evaluate(read, "offer", {"given": "blue"}).value == "blue"
    assert evaluate(read, "offer", {"given": "green"}).value is None
    assert evaluate(read, "Calls", {}).value == ["blue", None, "red"]


@values(
    ("[1 instance of function, abs instance of function]", [False, True]),
    ("[[1] instance of list<number>]", [True]),
    ('[["a"], [1]][item instance of list<number>]', [[D(1)]]),
    ('[{a: "x"}, {a: 1}][item instance of context<a: number>].a', [D(1)]),
    ("[3 in ]1..3], 3 in ]1..3[]", [True, False]),
)
def test_a_type_may_stand_last_in_a_list_or_a_filter(expression, expected):
    assert feel(expression) == expected


# --- what has no meaning is null, never a failure of the program (10.3.2.13) ------------------------------------------


@values(
    ('date and time(@"2026-01-01T10:00:00Z", "")', None),
    ('date and time(@"2026-01-01T10:00:00Z", "+2")', None),
    ('date and time(@"2026-01-01T10:00:00Z", "Zulu")', None),
    ('date and time(@"2026-01-01T10:00:00Z", "+02:00")', datetime(2026, 1, 1, 10, tzinfo=UTC)),
)
def test_a_zone_that_does_not_exist_makes_null(expression, expected):
    assert feel(expression) == expected


SAMPLES = [
    "null", "1", "-2.5", '""', '"2026-01-01"', "true", '@"0001-01-01"', '@"10:00:00"', '@"10:00:00@Europe/Paris"', '@"2026-01-01T10:00:00"',
    '@"9999-12-31T23:59:59@America/Lima"', '@"P1D"', '@"-P999999999D"', '@"P1Y"', "[null]", "[[1], null]", "{}", '[{key: "a", value: 1}]',
    "[1..3]", "(< 3)", "function(x) x",
]  # fmt: skip


@pytest.mark.parametrize("sample", SAMPLES)
def test_any_two_values_under_any_operator_or_function_end_in_a_value(sample):
    made = {"a": sample}
    operators = ["+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in"]
    calls = [f"{name}({{a}}, {{b}})" for name in library.all_names()]
    forms = [f"({{a}}) {operator} ({{b}})" for operator in operators] + calls
    kinds = ["number", "string", "boolean", "date", "time", "list", "context", "range", "function"]
    for other in SAMPLES:
        texts = "{" + ", ".join(f"r{place}: {form.format(a='a', b='b')}" for place, form in enumerate(forms)) + "}"
        results = feel("{a: " + made["a"] + ", b: " + other + f", r: {texts}}}.r")
        assert len(results) == len(forms), other
    assert feel(f"[{', '.join(f'({sample}) instance of {kind}' for kind in kinds)}]").count(True) <= 1
