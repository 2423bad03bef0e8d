"""Addresses that visitors reach, besides the site's own pages."""

from django.urls import path

from portal.views import invitations, media, site

urlpatterns = [
    path("join/<str:token>/", invitations.join, name="join"),
    path("search/", site.search, name="site-search"),
    path("offers/<int:page_id>/<uuid:block_id>/", site.offer, name="site-offer"),
    path("answers/fitting/", site.fitting, name="fitting-articles"),
    path("answers/<int:page_id>/vote/", site.vote, name="article-vote"),
    path("sitemap.xml", site.site_map, name="sitemap"),
    path("robots.txt", site.robots, name="robots"),
    path("media/images/<path:path>", media.picture, name="site-picture"),
]
