"""A person's picture: made small and square, without what a camera writes into it."""

from __future__ import annotations

import io
from typing import IO

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from portal.access import Actor, Audience
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.models import Membership, User
from portal.registry import SubjectRef

SIDE = 256
MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 50_000_000


def set_picture(actor: Actor, upload: IO[bytes] | None) -> None:
    """Keep a new picture of oneself, or take it off with None. Raises Refused for what isn't a picture or is too large."""
    if actor.user_id is None or actor.viewed_by:
        raise NotAllowed(_("Everybody sets their own picture."))
    content = _square(upload) if upload is not None else b""
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=actor.user_id)
        if user.picture:
            user.picture.delete(save=False)
        if content:
            user.picture.save(f"{user.pk}.webp", ContentFile(content), save=False)
        user.save(update_fields=["picture"])
        record(actor, "profile.picture_set" if content else "profile.picture_removed", SubjectRef("portal.user", user.pk))


def _square(upload: IO[bytes]) -> bytes:
    content = upload.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise Refused(_("This picture is too large: at most 8 MB."), "picture")
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP", "GIF")) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refused(_("This picture has too many pixels. Make it smaller first."), "picture")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise Refused(_("This is no picture that we can read. Choose a JPEG, PNG or WebP file."), "picture") from error
    made = io.BytesIO()
    ImageOps.fit(upright, (SIDE, SIDE)).save(made, "WEBP", quality=82)
    return made.getvalue()


def picture_of(actor: Actor, user_id: int) -> User | None:
    """The person whose picture the actor may see: oneself, colleagues, whoever works here; employees see everybody's."""
    user = User.objects.filter(pk=user_id).exclude(picture="").first()
    if user is None or actor.user_id is None:
        return None
    if actor.is_internal or user.pk == actor.user_id:
        return user
    places = Membership.objects.filter(user=user, is_active=True)
    near = places.filter(audience=str(Audience.INTERNAL)) | places.filter(organisation_id=actor.organisation_id)
    return user if near.exists() else None
