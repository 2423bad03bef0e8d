"""Processes that begin when something becomes true of a record: once each time, for what wasn't true before, and lost by nothing."""

import contextlib
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html import escape

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bpmn.model import DeployRefused
from crm.models import Account, Deal, SalesTeamMember
from crm.services import deals
from crm.services.leads import create_lead
from portal.events import records_changed
from portal.models import User
from portal.registry import SubjectRef, registry
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from tests.workflows.test_crashes import Crash, Lost, crash_everywhere, failing_commit
from tests.workflows.test_exactness import together
from tests.world import build_people
from workflows import services
from workflows.access import visible_instances
from workflows.models import ConditionMet, HistoryEvent, ProcessInstance, RecordChange, StartCondition
from workflows.selectors import definitions
from workflows.selectors.starts import start_lines
from workflows.services import start_conditions
from workflows.services.deployment import restore_version
from workflows.services.timers import run_due

pytestmark = pytest.mark.django_db
END = '<bpmn:endEvent id="end"/>'


def conditional(text, watches="crm.deal", key="start"):
    """A start event with a condition."""
    attribute = f'tandem:watches="{watches}"' if watches else ""
    inner = f'<bpmn:condition xsi:type="bpmn:tFormalExpression">{escape(text)}</bpmn:condition>'
    definition = f"<bpmn:conditionalEventDefinition>{inner}</bpmn:conditionalEventDefinition>"
    return f'<bpmn:startEvent id="{key}" {attribute}>{definition}</bpmn:startEvent>'


def watching(text="amount > 1000", watches="crm.deal", step="Look at it", attributes=""):
    """A process that begins by a condition, with one task."""
    return diagram("big", conditional(text, watches) + END + user("look", name=step) + chain("start", "look", "end"), attributes=attributes)


@pytest.fixture
def cast(people):
    """People, and a seller."""
    people.seller = SalesTeamMember.objects.create(name="Erin", user_id=people.erin.user_id)
    return people


@pytest.fixture
def deal(cast):
    """A deal without an amount, and without a process of its own."""
    return new_deal(cast)


def new_deal(cast, title="Roof", value=None):
    row = Deal.objects.create(title=title, owner=cast.seller, amount=None if value is None else deals.money_of(Decimal(value)))
    records_changed(deals.ref_of(row))
    return row


def begun():
    """The subjects of the instances that began, oldest first."""
    return list(ProcessInstance.objects.filter(key="big").order_by("pk").values_list("subject_kind", "subject_id"))


def amount(cast, deal, value):
    deals.update_deal(cast.erin, deal.pk, {"amount": deals.money_of(Decimal(value))})
    run_due()


def test_a_process_begins_when_it_comes_true_of_a_record_and_again_after_it_was_false(cast, deal):
    services.deploy(SYSTEM, watching())
    run_due()
    assert begun() == []
    amount(cast, deal, 500)
    assert begun() == []
    amount(cast, deal, 5000)
    assert begun() == [("crm.deal", deal.pk)]
    amount(cast, deal, 6000)  # it is true still
    assert len(begun()) == 1
    amount(cast, deal, 700)
    amount(cast, deal, 7000)
    assert len(begun()) == 2
    assert not RecordChange.objects.exists()


def test_the_instance_knows_its_record_and_the_history_says_why(cast, deal):
    services.deploy(SYSTEM, watching("amount > 1000 and stage == 'qualification'", attributes="tandem:title=\"= 'Big: ' + title\""))
    deals.enter_stage(SYSTEM, deal.pk, "qualification")
    amount(cast, deal, 5000)
    instance = ProcessInstance.objects.get(key="big")
    assert (instance.title, instance.started_by_id, instance.started_by_name) == ("Big: Roof", None, "Condition")
    assert instance.subjects == [f"crm.deal:{deal.pk}"] and instance.worth == 5000
    assert (instance.data["deal_id"], instance.data["title"], instance.data["owner_user_id"]) == (deal.pk, "Roof", cast.erin.user_id)
    first = HistoryEvent.objects.filter(instance=instance).earliest("pk")
    assert first.detail["condition"] == "amount > 1000 and stage == 'qualification'"
    assert first.detail["seen"] == {"amount": "5000.00", "stage": "qualification"}
    client = Client()
    client.force_login(User.objects.get(pk=cast.mona.user_id))
    words = client.get(reverse("workflows:instance", args=[instance.pk])).content.decode()
    assert "amount &gt; 1000 and stage == &#x27;qualification&#x27;" in words and "stage = qualification" in words


