"""Pages over ASGI: in few threads that stay, each with a database connection of its own."""

import asyncio
import json
import threading
from contextvars import ContextVar

import pytest
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone, translation
from django.utils.translation import get_language

from portal.access import public
from portal.events import bulk, in_bulk
from portal.handler import PageHandler


@public
def where(request: HttpRequest) -> JsonResponse:
    """Which thread made this page, and on which connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"thread": threading.current_thread().name, "connection": id(connection.connection)})


@public
def breaks(request: HttpRequest) -> JsonResponse:
    """A page that leaves its connection in a broken transaction."""
    connection.set_autocommit(False)
    raise RuntimeError


shown = ContextVar("shown", default="")


@public
def settles(request: HttpRequest) -> JsonResponse:
    """What the page before has left behind; this one leaves its own language, zone and context."""
    found = [get_language(), timezone.get_current_timezone_name(), shown.get(), len(connection.run_on_commit), in_bulk()]
    translation.activate("ru")
    timezone.activate("Asia/Tokyo")
    shown.set("somebody's")
    bulk().__enter__()
    return JsonResponse({"found": found})


urlpatterns = [path("where/", where), path("breaks/", breaks), path("settles/", settles)]
handler404 = handler500 = "django.views.defaults.server_error"


@pytest.fixture
def no_middleware(settings):
    """Nothing that sets what a page before might have left."""
    settings.MIDDLEWARE = []


@pytest.fixture
def ask(transactional_db, settings):
    """`await ask("/where/")`: the status and body that our handler gives over ASGI."""
    settings.ROOT_URLCONF = __name__
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False
    handler = PageHandler()

    async def asked(address: str) -> tuple[int, bytes]:
        scope = {"type": "http", "method": "GET", "path": address, "raw_path": address.encode(), "query_string": b"", "headers": []}
        line = ApplicationCommunicator(handler, scope | {"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)})
        await line.send_input({"type": "http.request", "body": b""})
        begun, body = await line.receive_output(10), await line.receive_output(10)
        await line.wait(10)
        return begun["status"], body["body"]

    return asked


async def test_pages_share_a_few_threads(ask):
    found = await asyncio.gather(*(ask("/where/") for _ in range(3 * settings.PAGE_THREADS)))
    names = {json.loads(body)["thread"] for status, body in found if status == 200}
    assert len(found) == 3 * settings.PAGE_THREADS and {status for status, _body in found} == {200}
    assert 1 <= len(names) <= settings.PAGE_THREADS and all(name.startswith("page") for name in names)


async def test_nothing_of_a_page_is_left_for_the_next_one_of_its_thread(no_middleware, ask):
    first = json.loads((await ask("/settles/"))[1])
    assert first["found"][2:] == ["", 0, False]
    for _ in range(2 * settings.PAGE_THREADS):
        assert json.loads((await ask("/settles/"))[1]) == first


async def test_a_thread_keeps_its_connection(ask):
    if settings.DATABASES["default"].get("CONN_MAX_AGE", 0) is not None:
        pytest.skip("on this database a pool keeps the connections")
    found = [json.loads((await ask("/where/"))[1]) for _ in range(3 * settings.PAGE_THREADS)]
    assert len({(page["thread"], page["connection"]) for page in found}) == len({page["thread"] for page in found})


async def test_a_connection_left_broken_is_not_given_to_the_next_page(ask):
    for _ in range(2 * settings.PAGE_THREADS):
        assert (await ask("/breaks/"))[0] == 500
    assert (await ask("/where/"))[0] == 200
