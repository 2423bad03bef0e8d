"""What this package registers: the table of contents of the customer base and of sales."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

# What processes may read of a record (see portal.registry.SubjectKind).
FACTS = {
    "account": "name sector revenue revenue_currency employees year_established office_location parent_id owner__user_id organisation_id",
    "contact": "account_id job_title user_id",
    "lead": "company source state reason product_id owner__user_id account_id contact_id request_id",
    "product": "name series category list_price list_price_currency is_public is_active needs_partner",
    "request": "title source state outcome account_id contact_id product_id customer_organisation_id",
    "case": "title category severity state answer_by answered_at rating reopened account_id contact_id customer_organisation_id",
    "deal": "title stage outcome amount amount_currency list_price discount_percent engage_date expected_close close_date close_value"
    " lost_reason next_step partner_state account_id contact_id product_id request_id owner__user_id"
    " customer_organisation_id partner_organisation_id",
    "quote": "deal_id request_id version state discount_percent subtotal total total_currency valid_until sent_at decided_at"
    " customer_organisation_id",
}


class CrmConfig(AppConfig):
    """Customer base and sales."""

    name = "crm"
    verbose_name = "CRM"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the package offers."""
        self.register_stories()
        self.register_grants()
        self.register_subjects()
        self.register_menu()
        self.register_panels()
        self.register_topics()
        self.register_searches()
        self.register_choices()
        self.register_worth()
        self.register_import()
        self.register_personal()
        import_module("crm.subscriptions")
        import_module("crm.appointments.subscriptions")

    def register_personal(self) -> None:
        """Where this package keeps something about a person."""
        from crm import personal

        personal.register()

    def register_import(self) -> None:
        """The import's entry in the workspace; its jobs are registered by being imported."""
        from crm.access import CrmPermission
        from portal.access import Audience
        from portal.registry import MenuItem, registry

        import_module("crm.importing.starting")
        registry.register_menu(
            MenuItem(Audience.INTERNAL, _("Import"), "crm_import:imports", "file-import", order=90, permission=CrmPermission.IMPORT)
        )

    def register_grants(self) -> None:
        """What the portal's roles may do here."""
        from crm.access import CrmPermission as P
        from portal.registry import registry

        registry.grant("employee", P.VIEW)
        registry.grant("sales", P.VIEW, P.EDIT, P.ASK_DOCUMENTS)
        registry.grant("delivery", P.VIEW, P.ASK_DOCUMENTS)
        registry.grant("manager", P.VIEW, P.EDIT, P.ASSIGN, P.EXPORT, P.MANAGE_PRODUCTS, P.IMPORT, P.ASK_DOCUMENTS)
        registry.grant("administrator", *(one for one in P if one != P.SET_APPROVAL_RULE))
        registry.grant("customer_admin", P.SET_APPROVAL_RULE)

    def register_stories(self) -> None:
        """What sales tell in the feed."""
        from crm.stories import register_crm_stories

        register_crm_stories()

    def register_subjects(self) -> None:
        """The kinds of record that have an address, files, messages and a live topic."""
        from crm import access
        from crm.selectors.participants import organisations_on
        from portal.registry import SubjectKind, registry

        def subject(
            name: str, model: str, label, icon: str, visible, title, customer_path: str = "", partner_path: str = "", *, work: str = ""
        ) -> None:
            registry.register_subject(
                SubjectKind(
                    key=f"crm.{name}",
                    model=f"crm.{model}",
                    label=label,
                    icon=icon,
                    visible=visible,
                    title=title,
                    url=_urls(work or f"/work/crm/{name}s/%d/", customer_path, partner_path),
                    organisations=organisations_on(name),
                    facts=FACTS.get(name, ""),
                    of_organisation=name != "product",  # a catalogue is everybody's
                )
            )

        subject("account", "Account", _("Account"), "building", access.visible_accounts, str)
        subject("contact", "Contact", _("Contact"), "user", access.visible_contacts, str)
        subject("lead", "Lead", _("Lead"), "user-plus", access.visible_leads, str)
        subject("product", "Product", _("Product"), "package", access.visible_products, str, "/cabinet/catalogue/%d/")
        subject("request", "Request", _("Request"), "message-circle", access.visible_requests, str, "/cabinet/requests/%d/")
        subject("case", "Case", _("Case"), "lifebuoy", access.visible_cases, str, "/cabinet/cases/%d/")
        subject("deal", "Deal", _("Deal"), "briefcase", access.visible_deals, str, "", "/partner/deals/%d/")
        subject(
            "appointment",
            "Appointment",
            _("Appointment"),
            "calendar-event",
            access.visible_appointments,
            str,
            "/cabinet/appointments/%d/",
            work="/work/appointments/%d/",
        )
        subject("quote", "Quote", _("Quote"), "file-text", access.visible_quotes, str, "/cabinet/quotes/%d/")
        registry.register_subject(
            SubjectKind(
                key="crm.document_request",
                model="crm.DocumentRequest",
                label=_("Request for documents"),
                icon="clipboard-list",
                visible=access.visible_document_requests,
                title=str,
                url=_urls("/work/crm/documents/%d/", "/cabinet/documents/asked/%d/", ""),
                organisations=organisations_on("document_request"),
                of_organisation=True,
            )
        )

    def register_panels(self) -> None:
        """A record in short, for pages of other packages."""
        from crm.appointments.services import KINDS as WITH_APPOINTMENTS
        from crm.lists import LISTS
        from portal.access import Audience
        from portal.registry import Panel, registry

        kinds = tuple(spec.kind for spec in LISTS.values() if spec.key != "documents")  # which has a panel of its own
        internal = (Audience.INTERNAL,)
        asked = ("crm.request", "crm.deal", "crm.case", "projects.project")
        registry.register_panel(Panel("subject.card", "crm:card-panel", _("Card"), internal, kinds=kinds))
        registry.register_panel(Panel("subject.card", "crm:document-card", _("Documents"), internal, kinds=("crm.document_request",)))
        registry.register_panel(Panel("subject.documents", "crm:documents-panel", _("Documents asked for"), internal, kinds=asked))
        words = _("Appointments")
        registry.register_panel(
            Panel("subject.appointments", "crm_appointments:panel", words, (Audience.INTERNAL,), kinds=WITH_APPOINTMENTS)
        )
        registry.register_panel(
            Panel("subject.appointments", "customer_cabinet:appointments-panel", words, (Audience.CUSTOMER,), kinds=WITH_APPOINTMENTS)
        )

    def register_menu(self) -> None:
        """The workspace's navigation."""
        from crm.access import CrmPermission
        from portal.access import Audience
        from portal.registry import MenuItem, registry

        registry.register_menu(
            MenuItem(Audience.INTERNAL, _("Appointments"), "crm_appointments:list", "calendar-event", 15, CrmPermission.VIEW)
        )
        for order, (name, label, icon) in enumerate(
            [
                ("board", _("Board"), "layout-kanban"),
                ("deals", _("Deals"), "briefcase"),
                ("requests", _("Requests"), "message-circle"),
                ("cases", _("Cases"), "lifebuoy"),
                ("documents", _("Documents asked for"), "clipboard-list"),
                ("accounts", _("Accounts"), "building"),
                ("contacts", _("Contacts"), "users"),
                ("leads", _("Leads"), "user-plus"),
                ("products", _("Products"), "package"),
            ]
        ):
            registry.register_menu(
                MenuItem(Audience.INTERNAL, label, f"crm:{name}", icon, 30 + order, CrmPermission.VIEW, section=_("Customers and sales"))
            )

    def register_topics(self) -> None:
        """Live topics that aren't one record."""
        from crm.access import CrmPermission
        from portal.registry import registry

        def own(audience: str):
            return lambda actor, key: actor.can(CrmPermission.VIEW) or (actor.audience == audience and str(actor.organisation_id) == key)

        registry.register_topic("crm.appointments", lambda actor, key: actor.is_internal and actor.can(CrmPermission.VIEW))
        registry.register_topic("crm.import", lambda actor, key: actor.can(CrmPermission.IMPORT))
        registry.register_topic("crm.board", lambda actor, key: actor.is_internal and actor.can(CrmPermission.VIEW))
        registry.register_topic("crm.requests", own("customer"))
        registry.register_topic("crm.cases", own("customer"))
        registry.register_topic("crm.joint", own("partner"))

    def register_searches(self) -> None:
        """The palette's records."""
        from crm.search import providers
        from portal.registry import registry

        for provider in providers():
            registry.register_search(provider)

    def register_choices(self) -> None:
        """What a form field of the type “product” offers."""
        from crm.access import visible_products
        from workflows.connector_registry import register_choices

        register_choices("product", lambda actor: visible_products(actor).filter(is_active=True).order_by("name").values_list("pk", "name"))

    def register_worth(self) -> None:
        """The money at stake in a process is its deal's amount."""
        from crm.selectors.worth import worth_of_deals
        from workflows.worth import worth_of

        worth_of("crm.deal", worth_of_deals)


def _urls(work: str, customer: str, partner: str):
    """Where a record stands in each face; None where the face has no page for it."""
    from portal.access import Audience

    paths = {Audience.INTERNAL: work, Audience.CUSTOMER: customer, Audience.PARTNER: partner}
    return lambda actor, pk: paths[actor.audience] % pk if paths.get(actor.audience) else None
