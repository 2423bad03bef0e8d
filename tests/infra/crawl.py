"""Reads everything a visitor can reach: every address with real ids, then every link, fragment and form address found there."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter, deque
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import parse_qsl, urlsplit

from django.db import transaction
from django.test import Client
from django.urls import Resolver404, resolve

LINK = re.compile(r"""(?:href|src|hx-get|data-url|data-live-url|data-src|action)=["']([^"'#]+)""")
MARK = re.compile(r"LEAK[:\-]([a-z]+(?:\+[a-z]+)*)", re.IGNORECASE)
SKIPPED = ("/static/", "/accounts/logout", "/cms/", "/ws/")
A_ROUTE = 12  # pages read of one route and set of query keys


@dataclass
class Catch:
    """What one visitor was shown: owners of marked texts, and other words to look for, each with the pages that showed it."""

    owners: dict[str, list[str]] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)
    read: int = 0


def text_of(answer) -> str:
    """All text of an answer; archives (XLSX, DOCX, ZIP) are opened."""
    body = b"".join(answer) if answer.streaming else answer.content
    if body[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"\n".join(archive.read(name) for name in archive.namelist() if not name.endswith("/"))
    headers = " ".join(f"{k}: {v}" for k, v in answer.headers.items())
    return headers + body.decode("utf-8", "replace")


def crawl(client: Client, starts: list[str], words: tuple[str, ...] = (), limit: int = 1500) -> Catch:
    """Visit everything from `starts` on, plain and as htmx asks for it."""
    catch, seen, routes = Catch(), set(), Counter()
    queue = deque(starts)
    while queue and catch.read < limit:
        path = queue.popleft()
        if path in seen or not path.startswith("/") or path.startswith(("//", *SKIPPED)):
            continue
        seen.add(path)
        parts = urlsplit(path)
        try:
            route = resolve(parts.path).route
        except Resolver404:
            continue
        kind = (route, tuple(sorted({key for key, _value in parse_qsl(parts.query)})))
        if routes[kind] >= A_ROUTE and path not in starts:
            continue
        routes[kind] += 1
        for headers in ({}, {"HTTP_HX_REQUEST": "true"}):
            with transaction.atomic():  # a page that fails in the database must not spoil the next
                answer = client.get(path, **headers)
                text = text_of(answer)
                transaction.set_rollback(True)
            catch.read += 1
            for match in MARK.finditer(text):
                catch.owners.setdefault(match[1].lower(), []).append(path)
            for word in words:
                if word in text:
                    catch.words.setdefault(word, []).append(path)
            if "Location" in answer:
                queue.append(urlsplit(answer["Location"])._replace(scheme="", netloc="").geturl())
            if answer.status_code == 200 and "html" in answer.get("Content-Type", ""):
                queue.extend(
                    unescape(link) if link.startswith("/") else parts.path + unescape(link)
                    for link in LINK.findall(text)
                    if link[0] in "/?"
                )
    return catch
