"""Appointments in the cabinet."""

from django.urls import path

from customer_cabinet.views import appointments

urlpatterns = [
    path("appointments/", appointments.listing, name="appointments"),
    path("appointments/on/<str:ref>/", appointments.panel, name="appointments-panel"),
    path("appointments/<int:appointment_id>/", appointments.appointment, name="appointment"),
    path("appointments/<int:appointment_id>/book/", appointments.book, name="appointment-book"),
    path("appointments/<int:appointment_id>/other/", appointments.other, name="appointment-other"),
    path("appointments/<int:appointment_id>/move/", appointments.move, name="appointment-move"),
    path("appointments/<int:appointment_id>/cancel/", appointments.cancel, name="appointment-cancel"),
]
