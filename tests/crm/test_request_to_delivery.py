"""The shipped process from the customer's request to the finished project, by everybody who takes part."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from crm import services
from crm.models import Deal, Lead, Quote, Request, StageChange
from crm.selectors import joint_deals, quotes_of_request
from crm.services import PublicRequest
from portal import demo
from portal.audit import entries_for
from portal.errors import Refused
from portal.files import files_for
from portal.registry import SubjectRef
from projects.models import Acceptance, Project
from tests.crm.conftest import ask, do, ref_of, waiting
from workflows.selectors import instances_for_subject, road_for, stage_moves
from workflows.services import cancel_instance
from workflows.tasks import run_due

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nothing_untold")]


def qualified(shop, product: str = "planning", actor=None, **values):
    """A request that sales has qualified."""
    request = ask(actor or shop.cara, shop.rows[product])
    given = {"product": shop.rows[product].pk, "price": "", "discount": "0"} | values
    do(shop.erin, request, "qualify", "qualify", **given)
    return request


def deal_of(request) -> Deal:
    """Its deal."""
    return Deal.objects.get(request=request)


def no_incident(shop, request) -> None:
    """Nothing failed on the way."""
    assert not any(row.has_incident for row in instances_for_subject(shop.adam, ref_of(request)))


def test_the_whole_way_without_approval_and_partner(shop):
    """Request, qualification, quote, acceptance, milestones, end; the deal's stage is the process's state."""
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    assert waiting(shop.erin, request) == {"qualify"}
    assert not Deal.objects.exists()
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="10")
    deal = deal_of(request)
    assert (deal.stage, deal.amount.amount, deal.owner.name) == ("proposal", 5400, "Erin Employee")
    do(shop.erin, request, "prepare_quote", "send", quote_note="As discussed.")
    deal.refresh_from_db()
    assert deal.stage == "negotiation"
    [quote] = quotes_of_request(shop.cara, request.pk)
    assert (quote.total.amount, quote.state, quote.number) == (5400, "sent", f"Q-{deal.pk:05d}-1")
    [file] = files_for(shop.cara, ref_of(request))
    assert file.name.endswith(".pdf") and file.size > 3000
    do(shop.cara, request, "decide_quote", "accept")
    deal.refresh_from_db()
    assert (deal.outcome, deal.close_value.amount, deal.stage) == ("won", 5400, "delivery")
    assert waiting(shop.cara, request) == {"provide_materials"}
    do(shop.cara, request, "provide_materials", materials_note="Drawings follow.")
    do(shop.dan, request, "deliver", delivery_note="All there.")
    assert deal_of(request).stage == "delivery" and waiting(shop.cara, request) == {"accept_delivery"}
    do(shop.cara, request, "accept_delivery", "accept", rating="5")
    deal.refresh_from_db()
    request.refresh_from_db()
    assert (deal.stage, request.state) == ("won", Request.State.DONE)
    assert [c.to_stage for c in StageChange.objects.filter(deal=deal).order_by("pk")] == [
        "qualification", "proposal", "negotiation", "delivery", "won",
    ]  # fmt: skip
    road = road_for(shop.cara, ref_of(request))
    assert [(step.label, step.state) for step in road.steps] == [
        ("You sent your request", "done"),
        ("We are looking at your request", "done"),
        ("We prepare your quote", "done"),
        ("You decide on the quote", "done"),
        ("You give us what we need to begin", "done"),
        ("We deliver", "done"),
        ("You accept the delivery", "done"),
        ("Done", "done"),
    ]
    no_incident(shop, request)


def test_over_the_limit_manager_and_finance_approve_in_parallel(shop):
    """Both must approve; a rejection goes back with its reason; the second round asks again."""
    request = qualified(shop, discount="20")
    assert waiting(shop.mona, request) >= {"approve_discount_manager"}
    assert waiting(shop.fiona, request) == {"approve_discount_finance"}
    assert deal_of(request).stage == "approval"
    assert [step.label for step in road_for(shop.cara, ref_of(request)).now] == ["We are looking at your request"]
    do(shop.mona, request, "approve_discount_manager", "approve")
    do(shop.fiona, request, "approve_discount_finance", "reject", reason="Too much for one year.")
    assert deal_of(request).stage == "qualification"
    task = next(t for t in _tasks(shop.erin, request) if t.element_id == "qualify")
    from workflows.forms import task_form

    assert "Too much for one year." in dict(task_form(shop.erin, task.id).display).values()
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="15")
    assert Deal.objects.filter(request=request).count() == 1
    do(shop.fiona, request, "approve_discount_finance", "approve")
    assert waiting(shop.erin, request) == set()
    do(shop.mona, request, "approve_discount_manager", "approve")
    assert waiting(shop.erin, request) == {"prepare_quote"}
    no_incident(shop, request)


def test_a_small_deal_needs_the_manager_alone(shop):
    """Below 5,000 the table asks only the manager."""
    request = qualified(shop, "small", discount="30")
    assert waiting(shop.fiona, request) == set()
    do(shop.mona, request, "approve_discount_manager", "approve")
    assert waiting(shop.erin, request) == {"prepare_quote"}


def _tasks(actor, request):
    from workflows.selectors import open_tasks_for

    return open_tasks_for(actor, ref_of(request))


def _later(monkeypatch, hours: int) -> None:
    moment = timezone.now() + timedelta(hours=hours)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)
    run_due()


def test_reminder_then_escalation(shop, monkeypatch, django_capture_on_commit_callbacks):
    """After a day a letter reminds, after two the manager decides in place of finance."""
    request = qualified(shop, discount="20")
    with django_capture_on_commit_callbacks(execute=True):
        _later(monkeypatch, 25)
    from workflows.tasks import send_outbox

    send_outbox()
    assert {letter.to[0] for letter in mail.outbox} >= {"mona@northwind.example", "fiona@northwind.example"}
    _later(monkeypatch, 49)
    assert waiting(shop.fiona, request) == set()
    do(shop.mona, request, "approve_discount_instead", "approve")
    do(shop.mona, request, "approve_discount_manager", "approve")
    assert waiting(shop.erin, request) == {"prepare_quote"}
    no_incident(shop, request)


def test_a_partner_joins_sees_only_after_the_invitation_and_delivers(shop):
    """Invited, decides, works; the milestones of all three audiences end the process."""
    pine = shop.organisations[demo.PINE].pk
    request = qualified(shop, "roof", needs_partner="on", partner=str(pine))
    deal = deal_of(request)
    ref = SubjectRef("crm.deal", deal.pk)
    assert deal.stage == "partner"
    assert [d.id for d in joint_deals(shop.paul)] == [deal.pk]
    assert joint_deals(shop.quinn) == []
    from workflows.selectors import open_tasks_for

    [task] = open_tasks_for(shop.paul, ref)
    from workflows.services import complete_task

    complete_task(shop.paul, task.id, {}, action="accept")
    deal.refresh_from_db()
    assert (deal.partner_state, deal.stage) == ("accepted", "proposal")
    do(shop.erin, request, "prepare_quote", "send")
    do(shop.cara, request, "decide_quote", "accept")
    do(shop.cara, request, "provide_materials")
    [task] = open_tasks_for(shop.paul, ref)
    assert task.element_id == "partner_delivery"
    complete_task(shop.paul, task.id, {"partner_note": "Panels are up."})
    do(shop.dan, request, "deliver")
    do(shop.cara, request, "accept_delivery", "accept")
    request.refresh_from_db()
    assert request.state == Request.State.DONE
    no_incident(shop, request)


def test_a_partner_declines_and_another_is_chosen(shop):
    """A refusal takes the deal out of the partner's sight and asks sales for another."""
    pine, quill = shop.organisations[demo.PINE].pk, shop.organisations[demo.QUILL].pk
    request = qualified(shop, "roof", needs_partner="on", partner=str(pine))
    ref = SubjectRef("crm.deal", deal_of(request).pk)
    from workflows.selectors import open_tasks_for
    from workflows.services import complete_task

    [task] = open_tasks_for(shop.paul, ref)
    with pytest.raises(Refused):
        complete_task(shop.paul, task.id, {}, action="decline")
    complete_task(shop.paul, task.id, {"reason": "No people free."}, action="decline")
    assert joint_deals(shop.paul) == []
    do(shop.erin, request, "choose_partner", needs_partner="on", partner=str(quill))
    assert [d.id for d in joint_deals(shop.quinn)] == [ref.id]
    [task] = open_tasks_for(shop.quinn, ref)
    complete_task(shop.quinn, task.id, {}, action="accept")
    assert waiting(shop.erin, request) == {"prepare_quote"}
    no_incident(shop, request)


