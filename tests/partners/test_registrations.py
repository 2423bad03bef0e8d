"""A partner's registration: taken once, checked for conflicts, questioned, decided; approved it is a protected joint deal."""

from __future__ import annotations

import pytest

from crm.models import Deal
from partners import selectors, services
from partners.conflicts import find_conflict
from partners.models import DealRegistration
from partners.services import RegistrationData
from portal.errors import NotAllowed, Refused
from tests.crm.conftest import shop  # noqa: F401
from workflows.selectors import open_tasks_for
from workflows.services import complete_task

pytestmark = pytest.mark.django_db


def register(actor, company: str = "Cedar Mill", key: str = ""):
    """A registration with what is needed."""
    return services.submit_registration(actor, RegistrationData(company=company, need="A saw that thinks.", idempotency_key=key))


def do(actor, registration_id: int, element_id: str, action: str = "", **values):
    """Do a step of a registration's process as its page would."""
    view = selectors.registration(actor, registration_id)
    task = next(task for task in open_tasks_for(actor, view.ref) if task.element_id == element_id)
    return complete_task(actor, task.id, values, action=action)


def test_sent_twice_with_one_key_is_taken_once(shop):  # noqa: F811
    first, second = register(shop.paul, key="once"), register(shop.paul, key="once")
    assert first.number == second.number
    assert DealRegistration.objects.count() == 1


def test_question_answer_approval_make_a_joint_deal(shop):  # noqa: F811
    number = register(shop.paul).registration_id
    do(shop.mona, number, "review", "ask", reason="Which site?")
    assert selectors.registration(shop.paul, number).state == "question"
    do(shop.paul, number, "answer_question", answer="The northern one.")
    do(shop.mona, number, "review", "approve", reason="Welcome.")
    view = selectors.registration(shop.paul, number)
    assert (view.state, view.reason) == ("approved", "Welcome.") and view.days_protected == 90
    joint = selectors.joint_deal(shop.paul, view.deal_id)
    assert joint.state == "accepted" and selectors.joint_deal(shop.quinn, view.deal_id) is None
    assert Deal.objects.get(pk=view.deal_id).account.name == "Cedar Mill"


def test_conflicts_tell_nothing_of_others(shop):  # noqa: F811
    register(shop.quinn)
    conflict = find_conflict(shop.paul.organisation_id, "cedar  mill")
    assert conflict.code == "registered" and "Quill" not in conflict.words and "Quill" in conflict.internal
    receipt = register(shop.paul)
    assert "Quill" not in receipt.conflict_words
    with pytest.raises(Refused):
        register(shop.paul, "CEDAR MILL")


def test_only_partners_of_the_programme_register(shop):  # noqa: F811
    with pytest.raises(NotAllowed):
        register(shop.cara)
