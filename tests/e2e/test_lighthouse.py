"""Lighthouse in the machine's own Chromium: every kind of public page as a phone loads it first, the cabinet's pages as they stand.

`tests/lighthouse/` holds Lighthouse itself, which `make test` installs.
"""

from __future__ import annotations

import json
import subprocess

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.infra.browser import chromium, session_cookie
from tests.infra.node import node

TOOL = settings.BASE_DIR / "tests" / "lighthouse"
ENOUGH = 95
TRIES = 3
SECONDS = 240  # for a machine that does much else beside; alone it takes less than a minute

PUBLIC = ["/", "/products/", "/products/{product}/", "/news/", "/help/", "/prices/", "/workshop-check/", "/start/form/"]
RESULTS = "/search/?q=roof"  # a page that search engines are told not to list
CABINET = ["/cabinet/", "/cabinet/requests/{request}/", "/cabinet/catalogue/", "/cabinet/catalogue/{product}/", "/cabinet/quotes/{quote}/"]
CABINET += ["/cabinet/messages/", "/cabinet/projects/{project}/", "/cabinet/cases/{case}/", "/cabinet/cases/new/"]


@pytest.mark.any_database
def test_every_page_scores_95(live_portal):
    if not (TOOL / "node_modules" / "lighthouse").exists() or (program := node()) is None:
        pytest.skip("Lighthouse isn't installed (python scripts/prepare.py lighthouse, which needs the npm registry)")
    if chromium() is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    call_command("seed_demo", verbosity=0)
    ids = _places()
    base = live_portal.base_url
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_cookie("cara@acme.example")}
    plan = {
        "chromium": chromium(),
        "enough": ENOUGH,
        "pages": [{"url": base + path.format(**ids), "tries": TRIES} for path in PUBLIC]
        + [{"url": base + RESULTS, "tries": TRIES, "skip": ["is-crawlable"]}],
        "looks": [{"url": base + path.format(**ids), "cookie": cookie} for path in CABINET],
    }
    words = [program, str(TOOL / "measure.mjs")]
    done = subprocess.run(words, input=json.dumps(plan), capture_output=True, text=True, timeout=SECONDS, check=False, cwd=TOOL)
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(plan["pages"]) + len(plan["looks"]), done.stderr[-3000:]
    low = [
        f"{one['url'].removeprefix(base)} {one['scores']} {one['error']}\n    " + "\n    ".join(one["failed"])
        for one in found
        if one["error"] or min(one["scores"].values()) < ENOUGH
    ]
    assert not low, "\n".join(low)


def _places() -> dict[str, int]:
    """Ids of the demo's rows that Cara may see."""
    from crm.models import Case, Product, Quote, Request
    from projects.models import Project

    return {
        "product": Product.objects.filter(is_public=True).first().pk,
        "request": Request.objects.filter(customer_organisation__name__startswith="Acme").first().pk,
        "quote": Quote.objects.filter(deal__request__customer_organisation__name__startswith="Acme").exclude(state="draft").first().pk,
        "project": Project.objects.filter(customer_organisation__name__startswith="Acme").first().pk,
        "case": Case.objects.filter(customer_organisation__name__startswith="Acme").first().pk,
    }
