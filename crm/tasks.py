"""Celery tasks of the customer base."""

from celery import shared_task

from crm.appointments.services import take_due_reminders
from crm.services.public_start import forget_unconfirmed as forget_now


@shared_task
def remind_of_appointments() -> None:
    """Tell both sides the day before."""
    while take_due_reminders():
        pass


@shared_task
def forget_unconfirmed() -> None:
    """Delete requests of visitors that nobody confirmed."""
    forget_now()
