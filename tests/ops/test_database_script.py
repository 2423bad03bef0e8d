"""What a start does to the database."""

import pytest

from portal.access import Actor
from scripts.database import bring_up_to_date
from workflows import selectors


@pytest.mark.django_db(transaction=True)
def test_a_start_without_demo_publishes_the_shipped_processes_once():
    for _turn in range(2):
        assert bring_up_to_date(demo=False)
    found = {one.key: one.version for one in selectors.definitions(Actor.system("tests"))}
    assert {"request_to_delivery", "approval"} <= set(found)
    assert set(found.values()) == {1}
