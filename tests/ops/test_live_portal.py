"""The fixtures of browser tests: a real portal, signed-in windows, data of the test alone."""

import pytest

from portal.models import Organisation


@pytest.mark.parametrize("turn", [1, 2])
def test_a_signed_in_window_sees_what_the_test_committed(live_portal, people, new_page, turn):
    assert not Organisation.objects.filter(name=f"Turn {3 - turn}").exists()
    Organisation.objects.create(name=f"Turn {turn}")
    window, other = new_page(), new_page(phone=True)
    live_portal.sign_in(window, "erin@northwind.example")
    window.goto(f"{live_portal.base_url}/home/")
    assert window.url.startswith(live_portal.base_url) and "/accounts/login/" not in window.url
    other.goto(f"{live_portal.base_url}/home/")
    assert "/accounts/login/" in other.url


def test_a_killed_web_process_can_be_started_again(live_portal, people, page):
    live_portal.kill("web")
    live_portal.restart()
    assert page.goto(f"{live_portal.base_url}/accounts/login/").status == 200
