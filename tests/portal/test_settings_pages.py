"""Administrators look after people, organisations and invitations; nobody locks the company out."""

import pytest
from django.contrib.auth import get_user_model

from portal import demo
from portal.errors import Conflict, NotAllowed, Refused
from portal.models import AuditEntry, Membership, Organisation
from portal.services.people import remove_member, set_person_active, set_roles, update_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(people, client):
    client.force_login(get_user_model().objects.get(email="adam@northwind.example"))
    return client


def place_of(email):
    return Membership.objects.get(user__email=email)


def roles_of(email):
    return set(place_of(email).role_rows.values_list("role", flat=True))


def test_pages_answer_and_are_for_administrators_alone(admin, people, client):
    cara = place_of("cara@acme.example")
    pages = ["people/", f"people/{cara.user_id}/", "organisations/", f"organisations/{cara.organisation_id}/", "invitations/", "audit/"]
    for page in pages:
        assert admin.get(f"/work/settings/{page}").status_code == 200, page
    client.force_login(get_user_model().objects.get(email="mona@northwind.example"))
    for page in pages:
        assert client.get(f"/work/settings/{page}").status_code == 404, page


def test_people_are_found(admin):
    def found(**query):
        return {p.email for p in admin.get("/work/settings/people/", query).context["page"].object_list}

    assert found(q="cara") == {"cara@acme.example"}
    assert found(role="finance") == {"fiona@northwind.example"}
    assert found(audience="partner") == {"paul@pine.example", "pia@pine.example", "quinn@quill.example"}
    assert found(q="nobody like this") == set()


def test_list_of_people_costs_the_same_for_many(admin, people, django_assert_max_num_queries):
    for number in range(30):
        get_user_model().objects.create_user(f"p{number}@x.example", name=f"P {number}")
    with django_assert_max_num_queries(15):
        admin.get("/work/settings/people/")


def test_roles_are_set(admin):
    erin = place_of("erin@northwind.example")
    url = f"/work/settings/people/{erin.user_id}/places/{erin.pk}/roles/"
    assert admin.post(url, {"roles": ["employee", "manager"]}).status_code == 302
    assert roles_of("erin@northwind.example") == {"employee", "manager"}
    line = AuditEntry.objects.get(verb="membership.roles_set")
    assert line.before == {"roles": ["employee", "sales"]} and line.after["roles"] == ["employee", "manager"]
    assert admin.post(url, {"roles": ["customer_admin"]}).status_code == 400
    assert admin.post(url, {}).status_code == 400
    assert roles_of("erin@northwind.example") == {"employee", "manager"}


def test_somebody_remains_administrator(people):
    adam = place_of("adam@northwind.example")
    with pytest.raises(Refused):
        set_roles(people.adam, adam.pk, ["employee"])
    with pytest.raises(Refused):
        remove_member(people.adam, adam.pk)
    with pytest.raises(Refused):
        set_person_active(people.adam, adam.user_id, False)
    assert "administrator" in roles_of("adam@northwind.example")


def test_removing_ends_access_at_once(admin, people, client):
    colin = place_of("colin@acme.example")
    admin.post(f"/work/settings/people/{colin.user_id}/places/{colin.pk}/remove/", {"reason": "left"})
    client.force_login(get_user_model().objects.get(email="colin@acme.example"))
    assert client.get("/cabinet/").status_code == 404
    with pytest.raises(Conflict):
        remove_member(people.adam, colin.pk)


def test_locking_out_ends_the_session(admin, client, people):
    from django.test import Client

    visitor, cara = Client(), get_user_model().objects.get(email="cara@acme.example")
    visitor.force_login(cara)
    assert visitor.get("/me/").status_code == 200
    admin.post(f"/work/settings/people/{cara.pk}/active/", {"active": "no"})
    assert visitor.get("/me/").status_code == 302
    admin.post(f"/work/settings/people/{cara.pk}/active/", {"active": "yes"})
    visitor.force_login(get_user_model().objects.get(pk=cara.pk))
    assert visitor.get("/me/").status_code == 200


def test_a_customers_administrator_looks_after_their_own_people_alone(people):
    set_roles(people.cara, place_of("colin@acme.example").pk, ["customer_admin"])
    assert roles_of("colin@acme.example") == {"customer_admin"}
    for other in ("bea@birch.example", "erin@northwind.example"):
        with pytest.raises(NotAllowed):
            set_roles(people.cara, place_of(other).pk, ["customer_member"])
        with pytest.raises(NotAllowed):
            remove_member(people.cara, place_of(other).pk)
    with pytest.raises(NotAllowed):
        remove_member(people.pia, place_of("paul@pine.example").pk)


def test_organisations_are_made_and_changed(admin, people):
    made = admin.post("/work/settings/organisations/", {"name": "Fern Foods", "is_customer": "on", "is_active": "on"})
    row = Organisation.objects.get(name="Fern Foods")
    assert made["Location"].endswith(f"/{row.pk}/") and row.is_customer
    assert admin.post("/work/settings/organisations/", {"name": "Nothing Inc"}).status_code == 400
    url = f"/work/settings/organisations/{row.pk}/"
    assert admin.post(url, {"name": "Fern", "is_partner": "on", "is_active": "on"}).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.is_customer, row.is_partner) == ("Fern", False, True)
    assert admin.post(url, {"name": "", "is_partner": "on"}).status_code == 400
    own = people.organisations[demo.OWN].pk
    with pytest.raises(Refused):
        update_organisation(people.adam, own, name="N", is_customer=False, is_partner=False, is_active=False)
    with pytest.raises(NotAllowed):
        update_organisation(people.mona, row.pk, name="N", is_customer=True, is_partner=False, is_active=True)


def test_an_inactive_organisation_lets_nobody_in(admin, people, client):
    url = f"/work/settings/organisations/{people.organisations[demo.ACME].pk}/"
    admin.post(url, {"name": demo.ACME, "is_customer": "on"})
    client.force_login(get_user_model().objects.get(email="cara@acme.example"))
    assert client.get("/cabinet/").status_code == 404


def test_inviting_from_the_settings(admin, people):
    url, acme = "/work/settings/invitations/", people.organisations[demo.ACME].pk
    assert admin.get(url, {"audience": "internal"}).status_code == 200
    wish = {"audience": "customer", "organisation": acme, "email": "nora@acme.example", "name": "", "roles": ["customer_member"]}
    assert admin.post(url, wish).status_code == 302
    again = admin.post(url, wish)
    assert again.status_code == 400 and "invitation already" in again.content.decode()
    assert admin.post(url, wish | {"email": "nothing"}).status_code == 400
    row = admin.get(url).context["invitations"][0]
    assert admin.post(f"{url}{row.id}/again/").status_code == 302
    assert admin.post(f"{url}{row.id}/withdraw/").status_code == 302
    assert admin.post(f"{url}{row.id}/withdraw/").status_code == 409


def test_audit_is_searched(admin, people):
    erin = place_of("erin@northwind.example")
    set_roles(people.adam, erin.pk, ["employee"])

    def lines(**query):
        return list(admin.get("/work/settings/audit/", query).context["page"].object_list)

    assert lines(q="roles_set")[0].changes
    assert lines(q=f"portal.organisation:{erin.organisation_id}")
    assert lines(q="Adam")[0].who == "Adam Admin"
    assert lines(since="2999-01-01") == [] and lines(since="not a date")
