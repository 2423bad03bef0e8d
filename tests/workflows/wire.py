"""The wire between the portal and PostgreSQL, cut where a test says: at any message, before, within or behind it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from django.db import connection

CUTS = ("unsent", "half sent", "unanswered", "half answered")
HOUSEKEEPING = (b"", b"SELECT 1", b"SELECT set_config('TimeZone'")  # what a pool asks of a connection, in threads of its own


class Wire:
    """Stands between the portal and its database, and reads what they say.

    `cut(number, how)` cuts the connection at the nth question from now on: before it goes out, when half of it is out, when all of it
    was done and nothing of the answer came back, or when the answer stops behind its first part. `hit` says whether it came to that.
    """

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.number, self.how, self.count, self.hit = 0, "", 0, False
        self.questions: list[bytes] = []
        self.lock = threading.Lock()
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self, number: int, how: str) -> None:
        """Forget the last cut and be ready for this one; the number 0 cuts nothing."""
        with self.lock:
            self.number, self.how, self.count, self.hit, self.questions = number, how, 0, False, []

    def close(self) -> None:
        """Cut everything for good."""
        for line in (self.door, *self.open):
            _close(line)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self.door.accept()[0]
                Line(self, client, socket.create_connection(self.server))

    def asks(self, text: bytes) -> str:
        """How to cut at this question; empty: not at all."""
        if text in HOUSEKEEPING[:2] or text.startswith(HOUSEKEEPING[2:]):
            return ""
        with self.lock:
            self.count += 1
            self.questions.append(text)
            if self.count != self.number:
                return ""
            self.hit = True
            return self.how


class Line:
    """One connection: a thread for what is asked, one for what is answered."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self.wire, self.client, self.server, self.answer = wire, client, server, ""
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.open += [client, server]
        for work in (self._ask, self._answer):
            threading.Thread(target=self._run, args=(work,), daemon=True).start()

    def _run(self, work) -> None:
        try:
            work()
        except OSError:
            pass
        finally:
            _close(self.client)
            _close(self.server)

    def _ask(self) -> None:
        self.server.sendall(_frame(self.client, b""))  # the first message has no letter
        while message := _frame(self.client, _read(self.client, 1)):
            how = self.wire.asks(message[5:-1].strip()) if message[:1] == b"Q" else ""
            if how == "unsent":
                return
            if how == "half sent":
                self.server.sendall(message[: len(message) // 2])
                return
            self.answer = how
            self.server.sendall(message)

    def _answer(self) -> None:
        while message := _frame(self.server, _read(self.server, 1)):
            how = self.answer  # once: as soon as an answer is through, the next question changes it
            if how != "unanswered":
                self.client.sendall(message)
            if how == "unanswered" and message[:1] == b"Z":  # ready for the next question: this one was done
                return
            if how == "half answered" and message[:1] == b"C":  # one statement is complete
                return


def _read(line: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = line.recv(size - len(parts))
        if not part:
            raise ConnectionError
        parts += part
    return parts


def _frame(line: socket.socket, letter: bytes) -> bytes:
    length = _read(line, 4)
    return letter + length + _read(line, int.from_bytes(length, "big") - 4)


def _close(line: socket.socket) -> None:
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()


@contextlib.contextmanager
def wired() -> Iterator[Wire]:
    """Every connection that is opened meanwhile goes over the wire, and comes from a pool as in production."""
    settings = connection.settings_dict
    kept = {name: settings[name] for name in ("HOST", "PORT", "OPTIONS", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS")}
    wire = Wire((kept["HOST"], int(kept["PORT"] or 5432)))
    try:
        plain = {"sslmode": "disable", "gssencmode": "disable", "pool": {"min_size": 1, "max_size": 4, "timeout": 20}}
        _reopen(HOST="127.0.0.1", PORT=wire.port, OPTIONS={**kept["OPTIONS"], **plain}, CONN_MAX_AGE=0, CONN_HEALTH_CHECKS=True)
        yield wire
    finally:
        wire.cut(0, "")
        _reopen(**kept)
        wire.close()


def _reopen(**settings) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict.update(settings)


def assert_pool_is_sound() -> None:
    """No connection that waits in the pool is broken or in the middle of a transaction."""
    for waiting in list(connection.pool._pool) if connection.pool else ():
        assert not waiting.broken and waiting.info.transaction_status.name == "IDLE"
