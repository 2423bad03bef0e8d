"""Settings for administrators: people, organisations, invitations, audit."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import selectors_account
from portal import selectors_settings as read
from portal.access import Audience
from portal.errors import Refused
from portal.forms import InvitationForm, OrganisationForm
from portal.numbers import whole_number
from portal.registry import registry
from portal.selectors import employees, invitations_for
from portal.services import invitations, people
from portal.services.memberships import create_organisation

AUDIENCES = ("customer", "partner", "internal")


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Where to find what."""
    return redirect("settings-people")


@require_GET
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody, by name."""
    text, audience, role = (request.GET.get(key, "").strip()[:100] for key in ("q", "audience", "role"))
    organisation = request.GET.get("organisation", "")
    page = read.people(
        text=text,
        audience=audience if audience in AUDIENCES else "",
        role=role,
        organisation_id=whole_number(organisation),
        page=request.GET.get("page", 1),
    )
    roles = [(r.key, r.label) for r in registry.roles.values()]
    context = {"page": page, "q": text, "audience": audience, "role": role, "roles": roles, "audiences": AUDIENCES}
    return render(request, "portal/settings/people.html", context)


@require_GET
def person(request: HttpRequest, user_id: int) -> HttpResponse:
    """One person: their places and roles."""
    found = read.person(user_id)
    if found is None:
        raise Http404
    places = [{"place": place, "roles": read.roles_of(place.audience)} for place in found.places]
    colleagues = [one for one in employees() if one.id != user_id]
    return render(request, "portal/settings/person.html", {"person": found, "places": places, "colleagues": colleagues})


@require_POST
def person_active(request: HttpRequest, user_id: int) -> HttpResponse:
    """Lock out, or let in again."""
    people.set_person_active(request.actor, user_id, request.POST.get("active") == "yes")
    messages.success(request, _("Saved."))
    return redirect("settings-person", user_id)


@require_POST
def membership_roles(request: HttpRequest, user_id: int, membership_id: int) -> HttpResponse:
    """Set the roles of one place."""
    people.set_roles(request.actor, membership_id, request.POST.getlist("roles"))
    messages.success(request, _("Roles saved. They count from the next click on."))
    return redirect("settings-person", user_id)


@require_POST
def membership_manager(request: HttpRequest, user_id: int, membership_id: int) -> HttpResponse:
    """Set whom an employee answers to."""
    chosen = request.POST.get("manager", "")
    try:
        people.set_manager(request.actor, membership_id, whole_number(chosen))
        messages.success(request, _("Saved."))
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect("settings-person", user_id)


@require_POST
def membership_remove(request: HttpRequest, user_id: int, membership_id: int) -> HttpResponse:
    """End one place."""
    people.remove_member(request.actor, membership_id, request.POST.get("reason", ""))
    messages.success(request, _("The membership has ended."))
    return redirect("settings-person", user_id)


@require_http_methods(["GET", "POST"])
def organisations(request: HttpRequest) -> HttpResponse:
    """All organisations, and a form for one more."""
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        if not (data["is_customer"] or data["is_partner"]):
            form.add_error("is_customer", _("Say whether it is a customer, a partner or both."))
        else:
            made = create_organisation(request.actor, data["name"], is_customer=data["is_customer"], is_partner=data["is_partner"])
            messages.success(request, _("“%(name)s” is there. Invite its people next.") % {"name": made.name})
            return redirect("settings-organisation", made.pk)
    text, kind = request.GET.get("q", "").strip()[:100], request.GET.get("kind", "")
    page = read.organisation_list(request.actor, text=text, kind=kind, page=request.GET.get("page", 1))
    context = {"page": page, "q": text, "kind": kind, "form": form}
    return render(request, "portal/settings/organisations.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """One organisation: name and kinds, its people, its invitations."""
    found = read.organisation_of(request.actor, organisation_id)
    if found is None:
        raise Http404
    start = {"name": found.name, "is_customer": found.is_customer, "is_partner": found.is_partner, "is_active": found.is_active}
    form = OrganisationForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            people.update_organisation(request.actor, organisation_id, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-organisation", organisation_id)
    context = {
        "organisation": found,
        "form": form,
        "people": read.people(organisation_id=organisation_id),
        "invitations": invitations_for(request.actor, organisation_id=organisation_id),
    }
    return render(request, "portal/settings/organisation.html", context, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def invitation_list(request: HttpRequest) -> HttpResponse:
    """Invitations that wait for an answer, and a form to invite one more."""
    audience = request.POST.get("audience") or request.GET.get("audience", "")
    audience = audience if audience in AUDIENCES else "customer"
    start = {"organisation": request.GET.get("organisation", "")}
    form = InvitationForm(request.POST or None, initial=start, audience=audience)
    if audience == Audience.INTERNAL:
        own = form.fields["organisation"].queryset.first()  # type: ignore[attr-defined]
        form.fields["organisation"].initial, form.fields["organisation"].widget = own, forms.HiddenInput()
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            invitations.invite(
                request.actor,
                organisation_id=data["organisation"].pk,
                audience=data["audience"],
                email=data["email"],
                name=data["name"],
                roles=data["roles"],
            )
        except Refused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.message)
        else:
            messages.success(request, _("The invitation to %(email)s is on its way.") % {"email": data["email"]})
            return redirect("settings-invitations")
    context = {
        "form": form,
        "audience": audience,
        "audiences": AUDIENCES,
        "invitations": invitations_for(request.actor),
        "role_labels": {key: role.label for key, role in registry.roles.items()},
    }
    return render(request, "portal/settings/invitations.html", context, status=400 if form.errors else 200)


@require_POST
def invitation_again(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Mail it again with a new link."""
    view = invitations.resend_invitation(request.actor, invitation_id)
    messages.success(request, _("A new link is on its way to %(email)s; the old one no longer works.") % {"email": view.email})
    return redirect("settings-invitations")


@require_POST
def invitation_withdraw(request: HttpRequest, invitation_id: int) -> HttpResponse:
    """Take it back."""
    view = invitations.withdraw_invitation(request.actor, invitation_id)
    messages.success(request, _("The invitation to %(email)s is withdrawn.") % {"email": view.email})
    return redirect("settings-invitations")


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """Who did what, searched."""
    text = request.GET.get("q", "").strip()[:100]
    since, until = _date(request, "since"), _date(request, "until")
    page = read.audit_page(request.actor, text=text, since=since, until=until, page=request.GET.get("page", 1))
    return render(request, "portal/settings/audit.html", {"page": page, "q": text, "since": since, "until": until})


def _date(request: HttpRequest, name: str):
    try:
        return parse_date(request.GET.get(name, ""))
    except ValueError:
        return None


@require_GET
def erasure_list(request: HttpRequest) -> HttpResponse:
    """Who asks that their data be erased."""
    return render(request, "portal/settings/erasures.html", {"rows": selectors_account.erasures(request.actor)})  # type: ignore[attr-defined]


@require_GET
def erasure(request: HttpRequest, erasure_id: int) -> HttpResponse:
    """One request: who asks, what goes and what stays; the decision is a step of its process."""
    row = next((one for one in selectors_account.erasures(request.actor) if one.pk == erasure_id), None)  # type: ignore[attr-defined]
    if row is None:
        raise Http404
    plan = selectors_account.erasure_plan(row.user_id)
    return render(request, "portal/settings/erasure.html", {"row": row, "plan": plan, "ref": f"portal.erasure:{row.pk}"})