def test_going_on_without_a_partner(shop):
    """Sales may decide to deliver alone."""
    request = qualified(shop, "roof", needs_partner="on")
    assert waiting(shop.erin, request) == {"choose_partner"}
    do(shop.erin, request, "choose_partner")
    assert waiting(shop.erin, request) == {"prepare_quote"}


def test_the_customer_asks_for_a_change(shop):
    """A change makes the next version; the first can't be accepted any more."""
    request = qualified(shop)
    do(shop.erin, request, "prepare_quote", "send")
    with pytest.raises(Refused):
        do(shop.colin, request, "decide_quote", "change")
    do(shop.colin, request, "decide_quote", "change", reason="Without training, please.")
    assert deal_of(request).stage == "proposal"
    do(shop.erin, request, "prepare_quote", "send", price="5000")
    states = {q.version: q.state for q in quotes_of_request(shop.cara, request.pk)}
    assert states == {1: "changed", 2: "sent"}
    do(shop.cara, request, "decide_quote", "accept")
    assert deal_of(request).close_value.amount == 5000
    assert Quote.objects.get(request=request, version=2).decided_by_name == "Cara Customer"


def test_the_customer_declines(shop):
    """The deal is lost with the customer's reason; the request is closed."""
    request = qualified(shop)
    do(shop.erin, request, "prepare_quote", "send")
    do(shop.cara, request, "decide_quote", "decline", reason="We found somebody nearer.")
    deal = deal_of(request)
    assert (deal.outcome, deal.stage, deal.lost_reason) == ("lost", "lost", "We found somebody nearer.")
    request.refresh_from_db()
    assert request.state == Request.State.CLOSED
    no_incident(shop, request)


