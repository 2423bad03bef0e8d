"""Versions of documents: who sees which, what never widens, the same name again, two at once."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from portal.access import Actor, Audience
from portal.errors import Conflict, NotAllowed, Refused
from portal.files import add_version, files_for, keep_apart, open_file, store_file, store_named
from portal.models import StoredFile
from portal.registry import SubjectRef
from tests.workflows.test_operator_races import together

INTERNAL, CUSTOMER, PARTNER = Audience.INTERNAL, Audience.CUSTOMER, Audience.PARTNER


def file(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


@pytest.fixture
def joint(people):
    """A project of Acme's and Pine's: a record that all three audiences see."""
    from projects.models import Project

    project = Project.objects.create(
        name="Roof",
        customer_organisation=people.organisations["Acme Bikes (demo)"],
        partner_organisation=people.organisations["Pine Partners (demo)"],
        starts="2026-01-01",
    )
    people.ref = SubjectRef("projects.project", project.pk)
    return people


def shown(actor: Actor, ref: SubjectRef) -> list[tuple[str, int, list[int]]]:
    """What an actor sees: name, version, and the earlier versions."""
    return [(one.name, one.version, [old.version for old in one.earlier]) for one in files_for(actor, ref)]


def window(people, name: str) -> Client:
    client = Client()
    user = next(user for email, user in people.users.items() if email.startswith(f"{name}@"))
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_versions_follow_each_other_for_the_same_readers(joint):
    first = store_file(joint.erin, joint.ref, file("plan.pdf", b"1"), {CUSTOMER})
    second = add_version(joint.cara, first.id, file("plan.pdf", b"2"))
    third = add_version(joint.erin, first.id, file("plan, final.pdf", b"3"))
    assert (second.version, third.version) == (2, 3)
    assert shown(joint.cara, joint.ref) == shown(joint.erin, joint.ref) == [("plan, final.pdf", 3, [2, 1])]
    assert shown(joint.paul, joint.ref) == [] and open_file(joint.paul, third.id) is None
    assert open_file(joint.colin, first.id) is not None and open_file(joint.bea, first.id) is None


def test_a_version_never_widens(joint):
    inside = store_file(joint.erin, joint.ref, file("costs.xlsx", b"1"), set())
    assert add_version(joint.dan, inside.id, file("costs.xlsx", b"2")).audiences == {INTERNAL}
    both = store_file(joint.erin, joint.ref, file("plan.pdf", b"1"), {CUSTOMER, PARTNER})
    ours = add_version(joint.cara, both.id, file("plan.pdf", b"2"))
    assert ours.audiences == {INTERNAL, CUSTOMER}
    assert shown(joint.paul, joint.ref) == [("plan.pdf", 1, [])] and open_file(joint.paul, ours.id) is None
    theirs = add_version(joint.paul, both.id, file("plan.pdf", b"3"))
    assert theirs.audiences == {INTERNAL, PARTNER} and theirs.version == 3
    assert ("plan.pdf", 2, [1]) in shown(joint.cara, joint.ref) and shown(joint.paul, joint.ref) == [("plan.pdf", 3, [1])]
    for stranger in (joint.bea, joint.quinn):
        with pytest.raises(Refused):
            add_version(stranger, both.id, file("plan.pdf", b"4"))
    with pytest.raises(Refused):
        add_version(joint.paul, inside.id, file("costs.xlsx", b"4"))


def test_the_same_name_is_the_next_version_for_the_same_readers_only(joint):
    first = store_file(joint.erin, joint.ref, file("plan.pdf", b"1"), {CUSTOMER})
    assert store_named(joint.erin, joint.ref, file("Plan.PDF", b"2"), {CUSTOMER}).document == first.document
    assert store_named(joint.erin, joint.ref, file("plan.pdf", b"3"), set()).version == 1
    assert store_named(joint.paul, joint.ref, file("plan.pdf", b"4"), {PARTNER}).version == 1
    assert store_named(joint.colin, joint.ref, file("plan.pdf", b"5"), {CUSTOMER}).version == 3
    again = store_named(joint.colin, joint.ref, file("plan.pdf", b"5"), {CUSTOMER})
    assert again.version == 3 and StoredFile.objects.filter(document=first.document).count() == 3


def test_what_was_sent_signed_or_said_stays(joint):
    for kind in ("quote", "signed", "message", "sheet", "asked"):
        kept = store_file(Actor.system(), joint.ref, b"1", {CUSTOMER}, name=f"{kind}.pdf", kind=kind)
        with pytest.raises(NotAllowed):
            add_version(joint.cara, kept.id, file(f"{kind}.pdf", b"2"))
        assert store_named(joint.cara, joint.ref, file(f"{kind}.pdf", b"2"), {CUSTOMER}).version == 1


def test_both_are_kept_where_that_was_meant(joint):
    first = store_file(joint.erin, joint.ref, file("image.jpg", b"1"), {CUSTOMER})
    second = store_named(joint.cara, joint.ref, file("image.jpg", b"2"), {CUSTOMER})
    with pytest.raises(NotAllowed):
        keep_apart(joint.colin, second.id)
    third = add_version(joint.erin, first.id, file("image.jpg", b"3"))
    with pytest.raises(Conflict):
        keep_apart(joint.cara, second.id)
    assert keep_apart(joint.erin, third.id).version == 1 and keep_apart(joint.cara, second.id).version == 1
    assert sorted(shown(joint.cara, joint.ref)) == [("image.jpg", 1, [])] * 3


def test_a_program_is_refused_whatever_it_is_called(joint):
    for name, content in (("plan.pdf", b"MZ\x90\0\3"), ("plan.txt", b"#!/bin/sh\n"), ("plan.jpg", b"\x7fELF\2"), ("plan.scr", b"x")):
        with pytest.raises(Refused):
            store_file(joint.cara, joint.ref, file(name, content), {CUSTOMER})
    assert not StoredFile.objects.exists()


def test_the_panel_of_every_face(joint):
    address = reverse("shared:files", args=[str(joint.ref)])
    erin, cara = window(joint, "erin"), window(joint, "cara")
    erin.post(address, {"files": file("plan.pdf", b"1"), "audiences": ["customer", "partner"]})
    first = StoredFile.objects.get()
    page = cara.post(address, {"files": file("plan.pdf", b"2")}).content.decode()
    assert "yours is its version 2" in page and "1 earlier version" in page
    second = StoredFile.objects.get(version=2)
    assert "Version 2" not in window(joint, "paul").get(address).content.decode()
    page = cara.post(address, {"apart": str(second.pk)}).content.decode()
    assert "earlier version" not in page
    page = cara.post(address, {"version": str(first.pk), "files": file("plan.pdf", b"3")}).content.decode()
    assert "Version 2" in page
    for bad in ({"version": "x", "files": file("a.pdf", b"1")}, {"version": str(first.pk)}, {"apart": "nonsense"}):
        assert cara.post(address, bad).status_code == 400
    assert window(joint, "bea").post(address, {"files": file("plan.pdf", b"4")}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_versions_at_once_follow_each_other(transactional_db):
    from tests.world import build_people

    people = build_people()
    ref = SubjectRef("portal.organisation", people.organisations["Acme Bikes (demo)"].pk)
    first = store_file(people.erin, ref, file("plan.pdf", b"1"), {CUSTOMER})
    found = together(
        lambda: add_version(people.cara, first.id, file("plan.pdf", b"2")),
        lambda: add_version(people.erin, first.id, file("plan.pdf", b"3")),
    )
    assert sorted(one.version for one in found) == [2, 3]
