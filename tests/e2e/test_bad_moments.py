"""Bad moments at a screen: pressed twice, done by somebody else meanwhile, a session that ended, an address guessed."""

from __future__ import annotations

from playwright.sync_api import expect

from crm import services
from crm.models import Product, Request
from crm.services import NewRequest
from tests.e2e.conftest import SOON
from workflows.models import HistoryEvent, HumanTask
from workflows.services import complete_task


def _request(company, actor=None) -> Request:
    product = Product.objects.get(name="Solar roof")
    return services.submit_request(actor or company.cara, NewRequest(product.pk, "Panels, please."))


def test_two_people_do_one_task(company, person):
    _request(company)
    erin, mona = person("erin@northwind.example"), person("mona@northwind.example")
    task = HumanTask.objects.get(element_id="qualify")
    for one in (erin, mona):
        one.go(f"/work/tasks/{task.pk}/")
    mona.fill(note="Typed by Mona")
    erin.fill(discount="0", needs_partner=False)
    erin.page.get_by_role("button", name="Qualify", exact=True).dblclick()
    mona.sees("Back to the inbox")
    mona.click("Qualify")
    mona.sees("Erin Employee")
    assert HumanTask.objects.filter(element_id="prepare_quote").count() == 1
    assert not HumanTask.objects.filter(element_id="qualify", status=HumanTask.Status.OPEN).exists()


def test_a_guessed_address_is_not_there(company, person, live_portal):
    request = _request(company)
    bea = person("bea@birch.example")
    answer = bea.page.goto(f"{live_portal.base_url}/cabinet/requests/{request.pk}/")
    assert answer.status == 404
    assert "Acme" not in bea.page.content()


def _hears_nothing(person) -> None:
    """Their page gets no pings from here on, so only what they press can meet the ended session."""
    person.page.route_web_socket("**/ws/live/", lambda _socket: None)


def test_a_task_goes_on_after_the_session_ended(company, person, end_sessions):
    _request(company)
    task = HumanTask.objects.get(element_id="qualify")
    erin = person("erin@northwind.example")
    _hears_nothing(erin)
    erin.go(f"/work/tasks/{task.pk}/")
    erin.fill(discount="3", needs_partner=True, partner="Pine Partners (demo)", note="Typed before the session ended")
    end_sessions()
    erin.click("Qualify")
    erin.sign_in_by_form("erin@northwind.example")
    expect(erin.page).to_have_url(f"{erin.portal.base_url}/work/tasks/{task.pk}/")
    assert (erin.value("discount"), erin.value("note")) == ("3", "Typed before the session ended")
    assert erin.page.locator("main [name=partner] option:checked").inner_text() == "Pine Partners (demo)"
    erin.click("Qualify")
    erin.sees("All done")
    done = HumanTask.objects.get(pk=task.pk)
    assert (done.status, done.done_by_name) == ("done", "Erin Employee")


def test_a_page_notices_the_ended_session_by_itself(company, person, end_sessions):
    cara = person("cara@acme.example")
    _hears_nothing(cara)
    product = Product.objects.get(name="Solar roof")
    cara.go(f"/cabinet/catalogue/{product.pk}/")
    cara.fill(title="Panels for the hall")
    end_sessions()
    cara.page.evaluate("document.querySelectorAll('[data-live]').forEach((one) => one.dispatchEvent(new CustomEvent('live')))")
    cara.page.wait_for_url("**/accounts/login/**", timeout=SOON)
    cara.sees("Your session has ended")
    cara.sign_in_by_form("cara@acme.example")
    cara.sees("Send the request")
    assert cara.value("title") == "Panels for the hall"


def test_what_happens_while_a_page_comes_is_not_missed(company, person):
    erin = person("erin@northwind.example")
    erin.go("/work/inbox/")
    erin.sees("All done")

    def slow(socket) -> None:
        """The page was read; before its socket is there somebody asks."""
        _request(company)
        socket.connect_to_server()

    erin.page.route_web_socket("**/ws/live/", slow)
    erin.go("/work/inbox/")
    erin.sees("Qualify the request")


def test_approve_pressed_twice_is_one_decision(company, person):
    request = _request(company)
    qualify = HumanTask.objects.get(element_id="qualify")
    complete_task(company.erin, qualify.pk, {"product": str(request.product_id), "price": "26500", "discount": "18"}, action="qualify")
    mona, fiona = person("mona@northwind.example"), person("fiona@northwind.example")
    tasks = [HumanTask.objects.get(element_id=f"approve_discount_{who}") for who in ("manager", "finance")]
    for one, task in zip((mona, fiona), tasks, strict=True):
        one.go(f"/work/tasks/{task.pk}/")
    mona.page.get_by_role("button", name="Approve", exact=True).dblclick()
    mona.sees("All done")
    # At the very same moment, past the guard of the page.
    answers = fiona.page.evaluate("""async () => {
      const form = document.querySelector("main form[data-keep^='task:']");
      const body = new URLSearchParams(new FormData(form));
      body.append('action', 'approve');
      return Promise.all([1, 2].map(() => fetch(form.getAttribute('action'), { method: 'POST', body }).then((answer) => answer.status)));
    }""")
    assert answers == [200, 200]
    for task in tasks:
        task.refresh_from_db()
        assert (task.status, task.action) == ("done", "approve")
        assert HistoryEvent.objects.filter(engine_id=task.engine_id, action="approve").count() == 1
    assert HumanTask.objects.filter(status=HumanTask.Status.OPEN).count() == 1
