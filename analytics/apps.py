"""What dashboards register."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnalyticsConfig(AppConfig):
    """Dashboards drawn from the packages' reports."""

    name = "analytics"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register everything the package offers."""
        self.register_access()
        self.register_menu()

    def register_access(self) -> None:
        """Who sees the figures of sales."""
        from analytics.access import AnalyticsPermission
        from portal.registry import registry

        for role in ("sales", "manager", "finance", "administrator"):
            registry.grant(role, *AnalyticsPermission)

    def register_menu(self) -> None:
        """The workspace's entry."""
        from analytics.access import AnalyticsPermission
        from portal.access import Audience
        from portal.registry import MenuItem, registry

        registry.register_menu(
            MenuItem(
                Audience.INTERNAL, _("Sales figures"), "analytics:sales", "chart-bar", order=70, permission=AnalyticsPermission.VIEW_SALES
            )
        )
