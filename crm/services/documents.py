"""Requests for documents: asked by an employee, given and checked line by line. The process says whose turn it is.

The lines are the truth; after each change `_go_on` does the open step of the process where the lines say that it is done. Whoever changes
a line holds the process first and the row after it, as the process's own steps do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.access import CrmPermission, visible_document_lines, visible_document_requests
from crm.models import Account, Case, Deal, DocumentLine, DocumentRequest, Quote, Request
from crm.services.common import allow, locked
from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import Conflict, NotAllowed, Refused
from portal.file_kinds import KINDS, check_kind
from portal.files import FileView, add_version, files_of_ids, read_upload, store_file
from portal.live import ping
from portal.numbers import whole_number
from portal.registry import SubjectRef, registry
from portal.selectors import actors_of, organisation, organisations_of
from social_feed.selectors.messages import place_for
from social_feed.services.notifications import notify
from workflows.errors import NotFound, SentBack
from workflows.selectors import open_tasks_for
from workflows.services import complete_task, hold_instance, start_process, tell_waiting

PROCESS, KIND = "document_request", "crm.document_request"
PROVIDE, CHECK = "provide_documents", "check_documents"
MOVED = "documents.day_moved"  # the message that the process waits for
MOST_LINES = 30
REMIND_BEFORE = timedelta(days=2)
REMINDED = gettext_noop("We still need documents from you: %(title)s")
LATE = gettext_noop("Documents are overdue: %(title)s")
CAME_BACK = gettext_noop("“%(line)s” came back: please send it again")
COMPLETE = gettext_noop("All documents are accepted: %(title)s")
DAY_MOVED = gettext_noop("We need these documents by %(day)s now: %(title)s")
WITHDRAWN = gettext_noop("We don’t need these documents any more: %(title)s")
L = DocumentLine.State


@dataclass(frozen=True, slots=True)
class NewLine:
    """A document to ask for."""

    name: str
    hint: str = ""
    is_required: bool = True
    kinds: str = "any"


@dataclass(frozen=True, slots=True)
class NewDocumentRequest:
    """What an employee fills in; `key` makes sending the form twice the same as once."""

    subject: SubjectRef
    lines: tuple[NewLine, ...]
    due: date
    title: str = ""
    note: str = ""
    key: str = ""


def customer_of(ref: SubjectRef) -> int | None:
    """The customer's organisation that a record is about; None where it is about none, or one without a cabinet."""
    models: dict[str, Any] = {"crm.request": Request, "crm.case": Case, "crm.deal": Deal, "crm.quote": Quote, KIND: DocumentRequest}
    if ref.kind in models:
        return models[ref.kind].objects.filter(pk=ref.id).values_list("customer_organisation_id", flat=True).first()
    if ref.kind == "crm.account":
        return Account.objects.filter(pk=ref.id).values_list("organisation_id", flat=True).first()
    kind = registry.subjects.get(ref.kind)
    found = kind.organisations(ref.id) if kind and kind.organisations else ()
    return next((key for side, key in found if side == Audience.CUSTOMER), None)


def may_ask(actor: Actor, ref: SubjectRef) -> bool:
    """Whether the actor may ask the customer of this record for documents."""
    return actor.is_internal and actor.can(CrmPermission.ASK_DOCUMENTS) and customer_of(ref) is not None


def ask_for_documents(actor: Actor, data: NewDocumentRequest) -> DocumentRequest:
    """Ask the customer of a record for documents: the list is kept and its process starts.

    Raises Refused, with the field, for a record without a customer in the cabinet, a list without a required document, a name that is
    missing or there twice, and a day that is over.
    """
    allow(actor, CrmPermission.ASK_DOCUMENTS)
    if data.key and (found := visible_document_requests(actor).filter(idempotency_key=data.key).first()):
        return found
    if not actor.is_system and registry.resolve(actor, data.subject) is None:
        raise Refused(_("This record isn't there any more."))
    with transaction.atomic():
        row = _new_list(actor, data)
        customer = organisation(row.customer_organisation_id)
        row.instance_id = start_process(
            actor,
            PROCESS,
            subject=_ref(row),
            data={
                "document_request_id": row.pk,
                "customer_name": customer.name if customer else "",
                "title": row.title,
                "asked": {},
                "docs": {},
            },
            idempotency_key=f"{KIND}:{row.pk}",
            customer_organisation_id=row.customer_organisation_id,
        )
        row.save(update_fields=["instance_id", "updated_at"])
        _told(row)
    return row


