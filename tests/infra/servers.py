"""The real servers a test may need: an embedded Valkey, and a whole portal (Daphne, a Celery worker, beat)."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from kombu.exceptions import OperationalError

from portal import embedded
from portal.celery import app as celery_app


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(command: list[str], log: Path, *, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen]:
    """A process that lives as long as the block, and never longer than the test run."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env={**os.environ, **(environment or {})},
            process_group=0,
            preexec_fn=embedded.tied_to_parent(),
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # nothing of a test is worth waiting for
        process.wait()


@contextlib.contextmanager
def running_valkey() -> Iterator[None]:
    """The worker's Valkey, unless REDIS_URL named a server."""
    if settings.GIVEN_REDIS:
        yield
        return
    home = settings.TEST_HOME
    home.mkdir(parents=True, exist_ok=True)
    with running(embedded.valkey_command(home, durable=False), home / "valkey.log"):
        if not embedded.wait_for_valkey(home):
            raise RuntimeError(f"Valkey did not start:\n{(home / 'valkey.log').read_text()}")
        yield


class PortalProcesses:
    """Daphne, a Celery worker and beat on the worker's own database, started at first use and kept until `end`."""

    of_this_run: PortalProcesses | None = None  # the one that this test process has made

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.stack = stack
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.logs = settings.TEST_HOME / "log"
        self.processes: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        """Start what isn't alive, and wait for the first page, the worker's first word and beat's first look at its schedule.

        Waiting for the page alone left a test's first letter to race with a worker that was still being imported.
        """
        begun = time.time()
        fresh = {name for name in ("worker", "beat") if name not in self.processes or self.processes[name].poll() is not None}
        python = sys.executable
        celery = [python, "-m", "celery", "-A", "portal"]
        # fmt: off
        for name, command in {
            "web": [python, "-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", str(self.port), "portal.asgi:application"],
            "worker": [*celery, "worker", "--pool", "solo", "--without-gossip", "--without-mingle", "--loglevel", "WARNING"],
            "beat": [*celery, "beat", "--pidfile", "", "--loglevel", "WARNING"],
        }.items():
            if name not in self.processes or self.processes[name].poll() is not None:
                environment = {"TANDEM_TEST_PORTAL": "1", "PORT": str(self.port), "DJANGO_SETTINGS_MODULE": "tests.settings"}
                self.processes[name] = self.stack.enter_context(running(command, self.logs / f"{name}.log", environment=environment))
        # fmt: on
        self.wait_for_page()
        if "worker" in fresh:
            self._wait_for("worker", lambda: bool(celery_app.control.ping(timeout=0.5)))
        if "beat" in fresh:
            kept = Path(settings.CELERY_BEAT_SCHEDULE_FILENAME)
            self._wait_for("beat", lambda: any(file.stat().st_mtime >= begun for file in kept.parent.glob(f"{kept.name}*")))

    def _wait_for(self, name: str, is_there: Callable[[], bool], seconds: float = 180) -> None:
        """Until that process works, or say what it printed instead."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.processes[name].poll() is None:
            with contextlib.suppress(OSError, OperationalError):
                if is_there():
                    return
            time.sleep(0.1)
        raise RuntimeError(f"The portal's {name} did not start:\n{self.log(name)[-4000:]}")

    def wait_for_page(self, seconds: float = 180) -> None:
        """Until the web process answers, or say what it printed instead."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.processes["web"].poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                line.request("GET", "/accounts/login/")
                line.getresponse().read()
                return
            time.sleep(0.1)
        raise RuntimeError(f"The portal did not start:\n{self.log('web')[-4000:]}")

    def log(self, name: str) -> str:
        """What one of them has printed so far."""
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def end(self) -> None:
        """End all of them; `start` begins anew."""
        self.stack.close()
        self.processes.clear()

    def kill(self, name: str) -> None:
        """End one of them without warning, as a crash would."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()
