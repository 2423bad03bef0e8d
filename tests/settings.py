"""The product's settings for a test run: every worker has a home, a database and a Valkey of its own, and mail stays in memory.

Set before `portal.settings` reads the environment. `TANDEM_TEST_RUN` names the run; parallel workers and the processes that
browser tests start inherit it, so all of them agree on every name below.
"""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
TEST_RUN = os.environ.setdefault("TANDEM_TEST_RUN", str(os.getpid()))
TEST_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
TEST_ROOT = Path(os.environ.setdefault("TANDEM_TEST_ROOT", str(Path(os.environ.get("TANDEM_HOME", CHECKOUT / ".tandem")) / "test")))
TEST_NAME = f"{TEST_RUN}-{TEST_WORKER}"
TEST_HOME = TEST_ROOT / TEST_NAME
WORKER_NUMBER = int(TEST_WORKER.removeprefix("gw")) if TEST_WORKER.startswith("gw") else 0
IN_PORTAL_PROCESS = "TANDEM_TEST_PORTAL" in os.environ  # a Daphne or Celery process started by a browser test

os.environ["TANDEM_HOME"] = str(TEST_HOME)
os.environ["LIVE_PREFIX"] = os.environ["CELERY_QUEUE"] = f"tandem-test-{TEST_NAME}"
GIVEN_REDIS = os.environ.setdefault("TANDEM_TEST_REDIS", os.environ.get("REDIS_URL", ""))
if GIVEN_REDIS:
    # A server of your own: the tests use its databases 8 to 15, one a worker, and empty them.
    os.environ["REDIS_URL"] = f"{GIVEN_REDIS.partition('?')[0].rstrip('/')}/{8 + WORKER_NUMBER % 8}"

from portal.settings import *  # noqa: E402, F403
from portal.settings import CACHES, CELERY_BEAT_SCHEDULE, DATABASES  # noqa: E402

MAINTENANCE_DATABASE = DATABASES["default"]["NAME"]  # where to say CREATE DATABASE, on a server
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["NAME"] = str(TEST_HOME / "test.sqlite3")
    DATABASES["default"]["OPTIONS"]["init_command"] += "PRAGMA synchronous=OFF;"
else:
    DATABASES["default"]["NAME"] = "tandem_test_" + TEST_NAME.replace("-", "_")
    # Threads of one test come and go, and a portal's pool would need seconds to notice that the database was made anew
    # between two tests; the supervised portal of tests/ops keeps its pool.
    DATABASES["default"]["OPTIONS"].pop("pool", None)

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = f"django.core.mail.backends.{'filebased' if IN_PORTAL_PROCESS else 'locmem'}.EmailBackend"
CACHES["default"]["KEY_PREFIX"] = f"tandem-test-{TEST_NAME}"
ACCOUNT_RATE_LIMITS = False
WHITENOISE_AUTOREFRESH = True  # the test client needs no list of every static file
CELERY_BEAT_SCHEDULE_FILENAME = str(TEST_HOME / "beat-schedule")
if IN_PORTAL_PROCESS:
    WHITENOISE_AUTOREFRESH = False
else:
    CELERY_BEAT_SCHEDULE.clear()
