"""Whose address a request has, behind proxies and without."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from portal.middleware import AddressMiddleware


@pytest.mark.parametrize(
    ("trusted", "told", "address"),
    [
        (0, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (2, "6.6.6.6, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "203.0.113.7:5100", "203.0.113.7"),
        (1, "[2001:db8::7]:5100", "2001:db8::7"),
        (1, "2001:db8::7", "2001:db8::7"),
        (1, "unknown", "10.0.0.1"),
        (1, "<script>", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, None, "10.0.0.1"),
    ],
)
def test_only_trusted_proxies_are_believed(settings, trusted, told, address):
    settings.TRUSTED_PROXIES = trusted
    seen = []
    middleware = AddressMiddleware(lambda request: seen.append(request.META["REMOTE_ADDR"]) or HttpResponse())
    headers = {"X-Forwarded-For": told} if told is not None else {}
    middleware(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers=headers))
    assert seen == [address]
