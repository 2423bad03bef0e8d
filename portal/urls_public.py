"""Addresses that visitors reach, besides the site's own pages."""

from django.urls import path

from portal.views import invitations, media

urlpatterns = [
    path("join/<str:token>/", invitations.join, name="join"),
    path("media/images/<path:path>", media.picture, name="site-picture"),
]
