"""Celery tasks of the customer base."""

from celery import shared_task

from crm.appointments.services import take_due_reminders


@shared_task
def remind_of_appointments() -> None:
    """Tell both sides the day before."""
    while take_due_reminders():
        pass
