"""The supervisor with its real children, as a user starts it, and how to look at what it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import redis
from django.conf import settings

from portal import embedded
from tests.infra.servers import free_port

PATIENCE = 90  # several browsers' worth of tests may run beside


class Running:
    """A supervisor started as a user starts it, on a data folder and a port of its own."""

    def __init__(self, home: Path, **more: str) -> None:
        self.home, self.port, self.more = home, free_port(), more
        self.process: subprocess.Popen | None = None
        home.mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """What a shell would hold: no test settings, no servers named."""
        of_tests = ("TANDEM_", "PYTEST_", "DJANGO_", "CELERY_", "LIVE_")
        ours = {name: value for name, value in os.environ.items() if not name.startswith(of_tests)}
        for name in ("DATABASE_URL", "REDIS_URL"):
            ours.pop(name, None)
        return {**ours, **self.more, "TANDEM_HOME": str(self.home), "PORT": str(self.port)}

    def start(self) -> None:
        """Start it, with its log in a file beside the data."""
        with (self.home.parent / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "portal.supervisor"],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=settings.BASE_DIR,
                env=self.environment(),
                preexec_fn=embedded.tied_to_parent(),
            )

    @property
    def log(self) -> str:
        """What it printed so far."""
        return (self.home.parent / "log").read_text()

    def pids(self, *words: str) -> set[int]:
        """Every process that was started for this data folder, or those with these words on their command line."""
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment, command = (folder / "environ").read_bytes(), (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state != "Z" and f"TANDEM_HOME={self.home}\0".encode() in environment and all(word in command for word in words):
                found.add(int(folder.name))
        return found

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def kill(self, *words: str) -> None:
        """End the oldest of these processes without warning."""
        os.kill(min(until(lambda: self.pids(*words))), signal.SIGKILL)

    def answers(self) -> bool:
        """Whether the web process serves."""
        try:
            return urllib.request.urlopen(f"{self.base_url}/health/", timeout=30).status == 200
        except OSError:
            return False

    def valkey(self) -> redis.Redis:
        """A line to its Valkey."""
        return redis.Redis(unix_socket_path=str(embedded.valkey_socket(self.home)))


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> object:
    """Wait for something to become true; fail when it doesn't."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"still not so after {seconds} s: {condition}")
