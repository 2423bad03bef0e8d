"""The visibility contract: what a partner reads is what it lists, at once, and nothing else."""

from __future__ import annotations

import pytest
from django.urls import reverse

from partners import selectors
from partners.contract import CATALOGUE, FIELD, FILE, change_contract, contract_of_organisation, contracts
from partners.services import record_decision
from portal.errors import NotAllowed, Refused

pytestmark = pytest.mark.django_db
LOGIN = {"backend": "django.contrib.auth.backends.ModelBackend"}


def set_shown(actor, *keys: str) -> None:
    """Make the contract show these fields."""
    [contract] = contracts(actor)
    change_contract(actor, contract.programme_id, {(FIELD, key): key in keys for key in CATALOGUE[FIELD]}, version=contract.version)


def test_fields_follow_the_contract_at_once(world) -> None:
    mona, paul, deal = world.mona, world.paul, world.rows["acme_deal"]
    set_shown(mona, "amount")
    assert {f.key for f in selectors.joint_deal(paul, deal.pk).fields} == {"title", "amount"}
    set_shown(mona, "account", "stage")
    view = selectors.joint_deal(paul, deal.pk)
    assert {f.key for f in view.fields} == {"title", "account", "stage"}
    assert view.value("account") == deal.account.name
    set_shown(mona)
    hidden = selectors.joint_deal(paul, deal.pk)
    assert (hidden.stage, hidden.stage_label, hidden.outcome) == ("", "", None)


def test_both_sides_read_the_same_lines(world) -> None:
    assert contracts(world.paul) == contracts(world.mona)
    assert contracts(world.cara) == []


def test_what_is_a_partners_own_cannot_be_hidden(world) -> None:
    [contract] = contracts(world.mona)
    changed = change_contract(
        world.mona, contract.programme_id, {(k, key): False for k, keys in CATALOGUE.items() for key in keys}, version=contract.version
    )
    assert changed.shows(FIELD, "title")
    assert changed.shows(FILE, "own")
    assert not changed.shows(FIELD, "amount")


def test_only_those_in_charge_change_it_and_not_over_each_other(world) -> None:
    [contract] = contracts(world.mona)
    with pytest.raises(NotAllowed):
        change_contract(world.erin, contract.programme_id, {}, version=contract.version)
    set_shown(world.mona, "amount")
    with pytest.raises(Refused, match="a moment ago"):
        change_contract(world.mona, contract.programme_id, {}, version=contract.version)


def test_a_partner_sees_neither_anothers_deal_nor_one_it_declined(world) -> None:
    assert selectors.joint_deal(world.quinn, world.rows["acme_deal"].pk) is None
    assert contract_of_organisation(world.cara.organisation_id) is None
    deal = world.rows["acme_deal"]
    selectors.JointDeal.objects.filter(deal=deal).update(state="invited")
    record_decision(world.paul, deal.pk, world.paul.organisation_id, accepted=False, reason="No time")
    assert selectors.joint_deal(world.paul, deal.pk) is None


@pytest.mark.parametrize("name", ["home", "deals", "registrations", "registration-new", "contract", "team", "projects"])
def test_pages_answer_with_and_without_rows(world, client, name: str) -> None:
    for email in ("paul@pine.example", "pia@pine.example"):
        client.force_login(world.users[email], **LOGIN)
        assert client.get(reverse(f"partners:{name}")).status_code == 200
    selectors.JointDeal.objects.all().delete()
    selectors.DealRegistration.objects.all().delete()
    assert client.get(reverse(f"partners:{name}")).status_code == 200


def test_an_employee_changes_the_contract_on_its_page(world, client) -> None:
    [contract] = contracts(world.mona)
    client.force_login(world.users["mona@northwind.example"], **LOGIN)
    url = reverse("partners_work:programme", args=[contract.programme_id])
    assert client.get(url).status_code == 200
    sent = {"version": contract.version, "shown": [f"{FIELD}:amount"]}
    assert client.post(url, sent).status_code == 302
    assert client.post(url, sent).status_code == 400
    assert contracts(world.mona)[0].keys(FIELD) == {"title", "amount"}
