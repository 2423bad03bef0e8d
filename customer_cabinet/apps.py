"""What the cabinet registers."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomerCabinetConfig(AppConfig):
    """The customer's personal cabinet."""

    name = "customer_cabinet"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the package offers."""
        self.register_access()
        self.register_topics()
        self.register_menu()
        self.register_site_forms()
        self.register_panels()
        self.register_personal()

    def register_personal(self) -> None:
        """Where this package keeps something about a person."""
        from customer_cabinet import personal

        personal.register()

    def register_access(self) -> None:
        """A customer's administrators and buyers start requests."""
        from customer_cabinet.access import CabinetPermission
        from portal.registry import registry

        for role in ("customer_admin", "customer_member"):
            registry.grant(role, *CabinetPermission)

    def register_topics(self) -> None:
        """The home of an organisation is live for its own people."""
        from portal.registry import registry

        registry.register_topic("cabinet", lambda actor, key: actor.is_customer and str(actor.organisation_id) == key)

    def register_menu(self) -> None:
        """The cabinet's navigation; the first five stand at the thumb on a phone."""
        from customer_cabinet.access import CabinetPermission
        from portal.access import Audience
        from portal.registry import MenuItem, registry
        from workflows.selectors import waiting_badge

        customer = Audience.CUSTOMER
        registry.register_menu(
            MenuItem(
                customer,
                _("Home"),
                "customer_cabinet:home",
                "home",
                10,
                badge=waiting_badge,
                topic=lambda actor: f"inbox:user:{actor.user_id} inbox:customer:{actor.organisation_id}",
            ),
            MenuItem(customer, _("Start a request"), "customer_cabinet:catalogue", "plus", 20, CabinetPermission.START_REQUEST),
            MenuItem(customer, _("Requests"), "customer_cabinet:requests", "list", 30),
            MenuItem(customer, _("Messages"), "customer_cabinet:messages", "messages", 35),
            MenuItem(customer, _("Support"), "customer_cabinet:cases", "lifebuoy", 38),
            MenuItem(customer, _("Documents"), "customer_cabinet:documents", "files", 39),
            MenuItem(customer, _("Projects"), "customer_cabinet:projects", "target-arrow", 40),
            MenuItem(customer, _("Colleagues"), "customer_cabinet:team", "users", 50),
        )

    def register_panels(self) -> None:
        """What a customer is asked for stands on the pages of the record that it is about."""
        from portal.access import Audience
        from portal.registry import Panel, registry

        kinds = ("crm.request", "crm.case", "projects.project")
        customer = (Audience.CUSTOMER,)
        registry.register_panel(
            Panel("subject.documents", "customer_cabinet:documents-panel", _("Documents we need"), customer, kinds=kinds)
        )

    def register_site_forms(self) -> None:
        """The public start: one form for any wish, and one for each product of the public catalogue; its pages and their search."""
        from customer_cabinet.selectors import find_products, site_cards, site_forms
        from portal.access import Audience
        from portal.registry import SearchProvider, SiteLink, registry

        registry.register_site_forms(site_forms)
        registry.register_site_cards(site_cards, SiteLink(_("Products"), "products:list"))
        registry.register_search(SearchProvider("site.products", _("Products"), (Audience.PUBLIC,), find_products, 80))
