"""Appointments in the workspace."""

from django.urls import path

from crm.appointments import views

app_name = "crm_appointments"
urlpatterns = [
    path("appointments/", views.listing, name="list"),
    path("appointments/on/<str:ref>/", views.panel, name="panel"),
    path("appointments/on/<str:ref>/offer/", views.offer, name="offer"),
    path("appointments/<int:appointment_id>/", views.appointment, name="appointment"),
    path("appointments/<int:appointment_id>/again/", views.again, name="again"),
    path("appointments/<int:appointment_id>/move/", views.move, name="move"),
    path("appointments/<int:appointment_id>/cancel/", views.cancel, name="cancel"),
]
