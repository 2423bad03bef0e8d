"""What the selectors hand to each person of the world: never a text of somebody else's."""

import re

import pytest
from django.test import Client

from portal.registry import SubjectRef
from workflows import forms, selectors
from workflows.access import visible_instances, visible_tasks
from workflows.errors import NotFound
from workflows.models import HumanTask, ProcessInstance

OWNERS = {
    "cara": {"acme"},
    "colin": {"acme"},
    "bea": {"birch"},
    "paul": {"pine"},
    "pia": {"pine"},
    "quinn": {"quill"},
}


@pytest.mark.parametrize("name", OWNERS)
def test_outsiders_read_only_what_is_theirs(world, name):
    actor = getattr(world, name)
    shown = []
    for box in ("todo", "mine", "group", "delegated", "received", "waiting", "snoozed", "all", "done"):
        shown.append(selectors.tasks_for(actor, selectors.InboxFilter(box=box)))
    for pk in ProcessInstance.objects.values_list("pk", flat=True):
        shown += [selectors.road_for(actor, pk), selectors.instance_detail(actor, pk), selectors.diagram_state(actor, pk)]
        for ref in ProcessInstance.objects.get(pk=pk).subjects:
            subject = SubjectRef.parse(ref)
            shown += [selectors.instances_for_subject(actor, subject), selectors.open_tasks_for(actor, subject)]
            shown += [selectors.road_for(actor, subject), selectors.stage_moves(actor, subject)]
    for task in HumanTask.objects.all():
        shown.append(selectors.task_detail(actor, task.pk))
        try:
            shown.append(forms.task_form(actor, task.pk))
        except NotFound:
            assert task.organisation_id != actor.organisation_id
    shown += [selectors.definitions(actor), selectors.open_incidents(actor), selectors.instances(actor)]
    owners = set(re.findall(r"LEAK:([a-z+]+)", repr(shown)))
    assert owners <= OWNERS[name], owners
    assert visible_tasks(actor).exists() and visible_instances(actor).exists()
    assert not visible_tasks(actor).exclude(organisation_id=actor.organisation_id).exists()


def test_every_page_of_the_package_shows_in_the_world(world):
    """An administrator opens every page; an outsider none."""
    task = HumanTask.objects.filter(status="open", audience="internal").first()
    done = HumanTask.objects.filter(status="done").first()
    pages = ["inbox/", "inbox/?box=all", "processes/", "processes/publish/", "processes/running/", "processes/incidents/"]
    pages += [f"tasks/{t.pk}/{part}" for t in (task, done) for part in ("", "state/", "peek/")]
    for instance in ProcessInstance.objects.all():
        pages += [f"processes/running/{instance.pk}/{part}" for part in ("", "body/", "state/")]
        pages += [f"processes/about/{ref}/" for ref in instance.subjects] + [f"processes/p/{instance.key}/"]
    admin, cara, quinn = Client(), Client(), Client()
    admin.force_login(world.users["adam@northwind.example"])
    cara.force_login(world.users["cara@acme.example"])
    quinn.force_login(world.users["quinn@quill.example"])
    for page in dict.fromkeys(pages):
        assert admin.get(f"/work/{page}").status_code == 200, page
        assert cara.get(f"/work/{page}").status_code == 404, page
        assert quinn.get(f"/work/{page}").status_code == 404, page
