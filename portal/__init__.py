"""The kernel: settings, accounts, access, audit, files, live updates, registry, site pages, UI kit."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
