"""Live frames name topics alone, and only of what their reader may see."""

from __future__ import annotations

import json

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.test import Client

from portal.access import Actor
from portal.live import ping
from portal.registry import registry
from tests.infra.crawl import MARK
from tests.test_leaks import VISITORS
from tests.world import build


@pytest.mark.django_db(transaction=True)
async def test_websocket_frames_hold_topics_alone():
    """Each visitor asks to follow everything there is, and hears only of what they may see; frames never carry data."""
    from portal.asgi import application

    world = await sync_to_async(build)()
    topics, visible = await sync_to_async(_topics)(world)
    for visitor, (email, _owners, _words) in VISITORS.items():
        socket = WebsocketCommunicator(application, "/ws/live/", headers=await sync_to_async(_headers)(email))
        connected, _code = await socket.connect()
        if email is None:
            assert not connected
            continue
        await socket.send_json_to({"follow": topics})
        following = set((await socket.receive_json_from(timeout=5))["following"])
        strange = following - visible[visitor]
        assert not strange, f"{visitor} follows {sorted(strange)[:6]}"
        assert following, f"{visitor} follows nothing of {len(topics)} topics"
        await sync_to_async(ping)(*topics)
        frame = await socket.receive_from(timeout=5)
        assert set(json.loads(frame)) == {"topics"} and set(json.loads(frame)["topics"]) <= following
        assert not MARK.search(frame)
        await socket.disconnect()


def _topics(world) -> tuple[list[str], dict[str, set[str]]]:
    """Topics of all subjects, and those of records each visitor may see; asked by gates, not by the code under test."""
    system = Actor.system("tests")
    everything = {f"{key}:{pk}" for key, kind in registry.subjects.items() for pk in kind.visible(system).values_list("pk", flat=True)[:20]}
    visible = {}
    for visitor, (email, _owners, _words) in VISITORS.items():
        actor = world.actor(email) if email else Actor.anonymous()
        visible[visitor] = {
            f"{key}:{pk}" for key, kind in registry.subjects.items() for pk in kind.visible(actor).values_list("pk", flat=True)
        }
    return sorted(everything)[:200], visible


def _headers(email: str | None) -> list[tuple[bytes, bytes]]:
    headers = [(b"origin", b"http://testserver"), (b"host", b"testserver")]
    if email:
        client = Client()
        client.force_login(get_user_model().objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
        cookie = "; ".join(f"{k}={v.value}" for k, v in client.cookies.items())
        headers.append((b"cookie", cookie.encode()))
    return headers
