"""Runs of untrusted diagrams in a process of their own, with limits on memory, processor time, files and the clock.

The engine's own limits (restricted Python, a budget of steps, sizes of values) are the first fence; this is the second, for drafts and for
authors who aren't trusted. Requests and answers are JSON: nothing that the other process says is ever executed.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bpmn.model import DeployRefused, EngineError, Problem

ROOT = Path(__file__).resolve().parents[1]
MAX_ANSWER = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sandboxed run may use."""

    memory: int = 512 * 1024 * 1024
    seconds: int = 5
    wall: float = 20.0


class SandboxFailed(EngineError):
    """A sandboxed run was stopped; `code` is sandbox.memory, sandbox.time or sandbox.failed."""

    def __init__(self, code: str, message: str):
        self.code = code
        super().__init__(message)


def draft_run(
    xml: bytes,
    *,
    decisions: Mapping[str, bytes] | None = None,
    called: Mapping[str, bytes] | None = None,
    data: Mapping[str, Any] | None = None,
    answers: Mapping[str, Any] | None = None,
    max_acts: int = 200,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> dict[str, Any]:
    """Check and run a diagram with default answers (see `bpmn.draft`). Raises DeployRefused, EngineError, SandboxFailed."""
    request = {
        "xml": _text(xml),
        "decisions": {name: _text(content) for name, content in (decisions or {}).items()},
        "called": {name: _text(content) for name, content in (called or {}).items()},
        "data": dict(data or {}),
        "answers": dict(answers or {}),
        "max_acts": max_acts,
        "limits": [limits.memory, limits.seconds],
    }
    answer = _ask(json.dumps(request, default=str).encode(), limits)
    if "problems" in answer:
        raise DeployRefused([Problem(*fields) for fields in answer["problems"]])
    if "refused" in answer:
        raise EngineError(answer["refused"])
    return answer["report"]


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _ask(request: bytes, limits: Limits) -> dict[str, Any]:
    """Send a request to a fresh process and wait for its answer, no longer than it may take."""
    worker = subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-c", "from bpmn.sandbox import work; work()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]), "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
    )
    try:
        said, _ = worker.communicate(request, timeout=limits.wall)
    except subprocess.TimeoutExpired:
        raise SandboxFailed("sandbox.time", f"The run took more than {limits.wall:g} seconds and was stopped.") from None
    finally:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.communicate()
    if worker.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise SandboxFailed("sandbox.time", f"The run used more than {limits.seconds} seconds of processor time and was stopped.")
    try:
        answer = json.loads(said) if len(said) <= MAX_ANSWER else {}
    except ValueError:
        answer = {}
    if not answer or "memory" in answer:
        code = "sandbox.memory" if "memory" in answer else "sandbox.failed"
        words = "The run needed too much memory and was stopped." if "memory" in answer else "The run broke off."
        raise SandboxFailed(code, words)
    return answer


# --- in the other process -------------------------------------------------------------------------------------------


def work() -> None:
    """Answer the one request on standard input."""
    request = json.loads(sys.stdin.buffer.read())
    memory, seconds = request["limits"]
    from bpmn import check, draft  # noqa: F401 - what the run needs is loaded before its memory is counted

    _limit(memory, seconds)
    try:
        answer = _answer(request)
    except MemoryError:
        answer = {"memory": True}
    sys.stdout.write(json.dumps(answer, default=str))


def _limit(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from bpmn import draft
    from bpmn.check import check

    files = {part: {name: base64.b64decode(text) for name, text in request[part].items()} for part in ("decisions", "called")}
    report = check(base64.b64decode(request["xml"]), **files)
    if report.definition is None:
        return {"problems": [[p.element_id, p.code, p.message, p.remedy] for p in report.problems]}
    try:
        return {"report": draft.run(report.definition, request["data"], request["answers"], request["max_acts"])}
    except EngineError as error:
        return {"refused": str(error)}
