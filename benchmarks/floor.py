"""The floor: the least that a signed-in page can cost on this machine with this stack.

Plain Django on Daphne: session, user, three queries, one template with rows. Settings, address, view and data in one module,
on a database of its own beside the portal's.
"""

import os

from django.http import HttpRequest, HttpResponse
from django.urls import path

ROWS = 50
MOST_ROWS = 2000
TEMPLATE = """<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body>
<h1>{{ title }}</h1><p>{{ user.username }}, {{ total }}</p>
<table><thead><tr><th>Name</th><th>Code</th><th>Group</th></tr></thead><tbody>{% for row in rows %}
<tr><td><a href="/{{ row.pk }}/">{{ row.name }}</a></td><td>{{ row.codename }}</td><td>{{ row.content_type_id }}</td></tr>{% endfor %}
</tbody></table></body></html>"""

SECRET_KEY = "only-for-measuring"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.floor"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"]
_loaders = [("django.template.loaders.cached.Loader", [("django.template.loaders.locmem.Loader", {"floor.html": TEMPLATE})])]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": _loaders, "context_processors": ["django.contrib.auth.context_processors.auth"]},
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
DATABASES: dict = {}
if os.environ.get("BENCH_FLOOR_DATABASE"):
    import dj_database_url

    DATABASES["default"] = dj_database_url.parse(os.environ["BENCH_FLOOR_DATABASE"])
    if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}
    else:
        DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 8}}


def page(request: HttpRequest) -> HttpResponse:
    """Session and user (two queries), a count and the rows; `?rows=` of them, so that the page is as long as the one beside it."""
    from django.contrib.auth.models import Permission
    from django.shortcuts import render

    rows = Permission.objects.order_by("pk")[: int(request.GET.get("rows", ROWS))]
    found = {"title": "The floor", "total": Permission.objects.count(), "rows": rows}
    return render(request, "floor.html", found)


urlpatterns = [path("", page)]


def fill() -> str:
    """Make tables, rows and a signed-in session; give the session's key. Runs in a process of its own."""
    import django

    django.setup()
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import Permission, User
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    kind = ContentType.objects.get_for_model(User)
    Permission.objects.bulk_create(
        [Permission(name=f"Row number {number}", codename=f"row-{number}", content_type=kind) for number in range(MOST_ROWS)],
        ignore_conflicts=True,
    )
    user, _ = User.objects.get_or_create(username="floor")
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


if __name__ == "__main__":
    print(fill())
