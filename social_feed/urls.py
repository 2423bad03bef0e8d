"""Pages of the feed; portal/urls.py says where they stand and that only employees reach them."""

from django.urls import path

from social_feed.views import feed, groups

app_name = "social_feed"
urlpatterns: list = [
    path("feed/", feed.feed, name="feed"),
    path("feed/write/", feed.post_write, name="write"),
    path("feed/news/", feed.news, name="news"),
    path("feed/people/", feed.people, name="people"),
    path("feed/following/", groups.following, name="following"),
    path("feed/groups/", groups.groups, name="groups"),
    path("feed/groups/<int:group_id>/", groups.group, name="group"),
    path("feed/groups/<int:group_id>/join/", groups.group_join, name="group-join"),
    path("feed/<int:post_id>/", feed.post_page, name="post"),
    path("feed/<int:post_id>/edit/", feed.post_edit, name="post-edit"),
    path("feed/<int:post_id>/delete/", feed.post_delete, name="post-delete"),
    path("feed/<int:post_id>/restore/", feed.post_restore, name="post-restore"),
    path("feed/<int:post_id>/sign/", feed.post_sign, name="post-sign"),
    path("feed/<int:post_id>/comment/", feed.comment_write, name="comment"),
    path("feed/comments/<int:comment_id>/edit/", feed.comment_edit, name="comment-edit"),
    path("feed/comments/<int:comment_id>/delete/", feed.comment_delete, name="comment-delete"),
    path("feed/comments/<int:comment_id>/restore/", feed.comment_restore, name="comment-restore"),
    path("follow/", groups.follow, name="follow"),
    path("follow/<str:ref>/", groups.follow_panel, name="follow-panel"),
]
