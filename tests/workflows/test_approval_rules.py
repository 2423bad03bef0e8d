"""Approvals of every kind: who is asked, what decides, who may not; the record locked, the question taken back, the sheet."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.services.accounts import account_for_organisation, update_account
from portal.errors import Conflict, NotAllowed, Refused
from portal.files import files_for, open_file
from portal.models import AuditEntry
from portal.registry import SubjectRef
from portal.services.people import set_manager
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, user
from workflows import packs, services
from workflows.approvals import start_approval
from workflows.approvers import rule_words, voters_of
from workflows.models import Absence, Approval, HumanTask, Incident, ProcessDefinition, ProcessInstance
from workflows.selectors import road_for
from workflows.selectors.approvals import approval_of_task, approvals_of
from workflows.sheets import content_of, digest_of, holds, packed


@pytest.fixture
def shipped(cast):
    packs.deploy_shipped()


@pytest.fixture
def ref(cast, acme):
    return SubjectRef("portal.organisation", acme)


@pytest.fixture
def account(cast, acme):
    row = account_for_organisation(SYSTEM, acme)
    return SubjectRef("crm.account", row.pk)


def asked(instance_id):
    """The open tasks by the first word of their voice's label."""
    rows = HumanTask.objects.filter(instance_id=instance_id, status="open").order_by("pk")
    return {row.loop_item["label"].split()[0]: row.pk for row in rows}


def state(instance_id):
    return Approval.objects.get(instance_id=instance_id).state


def say(actor, task_id, action="approve", reason=""):
    return services.complete_task(actor, task_id, {"reason": reason}, action=action)


def labels(spec, by=None, excluded=()):
    return [(v.label, len(v.people), v.weight, v.veto) for v in voters_of(spec, by, excluded)]


def test_who_is_asked(cast):
    assert labels("mona@northwind.example, role:finance veto") == [
        ("Mona Manager", 1, 1, False),
        ("Fiona Finance (Finance)", 1, 1, True),
    ]
    assert labels("manager, manager+1 x2", cast.erin.user_id) == [("Mona Manager", 1, 1, False), ("Adam Admin", 1, 2, False)]
    assert labels("everyone:manager") == [("Adam Admin", 1, 1, False), ("Mona Manager", 1, 1, False)]
    assert labels("role:manager") == [("Manager", 2, 1, False)]


def test_one_person_has_one_voice(cast):
    mona = cast.mona.user_id
    assert labels(f"manager veto, user:{mona} x3", cast.erin.user_id) == [("Mona Manager", 1, 3, True)]
    # Mona speaks for herself, so of the managers Adam is left
    assert labels(f"user:{mona}, role:manager") == [("Mona Manager", 1, 1, False), ("Adam Admin (Manager)", 1, 1, False)]
    both = labels(f"user:{mona}, {cast.adam.user_id}, role:manager veto")
    assert [(label, veto) for label, _n, _w, veto in both] == [("Mona Manager", False), ("Adam Admin · Manager", True)]


@pytest.mark.parametrize(
    "spec", ["", [], "role:nobody", "role:customer_admin", "x@y.example", "user:999", "manager please", "user:1 x0", 7.5]
)
def test_what_nobody_can_decide_is_said(cast, spec):
    with pytest.raises(Refused):
        voters_of(spec, cast.erin.user_id, [cast.erin.user_id])


def test_whoever_asks_is_never_asked(cast):
    with pytest.raises(Refused, match="Nobody is left"):
        voters_of("role:finance", cast.fiona.user_id, [cast.fiona.user_id])
    assert labels("role:manager", cast.mona.user_id, [cast.mona.user_id]) == [("Adam Admin (Manager)", 1, 1, False)]


