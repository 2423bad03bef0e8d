"""What operators do to running instances: hold, move, skip, start elsewhere, take to another version; tried first, audited."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpmn import engine, operations
from bpmn.parser import parse
from bpmn.serializer import decode
from portal import jobs
from portal.errors import Conflict, NotAllowed, Refused
from portal.models import AuditEntry
from tests.workflows.conftest import SYSTEM
from tests.workflows.consistency import assert_consistent
from tests.workflows.diagrams import ENDS, chain, diagram, flow, user
from tests.workflows.golden.__main__ import CASES, NOW, Host
from tests.workflows.test_crashes import ROAD
from workflows import definitions, services
from workflows.models import HistoryEvent, HumanTask, MessageBuffer, OutboxCall, ProcessInstance, Timer
from workflows.services import outbox
from workflows.services.timers import run_due

STEPS = ENDS + user("ask", name="Ask") + user("check", name="Check") + user("send", name="Send")
FIRST = diagram("steps", STEPS + chain("start", "ask", "check", "send", "end"))


@pytest.fixture
def row(cast):
    """A process of three steps, started."""
    services.deploy(SYSTEM, FIRST)
    return services.start_process(cast.erin, "steps")


def stands_at(pk: int) -> list[str]:
    row = assert_consistent(pk)
    return sorted(HumanTask.objects.filter(instance=row, status="open").values_list("element_id", flat=True))


# --- hold and go on -------------------------------------------------------------------------------------------------


def test_a_held_instance_does_nothing_and_misses_nothing(cast, monkeypatch):
    services.deploy(SYSTEM, ROAD)
    outbox.sender("tests")(lambda call: {"late": True})
    pk = services.start_process(cast.erin, "road", data={"order_id": 5})
    services.suspend_instance(cast.mona, pk, "an auditor looks at it")
    with pytest.raises(Conflict):
        services.complete_task(cast.erin, HumanTask.objects.get().pk, {})
    with pytest.raises(Conflict):
        services.suspend_instance(cast.mona, pk, "again")
    services.resume_instance(cast.mona, pk, "the auditor is content")
    services.complete_task(cast.erin, HumanTask.objects.get().pk, {})

    services.suspend_instance(cast.mona, pk, "again")
    outbox.send_batch()
    assert OutboxCall.objects.get().status == "sent" and ProcessInstance.objects.get().active == ["outside"]
    services.resume_instance(cast.mona, pk, "go on")
    assert assert_consistent(pk).active == ["hour"]

    services.suspend_instance(cast.mona, pk, "again")
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert run_due() == 0 and Timer.objects.get().attempts == 0
    services.resume_instance(cast.mona, pk, "go on")
    assert run_due() == 1 and assert_consistent(pk).active == ["paid"]

    services.suspend_instance(cast.mona, pk, "again")
    assert not services.correlate_message("payment", {"order_id": 5}, {})
    assert run_due() == 0
    services.resume_instance(cast.mona, pk, "go on")
    assert run_due() == 1 and stands_at(pk) == ["left", "right"] and MessageBuffer.objects.get().taken_by_id == pk
    services.suspend_instance(cast.mona, pk, "again")
    services.cancel_instance(cast.mona, pk, "enough")
    assert assert_consistent(pk).status == "cancelled"
    verbs = set(AuditEntry.objects.filter(subject_kind="workflows.instance").values_list("verb", "reason"))
    assert {("process.suspended", "an auditor looks at it"), ("process.resumed", "go on")} <= verbs


def test_a_held_instance_hears_a_signal_when_it_goes_on(cast):
    catch = '<bpmn:intermediateCatchEvent id="wait"><bpmn:signalEventDefinition signalRef="go"/></bpmn:intermediateCatchEvent>'
    services.deploy(SYSTEM, diagram("hears", ENDS + catch + chain("start", "wait", "end"), top='<bpmn:signal id="go" name="go"/>'))
    held, free = (services.start_process(SYSTEM, "hears") for _ in range(2))
    services.suspend_instance(cast.mona, held, "wait")
    assert services.broadcast_signal("go")
    assert ProcessInstance.objects.get(pk=free).status == "completed"
    services.resume_instance(cast.mona, held, "go")
    run_due()
    assert assert_consistent(held).status == "completed"


# --- change where it stands -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "source", "target", "stands", "ended"),
    [
        ("move", "ask", "send", ["send"], False),
        ("skip", "ask", "", ["check"], False),
        ("start", "", "send", ["ask", "send"], False),
        ("move", "ask", "ask", ["ask"], False),
        ("cancel", "ask", "", [], True),
    ],
)
def test_a_change_is_told_before_and_done_after(cast, row, kind, source, target, stands, ended):
    changes = services.changes_for(kind, source, target)
    before = ProcessInstance.objects.get(pk=row)
    preview = services.preview_change(cast.mona, row, changes)
    assert preview.verdict == "safe" and preview.before == ("Ask",) and all(preview.words)
    untouched = ProcessInstance.objects.get(pk=row)
    assert (untouched.version, bytes(untouched.state)) == (before.version, bytes(before.state))
    services.change_instance(cast.mona, row, changes, "the customer called")
    assert stands_at(row) == stands
    after = ProcessInstance.objects.get(pk=row)
    assert (after.status == "completed") == ended
    assert sorted(preview.after) == sorted(name.title() for name in stands)
    entry = AuditEntry.objects.get(verb="process.changed")
    assert entry.reason == "the customer called" and entry.before == {"active": ["ask"]}
    assert HistoryEvent.objects.filter(instance_id=row, kind="operation", actor_name="Mona Manager", reason="the customer called").exists()


def test_what_cant_be_done_is_said_and_changes_nothing(cast, row):
    before = bytes(ProcessInstance.objects.get(pk=row).state)
    for changes, words in (
        (services.changes_for("skip", "send"), "Nothing stands"),
        (services.changes_for("move", "ask", "nowhere"), "no element"),
        (services.changes_for("move", "check", "send"), "Nothing stands"),
    ):
        preview = services.preview_change(cast.mona, row, changes)
        assert preview.verdict == "blocked" and words in preview.words[0]
        with pytest.raises(Refused, match=words):
            services.change_instance(cast.mona, row, changes, "try")
    assert bytes(ProcessInstance.objects.get(pk=row).state) == before and stands_at(row) == ["ask"]
    for actor, reason, error in ((cast.erin, "why", NotAllowed), (cast.mona, " ", Refused), (cast.cara, "why", Refused)):
        with pytest.raises(error):
            services.change_instance(actor, row, services.changes_for("skip", "ask"), reason)
    with pytest.raises(Refused):
        services.changes_for("explode")


# --- another version ------------------------------------------------------------------------------------------------


def publish(body: str) -> int:
    return services.deploy(SYSTEM, diagram("steps", body)).definition_id


def test_an_instance_goes_on_in_a_new_version(cast, row):
    longer = publish(STEPS + user("pack", name="Pack") + chain("start", "ask", "pack", "check", "send", "end"))
    (preview,) = services.preview_migration(cast.mona, longer, [row])
    assert preview.verdict == "safe" and "version 2" in preview.words[0]
    services.migrate_instance(cast.mona, row, longer, "packing is needed now")
    services.complete_task(cast.erin, HumanTask.objects.get(status="open").pk, {})
    assert stands_at(row) == ["pack"] and ProcessInstance.objects.get(pk=row).definition_id == longer
    entry = AuditEntry.objects.get(verb="process.migrated")
    assert entry.after["version"] == 2 and entry.reason == "packing is needed now"


def test_a_renamed_step_needs_a_mapping_and_another_kind_is_blocked(cast, row):
    renamed = publish(
        ENDS + user("question", name="Ask") + user("check") + user("send") + chain("start", "question", "check", "send", "end")
    )
    (preview,) = services.preview_migration(cast.mona, renamed, [row])
    assert (preview.verdict, preview.lost, preview.suggested) == ("mapping", ("ask",), {"ask": "question"})
    assert "“Ask”" in preview.words[0]
    with pytest.raises(Refused, match="Ask"):
        services.migrate_instance(cast.mona, row, renamed, "new version")
    assert stands_at(row) == ["ask"]
    (preview,) = services.preview_migration(cast.mona, renamed, [row], {"ask": "question"})
    assert preview.verdict == "safe"
    services.migrate_instance(cast.mona, row, renamed, "new version", {"ask": "question"})
    assert stands_at(row) == ["question"]
    script = '<bpmn:scriptTask id="question" name="Ask" scriptFormat="python"><bpmn:script>n = 1</bpmn:script></bpmn:scriptTask>'
    other = publish(ENDS + script + user("check") + chain("start", "question", "check", "end"))
    (preview,) = services.preview_migration(cast.mona, other, [row])
    assert preview.verdict == "blocked" and "user task" in preview.words[0] and "script task" in preview.words[0]


def test_steps_that_change_names_with_each_other_keep_their_own_rows(cast):
    body = '<bpmn:boundaryEvent id="{0}" attachedToRef="{1}"><bpmn:timerEventDefinition><bpmn:timeDuration>PT{2}H</bpmn:timeDuration>'
    body += "</bpmn:timerEventDefinition></bpmn:boundaryEvent>"

    def version(first, second, third):
        late = body.format(f"late_{first}", first, 1) + body.format(f"late_{second}", second, 2)
        flows = flow("start", first) + flow("start", second) + flow(first, "end") + flow(second, "end")
        flows += flow(f"late_{first}", "end") + flow(f"late_{second}", "end") + flow("start", third) + flow(third, "end")
        return diagram("swap", ENDS + user(first, name="One") + user(second, name="Two") + user(third, name="Three") + late + flows)

    services.deploy(SYSTEM, version("a", "b", "c"))
    pk = services.start_process(cast.erin, "swap")
    target = services.deploy(SYSTEM, version("b", "a", "d")).definition_id
    names = {"a": "b", "b": "a", "late_a": "late_b", "late_b": "late_a", "c": "d"}
    services.migrate_instance(cast.mona, pk, target, "they were drawn the wrong way round", names)
    assert stands_at(pk) == ["a", "b", "d"]
    assert dict(HumanTask.objects.values_list("name", "element_id")) == {"One": "b", "Two": "a", "Three": "d"}
    now = timezone.now()
    assert [row.element_id for row in Timer.objects.order_by("due")] == ["late_b", "late_a"] and Timer.objects.earliest("due").due > now
    for task in HumanTask.objects.order_by("name"):
        services.complete_task(cast.erin, task.pk, {})
    assert assert_consistent(pk).status == "completed"


def test_many_are_taken_over_in_the_background(cast, row):
    ids = [row, *(services.start_process(cast.erin, "steps") for _ in range(24))]
    services.complete_task(cast.erin, HumanTask.objects.get(instance_id=ids[0]).pk, {})
    services.cancel_instance(cast.mona, ids[1], "not needed")
    shorter = publish(ENDS + user("ask", name="Ask") + user("send", name="Send") + chain("start", "ask", "send", "end"))
    with pytest.raises(NotAllowed):
        services.migrate_instances(cast.erin, ids, shorter, "no check any more")
    job = services.migrate_instances(cast.mona, ids, shorter, "no check any more")
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.failed) == ("done", 25, 2)
    assert set(job.result["refused"]) == {str(ids[0]), str(ids[1])} and "Check" in job.result["refused"][str(ids[0])]
    assert ProcessInstance.objects.filter(definition_id=shorter).count() == 23
    assert stands_at(ids[5]) == ["ask"] and stands_at(ids[0]) == ["check"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_an_identical_version_changes_nothing(name):
    xml, data, _done = CASES[name]
    old = parse(xml)
    new = parse(xml.replace(b"</bpmn:definitions>", b"<!-- the same again --></bpmn:definitions>"))
    outcome = engine.start(old, data, host=Host(), now=NOW)
    verdict = operations.migrate(old, new, outcome.state, {}, now=NOW)
    assert verdict.verdict == "safe"
    before, after = decode(outcome.state), decode(verdict.state)
    assert {**before, "definition": ""} == {**after, "definition": ""}
    for field in ("data", "user_tasks", "timers", "messages", "active", "incidents", "service_waits"):
        assert getattr(engine.look(new, verdict.state, now=NOW), field) == getattr(engine.look(old, outcome.state, now=NOW), field)


CHANGES = st.lists(
    st.builds(
        operations.Change, st.sampled_from(["skip", "cancel", "start"]), st.sampled_from(["ask", "left", "right", "join", "last", "fork"])
    ),
    max_size=6,
)
BRANCHES = parse(
    diagram(
        "branches",
        ENDS
        + user("ask") + user("left") + user("right") + user("last")
        + '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
        + chain("start", "ask", "fork", "left", "join", "last", "end")
        + flow("fork", "right") + flow("right", "join"),
    )
)  # fmt: skip


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES)
def test_any_changes_leave_an_instance_that_can_be_read_and_ended(changes):
    seen = engine.start(BRANCHES, {}, host=None, now=NOW)
    for change in changes:
        try:
            tried = operations.modify(BRANCHES, seen.state, [change], host=None, now=NOW, max_steps=0)
            seen = operations.modify(BRANCHES, seen.state, [change], host=None, now=NOW)
        except operations.Impossible:
            continue
        assert (tried.status == "running") or seen.status != "running"
        if seen.status != "running":
            break
    for _step in range(60):
        if seen.status != "running" or not seen.user_tasks:
            break
        seen = engine.complete(BRANCHES, seen.state, seen.user_tasks[0].id, {}, host=None, now=NOW)
    assert seen.status == "completed" or {incident.code for incident in seen.incidents} == {"deadlock"}


def test_definitions_stay_as_they_are(cast, row):
    before = definitions.load(ProcessInstance.objects.get(pk=row).digest)
    services.change_instance(cast.mona, row, services.changes_for("skip", "ask"), "why")
    assert definitions.load(before.digest) is before


# --- messages -------------------------------------------------------------------------------------------------------


def test_a_message_is_kept_for_its_time_and_found_among_many(cast):
    wait = '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="paid"/></bpmn:intermediateCatchEvent>'
    top = '<bpmn:message id="paid" name="paid" tandem:correlation="order_id"/>'
    services.deploy(SYSTEM, diagram("late", ENDS + wait + chain("start", "wait", "end"), top=top))
    for order in range(130):
        services.correlate_message("paid", {"order_id": order}, {})
    services.correlate_message("paid", {"order_id": 500}, {}, ttl=timedelta(0))
    found = services.start_process(SYSTEM, "late", data={"order_id": 129})
    assert ProcessInstance.objects.get(pk=found).status == "completed"
    over = services.start_process(SYSTEM, "late", data={"order_id": 500})
    assert ProcessInstance.objects.get(pk=over).status == "running"
    late = services.start_process(SYSTEM, "late", data={"order_id": "x"})
    MessageBuffer.objects.create(name="paid", keys={"order_id": "x"}, expires=timezone.now() + timedelta(hours=1))
    run_due()  # put down by a step that ended before it was handed over
    assert ProcessInstance.objects.get(pk=late).status == "completed"


@pytest.mark.parametrize("kind", ["message", "signal"])
def test_a_held_instance_hears_what_came_however_long_it_was_held(cast, monkeypatch, kind):
    """A message lives an hour where nobody waits; one that a held instance waits for is kept until it goes on."""
    catch = f'<bpmn:intermediateCatchEvent id="wait"><bpmn:{kind}EventDefinition {kind}Ref="go"/></bpmn:intermediateCatchEvent>'
    services.deploy(SYSTEM, diagram("hears", ENDS + catch + chain("start", "wait", "end"), top=f'<bpmn:{kind} id="go" name="go"/>'))
    pk = services.start_process(SYSTEM, "hears")
    services.suspend_instance(cast.mona, pk, "wait")
    sent = services.correlate_message("go", {}) if kind == "message" else services.broadcast_signal("go")
    assert not sent
    clock = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: clock)
    for _ in range(6):
        clock += timedelta(hours=11)
        run_due()
    services.resume_instance(cast.mona, pk, "go")
    run_due()
    assert assert_consistent(pk).status == "completed"
