"""Folded templates and filled-in components say what Django and django-cotton would say."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from django.template import Context, engines
from django.template.loader import get_template
from django.utils.functional import lazystr
from django.utils.safestring import SafeString
from django.utils.translation import override

from portal.templating import components, shapes
from portal.templating.components import Component, shapes_of
from portal.templating.constants import ConstantNode, fold

KIT = Path(components.__file__).parent.parent / "templates" / "cotton"
NAMES = sorted(path.stem for path in KIT.glob("*.html"))
FILLED = [name for name in NAMES if shapes_of(get_template(f"cotton/{name}.html").template)]
COMMON = ["", "", "text", "<b>&'\"", " \n", SafeString("<i>safe</i>"), SafeString(""), None, 0, 1, True, False, "good", "bad"]
RARE = [lazystr("lazy <b>"), lazystr(""), [], ["a", "b"], {"a": "<b>"}, lambda: "called <b>", 2.5, "x" * 300]


def template(text: str):
    """A template of these words, folded as the loader would."""
    made = engines["django"].from_string(text).template
    fold(made.nodelist)
    return made


def use_of(name: str, given_names: list[str], written: list[str], slots: list[str]) -> str:
    """A page that uses a component: names given as they are, others written out, slots, one of them only sometimes."""
    attributes = [f':{one}="{one}"' for one in given_names] + [f'{one}="{one} written"' for one in written] + ['data-other="{{ word }}"']
    inside = "".join(f"{{% cotton:slot {one} %}}{{{{ {one} }}}}{{% endcotton:slot %}}" for one in slots)
    maybe = "{% if some %}{% cotton:slot actions %}{{ word }}{% endcotton:slot %}{% endif %}"
    return f"{{% cotton {name} {' '.join(attributes)} %}}{inside}{maybe if not slots else ''}{{{{ body }}}}{{% endcotton %}}"


@pytest.mark.parametrize("name", FILLED)
def test_a_filled_component_is_the_component_in_full(name, monkeypatch):
    """Whatever a component is given, filling in its shape says what rendering it says; every example twice, made and kept."""
    filled, made = Component._filled, []
    chance = random.Random(name)
    declared = sorted(shapes_of(get_template(f"cotton/{name}.html").template).uses.defaults)
    names = [*declared, "word", "body", "some"]
    for _page in range(4):
        ways = {one: chance.choice(["given", "written", "slot", "left out"]) for one in declared}
        page = template(use_of(name, *([one for one in declared if ways[one] == way] for way in ("given", "written", "slot"))))
        for _look in range(60):
            said = {one: chance.choice(COMMON) for one in names}
            if chance.random() < 0.3:
                said[chance.choice(names)] = chance.choice(RARE)
            monkeypatch.setattr(Component, "_filled", lambda *given: made.append(filled(*given)) or made[-1])
            first, again = page.render(Context(said)), page.render(Context(said))
            monkeypatch.setattr(Component, "_filled", lambda *_given: None)
            assert first == again == page.render(Context(said)), said
    assert sum(one is not None for one in made) > 100


def test_the_kit_is_mostly_filled_in():
    """What pages use most is rendered once a shape."""
    assert {"row", "card", "chip", "button", "list", "empty", "page_head", "avatar", "fact", "facts", "notice", "skeleton"} <= set(FILLED)


@pytest.mark.parametrize(
    "text",
    [
        "{{ request.path }}",
        "{% csrf_token %}",
        "{% cotton:vars title='' %}{{ title|date }}",
        "{% cotton:vars title='' %}{% when title %}",
        "{% cotton:vars title='{{ x }}' %}{{ title }}",
        "{% cotton:vars title %}{{ title }}",
        "{% if attrs.rows %}x{% endif %}",
        "{% include 'portal/shell/_brand.html' %}",
        "{% cotton org-switch / %}",
        "{% cotton:vars title='' %}{% if title %}{% url 'home' as there %}{% endif %}{{ there }}",
    ],
)
def test_a_component_that_looks_elsewhere_is_never_kept(text):
    """The page, the reader, the clock: what depends on them is made each time."""
    with pytest.raises(shapes.Unknown):
        shapes.Uses(template(text))


def test_two_places_with_the_same_words_in_other_attributes_stay_apart():
    """A shape is kept for all places of a component, so its key says which name stands for what."""
    first = template('{% cotton button href="there" :kind="word" %}a{% endcotton %}')
    second = template('{% cotton button :href="word" kind="there" %}a{% endcotton %}')
    for word in ("", "x"):
        assert 'href="there"' in first.render(Context({"word": word}))
        assert "btn-there" in second.render(Context({"word": word}))


def test_nobody_can_write_a_hole():
    """Control characters in what a person typed stay what they typed."""
    page = template('{% cotton chip :icon="word" tone="{{ word }}" %}{{ word }}{% endcotton %}')
    for word in ("\x02", "\x02slot\x03", "\x03", "\x02000000000000:slot\x03"):
        assert page.render(Context({"word": word})).count(word) == 3


def test_a_callable_is_called_as_in_any_template():
    """A value that is a function is shown as what it gives."""
    assert "&lt;b&gt;" in template('{% cotton row :title="word" / %}').render(Context({"word": lambda: "<b>"}))


def test_constants_are_put_together_and_follow_the_language():
    """Words without variables are one node, said in the reader's language."""
    page = template('{# note #}<p>{% trans "Yes" %} {% icon "check" %}{% url "home" %}</p>{{ name }}{% trans "No" as no %}{{ no }}')
    assert [type(node).__name__ for node in page.nodelist] == ["ConstantNode", "VariableNode", "TranslateNode", "VariableNode"]
    assert isinstance(page.nodelist[0], ConstantNode)
    with override("en"):
        english = page.render(Context({"name": "Ann"}))
    with override("de"):
        german = page.render(Context({"name": "Ann"}))
    with override("en"):
        assert page.render(Context({"name": "Bob"})) == english.replace("Ann", "Bob")
    assert "Yes" in english
    assert "Ja" in german


def test_constants_inside_blocks_conditions_and_loops_are_folded():
    """All the way down."""
    page = template(
        '{% block a %}{% if x %}{% for one in x %}{% trans "Yes" %}!{% endfor %}{% else %}{% trans "No" %}.{% endif %}{% endblock %}'
    )
    assert len(page.nodelist.get_nodes_by_type(ConstantNode)) == 2
    with override("en"):
        assert page.render(Context({"x": [1, 2]})) == "Yes!Yes!"
        assert page.render(Context({"x": []})) == "No."


def test_without_escaping_nothing_is_kept():
    """A text mail says things another way than a page, and may be the first to say them."""
    page = template(
        "{% autoescape off %}{% cotton chip %}{{ word }}{% endcotton %}{% endautoescape %}{% cotton chip %}{{ word }}{% endcotton %}"
    )
    said = page.render(Context({"word": "a & b"}))
    assert "a & b" in said
    assert "a &amp; b" in said
