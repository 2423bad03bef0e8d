"""What the tests of the customer base share: products, the shipped processes, and doing a step by its name."""

from __future__ import annotations

import pytest
from djmoney.money import Money

from crm import services
from crm.models import Product
from crm.services import NewRequest
from portal import events
from portal.access import Actor
from portal.registry import SubjectRef, registry
from workflows.selectors import open_tasks_for
from workflows.services import complete_task


@pytest.fixture
def shop(people):
    """The cast, the shipped processes with what they stand on, and a small catalogue."""
    from partners.demo import seed as seed_partners
    from projects.demo import seed as seed_projects
    from workflows.packs import deploy_shipped

    deploy_shipped()
    seed_projects(people)
    seed_partners(people)
    people.rows["planning"] = Product.objects.create(name="Planning", series="GTX", list_price=Money(6000, "USD"), is_public=True)
    people.rows["roof"] = Product.objects.create(
        name="Solar roof", series="GTK", list_price=Money(26000, "USD"), is_public=True, needs_partner=True
    )
    people.rows["small"] = Product.objects.create(name="Small", series="MG", list_price=Money(55, "USD"), is_public=True)
    return people


@pytest.fixture
def nothing_untold(shop):
    """Whatever a test changes of what processes may watch is told to those who watch."""
    told: set[str] = set()
    listen = lambda event: told.update(map(str, event.refs))  # noqa: E731
    before = _watchable()
    events.on(events.RecordsChanged)(listen)
    yield
    events._handlers[events.RecordsChanged].remove(listen)
    changed = {ref for ref, facts in _watchable().items() if before.get(ref) != facts}
    assert changed and changed <= told, changed - told


def _watchable() -> dict[str, dict]:
    """The facts of every record that processes may watch."""
    kinds = [kind.key for kind in registry.subjects.values() if kind.facts]
    return {f"{kind}:{pk}": facts for kind in kinds for pk, facts in registry.read_facts(Actor.system(), kind)}


def ask(actor, product: Product, words: str = "Please help us.", key: str = ""):
    """A customer's request."""
    return services.submit_request(actor, NewRequest(product.pk, words, key=key))


def ref_of(request) -> SubjectRef:
    """A request as a subject."""
    return SubjectRef("crm.request", request.pk)


def waiting(actor, request) -> set[str]:
    """The steps of a request's process that the actor sees open."""
    return {task.element_id for task in open_tasks_for(actor, ref_of(request))}


def do(actor, request, element_id: str, action: str = "", **values):
    """Do a step as its page would: found through the actor's own tasks, completed through the service."""
    task = next(task for task in open_tasks_for(actor, ref_of(request)) if task.element_id == element_id)
    return complete_task(actor, task.id, values, action=action)
