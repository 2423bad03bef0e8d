"""What the processes do to deals, requests and leads."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm import services
from crm.models import Deal, Lead, Request
from crm.services.buying import keep_somebody_who_approves
from crm.services.cases import close_with_process as close_with_process_of
from crm.services.documents import close_documents
from portal.access import Actor, Audience
from portal.events import ConsentChanged, RolesChanged, on
from workflows.events import ProcessEnded, StageEntered


@on(StageEntered)
def follow_stage(event: StageEntered) -> None:
    """The deal stands where its process stands."""
    ref = event.subject_of("crm.deal")
    if ref is not None:
        services.enter_stage(event.actor, ref.id, event.stage, reason=event.label, instance_id=event.instance_id)


@on(ProcessEnded)
def close_with_process(event: ProcessEnded) -> None:
    """The request is over when its process is."""
    request_ref, deal_ref = event.subject_of("crm.request"), event.subject_of("crm.deal")
    if case_ref := event.subject_of("crm.case"):
        close_with_process_of(case_ref.id, event.actor)
    if documents_ref := event.subject_of("crm.document_request"):
        close_documents(documents_ref.id, event.actor)
    outcome, reason = (None, "")
    if deal_ref is not None:
        outcome, reason = Deal.objects.filter(pk=deal_ref.id).values_list("outcome", "lost_reason").first() or (None, "")
    if request_ref is not None:
        done = outcome == Deal.Outcome.WON and event.outcome == "completed"
        words = reason or (Request.objects.filter(pk=request_ref.id).values_list("outcome", flat=True).first() or "")
        if event.outcome != "completed":
            words = words or _("We ended this request before it was done. Write to us below if it should go on.")
            if deal_ref is not None:
                services.expire_quotes(Actor.system(event.actor.name), deal_ref.id)
        services.close_request(event.actor, request_ref.id, done=done, outcome="" if done else words)


@on(RolesChanged)
def keep_an_approver(event: RolesChanged) -> None:
    """An organisation whose quotes need an approver doesn't lose its last by its own hand (ours may close it down)."""
    if event.audience == Audience.CUSTOMER and not event.actor.is_internal:
        keep_somebody_who_approves(event.organisation_id, event.name)


@on(ConsentChanged)
def follow_consent(event: ConsentChanged) -> None:
    """Who no longer lets us keep their data to answer them is no longer somebody who agreed to be contacted."""
    if event.purpose == "answer" and not event.given:
        Lead.objects.filter(email__iexact=event.email).update(consent_at=None)