@pytest.mark.parametrize(("state", "is_theirs"), [("planned", False), ("declined", False), ("invited", True), ("accepted", True)])
def test_a_partner_who_does_not_see_the_deal_sees_nothing_of_what_it_begins(cast, deal, state, is_theirs):
    lanes = lane("Partner", "partner", "", "look") + lane("We", "internal", "", "start", "end")
    services.deploy(SYSTEM, diagram("big", conditional("amount > 1000") + END + user("look") + chain("start", "look", "end"), lanes=lanes))
    deals.set_partner(SYSTEM, deal.pk, organisation_id=cast.paul.organisation_id, state=state)
    amount(cast, deal, 5000)
    [instance] = ProcessInstance.objects.filter(key="big")
    assert (instance in visible_instances(cast.paul)) == is_theirs
    assert instance.partner_organisation_id == (cast.paul.organisation_id if is_theirs else None)


def test_what_is_true_already_when_it_is_published_starts_nothing(cast, deal):
    amount(cast, deal, 5000)
    services.deploy(SYSTEM, watching())
    amount(cast, deal, 6000)
    assert begun() == []
    amount(cast, deal, 10)
    amount(cast, deal, 6000)
    assert len(begun()) == 1
    new_deal(cast, "New", 9000)  # a new record wasn't anything before
    run_due()
    assert len(begun()) == 2


@pytest.mark.parametrize(
    ("text", "watches", "code"),
    [
        ("amount > 1", "", "condition.watches"),
        ("amount > 1", "crm.nothing", "condition.kind"),
        ("name != ''", "portal.organisation", "condition.kind"),
        ("amount > 1 and colour == 'red'", "crm.deal", "condition.field"),
        ("feel: colour = 1", "crm.deal", "condition.field"),
        ("expected_close < now", "crm.deal", "condition.time"),
        ("amount >", "crm.deal", "expression.bad"),
    ],
)
def test_what_cannot_be_watched_is_refused_with_a_remedy(cast, text, watches, code):
    with pytest.raises(DeployRefused) as refused:
        services.deploy(SYSTEM, watching(text, watches))
    (problem,) = refused.value.problems
    assert (problem.element_id, problem.code) == ("start", code) and problem.remedy
    assert not StartCondition.objects.exists()


def test_a_file_is_checked_and_run_without_being_published(cast, tmp_path, capsys):
    path = tmp_path / "big.bpmn"
    path.write_bytes(watching())
    call_command("bpmn_run", str(path), json=True)
    assert json.loads(capsys.readouterr().out)["ended"] == "completed"
    path.write_bytes(watching("colour == 1"))
    call_command("bpmn_check", str(path), json=True)
    (told,) = json.loads(capsys.readouterr().out)
    assert told["status"] == "executable" and [one["code"] for one in told["warnings"]].count("condition.field") == 1


def test_every_fact_is_a_column_that_can_be_read_and_may_stand_in_a_condition(world):
    kinds = [kind for kind in registry.subjects.values() if kind.facts]
    assert {"crm.deal", "crm.request", "crm.case", "crm.account", "crm.contact", "crm.lead", "projects.project"} <= {k.key for k in kinds}
    for kind in kinds:
        rows = list(registry.read_facts(SYSTEM, kind.key))
        assert len(rows) == kind.visible(SYSTEM).count() > 0, kind.key
        assert list(rows[0][1]) == kind.fact_names
        services.deploy(SYSTEM, watching(" or ".join(f"{name} == 'x'" for name in kind.fact_names), kind.key))
        services.deploy(SYSTEM, watching("feel: " + " or ".join(f'string({name}) = "x"' for name in kind.fact_names), kind.key))
    run_due()
    assert not begun() and StartCondition.objects.filter(definition__key="big").get().last_error == ""


def test_while_a_field_is_empty_the_condition_does_not_hold(cast, deal):
    for text in ("amount * 2 > 1000", "feel: amount > 1000"):
        services.deploy(SYSTEM, watching(text))
        new_deal(cast)
        run_due()
    assert not begun() and not StartCondition.objects.exclude(last_error="").exists()


