"""Small words of the kit's filters."""

import pytest
from django.template import Context, Template
from django.utils import translation

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148 Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"


@pytest.mark.parametrize(
    ("source", "value", "told"),
    [
        ("{{ v|number }}", 8800, "8,800"),
        ("{{ v|number }}", "–", "–"),
        ("{{ v|device }}", FIREFOX, "Firefox, Linux"),
        ("{{ v|device }}", SAFARI, "Safari, iPhone"),
        ("{{ v|device }}", EDGE, "Edge, Windows"),
        ("{{ v|device }}", "", "An unknown browser"),
        ("{{ v|told }}", ["customer", "internal"], "customer, internal"),
        ("{{ v|told }}", None, "–"),
        ("{{ v|told }}", {"limit": 20, "roles": ["manager"]}, "limit: 20, roles: manager"),
        ("{{ v|in_code }}", "gives `deal_id` <b>", "gives <code>deal_id</code> &lt;b&gt;"),
    ],
)
def test_words(source, value, told):
    assert Template(source).render(Context({"v": value})) == told


def test_a_count_follows_the_readers_language():
    with translation.override("de"):
        assert Template("{{ v|number }}").render(Context({"v": 8800})) == "8.800"
