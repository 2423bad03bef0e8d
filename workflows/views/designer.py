"""Drawing a process in the browser: the page, what its panel offers, the check, and publishing."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from bpmn.model import DeployRefused, EngineError, Problem
from portal.access import Audience, requires
from portal.registry import registry
from workflows import selectors, services
from workflows.access import WorkflowPermission
from workflows.connector_registry import connectors
from workflows.selectors.definitions import definition_decisions, running_count
from workflows.services.deployment import check
from workflows.trials import trial

MAX_DRAWING = 2 * 1024 * 1024


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.PUBLISH)
def draw(request: HttpRequest, key: str = "") -> HttpResponse:
    """The page of the modeler: a new process, a published one, or (`?copy=1`) a new one that begins as its copy."""
    found = selectors.definition_detail(request.actor, key) if key else None
    if key and found is None:
        raise Http404
    context = {
        "definition": found,
        "copy": bool(found) and request.GET.get("copy") == "1",
        "templates": selectors.process_choices(request.actor),
    }
    return render(request, "workflows/designer.html", context)


@require_GET
@requires(Audience.INTERNAL, permission=WorkflowPermission.PUBLISH)
def kit(request: HttpRequest) -> JsonResponse:
    """What the properties panel offers, in the reader's language."""
    return JsonResponse(
        {
            "audiences": [["internal", _("Internal")], ["partner", _("Partner")], ["customer", _("Customer")]],
            "roles": [[role.key, str(role.label)] for role in registry.roles.values()],
            "connectors": [
                {"key": one.key, "doc": one.doc.partition("\n")[0], "parameters": list(one.parameters), "required": list(one.required)}
                for one in connectors()
            ],
            "subjects": sorted(registry.subjects),
            "watched": [
                {"key": kind.key, "label": str(kind.label), "fields": kind.fact_names} for kind in registry.subjects.values() if kind.facts
            ],
            "fieldTypes": _field_types(),
            "kinds": _kinds(),
            "words": _words(),
        }
    )


@require_POST
@requires(Audience.INTERNAL, permission=WorkflowPermission.PUBLISH)
def check_drawing(request: HttpRequest) -> JsonResponse:
    """Take a drawing through the whole deploy gate without publishing it."""
    try:
        definition, _decisions = _checked(request)
    except DeployRefused as refused:
        return _refusal(refused)
    running = running_count(request.actor, definition.key)
    return JsonResponse(
        {
            "problems": [],
            "warnings": [_told(one) for one in definition.warnings],
            "name": definition.name or definition.key,
            "running": running,
        }
    )


@require_POST
@requires(Audience.INTERNAL, permission=WorkflowPermission.PUBLISH)
def try_drawing(request: HttpRequest) -> JsonResponse:
    """A trial run of a drawing: what would happen with these answers (`answers`, by element id) and variables (`data`), both JSON."""
    try:
        given = {name: json.loads(request.POST.get(name) or "{}") for name in ("data", "answers")}
    except ValueError:
        given = {"data": None}
    if not all(isinstance(one, dict) for one in given.values()):
        return JsonResponse(
            {"problems": [{"element_id": None, "code": "answers", "message": _("The answers can't be read."), "remedy": ""}]}, status=400
        )
    decisions = definition_decisions(request.actor, request.POST.get("base", ""))
    try:
        definition, report = services.try_out(_content(request), decisions=decisions, **given)
    except DeployRefused as refused:
        return _refusal(refused)
    except EngineError as error:
        return _refusal(DeployRefused([Problem(None, getattr(error, "code", "trial"), str(error), "")]))
    return JsonResponse({"trial": trial(definition, report)})


