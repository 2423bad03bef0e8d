"""The customer's part of a project: tasks ticked and answered, undone until the milestone is reached; what was said to the delivery."""

from __future__ import annotations

import pytest
from django.test import Client

from portal.errors import Conflict, Refused
from projects import selectors, services
from projects.models import Acceptance
from tests.projects.test_projects import project  # noqa: F401  the project of the package's tests

pytestmark = pytest.mark.django_db


def signed_in(people, email: str) -> Client:
    client = Client()
    client.force_login(people.users[email])
    return client


def test_a_task_is_ticked_undone_and_answered(project, people):  # noqa: F811
    cara = signed_in(people, "cara@acme.example")
    task = project.tasks.filter(audience="customer").first()
    page = f"/cabinet/projects/{project.pk}/"
    assert "Your part" in cara.get(page).content.decode()
    assert cara.post(f"{page}tasks/{task.pk}/tick/", {"state": "done", "version": "1"}).status_code == 302
    stale = cara.post(f"{page}tasks/{task.pk}/tick/", {"state": "todo", "version": "1"})
    assert stale.status_code == 409 and "changed this task" in stale.content.decode()
    assert cara.post(f"{page}tasks/{task.pk}/tick/", {"state": "todo", "version": "2"}).status_code == 302
    cara.post(f"{page}tasks/{task.pk}/answer/", {"answer": "The logo is in the files.", "version": "3"})
    task.refresh_from_db()
    assert (task.state, task.answer, task.answered_by_name) == ("done", "The logo is in the files.", people.cara.name)
    dan = signed_in(people, "dan@northwind.example")
    assert "The logo is in the files." in dan.get(f"/work/projects/{project.pk}/").content.decode()
    cara.post(f"{page}tasks/{task.pk}/answer/", {"answer": "", "version": "4"})
    task.refresh_from_db()
    assert (task.state, task.answer) == ("todo", "")
    for nonsense in ("nowhere", ""):
        assert cara.post(f"{page}tasks/{task.pk}/tick/", {"state": nonsense}).status_code == 400


def test_what_isn_t_theirs_is_not_there(project, people):  # noqa: F811
    bea, cara = signed_in(people, "bea@birch.example"), signed_in(people, "cara@acme.example")
    theirs, ours = (project.tasks.filter(audience=audience).first() for audience in ("customer", "internal"))
    assert bea.post(f"/cabinet/projects/{project.pk}/tasks/{theirs.pk}/tick/", {"state": "done"}).status_code == 404
    assert cara.post(f"/cabinet/projects/{project.pk}/tasks/{ours.pk}/answer/", {"answer": "mine"}).status_code == 404
    with pytest.raises(Refused):
        services.answer_task(people.bea, theirs.pk, "mine")


def test_a_reached_milestone_closes_its_tasks(project, people):  # noqa: F811
    task = project.tasks.filter(audience="customer").first()
    services.reach_milestone(people.cara, 4711, "provide_materials")
    with pytest.raises(Conflict):
        services.move_task(people.cara, task.pk, "todo")
    with pytest.raises(Conflict):
        services.answer_task(people.cara, task.pk, "Too late.")


def test_what_was_said_to_the_delivery_is_shown_to_both_and_not_to_partners(project, people):  # noqa: F811
    services.keep_acceptance(people.cara, project.pk, "keep_acceptance", accepted=False, reason="One is missing.")
    services.keep_acceptance(people.cara, project.pk, "keep_acceptance", accepted=True, rating="4", words="Good.")
    with pytest.raises(Refused):
        services.keep_acceptance(people.cara, project.pk, "keep_acceptance", accepted=False, reason=" ")
    assert Acceptance.objects.count() == 2
    assert [one.accepted for one in selectors.acceptances_of(people.cara, project.pk)] == [True, False]
    for email, page in (
        ("cara@acme.example", f"/cabinet/projects/{project.pk}/"),
        ("dan@northwind.example", f"/work/projects/{project.pk}/"),
    ):
        shown = signed_in(people, email).get(page).content.decode()
        assert "One is missing." in shown and "Good." in shown
    assert selectors.acceptances_of(people.paul, project.pk) == [] == selectors.acceptances_of(people.bea, project.pk)
    assert project.milestones.get(element_id="keep_acceptance").reached_by_id == people.cara.user_id
