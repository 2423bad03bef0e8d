"""Runs a whole portal on one machine: `python -m portal.supervisor`. Standard library only.

Starts Valkey (unless REDIS_URL names a server), Daphne, a Celery worker and beat; prefixes their log lines; starts again, with
growing pauses, what dies; stops all in good order on Ctrl-C, SIGTERM or a closed terminal; and should it be killed outright,
the kernel ends every child with it. One supervisor serves one TANDEM_HOME.
"""

import argparse
import contextlib
import fcntl
import http.client
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from portal import embedded

HOST = "127.0.0.1"
SHORTEST_PAUSE, LONGEST_PAUSE = 0.3, 15.0
WEB_FIRST = 8.0  # seconds that worker and beat leave the processors to the web process at the start, unless it answers earlier
HEALTHY_AFTER = 30.0  # seconds a child must live before its next pause is short again
PATIENCE = {"web": 5.0, "beat": 5.0, "worker": 20.0, "valkey": 10.0}  # seconds to stop in good order, before it is killed
NOISE = (b"Memory overcommit must be enabled",)  # advice to whoever runs a server of its own
COLOURS = {"tandem": 35, "valkey": 31, "web": 36, "worker": 32, "beat": 33}


def say(name: str, line: str) -> None:
    """Print one line under the name of who says it."""
    head = f"{name:<6} |"
    print(f"\033[{COLOURS[name]}m{head}\033[0m {line}" if sys.stdout.isatty() else f"{head} {line}", flush=True)


@dataclass
class Child:
    """One process under supervision, alive or waiting to be started again."""

    name: str
    command: Sequence[str]
    when_parent_dies: signal.Signals = signal.SIGKILL
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths_in_a_row: int = 0
    unfinished: bytes = b""

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C reaches the supervisor alone and groups can be ended whole."""
        # A pre-exec function is safe here: the supervisor forks from its main thread, and the function only makes system calls.
        process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=embedded.CHECKOUT,
            process_group=0,
            preexec_fn=embedded.tied_to_parent(self.when_parent_dies),  # noqa: PLW1509
        )
        self.process, self.started_at, self.unfinished = process, time.monotonic(), b""
        os.set_blocking(self.output.fileno(), False)

    @property
    def output(self) -> IO[bytes]:
        """Where its log lines come from; only a started child has one."""
        if self.process is None or self.process.stdout is None:
            raise ValueError(f"{self.name} isn't started")
        return self.process.stdout

    def plan_restart(self) -> float:
        """Note a death and give the pause before the next start: short at first, growing while it keeps dying early."""
        now = time.monotonic()
        self.deaths_in_a_row = 0 if now - self.started_at > HEALTHY_AFTER else self.deaths_in_a_row + 1
        pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** max(0, self.deaths_in_a_row - 1))
        self.start_at = now + pause
        return pause

    def end_group(self, how: signal.Signals) -> None:
        """Send a signal to the child and all it started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, how)