def test_the_manager_of_nobody_is_any_manager(cast):
    assert labels("manager", cast.adam.user_id, [cast.adam.user_id]) == [("Mona Manager (Manager)", 1, 1, False)]
    with pytest.raises(Refused, match="own manager"):
        set_manager(cast.adam, cast.adam.membership_id, cast.erin.user_id)  # Erin → Mona → Adam
    set_manager(cast.adam, cast.erin.membership_id, cast.dan.user_id)
    assert labels("manager", cast.erin.user_id) == [("Dan Delivery", 1, 1, False)]
    with pytest.raises(NotAllowed):
        set_manager(cast.erin, cast.erin.membership_id, None)


def test_the_rule_in_plain_words(cast):
    def words(mode, needed, spec):
        return rule_words(mode, needed, [v.as_item(n) for n, v in enumerate(voters_of(spec, None), 1)])

    three = "mona@northwind.example, dan@northwind.example, role:finance veto"
    assert words("quorum", 2, three) == "2 of 3 have to approve. Fiona Finance (Finance) can veto."
    assert words("parallel", 3, three) == "All 3 have to approve."
    assert words("sequential", 3, three) == "One after another, all 3 have to approve."
    assert words("weighted", 3, "mona@northwind.example x2, dan@northwind.example, fiona@northwind.example") == (
        "Votes worth 3 of 4 have to approve."
    )
    assert words("parallel", 1, "role:finance") == "Fiona Finance (Finance) decides."


def test_a_veto_is_waited_for_and_ends_it(cast, shipped, ref):
    people = [f"user:{cast.mona.user_id}", f"user:{cast.dan.user_id}", "role:finance veto"]
    pk = start_approval(cast.erin, ref, people, mode="quorum", needed=2, text="Buy a van?")
    tasks = asked(pk)
    say(cast.mona, tasks["Mona"])
    say(cast.dan, tasks["Dan"])
    assert state(pk) == "open"
    say(cast.fiona, tasks["Fiona"], "reject", "no money this year")
    assert state(pk) == "rejected"


def test_weights(cast, shipped, ref):
    people = [f"user:{cast.mona.user_id} x2", f"user:{cast.dan.user_id}", f"user:{cast.fiona.user_id}"]
    pk = start_approval(cast.erin, ref, people, mode="weighted", needed=3, text="Buy a van?")
    tasks = asked(pk)
    say(cast.mona, tasks["Mona"])
    assert state(pk) == "open"
    say(cast.dan, tasks["Dan"])
    assert state(pk) == "approved" and asked(pk) == {}


def test_a_role_has_one_voice_that_any_of_them_raises(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, ["role:manager"], text="Buy a van?")
    [task] = asked(pk).values()
    with pytest.raises(Refused):
        say(cast.dan, task)
    say(cast.adam, task)
    assert state(pk) == "approved"


def test_substitutes_of_one_person_count_once(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id, cast.fiona.user_id], text="Buy a van?")
    tasks = asked(pk)
    today = timezone.localdate()
    for away in (cast.dan, cast.fiona):
        services.plan_absence(away, today, today + timedelta(days=3), cast.mona.user_id)
    say(cast.mona, tasks["Dan"])  # for Dan
    for other in ("Fiona", "Mona"):
        with pytest.raises(NotAllowed, match="decides once"):
            say(cast.mona, tasks[other])
    [voice] = [v for v in approvals_of(cast.erin, pk)[0].voices if v.state == "approve"]
    assert (voice.label, voice.who) == ("Dan Delivery", "Mona Manager for Dan Delivery")


def test_a_substitute_who_asked_never_decides(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id], text="Buy a van?")
    services.plan_absence(cast.mona, timezone.localdate(), timezone.localdate(), cast.erin.user_id)
    with pytest.raises(NotAllowed, match="yourself"):
        say(cast.erin, asked(pk)["Mona"])
    assert Absence.objects.count() == 1


