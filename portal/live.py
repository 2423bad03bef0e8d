"""Live pages: browsers follow topics over one websocket, and get topics back, never data; they re-read through normal views.

Each web process subscribes to the layer's group once, on a plain connection, and hands pings to its own sockets: a hop a client through
the layer costs 4 to 13 times more, and the layer doesn't tell when it was cut off and may have missed something.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.utils import await_many_dispatch
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from portal.access import Actor
from portal.events import after_commit, records_changed
from portal.numbers import whole_number
from portal.registry import SubjectRef, registry

log = logging.getLogger(__name__)
GROUP = "live"
MAX_TOPICS = 200
LISTENING_AGAIN = 0.2  # seconds between two tries to reach the layer's server
MEMORY = 60.0  # seconds for which a process knows what was pinged: a page that took longer to come reads anew
PAUSE = 0.01  # seconds within which a process's pings are one message
LONGEST_WAIT = 5.0  # seconds a new socket waits for the subscription; then its browser tries again


def _server() -> tuple[str, str]:
    """Where the layer's server is, and the group's channel on it."""
    config = settings.CHANNEL_LAYERS["default"]["CONFIG"]
    return config["hosts"][0], f"{config.get('prefix', 'asgi')}__group__{GROUP}"


class _Ping:
    """What is told once a transaction has been committed: one message, however often it pinged."""

    def __init__(self, topics: set[str]) -> None:
        self.topics = topics

    def __call__(self) -> None:
        _outlet.tell(self.topics)


class _Outlet:
    """A process's pings on their way out: one that comes alone is sent at once, those that follow close behind it together, a moment later.

    A worker that does hundreds of steps a second would else spend a tenth of its time on telling of each.
    """

    def __init__(self) -> None:
        self.process, self.lock, self.due = os.getpid(), threading.Lock(), threading.Event()
        self.waiting: set[str] = set()
        self.told = 0.0
        self.thread: threading.Thread | None = None

    def tell(self, topics: set[str]) -> None:
        """Send these now, or with others within PAUSE."""
        if self.process != os.getpid():
            self.__init__()  # type: ignore[misc]  # a forked worker has no thread of its parent's
        with self.lock:
            now = time.monotonic()
            if self.waiting or now - self.told < PAUSE:
                self.waiting |= topics
                if self.thread is None:
                    self.thread = threading.Thread(target=self._go_on, name="live-pings", daemon=True)
                    self.thread.start()
                self.due.set()
                return
            self.told = now
        _send(topics)

    def flush(self) -> None:
        """Send what waits; what waits in a parent is the parent's to send."""
        if self.process != os.getpid():
            return
        with self.lock:
            topics, self.waiting, self.told = self.waiting, set(), time.monotonic()
            self.due.clear()
        if topics:
            _send(topics)

    def _go_on(self) -> None:
        while self.due.wait():
            time.sleep(PAUSE)
            self.flush()


def _send(topics: set[str]) -> None:
    try:
        _line.publish(get_channel_layer().serialize({"type": "live", "topics": sorted(topics)}))
    except (OSError, RedisError) as error:
        log.warning("no live ping for %s: %s", ", ".join(sorted(topics)), error)


class _Line(threading.local):
    """A thread's own connection to the layer's server. Its answer is read before the next ping, when it has long come: nobody waits."""

    def __init__(self) -> None:
        address, self.channel = _server()
        self.connection = Redis.from_url(address, socket_timeout=5, socket_connect_timeout=5).connection_pool.make_connection()
        self.process = os.getpid()
        self.unanswered: bytes | None = None

    def publish(self, message: bytes) -> None:
        """Send a message, and an unanswered one before it again where the server was away meanwhile."""
        if self.process != os.getpid():
            self.__init__()  # type: ignore[misc]  # a forked worker must not share its parent's connection
        last, self.unanswered = self.unanswered, None
        if last is not None:
            try:
                self.connection.read_response()
            except (OSError, RedisError):
                self.connection.disconnect()
                self._send(last)
                self.connection.read_response()
        self._send(message)
        self.unanswered = message

    def _send(self, message: bytes) -> None:
        try:
            self.connection.send_command("PUBLISH", self.channel, message)
        except (OSError, RedisError):
            self.connection.disconnect()
            self.connection.send_command("PUBLISH", self.channel, message)


_line = _Line()
_outlet = _Outlet()
atexit.register(lambda: _outlet.flush())


def _record(topic: str) -> SubjectRef | None:
    """The record that a topic is about, if any."""
    kind, _colon, key = topic.partition(":")
    number = whole_number(key) if kind in registry.subjects else None
    return None if number is None else SubjectRef(kind, number)


def ping(*topics: str) -> None:
    """Tell browsers, after commit, that something under these topics changed. A lost ping costs only freshness, so none is retried.

    The records among them have changed (`records_changed`)."""
    records_changed(*filter(None, map(_record, topics)))
    connection = transaction.get_connection()
    inside = set(connection.savepoint_ids)
    for savepoints, function, _robust in connection.run_on_commit:
        if isinstance(function, _Ping) and savepoints <= inside:  # it is told at least whenever this one would be
            function.topics |= set(topics)
            return
    after_commit(_Ping(set(topics)))