def test_a_condition_that_fails_is_told_once_and_stops_nobody(cast, deal):
    services.deploy(SYSTEM, watching("amount > title"))
    services.deploy(SYSTEM, watching().replace(b'"big"', b'"good"'))
    for value in (2000, 3000):
        amount(cast, deal, value)
    told = StartCondition.objects.get(definition__key="big")
    assert "amount > title" in told.last_error and told.failed_id == deal.pk
    assert ProcessInstance.objects.filter(key="good").count() == 1 and not begun() and not RecordChange.objects.exists()
    assert "amount &gt; title" in page(cast, "big") and "Roof" in page(cast, "big")
    assert [(one.key, one.start_fails) for one in definitions(cast.dora)] == [("big", True), ("good", False)]


def test_what_fails_for_each_record_in_other_words_is_written_once(cast, deal):
    for number in range(4):
        new_deal(cast, f"D{number}", 5000)
    with CaptureQueriesContext(connection) as caught:
        services.deploy(SYSTEM, watching("int(title) > 3"))
    wrote = lambda: [query for query in caught if 'UPDATE "workflows_startcondition"' in query["sql"]]  # noqa: E731
    assert len(wrote()) == 1 and StartCondition.objects.get().failed_id == deal.pk
    StartCondition.objects.update(look_again=timezone.now())
    with CaptureQueriesContext(connection) as caught:
        start_conditions.look_again()
    assert len(wrote()) == 3 and StartCondition.objects.get().failed_id == deal.pk  # forgotten, told again, and the next time
    assert not RecordChange.objects.exists()


def test_a_failed_start_is_tried_again_soon_after_a_mended_version(cast, deal, monkeypatch):
    services.deploy(SYSTEM, watching())
    amount(cast, deal, 5)
    StartCondition.objects.update(
        look_again=timezone.now() + timedelta(hours=20), failed=timezone.now(), failed_id=deal.pk, last_error="no"
    )
    made = services.deploy(SYSTEM, watching(step="Look twice"))
    row = StartCondition.objects.get()
    assert row.look_again < timezone.now() + timedelta(minutes=3) and not start_lines(cast.dora, made.definition_id)[0].error


def test_a_look_does_not_read_the_drawing(cast, deal):
    services.deploy(SYSTEM, watching())
    records_changed(deals.ref_of(deal))
    with CaptureQueriesContext(connection) as caught:
        start_conditions.look_at_changes()
    assert not [query for query in caught if '"workflows_processdefinition"."xml"' in query["sql"]]


def test_why_it_failed_is_not_told_to_those_who_do_not_see_the_record(cast, deal):
    """The words of a failure quote the record."""
    made = services.deploy(SYSTEM, watching("int(title) > 3"))
    amount(cast, deal, 2000)
    assert "Roof" in StartCondition.objects.get().last_error
    for reader, sees in ((cast.erin, True), (cast.dora, True), (replace(cast.erin, permissions=frozenset()), False)):
        [line] = start_lines(reader, made.definition_id)
        assert ("Roof" in line.error, line.record is not None or reader == cast.dora) == (sees, sees) and line.error


def test_a_version_takes_over_what_is_the_same_and_begins_anew_with_what_is_not(cast, deal):
    first = services.deploy(SYSTEM, watching())
    amount(cast, deal, 5000)
    services.deploy(SYSTEM, watching(step="Look twice"))  # the condition is the same
    amount(cast, deal, 6000)
    assert len(begun()) == 1 and ConditionMet.objects.count() == 1
    second = services.deploy(SYSTEM, watching("amount > 3000"))
    amount(cast, deal, 7000)
    assert len(begun()) == 1
    restore_version(SYSTEM, first.definition_id)
    assert StartCondition.objects.get().definition_id == first.definition_id != second.definition_id
    amount(cast, deal, 1)
    amount(cast, deal, 1001)
    assert len(begun()) == 2
    services.deploy(SYSTEM, diagram("big", ENDS + chain("start", "end")))
    assert not StartCondition.objects.exists() and not ConditionMet.objects.exists()
    amount(cast, deal, 1)
    amount(cast, deal, 9000)
    assert len(begun()) == 2 and not RecordChange.objects.exists()