def test_a_voice_is_handed_on_but_not_to_another_who_speaks(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id], text="Buy a van?")
    tasks = asked(pk)
    for other in (cast.mona, cast.erin):
        with pytest.raises(Refused, match="can't be handed"):
            services.delegate_task(cast.dan, tasks["Dan"], other.user_id)
    services.delegate_task(cast.dan, tasks["Dan"], cast.fiona.user_id, "you know it better")
    say(cast.fiona, tasks["Dan"])
    voice = approvals_of(cast.erin, pk)[0].voices[1]
    assert (voice.label, voice.who, voice.state) == ("Dan Delivery", "Fiona Finance", "approve")
    with pytest.raises(Refused, match="can't be handed"):  # who has spoken doesn't take on another's voice either
        services.delegate_task(cast.mona, tasks["Mona"], cast.fiona.user_id)


def test_everybody_in_turn_sees_what_came_before(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id, cast.fiona.user_id], mode="sequential", text="Buy a van?")
    say(cast.mona, asked(pk)["Mona"], reason="Fine with me")
    seen = approval_of_task(cast.dan, asked(pk)["Dan"])
    assert [(v.state, v.comment) for v in seen.voices] == [("approve", "Fine with me"), ("asked", ""), ("later", "")]
    assert seen.waiting == ["Dan Delivery"]
    say(cast.dan, asked(pk)["Dan"])
    with pytest.raises(Refused):  # Mona has spoken, rounds ago
        services.delegate_task(cast.fiona, asked(pk)["Fiona"], cast.mona.user_id)
    assert road_for(cast.erin, pk).now


def test_the_record_is_locked_until_it_is_decided(cast, shipped, account):
    pk = start_approval(cast.erin, account, [cast.mona.user_id], text="Give them credit?", lock=True)
    with pytest.raises(Conflict, match="waits for a decision that Erin Employee asked for"):
        update_account(cast.dan if cast.dan.can("crm.edit") else cast.erin, account.id, {"name": "Acme GmbH"})
    say(cast.mona, asked(pk)["Mona"])
    update_account(cast.erin, account.id, {"name": "Acme GmbH"})


def test_without_a_lock_the_record_may_be_changed(cast, shipped, account):
    start_approval(cast.erin, account, [cast.mona.user_id], text="Give them credit?")
    update_account(cast.erin, account.id, {"name": "Acme GmbH"})


def test_a_cancelled_process_locks_nothing(cast, shipped, account):
    pk = start_approval(cast.erin, account, [cast.mona.user_id], text="Give them credit?", lock=True)
    services.cancel_instance(cast.mona, pk, "a mistake")
    update_account(cast.erin, account.id, {"name": "Acme GmbH"})
    assert state(pk) == "withdrawn"


def test_whoever_asked_takes_it_back(cast, shipped, account):
    pk = start_approval(cast.erin, account, [cast.mona.user_id, cast.dan.user_id], text="Give them credit?", lock=True)
    tasks, row = asked(pk), Approval.objects.get(instance_id=pk)
    with pytest.raises(NotAllowed, match="Erin"):
        services.withdraw_approval(cast.dan, row.pk)
    with pytest.raises(Refused):
        services.withdraw_approval(cast.cara, row.pk)
    say(cast.dan, tasks["Dan"])
    services.withdraw_approval(cast.erin, row.pk, "they have paid")
    [seen] = approvals_of(cast.erin, pk)
    assert (seen.state, seen.reason, seen.sheet, seen.can_withdraw) == ("withdrawn", "they have paid", None, False)
    assert ProcessInstance.objects.get(pk=pk).status == "completed" and asked(pk) == {}
    with pytest.raises(Conflict):
        say(cast.mona, tasks["Mona"])
    with pytest.raises(Conflict, match="decided already"):
        services.withdraw_approval(cast.erin, row.pk)
    update_account(cast.erin, account.id, {"name": "Acme GmbH"})
    assert AuditEntry.objects.filter(verb="approval.withdrawn", actor_id=cast.erin.user_id).count() == 1


