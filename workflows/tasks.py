"""Wake-ups from beat: the database says what is due."""

from celery import shared_task

import workflows.senders  # noqa: F401  registers how calls are sent
from workflows.services.outbox import send_batch
from workflows.services.service_levels import look_at_clocks as look_now
from workflows.services.timers import run_due as run_due_now


@shared_task
def run_due() -> None:
    """Fire due timers, continue unfinished runs, hand over messages."""
    run_due_now()


@shared_task
def send_outbox() -> None:
    """Send what waits in the outbox."""
    while send_batch():
        pass


@shared_task
def look_at_clocks() -> None:
    """See which promises are at risk or broken, and tell."""
    look_now()
