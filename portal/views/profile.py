"""A person's own pages: profile; the rest of the account is allauth's."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.errors import Refused
from portal.forms import ProfileForm
from portal.services.people import update_profile


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, job, phone, language, zone, and the organisations one belongs to."""
    user = request.user
    start = {field: getattr(user, field) for field in ("name", "job_title", "phone", "language", "time_zone")}
    form = ProfileForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            update_profile(request.actor, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(refusal.field, refusal.message)
        else:
            messages.success(request, _("Your profile is saved."))
            return redirect("profile")
    return render(request, "portal/people/profile.html", {"form": form}, status=400 if form.errors else 200)
