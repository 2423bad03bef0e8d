"""Fragments that all signed-in audiences reach: messages, files and notifications on any record."""

from django.urls import path

from social_feed.views import messages, notifications

app_name = "shared"
urlpatterns: list = [
    path("messages/<str:ref>/", messages.messages_panel, name="messages"),
    path("messages/<str:ref>/recipients/", messages.recipients, name="message-recipients"),
    path("messages/<str:ref>/people/", messages.mentionable, name="mentionable"),
    path("message/<int:message_id>/", messages.message_address, name="message"),
    path("message/<int:message_id>/edit/", messages.message_edit, name="message-edit"),
    path("message/<int:message_id>/delete/", messages.message_delete, name="message-delete"),
    path("message/<int:message_id>/restore/", messages.message_restore, name="message-restore"),
    path("record-files/<str:ref>/", messages.files_panel, name="files"),
    path("bell/", notifications.bell, name="bell"),
    path("bell/count/", notifications.bell_count, name="bell-count"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/read/", notifications.notifications_read, name="notifications-read"),
    path("notifications/choices/", notifications.notification_choices, name="notification-choices"),
    path("notifications/<int:notification_id>/", notifications.notification_open, name="notification"),
]