def test_the_sheet_says_it_all_and_is_for_those_who_see_the_process(cast, shipped, ref):
    pk = start_approval(cast.erin, ref, [cast.mona.user_id, cast.dan.user_id], text="Buy a van?", amount="12000")
    services.plan_absence(cast.dan, timezone.localdate(), timezone.localdate(), cast.fiona.user_id)
    say(cast.mona, asked(pk)["Mona"], reason="We need it")
    say(cast.fiona, asked(pk)["Dan"])
    row = Approval.objects.get(instance_id=pk)
    content = content_of(row)
    assert (content["title"], content["amount"], content["outcome"]) == ("Acme Bikes (demo)", "12000.00", "approved")
    assert [(d["by"], d["for"], d["comment"]) for d in content["decisions"]] == [
        ("Mona Manager", "", "We need it"),
        ("Fiona Finance", "Dan Delivery", ""),
    ]
    assert row.digest == digest_of(content) == hashlib.sha256(packed(content)).hexdigest() and holds(row)
    [entry] = AuditEntry.objects.filter(verb="approval.approved")
    assert entry.after["sheet_sha256"] == row.digest
    [file] = files_for(cast.erin, SubjectRef("workflows.instance", pk))
    pdf = open_file(cast.fiona, file.id).content.read()
    assert pdf.startswith(b"%PDF") and file.name == f"acme-bikes-demo-{row.pk}.pdf"
    for stranger in (cast.dora if not cast.dora.can("workflows.view_all") else cast.cara, cast.paul):
        assert open_file(stranger, file.id) is None
    Approval.objects.update(amount="99999")
    assert not holds(Approval.objects.get()) and not approvals_of(cast.erin, pk)[0].holds
    assert json.loads(packed(content)) == content


def test_a_question_nobody_can_decide_is_an_incident_with_words(cast, shipped):
    for row in ("erin", "fiona"):
        services.start_process(
            SYSTEM, "approval", data={"approvers": "role:finance", "asked_by_id": getattr(cast, row).user_id, "text": row}, title=row
        )
    [incident] = Incident.objects.all()
    assert incident.element_id == "ask" and "Nobody is left to decide" in incident.message


def test_pages_take_the_same_number_of_queries_for_many_voices(cast, shipped, ref, client):
    client.force_login(cast.users["mona@northwind.example"])

    def queries(people):
        pk = start_approval(cast.erin, ref, people, text="Buy a van?")
        client.get(reverse("workflows:instance", args=[pk]))
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(reverse("workflows:instance", args=[pk])).status_code == 200
        return len(caught)

    everybody = [a.user_id for a in (cast.mona, cast.dan, cast.fiona, cast.dora, cast.adam)]
    assert queries(everybody) == queries(everybody[:2])


# --- the shipped requests ---


def begin(cast, client, key, **values):
    client.force_login(cast.users["erin@northwind.example"])
    answer = client.post(reverse("workflows:start-process", args=[key]), values)
    return ProcessInstance.objects.latest("pk").pk if answer.status_code == 302 else answer


@pytest.mark.parametrize(
    ("amount", "rule", "people"),
    [
        ("120", "Mona Manager decides.", {"Mona"}),
        ("500", "One after another, all 2 have to approve.", {"Mona"}),
        ("8000", "2 of 3 have to approve. Fiona Finance (Finance) can veto.", {"Mona", "Adam", "Fiona"}),
    ],
)
def test_a_purchase_is_approved_by_its_amount(cast, shipped, client, amount, rule, people):
    pk = begin(cast, client, "purchase_request", what="Saws", amount=amount, why="The old ones are blunt")
    [seen] = approvals_of(cast.erin, pk)
    assert (seen.rule, set(asked(pk)), seen.title) == (rule, people, "Purchase: Saws")
    assert f"{float(amount):,.2f} {settings.DEFAULT_CURRENCY}" in HumanTask.objects.filter(instance_id=pk).first().data["facts_shown"]
    assert str(seen.amount) == f"{float(amount):.2f}" and seen.facts == [["What", "Saws"]]


