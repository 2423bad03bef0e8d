"""What this package's services raise, beside the kernel's `Refused`, `Conflict` and `NotAllowed`."""

from __future__ import annotations

from django.utils.translation import gettext as _

from portal.errors import Refused


class NotFound(Refused):
    """There is no such thing for this actor; said in the same words whether it is hidden or absent."""

    status = 404

    def __init__(self, message: str = "") -> None:
        super().__init__(message or _("This isn't there, or not for you."))


class SentBack(Refused):
    """A service task refuses what the step before it was done with: that step isn't done, nothing is kept, and whoever did it reads these
    words in its form. Where no person has just done a step it fails as any service task."""


class FormRefused(Refused):
    """A task's form has mistakes: `errors` says which, by field; what was typed is kept by the caller."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        first = next(iter(errors.items()), ("", [""]))
        super().__init__(" ".join(first[1]), first[0] if first[0] != "__all__" else None)
        self.errors = errors
