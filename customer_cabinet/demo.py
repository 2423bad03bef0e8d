"""The demo's past: requests that were finished, so that the running ones have a history to learn their dates from."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from crm import demo as crm_demo
from crm import selectors as crm
from crm import services
from crm.appointments.services import Offer, book_appointment, offer_appointment
from crm.appointments.times import free_times
from crm.services import NewRequest
from portal.access import Actor
from portal.demo import World
from portal.events import bulk
from portal.registry import SubjectRef
from portal.services.consents import give_consent
from workflows.demo import put_into_the_past
from workflows.selectors import open_tasks_for
from workflows.services import complete_task

# Words of the request, days ago that it ended, days that it took.
FINISHED = [
    ("A day of training for the new shift.", 11, 9),
    ("Refresh what we learnt last year.", 24, 12),
    ("Training for two supervisors.", 37, 16),
    ("A day on planning for the office.", 52, 10),
    ("Training after the move.", 70, 21),
    ("A first day for the apprentices.", 88, 13),
]

PRAISE = ("Clear and to the point.", "Good, with a little too much in one day.", "")


def seed(world: World) -> None:
    """Make them once, through the services that people use; running it again changes nothing."""
    cara, bea = world.actor("cara@acme.example"), world.actor("bea@birch.example")
    if any(row.state == "done" for row in crm.requests_for(bea)):
        return
    product = next(card.id for card in crm.catalogue(bea) if card.name == "Training day")
    people = {name: world.actor(f"{name}@northwind.example") for name in ("erin", "dan")}
    for number, (words, ago, took) in enumerate(FINISHED):
        customer = cara if number == 0 else bea
        steps = [
            (people["erin"], "qualify", {"product": product, "price": "1200", "discount": "0"}, "qualify"),
            (people["erin"], "prepare_quote", {"price": "1200", "valid_days": "14"}, "send"),
            (customer, "decide_quote", {}, "accept"),
            (customer, "provide_materials", {}, ""),
            (people["dan"], "deliver", {"delivery_note": "The training took place; everybody has the papers."}, ""),
            (customer, "accept_delivery", {"rating": str(5 - number % 3), "rating_words": PRAISE[number % 3]}, "accept"),
        ]
        with bulk():
            request = services.submit_request(customer, NewRequest(product, words, key=f"demo-past-{number}"))
            for actor, element_id, values, action in steps:
                task = next(t for t in open_tasks_for(actor, SubjectRef("crm.request", request.pk)) if t.element_id == element_id)
                complete_task(actor, task.id, values, action=action)
        ended = timezone.now() - timedelta(days=ago, hours=number)
        crm_demo.put_into_the_past(request.pk, ended - timedelta(days=took), ended)
        put_into_the_past(request.instance_id, ended - timedelta(days=took), ended)
    seed_acceptance(cara, product, people)
    seed_meetings(world, cara)


def seed_meetings(world: World, cara: Actor) -> None:
    """Times offered for one request, an appointment agreed about another, and what was agreed to."""
    erin = world.actor("erin@northwind.example")
    give_consent(cara, "newsletter", source="Your own page")
    open_requests = crm.requests_for(cara, state="open")
    first = timezone.localdate() + timedelta(days=2)
    free = free_times(erin.user_id, 60, first, first + timedelta(days=14), most=60)
    if len(open_requests) < 2 or len(free) < 40:
        return
    for number, (request, title) in enumerate(zip(open_requests, ("Look at the hall together", "Talk about the quote"), strict=False)):
        place = ("Your hall", "By video: meet.example/acme")[number]
        offer = Offer(title, 60, place, slots=(free[3], free[20], free[38]), key=f"demo-meeting-{number}")
        made = offer_appointment(erin, request.ref, offer)
        if number and made.state == "offered":
            book_appointment(cara, made.pk, free[20])


def seed_acceptance(cara: Actor, product: int, people: dict[str, Actor]) -> None:
    """A project of which something was missing, and which waits for the customer's second look."""
    steps = [
        (people["erin"], "qualify", {"product": product, "price": "1400", "discount": "0"}, "qualify"),
        (people["erin"], "prepare_quote", {"price": "1400", "valid_days": "14"}, "send"),
        (cara, "decide_quote", {}, "accept"),
        (cara, "provide_materials", {"materials_note": "Twelve people, two groups."}, ""),
        (people["dan"], "deliver", {"delivery_note": "Both groups are trained; the papers are in your files."}, ""),
        (cara, "accept_delivery", {"reason": "The papers of the second group are missing."}, "defects"),
        (people["dan"], "mend_delivery", {"mended_note": "The papers of the second group are in your files now."}, ""),
    ]
    with bulk():
        wish = NewRequest(product, "Training for both shifts.", "Training for both shifts", key="demo-acceptance")
        request = services.submit_request(cara, wish)
        for actor, element_id, values, action in steps:
            task = next(t for t in open_tasks_for(actor, SubjectRef("crm.request", request.pk)) if t.element_id == element_id)
            complete_task(actor, task.id, values, action=action)
