"""A person's own administration: picture, devices, consents, their data as a file, and its erasure."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from portal import demo, jobs
from portal.access import Actor, Audience
from portal.audit import entries_for
from portal.demo import PASSWORD
from portal.errors import Refused
from portal.files import store_file
from portal.models import AuditEntry, Consent, DataExport, ErasureRequest, Membership, MembershipRole, User
from portal.personal import traces
from portal.registry import SubjectRef
from portal.services import consents, devices, erasure, exports
from tests.crm.conftest import ask, do, shop  # noqa: F401
from tests.infra.urls import OUR_APPS
from workflows.models import HumanTask, ProcessInstance
from workflows.services import complete_task

pytestmark = pytest.mark.django_db
CARA = "cara@acme.example"


@pytest.fixture
def shipped(people):
    """The cast with the shipped processes."""
    from workflows.packs import deploy_shipped

    deploy_shipped()
    return people


def signed_in(email: str = CARA) -> Client:
    client = Client(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    assert client.post("/accounts/login/", {"login": email, "password": PASSWORD}).status_code == 302
    return client


def picture(side: int = 600) -> SimpleUploadedFile:
    made = io.BytesIO()
    Image.new("RGB", (side, side // 2), "teal").save(made, "JPEG")
    return SimpleUploadedFile("me.jpg", made.getvalue(), "image/jpeg")


def test_every_page_opens_and_has_one_heading(people):
    cara = signed_in()
    for path in ("", "security/", "devices/", "consents/", "data/"):
        page = cara.get(f"/me/{path}").content.decode()
        assert page.count("<h1") == 1, path
    assert cara.get("/notifications/choices/").content.decode().count("<h1") == 1
    for path in ("email/", "password/change/", "2fa/", "2fa/webauthn/"):
        page = cara.get(f"/accounts/{path}").content.decode()
        assert page.count("<h1") == 1 and 'aria-current="page"' in page, path


def test_a_picture_is_made_small_and_shown_to_those_who_work_with_them(people):
    cara, bea, erin = signed_in(), signed_in("bea@birch.example"), signed_in("erin@northwind.example")
    assert cara.post("/me/picture/", {"picture": picture()}).status_code == 302
    address = f"/people/{people.cara.user_id}/picture/"
    shown = cara.get(address)
    with Image.open(io.BytesIO(b"".join(shown.streaming_content))) as made:
        assert made.size == (256, 256) and made.format == "WEBP"
    assert erin.get(address).status_code == 200 and bea.get(address).status_code == 404
    told = cara.post("/me/picture/", {"picture": SimpleUploadedFile("x.jpg", b"no picture")}, follow=True).content.decode()
    assert "no picture that we can read" in told and User.objects.get(email=CARA).picture  # what can't be read changes nothing
    cara.post("/me/picture/", {"remove": "yes"})
    assert not User.objects.get(email=CARA).picture and cara.get(address).status_code == 404


def test_devices_are_listed_and_signed_out_one_or_all(people):
    desk, phone, third = signed_in(), signed_in(), signed_in()
    page = desk.get("/me/devices/").content.decode()
    assert page.count("Firefox, Linux</strong>") == 3 and page.count("This device") == 1
    other = UserSession.objects.get(session_key=phone.session.session_key)
    foreign = UserSession.objects.get(session_key=signed_in("bea@birch.example").session.session_key)
    desk.post(f"/me/devices/{foreign.pk}/end/")
    assert UserSession.objects.filter(pk=foreign.pk).exists()  # another's device stays
    desk.post(f"/me/devices/{other.pk}/end/")
    assert phone.get("/me/").status_code == 302 and third.get("/me/").status_code == 200
    desk.post(f"/me/devices/{other.pk}/end/")  # the second click is told in words
    desk.post("/me/devices/others/end/")
    assert third.get("/me/").status_code == 302 and desk.get("/me/").status_code == 200
    assert AuditEntry.objects.filter(verb="devices.signed_out").count() == 2


def test_last_use_is_kept_once_an_hour(people, monkeypatch):
    client = signed_in()
    mine = UserSession.objects.filter(session_key=client.session.session_key)

    def writes() -> int:
        with CaptureQueriesContext(connection) as caught:
            client.get("/me/")
        return sum("UPDATE" in one["sql"] and "usersession" in one["sql"] for one in caught)

    assert [writes(), writes()] == [0, 0]  # it has just begun
    long_ago = timezone.now() - timedelta(days=3)
    mine.update(last_seen_at=long_ago)
    assert writes() == 0
    monkeypatch.setattr(devices, "_seen", {})  # another process, or an hour later
    assert [writes(), writes()] == [1, 0]
    assert mine.get().last_seen_at > timezone.now() - timedelta(minutes=1)
    mine.update(last_seen_at=long_ago)
    assert "last used" in signed_in().get("/me/devices/").content.decode()


def test_consents_before_the_account_are_one_s_own_and_can_be_taken_back(people):
    consents.give_consent(Actor.anonymous(), "answer", source="Form on the site", email="Cara@Acme.example")
    consents.give_consent(Actor.anonymous(), "answer", source="Form on the site", email="cara@acme.example")
    [row] = Consent.objects.all()
    cara, bea = signed_in(), signed_in("bea@birch.example")
    assert "Form on the site" in cara.get("/me/consents/").content.decode()
    assert "Form on the site" not in bea.get("/me/consents/").content.decode()
    assert bea.post(f"/me/consents/{row.pk}/withdraw/").status_code == 404
    cara.post(f"/me/consents/{row.pk}/withdraw/")
    cara.post(f"/me/consents/{row.pk}/withdraw/")
    row.refresh_from_db()
    assert row.withdrawn and len(entries_for(SubjectRef("portal.consent", row.pk))) == 2  # given, taken back
    cara.post("/me/consents/give/", {"purpose": "newsletter"})
    cara.post("/me/consents/give/", {"purpose": "nothing-like-it"})
    assert list(Consent.objects.filter(withdrawn=None).values_list("purpose", flat=True)) == ["newsletter"]


def made_export(actor: Actor) -> DataExport:
    export = exports.start_export(actor)
    assert exports.start_export(actor).pk == export.pk  # the second click finds the first
    jobs.run(export.job_id)
    export.refresh_from_db()
    assert export.job.state == "done", export.job.message
    return export


def test_the_export_holds_what_is_theirs_and_nobody_else_fetches_it(people):
    ref = SubjectRef("portal.organisation", people.organisations[demo.ACME].pk)
    store_file(people.cara, ref, b"drawing", set(), name="hall.txt")
    store_file(people.colin, ref, b"colin", set(), name="colins.txt")
    export = made_export(people.cara)
    cara = signed_in()
    assert "Fetch the file" in cara.get("/me/data/").content.decode()
    answer = cara.get(f"/me/data/exports/{export.pk}/")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as packed:
        names = packed.namelist()
        assert "README.txt" in names and sum(name.startswith("files/") for name in names) == 1
        assert json.loads(packed.read("account.json"))[0]["email"] == CARA
        everything = b"".join(packed.read(name) for name in names).decode(errors="replace")
    assert "hall.txt" in everything and "colins.txt" not in everything and "colin@acme" not in everything
    for foreign in ("colin@acme.example", "bea@birch.example", "adam@northwind.example"):
        assert signed_in(foreign).get(f"/me/data/exports/{export.pk}/").status_code == 404
    assert Client().get(f"/me/data/exports/{export.pk}/").status_code == 302
    assert AuditEntry.objects.filter(verb="my_data.downloaded").count() == 1
    DataExport.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert cara.get(f"/me/data/exports/{export.pk}/").status_code == 404
    kept = export.content.storage
    assert kept.exists(export.content.name) and exports.drop_exports() == 1 and not kept.exists(export.content.name)


def test_what_a_customer_started_shows_none_of_our_steps_in_the_export_and_forgets_them(shop):  # noqa: F811
    request = ask(shop.cara, shop.rows["planning"], "Plan our workshop.")
    do(shop.erin, request, "qualify", "qualify", product=shop.rows["planning"].pk, discount="0")
    tasks = HumanTask.objects.filter(started_by_id=shop.cara.user_id)
    assert set(tasks.values_list("status", "audience")) == {("done", "internal"), ("open", "internal")}
    person = exports.person_of(shop.users[CARA])
    everything = json.dumps([trace.export(person) for trace in traces()], cls=DjangoJSONEncoder)
    for name in tasks.values_list("name", flat=True):
        assert name not in everything
    for trace in traces():
        if trace.model == "workflows.HumanTask":
            trace.forget(person)
    assert not tasks.exists()


def test_an_export_that_crashed_goes_on_where_it_was(people, monkeypatch):
    export = exports.start_export(people.cara)
    for _chunk in range(3):
        jobs.run_chunk(export.job_id)
    monkeypatch.setattr(exports, "_pack", lambda *args: 1 / 0)
    while jobs.run_chunk(export.job_id):
        pass
    export.job.refresh_from_db()
    assert export.job.state == "failed"
    assert "could not be made" in signed_in().get("/me/data/").content.decode()
    monkeypatch.undo()
    assert made_export(people.cara).pk != export.pk  # asked again, it is made anew


def test_whoever_looks_through_their_eyes_sees_none_of_it(people):
    export = made_export(people.cara)
    adam = signed_in("adam@northwind.example")
    adam.post(f"/work/view-as/{people.cara.membership_id}/")
    for path in ("/me/data/", "/me/consents/", "/me/devices/", "/me/security/"):
        assert adam.get(path).status_code == 403, path
    assert adam.get(f"/me/data/exports/{export.pk}/").status_code == 403


def decide(actor: Actor, action: str, **values) -> None:
    task = HumanTask.objects.get(element_id="decide_erasure", status="open")
    complete_task(actor, task.id, values, action=action)


def colin_asks(cast) -> ErasureRequest:
    return erasure.ask_for_erasure(cast.colin, "I leave the company.")


def test_the_only_administrator_hands_over_first(shipped):
    with pytest.raises(Refused, match="only administrator of Acme"):
        erasure.ask_for_erasure(shipped.cara)
    cara = signed_in()
    assert "Hand over first" in cara.get("/me/data/").content.decode()
    refused = cara.post("/me/data/erasure/", {"words": "Kept words", "sure": "on"})
    assert refused.status_code == 400 and not ErasureRequest.objects.exists()
    place = Membership.objects.get(pk=shipped.colin.membership_id)
    MembershipRole.objects.create(membership=place, role="customer_admin")
    assert erasure.ask_for_erasure(shipped.cara).state == "asked"
    MembershipRole.objects.filter(membership=place, role="customer_admin").delete()  # and the colleague stops being one meanwhile
    decide(shipped.adam, "erase")
    task = HumanTask.objects.get(element_id="decide_erasure", status="open")
    from workflows.forms import task_form

    assert "only administrator" in " ".join(map(str, dict(task_form(shipped.adam, task.pk).display).values()))
    assert User.objects.get(pk=shipped.cara.user_id).email == CARA


def test_erased_means_nameless_closed_and_signed_out(shipped, django_capture_on_commit_callbacks):
    ref = SubjectRef("portal.organisation", shipped.organisations[demo.ACME].pk)
    store_file(shipped.colin, ref, b"drawing", set(), name="hall.txt")
    consents.give_consent(shipped.colin, "newsletter", source="Your own page")
    client = signed_in("colin@acme.example")
    client.post("/me/picture/", {"picture": picture()})
    made_export(shipped.colin)
    name = shipped.colin.name
    row = colin_asks(shipped)
    assert colin_asks(shipped).pk == row.pk
    task = HumanTask.objects.get(element_id="decide_erasure", status="open")
    assert task.role == "administrator" and abs(task.due - row.answer_by) < timedelta(minutes=1)
    assert 29 <= (row.answer_by - timezone.now()).days <= 30
    decide(shipped.adam, "erase")
    row.refresh_from_db()
    user = User.objects.get(pk=shipped.colin.user_id)
    assert (row.state, row.email, row.words) == ("done", "", "") and row.outcome
    assert not user.is_active and not user.picture and "colin" not in f"{user.name} {user.email}".lower() and not user.has_usable_password()
    assert client.get("/me/").status_code == 302 and not UserSession.objects.filter(user=user).exists()
    assert Client().post("/accounts/login/", {"login": "colin@acme.example", "password": PASSWORD}).status_code == 200
    assert not DataExport.objects.exists() and not Consent.objects.exclude(email="").exists()
    assert AuditEntry.objects.filter(actor_id=user.pk, actor_name=name).exists()  # the audit keeps its facts
    assert {e.verb for e in entries_for(erasure.ref_of(row.pk))} == {"erasure.asked", "erasure.done"}
    assert ProcessInstance.objects.get(key="data_erasure").status == "completed"
    held = json.dumps(list(ProcessInstance.objects.filter(key="data_erasure").values("title", "data", "started_by_name")), default=str)
    assert "colin" not in held.lower()
    letters = [letter for letter in _letters() if letter["to"] == ["colin@acme.example"]]
    assert any("erased" in letter["subject"] for letter in letters)


def _letters() -> list[dict]:
    from workflows.models import OutboxCall

    return [call.payload for call in OutboxCall.objects.filter(kind="mail")] + [{"to": m.to, "subject": m.subject} for m in mail.outbox]


def test_old_letters_are_forgotten_too(shipped, django_capture_on_commit_callbacks):
    """What was sent keeps neither address nor words, what waits loses both once it is sent, and others keep theirs."""
    from workflows.models import OutboxCall
    from workflows.services.outbox import enqueue_call, send_batch

    def letter(key: str, *to: str) -> OutboxCall:
        return enqueue_call("mail", {"to": list(to), "subject": "Hello Colin", "text": f"Dear Colin, {key}"}, idempotency_key=key)

    mine, shared, other = (
        letter("mine", "Colin@acme.example"),
        letter("shared", "colin@acme.example", "cara@acme.example"),
        letter("no", "a@b.c"),
    )
    failed = letter("failed")
    send_batch()
    OutboxCall.objects.filter(pk=failed.pk).update(payload=mine.payload, last_error="550 colin@acme.example unknown", status="failed")
    colin_asks(shipped)
    waiting = letter("waiting", "colin@acme.example")
    decide(shipped.adam, "erase")
    while send_batch():
        pass
    for row in (mine, shared, other, failed, waiting):
        row.refresh_from_db()
    assert (mine.payload["to"], mine.payload["text"], shared.payload["to"], other.payload["text"]) == (
        [],
        "",
        ["cara@acme.example"],
        "Dear Colin, no",
    )
    assert waiting.status == "sent" and any(sent.body == "Dear Colin, waiting" for sent in mail.outbox)  # it was on its way
    held = json.dumps(list(OutboxCall.objects.values("payload", "last_error"))).lower()
    assert "colin@acme.example" not in held and "erased" not in held.replace("erased-", "")


def test_a_refusal_reaches_the_person_and_taking_back_ends_the_process(shipped):
    row = colin_asks(shipped)
    with pytest.raises(Refused):
        decide(shipped.adam, "refuse")
    decide(shipped.adam, "refuse", reason="The warranty of your roof runs until May.")
    client = signed_in("colin@acme.example")
    assert "warranty of your roof" in client.get("/me/data/").content.decode()
    assert "warranty of your roof" not in signed_in("bea@birch.example").get("/me/data/").content.decode()
    client.post("/me/data/erasure/", {"words": "Once more", "sure": "on"})
    assert client.post("/me/data/erasure/", {"words": "Once more"}).status_code == 400  # without the tick
    client.post("/me/data/erasure/take-back/")
    client.post("/me/data/erasure/take-back/")
    assert list(ErasureRequest.objects.order_by("pk").values_list("state", flat=True)) == ["refused", "taken_back"]
    assert not HumanTask.objects.filter(element_id="decide_erasure", status="open").exists()
    row.refresh_from_db()
    assert not erasure.refuse_erasure(shipped.adam, row.pk, "again")  # decided already


def test_partners_and_employees_ask_as_well(shipped):
    for actor in (shipped.pia, shipped.erin):
        erasure.ask_for_erasure(actor)
    assert {Audience(row.audience) for row in ErasureRequest.objects.all()} == {Audience.PARTNER, Audience.INTERNAL}
    listed = signed_in("adam@northwind.example").get("/work/settings/erasures/").content.decode()
    assert "Pia Partner" in listed and "Erin Employee" in listed
    assert signed_in("erin@northwind.example").get("/work/settings/erasures/").status_code == 404


# Links to people that tell nothing of the person's own; each with its reason.
NO_TRACE = {
    "portal.MembershipRole": "through its membership",
}


def test_every_link_to_a_person_is_declared():
    """What is kept about somebody is exported and forgotten, or says why not: a new link can't be overlooked."""
    declared = {(trace.model, trace.by) for trace in traces()}
    missing = [
        f"{model._meta.label}.{field.name}"
        for package in OUR_APPS
        for model in apps.get_app_config(package).get_models()
        for field in model._meta.get_fields(include_parents=False)
        if field.is_relation
        and field.concrete
        and field.related_model is User
        and (model._meta.label, field.name) not in declared
        and model._meta.label not in NO_TRACE
    ]
    known = {"portal.Membership.manager"}  # whom somebody answers to: shown with the membership, ended by the erasure
    assert not set(missing) - known, f"declare in personal.py: {sorted(set(missing) - known)}"


def test_every_trace_reads_and_forgets(people):
    """The declarations fit the tables: every field exists, every clearing can be stored."""
    person = exports.person_of(User.objects.get(pk=people.colin.user_id))
    for trace in traces():
        trace.export(person)
        trace.forget(person)
        assert trace.label and (trace.erase != "clear" or trace.clear)
