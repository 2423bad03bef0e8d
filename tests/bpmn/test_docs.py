"""The page on BPMN support names every code that the engine can give, and no other."""

import re
from pathlib import Path

from bpmn import lint
from scripts import bpmn_support

ROOT = Path(__file__).parents[2]
CODE = re.compile(r'"((?:[a-z]+|event_gateway|event_subprocess)\.[a-z_]+)"')
OTHER_TEXTS = {"file.unreadable"}  # of the command line only


def test_every_code_is_documented():
    page = (ROOT / "docs/bpmn-support.md").read_text()
    documented = {code for code in re.findall(r"`([a-z_]+\.[a-zA-Z_]+)`", page) if not code.endswith(".py")} - {"engine.resume"}
    given = {f"element.{name}" for name in lint.REFUSED_NODES}
    for path in [*(ROOT / "bpmn").glob("*.py"), *(ROOT / "bpmn" / "vendors").glob("*.py")]:
        given |= set(CODE.findall(path.read_text()))
    given -= OTHER_TEXTS | {"crm.open_deal"}
    assert given - documented == set()
    assert documented - given == set()


def test_the_table_of_what_runs_is_current():
    assert bpmn_support.PAGE.read_text() == bpmn_support.page(), "run python scripts/bpmn_support.py"
