"""The Celery application: workers and beat only wake the product up, the database holds the truth."""

import os
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import task_postrun, task_prerun, worker_process_init
from django.db import close_old_connections

from portal.embedded import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# It warns of pickled messages under root; this product's messages are JSON.
warnings.filterwarnings("ignore", category=SecurityWarning)

app = Celery("tandem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would close the database, and the whole pool of connections with it, around every task.
app.conf.CELERY_DB_REUSE_MAX = 1000


@worker_process_init.connect
def end_with_the_worker(**_: object) -> None:
    """A pool process is forked, and would outlive a worker that was killed."""
    die_with_parent()


@task_prerun.connect
@task_postrun.connect
def keep_usable_connections(task=None, **_: object) -> None:
    """A connection goes back to its pool after each task, and one that broke is closed, as around a page."""
    if not task.request.is_eager:
        close_old_connections()
