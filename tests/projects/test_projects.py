"""Projects: made from a template, milestones closed once, boards, who sees what, and what is refused."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.urls import reverse

from portal import demo
from portal.access import Actor
from portal.errors import Conflict, NotAllowed, Refused
from projects import selectors, services
from projects.demo import ensure_templates
from projects.models import Milestone, Project, ProjectTask

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(people) -> Project:
    """A customer's project with a partner."""
    ensure_templates()
    pk = services.create_from_template(
        Actor.system("test"),
        "standard_delivery",
        "New bikes",
        customer_organisation_id=people.organisations[demo.ACME].pk,
        partner_organisation_id=people.organisations[demo.PINE].pk,
        instance_id=4711,
    )
    return Project.objects.get(pk=pk)


def test_a_template_gives_milestones_and_tasks(project) -> None:
    assert list(project.milestones.values_list("audience", flat=True)) == ["customer", "partner", "internal", "customer"]
    assert project.tasks.count() == 9
    assert all(task.due for task in project.tasks.all())


def test_without_a_partner_there_is_no_partners_milestone(people) -> None:
    ensure_templates()
    pk = services.create_from_template(Actor.system("test"), "standard_delivery", "Alone")
    assert list(Milestone.objects.filter(project=pk).values_list("audience", flat=True)) == ["customer", "internal", "customer"]


def test_one_process_makes_one_project(project) -> None:
    again = services.create_from_template(Actor.system("test"), "standard_delivery", "Again", instance_id=4711)
    assert again == project.pk
    assert Project.objects.count() == 1


def test_an_unknown_template_is_refused_by_name(people) -> None:
    with pytest.raises(Refused, match="nothing-like-it"):
        services.create_from_template(Actor.system("test"), "nothing-like-it", "X")


def test_a_step_reaches_its_milestone_once(project, people) -> None:
    assert services.reach_milestone(people.cara, 4711, "provide_materials")
    assert not services.reach_milestone(people.cara, 4711, "provide_materials")
    milestone = project.milestones.get(element_id="provide_materials")
    assert milestone.reached_by_id == people.cara.user_id
    assert not milestone.tasks.exclude(state=ProjectTask.State.DONE).exists()


def test_each_audience_sees_its_own(project, people) -> None:
    project.milestones.create(position=9, name="Margin checked", audience="internal")
    inside, outside, partner = (selectors.project_view(actor, project.pk) for actor in (people.dan, people.cara, people.paul))
    assert [m.name for m in inside.milestones][-1] == "Margin checked"
    assert "Margin checked" not in [m.name for m in outside.milestones]
    assert outside.milestones[0].name == "You send us what we need"
    assert {t.audience for t in outside.tasks} == {"customer"}
    assert {t.audience for t in partner.tasks} == {"partner"}
    assert outside.partner == ""
    assert not hasattr(outside, "internal_note")
    assert selectors.project_view(people.bea, project.pk) is None
    assert selectors.project_view(people.quinn, project.pk) is None


def test_a_stale_edit_is_told_and_changes_nothing(project, people) -> None:
    task = project.tasks.first()
    services.move_task(people.dan, task.pk, "doing")
    with pytest.raises(Conflict):
        services.edit_task(people.dan, task.pk, title="Other", assignee_id=None, due=None, version=1)
    task.refresh_from_db()
    assert task.title != "Other"


def test_those_who_only_look_change_nothing(project, people) -> None:
    with pytest.raises(NotAllowed):
        services.add_task(people.fiona, project.pk, "Mine")
    with pytest.raises(Refused):
        services.move_task(people.bea, project.tasks.first().pk, "done")


def test_the_list_costs_the_same_for_many(people, client, django_assert_max_num_queries) -> None:
    ensure_templates()
    client.force_login(people.users["dan@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    with transaction.atomic():
        for number in range(40):
            services.create_from_template(Actor.system("test"), "standard_delivery", f"Project {number}")
    client.get(reverse("projects:list"))
    with django_assert_max_num_queries(12):
        page = client.get(reverse("projects:list"))
    assert page.status_code == 200
    assert page.content.decode().count("Project 3") >= 10


def test_the_board_moves_and_refuses_in_words(project, people, client) -> None:
    client.force_login(people.users["dan@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("projects:project", args=[project.pk])).status_code == 200
    url = reverse("projects:task-move", args=[project.tasks.first().pk])
    assert client.post(url, {"to": "done"}).status_code == 200
    refused = client.post(url, {"to": "elsewhere"})
    assert refused.status_code == 400
    assert "column" in refused.json()["message"]


def test_an_empty_title_keeps_what_was_typed(project, people, client) -> None:
    client.force_login(people.users["dan@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.post(reverse("projects:task-add", args=[project.pk]), {"title": "", "due": "2027-01-05"})
    assert page.status_code == 400
    assert "2027-01-05" in page.content.decode()
