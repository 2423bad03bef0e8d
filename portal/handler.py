"""Pages over ASGI, each in one of a few threads that stay."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_threads = ThreadPoolExecutor(settings.PAGE_THREADS, thread_name_prefix="page")


class PageHandler(ASGIHandler):
    """Django's handler for synchronous views: one thread from the first middleware to the last, and the same few for all pages.

    Django's own makes a thread for every request, which opens a database connection of its own (on SQLite that reads the whole schema),
    and goes from the event loop to that thread and back for every middleware that does something before or after the view.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """The synchronous chain, entered once a request."""
        super().load_middleware(is_async=False)
        chain = self._middleware_chain  # type: ignore[has-type]

        def page(request: HttpRequest) -> HttpResponseBase:
            close_old_connections()  # Django's signals do so in another thread than this
            try:
                return chain(request)
            finally:
                close_old_connections()

        self._middleware_chain = sync_to_async(page, thread_sensitive=False, executor=_threads)
