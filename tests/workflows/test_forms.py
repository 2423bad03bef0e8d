"""Every kind of field: what it takes, what it refuses, what the process gets."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bpmn.parser import parse
from portal.access import Audience
from portal.files import files_for
from portal.registry import SubjectRef
from tests.workflows.conftest import SYSTEM
from tests.workflows.diagrams import ENDS, chain, diagram, lane, user
from tests.workflows.test_tasks import task_of
from workflows import forms, services
from workflows.errors import FormRefused, NotFound
from workflows.models import ProcessInstance

FIELDS = {
    "text": ({"max": "5"}, ["abcde", " ab "], ["abcdef"]),
    "textarea": ({}, ["long\ntext"], ["x" * 10_001]),
    "number": ({"min": "1", "max": "10"}, ["1", "10", "2.5"], ["0", "11", "one", "NaN", "Infinity"]),
    "money": ({}, ["0", "12.34"], ["-1", "1.234", "1e999"]),
    "date": ({}, ["2026-02-28"], ["2026-02-30", "tomorrow"]),
    "datetime": ({}, ["2026-02-28T10:00"], ["2026-02-28T25:00"]),
    "boolean": ({}, ["on"], []),
    "choice": ({"options": "a:First;b:Second"}, ["a", "b"], ["c", "First"]),
    "multichoice": ({"options": "a:First;b:Second"}, [["a"], ["a", "b"]], [["c"], ["a", "c"]]),
    "person": ({}, [], ["0", "99999", "x", "-1"]),
    "partner": ({}, [], ["0", "99999", "x"]),
    "product": ({}, [], ["99999", "x"]),
    "file": ({}, [], ["00000000-0000-0000-0000-000000000000", "../etc/passwd"]),
}


def element(kind, attributes):
    extra = " ".join(f'{k}="{v}"' for k, v in attributes.items())
    field = f'<tandem:form><tandem:field id="value" type="{kind}" label="Value" required="true" {extra}/></tandem:form>'
    return parse(diagram("p", ENDS + user("ask", "", field) + chain("start", "ask", "end"))).element("ask")


@pytest.mark.parametrize("kind", FIELDS)
def test_a_field_takes_and_refuses(cast, kind):
    attributes, good, bad = FIELDS[kind]
    step = element(kind, attributes)
    for value in good:
        assert forms.build_form(cast.erin, step, {}, {"value": value}).is_valid(), value
    for value in [*bad, ""]:
        assert not forms.build_form(cast.erin, step, {}, {"value": value}).is_valid(), value
    assert forms.build_form(cast.erin, step, {}).as_p()


def test_people_and_partners_are_known_ones(cast):
    form = forms.build_form(cast.erin, element("person", {}), {}, {"value": str(cast.dan.user_id)})
    assert form.is_valid() and form.cleaned_data["value"] == cast.dan.user_id
    assert not forms.build_form(cast.erin, element("person", {}), {}, {"value": str(cast.cara.user_id)}).is_valid()
    pine = cast.organisations["Pine Partners (demo)"].pk
    assert forms.build_form(cast.erin, element("partner", {}), {}, {"value": pine}).is_valid()


EASE = diagram(
    "ease",
    ENDS
    + user(
        "ask",
        "",
        '<tandem:form><tandem:field id="amount" type="money" label="Amount" required="true"/>'
        '<tandem:field id="day" type="date" label="Day" default="2026-01-05"/>'
        '<tandem:field id="paper" type="file" label="Paper"/></tandem:form>'
        '<tandem:action id="accept" label="Accept" style="primary"/>'
        '<tandem:action id="decline" label="Decline" style="danger" requires="reason"/>',
    )
    + chain("start", "ask", "end"),
    lanes=lane("Customer", "customer", "", "start", "ask", "end"),
)


@pytest.fixture
def asked(cast, acme):
    services.deploy(SYSTEM, EASE)
    ref = SubjectRef("portal.organisation", acme)
    return services.start_process(SYSTEM, "ease", subject=ref, data={"amount": 7}, customer_organisation_id=acme)


def test_declining_asks_for_a_reason_alone_and_keeps_the_rest(cast, asked):
    task = task_of(asked).pk
    with pytest.raises(FormRefused):
        services.complete_task(cast.cara, task, {}, action="accept")
    services.complete_task(cast.cara, task, {"reason": "no money"}, action="decline")
    data = ProcessInstance.objects.get(pk=asked).data
    assert (data["amount"], data["reason"], data["action"]) == (7, "no money", "decline")


def test_typed_values_reach_the_process(cast, asked):
    services.complete_task(cast.cara, task_of(asked).pk, {"amount": "12.30", "day": "2026-02-03"}, action="accept")
    data = ProcessInstance.objects.get(pk=asked).data
    assert Decimal(data["amount"]) == Decimal("12.30") and data["day"] == date(2026, 2, 3).isoformat()


def test_a_file_is_kept_on_the_record_for_the_right_people(cast, asked, acme, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    ref = SubjectRef("portal.organisation", acme)
    sent = forms.submit_task(
        cast.cara, task_of(asked).pk, _post(amount="1", action="accept"), {"paper": SimpleUploadedFile("plan.pdf", b"%PDF-1")}
    )
    assert sent.done, sent.errors
    [kept] = files_for(cast.erin, ref)
    assert kept.audiences == {Audience.INTERNAL, Audience.CUSTOMER}
    assert ProcessInstance.objects.get(pk=asked).data["paper"] == str(kept.id)
    assert files_for(cast.bea, ref) == []


def test_a_refused_form_keeps_no_file_and_what_was_typed(cast, asked, acme, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    uploads = {"paper": SimpleUploadedFile("run.exe", b"MZ")}
    sent = forms.submit_task(cast.cara, task_of(asked).pk, _post(amount="1", action="accept"), uploads)
    assert not sent.done and "run" in sent.form.error or ".exe" in str(sent.errors)
    assert sent.form.form["amount"].value() == "1"
    assert files_for(cast.erin, SubjectRef("portal.organisation", acme)) == []


def test_a_forms_task_of_another_organisation_isnt_there(cast, asked):
    for other in (cast.bea, cast.paul, cast.quinn, cast.erin):
        with pytest.raises(NotFound):
            forms.task_form(other, task_of(asked).pk)
        with pytest.raises(NotFound):
            forms.submit_task(other, task_of(asked).pk, _post(amount="1", action="accept"))


def _post(**values):
    from django.http import QueryDict

    post = QueryDict(mutable=True)
    post.update(values)
    return post
