"""Nobody reads what isn't theirs.

Rows of `tests/worlds/` hold `LEAK:<owner>` in their texts: `internal` for employees alone, `acme`, `birch`, `pine`, `quill` for that
organisation (and employees), `acme+pine` for both, a person's first name for that person alone, `nobody` for secrets. Every page,
fragment, export and file that a visitor can reach is read, and no foreign mark may be in it.
"""

from __future__ import annotations

import functools
import json

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.test import Client

from portal.personal import traces
from portal.services.exports import person_of
from tests.infra.crawl import MARK, Catch, crawl
from tests.infra.urls import OUR_APPS, Samples, all_addresses
from tests.world import build
from workflows.models import HumanTask

OUTSIDERS = {"acme", "birch", "pine", "quill"}
VISITORS = {  # who → (address, owners whose texts they may read, organisations whose very name they must not see)
    "anonymous": (None, set(), ("Acme Bikes", "Birch Bakery", "Pine Partners", "Quill Consulting")),
    "erin": ("erin@northwind.example", {"internal", *OUTSIDERS}, ()),
    "cara": ("cara@acme.example", {"acme"}, ("Birch Bakery", "Quill Consulting")),
    "colin": ("colin@acme.example", {"acme"}, ("Birch Bakery", "Quill Consulting")),
    "bea": ("bea@birch.example", {"birch"}, ("Acme Bikes", "Pine Partners")),
    "paul": ("paul@pine.example", {"pine"}, ("Quill Consulting",)),
    "quinn": ("quinn@quill.example", {"quill"}, ("Pine Partners", "Acme Bikes")),
}
SEARCHES = [f"/palette/?q={text}" for text in ("LEAK", "acme", "birch", "pine", "quill", "internal")]
# Tables that stay empty in the world; each with its reason.
EMPTY: dict[str, str] = {}


def may_read(owner: str, visitor: str, allowed: set[str]) -> bool:
    """Whether a text of `owner` (one, or several joined by +) may be shown to a visitor."""
    return any(part in allowed or part == visitor for part in owner.split("+"))


@pytest.fixture(scope="module")
def world_of_rows(django_db_setup, django_db_blocker):
    """The whole world and every address in it; undone after the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        samples = Samples(build(), most=12)
        yield (
            samples,
            [path for address in all_addresses() if not address.route.startswith(("cms/", "accounts/")) for path in samples.paths(address)],
        )
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def shown_to(world_of_rows):
    """What a visitor was shown in the whole world, crawled when first asked for."""
    _samples, starts = world_of_rows

    @functools.cache
    def catch(visitor: str) -> Catch:
        email, _owners, words = VISITORS[visitor]
        client = Client(raise_request_exception=False)
        if email:
            client.force_login(get_user_model().objects.get(email=email), backend="django.contrib.auth.backends.ModelBackend")
        own_first = sorted(starts, key=lambda path: path.startswith("/work/")) if visitor != "erin" else starts
        with transaction.atomic():
            found = crawl(client, ["/", *SEARCHES, *own_first], words)
            transaction.set_rollback(True)
        return found

    return catch


# One crawl a visitor: the tests that read it stay on one worker.
EACH = [pytest.param(visitor, marks=pytest.mark.xdist_group(f"leaks-{visitor}")) for visitor in VISITORS]


@pytest.mark.parametrize("visitor", EACH)
def test_no_foreign_text(visitor: str, shown_to):
    _email, allowed, _words = VISITORS[visitor]
    found = shown_to(visitor)
    foreign = {owner: sorted(set(pages))[:6] for owner, pages in found.owners.items() if not may_read(owner, visitor, allowed)}
    assert not foreign, f"{visitor} was shown {json.dumps(foreign, indent=1)}"


@pytest.mark.parametrize("visitor", EACH)
def test_no_foreign_organisation(visitor: str, shown_to):
    found = shown_to(visitor).words
    assert not found, f"{visitor} read a stranger's name: {json.dumps({w: sorted(set(p))[:6] for w, p in found.items()}, indent=1)}"


@pytest.mark.parametrize("visitor", EACH[1:])
def test_own_text_was_there(visitor: str, shown_to):
    """Guards the guard: the crawl does read pages that hold marked texts."""
    _email, allowed, _words = VISITORS[visitor]
    found = shown_to(visitor)
    assert any(may_read(owner, visitor, allowed) for owner in found.owners), f"{visitor} saw no text of their own on {found.read} pages"


@pytest.mark.parametrize("visitor", EACH[1:])
def test_no_foreign_text_in_the_export_of_ones_own_data(visitor: str, world_of_rows):
    email, allowed, _words = VISITORS[visitor]
    user = get_user_model().objects.get(email=email)
    with transaction.atomic():
        HumanTask.objects.update(started_by=user)  # who has started a process is linked to everybody's steps in it
        told = json.dumps([trace.export(person_of(user)) for trace in traces()], cls=DjangoJSONEncoder)
        transaction.set_rollback(True)
    foreign = {owner for owner in map(str.lower, MARK.findall(told)) if not may_read(owner, visitor, allowed)}
    assert not foreign, f"the export of {visitor} holds texts of {foreign}"


@pytest.mark.parametrize("model", [m._meta.label for p in OUR_APPS for m in apps.get_app_config(p).get_models()])
def test_every_table_has_a_row_in_the_world(model: str, world_of_rows):
    if model in EMPTY:
        pytest.skip(EMPTY[model])
    package = model.partition(".")[0]
    assert apps.get_model(model)._default_manager.exists(), (
        f"{model} has no row in the world: add one to tests/worlds/{package}.py, its texts marked LEAK:<owner>"
    )
