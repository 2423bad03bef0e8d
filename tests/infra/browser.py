"""Chromium for browser tests: where it is, a page signed in as somebody, accessibility, pictures when a test fails."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

ARTIFACTS = Path(__file__).resolve().parent.parent / "e2e" / "artifacts"
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def chromium() -> str | None:
    """The browser on this machine, if there is one."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    return None


def session_cookie(email: str) -> str:
    """Sign somebody in on the server's side; the key a browser has to hold."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.cached_db import SessionStore

    user = get_user_model().objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key


@dataclass
class LivePortal:
    """A running portal, as a browser test sees it."""

    processes: object

    @property
    def base_url(self) -> str:
        """Where it answers."""
        return self.processes.base_url

    def sign_in(self, page, email: str) -> None:
        """Sign this page's browser window in as somebody, without the sign-in form."""
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_cookie(email), "url": self.base_url}
        page.context.add_cookies([cookie])

    def kill(self, name: str) -> None:
        """End web, worker or beat as a crash would; `restart` brings them back."""
        self.processes.kill(name)

    def restart(self) -> None:
        """Start what was killed, as the supervisor would."""
        self.processes.start()

    def log(self, name: str) -> str:
        """What web, worker or beat printed."""
        return self.processes.log(name)


def accessibility_problems(page, *, ignore: tuple[str, ...] = ()) -> list[str]:
    """What axe finds against WCAG 2.2 A or AA on this page, each with its places."""
    from axe_playwright_python.sync_playwright import Axe

    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": tags}}).response["violations"]
    return [
        f"{violation['id']} ({violation['impact']}): {violation['help']}\n    "
        + "\n    ".join(node["html"][:200] for node in violation["nodes"][:5])
        for violation in found
        if violation["id"] not in ignore
    ]


def assert_accessible(page, *, ignore: tuple[str, ...] = ()) -> None:
    """Fail, with the places, when axe finds anything against WCAG 2.2 A or AA on this page."""
    lines = accessibility_problems(page, ignore=ignore)
    assert not lines, f"axe on {page.url}:\n" + "\n".join(lines)


def keep_picture(page, name: str) -> Path:
    """Keep a picture of the page among the artifacts."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTIFACTS / f"{name}.png"
    page.screenshot(path=str(path), full_page=True)
    return path