class Supervisor:
    """Keeps the children of one portal alive until it is told to stop."""

    def __init__(self, home: Path, port: int, concurrency: int, *, own_valkey: bool) -> None:
        self.home, self.port, self.own_valkey = home, port, own_valkey
        quiet = ["-W", "ignore:No directory at:UserWarning"]  # static files are served from where they are
        python = [sys.executable, *quiet, "-m"]
        celery = [*python, "celery", "--quiet", "--app", "portal"]
        # fmt: off
        self.children = [
            Child("web", [*python, "daphne", "-v", "0", "-b", HOST, "-p", str(port), "portal.asgi:application"]),
            Child("worker", [*celery, "worker", "--concurrency", str(concurrency), "--without-gossip", "--without-mingle",
                             "--loglevel", "WARNING"]),
            Child("beat", [*celery, "beat", "--pidfile", "", "--loglevel", "WARNING"]),
        ]
        # fmt: on
        if own_valkey:
            self.children.insert(0, Child("valkey", embedded.valkey_command(home), when_parent_dies=signal.SIGTERM))
        self.selector = selectors.DefaultSelector()
        self.stopping: signal.Signals | None = None
        self.second_request = False
        self.web_answers = threading.Event()

    def run(self) -> int:
        """Start everything, mind it until a signal comes, stop everything; the exit status for the shell."""
        self._listen_for_signals()
        for child in self.children:
            if child.name in ("worker", "beat"):
                child.start_at = time.monotonic() + WEB_FIRST
                continue
            self._start(child)
            if child.name == "valkey" and not embedded.wait_for_valkey(self.home):
                say("tandem", "The embedded Valkey doesn't answer yet; it will be tried again.")
        threading.Thread(target=self._announce, daemon=True).start()
        while self.stopping is None:
            self._relay(0.5)
            self._mind()
        self._stop()
        return 0

    def _listen_for_signals(self) -> None:
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._wakeup = (reader, writer)
        self.selector.register(reader, selectors.EVENT_READ, None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup means to stay
                signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the selector

    def _ask_to_stop(self, number: int, _frame: object) -> None:
        self.second_request = self.stopping is not None
        self.stopping = signal.Signals(number)

    def _start(self, child: Child) -> None:
        child.start()
        self.selector.register(child.output, selectors.EVENT_READ, child)

    def _relay(self, seconds: float) -> None:
        """Print what the children wrote, waiting for it at most `seconds`."""
        for key, _ in self.selector.select(seconds):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._wakeup[0].recv(4096)
                continue
            try:
                chunk = os.read(key.fd, 65536)
            except BlockingIOError:
                continue
            except OSError:
                chunk = b""
            if not chunk:
                self.selector.unregister(key.fileobj)
                cast(IO[bytes], key.fileobj).close()
            *lines, key.data.unfinished = (key.data.unfinished + chunk).split(b"\n")
            for line in (line for line in lines if not any(noise in line for noise in NOISE)):
                say(key.data.name, line.decode(errors="replace"))

    def _mind(self) -> None:
        """See who died, end what it left, and start again whose pause is over."""
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                child.end_group(signal.SIGKILL)
                code, child.process = child.process.returncode, None
                why = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"
                say("tandem", f"{child.name} {why}; starting again in {child.plan_restart():.1f} s")
            first_and_free = self.web_answers.is_set() and not child.started_at
            if child.process is None and (first_and_free or time.monotonic() >= child.start_at):
                self._start(child)

    def _stop(self) -> None:
        """Stop the web first, Valkey last; whoever doesn't go in its time, or at a second Ctrl-C, is killed."""
        say("tandem", f"Stopping ({self.stopping.name if self.stopping else 'asked'}) …")
        order = [name for name in ("web", "beat", "worker", "valkey") if any(child.name == name for child in self.children)]
        for name in order:
            child = next(child for child in self.children if child.name == name)
            if child.process is None:
                continue
            child.process.terminate()
            end = time.monotonic() + PATIENCE[name]
            while child.process.poll() is None and time.monotonic() < end and not self.second_request:
                self._relay(0.1)
            child.end_group(signal.SIGKILL)
            child.process.wait()
        self._relay(0)
        say("tandem", "Stopped.")

    def _announce(self) -> None:
        """Say where to go and who to sign in as, as soon as the first page answers."""
        page = "/demo/" if os.environ.get("TANDEM_DEMO") else "/health/"
        while self.stopping is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                line = http.client.HTTPConnection(HOST, self.port, timeout=60)
                line.request("GET", page)
                if line.getresponse().status < 500:
                    break
            time.sleep(0.2)
        else:
            return
        self.web_answers.set()
        address = f"http://{HOST}:{self.port}"
        say("tandem", "")
        say("tandem", f"Tandem is running: {address}")
        if os.environ.get("TANDEM_DEMO"):
            say("tandem", f"Who to sign in as:  {address}/demo/  (for example erin@northwind.example, password tandem-demo)")
        say("tandem", f"Data in {self.home}. Ctrl-C stops it.")
        say("tandem", "")


def take_lock(home: Path) -> int | None:
    """Take the data folder for this supervisor; None when another one has it."""
    handle = os.open(home / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
    return handle


def port_is_free(port: int) -> bool:
    """Whether Daphne will be able to listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def main() -> int:
    """Read the environment, refuse with words what can't work, run."""
    parser = argparse.ArgumentParser(prog="python -m portal.supervisor", description="Runs a whole portal on one machine.")
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started it is gone (used by make)")
    if parser.parse_args().with_parent:
        embedded.die_with_parent(signal.SIGTERM)
    home = embedded.home_folder()
    home.mkdir(parents=True, exist_ok=True)
    wish = os.environ.get("PORT") or "8000"
    if not wish.isdigit() or not 0 < int(wish) < 65536:
        say("tandem", f"PORT must be a number from 1 to 65535, not “{wish}”.")
        return 2
    lock = take_lock(home)
    if lock is None:
        say("tandem", f"A portal is already running on {home} (process {(home / 'supervisor.lock').read_text().strip()}).")
        return 1
    if not port_is_free(int(wish)):
        say("tandem", f"Port {wish} is taken by another programme; choose one, for example: PORT={int(wish) + 1} make demo")
        return 1
    os.environ.update(TANDEM_HOME=str(home), PORT=wish, PYTHONUNBUFFERED="1")
    concurrency = int(os.environ.get("WORKER_CONCURRENCY") or 2)
    try:
        return Supervisor(home, int(wish), concurrency, own_valkey=not os.environ.get("REDIS_URL")).run()
    except FileNotFoundError as problem:
        say("tandem", str(problem))
        return 1


if __name__ == "__main__":
    sys.exit(main())
