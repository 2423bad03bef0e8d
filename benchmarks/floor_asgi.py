"""ASGI entry of the floor page."""

from django.core.asgi import get_asgi_application

application = get_asgi_application()
