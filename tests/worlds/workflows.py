"""Processes in the world: steps of both customers and both partners, a failure, an approval, calls and messages."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from portal import jobs
from portal.access import Actor
from portal.registry import SubjectRef
from tests.workflows.diagrams import ENDS, chain, diagram, flow, lane, service, user
from workflows import packs, services
from workflows.approvals import start_approval
from workflows.connector_registry import connector
from workflows.models import ConditionMet, DecisionLink, HumanTask, RecordChange, StartCondition, TaskBatch, TaskCandidate
from workflows.services.bulk import Act
from workflows.services.incidents import raise_incident
from workflows.services.links import token_of

SYSTEM = Actor.system("world")


@connector("world.fails")
def fails(step) -> dict:
    """A step that always fails."""
    raise RuntimeError("LEAK:internal the warehouse said no")


# Sales checks; then the customer and the partner each do a step of their own, while a deadline and a message are waited for.
JOINT = diagram(
    "world_joint",
    ENDS
    + user("check", 'tandem:publicLabel="We check" tandem:partnerLabel="The company checks"', "", "LEAK:internal check the margin")
    + '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
    + user("customer_step", 'tandem:publicLabel="You choose a date" tandem:due="P7D"', "", "Choose a date")
    + user("partner_step", 'tandem:partnerLabel="You offer a person"', "", "Offer a person")
    + user("ask", 'tandem:candidates="= asked"', "", "LEAK:internal ask around")
    + '<bpmn:intermediateCatchEvent id="paid"><bpmn:messageEventDefinition messageRef="m_paid"/></bpmn:intermediateCatchEvent>'
    + '<bpmn:intermediateCatchEvent id="later"><bpmn:timerEventDefinition><bpmn:timeDuration>P30D</bpmn:timeDuration>'
    "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>"
    + chain("start", "check", "fork")
    + "".join(flow("fork", step) + flow(step, "join") for step in ("customer_step", "partner_step", "ask", "paid", "later"))
    + chain("join", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "check", "fork", "join", "ask", "paid", "later", "end")
    + lane("Customer", "customer", "", "customer_step")
    + lane("Partner", "partner", "", "partner_step"),
    top='<bpmn:message id="m_paid" name="paid" tandem:correlation="number"/>',
)
FAILING = diagram("world_failing", ENDS + service("work", "world.fails") + chain("start", "work", "end"))
WATCHING = diagram(
    "world_watching",
    '<bpmn:startEvent id="start" tandem:watches="crm.product"><bpmn:conditionalEventDefinition>'
    "<bpmn:condition xsi:type=\"bpmn:tFormalExpression\">name == 'LEAK:internal a product nobody has'</bpmn:condition>"
    '</bpmn:conditionalEventDefinition></bpmn:startEvent><bpmn:endEvent id="end"/>' + chain("start", "end"),
)
NIGHTLY = diagram(
    "world_nightly",
    '<bpmn:startEvent id="start"><bpmn:timerEventDefinition><bpmn:timeCycle>0 3 * * *</bpmn:timeCycle></bpmn:timerEventDefinition>'
    '</bpmn:startEvent><bpmn:endEvent id="end"/>' + chain("start", "end"),
)


def build(cast) -> None:
    """Publish the processes and put every kind of row into the world."""
    packs.deploy_shipped()
    for xml in (JOINT, FAILING, NIGHTLY, WATCHING):
        services.deploy(SYSTEM, xml, note="LEAK:internal made for the world")
    watched = StartCondition.objects.get()
    StartCondition.objects.filter(pk=watched.pk).update(
        failed=timezone.now(), failed_id=0, last_error="LEAK:internal it can't be worked out"
    )
    ConditionMet.objects.create(start=watched, subject_id=0)
    RecordChange.objects.create(kind="world.record", subject_id=0)
    places = {name.split()[0].lower(): row.pk for name, row in cast.organisations.items()}
    for number, (customer, partner) in enumerate((("acme", "pine"), ("birch", "quill"))):
        pk = services.start_process(
            SYSTEM,
            "world_joint",
            subject=SubjectRef("portal.organisation", places[customer]),
            data={"number": number, "asked": [cast.erin.user_id, cast.dan.user_id], "secret": "LEAK:internal margin 40 %"},
            title=f"LEAK:internal joint work for {customer}",
            customer_organisation_id=places[customer],
            partner_organisation_id=places[partner],
        )
        check = HumanTask.objects.get(instance_id=pk, status="open")
        services.delegate_task(cast.mona, check.pk, cast.erin.user_id, "LEAK:internal please be quick")
        services.complete_task(cast.erin, check.pk, {})
        for audience, owner in (("customer", customer), ("partner", partner)):
            HumanTask.objects.filter(instance_id=pk, audience=audience).update(note=f"LEAK:{owner} a note")
    failing = services.start_process(SYSTEM, "world_failing", title="LEAK:internal a failing process")
    call = services.enqueue_call(
        "mail",
        {"to": ["x@acme.example"], "subject": "LEAK:internal", "text": "LEAK:internal"},
        idempotency_key="world",
        instance_id=failing,
    )
    raise_incident(failing, "work", "outbox.failed", "LEAK:internal no line", call=call)
    services.correlate_message("nobody waits", {"number": 99}, {"text": "LEAK:nobody"}, ttl=timedelta(days=1))
    ref = SubjectRef("portal.organisation", places["acme"])
    start_approval(cast.mona, ref, [cast.erin.user_id, cast.dan.user_id], text="LEAK:internal may we?", amount="900")
    DecisionLink.objects.update(used=timezone.now(), used_action="approve")  # a fresh one would let anybody in who has it
    decided = start_approval(cast.erin, ref, [cast.mona.user_id], text="LEAK:internal and this?")
    vote = HumanTask.objects.get(instance_id=decided, status="open")
    services.complete_task(cast.mona, vote.pk, {"reason": "LEAK:internal why not"}, action="approve")
    days = [timezone.localdate() + timedelta(days=n) for n in (0, 5)]
    services.plan_absence(cast.fiona, *days, cast.mona.user_id, note="LEAK:internal in Lisbon")
    HumanTask.objects.filter(instance__title__startswith="LEAK:internal joint work for acme").update(due=timezone.now() - timedelta(days=1))
    snoozed = HumanTask.objects.filter(status="open", assignee_id=cast.erin.user_id).first()
    services.snooze_task(cast.erin, snoozed.pk, timezone.now() + timedelta(days=1))
    free = HumanTask.objects.filter(status="open", audience="internal").values_list("pk", flat=True)
    batch = services.choose_tasks(cast.erin, "snooze", free)
    TaskBatch.objects.filter(pk=batch).update(note="LEAK:erin put aside together")
    job = services.start_bulk(cast.mona, Act("resume"), [failing], "LEAK:internal go on")
    while jobs.run_chunk(job.pk):
        pass
    cast.rows["bulk"] = job
    assert TaskCandidate.objects.exists()


def samples(world) -> dict[str, list[dict]]:
    """The radar's kinds are words, not rows; a mailed link is kept nowhere."""
    return {
        "workflows:bulk-result": [{"job_id": world.rows["bulk"].pk}],
        "workflows:radar-mend": [{"kind": "overdue"}],
        "workflows:start-process": [{"key": "purchase_request"}],
        "decide": [{"token": token_of(DecisionLink.objects.exclude(used=None).first(), "approve")}, {"token": "nobody-has-this-token"}],
    }
