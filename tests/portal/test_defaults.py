"""Safe unless told otherwise: headers, cookies, limits, and error pages in words."""

import io
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from portal.access import Audience
from portal.errors import Refused
from portal.files import store_file
from portal.registry import SubjectRef

pytestmark = pytest.mark.django_db


def policy(answer) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _space, value in parts if name}


def test_no_inline_script_and_no_foreign_hosts(client):
    for path in ("/", "/accounts/login/", "/nothing-here/"):
        rules = policy(client.get(path))
        assert rules["script-src"] == "'self'" and rules["object-src"] == "'none'" and rules["default-src"] == "'self'", path
        assert rules["frame-ancestors"] == "'self'" and rules["form-action"] == "'self'" and rules["base-uri"] == "'self'"


def test_headers(client):
    headers = client.get("/accounts/login/").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_cookies(people, client):
    client.post("/accounts/login/", {"login": "cara@acme.example", "password": "tandem-demo"})
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"] and session["samesite"] == "Lax"


def setting(name: str, **environment: str) -> str:
    """A setting as a fresh process reads it."""
    code = f"import portal.settings as s; print(repr(s.{name}))"
    env = os.environ | {"SECRET_KEY": "x"} | environment
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout.strip()


def test_behind_tls_everything_is_secure():
    for name in ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"):
        assert setting(name, SITE_URL="https://portal.example") == "True", name
    assert setting("SECURE_HSTS_SECONDS", SITE_URL="https://portal.example") == "31536000"


def test_a_file_too_large_is_refused_in_words(people, settings):
    settings.UPLOAD_MAX_BYTES = 10
    ref = SubjectRef("portal.organisation", people.cara.organisation_id)
    with pytest.raises(Refused, match="too large"):
        store_file(people.cara, ref, io.BytesIO(b"x" * 11), {Audience.CUSTOMER}, name="big.txt")
    with pytest.raises(Refused, match="could run"):
        store_file(people.cara, ref, io.BytesIO(b"x"), {Audience.CUSTOMER}, name="run.exe")


def test_a_body_beyond_the_limit_is_no_500(people, client):
    client.force_login(get_user_model().objects.get(email="cara@acme.example"))
    answer = client.post("/me/", {"name": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 10)})
    assert answer.status_code in (400, 413)


def test_not_found_says_so_with_a_way_on(client):
    page = client.get("/nothing-here/")
    assert page.status_code == 404 and "/home/" in page.content.decode()
    assert "Traceback" not in page.content.decode()


def test_an_error_of_ours_says_so_and_tells_nothing(people, monkeypatch):
    from portal.views import core

    def broken(_request):
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(core, "redirect", broken)
    client = Client(raise_request_exception=False)
    client.post("/accounts/login/", {"login": "cara@acme.example", "password": "tandem-demo"})
    page = client.get("/home/")
    assert page.status_code == 500
    text = page.content.decode()
    assert "secret of the inside" not in text and "<h1>" in text and "/home/" in text
