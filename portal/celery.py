"""The Celery application: workers and beat only wake the product up, the database holds the truth."""

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import worker_process_init

from portal.embedded import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# It warns of pickled messages under root; this product's messages are JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("tandem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A pool process is forked, and would outlive a worker that was killed."""
    die_with_parent()