def begin_list(actor: Actor, instance_id: int, request_id: int | None, data: NewDocumentRequest | None = None) -> dict[str, Any]:
    """What the process needs of its list; a process that calls this one says itself what to ask for, in `data`."""
    with transaction.atomic():
        if request_id is not None:
            row = locked(visible_document_requests(Actor.system()), request_id)
        elif data is not None:
            row = _new_list(actor, data)
        else:
            raise Refused(_("Say which documents the customer is asked for."))
        row.instance_id = instance_id
        row.save(update_fields=["instance_id", "updated_at"])
        return _words(row, list(row.lines.all()))


def _words(row: DocumentRequest, lines: list[DocumentLine]) -> dict[str, Any]:
    """What the process keeps of its list; read again at each turn, for the day may have been moved."""
    now = timezone.now()
    return {
        "document_request_id": row.pk,
        "title": row.title,
        "due": row.due,
        "remind_at": max(row.due - REMIND_BEFORE, now + (row.due - now) / 2),
        "asked_by": row.asked_by_id,
        "names": _names(lines),
    }


def _new_list(actor: Actor, data: NewDocumentRequest) -> DocumentRequest:
    customer = customer_of(data.subject)
    if customer is None:
        raise Refused(_("Nobody of this customer uses the cabinet yet. Invite them first, on the account’s card."))
    lines = _checked(data.lines)
    row = DocumentRequest.objects.create(
        title=(data.title.strip() or _("Documents we need from you"))[:200],
        note=data.note.strip()[:5000],
        subject_kind=data.subject.kind,
        subject_id=data.subject.id,
        customer_organisation_id=customer,
        due=_end_of(data.due),
        asked_by_id=actor.user_id,
        asked_by_name=actor.name[:150],
        idempotency_key=data.key or None,
    )
    DocumentLine.objects.bulk_create(
        DocumentLine(request=row, position=number, name=one.name, hint=one.hint, is_required=one.is_required, kinds=one.kinds)
        for number, one in enumerate(lines, 1)
    )
    record(actor, "documents.asked", data.subject, after={"documents": row.pk, "title": row.title, "lines": len(lines)})
    return row


def _end_of(day: date) -> datetime:
    if day < timezone.localdate():
        raise Refused(_("This day is over. Choose one from today on."), "due")
    return timezone.make_aware(datetime.combine(day, time(23, 59)))


def _checked(lines: Iterable[NewLine]) -> list[NewLine]:
    found, names = [], set()
    for number, one in enumerate(lines):
        name = " ".join(one.name.split())[:150]
        if not name:
            raise Refused(_("Name this document."), f"lines-{number}-name")
        if name.lower() in names:
            raise Refused(_("“%(name)s” is on the list already.") % {"name": name}, f"lines-{number}-name")
        if one.kinds not in KINDS:
            raise Refused(_("Choose what kind of file it may be."), f"lines-{number}-kinds")
        names.add(name.lower())
        found.append(NewLine(name, one.hint.strip()[:300], bool(one.is_required), one.kinds))
    if not found:
        raise Refused(_("Name at least one document."), "lines-0-name")
    if len(found) > MOST_LINES:
        raise Refused(_("At most %(n)d documents fit on one list.") % {"n": MOST_LINES})
    if not any(one.is_required for one in found):
        raise Refused(_("At least one document must be required; else there is nothing to wait for."), "lines-0-is_required")
    return found


def _ref(row: DocumentRequest) -> SubjectRef:
    return SubjectRef(KIND, row.pk)


def _about(row: DocumentRequest) -> SubjectRef:
    return SubjectRef(row.subject_kind, row.subject_id)


def _told(row: DocumentRequest) -> None:
    ping(str(_ref(row)), str(_about(row)), f"cabinet:{row.customer_organisation_id}")


def _names(lines: Iterable[DocumentLine]) -> str:
    return " · ".join(line.name for line in lines)


