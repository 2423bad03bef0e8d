"""Addresses: see portal/urls.py for who reaches them."""

from django.urls import path

from portal.views import ui_kit

urlpatterns = [
    path("ui-kit/", ui_kit.show, name="ui-kit"),
    path("ui-kit/<slug:example>.json", ui_kit.example_data, name="ui-kit-data"),
    path("ui-kit/move/", ui_kit.move, name="ui-kit-move"),
    path("ui-kit/peek/", ui_kit.peek, name="ui-kit-peek"),
]