def test_two_conditions_of_one_process_start_at_their_own_event(cast, deal):
    body = conditional("amount > 10", key="rich") + conditional("stage == 'lost'", key="lost") + END + user("look") + user("mourn")
    services.deploy(SYSTEM, diagram("big", body + chain("rich", "look", "end") + chain("lost", "mourn", "end")))
    amount(cast, deal, 100)
    deals.lose_deal(cast.erin, deal.pk, "too dear")
    run_due()
    assert [row.active for row in ProcessInstance.objects.filter(key="big").order_by("pk")] == [["look"], ["mourn"]]


def test_what_was_written_past_everybody_is_found_later(cast, deal, monkeypatch):
    monkeypatch.setattr(start_conditions, "PAGE", 2)
    others = [new_deal(cast, f"D{number}", 5000) for number in range(4)]
    services.deploy(SYSTEM, watching())
    Deal.objects.filter(pk=deal.pk).update(amount=9000)  # nobody says so
    Deal.objects.filter(pk=others[0].pk).update(amount=1)
    Deal.objects.filter(pk=others[3].pk).delete()
    run_due()
    assert not begun()
    StartCondition.objects.update(look_again=timezone.now())
    run_due()
    assert begun() == [("crm.deal", deal.pk)]
    assert set(ConditionMet.objects.values_list("subject_id", flat=True)) == {deal.pk, others[1].pk, others[2].pk}
    row = StartCondition.objects.get()
    assert row.seen_to == 0 and row.look_again > timezone.now() + timedelta(hours=23)


def test_a_start_that_fails_is_tried_again_and_then_told(cast, deal, monkeypatch):
    services.deploy(SYSTEM, watching())

    def broken(*args, **options):
        raise RuntimeError("no disk")

    monkeypatch.setattr(start_conditions, "start_process", broken)
    amount(cast, deal, 5000)
    assert RecordChange.objects.filter(attempts=1, due__gt=timezone.now()).exists() and not ConditionMet.objects.exists()
    monkeypatch.undo()
    RecordChange.objects.update(due=timezone.now())
    run_due()
    assert len(begun()) == 1 and not RecordChange.objects.exists()
    amount(cast, deal, 5)
    monkeypatch.setattr(start_conditions, "start_process", broken)
    amount(cast, deal, 5000)
    for _try in range(start_conditions.MAX_ATTEMPTS):
        RecordChange.objects.update(due=timezone.now())
        run_due()
    assert not RecordChange.objects.exists() and StartCondition.objects.get().last_error == "no disk"


def test_imported_handed_over_and_made_records_count_too(shop):
    from crm.importing.kinds import KINDS
    from crm.importing.writers import write

    services.deploy(SYSTEM, watching("employees > 100", "crm.account"))
    services.deploy(SYSTEM, watching(f"owner_user_id == {shop.mona.user_id}").replace(b'"big"', b'"handed"'))
    services.deploy(SYSTEM, watching("state == 'new'", "crm.lead").replace(b'"big"', b'"lead"'))
    write(KINDS["accounts"], [(0, {"name": "Large", "employees": 500}), (1, {"name": "Small", "employees": 5})], {})
    deal = deals.create_deal(shop.erin, title="Mine")
    mona = SalesTeamMember.objects.create(name="Mona", user_id=shop.mona.user_id)
    deals.assign_owner(shop.mona, [deal.pk], mona.pk)
    create_lead(shop.erin, name="Somebody")
    run_due()
    assert begun() == [("crm.account", Account.objects.get(name="Large").pk)]
    assert ProcessInstance.objects.filter(key="handed").count() == ProcessInstance.objects.filter(key="lead").count() == 1


def test_a_step_that_changes_a_record_starts_what_watches_it(shop):
    services.deploy(SYSTEM, watching("stage == 'qualification'"))
    deal = deals.create_deal(shop.erin, title="Mine")
    run_due()
    assert begun() == [("crm.deal", deal.pk)]


