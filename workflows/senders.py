"""How outbox calls leave the house: mail through Django's backend, HTTP to hosts that the installation names."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils.translation import gettext as _

from portal.mail import Letter, attach
from workflows.models import OutboxCall
from workflows.services.outbox import SendFailed, enqueue_call, sender

TIMEOUT = 20
MAX_ANSWER = 64 * 1024


@sender("mail")
def send_mail(call: OutboxCall) -> dict[str, Any] | None:
    """Send one mail. Its Message-ID is made from the idempotency key, so that a repeated one can be told by the receiver."""
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    payload = call.payload
    digest = hashlib.sha256(call.idempotency_key.encode()).hexdigest()[:40]
    message = EmailMultiAlternatives(
        payload["subject"].replace("\n", " ").replace("\r", " "),
        payload["text"],
        None,
        payload["to"],
        headers={"Message-ID": f"<{digest}@{host}>", **payload.get("headers", {})},
        connection=get_connection(timeout=TIMEOUT) if "smtp" in settings.EMAIL_BACKEND else None,
    )
    if payload.get("html"):
        message.attach_alternative(payload["html"], "text/html")
    attach(message, payload)
    if not payload["to"]:
        raise SendFailed(_("The mail has no receiver."), for_good=True)
    message.send()
    return None


def keep_letter(letter: Letter, idempotency_key: str) -> None:
    """The kernel's letters leave through the outbox too: a row in the transaction that they tell of."""
    enqueue_call("mail", letter.payload() | {"to": [letter.to]}, idempotency_key=f"letter:{idempotency_key}")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect could lead off the list of allowed hosts."""

    def redirect_request(self, *args: Any) -> None:
        return None


@sender("http")
def post_json(call: OutboxCall) -> dict[str, Any]:
    """Post JSON with an `Idempotency-Key`; only to hosts in OUTBOX_HOSTS, so that a diagram can't reach the inside of the network."""
    url = str(call.payload["url"])
    parts = urlsplit(url)
    allowed = getattr(settings, "OUTBOX_HOSTS", [])
    if parts.scheme not in ("http", "https") or parts.netloc not in allowed:
        words = _("Calls to “%(host)s” aren't allowed; an administrator can add it to OUTBOX_HOSTS.")
        raise SendFailed(words % {"host": parts.netloc or url}, for_good=True)
    request = urllib.request.Request(  # noqa: S310  the scheme is checked above
        url,
        data=json.dumps(call.payload.get("json", {})).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": call.idempotency_key},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as response:
            return {"status": response.status, "body": _body(response.read(MAX_ANSWER))}
    except urllib.error.HTTPError as error:
        good_to_retry = error.code >= 500 or error.code in (408, 425, 429)
        raise SendFailed(_("The other side answered %(code)s.") % {"code": error.code}, for_good=not good_to_retry) from error
    except OSError as error:
        raise SendFailed(_("The other side can't be reached: %(why)s") % {"why": error}) from error


def _body(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
