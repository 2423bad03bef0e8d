"""Every address × every kind of visitor: access is declared, the declaration holds, and nothing ever answers 500."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client

from portal.access import Actor, Audience
from tests.infra.urls import Address, Samples, all_addresses
from tests.world import build

VISITORS = {
    "anonymous": None,
    "employee": "erin@northwind.example",
    "administrator": "adam@northwind.example",
    "customer A": "cara@acme.example",
    "customer B": "bea@birch.example",
    "partner A": "paul@pine.example",
    "partner B": "quinn@quill.example",
}
FACES = {"work/": {Audience.INTERNAL}, "cabinet/": {Audience.CUSTOMER}, "partner/": {Audience.PARTNER}, "cms/": {Audience.INTERNAL}}
ADDRESSES = all_addresses()
OURS = [a for a in ADDRESSES if a.is_ours]
THEIRS = [a for a in ADDRESSES if not a.is_ours and not a.is_regex and "<" not in a.route and a.route != "cms/failwhale/"]
READ = {200, 204, 301, 302, 304, 400, 404, 405, 409}
WRITE = READ | {403, 413, 422}
# Addresses that need something a test can't have in hand; each with its reason.
NO_SAMPLE: dict[str, str] = {}
# Addresses that nobody among the visitors reaches with the world's rows; each with its reason.
FOR_OTHERS: dict[str, str] = {
    "/work/feed/comments/<int:comment_id>/edit/": "only a comment's author edits it",
    "/work/feed/<int:post_id>/edit/": "only a post's author edits it",
}


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker):
    """The whole world, a client and an actor for each visitor; undone after the module."""
    with django_db_blocker.unblock():
        undo = transaction.atomic()
        undo.__enter__()
        try:
            world = build()
            clients: dict[str, tuple[Client, Actor]] = {}
            for visitor, email in VISITORS.items():
                client = Client(raise_request_exception=False)
                actor = Actor.anonymous()
                if email:
                    client.force_login(get_user_model().objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
                    actor = world.actor(email)
                clients[visitor] = (client, actor)
            yield clients, Samples(world, most=2)
        finally:
            transaction.set_rollback(True)
            undo.__exit__(None, None, None)


def visit(client: Client, method: str, path: str, **headers) -> tuple[int, str]:
    """One request whose effects are undone."""
    with transaction.atomic():
        answer = getattr(client, method)(path, **headers)
        status, location = answer.status_code, answer.get("Location", "")
        if answer.streaming and not answer.is_async:
            for _chunk in answer:
                pass
        transaction.set_rollback(True)
    return status, location


@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_access_is_declared(address: Address):
    assert address.access is not None, f"{address} ({address.view.__module__}) declares no access: use @requires, @public or audience_urls"


@pytest.mark.parametrize("address", [a for a in ADDRESSES if a.route.startswith(tuple(FACES))], ids=str)
def test_a_face_admits_only_its_audience(address: Address):
    audiences = next(allowed for prefix, allowed in FACES.items() if address.route.startswith(prefix))
    assert address.access and address.access.audiences <= audiences, f"{address} is open to {sorted(address.access.audiences)}"


@pytest.mark.parametrize("address", OURS, ids=str)
def test_our_address(address: Address, house):
    clients, samples = house
    paths = samples.paths(address)
    if not paths:
        assert address.name in NO_SAMPLE, (
            f"no sample for {address}: add a row to the world, or `samples()` to tests/worlds/{address.package}.py"
        )
        pytest.skip(NO_SAMPLE[address.name])
    reached = False
    for visitor, (client, actor) in clients.items():
        admitted = address.access.admits(actor)
        for path in paths if admitted else paths[:2]:
            for method, allowed in (("get", READ), ("post", WRITE)):
                for headers in ({}, {"HTTP_HX_REQUEST": "true"}) if admitted else ({},):
                    status, location = visit(client, method, path, **headers)
                    what = f"{method} {path} as {visitor} {'(htmx) ' if headers else ''}→ {status} {location}"
                    if admitted:
                        assert status in allowed, what
                        reached = reached or status not in (404, 405)
                    elif actor.is_anonymous:
                        assert status == 302 and "/accounts/login/" in location, what
                    else:
                        assert status in (404, 405), what  # 405: the view knows no such method, for anybody
    assert reached or "<" not in address.route or str(address) in FOR_OTHERS, (
        f"{address}: every visitor got 404 for every sample {paths[:4]}"
    )


@pytest.mark.parametrize("address", THEIRS, ids=str)
def test_third_party_address(address: Address, house):
    """Trees that others wrote: no 500, and the gate in front of them holds."""
    clients, _samples = house
    for visitor, (client, actor) in clients.items():
        status, location = visit(client, "get", f"/{address.route}")
        what = f"get {address} as {visitor} → {status} {location}"
        if address.access.admits(actor):
            assert status < 500, what
        elif actor.is_anonymous:
            assert status == 302 and "/accounts/login/" in location, what
        else:
            assert status == 404, what


def test_the_walk_sees_the_house():
    """Guards the guard: the walk finds all faces and the third parties."""
    routes = {a.route for a in ADDRESSES}
    assert {"home/", "health/", "files/<uuid:file_id>/"} <= routes
    assert any(re.match(r"accounts/login", r) for r in routes) and any(r.startswith("cms/") for r in routes)
