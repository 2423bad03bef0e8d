"""Real files of other engines and tools: each is judged quickly and without a traceback, and what is executable runs."""

import contextlib
import json
import time

import pytest
from django.core.management import call_command

from bpmn import draft
from bpmn.check import check
from bpmn.model import EngineError
from tests.infra.inputs import shared_input
from workflows.management.commands.bpmn_check import report_of

FOLDERS = ["bpmn-camunda-examples", "bpmn-flowable-examples", "bpmn-io-moddle", "bpmn-miwg", "bpmn-paed01"]
EXECUTABLE = {"bpmn-camunda-examples": 40, "bpmn-flowable-examples": 4}  # at least
SECONDS = 2.0


def diagrams(folder):
    return sorted(path for path in shared_input(folder).rglob("*") if path.suffix in (".bpmn", ".xml") and path.is_file())


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_judged_and_what_is_executable_runs(folder):
    found = []
    for path in diagrams(folder):
        begun = time.process_time()
        report = report_of(path)
        assert time.process_time() - begun < SECONDS, path
        found.append(report.status)
        assert report.problems or report.status == "executable", path
        for problem in report.problems:
            assert problem.code and problem.message, path
        if report.definition is not None:
            told = draft.run(report.definition, max_acts=60)
            assert told["ended"] in ("completed", "failed", "incident", "bound", "waits"), path
            assert told["steps"], path
            for incident in told["incidents"]:
                assert incident["message"], path
    assert found.count("executable") >= EXECUTABLE.get(folder, 0)


@pytest.mark.parametrize("folder", ["sec-own-malformed", "sec-defusedxml"])
def test_hostile_files_end_in_a_refusal_or_an_incident(folder):
    for path in sorted(path for path in shared_input(folder).rglob("*") if path.is_file()):
        begun = time.process_time()
        report = check(path.read_bytes())
        if report.definition is not None:
            with contextlib.suppress(EngineError):
                draft.run(report.definition, max_acts=60)
        assert time.process_time() - begun < 10, path


def test_the_commands_answer_in_json(capsys, db):
    folder = shared_input("bpmn-camunda-examples")
    path = folder / "clients/java/order-handling/order-handling.bpmn"
    call_command("bpmn_check", str(path), json=True)
    (finding,) = json.loads(capsys.readouterr().out)
    assert (finding["file"], finding["status"], finding["problems"]) == (str(path), "executable", [])
    assert {w["code"] for w in finding["warnings"]} == {"connector.unknown"}
    call_command("bpmn_run", str(path), json=True)
    report = json.loads(capsys.readouterr().out)
    assert (report["ended"], report["services"]) == ("completed", ["invoiceCreator"])
