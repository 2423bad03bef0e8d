"""What the kernel registers: roles and their grants."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from portal.numbers import whole_number


class PortalConfig(AppConfig):
    """The kernel."""

    name = "portal"
    verbose_name = "Portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the kernel offers."""
        from portal import lookups  # noqa: F401  its lookups register themselves

        self.register_roles()
        self.register_subjects()
        self.register_topics()
        self.register_site()
        self.register_menu()
        self.register_personal()
        self.register_sign_ins()
        self.register_news()

    def register_sign_ins(self) -> None:
        """What follows a sign-in."""
        from django.contrib.auth.signals import user_logged_in

        from portal.services.devices import begun

        def note(request=None, **rest) -> None:
            begun(getattr(getattr(request, "session", None), "session_key", None))

        user_logged_in.connect(note, weak=False, dispatch_uid="portal.devices")

    def register_news(self) -> None:
        """What is kept of the news is read anew when a page or what hides it changes."""
        from django.db.models.signals import post_delete, post_save
        from wagtail.models import PageViewRestriction
        from wagtail.signals import page_published, page_unpublished, post_page_move

        from portal.models import NewsPage
        from portal.selectors_site import NEWS

        def forget(**_rest) -> None:
            NEWS.forget()

        for signal in (page_published, page_unpublished, post_page_move):
            signal.connect(forget, weak=False, dispatch_uid="portal.news")
        post_delete.connect(forget, sender=NewsPage, weak=False, dispatch_uid="portal.news")
        for signal in (post_save, post_delete):
            signal.connect(forget, sender=PageViewRestriction, weak=False, dispatch_uid="portal.news.hidden")

    def register_roles(self) -> None:
        """The roles of the three audiences; packages grant them permissions of their own."""
        from portal.access import Audience, PortalPermission
        from portal.registry import Role, registry

        registry.register_role(
            Role("employee", Audience.INTERNAL, _("Employee")),
            Role("sales", Audience.INTERNAL, _("Sales")),
            Role("manager", Audience.INTERNAL, _("Manager")),
            Role("finance", Audience.INTERNAL, _("Finance")),
            Role("delivery", Audience.INTERNAL, _("Delivery")),
            Role("designer", Audience.INTERNAL, _("Process designer")),
            Role("administrator", Audience.INTERNAL, _("Administrator")),
            Role("customer_admin", Audience.CUSTOMER, _("Customer's administrator")),
            Role("customer_member", Audience.CUSTOMER, _("Customer's buyer")),
            Role("customer_approver", Audience.CUSTOMER, _("Customer's approver")),
            Role("customer_viewer", Audience.CUSTOMER, _("Customer's viewer")),
            Role("partner_admin", Audience.PARTNER, _("Partner's administrator")),
            Role("partner_member", Audience.PARTNER, _("Partner's colleague")),
        )
        registry.grant("administrator", *PortalPermission)
        registry.grant("sales", PortalPermission.INVITE_OUTSIDERS)
        registry.grant("manager", PortalPermission.INVITE_OUTSIDERS, PortalPermission.VIEW_AS)
        for audience in (Audience.CUSTOMER, Audience.PARTNER):
            for role in ("admin", "member"):
                registry.grant(f"{audience}_{role}", PortalPermission.TAKE_PART, PortalPermission.DO_STEPS)
            registry.grant(f"{audience}_admin", PortalPermission.INVITE_COLLEAGUES)
        registry.grant("customer_approver", PortalPermission.TAKE_PART)

    def register_subjects(self) -> None:
        """Organisations take part in audit, files and search like any record."""
        from portal.access import Audience
        from portal.querysets import visible_erasures, visible_organisations
        from portal.registry import SubjectKind, registry

        registry.register_subject(
            SubjectKind(
                key="portal.organisation",
                model="portal.Organisation",
                label=_("Organisation"),
                icon="building",
                visible=visible_organisations,
                title=lambda row: row.name,
                url=_organisation_url,
                organisations=lambda pk: [(Audience.CUSTOMER, pk), (Audience.PARTNER, pk)],
            )
        )
        registry.register_subject(
            SubjectKind(
                key="portal.erasure",
                model="portal.ErasureRequest",
                label=_("Erasure request"),
                icon="eraser",
                visible=visible_erasures,
                title=lambda row: f"{row.number} · {row.name}",
                url=lambda actor, pk: f"/work/settings/erasures/{pk}/" if actor.is_internal else "/me/data/",
                organisations=lambda pk: (),
            )
        )

    def register_topics(self) -> None:
        """A job's progress is followed by those who see the job."""
        from portal.querysets import visible_jobs
        from portal.registry import registry

        registry.register_topic("job", lambda actor, key: visible_jobs(actor).filter(pk=whole_number(key)).exists())

    def register_menu(self) -> None:
        """Settings, at the end of the administrators' navigation."""
        from portal.access import Audience, PortalPermission
        from portal.registry import MenuItem, registry

        registry.register_menu(
            MenuItem(
                Audience.INTERNAL, _("Settings"), "settings", "settings", 900, PortalPermission.ADMINISTER, section=_("Administration")
            )
        )

    def register_personal(self) -> None:
        """Where something about a person is kept, and the jobs of their own pages."""
        from portal import personal_rows
        from portal.services import exports  # noqa: F401  its job registers itself

        personal_rows.register()

    def register_site(self) -> None:
        """Every migrated database has a site to show."""
        from django.db.models.signals import post_migrate

        from portal.registry import registry
        from portal.selectors_site import site_providers

        for provider in site_providers():
            registry.register_search(provider)
        post_migrate.connect(_ensure_site, sender=self, dispatch_uid="portal.ensure_site")


def _organisation_url(actor, pk: int) -> str | None:
    """Where a conversation with an organisation as a whole stands: on its account's card, and among the messages of its own people."""
    if actor.is_internal:
        return f"/work/crm/organisations/{pk}/"
    return "/cabinet/messages/company/" if actor.is_customer and actor.organisation_id == pk else None


def _ensure_site(using: str, **_context) -> None:
    """Make the site once all tables are there."""
    from django.db import connections

    from portal.models import HomePage
    from portal.services.site import ensure_site

    if HomePage._meta.db_table in connections[using].introspection.table_names():
        ensure_site()
