"""Time in a browser: a question that stops the clock, hours that move a due date, a promise that is seen at risk in the inbox."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import expect

from portal.access import Actor
from tests.e2e.conftest import SOON
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from workflows import services
from workflows.models import HumanTask, ServiceClock, Timer
from workflows.services.service_levels import look_at_clocks

SYSTEM = Actor.system("tests")
DAY = timedelta(days=1)
LATE = (
    '<bpmn:boundaryEvent id="late" attachedToRef="check" cancelActivity="false"><bpmn:timerEventDefinition>'
    "<bpmn:timeDuration>PT48H</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
)
CHECKED = diagram(
    "checked",
    ENDS
    + user("check", 'tandem:due="3 working days" tandem:questionsPause="true"', "", "Check the drawing")
    + LATE
    + user("chase", name="Chase it")
    + chain("start", "check", "end")
    + chain("late", "chase", "end"),
    lanes=lane("Sales", "internal", "sales", "start", "check", "chase", "end"),
)


def begin(company, title):
    """A process whose step waits for sales; its task."""
    services.deploy(SYSTEM, CHECKED)
    pk = services.start_process(company.erin, "checked", title=title)
    return HumanTask.objects.get(instance_id=pk, status="open")


def test_a_question_stops_the_clock_until_it_is_answered(company, person):
    task = begin(company, "Hall 7")
    due, late = task.due, Timer.objects.get(element_id="late").due
    erin, dan = person("erin@northwind.example"), person("dan@northwind.example")
    erin.go(f"/work/tasks/{task.pk}/")
    erin.click("Ask")
    erin.sees("clock of this task stands still")
    erin.accessible()
    erin.shoot("clocks-ask")
    erin.page.locator("main select[name=to]").select_option(f"internal:{company.dan.user_id}", force=True)
    erin.fill(text="Which of the two drawings counts?")
    erin.click("Ask")
    erin.sees("waits for the answer, the clock stands still")
    erin.accessible()
    erin.shoot("clocks-asked")
    task.refresh_from_db()
    assert task.due is None and not Timer.objects.filter(element_id="late").exists()

    dan.go("/work/inbox/")
    dan.sees("1 question waits for your answer")
    dan.go("/work/inbox/questions/")
    dan.page.locator("main").get_by_role("link", name="Which of the two drawings counts?").click()
    dan.accessible()
    dan.shoot("clocks-answer")
    dan.fill(answer="The newer one, of May.")
    dan.click("Answer")
    erin.sees("The newer one, of May.")  # by itself
    erin.go(f"/work/tasks/{task.pk}/")
    expect(erin.page.locator("main .t-chip", has_text="due").first).to_be_visible(timeout=SOON)
    task.refresh_from_db()
    assert task.due >= due and Timer.objects.get(element_id="late").due > late


def test_hours_that_change_move_the_next_due_date(company, person):
    ours = company.organisations["Northwind Works (demo)"].pk
    adam = person("adam@northwind.example")
    adam.go(f"/work/settings/calendars/{ours}/")
    adam.page.locator("main [name=time_zone]").select_option("UTC", force=True)
    adam.page.locator("main [name=country]").select_option("", force=True)
    adam.fill(**{f"hours_{number}": "0:00–24:00" for number in range(7)})
    adam.accessible()
    adam.click("Save")
    adam.sees("Days that are different")
    first = begin(company, "Before")
    assert abs(first.due - timezone.now() - 3 * DAY) < timedelta(minutes=5)

    tomorrow = (timezone.now() + DAY).date()
    adam.fill(day=tomorrow.isoformat(), day_name="Company outing")
    adam.click("Add")
    adam.sees("Company outing")
    adam.shoot("clocks-calendar")
    adam.accessible()
    second = begin(company, "After")
    assert abs(second.due - first.due - DAY) < timedelta(minutes=5), "a day on which nobody works"
    erin = person("erin@northwind.example", phone=True)
    erin.go(f"/work/tasks/{second.pk}/")
    expect(erin.page.locator("main .t-chip", has_text="due").first).to_be_visible(timeout=SOON)
    erin.fits()


def test_a_promise_is_seen_at_risk_in_the_inbox(company, person):
    task = begin(company, "Hall 9")
    HumanTask.objects.filter(pk=task.pk).update(created=timezone.now() - timedelta(minutes=50))
    adam = person("adam@northwind.example")
    adam.go("/work/processes/levels/set/?process=checked&step=check")
    adam.accessible()
    adam.fill(target="PT1H", risk_percent="75")
    adam.click("Save")
    adam.sees("set here")
    look_at_clocks()
    look_at_clocks()
    assert ServiceClock.objects.get(task=task).state == "at_risk"
    erin = person("erin@northwind.example", phone=True)
    erin.go("/work/inbox/")
    row = erin.page.locator("main .t-task", has_text="Check the drawing").first
    expect(row).to_contain_text("At risk", timeout=SOON)
    name = row.locator(".t-task-name").bounding_box()
    assert name["width"] > name["height"] * 2, "the promise leaves the name room"
    erin.accessible()
    erin.fits()
    erin.shoot("clocks-at-risk")
    mona = person("mona@northwind.example")
    mona.go("/work/processes/levels/")
    mona.sees("Check the drawing")
    mona.accessible()
    mona.shoot("clocks-levels")