@require_POST
@requires(Audience.INTERNAL, permission=WorkflowPermission.PUBLISH)
def publish_drawing(request: HttpRequest) -> JsonResponse:
    """Publish a drawing as the next version; running processes stay with theirs."""
    content = _content(request)
    try:
        definition, decisions = _checked(request)
        result = services.deploy(request.actor, content, decisions=decisions, note=request.POST.get("note", "")[:300])
    except DeployRefused as refused:
        return _refusal(refused)
    words = _("“%(name)s” is unchanged.") if result.unchanged else _("“%(name)s” is published as version %(version)s.")
    messages.success(request, words % {"name": definition.name or definition.key, "version": result.version})
    return JsonResponse({"url": reverse("workflows:definition", args=[result.key])})


def _content(request: HttpRequest) -> bytes:
    content = request.POST.get("xml", "").encode()
    if len(content) > MAX_DRAWING:
        raise DeployRefused([Problem(None, "file", _("The drawing is larger than 2 MB."), "")])
    return content


def _checked(request: HttpRequest) -> tuple[Any, dict[str, bytes]]:
    """The drawing as the engine reads it, with the decision tables of the process it was begun from."""
    decisions = definition_decisions(request.actor, request.POST.get("base", ""))
    return check(_content(request), decisions=decisions), decisions


def _told(problem: Problem) -> dict[str, str | None]:
    return {"element_id": problem.element_id, "code": problem.code, "message": problem.message, "remedy": problem.remedy}


def _refusal(refused: DeployRefused) -> JsonResponse:
    return JsonResponse({"problems": [_told(problem) for problem in refused.problems]}, status=422)


def _field_types() -> list[list[str]]:
    return [
        ["text", _("Text")],
        ["textarea", _("Long text")],
        ["number", _("Number")],
        ["money", _("Amount of money")],
        ["date", _("Day")],
        ["datetime", _("Day and time")],
        ["boolean", _("Yes or no")],
        ["choice", _("One of a list")],
        ["multichoice", _("Several of a list")],
        ["person", _("Person")],
        ["partner", _("Partner")],
        ["product", _("Product")],
        ["file", _("File")],
        ["display", _("Only shown")],
    ]


def _kinds() -> dict[str, str]:
    return {
        "bpmn:UserTask": _("A step that a person does"),
        "bpmn:ServiceTask": _("A step that the system does"),
        "bpmn:SendTask": _("A message that the system sends"),
        "bpmn:BusinessRuleTask": _("A decision by table"),
        "bpmn:ScriptTask": _("A calculation"),
        "bpmn:ExclusiveGateway": _("One way of several"),
        "bpmn:ParallelGateway": _("All ways at once"),
        "bpmn:InclusiveGateway": _("Every way that fits"),
        "bpmn:EventBasedGateway": _("Whatever comes first"),
        "bpmn:StartEvent": _("Beginning"),
        "bpmn:EndEvent": _("End"),
        "bpmn:IntermediateCatchEvent": _("Wait"),
        "bpmn:IntermediateThrowEvent": _("Something happens"),
        "bpmn:BoundaryEvent": _("Something happens during a step"),
        "bpmn:SequenceFlow": _("Way"),
        "bpmn:Lane": _("Lane: whose steps these are"),
        "bpmn:Participant": _("The process as a whole"),
        "bpmn:Process": _("The process as a whole"),
        "bpmn:SubProcess": _("Part of the process"),
        "bpmn:CallActivity": _("Another process"),
    }


