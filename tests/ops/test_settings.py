"""Settings read from the environment, each case in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

SHOW = """
import json
from portal import settings as s
names = ["HOME", "PORT", "DEBUG", "SECRET_KEY", "SITE_URL", "CELERY_BROKER_URL", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE",
         "SECURE_HSTS_SECONDS", "SECURE_SSL_REDIRECT", "DATABASES", "CACHES", "CHANNEL_LAYERS", "ALLOWED_HOSTS"]
print(json.dumps({name: getattr(s, name) for name in names}, default=str))
"""


def settings_with(**environment: str) -> dict:
    """What the settings are where only these variables are set."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    words = [sys.executable, "-c", SHOW]
    result = subprocess.run(words, env={**kept, **environment}, capture_output=True, text=True, cwd=settings.BASE_DIR, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def home(tmp_path):
    """A data folder that doesn't exist yet."""
    return tmp_path / "data"


def test_defaults_are_an_embedded_safe_installation(home):
    found = settings_with(TANDEM_HOME=str(home))
    assert found["HOME"] == str(home) and home.is_dir()
    assert found["DEBUG"] is False
    database = found["DATABASES"]["default"]
    assert database["NAME"] == str(home / "tandem.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert str(home / "valkey.sock") in found["CELERY_BROKER_URL"]
    assert "*" not in found["ALLOWED_HOSTS"]


def test_the_secret_is_made_once_and_kept_for_its_owner_alone(home):
    first = settings_with(TANDEM_HOME=str(home))["SECRET_KEY"]
    assert len(first) >= 50 and settings_with(TANDEM_HOME=str(home))["SECRET_KEY"] == first
    assert (home / "secret-key").stat().st_mode & 0o077 == 0
    assert settings_with(TANDEM_HOME=str(home), SECRET_KEY="given")["SECRET_KEY"] == "given"


def test_servers_are_taken_from_the_environment(home):
    cache = "redis://cache.example:6380/3"
    found = settings_with(TANDEM_HOME=str(home), DATABASE_URL="postgres://ann:word@db.example:5433/portal", REDIS_URL=cache)
    database = found["DATABASES"]["default"]
    assert (database["ENGINE"], database["HOST"], database["PORT"], database["NAME"]) == (
        "django.db.backends.postgresql",
        "db.example",
        5433,
        "portal",
    )
    assert database["OPTIONS"]["pool"]
    assert found["CELERY_BROKER_URL"] == cache
    assert cache in json.dumps(found["CACHES"]) and cache in json.dumps(found["CHANNEL_LAYERS"])


def test_https_turns_secure_cookies_and_hsts_on(home):
    plain = settings_with(TANDEM_HOME=str(home), PORT="8123")
    assert plain["SITE_URL"] == "http://127.0.0.1:8123" and not plain["SESSION_COOKIE_SECURE"]
    safe = settings_with(TANDEM_HOME=str(home), SITE_URL="https://portal.example")
    assert safe["SESSION_COOKIE_SECURE"] and safe["CSRF_COOKIE_SECURE"] and safe["SECURE_SSL_REDIRECT"]
    assert safe["SECURE_HSTS_SECONDS"] >= 31536000
