"""People and a small process for this package's tests."""

import pytest

from portal.access import Actor
from tests.workflows.diagrams import ORDER
from tests.world import build_people
from workflows import services

SYSTEM = Actor.system("tests")


@pytest.fixture
def cast(db):
    """Organisations and people."""
    return build_people()


@pytest.fixture
def order(cast):
    """The small order process, published."""
    return services.deploy(SYSTEM, ORDER)


@pytest.fixture
def acme(cast):
    """Customer A's organisation."""
    return cast.organisations["Acme Bikes (demo)"].pk


@pytest.fixture
def started(cast, order, acme):
    """An order that waits for sales."""
    return services.start_process(cast.erin, "order", data={"four_eyes": []}, customer_organisation_id=acme)
