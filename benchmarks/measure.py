"""How a page is measured: processor time of the processes that serve it, and how long a client waits."""

import http.client
import os
import re
import socket
import statistics
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """One page, measured."""

    status: int
    kilobytes: float
    cpu_ms: float
    database_ms: float
    p50: float
    p95: float
    p50_of_8: float
    p95_of_8: float
    per_second_of_8: float


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time these processes have used, their ended children included."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICK


def spent() -> float:
    """Processor time of this process and of its database connection's so far, ms; elapsed time where the machine doesn't tell."""
    from django.db import connection

    own = time.process_time() * 1000
    if connection.vendor != "postgresql":
        return own
    connection.ensure_connection()
    told = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")  # nanoseconds
    return own + int(told.read_text().split()[0]) / 1e6 if told.exists() else time.perf_counter() * 1000


def postgres_pids() -> list[int]:
    """PostgreSQL's processes on this machine: its share of a page. The postmaster alone counts ended children."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text().strip() in ("postgres", "postmaster"):
                found.append(int(folder.name))
        except OSError:
            continue
    return found


class Client:
    """A browser of one person: one kept connection, one cookie."""

    def __init__(self, port: int, cookie: str) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Cookie": cookie, "Accept": "text/html"}
        self.token = ""

    def get(self, path: str) -> tuple[int, int, float]:
        """Status, bytes and seconds of one page."""
        started = time.perf_counter()
        self.line.request("GET", path, headers=self.headers)
        answer = self.line.getresponse()
        size = len(answer.read())
        if not self.token and (given := re.search(r"csrftoken=\w+", answer.getheader("Set-Cookie", ""))):
            self.token = given[0]
            self.headers["Cookie"] += f"; {self.token}"
        return answer.status, size, time.perf_counter() - started


def listener(port: int, cookie: str) -> socket.socket:
    """A page that stays open and listens: its websocket, once it is accepted."""
    line = socket.create_connection(("127.0.0.1", port), timeout=20)
    words = ["GET /ws/live/ HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Origin: http://127.0.0.1:{port}", "Connection: Upgrade"]
    words += ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Cookie: {cookie}", "", ""]
    line.sendall("\r\n".join(words).encode())
    if not (answer := line.recv(2000)).startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"No websocket: {answer[:200]!r}")
    return line


def percentile(values: list[float], share: float) -> float:
    """The value below which this share of the values lies, in ms."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000


def measure(port: int, cookie: str, path: str, *, web: int, postgres: bool, requests: int = 40) -> Figures:
    """Warm up, then one client, then eight at a time."""
    client = Client(port, cookie)
    for _ in range(6):
        status, size, _ = client.get(path)
        if status != 200:
            return Figures(status, size / 1024, 0, 0, 0, 0, 0, 0, 0)
    databases = postgres_pids() if postgres else []
    before, before_database = cpu_seconds([web]), cpu_seconds(databases)
    waits = [client.get(path)[2] for _ in range(requests)]
    spent, spent_database = cpu_seconds([web]) - before, cpu_seconds(databases) - before_database

    waits_of_8: list[float] = []

    def visitor() -> None:
        mine = Client(port, cookie)
        waits_of_8.extend(mine.get(path)[2] for _ in range(max(3, requests // 8)))

    threads = [threading.Thread(target=visitor) for _ in range(8)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Figures(
        status=status,
        kilobytes=size / 1024,
        cpu_ms=spent / requests * 1000,
        database_ms=spent_database / requests * 1000,
        p50=statistics.median(waits) * 1000,
        p95=percentile(waits, 0.95),
        p50_of_8=percentile(waits_of_8, 0.5),
        p95_of_8=percentile(waits_of_8, 0.95),
        per_second_of_8=len(waits_of_8) / (time.perf_counter() - started),
    )
