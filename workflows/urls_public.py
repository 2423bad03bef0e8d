"""Addresses that stand in letters and need no sign-in; portal/urls.py opens them to visitors."""

from django.urls import path

from workflows.views import links

urlpatterns = [path("decide/<str:token>/", links.decide, name="decide")]