def _held(actor: Actor, line_id: int, seen: int | None) -> DocumentLine:
    """A line of an open list, with its process and its list held. Raises Refused for one out of sight, Conflict for a late one."""
    found = visible_document_lines(actor).filter(pk=line_id).values_list("request_id", "request__instance_id").first()
    if found is None:
        raise Refused(_("This record isn't there any more."))
    request_id, instance_id = found
    if instance_id:
        hold_instance(instance_id)
    row = locked(visible_document_requests(actor), request_id, actor=actor)
    line = row.lines.select_related("request").get(pk=line_id)
    line.request = row
    if row.state == DocumentRequest.State.WITHDRAWN:
        raise Conflict(_("This document isn’t needed any more: the request was withdrawn."))
    if row.state == DocumentRequest.State.DONE:
        raise Conflict(_("This list is complete already; nothing was changed."))
    if seen is not None and seen != line.changes:
        raise Conflict(_newer(line))
    return line


def _newer(line: DocumentLine) -> str:
    words = {
        L.GIVEN: _("%(who)s gave “%(line)s” a moment ago. Nothing of yours was saved: look at it, then decide."),
        L.ACCEPTED: _("%(who)s accepted “%(line)s” a moment ago. Nothing of yours was saved."),
        L.RETURNED: _("%(who)s sent “%(line)s” back a moment ago. Nothing of yours was saved."),
    }.get(L(line.state), _("“%(line)s” has changed meanwhile. Nothing of yours was saved."))
    who = line.given_by_name if line.state == L.GIVEN else line.checked_by_name
    return words % {"who": who, "line": line.name}


def give_document(actor: Actor, line_id: int, upload: Any, seen: int | None = None) -> DocumentLine:
    """Keep the document of a line, or the next version of it. The very file that is there already changes nothing.

    The customer gives it; an employee may where it came another way. Raises Refused in words for a file that isn't of the kind asked for,
    is empty, too large or a program, Conflict where somebody was faster or the line needs nothing any more.
    """
    if not actor.is_customer:
        allow(actor, CrmPermission.ASK_DOCUMENTS)
    name, content = read_upload(upload)
    with transaction.atomic():
        line = _held(actor, line_id, None)
        known = next(iter(files_of_ids(Actor.system(), [line.file_id])), None) if line.file_id else None
        if known is not None and line.state != L.RETURNED and known.size == len(content) and _same(known, content):
            return line
        if seen is not None and seen != line.changes:
            raise Conflict(_newer(line))
        if line.state == L.ACCEPTED:
            raise Conflict(_("“%(line)s” is accepted already; nothing more is needed.") % {"line": line.name})
        check_kind(line.kinds, name, content)
        line.file_id = _keep(actor, line, name, content, known).id
        line.state, line.reason = L.GIVEN, ""
        line.given_by_name, line.given_at, line.changes = actor.name[:150], timezone.now(), line.changes + 1
        line.save()
        record(actor, "documents.given", _ref(line.request), after={"line": line.name, "file": str(line.file_id)})
        _go_on(actor, line.request)
        _told(line.request)
    return line


def give_from_form(actor: Actor, line_id: int, post: Any, files: Any) -> DocumentLine:
    """What the form at a line sends, on either side. Raises as `give_document`, and Refused without a file."""
    upload = files.get("file")
    if upload is None:
        raise Refused(_("Choose a file first."), "file")
    seen = str(post.get("seen", ""))
    return give_document(actor, line_id, upload, whole_number(seen))


def _same(known: FileView, content: bytes) -> bool:
    return known.sha256 == hashlib.sha256(content).hexdigest()


def _keep(actor: Actor, line: DocumentLine, name: str, content: bytes, known: FileView | None) -> FileView:
    """Put the file on the record that the customer sees, else on the list itself; a second one is the next version of the first."""
    if known is not None:
        return add_version(actor, known.id, content, name=name, kind="asked")
    about = place_for(_about(line.request), Audience.CUSTOMER)[0]
    if customer_of(about) != line.request.customer_organisation_id or about.kind in ("crm.deal", "crm.account"):
        about = _ref(line.request)
    return store_file(actor, about, content, {Audience.CUSTOMER}, name=name, kind="asked")


def accept_document(actor: Actor, line_id: int, seen: int | None = None) -> DocumentLine:
    """The document of a line is right. Raises Conflict where nothing waits for a check, or somebody was faster."""
    return _decide(actor, line_id, seen, L.ACCEPTED, "")