class Hub:
    """One a process: holds the process's only subscription and the sockets by topic."""

    def __init__(self) -> None:
        self.followers: dict[str, set[LiveConsumer]] = defaultdict(set)
        self.pinged: dict[str, float] = {}  # topic → when, the latest at the end
        self.listens_since = float("inf")
        self.loop: asyncio.AbstractEventLoop | None = None
        self.task: asyncio.Task | None = None
        self.subscribed = asyncio.Event()

    async def ensure_running(self) -> None:
        """Listen from the first socket on, for Daphne has no start-up hook; raises TimeoutError while the server is away."""
        loop = asyncio.get_running_loop()
        if self.task is None or self.task.done() or self.loop is not loop:
            self.loop, self.subscribed = loop, asyncio.Event()
            self.task = loop.create_task(self._listen(self.subscribed))
        await asyncio.wait_for(self.subscribed.wait(), LONGEST_WAIT)

    async def _listen(self, subscribed: asyncio.Event) -> None:
        """Hand on what comes. After the server was away every page is told to read anew: pings may have been lost meanwhile."""
        address, channel = _server()
        layer, was_away = get_channel_layer(), False
        while True:
            server = AsyncRedis.from_url(address, client_name=f"live-{os.getpid()}", retry=Retry(NoBackoff(), 0))
            try:
                async with server.pubsub() as line:
                    await line.subscribe(channel)
                    async for message in line.listen():
                        if message["type"] == "message":
                            await self.fan_out(layer.deserialize(message["data"])["topics"])
                            continue
                        self.listens_since = time.time()
                        subscribed.set()
                        if was_away:
                            await self.fan_out(list(self.followers))
                        was_away = False
            except (OSError, RedisError) as error:
                if not was_away:
                    log.warning("live pings stop: %s", error)
                subscribed.clear()
                was_away = True
                await asyncio.sleep(LISTENING_AGAIN)
            finally:
                with contextlib.suppress(OSError, RedisError):
                    await server.aclose()

    async def fan_out(self, topics: list[str]) -> None:
        """Hand topics to the sockets that follow any of them, each socket once."""
        heard: dict[LiveConsumer, list[str]] = defaultdict(list)
        self._remember(topics)
        for topic in topics:
            for socket in self.followers.get(topic, ()):
                heard[socket].append(topic)
        for socket, its in heard.items():
            await socket.tell(its)

    def _remember(self, topics: list[str]) -> None:
        now = time.time()
        for topic in topics:
            self.pinged.pop(topic, None)
            self.pinged[topic] = now
        while self.pinged and next(iter(self.pinged.values())) < now - MEMORY:
            del self.pinged[next(iter(self.pinged))]

    @property
    def is_listening(self) -> bool:
        """Whether every ping comes here now."""
        return self.subscribed.is_set() and self.task is not None and not self.task.done()

    def missed(self, topics: Iterable[str], since: float) -> list[str]:
        """Which topics were pinged, or may have been, since their page was read (seconds since 1970)."""
        if since < max(self.listens_since, time.time() - MEMORY):
            return sorted(topics)
        return sorted(topic for topic in topics if self.pinged.get(topic, 0.0) >= since)

    def set_topics(self, socket: LiveConsumer, topics: set[str]) -> None:
        """Make a socket follow exactly these topics."""
        for topic in socket.topics - topics:
            self.followers[topic].discard(socket)
            if not self.followers[topic]:
                del self.followers[topic]
        for topic in topics - socket.topics:
            self.followers[topic].add(socket)
        socket.topics = topics


hub = Hub()


class LiveConsumer(AsyncWebsocketConsumer):
    """A browser page. In: `{"follow": [topics], "since": seconds}`, when what stands on the page was read; out: `{"following": [topics]}`,
    and `{"topics": [topics]}` for a ping."""

    topics: set[str]

    async def __call__(self, scope, receive, send) -> None:
        """Serve a socket without a channel of its own on the layer: the hub hears for all, and a server that is away ends no socket."""
        self.scope, self.channel_layer, self.base_send = scope, None, send
        with contextlib.suppress(StopConsumer):
            await await_many_dispatch([receive], self.dispatch)

    async def connect(self) -> None:
        """Only signed-in people have anything to follow."""
        self.topics = set()
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(code=4401)
            return
        try:
            await hub.ensure_running()
        except TimeoutError:
            await self.close(code=1013)
            return
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Forget the socket."""
        hub.set_topics(self, set())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Set what this page follows; topics that the person may not follow are left out."""
        try:
            told = json.loads(text_data or "")
            topics = {t for t in told["follow"] if isinstance(t, str) and len(t) <= 120}
            since = float(told.get("since") or "inf")
        except (ValueError, KeyError, TypeError):
            return
        allowed = await self._allowed(set(sorted(topics)[:MAX_TOPICS]))
        fresh = allowed - self.topics
        hub.set_topics(self, allowed)
        await self.send(json.dumps({"following": sorted(allowed)}))
        if missed := hub.missed(fresh, since):  # between the page's reading and now
            await self.tell(missed)

    @database_sync_to_async
    def _allowed(self, topics: set[str]) -> set[str]:
        from portal.services.memberships import SESSION_KEY, actor_for_user

        session = self.scope.get("session")
        actor: Actor = actor_for_user(self.scope["user"].pk, session.get(SESSION_KEY) if session else None)
        return {topic for topic in topics if registry.may_follow(actor, topic)}

    async def tell(self, topics: list[str]) -> None:
        """Send a ping."""
        await self.send(json.dumps({"topics": topics}))
