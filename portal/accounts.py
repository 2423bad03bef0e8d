"""How allauth behaves here: people come by invitation, its mails leave like all letters, in our words."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from portal.mail import Letter, send_letter


class AccountAdapter(DefaultAccountAdapter):
    """Closed to self sign-up: an invitation or a web form of the site makes the account."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody signs up without an invitation."""
        return False

    def add_message(self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any) -> None:
        """Whoever signs in sees it from the page; a word of it would only lie over the page."""
        if message_template != "account/messages/logged_in.txt":
            super().add_message(request, level, message_template, *args, **kwargs)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Hand the mail to the outbox, so that a slow mail server never holds a page up."""
        site = SimpleNamespace(name=settings.WAGTAIL_SITE_NAME, domain=urlsplit(settings.SITE_URL).netloc)
        message = self.render_mail(template_prefix, email, {"email": email, "current_site": site} | context)
        html = next((str(a[0]) for a in getattr(message, "alternatives", []) if a[1] == "text/html"), "")
        text = str(message.body) if message.content_subtype == "plain" else ""
        with transaction.atomic():
            for address in message.to:
                send_letter(Letter(address, str(message.subject), text, html, is_secret=True), idempotency_key=f"account:{uuid.uuid4()}")

    def format_email_subject(self, subject: str) -> str:
        """The portal's name, then what the mail is about."""
        return f"{settings.WAGTAIL_SITE_NAME}: {subject}"
