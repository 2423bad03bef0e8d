"""The shipped template of projects in installations that were there before it changed."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps

from projects.demo import STANDARD, ensure_templates
from projects.models import ProjectTemplate, TemplateMilestone, TemplateTask

pytestmark = pytest.mark.django_db
migration = import_module("projects.migrations.0004_standard_delivery")


@pytest.fixture
def shipped_before() -> ProjectTemplate:
    """The template as it was shipped without a milestone for the acceptance."""
    template = ProjectTemplate.objects.create(key="standard_delivery", name="Ours", duration_days=30)
    for position, (name, public, audience, element, days, partner, titles) in enumerate(migration.BEFORE, 1):
        row = TemplateMilestone.objects.create(
            template=template,
            position=position,
            name=name,
            public_name=public,
            audience=audience,
            element_id=element,
            offset_days=days,
            only_with_partner=partner,
        )
        TemplateTask.objects.bulk_create(TemplateTask(milestone=row, position=n, title=title) for n, title in enumerate(titles, 1))
    return template


def as_it_is() -> list[tuple]:
    """The milestones with their tasks."""
    rows = TemplateMilestone.objects.order_by("position").prefetch_related("tasks")
    return [(r.name, r.public_name, r.audience, r.element_id, r.offset_days, [task.title for task in r.tasks.all()]) for r in rows]


def test_an_untouched_template_gets_the_acceptance(shipped_before):
    migration.add_acceptance(apps, None)
    assert as_it_is() == [(name, *rest) for name, *rest in STANDARD]
    migration.add_acceptance(apps, None)
    ensure_templates()
    assert len(as_it_is()) == len(STANDARD)


@pytest.mark.parametrize(
    "change",
    [
        lambda template: template.milestones.filter(position=3).update(name="Handed over"),
        lambda template: template.milestones.filter(position=1).update(offset_days=9),
        lambda template: TemplateTask.objects.filter(title="Do the work").update(title="Do it well"),
        lambda template: template.milestones.filter(position=2).delete(),
        lambda template: ProjectTemplate.objects.update(duration_days=60),
    ],
)
def test_what_the_company_changed_stays(shipped_before, change):
    change(shipped_before)
    before = as_it_is()
    migration.add_acceptance(apps, None)
    assert as_it_is() == before


def test_an_installation_without_it_gets_none():
    migration.add_acceptance(apps, None)
    assert not ProjectTemplate.objects.exists()