def test_a_change_of_what_nobody_watches_costs_no_statement(cast, deal):
    ref = deals.ref_of(deal)
    records_changed(ref)
    with CaptureQueriesContext(connection) as caught:
        records_changed(ref)
    assert [query for query in caught if "workflows" in query["sql"]] == []
    services.deploy(SYSTEM, watching())
    records_changed(ref)
    with CaptureQueriesContext(connection) as caught:
        records_changed(ref, SubjectRef("crm.lead", 1))
    assert len([query for query in caught if "workflows" in query["sql"]]) == 1
    assert RecordChange.objects.exclude(kind="crm.deal").count() == 0


def page(cast, key):
    """The process's page as a designer reads it."""
    client = Client()
    client.force_login(User.objects.get(pk=cast.dora.user_id))
    return client.get(reverse("workflows:definition", args=[key])).content.decode()


def test_the_process_page_says_in_words_how_it_starts(cast, deal):
    services.deploy(SYSTEM, watching())
    words = page(cast, "big")
    assert "How it begins" in words and "amount &gt; 1000" in words and "Deal" in words


# --- beside each other, and with crashes ----------------------------------------------------------------------------


@pytest.fixture
def live(transactional_db):
    """A watched deal, committed."""
    cast = build_people()
    cast.seller = SalesTeamMember.objects.create(name="Erin", user_id=cast.erin.user_id)
    services.deploy(SYSTEM, watching())
    cast.deal = new_deal(cast)
    run_due()
    return cast


def test_two_changes_at_one_moment_start_one_instance(live):
    for round_ in range(1, 4):
        change = lambda value: lambda: deals.update_deal(live.erin, live.deal.pk, {"amount": deals.money_of(Decimal(value))})  # noqa: E731
        results = together(change(5000), change(6000), start_conditions.look_at_changes, run_due)
        assert not [one for one in results if isinstance(one, Exception)], results
        results = together(*[start_conditions.look_at_changes] * 3)
        assert not [one for one in results if isinstance(one, Exception)], results
        run_due()
        assert len(begun()) == round_ and not RecordChange.objects.exists()
        amount(live, live.deal, 1)
        assert not ConditionMet.objects.exists()


def test_true_and_false_in_turn_beside_runners_end_as_the_record_is(live):
    def flip():
        for value in (5000, 1) * 4 + (5000,):
            deals.update_deal(live.erin, live.deal.pk, {"amount": deals.money_of(Decimal(value))})

    results = together(flip, *[lambda: [start_conditions.look_at_changes() for _time in range(15)]] * 2)
    assert not [one for one in results if isinstance(one, Exception)], results
    run_due()
    assert ConditionMet.objects.count() == 1 and 1 <= len(begun()) <= 5


def test_publishing_beside_a_start_waits_for_nobody_forever(live):
    for number in range(3):
        amount(live, live.deal, 1)
        deals.update_deal(live.erin, live.deal.pk, {"amount": deals.money_of(Decimal(5000))})
        xml = watching(step=f"Look {number}")
        results = together(start_conditions.look_at_changes, start_conditions.look_at_changes, lambda xml=xml: services.deploy(SYSTEM, xml))
        assert not [one for one in results if isinstance(one, Exception)], results
        run_due()
        assert len(begun()) == number + 1


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_crash_at_every_statement_of_a_change_and_of_a_look(live, how):
    def change():
        deals.update_deal(live.erin, live.deal.pk, {"amount": deals.money_of(Decimal(5000))})

    def look():
        with pytest.MonkeyPatch.context() as patch:  # what a crash leaves, not what the next second mends
            patch.setattr(start_conditions, "_settle", lambda changes, errors: raise_first(errors) or settle(changes, errors))
            start_conditions.look_at_changes()

    settle, crash = start_conditions._settle, lambda number: Crash(number, how)
    noted = RecordChange.objects.filter(kind="crm.deal").exists
    crash_everywhere(change, noted, lambda: None, crash)
    assert Deal.objects.get(pk=live.deal.pk).amount.amount == 5000 and not begun()
    with failing_commit(), contextlib.suppress(Lost):
        look()
    assert crash_everywhere(look, lambda: len(begun()) == 1, lambda: RecordChange.objects.update(due=timezone.now()), crash) >= 4
    run_due()
    assert len(begun()) == 1 and ConditionMet.objects.count() == 1 and not RecordChange.objects.exists()


def raise_first(errors):
    if errors:
        raise Lost(next(iter(errors.values())))
