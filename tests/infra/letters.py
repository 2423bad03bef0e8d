"""Mail in tests: send what waits in the outbox, then read it; or read what a running portal has sent."""

from __future__ import annotations

import email
import email.policy
import time
from pathlib import Path

from django.conf import settings
from django.core import mail


def letters() -> list[mail.EmailMessage]:
    """All mail so far, the newest last."""
    from workflows.services.outbox import send_batch

    send_batch()
    return mail.outbox


def letters_to(address: str, seconds: float = 30, folder: Path | None = None, *, at_least: int = 1) -> list[str]:
    """The words of the letters that a running portal has sent to an address; waits for the first, or for so many."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = [text for to, text in _sent(folder or settings.EMAIL_FILE_PATH) if address in to]
        if len(found) >= at_least:
            return found
        time.sleep(0.1)
    raise AssertionError(f"no letter came to {address}")


def _sent(folder: Path) -> list[tuple[str, str]]:
    files = sorted(folder.glob("*.log"))
    raw = [part for path in files for part in path.read_bytes().split(b"\n" + b"-" * 79 + b"\n") if part.strip()]
    read = [email.message_from_bytes(part, policy=email.policy.default) for part in raw]
    return [(str(letter["To"]), letter.get_body(("plain",)).get_content()) for letter in read]
