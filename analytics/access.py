"""Who sees which dashboards; the rows behind the figures are gated by their own packages."""

from enum import StrEnum


class AnalyticsPermission(StrEnum):
    """Permissions of dashboards."""

    VIEW_SALES = "analytics.view_sales"