def test_cancelled_while_the_customer_decides(shop):
    """The request closes with words for the customer, and its quote can't be accepted any more."""
    request = qualified(shop)
    do(shop.erin, request, "prepare_quote", "send")
    road = [step.label for step in road_for(shop.cara, ref_of(request)).steps if step.state == "next"]
    assert road == ["You give us what we need to begin", "We deliver", "You accept the delivery", "Done"]
    request.refresh_from_db()
    cancel_instance(shop.mona, request.instance_id, "Asked for by telephone")
    request.refresh_from_db()
    quote = Quote.objects.get(request=request)
    assert (request.state, quote.state) == (Request.State.CLOSED, "expired")
    assert "We ended this request" in request.outcome and "telephone" not in request.outcome
    with pytest.raises(Refused):
        services.accept_quote(shop.cara, quote.pk)


def test_the_quote_runs_out(shop, monkeypatch):
    """After the deadline the customer can't accept; sales follows up and may still win."""
    request = qualified(shop)
    do(shop.erin, request, "prepare_quote", "send", valid_days="7")
    _later(monkeypatch, 24 * 7 + 1)
    assert waiting(shop.cara, request) == set()
    assert Quote.objects.get(request=request).state == "expired"
    do(shop.erin, request, "follow_up", "accept")
    assert deal_of(request).outcome == "won"


def test_not_pursued(shop):
    """Sales says no with a reason; no deal appears."""
    request = ask(shop.cara, shop.rows["planning"])
    do(shop.erin, request, "qualify", "disqualify", product=shop.rows["planning"].pk, reason="Not in our region.")
    request.refresh_from_db()
    assert (request.state, request.outcome, Deal.objects.count()) == (Request.State.CLOSED, "Not in our region.", 0)


def test_a_visitor_becomes_lead_account_and_guest(shop):
    """The public form makes all of it at once; the company's name alone leads nowhere."""
    form = PublicRequest(
        name="Vera Visitor", email="vera@new.example", company=demo.ACME, message="Hello", product_id=shop.rows["planning"].pk,
        consent=True, key="k1",
    )  # fmt: skip
    lead = services.submit_public_request(form)
    assert services.submit_public_request(form).pk == lead.pk
    assert lead.account.organisation_id != shop.organisations[demo.ACME].pk
    assert waiting(shop.erin, lead.request) == {"qualify"}
    do(shop.erin, lead.request, "qualify", "qualify", product=shop.rows["planning"].pk)
    lead.refresh_from_db()
    assert lead.state == Lead.State.CONVERTED
    [line] = entries_for(SubjectRef("crm.account", lead.account_id))
    assert (line.verb, line.actor_name, line.after) == ("account.created", "Web form", {"name": demo.ACME})


def test_deals_without_a_customer_in_the_cabinet(shop):
    """A deal opened by hand has its process; sales writes down what the customer says."""
    deal = services.create_deal(shop.erin, title="By phone", product=shop.rows["planning"])
    from workflows.selectors import open_tasks_for
    from workflows.services import complete_task

    ref = SubjectRef("crm.deal", deal.pk)

    def step(element_id: str, action: str = "", actor=shop.erin, **values) -> None:
        task = next(t for t in open_tasks_for(actor, ref) if t.element_id == element_id)
        complete_task(actor, task.id, values, action=action)

    step("qualify", "qualify", product=shop.rows["planning"].pk)
    step("prepare_quote", "send")
    step("record_answer", "accept")
    deal.refresh_from_db()
    assert (deal.outcome, deal.stage) == ("won", "delivery")
    step("deliver", actor=shop.dan)
    step("ask_acceptance", "accept", actor=shop.dan, rating="4", rating_words="Said on the phone.")
    deal.refresh_from_db()
    assert deal.stage == "won"
    said = Acceptance.objects.get()
    assert (said.accepted, said.rating, said.said_by_name, said.in_their_name) == (True, 4, "Dan Delivery", True)


