"""A customer's step that an employee does for them, in their name, and never a signature or their approval."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from portal.errors import Conflict, NotAllowed, Refused
from portal.models import AuditEntry
from social_feed.models import Notification
from tests.crm.conftest import do, ref_of, waiting
from tests.crm.test_request_to_delivery import deal_of, qualified
from tests.workflows.test_exactness import together
from workflows.errors import NotFound
from workflows.models import HistoryEvent, HumanTask
from workflows.selectors import road_for
from workflows.services import complete_task
from workflows.services.telling import Told, people_who_tell, tellable

pytestmark = pytest.mark.django_db
BACKEND = {"backend": "django.contrib.auth.backends.ModelBackend"}


def task_at(element):
    return HumanTask.objects.get(element_id=element, status="open")


def tell(actor, element, by, how="On the phone, at ten", action="", **values):
    return complete_task(actor, task_at(element).pk, values, action=action, told=Told(by, how))


@pytest.fixture
def asked(shop):
    """A request whose quote the customer decides on."""
    request = qualified(shop)
    do(shop.erin, request, "prepare_quote", "send", quote_note="As discussed.")
    return request


def test_done_in_the_customers_name(shop, asked):
    do(shop.cara, asked, "decide_quote", "accept")
    tell(shop.erin, "provide_materials", shop.cara, materials_note="The drawings are in the mail.")
    line = HistoryEvent.objects.get(element_id="provide_materials", state="completed")
    assert (line.actor_name, line.on_behalf_of, line.detail["told"]) == ("Erin Employee", "Cara Customer", "On the phone, at ten")
    entry = AuditEntry.objects.get(verb="task.completed_for")
    assert (entry.actor_id, entry.on_behalf_of, entry.reason) == (shop.erin.user_id, "Cara Customer", "On the phone, at ten")
    assert entry.after["organisation"] == "Acme Bikes (demo)"
    assert waiting(shop.dan, asked) == {"deliver"}
    [seen], [ours] = ([s.note for s in road_for(actor, ref_of(asked)).steps if s.note] for actor in (shop.cara, shop.erin))
    assert (seen, ours) == ("We did this for you, as Cara Customer told us.", "Erin Employee for Cara Customer")
    assert Notification.objects.get(source__startswith="told:").user_id == shop.cara.user_id


def test_never_a_signature_but_a_no_on_the_phone(shop, asked):
    with pytest.raises(NotAllowed, match="needs their own signature"):
        tell(shop.erin, "decide_quote", shop.cara, action="accept")
    assert deal_of(asked).outcome is None and waiting(shop.cara, asked) == {"decide_quote"}
    tell(shop.erin, "decide_quote", shop.cara, action="decline", reason="Too dear.")
    assert deal_of(asked).outcome == "lost"


def test_never_the_customers_own_approval(shop, asked):
    from crm.models import Quote
    from crm.services.buying import ask_for_approval, set_approval_rule

    set_approval_rule(shop.cara, is_on=True, above="0")
    ask_for_approval(shop.cara, Quote.objects.get().pk)
    task = task_at("approve_purchase")
    assert people_who_tell(task) and tellable(shop.mona, task.instance_id) == []
    for told_by in people_who_tell(task):
        with pytest.raises(NotAllowed, match="approval of their own"):
            tell(shop.mona, "approve_purchase", told_by, action="approve")


def test_who_may_and_in_whose_name(shop, asked):
    do(shop.cara, asked, "decide_quote", "accept")
    for stranger in (shop.fiona, shop.dora):  # without the right, or without a part in the process
        with pytest.raises((NotAllowed, NotFound)):
            tell(stranger, "provide_materials", shop.cara)
    for outsider in (shop.cara, shop.bea, shop.paul):
        with pytest.raises(NotFound):
            tell(outsider, "provide_materials", shop.cara)
    for nobody in (shop.bea, shop.erin, shop.paul):
        with pytest.raises(Refused, match="Choose who told you"):
            tell(shop.erin, "provide_materials", nobody)
    with pytest.raises(Refused, match="Say how"):
        tell(shop.erin, "provide_materials", shop.cara, how="  ")
    with pytest.raises(NotFound):  # an employee's own step isn't told
        complete_task(shop.erin, HumanTask.objects.filter(audience="internal").latest("pk").pk, {}, told=Told(shop.cara, "phone"))
    assert waiting(shop.cara, asked) == {"provide_materials"}


def test_the_page(shop, asked, client):
    do(shop.cara, asked, "decide_quote", "accept")
    task = task_at("provide_materials")
    page = reverse("workflows:task-told", args=[task.pk])
    client.force_login(shop.users["erin@northwind.example"], **BACKEND)
    assert page.encode() in client.get(reverse("workflows:instance", args=[task.instance_id])).content
    shown = client.get(page).content.decode()
    assert "Cara Customer (Acme Bikes (demo))" in shown and "Who told you" in shown and "Bea" not in shown
    kept = client.post(page, {"told_by": shop.cara.user_id, "told_how": " ", "materials_note": "In the mail"})
    assert kept.status_code == 422 and b"Say how they told you" in kept.content and b"In the mail" in kept.content
    file = SimpleUploadedFile("plan.txt", b"A plan of ours", "text/plain")
    sent = {"told_by": shop.cara.user_id, "told_how": "A visit", "materials_note": "In the mail", "materials": file}
    assert client.post(page, sent).status_code == 302
    again = client.post(page, {"told_by": shop.cara.user_id, "told_how": "A visit"})
    assert again.status_code in (409, 422) and b"was done" in again.content
    client.force_login(shop.users["fiona@northwind.example"], **BACKEND)
    assert client.get(page).status_code in (200, 404)
    client.force_login(shop.users["cara@acme.example"], **BACKEND)
    assert client.get(page).status_code == 404
    road = client.get(reverse("customer_cabinet:request", args=[asked.pk])).content.decode()
    assert "as Cara Customer told us" in road


def test_the_customer_and_we_at_one_moment(transactional_db):
    from tests.workflows.conftest import SYSTEM
    from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
    from tests.world import build_people
    from workflows import services

    people = build_people()
    services.deploy(
        SYSTEM,
        diagram("asks", ENDS + user("say") + chain("start", "say", "end"), lanes=lane("Customer", "customer", "", "say")),
    )
    acme = people.organisations["Acme Bikes (demo)"].pk
    for _round in range(3):
        services.start_process(people.mona, "asks", customer_organisation_id=acme)
        pk = task_at("say").pk
        results = together(
            lambda pk=pk: complete_task(people.cara, pk, {}),
            lambda pk=pk: complete_task(people.mona, pk, {}, told=Told(people.cara, "phone")),
        )
        refused = [one for one in results if isinstance(one, Exception)]
        assert len(refused) == 1 and isinstance(refused[0], Conflict), results
        assert HistoryEvent.objects.filter(element_id="say", state="completed").count() == _round + 1
