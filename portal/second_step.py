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
        code: str = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            key = f"portal.totp:{self.authenticator.pk}:{''.join(filter(str.isdigit, code))}"
            if not cache.add(key, 1, app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)):
                raise get_adapter().validation_error("incorrect_code")
        return code


class AuthenticateForm(_Once, forms.AuthenticateForm):
    """The second step of signing in."""


class ReauthenticateForm(_Once, forms.ReauthenticateForm):
    """The second step once more, before what changes the ways in."""
