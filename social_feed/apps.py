"""What this package registers."""

from django.apps import AppConfig
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class SocialFeedConfig(AppConfig):
    """Messages by audience, the internal feed, notifications."""

    name = "social_feed"
    verbose_name = _("Feed")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the package offers."""
        from social_feed import process_news, subscriptions

        assert subscriptions  # its handlers register themselves
        process_news.register_process_stories()

        self.register_access()
        self.register_subjects()
        self.register_panels()
        self.register_menu()
        self.register_topics()
        self.register_search()
        self.register_follows()
        self.register_personal()

    def register_personal(self) -> None:
        """Where this package keeps something about a person."""
        from social_feed import personal

        personal.register()

    def register_follows(self) -> None:
        """Packages below ask by the registry what somebody follows."""
        from portal.registry import registry
        from social_feed.selectors.follows import followed_ids

        registry.use_follows(followed_ids)

    def register_access(self) -> None:
        """Administrators moderate; managers look after groups as well."""
        from portal.registry import registry
        from social_feed.access import FeedPermission

        registry.grant("administrator", *FeedPermission)
        registry.grant("manager", FeedPermission.MANAGE_GROUPS)

    def register_menu(self) -> None:
        """The workspace's entry."""
        from portal.access import Audience
        from portal.registry import MenuItem, registry

        registry.register_menu(MenuItem(Audience.INTERNAL, _("Feed"), "social_feed:feed", "news", order=20))

    def register_topics(self) -> None:
        """`feed:all` and `feed:<group>` tell of new posts, `bell:<person>` of one's own notifications."""
        from portal.registry import registry
        from social_feed.selectors.groups import may_read_group

        registry.register_topic("feed", may_read_group)
        registry.register_topic("bell", lambda actor, key: actor.user_id is not None and key == str(actor.user_id))

    def register_search(self) -> None:
        """Posts in the palette."""
        from portal.access import Audience
        from portal.registry import SearchProvider, registry
        from social_feed.selectors.posts import search_posts

        registry.register_search(SearchProvider("posts", _("Posts"), (Audience.INTERNAL,), search_posts, order=80))

    def register_subjects(self) -> None:
        """Messages and posts carry files of their own, so they are records."""
        from portal.registry import SubjectKind, registry
        from social_feed.access import MESSAGE, POST, visible_messages, visible_posts
        from social_feed.text import excerpt

        registry.register_subject(
            SubjectKind(
                key=MESSAGE,
                model="social_feed.Message",
                label=_("Message"),
                icon="message",
                visible=visible_messages,
                title=lambda row: excerpt(row.body, 60),
                url=lambda actor, pk: reverse("shared:message", args=[pk]),
                organisations=lambda pk: (),
            )
        )
        registry.register_subject(
            SubjectKind(
                key=POST,
                model="social_feed.Post",
                label=_("Post"),
                icon="news",
                visible=visible_posts,
                title=lambda row: excerpt(row.body, 60) or row.author_name,
                url=lambda actor, pk: reverse("social_feed:post", args=[pk]) if actor.is_internal else None,
                organisations=lambda pk: (),
            )
        )

    def register_panels(self) -> None:
        """The conversation and the files, for any record's card in every face."""
        from portal.access import SIGNED_IN, Audience
        from portal.registry import Panel, registry

        registry.register_panel(Panel("subject.messages", "shared:messages", _("Messages"), SIGNED_IN, order=10))
        registry.register_panel(Panel("subject.files", "shared:files", _("Files"), SIGNED_IN, order=20))
        registry.register_panel(Panel("subject.follow", "social_feed:follow-panel", _("Follow"), (Audience.INTERNAL,), order=10))
