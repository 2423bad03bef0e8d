"""Reactions to what happens in the kernel: who asks to be erased starts the process that answers them; a watched record has changed."""

from __future__ import annotations

from django.utils.translation import gettext as _

from portal.access import Actor, Audience
from portal.events import ErasureAsked, ErasureTakenBack, RecordsChanged, on
from portal.services.erasure import ref_of
from workflows.services.instances import start_process
from workflows.services.messages import correlate_message
from workflows.services.start_conditions import note_changes


@on(ErasureAsked)
def begin_erasure(event: ErasureAsked) -> None:
    """The request is a process from its first moment; nothing in it says who asks, so that nothing has to be taken out of it."""
    start_process(
        Actor.system(_("A person’s own page")),
        "data_erasure",
        subject=ref_of(event.erasure_id),
        data={"erasure_id": event.erasure_id, "number": event.number, "answer_by": event.answer_by, "done": {}},
        idempotency_key=f"portal.erasure:{event.erasure_id}",
        title=_("Erasure request %(number)s") % {"number": event.number},
        customer_organisation_id=event.organisation_id if event.audience is Audience.CUSTOMER else None,
        partner_organisation_id=event.organisation_id if event.audience is Audience.PARTNER else None,
    )


@on(ErasureTakenBack)
def end_erasure(event: ErasureTakenBack) -> None:
    """Nobody need decide any more."""
    correlate_message("erasure.taken_back", {"erasure_id": event.erasure_id}, idempotency_key=f"erasure:{event.erasure_id}:taken_back")


@on(RecordsChanged)
def note_watched(event: RecordsChanged) -> None:
    """What a process watches is looked at after this transaction."""
    note_changes(event.refs)
