"""What the partner programme registers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PartnersConfig(AppConfig):
    """The partner area."""

    name = "partners"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the package offers."""
        from partners import connectors  # noqa: F401  registering is its purpose

        self.register_access()
        self.register_subjects()
        self.register_topics()
        self.register_menu()
        self.register_choices()
        self.register_stories()
        self.register_personal()

    def register_personal(self) -> None:
        """Where this package keeps something about a person."""
        from partners import personal

        personal.register()

    def register_stories(self) -> None:
        """What the partner programme tells in the feed."""
        from partners.stories import register_partner_stories

        register_partner_stories()

    def register_access(self) -> None:
        """Who sees and decides what."""
        from partners.access import PartnerPermission as P
        from portal.registry import registry

        for role in ("employee", "sales", "manager", "finance", "delivery", "designer", "administrator"):
            registry.grant(role, P.VIEW)
        registry.grant("manager", P.DECIDE_REGISTRATION, P.EDIT_PROGRAMME)
        registry.grant("administrator", *P)
        for role in ("partner_admin", "partner_member"):
            registry.grant(role, P.REGISTER_DEAL)

    def register_subjects(self) -> None:
        """A registration and a programme are records with addresses."""
        from django.urls import reverse

        from partners.access import visible_programmes, visible_registrations
        from partners.selectors import organisations_of_registration
        from portal.access import Audience
        from portal.registry import SubjectKind, registry

        def urls(work: str, partner: str):
            names = {Audience.INTERNAL: work, Audience.PARTNER: partner}
            return lambda actor, pk: reverse(names[actor.audience], args=[pk]) if names.get(actor.audience) else None

        registry.register_subject(
            SubjectKind(
                key="partners.registration",
                model="partners.DealRegistration",
                label=_("Deal registration"),
                icon="file-text",
                visible=visible_registrations,
                title=str,
                url=urls("partners_work:registration", "partners:registration"),
                organisations=organisations_of_registration,
                of_organisation=True,
                facts="number state amount amount_currency expected_close conflict decision_due protected_until company product_id deal_id"
                " partner_organisation_id",
            )
        )
        registry.register_subject(
            SubjectKind(
                key="partners.programme",
                model="partners.Programme",
                label=_("Partner programme"),
                icon="shield-check",
                visible=visible_programmes,
                title=str,
                organisations=lambda pk: (),
                url=lambda actor, pk: reverse("partners:contract") if actor.is_partner else reverse("partners_work:programme", args=[pk]),
            )
        )

    def register_topics(self) -> None:
        """A partner's home is live for its own people."""
        from portal.registry import registry

        registry.register_topic("partner", lambda actor, key: actor.is_internal or (actor.is_partner and str(actor.organisation_id) == key))
        registry.register_topic("programme", lambda actor, key: actor.is_internal or actor.is_partner)

    def register_menu(self) -> None:
        """Entries of the partner area, and of the workspace."""
        from partners.access import PartnerPermission
        from portal.access import Audience
        from portal.registry import MenuItem, registry
        from workflows.selectors import waiting_badge

        partner = Audience.PARTNER
        registry.register_menu(
            MenuItem(
                partner,
                _("Home"),
                "partners:home",
                "home",
                10,
                badge=waiting_badge,
                topic=lambda actor: f"inbox:user:{actor.user_id} inbox:partner:{actor.organisation_id}",
            ),
            MenuItem(partner, _("Joint deals"), "partners:deals", "briefcase", 20),
            MenuItem(partner, _("Registrations"), "partners:registrations", "file-text", 30),
            MenuItem(partner, _("Projects"), "partners:projects", "target-arrow", 40),
            MenuItem(partner, _("What we share"), "partners:contract", "shield-check", 50),
            MenuItem(partner, _("Our team"), "partners:team", "users", 60),
            MenuItem(Audience.INTERNAL, _("Partners"), "partners_work:partners", "users", 60, permission=PartnerPermission.VIEW),
        )

    def register_choices(self) -> None:
        """What the form field “partner” offers."""
        from partners.selectors import partner_choices
        from workflows.connector_registry import register_choices

        register_choices("partner", partner_choices)
