"""What the engine says of a failure, in words of the reader: every sentence from a process that really fails."""

import pytest
from django.urls import reverse
from django.utils import translation

from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, flow, service
from workflows import services
from workflows.connector_registry import connector
from workflows.models import Incident
from workflows.plain import in_words
from workflows.selectors.incidents import IncidentFilter, incident_groups, open_incidents


@connector("tests.priced")
def priced(step, price=0):
    """Takes a price."""
    return {}


def script(text):
    work = f'<bpmn:scriptTask id="work" name="Work it out"><bpmn:script>{text}</bpmn:script></bpmn:scriptTask>'
    return work + chain("start", "work", "end")


def gateway(condition, default=""):
    return (
        f'<bpmn:exclusiveGateway id="way" name="How large?" {default}/>'
        + chain("start", "way")
        + flow("way", "end", condition).replace("<bpmn:sequenceFlow ", '<bpmn:sequenceFlow name="Large" ')
    )


def failing(cast, body, **data):
    services.deploy(SYSTEM, diagram("fails", ENDS + body))
    services.start_process(cast.mona, "fails", data=data)
    return Incident.objects.get()


@pytest.mark.parametrize(
    ("body", "data", "words", "remedy"),
    [
        (script("total = 1\ntotal = amount + 1"), {}, "“amount” isn't set when line 2 of the script is worked out.", "Set “amount”"),
        (script("total = amount + 1"), {"amount": None}, "A value that line 1 of the script needs is empty.", "Fill the empty value"),
        (script("total = amount + 1"), {"amount": "x"}, "A value that line 1 of the script needs is of another kind", "right kind"),
        (script("total = 1 / amount"), {"amount": 0}, "Line 1 of the script divides by zero.", "Correct the number"),
        (script("total = deal['price']"), {"deal": {}}, "needs has no “price”.", "Add “price”"),
        (script("total = many[3]"), {"many": [1]}, "asks for an entry that a list doesn't have.", "Correct the list"),
        (script("total = 'a' * 9999999"), {}, "takes too long or grows too large.", "do less at once"),
        (gateway("amount > 5"), {}, "“amount” isn't set when the condition of “Large” is worked out. It says: amount > 5", "Set “amount”"),
        (gateway("feel: amount > 5"), {}, "“amount” isn't set when the condition of “Large” is worked out.", "Set “amount”"),
        (gateway("feel: amount + 5"), {"amount": 1}, "The condition of “Large” gives neither yes nor no.", "Compare it"),
        (gateway("amount > 5"), {"amount": 1}, "No way leads on from “How large?”: none of its conditions holds.", "draw a way"),
        (
            service("call", "tests.priced", '<tandem:param name="price" value="= amount"/>') + chain("start", "call", "end"),
            {},
            "“amount” isn't set when the parameter “price” is worked out.",
            "Set “amount”",
        ),
        (
            '<bpmn:intermediateCatchEvent id="rest" name="Rest"><bpmn:timerEventDefinition><bpmn:timeDuration>= soon</bpmn:timeDuration>'
            "</bpmn:timerEventDefinition></bpmn:intermediateCatchEvent>" + chain("start", "rest", "end"),
            {"soon": "soon"},
            "What stands for the time that is waited for is no time.",
            "2 working days",
        ),
    ],
)
def test_in_plain_words(cast, body, data, words, remedy):
    row = failing(cast, body, **data)
    [shown] = open_incidents(cast.mona)
    assert words in shown.cause.words, row.message
    assert remedy in shown.cause.remedy
    assert shown.cause.technical and not any(odd in shown.cause.words for odd in ("NoneType", "Error", "<", "name '"))


def test_the_pages_tell_it_and_fold_the_technical_text(cast, client):
    row = failing(cast, gateway("amount > 5"))
    client.force_login(cast.users["mona@northwind.example"], backend="django.contrib.auth.backends.ModelBackend")
    for address in (reverse("workflows:incidents"), reverse("workflows:instance-body", args=[row.instance_id])):
        page = client.get(address).content.decode()
        assert "“amount” isn&#x27;t set when the condition of “Large” is worked out" in page
        assert "Technical text" in page and page.index("Technical text") < page.index("is not defined")
    [group] = incident_groups(cast.mona, IncidentFilter(cause=row.message))
    assert group.cause.remedy.startswith("Set “amount”")


def test_secrets_stay_out_of_the_technical_text():
    told = in_words("script.failed", "the script failed in line 1: ValueError: token: abc123 of cara@acme.example", "Work it out")
    assert "abc123" not in told.technical and "cara@" not in told.technical and "Line 1 of the script" not in told.technical


def test_what_is_in_words_already_stays():
    told = in_words("service.failed", "The other side didn't answer in time.", "Call")
    assert (told.words, told.remedy, told.technical) == ("The other side didn't answer in time.", "", "")
    unknown = in_words("expression.failed", "Something: nobody foresaw this", "Call")
    assert "can't be worked out" in unknown.words and unknown.technical


def test_in_the_readers_language():
    with translation.override("en"):
        assert in_words("deadlock", "This gateway waits …", "Join").words.startswith("“Join” waits for something")