def _words() -> dict[str, str]:
    return {
        "general": _("General"),
        "name": _("Name"),
        "documentation": _("What to know"),
        "id": _("Identifier"),
        "idHelp": _("Letters, digits and _; stays the same between versions."),
        "whoseLane": _("Whose lane"),
        "audience": _("Audience"),
        "audienceHelp": _("Steps in this lane are done by people of this audience."),
        "role": _("Role"),
        "noRole": _("Anybody of the audience"),
        "whatOthersSee": _("What others see"),
        "publicLabel": _("In the customer's words"),
        "publicHelp": _("Empty: the customer doesn't see this step."),
        "partnerLabel": _("In the partner's words"),
        "stage": _("Stage of the deal"),
        "stageHelp": _("The record stands in this stage while the process is here."),
        "milestone": _("A milestone of the project"),
        "shownWhen": _("Shown when"),
        "unannounced": _("Shown only once it is there, not among what comes"),
        "who": _("Who, until when"),
        "due": _("Due after"),
        "dueHelp": _("2 working days, 8 working hours; PT48H is 48 hours, P3D three days; or an expression that begins with =."),
        "howLong": _("How long it may take"),
        "target": _("Service level"),
        "targetHelp": _("How long it may take, such as 8 working hours or PT48H; administrators may set another."),
        "questionsPause": _("A question pauses the clock"),
        "inPerson": _("Only they themselves"),
        "inPersonHelp": _("Buttons that nobody does for a customer or partner, such as signing; or true for the whole step."),
        "assignee": _("One person"),
        "candidates": _("Several people may take it"),
        "organisation": _("Organisation"),
        "organisationHelp": _("For a step of a customer or partner: whose people may do it."),
        "expressionHelp": _("An expression that begins with =, for example = deal.get('owner_user_id')."),
        "form": _("Form"),
        "buttons": _("Buttons"),
        "label": _("Label"),
        "variable": _("Variable"),
        "kind": _("Kind"),
        "options": _("Choices (a:First;b:Second)"),
        "help": _("Help"),
        "default": _("Value to begin with"),
        "required": _("Must be filled in"),
        "readonly": _("Can't be changed"),
        "newField": _("New field"),
        "newButton": _("New button"),
        "look": _("Look"),
        "plain": _("Plain"),
        "primary": _("The main one"),
        "danger": _("Refusing or ending"),
        "requires": _("Asks for"),
        "nothing": _("Nothing"),
        "reason": _("A reason"),
        "add": _("Add"),
        "remove": _("Remove"),
        "call": _("What it does"),
        "connector": _("Function"),
        "parameters": _("What it is given"),
        "value": _("Value"),
        "result": _("Name of the result"),
        "resultHelp": _("Later steps read the result under this name."),
        "decision": _("Decision table"),
        "decisionName": _("Identifier of the decision"),
        "when": _("When this way is taken"),
        "condition": _("Condition"),
        "conditionHelp": _("For example: action == 'approve' and amount > 1000"),
        "whenItBegins": _("When it begins"),
        "waitsFor": _("What it waits for"),
        "watches": _("Of which records"),
        "watchesHelp": _("The process begins each time it comes true of one; what is true already at publishing begins nothing."),
        "watchedFields": _("It may read: {names}."),
        "otherwise": _("Taken when no other way fits"),
        "timer": _("Time"),
        "after": _("After"),
        "at": _("At"),
        "every": _("Every"),
        "message": _("Message"),
        "correlation": _("Meant for the process with the same"),
        "correlationHelp": _("Names of variables, separated by spaces."),
        "process": _("Process"),
        "key": _("Key"),
        "keyHelp": _("Versions of one process share it."),
        "title": _("Title of a running one"),
        "startableBy": _("Who may start it (roles)"),
        "subject": _("What it is about"),
        "chooseSomething": _("Choose something in the drawing."),
        "newProcess": _("New process"),
        "noProblems": _("Nothing stands against publishing."),
        "tryAgain": _("Try again with these answers"),
        "tryFailed": _("The trial run could not be made. Please try again."),
        "beginsWith": _("Begins with"),
        "beginsWithHelp": _("The drawing asks for these and nothing sets them: 1 or an empty set {} is assumed until you say otherwise."),
        "functionsAnswer": _("What functions answer"),
        "functionsAnswerHelp": _('Nothing is called in a trial run; a set of values is written {"family": "roof", "amount": 500}.'),
        "decidedWith": _("Button"),
        "mendFirst": _("Some things have to be mended first."),
        "publish": _("Publish"),
        "publishQuestion": _("Publish “{name}”?"),
        "publishNote": _("{n} running now stay with their version; new ones take this one."),
        "forget": _("Throw away"),
        "forgetQuestion": _("Throw your unpublished changes away?"),
    }
