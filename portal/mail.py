"""Letters to people: written in their language, kept with the facts they tell of, sent by whoever registered as the sender.

    send_mail_later("bea@birch.example", _("Your quote"), "crm/mail/quote", {"url": …}, idempotency_key="quote:12:sent")

renders `crm/mail/quote.txt` (and `crm/mail/quote.html` where there is one) at once. The outbox of `workflows` registers itself with
`use_sender`, so a letter is a row in the caller's transaction; without an outbox it is sent right after commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils import translation
from django.utils.encoding import force_str

from portal.events import after_commit


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, ready to go; `payload()` is what an outbox row holds."""

    to: str
    subject: str
    text: str
    html: str = ""
    is_secret: bool = False  # holds a link or code that lets somebody in: not to be kept once it is sent
    attachments: list[dict[str, str]] = field(default_factory=list)  # name, content, type: text alone, such as a calendar's entry

    def payload(self) -> dict[str, Any]:
        """The letter as plain JSON values."""
        return asdict(self)


Sender = Callable[[Letter, str], None]
_senders: list[Sender] = []


def use_sender(sender: Sender) -> None:
    """Hand all letters to `sender(letter, idempotency_key)`, called in the transaction that the letter tells of."""
    _senders[:] = [sender]


def send_now(payload: dict[str, Any]) -> None:
    """Give a letter to the mail server; raises what the server answers. For the outbox, not for pages."""
    message = EmailMultiAlternatives(payload["subject"], payload["text"], settings.DEFAULT_FROM_EMAIL, [payload["to"]])
    if payload.get("html"):
        message.attach_alternative(payload["html"], "text/html")
    attach(message, payload)
    message.send()


def attach(message: EmailMultiAlternatives, payload: dict[str, Any]) -> None:
    """Put a letter's attachments to a mail."""
    for one in payload.get("attachments", ()):
        message.attach(one["name"], one["content"], one["type"])


def send_letter(letter: Letter, *, idempotency_key: str) -> None:
    """Send a letter that is written already: through the outbox, else right after commit."""
    if _senders:
        _senders[0](letter, idempotency_key)
    else:
        after_commit(lambda: send_now(letter.payload()))


def send_mail_later(
    to: str,
    subject: object,
    template: str,
    context: dict[str, Any],
    *,
    idempotency_key: str,
    language: str = "",
    is_secret: bool = False,
    attachments: list[dict[str, str]] | None = None,
) -> None:
    """Write a letter from templates and send it once for this key, in the reader's language."""
    with translation.override(language or settings.LANGUAGE_CODE):
        full = {"site_name": settings.WAGTAIL_SITE_NAME, "site_url": settings.SITE_URL, "subject": force_str(subject)} | context
        text = get_template(f"{template}.txt").render(full)
        try:
            html = get_template(f"{template}.html").render(full)
        except TemplateDoesNotExist:
            html = ""
        letter = Letter(to, " ".join(force_str(subject).split()), text.strip() + "\n", html, is_secret, attachments or [])
    send_letter(letter, idempotency_key=idempotency_key)


def absolute(path: str) -> str:
    """The full address of a page, for letters."""
    return f"{settings.SITE_URL}{path}"
