"""What people of a customer's organisation may do in their cabinet; the rows themselves are gated by their own packages."""

from enum import StrEnum


class CabinetPermission(StrEnum):
    """Permissions of the cabinet."""

    START_REQUEST = "customer_cabinet.start_request"
