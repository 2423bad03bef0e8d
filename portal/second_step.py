"""A code of the authenticator signs in once."""

from __future__ import annotations

from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from django.core.cache import cache


class _Once(forms.BaseAuthenticateForm):
    """allauth remembers a used code for one period, but with a tolerance it is good for longer: also before and after its own."""

    def clean_code(self) -> str:
        """The code; raises ValidationError for a wrong one, and for one that was used."""
        typed = "".join(filter(str.isalnum, self.cleaned_data["code"]))[:20]
        key = f"portal.totp:{self.user.pk}:{typed}"
        if cache.get(key) is None:  # asked before allauth, which would take it for a success and count the wrong ones anew
            code: str = super().clean_code()
            good_for = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
            if self.authenticator.type != Authenticator.Type.TOTP or cache.add(key, 1, good_for):
                return code
        raise get_adapter().validation_error("incorrect_code")


class AuthenticateForm(_Once, forms.AuthenticateForm):
    """The second step of signing in."""


class ReauthenticateForm(_Once, forms.ReauthenticateForm):
    """The second step once more, before what changes the ways in."""
