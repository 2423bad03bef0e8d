"""Every case of the DMN Technology Compatibility Kit that lies beside the project."""

import json
import os
import re
from pathlib import Path

import pytest

from bpmn.dmn.functions import library
from bpmn.dmn_tck import main, run_all
from tests.bpmn.dmn.writing import data, decision, literal, model


def kit() -> Path | None:
    if os.environ.get("TANDEM_INPUTS"):
        places = [Path(os.environ["TANDEM_INPUTS"])]
    else:
        places = [parent / "shared" / "inputs" for parent in Path(__file__).resolve().parents]
    return next((place / "dmn-tck" for place in places if (place / "dmn-tck").is_dir()), None)


def test_every_case_of_the_kit_passes():
    folder = kit()
    if folder is None:
        pytest.skip("the DMN kit is not beside the project; set TANDEM_INPUTS to its folder")
    checks = run_all(folder)
    assert len(checks) >= 50
    assert [check for check in checks if not check.passed] == []


def test_the_page_about_decisions_names_every_function_and_states_the_measured_counts():
    page = (Path(__file__).resolve().parents[3] / "docs" / "dmn.md").read_text(encoding="utf-8")
    functions = " ".join(page.partition("## Functions")[2].partition("Patterns of")[0].split())
    for name in library.all_names():
        assert re.search(rf"[ ,]{re.escape(name)}(,| -|$)", functions), name
    folder = kit()
    if folder is None:
        pytest.skip("the DMN kit is not beside the project; set TANDEM_INPUTS to its folder")
    checks = run_all(folder)
    cases = {(check.suite, check.case) for check in checks}
    assert f"{len(cases)} of {len(cases)} cases, {len(checks)} of {len(checks)} checks" in page


CASES = """<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xmlns:xsd="http://www.w3.org/2001/XMLSchema"><modelName>m.dmn</modelName><testCase id="001">
  <inputNode name="a"><list><item><value xsi:type="xsd:decimal">1</value></item><item><value xsi:type="xsd:date">2026-01-31</value></item>
  </list></inputNode>
  <resultNode name="Right"><expected><component name="n"><value xsi:type="xsd:decimal">2</value></component>
  <component name="d"><value xsi:type="xsd:date">2026-01-31</value></component></expected></resultNode>
  <resultNode name="Wrong"><expected><value xsi:type="xsd:string">1</value></expected></resultNode>
  <resultNode name="Null"><expected><value xsi:nil="true"/></expected></resultNode></testCase></testCases>"""


def test_the_runner_tells_right_from_wrong(tmp_path, capsys):
    suite = tmp_path / "0001-own"
    suite.mkdir()
    right = decision("Right", literal("{n: a[1] + 1, d: a[2]}"), inputs=["a"])
    broken = decision("Null", literal("1 +"))
    (suite / "m.dmn").write_bytes(model(data("a"), right, decision("Wrong", literal("1")), broken))
    (suite / "m-test-01.xml").write_text(CASES)
    assert main([str(tmp_path), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["checks"], report["checks_passed"], report["cases"], report["cases_passed"]) == (3, 2, 1, 0)
    assert [check["node"] for check in report["results"] if not check["passed"]] == ["Wrong"]


UNTYPED = """<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <modelName>m.dmn</modelName><testCase id="001">
  <inputNode name="A"><value xsi:nil="true"/></inputNode><inputNode name="B"><value>false</value></inputNode>
  <inputNode name="N"><value>17</value></inputNode><inputNode name="D"><value>2026-01-31</value></inputNode>
  <resultNode name="And"><expected><value>false</value></expected></resultNode>
  <resultNode name="Or"><expected><value xsi:nil="true"/></expected></resultNode>
  <resultNode name="Sum"><expected><value>7.5</value></expected></resultNode>
  <resultNode name="Nothing"><expected><value/></expected></resultNode>
  <resultNode name="Next"><expected><value>2026-02-01</value></expected></resultNode>
  <resultNode name="All"><expected><list><item><component name="Is/Not"><value>yes</value></component><component name="n"><value>18</value>
  </component></item></list></expected></resultNode>
  <resultNode name="Wrong"><expected><value>17</value></expected></resultNode>
  <resultNode name="Text"><expected><value>17</value></expected></resultNode></testCase></testCases>"""


def test_values_without_a_type_have_the_one_that_the_model_declares(tmp_path):
    suite = tmp_path / "0002-untyped"
    suite.mkdir()
    logic = {"And": ("A and B", "boolean"), "Or": ("A or B", "boolean"), "Sum": ("10 + 20 / (-5 - 3)", "number"),
             "Nothing": ("10 + null", "number"), "Next": ('D + duration("P1D")', "date"), "All": ('[{"Is/Not": "yes", n: N + 1}]', ""),
             "Wrong": ("N + 1", "number"), "Text": ("string(N)", "string")}  # fmt: skip
    inputs = [data("A", "boolean"), data("B", "boolean"), data("N", "number"), data("D", "date")]
    decisions = [decision(name, literal(text), inputs="ABND", type_name=kind) for name, (text, kind) in logic.items()]
    (suite / "m.dmn").write_bytes(model(*inputs, *decisions))
    (suite / "m-test-01.xml").write_text(UNTYPED)
    assert [check.node for check in run_all(tmp_path) if not check.passed] == ["Wrong"]
