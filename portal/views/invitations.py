"""Accepting an invitation: a newcomer chooses name and password, somebody known only confirms."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from portal.access import public
from portal.errors import Refused
from portal.models import User
from portal.services import invitations
from portal.services.memberships import switch_membership


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class Join(View):
    """The page behind the mailed link."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show what the link offers."""
        try:
            offer = invitations.read_invitation(token)
        except Refused as refusal:
            return self._page(request, token, problem=refusal)
        return self._page(request, token, offer=offer)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Accept it."""
        try:
            offer = invitations.read_invitation(token)
        except Refused as refusal:
            return self._page(request, token, problem=refusal)
        if request.user.is_authenticated:
            return self._accept_signed_in(request, token, offer)
        if User.objects.filter(email=offer.email).exists():
            return redirect_to_login(request.path)
        try:
            user, membership = invitations.accept_as_new_person(
                token, name=request.POST.get("name", ""), password=request.POST.get("password", "")
            )
        except Refused as refusal:
            return self._page(request, token, offer=offer, refusal=refusal)
        response = perform_login(request, user, email_verification="none", redirect_url="/home/")
        switch_membership(request, membership.pk)
        messages.success(request, _("Welcome, %(name)s.") % {"name": user.get_short_name()})
        return response

    def _accept_signed_in(self, request: HttpRequest, token: str, offer) -> HttpResponse:
        try:
            membership = invitations.accept_as_member(token, request.user.pk)
        except Refused as refusal:
            return self._page(request, token, offer=offer, refusal=refusal)
        switch_membership(request, membership.pk)
        messages.success(request, _("You are a member of %(name)s now.") % {"name": offer.organisation_name})
        return redirect("home")

    def _page(self, request: HttpRequest, token: str, *, offer=None, problem=None, refusal=None) -> HttpResponse:
        known = offer is not None and User.objects.filter(email=offer.email).exists()
        signed_in = request.user.is_authenticated
        refused = problem or refusal
        return render(
            request,
            "portal/people/join.html",
            {
                "offer": offer,
                "problem": problem,
                "refusal": refusal,
                "known": known,
                "signed_in": signed_in,
                "same_person": signed_in and offer is not None and request.user.email.lower() == offer.email,
                "name": request.POST.get("name", offer.name if offer else ""),
                "here": request.path,
            },
            status=refused.status if refused else 200,
        )


join = public(Join.as_view())
