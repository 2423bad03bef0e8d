"""What a product asks for before its process starts: the form at the process's start event, filled with what is known of whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from crm.access import visible_products, visible_requests
from crm.models import Account, Contact, Product
from crm.services.process import PROCESS
from portal.access import Actor
from portal.selectors import phone_of
from workflows.forms import StepForm
from workflows.starting import PREFIX, first_answers, first_form

MOST, LONGEST = 60, 5000  # fields, and characters of one, that a draft or an unconfirmed request keeps


@dataclass(frozen=True, slots=True)
class StartAnswers:
    """What was filled in: the process's variables, what people read, and files to be put away with the request."""

    values: dict[str, Any] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, UploadedFile] = field(default_factory=dict)


def start_form(
    actor: Actor, product_id: int | None, data: Any = None, uploads: Any = None, *, typed: Mapping[str, Any] | None = None
) -> StepForm | None:
    """The start form of a product of the catalogue (or of any wish), bound where `data` is given; None where nothing is asked for.

    Filled with what was `typed` before, else with the last answers, else with the defaults of the diagram, which may name `contact_name`,
    `contact_email`, `contact_phone`, `company_name`, `company_phone`, `product_name`, `product_series` and `product_category`.
    """
    product = visible_products(actor).filter(pk=product_id).first() if product_id else None
    known = {**_facts(product), **_known(actor), **_last_answers(actor, product), **(typed or {})}
    return first_form(actor, product.process_key if product else PROCESS, known, data, uploads)


def answers_in(form: StepForm | None) -> StartAnswers:
    """What a checked form holds."""
    if form is None:
        return StartAnswers()
    values, answers, files = first_answers(form)
    return StartAnswers(values, [asdict(one) for one in answers], files)


def raw_answers(form: StepForm | None, post: Any) -> dict[str, Any]:
    """What was sent for a start form as it was typed, to be kept: of its fields alone, and not without end."""
    found: dict[str, Any] = {}
    for name in list(form.fields)[:MOST] if form else ():
        given = post.getlist(f"{PREFIX}-{name}")[:MOST]
        several = getattr(form.fields[name], "kind", "") == "multichoice"
        if given and any(given):
            found[name] = [one[:LONGEST] for one in given] if several else given[-1][:LONGEST]
    return found


def again_in(actor: Actor, product_id: int | None, raw: Mapping[str, Any]) -> StartAnswers:
    """What was kept, checked once more against the form as it is now; what no longer fits is left out."""
    post = QueryDict(mutable=True)
    for name, value in raw.items():
        post.setlist(f"{PREFIX}-{name}", value if isinstance(value, list) else [value])
    form = start_form(actor, product_id, post)
    if form is None:
        return StartAnswers()
    form.is_valid()
    for name in form.fields:
        form.cleaned_data.setdefault(name, None)
    return answers_in(form)


def _facts(product: Product | None) -> dict[str, Any]:
    return {
        "product_name": product.name if product else "",
        "product_series": product.series if product else "",
        "product_category": product.category if product else "",
    }


def _known(actor: Actor) -> dict[str, Any]:
    """What we know of whoever asks, of their own data alone; nothing that we keep about their company for ourselves."""
    known = {"contact_name": actor.name, "contact_email": actor.email, "contact_phone": "", "company_name": actor.organisation_name}
    if not actor.is_customer or actor.user_id is None:
        return {**known, "company_phone": ""}
    contact = Contact.objects.filter(user_id=actor.user_id).exclude(phone="").values_list("phone", flat=True).first()
    company = Account.objects.filter(organisation_id=actor.organisation_id).values_list("phone", flat=True).first()
    return {**known, "contact_phone": phone_of(actor.user_id) or contact or "", "company_phone": company or ""}


def _last_answers(actor: Actor, product: Product | None) -> dict[str, Any]:
    """What this person answered the last time that they asked for this product."""
    if product is None or actor.user_id is None:
        return {}
    rows = visible_requests(actor).filter(product=product, submitted_by_id=actor.user_id).exclude(answers=[])
    last = rows.order_by("-created_at", "-pk").values_list("answers", flat=True).first()
    return {one["id"]: one["raw"] for one in last or [] if one.get("raw") not in ("", None)}
