"""Pictures of the public site. Files on records have a door of their own: `portal.views.core.download`."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from django.views.static import serve

from portal.access import public


@require_safe
@public
def picture(request: HttpRequest, path: str) -> HttpResponse:
    """A picture as Wagtail scaled it; its name changes with its content, so browsers may keep it."""
    response = serve(request, path, document_root=settings.MEDIA_ROOT / "images")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
