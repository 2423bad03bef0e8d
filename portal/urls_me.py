"""A person's own pages, for everybody who is signed in."""

from django.urls import path

from portal.views import profile

urlpatterns = [
    path("", profile.profile, name="profile"),
]
