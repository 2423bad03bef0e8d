"""Requests for documents: asked, given and checked line by line, reminded, withdrawn; two at one line; what is refused, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from crm import services
from crm.models import DocumentRequest
from crm.services import NewDocumentRequest, NewLine
from portal.access import Actor
from portal.errors import Conflict, NotAllowed, Refused
from portal.files import files_for, open_file
from portal.registry import SubjectRef
from social_feed.models import Notification
from tests.crm.conftest import ask, shop  # noqa: F401
from tests.workflows.diagrams import ENDS, chain, diagram, user
from workflows.forms import submit_task
from workflows.models import ProcessInstance, Timer
from workflows.selectors import open_tasks_for
from workflows.services import cancel_instance, complete_task, deploy, resume_instance, start_process, suspend_instance
from workflows.services.timers import run_due

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n%%EOF"
LINES = (
    NewLine("Company register", "Not older than three months.", True, "pdf"),
    NewLine("Photo of the hall", "", True, "picture"),
    NewLine("Floor plan", "If you have one.", False),
)


def upload(name: str, content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def asked(shop):  # noqa: F811
    """A request of Acme's, and three documents that Erin asks for."""
    shop.request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    shop.about = SubjectRef("crm.request", shop.request.pk)
    due = timezone.localdate() + timedelta(days=10)
    shop.list = services.ask_for_documents(shop.erin, NewDocumentRequest(shop.about, LINES, due, "Papers for the contract", key="one"))
    shop.ref = SubjectRef("crm.document_request", shop.list.pk)
    shop.register, shop.photo, shop.plan = shop.list.lines.all()
    return shop


def waits(asked) -> list[str]:
    return [task.element_id for task in open_tasks_for(asked.erin, asked.ref)] + [
        task.element_id for task in open_tasks_for(asked.cara, asked.ref)
    ]


def state(asked) -> str:
    asked.list.refresh_from_db()
    return asked.list.state


def test_the_whole_way(asked):
    assert waits(asked) == ["provide_documents"]
    [task] = open_tasks_for(asked.cara, asked.ref)
    assert task.due == asked.list.due and task.subject.url == f"/cabinet/documents/asked/{asked.list.pk}/"
    services.give_document(asked.cara, asked.register.pk, upload("register.pdf"))
    assert waits(asked) == ["provide_documents"]
    services.accept_document(asked.erin, asked.register.pk)  # what is there may be checked before the rest
    services.give_document(asked.colin, asked.photo.pk, upload("hall.jpg", b"\xff\xd8\xff hall"))
    assert waits(asked) == ["check_documents"]
    services.return_document(asked.erin, asked.photo.pk, "The gate can't be seen.")
    assert waits(asked) == ["provide_documents"]
    services.give_document(asked.cara, asked.photo.pk, upload("hall-2.jpg", b"\xff\xd8\xff gate"))
    asked.photo.refresh_from_db()
    assert asked.photo.file.version == 2 and asked.photo.reason == "" and asked.photo.given_by_name == asked.cara.name
    services.accept_document(asked.erin, asked.photo.pk)
    assert state(asked) == "done" and waits(asked) == []
    assert ProcessInstance.objects.get(pk=asked.list.instance_id).status == "completed"
    with pytest.raises(Conflict):
        services.give_document(asked.cara, asked.plan.pk, upload("plan.pdf"))
    names = {file.name: file for file in files_for(asked.bea, asked.about)}
    assert names == {}
    mine = {file.name: file for file in files_for(asked.cara, asked.about)}
    assert [old.name for old in mine["hall-2.jpg"].earlier] == ["hall.jpg"] and "register.pdf" in mine
    assert Notification.objects.filter(user_id=asked.cara.user_id, kind="news", subject_kind="crm.document_request").exists()


def test_sending_the_form_twice_asks_once(asked):
    again = services.ask_for_documents(asked.erin, NewDocumentRequest(asked.about, LINES, timezone.localdate(), key="one"))
    assert again.pk == asked.list.pk and DocumentRequest.objects.count() == 1


