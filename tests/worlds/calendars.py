"""Time in the world: calendars, a promise with its clocks, questions to each audience."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from workflows.models import HumanTask
from workflows.service_levels import Level
from workflows.services.calendars import add_calendar_day, save_calendar
from workflows.services.questions import answer_question, ask_question
from workflows.services.service_levels import look_at_clocks, save_level

OFFICE = ["9:00–17:00"] * 5 + ["", ""]


def build(cast) -> None:
    """Hours of ours and of customer A, each with a day of its own; what is promised of the joint process; what is asked about its steps."""
    places = {name.split()[0].lower(): row.pk for name, row in cast.organisations.items()}
    day = timezone.localdate() + timedelta(days=30)
    for name, country in (("northwind", "DE"), ("acme", "FR")):
        save_calendar(cast.adam, places[name], time_zone="Europe/Berlin", country=country, region="", hours=OFFICE)
        add_calendar_day(cast.adam, places[name], day, "LEAK:internal outing", "")
    save_level(cast.adam, "world_joint", "", Level("PT1H", message="LEAK:internal late"))
    save_level(cast.adam, "world_joint", "ask", Level("8 working hours"))
    look_at_clocks()
    for customer, asked in (("acme", (cast.cara, cast.paul)), ("birch", (cast.bea, cast.quinn))):
        task = HumanTask.objects.get(instance__title=f"LEAK:internal joint work for {customer}", element_id="ask", status="open")
        for person in asked:
            owner = {cast.cara: "acme", cast.bea: "birch", cast.paul: "pine", cast.quinn: "quill"}[person]
            ask_question(cast.erin, task.pk, person.user_id, str(person.audience), f"LEAK:{owner} which colour?")
        ask_question(cast.erin, task.pk, cast.mona.user_id, "internal", "LEAK:internal may we?")
        answered = ask_question(cast.erin, task.pk, cast.dan.user_id, "internal", "LEAK:internal is there a van?")
        answer_question(cast.dan, answered, "LEAK:internal on Tuesday")


def samples(world) -> dict[str, list[dict]]:
    """Days stand behind their calendar's organisation."""
    return {}