def handed_over(shop):
    """A request whose delivery waits for the customer's word, and its project."""
    request = qualified(shop)
    do(shop.erin, request, "prepare_quote", "send")
    do(shop.cara, request, "decide_quote", "accept")
    do(shop.cara, request, "provide_materials")
    do(shop.dan, request, "deliver", delivery_note="The plan is in your files.")
    return request, Project.objects.get()


def test_a_delivery_with_defects_goes_back_with_the_reason_and_is_asked_again(shop):
    """Defects need words; they reach delivery; what was put right is read before the second answer; every round stays on record."""
    request, project = handed_over(shop)
    with pytest.raises(Refused):
        do(shop.cara, request, "accept_delivery", "defects")
    do(shop.cara, request, "accept_delivery", "defects", reason="Sheet four is missing.")
    milestone = project.milestones.get(element_id="keep_acceptance")
    assert milestone.reached is None and waiting(shop.cara, request) == set()
    assert [step.label for step in road_for(shop.cara, ref_of(request)).now] == ["We put right what is missing"]
    task = next(t for t in _tasks(shop.dan, request) if t.element_id == "mend_delivery")
    from workflows.forms import task_form

    assert "Sheet four is missing." in dict(task_form(shop.dan, task.id).display).values()
    do(shop.dan, request, "mend_delivery", mended_note="Sheet four is there now.")
    task = next(t for t in _tasks(shop.cara, request) if t.element_id == "accept_delivery")
    shown = dict(task_form(shop.cara, task.id).display).values()
    assert {"The plan is in your files.", "Sheet four is there now."} <= set(shown)
    do(shop.cara, request, "accept_delivery", "accept", rating="4", rating_words="Good in the end.")
    rounds = list(project.acceptances.values_list("accepted", "reason", "rating", "said_by_name", "in_their_name"))
    assert rounds == [
        (False, "Sheet four is missing.", None, "Cara Customer", False),
        (True, "", 4, "Cara Customer", False),
    ]
    milestone.refresh_from_db()
    project.refresh_from_db()
    assert milestone.reached_by_id == shop.cara.user_id and project.state == "completed"
    no_incident(shop, request)


def test_without_a_word_for_two_weeks_delivery_asks_the_customer(shop, monkeypatch):
    """The customer's step gives way to a colleague's, who writes down what they say in their name."""
    request, project = handed_over(shop)
    _later(monkeypatch, 15 * 24)
    assert waiting(shop.cara, request) == set() and waiting(shop.dan, request) == {"ask_acceptance"}
    do(shop.dan, request, "ask_acceptance", "defects", reason="They miss the second file.")
    assert waiting(shop.dan, request) == {"mend_delivery"}
    do(shop.dan, request, "mend_delivery", mended_note="Sent.")
    do(shop.cara, request, "accept_delivery", "accept")
    assert [row.in_their_name for row in project.acceptances.all()] == [True, False]
    no_incident(shop, request)


def test_moves_on_the_board_ask_the_process(shop):
    """A move completes the step that leads there, or says why not."""
    request = qualified(shop)
    deal = deal_of(request)
    ref = SubjectRef("crm.deal", deal.pk)
    assert {m.stage for m in stage_moves(shop.erin, ref) if m.allowed} == {"negotiation", "qualification", "lost"}
    with pytest.raises(Refused, match="waits for|doesn't"):
        services.move_deal(shop.erin, deal.pk, "delivery")
    services.move_deal(shop.erin, deal.pk, "negotiation")
    deal.refresh_from_db()
    assert deal.stage == "negotiation"
    with pytest.raises(Refused, match="waits for"):
        services.move_deal(shop.erin, deal.pk, "delivery")


def test_sending_a_request_twice_makes_one(shop):
    """A double click."""
    first = ask(shop.cara, shop.rows["planning"], key="abc")
    assert ask(shop.cara, shop.rows["planning"], key="abc").pk == first.pk
    assert Request.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "takes_part", "is_asked"), [("planned", False, True), ("accepted", True, True), ("declined", False, False)]
)
def test_a_partner_follows_the_process_of_a_deal_only_when_they_take_part_in_it(shop, state, takes_part, is_asked):
    """Started by hand for a deal that is there already: who is planned waits for the invitation, who declined is left alone."""
    pine = shop.paul.organisation_id
    deal = Deal.objects.create(title="Begun before", product=shop.rows["roof"], partner_organisation_id=pine, partner_state=state)
    start = services.deal_start(deal)
    assert start.partner_organisation_id == (pine if takes_part else None)
    assert start.data["partner"] == (pine if is_asked else None)
    instance = services.start_deal_process(shop.erin, deal)
    assert (road_for(shop.paul, instance) is not None) == takes_part