@pytest.mark.parametrize(
    ("lines", "days", "field"),
    [
        ((), 3, "lines-0-name"),
        ((NewLine("A"), NewLine("  ")), 3, "lines-1-name"),
        ((NewLine("A"), NewLine("a")), 3, "lines-1-name"),
        ((NewLine("A", kinds="exe"),), 3, "lines-0-kinds"),
        ((NewLine("A", is_required=False),), 3, "lines-0-is_required"),
        ((NewLine("A"),), -1, "due"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(asked, lines, days, field):
    with pytest.raises(Refused) as refusal:
        services.ask_for_documents(
            asked.erin, NewDocumentRequest(asked.about, lines, timezone.localdate() + timedelta(days=days), key="two")
        )
    assert refusal.value.field == field and DocumentRequest.objects.count() == 1


def test_who_may(asked):
    data = NewDocumentRequest(asked.about, LINES, timezone.localdate())
    for actor in (asked.cara, asked.paul):
        with pytest.raises(NotAllowed):
            services.ask_for_documents(actor, data)
        with pytest.raises(NotAllowed):
            services.withdraw_documents(actor, asked.list.pk, "no")
    for stranger in (asked.bea, asked.paul):
        with pytest.raises(Refused):
            services.give_document(stranger, asked.register.pk, upload("x.pdf"))
    services.give_document(asked.cara, asked.register.pk, upload("x.pdf"))
    with pytest.raises(NotAllowed):
        services.accept_document(asked.cara, asked.register.pk)
    asked.register.refresh_from_db()
    assert open_file(asked.cara, asked.register.file_id) and not open_file(asked.bea, asked.register.file_id)
    assert not open_file(asked.paul, asked.register.file_id)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("register.docx", b"PK\x03\x04", "isn't of the kind"),
        ("register.pdf", b"", "is empty"),
        ("register.pdf", b"MZ\x90\0" + b"\0" * 80, "is a program"),
        ("register.pdf", b"\x7fELF\2\1", "is a program"),
        ("register.pdf", b"hello", "isn't one"),
        ("register.exe", PDF, "could run"),
        ("register.pdf", b"%PDF" + b"x" * 600_000, "too large"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_else_changes(asked, settings, name, content, words):
    settings.UPLOAD_MAX_BYTES = 500_000
    with pytest.raises(Refused) as refusal:
        services.give_document(asked.cara, asked.register.pk, upload(name, content))
    assert words in refusal.value.message
    asked.register.refresh_from_db()
    assert (asked.register.state, asked.register.changes, asked.register.file) == ("missing", 0, None)


def test_whoever_is_later_is_told_in_words(asked):
    seen = asked.register.changes
    services.give_document(asked.colin, asked.register.pk, upload("a.pdf"), seen)
    services.give_document(asked.colin, asked.register.pk, upload("a.pdf"), seen)  # a double click: the very same file
    with pytest.raises(Conflict, match="Colin"):
        services.give_document(asked.cara, asked.register.pk, upload("b.pdf", PDF + b"b"), seen)
    asked.register.refresh_from_db()
    assert asked.register.changes == 1 and asked.register.file.name == "a.pdf" and asked.register.file.version == 1
    services.give_document(asked.cara, asked.register.pk, upload("b.pdf", PDF + b"b"), 1)  # who has seen it may replace it
    with pytest.raises(Conflict):
        services.accept_document(asked.erin, asked.register.pk, 1)  # not the file that she has read
    services.accept_document(asked.erin, asked.register.pk, 2)
    with pytest.raises(Conflict):
        services.accept_document(asked.erin, asked.register.pk)
    with pytest.raises(Conflict, match="accepted already"):
        services.give_document(asked.cara, asked.register.pk, upload("c.pdf", PDF + b"c"), 3)


def test_a_step_that_is_said_to_be_done_too_early_says_what_lacks(asked):
    [task] = open_tasks_for(asked.cara, asked.ref)
    with pytest.raises(Refused, match="Still missing: Company register, Photo of the hall"):
        complete_task(asked.cara, task.id, {})
    assert waits(asked) == ["provide_documents"]
    services.give_document(asked.cara, asked.register.pk, upload("a.pdf"))
    services.give_document(asked.cara, asked.plan.pk, upload("plan.pdf"))
    services.give_document(asked.cara, asked.photo.pk, upload("a.png", b"\x89PNG\r\n\x1a\n"))
    [task] = open_tasks_for(asked.erin, asked.ref)
    services.accept_document(asked.erin, asked.register.pk)
    form = submit_task(asked.erin, task.id, {})
    assert form.result is None and "Not checked yet: Photo of the hall, Floor plan" in form.errors["__all__"][0]
    assert [one.id for one in open_tasks_for(asked.erin, asked.ref)] == [task.id] and state(asked) == "open"


def test_another_day(asked):
    """The step begins anew with it: its due date, both reminders and the promise of the step go by the new day."""

    def due() -> list:
        return [task.due for task in open_tasks_for(asked.cara, asked.ref)]

    old, later = asked.list.due, timezone.localdate() + timedelta(days=20)
    for day, reason, field in ((later, " ", "reason"), (timezone.localdate() - timedelta(days=1), "Late.", "due")):
        with pytest.raises(Refused) as refusal:
            services.move_documents_day(asked.erin, asked.list.pk, day, reason)
        assert refusal.value.field == field
    with pytest.raises(NotAllowed):
        services.move_documents_day(asked.cara, asked.list.pk, later, "Please.")
    with time_machine.travel(old + timedelta(minutes=1), tick=False):
        run_due()  # reminded, and told that it is late
        assert Timer.objects.filter(instance_id=asked.list.instance_id).count() == 0
        services.move_documents_day(asked.erin, asked.list.pk, later, "You asked for more time.")
    asked.list.refresh_from_db()
    assert timezone.localdate(asked.list.due) == later and due() == [asked.list.due]
    assert sorted(Timer.objects.filter(instance_id=asked.list.instance_id).values_list("due", flat=True))[1] == asked.list.due
    told = Notification.objects.filter(text__contains="by %(day)s now", user_id=asked.colin.user_id).get()
    assert told.values["quote"] == "You asked for more time." and str(later.day) in told.values["day"]
    late = Notification.objects.filter(text__contains="overdue", user_id=asked.cara.user_id)
    assert late.count() == 1
    with time_machine.travel(old + timedelta(days=1), tick=False):
        run_due()
    assert late.count() == 1
    with time_machine.travel(asked.list.due + timedelta(minutes=1), tick=False):
        run_due()
    assert late.count() == 2


def test_another_day_while_the_documents_are_checked(asked):
    later = timezone.localdate() + timedelta(days=20)
    services.give_document(asked.cara, asked.register.pk, upload("a.pdf"))
    services.give_document(asked.cara, asked.photo.pk, upload("a.png", b"\x89PNG\r\n\x1a\n"))
    services.move_documents_day(asked.erin, asked.list.pk, later, "Take your time.")
    services.accept_document(asked.erin, asked.register.pk)
    services.return_document(asked.erin, asked.photo.pk, "Blurred.")
    [task] = open_tasks_for(asked.cara, asked.ref)
    assert timezone.localdate(task.due) == later
    suspend_instance(asked.mona, asked.list.instance_id, "Wait.")
    with pytest.raises(Conflict, match="held"):
        services.move_documents_day(asked.erin, asked.list.pk, later + timedelta(days=1), "More.")
    asked.list.refresh_from_db()
    assert timezone.localdate(asked.list.due) == later
    resume_instance(asked.mona, asked.list.instance_id, "Go on.")
    services.withdraw_documents(asked.erin, asked.list.pk, "No.")
    with pytest.raises(Conflict, match="over already"):
        services.move_documents_day(asked.erin, asked.list.pk, later + timedelta(days=1), "More.")


def test_returned_while_others_are_missing_tells_the_customer(asked):
    services.give_document(asked.cara, asked.register.pk, upload("a.pdf"))
    with pytest.raises(Refused):
        services.return_document(asked.erin, asked.register.pk, " ")
    services.return_document(asked.erin, asked.register.pk, "Too old.")
    assert waits(asked) == ["provide_documents"]
    told = Notification.objects.filter(user_id=asked.colin.user_id, text__contains="came back")
    assert told.count() == 1 and told.get().values["quote"] == "Too old."


def test_withdrawn(asked):
    services.give_document(asked.cara, asked.register.pk, upload("a.pdf"))
    with pytest.raises(Refused):
        services.withdraw_documents(asked.erin, asked.list.pk, "")
    services.withdraw_documents(asked.erin, asked.list.pk, "Not needed for this contract.")
    assert state(asked) == "withdrawn" and waits(asked) == []
    assert ProcessInstance.objects.get(pk=asked.list.instance_id).status == "completed"
    with pytest.raises(Conflict):
        services.withdraw_documents(asked.erin, asked.list.pk, "again")
    with pytest.raises(Conflict, match="withdrawn"):
        services.give_document(asked.cara, asked.photo.pk, upload("a.png"))


def test_a_cancelled_process_closes_its_list(asked):
    cancel_instance(asked.mona, asked.list.instance_id, "By mistake.")
    assert state(asked) == "withdrawn"


def test_reminded_before_and_after_the_day(asked):
    def letters(words: str) -> list[int]:
        return sorted(Notification.objects.filter(text__contains=words).values_list("user_id", flat=True))

    everybody = sorted([asked.cara.user_id, asked.colin.user_id, asked.ann.user_id])
    assert Timer.objects.filter(instance_id=asked.list.instance_id).count() == 2
    with time_machine.travel(asked.list.due - timedelta(days=1), tick=False):
        run_due()
    assert letters("still need documents") == everybody and letters("overdue") == []
    with time_machine.travel(asked.list.due + timedelta(minutes=1), tick=False):
        run_due()
    assert letters("overdue") == sorted([*everybody, asked.erin.user_id])
    services.give_document(asked.cara, asked.register.pk, upload("a.pdf"))
    services.give_document(asked.cara, asked.photo.pk, upload("a.png", b"\x89PNG\r\n\x1a\n"))
    services.accept_document(asked.erin, asked.register.pk)
    services.return_document(asked.erin, asked.photo.pk, "Blurred.")
    with time_machine.travel(asked.list.due + timedelta(minutes=2), tick=False):
        run_due()
    assert letters("overdue") == sorted([*everybody, asked.erin.user_id]) and waits(asked) == ["provide_documents"]


def due_of_list(asked):
    """When the step of the list that runs beside is due."""
    return next(task.due for task in open_tasks_for(asked.cara, asked.ref))


CALLER = diagram(
    "contract",
    ENDS
    + '<bpmn:callActivity id="papers" name="Papers" calledElement="document_request"/>'
    + user("sign")
    + chain("start", "papers", "sign", "end"),
)


def test_another_process_waits_until_the_papers_are_accepted(asked):
    deploy(Actor.system(), CALLER)
    papers = {"lines": ["Passport", {"name": "Seal", "required": False}], "title": "Your papers", "days": 3}
    data = {"document_request_id": None, "asked": papers}
    customer = asked.list.customer_organisation_id
    instance = start_process(asked.erin, "contract", subject=asked.about, data=data, customer_organisation_id=customer)
    made = DocumentRequest.objects.get(title="Your papers")
    assert (made.instance_id, made.customer_organisation_id, made.lines.count()) == (instance, customer, 2)
    later = timezone.localdate() + timedelta(days=30)
    services.move_documents_day(asked.erin, made.pk, later, "More time.")
    [task] = [one for one in open_tasks_for(asked.cara, SubjectRef("crm.document_request", made.pk)) if one.instance_id == instance]
    assert timezone.localdate(task.due) == later and due_of_list(asked) == asked.list.due
    passport = made.lines.first()
    services.give_document(asked.cara, passport.pk, upload("passport.pdf"))
    services.accept_document(asked.erin, passport.pk)
    made.refresh_from_db()
    row = ProcessInstance.objects.get(pk=instance)
    assert made.state == "done" and row.status == "running" and "sign" in row.active
