"""What happens in sales, as stories of the feed and words for the customer who takes part."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from crm.events import (
    AppointmentChanged,
    CaseClosed,
    CaseOpened,
    DealLost,
    DealMoved,
    DealOpened,
    DealWon,
    QuoteDecided,
    QuoteSent,
    RequestClosed,
    RequestSubmitted,
)
from portal.amounts import Amount
from portal.registry import SubjectRef
from social_feed.stories import Story, register_story

ASKED = gettext_noop("%(actor)s of %(account)s sent a request: %(request)s")
REQUEST_CLOSED = gettext_noop("The request %(request)s is closed: %(outcome)s")
OPENED = gettext_noop("%(actor)s opened the deal %(deal)s with %(account)s")
OPENED_FOR = gettext_noop("%(actor)s opened the deal %(deal)s with %(account)s, %(amount)s")
MOVED = gettext_noop("%(deal)s went on to %(stage)s")
MOVED_WHY = gettext_noop("%(deal)s went on to %(stage)s: %(reason)s")
QUOTED = gettext_noop("The quote %(quote)s of %(total)s went to the customer for %(deal)s")
ANSWERED = gettext_noop("%(actor)s answered the quote %(quote)s: %(answer)s")
ANSWERED_WHY = gettext_noop("%(actor)s answered the quote %(quote)s: %(answer)s. “%(reason)s”")
WON = gettext_noop("%(deal)s is won: %(value)s from %(account)s")
CASE_OPENED = gettext_noop("%(actor)s of %(account)s opened a case: %(case)s. %(severity)s")
CASE_CLOSED = gettext_noop("The case %(case)s is closed")
CASE_RATED = gettext_noop("The case %(case)s is closed: %(actor)s gave %(rating)s of 5")
BOOKED = gettext_noop("%(actor)s chose a time for %(appointment)s, about %(record)s")
MOVED_TIME = gettext_noop("%(actor)s moved %(appointment)s, about %(record)s")
CALLED_OFF = gettext_noop("%(actor)s cancelled %(appointment)s, about %(record)s")
LOST = gettext_noop("%(deal)s with %(account)s is lost: %(reason)s")


def _deal(deal_id: int) -> SubjectRef:
    return SubjectRef("crm.deal", deal_id)


def asked(event: RequestSubmitted) -> Story:
    """A customer asked for something."""
    ref = SubjectRef("crm.request", event.request_id)
    return Story(ASKED, {"request": ref, "account": event.account_name}, ref, event.actor, icon="message-circle")


def closed(event: RequestClosed) -> Story:
    """A request came to its end."""
    ref = SubjectRef("crm.request", event.request_id)
    return Story(REQUEST_CLOSED, {"request": ref, "outcome": event.outcome}, ref, event.actor, icon="circle-check")


def opened(event: DealOpened) -> Story:
    """A deal began."""
    values: dict[str, str | int | Amount | SubjectRef] = {"deal": _deal(event.deal_id), "account": event.account_name}
    if event.amount is None:
        return Story(OPENED, values, _deal(event.deal_id), event.actor, icon="briefcase")
    values["amount"] = Amount(event.amount, event.currency)
    return Story(OPENED_FOR, values, _deal(event.deal_id), event.actor, icon="briefcase")


def moved(event: DealMoved) -> Story | None:
    """A deal went to another stage; won and lost have stories of their own."""
    if event.to_stage in {"won", "lost"} or not event.from_stage:
        return None
    values = {"deal": _deal(event.deal_id), "stage": event.to_label, "reason": event.reason}
    return Story(MOVED_WHY if event.reason else MOVED, values, _deal(event.deal_id), event.actor, icon="arrow-right")


def quoted(event: QuoteSent) -> Story:
    """A quote went to the customer."""
    ref = SubjectRef("crm.quote", event.quote_id)
    values = {"quote": ref, "deal": _deal(event.deal_id), "total": Amount(event.total, event.currency)}
    return Story(QUOTED, values, _deal(event.deal_id), event.actor, icon="file-invoice")


def answered(event: QuoteDecided) -> Story:
    """The customer answered a quote."""
    ref = SubjectRef("crm.quote", event.quote_id)
    values = {"quote": ref, "answer": event.decision_label, "reason": event.reason}
    return Story(ANSWERED_WHY if event.reason else ANSWERED, values, _deal(event.deal_id), event.actor, icon="file-check")


def won(event: DealWon) -> Story:
    """A deal was won."""
    values = {"deal": _deal(event.deal_id), "account": event.account_name, "value": Amount(event.value, event.currency)}
    return Story(WON, values, _deal(event.deal_id), event.actor, icon="trophy")


def lost(event: DealLost) -> Story:
    """A deal was lost, and why."""
    values = {"deal": _deal(event.deal_id), "account": event.account_name, "reason": event.reason}
    return Story(LOST, values, _deal(event.deal_id), event.actor, icon="circle-x")


def appointment(event: AppointmentChanged) -> Story | None:
    """What was agreed, moved or called off; offers and reminders aren't news for others."""
    words = {"booked": BOOKED, "moved": MOVED_TIME, "cancelled": CALLED_OFF}.get(event.what)
    if words is None:
        return None
    values = {"appointment": SubjectRef("crm.appointment", event.appointment_id), "record": event.subject}
    return Story(words, values, event.subject, event.actor, icon="calendar-event")


def case_opened(event: CaseOpened) -> Story:
    """A customer told of a trouble."""
    ref = SubjectRef("crm.case", event.case_id)
    values = {"case": ref, "account": event.account_name, "severity": event.severity_label}
    return Story(CASE_OPENED, values, ref, event.actor, icon="lifebuoy")


def case_closed(event: CaseClosed) -> Story:
    """A case is over."""
    ref = SubjectRef("crm.case", event.case_id)
    if event.rating is None:
        return Story(CASE_CLOSED, {"case": ref}, ref, event.actor, icon="circle-check")
    return Story(CASE_RATED, {"case": ref, "rating": str(event.rating)}, ref, event.actor, icon="star")


def register_crm_stories() -> None:
    """Give the words for the package's events."""
    for event, write in (
        (RequestSubmitted, asked),
        (RequestClosed, closed),
        (DealOpened, opened),
        (DealMoved, moved),
        (QuoteSent, quoted),
        (QuoteDecided, answered),
        (DealWon, won),
        (DealLost, lost),
        (CaseOpened, case_opened),
        (AppointmentChanged, appointment),
        (CaseClosed, case_closed),
    ):
        register_story(event, write)