def return_document(actor: Actor, line_id: int, reason: str, seen: int | None = None) -> DocumentLine:
    """Send the document of a line back. Raises Refused without a reason, Conflict as `accept_document`."""
    if not reason.strip():
        raise Refused(_("Say what is wrong with it: the customer reads your words."), "reason")
    return _decide(actor, line_id, seen, L.RETURNED, reason.strip()[:500])


def _decide(actor: Actor, line_id: int, seen: int | None, state: str, reason: str) -> DocumentLine:
    allow(actor, CrmPermission.ASK_DOCUMENTS)
    with transaction.atomic():
        line = _held(actor, line_id, seen)
        if line.state == state:
            raise Conflict(_newer(line))
        if line.state not in (L.GIVEN, L.ACCEPTED):
            raise Conflict(_("“%(line)s” has no file to be checked.") % {"line": line.name})
        line.state, line.reason = state, reason
        line.checked_by_name, line.checked_at, line.changes = actor.name[:150], timezone.now(), line.changes + 1
        line.save()
        record(actor, f"documents.{state}", _ref(line.request), after={"line": line.name}, reason=reason)
        if not _go_on(actor, line.request) and state == L.RETURNED:
            notify("task", _people(line.request), _ref(line.request), CAME_BACK, by=actor, values={"line": line.name}, quote=reason)
        _told(line.request)
    return line


def withdraw_documents(actor: Actor, request_id: int, reason: str) -> DocumentRequest:
    """Nothing of the list is needed any more; what was given stays. Raises Refused without a reason, Conflict where it is over already."""
    allow(actor, CrmPermission.ASK_DOCUMENTS)
    if not reason.strip():
        raise Refused(_("Say why: the customer reads your words."), "reason")
    instance_id = visible_document_requests(actor).filter(pk=request_id).values_list("instance_id", flat=True).first()
    with transaction.atomic():
        if instance_id:
            hold_instance(instance_id)
        row = locked(visible_document_requests(actor), request_id, actor=actor)
        if row.state != DocumentRequest.State.OPEN:
            raise Conflict(_("This list is over already: %(state)s.") % {"state": row.get_state_display()})
        _close(actor, row, DocumentRequest.State.WITHDRAWN, reason.strip()[:300])
        _go_on(actor, row)
    return row


def move_documents_day(actor: Actor, request_id: int, day: date, reason: str) -> DocumentRequest:
    """Give the customer another day: the step begins anew with it, so that what reminds and what is promised go by it too.

    Raises Refused (with the field) without a reason or for a day that is over, Conflict for a list that is over or a process that is held.
    """
    allow(actor, CrmPermission.ASK_DOCUMENTS)
    reason = reason.strip()[:300]
    if not reason:
        raise Refused(_("Say why: the customer reads your words."), "reason")
    due = _end_of(day)
    instance_id = visible_document_requests(actor).filter(pk=request_id).values_list("instance_id", flat=True).first()
    with transaction.atomic():
        if instance_id:
            hold_instance(instance_id)
        row = locked(visible_document_requests(actor), request_id)
        if row.state != DocumentRequest.State.OPEN:
            raise Conflict(_("This list is over already: %(state)s.") % {"state": row.get_state_display()})
        if row.due == due:
            return row
        before, row.due = row.due, due
        row.reminded_at = row.told_late_at = None
        row.save(update_fields=["due", "reminded_at", "told_late_at", "updated_at"])
        record(actor, "documents.day_moved", _ref(row), before={"due": before.isoformat()}, after={"due": due.isoformat()}, reason=reason)
        values = {"title": row.title, "day": formats.date_format(day, "DATE_FORMAT")}
        notify("news", _people(row), _ref(row), DAY_MOVED, by=actor, values=values, quote=reason)
        tell_waiting(actor, MOVED, {"document_list": row.pk}, must=False)
        _told(row)
    return row


def close_documents(request_id: int, actor: Actor) -> None:
    """The process ended in another way, such as by being cancelled: nothing is waited for any more."""
    with transaction.atomic():
        row = DocumentRequest.objects.select_for_update().filter(pk=request_id, state=DocumentRequest.State.OPEN).first()
        if row is not None:
            _close(actor, row, DocumentRequest.State.WITHDRAWN, "")


