"""Runs the cases of the DMN Technology Compatibility Kit: `python -m bpmn.dmn_tck DIR [--json]`.

DIR holds folders with a model (`*.dmn`) and its cases (`*-test*.xml`), at any depth. Where a case writes a value without its type, as those
of the kit's first releases do, it has the type that the model declares, or else that of what it is compared with.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

from lxml import etree

from bpmn.dmn import DecisionModel, DmnError, evaluate, parse_decisions
from bpmn.dmn.reading import child, children, tag, text
from bpmn.dmn.temporal import read_date, read_datetime, read_duration, read_time
from bpmn.dmn.types import ANY, Type
from bpmn.dmn.values import equal, from_python, kind
from bpmn.xml_safety import read_xml

TOLERANCE = Decimal("0.00000001")
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(frozen=True, slots=True)
class Check:
    """One expected result of one case."""

    suite: str
    case: str
    node: str
    passed: bool
    word: str = ""


class Untyped(str):
    """What a case writes without saying its type."""


def read_value(element: etree._Element | None) -> Any:
    """The value that a case writes: a typed `value`, components of a context, or a list."""
    if element is None or element.get(f"{XSI}nil") == "true":
        return None
    rows = child(element, "list")
    if rows is not None:
        return None if rows.get(f"{XSI}nil") == "true" else [read_value(item) for item in children(rows, "item")]
    parts = list(children(element, "component"))
    if parts:
        return {part.get("name") or "": read_value(part) for part in parts}
    value = child(element, "value")
    if value is None or value.get(f"{XSI}nil") == "true":
        return None
    written = value.text or ""
    if value.get(f"{XSI}type") is None:
        return Untyped(written)
    name = value.get(f"{XSI}type", "").rpartition(":")[2]
    if name == "string":
        return written
    written = written.strip()
    if name == "boolean":
        return written in ("true", "1")
    if name in ("decimal", "double", "integer", "int", "long", "float"):
        return Decimal(written)
    readers = {"date": read_date, "dateTime": read_datetime, "time": read_time}
    return readers[name](written) if name in readers else read_duration(written) if "uration" in name else written


def typed(value: Any, wanted: Type, like: Any = None) -> Any:
    """A value with the types that a model declares for it, or else those of a value that it is `like`."""
    if isinstance(value, list):
        others = like if isinstance(like, list) else []
        pairs = zip_longest(value, others[: len(value)])
        return [typed(item, wanted.item or ANY if wanted.shape == "list" else wanted, other) for item, other in pairs]
    if isinstance(value, dict):
        known = like if isinstance(like, dict) else {}
        return {name: typed(item, wanted.fields.get(name, ANY), known.get(name)) for name, item in value.items()}
    if not isinstance(value, Untyped):
        return value
    name = (wanted.item or ANY).name if wanted.shape == "list" else wanted.name
    name = name if name in _READERS else kind(like)
    if name == "string" or name not in _READERS:
        return str(value) if value or name == "string" else None
    try:
        return _READERS[name](value.strip()) if value.strip() else None
    except (ValueError, ArithmeticError, DmnError):
        return str(value)


_READERS: dict[str, Callable[[str], Any]] = {
    "string": str,
    "number": Decimal,
    "boolean": lambda written: written in ("true", "1"),
    "date": read_date,
    "time": read_time,
    "date and time": read_datetime,
    "days and time duration": read_duration,
    "years and months duration": read_duration,
}


def same(actual: Any, expected: Any) -> bool:
    """Equal, numbers within the tolerance that the kit allows."""
    if isinstance(actual, Decimal) and isinstance(expected, Decimal):
        return abs(actual - expected) <= TOLERANCE * max(Decimal(1), abs(expected))
    if isinstance(expected, list) and isinstance(actual, list):
        return len(actual) == len(expected) and all(same(a, b) for a, b in zip(actual, expected, strict=True))
    if isinstance(expected, dict) and isinstance(actual, dict):
        return actual.keys() == expected.keys() and all(same(actual[key], expected[key]) for key in expected)
    return kind(actual) == kind(expected) and equal(actual, expected) is True


def run_suite(cases: Path) -> Iterator[Check]:
    """Every check of one file of cases."""
    suite = cases.parent.name
    root = read_xml(cases.read_bytes())
    model_file = cases.parent / text(child(root, "modelName"))
    try:
        model: DecisionModel | str = parse_decisions(model_file.read_bytes(), check=False)
    except (DmnError, OSError) as problem:
        model = str(problem)
    for case in children(root, "testCase"):
        inputs = {node.get("name") or "": read_value(node) for node in children(case, "inputNode")}
        for node in children(case, "resultNode"):
            key = (case.get("invocableName") if case.get("type") == "decisionService" else None) or node.get("name") or ""
            expected = read_value(child(node, "expected"))
            yield run_check(model, Check(suite, case.get("id") or "", node.get("name") or "", False), key, inputs, expected)


def run_check(model: DecisionModel | str, check: Check, key: str, inputs: dict[str, Any], expected: Any) -> Check:
    if isinstance(model, str):
        return Check(check.suite, check.case, check.node, False, model)
    word = ""
    declared = {one.name: model.types.named(one.type_name) or ANY for one in model.inputs}
    declared |= {one.name: model.types.named(one.type_name) or ANY for one in model.decisions}
    try:
        given = {name: typed(value, declared.get(name, ANY)) for name, value in inputs.items()}
        actual = from_python(evaluate(model, key, given).value)
    except DmnError as problem:
        actual, word = None, str(problem)  # the kit reads an error as null
    expected = typed(expected, declared.get(key, ANY), actual)
    passed = same(actual, expected)
    return Check(check.suite, check.case, check.node, passed, "" if passed else word or f"expected {expected!r}, got {actual!r}")


def run_all(folder: Path) -> list[Check]:
    """Every check under a folder."""
    files = [path for path in sorted(folder.rglob("*.xml")) if tag(read_xml(path.read_bytes())) == "testCases"]
    return [check for path in files for check in run_suite(path)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bpmn.dmn_tck", description="Run cases of the DMN Technology Compatibility Kit.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true", help="print every check as JSON")
    options = parser.parse_args(arguments)
    checks = run_all(options.folder)
    cases = {(check.suite, check.case): True for check in checks}
    for check in checks:
        cases[check.suite, check.case] &= check.passed
    passed = sum(check.passed for check in checks)
    if options.json:
        summary = {"checks": len(checks), "checks_passed": passed, "cases": len(cases), "cases_passed": sum(cases.values())}
        sys.stdout.write(json.dumps({**summary, "results": [asdict(check) for check in checks]}, indent=1, ensure_ascii=False) + "\n")
    else:
        for check in checks:
            if not check.passed:
                sys.stdout.write(f"FAIL {check.suite} {check.case} {check.node}: {check.word}\n")
        sys.stdout.write(f"{passed} of {len(checks)} checks, {sum(cases.values())} of {len(cases)} cases pass\n")
    return 0 if checks and passed == len(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