def test_an_approved_purchase_is_ordered_a_rejected_one_is_not(cast, shipped, client):
    first, second = (begin(cast, client, "purchase_request", what=w, amount="100", why="needed") for w in ("Saws", "Axes"))
    say(cast.mona, asked(first)["Mona"])
    say(cast.mona, asked(second)["Mona"], "reject", "we have enough")
    [order] = HumanTask.objects.filter(status="open")
    assert (order.instance_id, order.element_id, order.approval_id) == (first, "order", None)
    services.complete_task(cast.fiona, order.pk, {"order_number": "PO-7"})
    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {"completed"} and not Incident.objects.exists()


def test_mistakes_in_a_request_are_told_and_nothing_begins(cast, shipped, client):
    answer = begin(cast, client, "purchase_request", what="Saws", amount="-3", why="")
    assert answer.status_code == 422 and b"Saws" in answer.content and not ProcessInstance.objects.exists()
    assert client.get(reverse("workflows:start-process", args=["approval"])).status_code == 404
    assert b"Purchase request" in client.get(reverse("workflows:start")).content


def test_an_approved_vacation_becomes_an_absence(cast, shipped, client):
    day = timezone.localdate() + timedelta(days=10)
    wish = {"first": day.isoformat(), "last": (day + timedelta(days=4)).isoformat(), "substitute": cast.dan.user_id}
    pk = begin(cast, client, "vacation_request", **wish)
    say(cast.mona, asked(pk)["Mona"])
    row = Absence.objects.get()
    assert (row.user_id, row.substitute_id) == (cast.erin.user_id, cast.dan.user_id)
    assert timezone.localtime(row.starts).date() == day and ProcessInstance.objects.get(pk=pk).status == "completed"
    again = begin(cast, client, "vacation_request", **wish)  # twice the same days: told, corrected, asked anew
    task = HumanTask.objects.get(status="open")
    assert task.element_id == "correct" and "already" in task.data["error_message"]
    later = {**wish, "first": (day + timedelta(days=10)).isoformat(), "last": (day + timedelta(days=12)).isoformat()}
    services.complete_task(cast.erin, task.pk, later, action="ask")
    say(cast.mona, asked(again)["Mona"])
    assert Absence.objects.count() == 2


def test_a_long_vacation_goes_one_level_higher(cast, shipped, client):
    day = timezone.localdate() + timedelta(days=10)
    pk = begin(
        cast, client, "vacation_request", first=day.isoformat(), last=(day + timedelta(days=30)).isoformat(), substitute=cast.dan.user_id
    )
    say(cast.mona, asked(pk)["Mona"])
    assert set(asked(pk)) == {"Adam"}


def test_what_only_a_message_or_the_clock_starts_is_not_offered(cast, client):
    """Its form would not be there."""
    body = '<bpmn:startEvent id="s"><bpmn:messageEventDefinition messageRef="m"/></bpmn:startEvent><bpmn:endEvent id="end"/>'
    top = '<bpmn:message id="m" name="order.came"/>'
    roles = 'tandem:startableBy="sales"'
    services.deploy(SYSTEM, diagram("heard", body + user("look") + chain("s", "look", "end"), top=top, attributes=roles))
    services.deploy(SYSTEM, diagram("asked", ENDS + user("look") + chain("start", "look", "end"), attributes=roles))
    client.force_login(cast.users["erin@northwind.example"])
    offered = client.get(reverse("workflows:start")).content.decode()
    for key, status in (("asked", 200), ("heard", 404)):
        address = reverse("workflows:start-process", args=[key])
        assert client.get(address).status_code == status and (address in offered) == (status == 200)


def test_a_version_that_a_later_gate_refuses_does_not_take_the_others_away(cast, client):
    roles = 'tandem:startableBy="sales"'
    for key in ("old", "new"):
        services.deploy(SYSTEM, diagram(key, ENDS + user("look") + chain("start", "look", "end"), attributes=roles))
    ProcessDefinition.objects.filter(key="old").update(xml=b"<not-bpmn/>", digest="0" * 64)
    client.force_login(cast.users["erin@northwind.example"])
    offered = client.get(reverse("workflows:start"))
    assert offered.status_code == 200 and [one.key for one in offered.context["choices"]] == ["new"]
