"""Calculator and configurator of the site: worked out on the server, hostile answers and formulas included, and carried into the form."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from portal.blocks_offers import CalculatorBlock
from portal.demo_site import seed_site
from portal.formulas import FormulaError, work_out
from portal.models import LandingPage

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(db):
    seed_site()


def offer(slug: str, kind: str) -> str:
    page = LandingPage.objects.get(slug=slug)
    block = next(block for block in page.body if block.block_type == kind)
    return f"/offers/{page.pk}/{block.id}/"


@pytest.mark.parametrize(
    ("answers", "shown"),
    [
        ("asked=1&people=4&hours=6&wage=1", "$1,008"),
        ("asked=1&people=4&hours=6&wage=1&nights=1", "$1,260"),
        ("asked=1&people=2,5&hours=2&wage=0", "$140"),
        ("asked=1&people=4&hours=6&wage=99", "$672"),  # no such answer: the first one
    ],
)
def test_a_calculator_works_out_its_figure(site, client, answers, shown):
    assert shown in client.get(offer("prices", "calculator") + "?" + answers, HTTP_HX_REQUEST="true").content.decode()


@pytest.mark.parametrize("people", ["", "many", "-1", "1e999999", "NaN", "Infinity", "__import__('os')", "201", "9" * 5000])
def test_a_wrong_answer_is_said_beside_its_question(site, client, people):
    answer = client.get(offer("prices", "calculator"), {"asked": 1, "people": people, "hours": 1, "wage": 0}, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "Give a number from 0 to 200." in text and "s-figure-number" not in text


def test_a_configurator_adds_up_and_its_form_knows_what_was_chosen(site, client):
    text = client.get(offer("solar-roof", "configurator") + "?g0=1&g1=2&g2=0&g2=2", HTTP_HX_REQUEST="true").content.decode()
    assert "$45,100" in text  # 4,500 + 22,000 + 13,900 + 2,800 + 1,900
    address = re.search(r'href="(/start/form/[^"]+)"', text).group(1).replace("&amp;", "&")
    form = client.get(address).content.decode()
    for words in ("Your solar roof", "Middle, 60 panels", "Two charging points, Care for five years", "$45,100"):
        assert words in form
    assert "$1,000,000" not in client.get(address + "&price=1000000").content.decode()


@pytest.mark.parametrize("answers", ["g0=99", "g0=-1", "g0=zz", "g0=", "g0=1&g0=2", "g9=1", "g0=" + "1" * 900])
def test_a_configurator_never_stumbles(site, client, answers):
    assert client.get(f"{offer('solar-roof', 'configurator')}?{answers}").status_code == 200


@pytest.mark.parametrize("source", ["1", "1.2", "x.y", ".", "999999999999999.1", "'; drop table", "0x1.aa"])
def test_a_form_with_a_made_up_source_is_the_plain_form(site, client, source):
    assert client.get("/start/form/", {"from": source}).status_code == 200


def test_a_draft_works_out_nothing(site, client):
    address = offer("prices", "calculator")
    LandingPage.objects.get(slug="prices").unpublish()
    assert client.get(address).status_code == 404


@pytest.mark.parametrize(
    "formula",
    ["", "people *", "__import__('os').system('id')", "open('/etc/passwd')", "for i in 1..100000000 return i", "1/0", "people.__class__",
     "\"text\"", "people = 3", "9**9**9**9", "unknown * 2", "1" * 600],
)  # fmt: skip
def test_a_formula_that_gives_no_figure_is_refused(formula):
    with pytest.raises(FormulaError):
        work_out(formula, {"people": Decimal(3)})


def test_formulas_are_exact():
    assert work_out("0.1 + 0.2", {}) == Decimal("0.3")
    assert work_out("if fast then people * 2 else 0", {"fast": True, "people": Decimal(3)}) == 6


def test_an_editor_hears_what_is_wrong_with_a_calculator():
    block = CalculatorBlock()

    def calculator(formula: str, *names: str):
        question = {"label": "?", "kind": "number", "start": 1, "least": 0, "most": 9, "unit": "", "answers": []}
        inputs = [question | {"name": name} for name in names]
        return block.to_python({"title": "T", "text": "", "inputs": inputs, "formula": formula, "result": "R", "form": ""})

    block.clean(calculator("a + b", "a", "b"))
    for formula, names, field in (
        ("a +", ("a",), "formula"),
        ("a + c", ("a",), "formula"),
        ("a", ("a", "a"), "inputs"),
        ("a", ("A b",), "inputs"),
    ):
        with pytest.raises(ValidationError) as refused:
            block.clean(calculator(formula, *names))
        assert field in refused.value.as_json_data()["blockErrors"]