def _close(actor: Actor, row: DocumentRequest, state: str, reason: str = "") -> None:
    row.state, row.reason, row.closed_at = state, reason, timezone.now()
    row.save(update_fields=["state", "reason", "closed_at", "updated_at"])
    record(actor, f"documents.{state}", _ref(row), reason=reason)
    text = COMPLETE if state == DocumentRequest.State.DONE else WITHDRAWN
    notify("news", _people(row), _ref(row), text, by=actor, values={"title": row.title}, quote=reason, source=f"{KIND}:{row.pk}:{state}")
    _told(row)


def _people(row: DocumentRequest) -> list[Actor]:
    return actors_of([row.customer_organisation_id], Audience.CUSTOMER)


def _lacking(lines: Iterable[DocumentLine]) -> list[DocumentLine]:
    return [line for line in lines if line.is_required and line.state in (L.MISSING, L.RETURNED)]


def _go_on(actor: Actor, row: DocumentRequest) -> bool:
    """Do the open step of the list's process where the lines say that it is done; gives whether it went on."""
    lines = list(row.lines.all())
    over = row.state != DocumentRequest.State.OPEN
    done = {PROVIDE: over or not _lacking(lines), CHECK: over or not any(line.state == L.GIVEN for line in lines)}
    for task in open_tasks_for(Actor.system(), _ref(row)):
        if done.get(task.element_id.rpartition(":")[2]):
            try:
                complete_task(actor, task.id, {})
            except (NotAllowed, NotFound):  # somebody else's step: done in their name
                complete_task(Actor.system(actor.name), task.id, {})
            return True
    return False


def count_documents(actor: Actor, request_id: int, after: str) -> dict[str, Any]:
    """Where the process goes after a step (`provide` or `check`): to the check, to the customer, or to its end.

    Raises SentBack, naming them, where the step is said to be done while documents are missing or unchecked.
    """
    with transaction.atomic():
        row = locked(visible_document_requests(Actor.system()), request_id)
        lines = list(row.lines.all())
        lacking, given = _lacking(lines), [line for line in lines if line.state == L.GIVEN]
        if row.state == DocumentRequest.State.OPEN:
            _refuse_too_early(after, lacking, given)
        if row.state != DocumentRequest.State.OPEN:
            following = "over"
        elif given:
            following = "check"
        elif lacking:
            following = "provide"
        else:
            following = "over"
            _close(actor, row, DocumentRequest.State.DONE)
        return _words(row, lines) | {"next": following, "missing": _names(lacking), "given": _names(given)}


def _refuse_too_early(after: str, lacking: list[DocumentLine], given: list[DocumentLine]) -> None:
    if after == "provide" and lacking:
        words = _("Still missing: %(names)s. Send each at its line of the list; the step is then done by itself.")
        raise SentBack(words % {"names": ", ".join(line.name for line in lacking)})
    if after == "check" and given:
        words = _("Not checked yet: %(names)s. Accept each on the list, or send it back; the step is then done by itself.")
        raise SentBack(words % {"names": ", ".join(line.name for line in given)})


def remind_of_documents(actor: Actor, request_id: int, *, late: bool) -> dict[str, Any]:
    """Tell the customer once that the day comes near, and once more, with whoever asked, that it is over."""
    with transaction.atomic():
        row = locked(visible_document_requests(Actor.system()), request_id)
        field = "told_late_at" if late else "reminded_at"
        early = row.due - timezone.now() > (timedelta(0) if late else REMIND_BEFORE)  # the day was moved meanwhile
        if row.state != DocumentRequest.State.OPEN or early or getattr(row, field) or not _lacking(row.lines.all()):
            return {"told": 0}
        setattr(row, field, timezone.now())
        row.save(update_fields=[field, "updated_at"])
        people = _people(row)
        if late and row.asked_by_id:
            own = actors_of([one.id for one in organisations_of(Audience.INTERNAL)], Audience.INTERNAL)
            people += [one for one in own if one.user_id == row.asked_by_id]
        values, source = {"title": row.title}, f"{KIND}:{row.pk}:{field}:{row.due:%Y-%m-%d}"
        told = notify("task", people, _ref(row), LATE if late else REMINDED, values=values, source=source, even_muted=True)
        _told(row)
        return {"told": told}
