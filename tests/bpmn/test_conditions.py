"""“Shown when”: what is read, what is refused, and that the browser judges as the server does."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from bpmn.conditions import BadCondition, bind, holds, names_in, rule_of
from tests.infra.node import node

RULE_JS = Path(__file__).resolve().parents[2] / "frontend" / "src" / "rule.js"
TABLE = [
    ("roof == 'other'", {"roof": " other "}, True),
    ("roof == 'other'", {"roof": ""}, False),
    ("roof != 'other'", {}, True),
    ("area > 100", {"area": "100,5"}, True),
    ("area > 100", {"area": "a lot"}, False),
    ("area >= 100 and not flat", {"area": "100", "flat": False}, True),
    ("100 <= area < 200", {"area": "200"}, False),
    ("area == 7", {"area": "7.0"}, True),
    ("area == 7", {"area": ""}, False),
    ("flat", {"flat": True}, True),
    ("flat == True", {"flat": False}, False),
    ("kind in ['a', 'b']", {"kind": "b"}, True),
    ("kind not in ['a', 'b']", {"kind": "c"}, True),
    ("'a' in kinds", {"kinds": ["b", "a"]}, True),
    ("'a' in kinds", {"kinds": []}, False),
    ("kinds", {"kinds": []}, False),
    ("word", {"word": "0"}, True),
    ("a or b and c", {"a": "", "b": "x", "c": ""}, False),
    ("number == -1", {"number": "-1"}, True),
    ("words in 'abc'", {"words": "b"}, True),
    ("words in 'abc'", {"words": ""}, False),
    ("number < 3", {"number": "1e1"}, False),
    ("not roof", {"roof": None}, True),
]


@pytest.mark.parametrize(("source", "values", "expected"), TABLE)
def test_the_server_judges(source, values, expected):
    assert holds(rule_of(source), values) is expected


@pytest.mark.skipif(node() is None, reason="no Node on this machine, and none in .venv")
def test_the_browser_judges_the_same():
    asked = [[rule_of(source), values] for source, values, _expected in TABLE]
    code = (
        f"import {{ judge, truth }} from {json.dumps(RULE_JS.as_uri())};"
        f"console.log(JSON.stringify({json.dumps(asked)}.map(([rule, values]) => truth(judge(rule, (name) => values[name])))));"
    )
    run = [node(), "--input-type=module", "-e", code]
    answer = subprocess.run(run, capture_output=True, text=True, check=True)  # noqa: S603  our own file
    assert json.loads(answer.stdout) == [expected for _source, _values, expected in TABLE]


@pytest.mark.parametrize(
    "source", ["", "roof =", "open('x')", "roof.upper() == 'A'", "feel: roof = 1", "[x for x in y]", "a + 1 > 2", "roof is None", "f'{a}'"]
)
def test_what_a_browser_could_not_judge_is_refused(source):
    with pytest.raises(BadCondition):
        rule_of(source)


def test_what_is_known_already_is_not_told():
    rule = rule_of("limit > 100 and roof == 'other'")
    assert names_in(rule) == {"limit", "roof"}
    bound = bind(rule, ["roof"], {"limit": Decimal("5000.50")})
    assert bound == ["==", ["name", "roof"], ["value", "other"]]
    assert bind(rule, ["roof"], {"limit": 7}) == ["value", False]
    assert bind(rule_of("limit > 100"), [], {"limit": 7}) == ["value", False]
