"""Everything that is stored about a person as one file: made by a job piece by piece, for them alone, for a week."""

from __future__ import annotations

import json
import tempfile
import zipfile
from datetime import timedelta
from uuid import UUID

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.access import Actor
from portal.audit import record
from portal.errors import NotAllowed, Refused
from portal.files import clean_name
from portal.jobs import enqueue, job_kind
from portal.models import DataExport, Job, StoredFile, User
from portal.personal import Person, traces
from portal.querysets import addresses_of, visible_exports
from portal.registry import SubjectRef

KIND = "portal.my_data"
KEPT = timedelta(days=7)


def person_of(user: User) -> Person:
    """Whose rows to look for."""
    emails = {row["email"].lower() for row in addresses_of(user.pk)} | {user.email.lower()}
    return Person(user.pk, tuple(sorted(emails)), _("Erased person %(number)s") % {"number": user.pk})


def start_export(actor: Actor) -> DataExport:
    """Begin to collect what is stored about the actor; while it is being collected, asking again gives the same one.

    Raises NotAllowed for somebody without an account of their own to ask for.
    """
    if actor.user_id is None or actor.viewed_by:
        raise NotAllowed(_("Everybody asks for their own data themselves."))
    with transaction.atomic():
        User.objects.select_for_update().get(pk=actor.user_id)
        running = DataExport.objects.filter(user_id=actor.user_id, ready=None, job__state__in=[Job.State.QUEUED, Job.State.RUNNING])
        if (found := running.first()) is not None:
            return found
        export = DataExport.objects.create(user_id=actor.user_id)
        export.job = enqueue(actor, KIND, _("Your data"), total=len(traces()) + 1, params={"export": str(export.pk)})
        export.save(update_fields=["job"])
        record(actor, "my_data.asked", SubjectRef("portal.user", actor.user_id), after={"export": str(export.pk)})
    return export


@job_kind(KIND)
def collect(job: Job) -> None:
    """One kind of row a chunk, then the file itself; a chunk that is done again writes the same piece again."""
    export = DataExport.objects.select_related("user").filter(pk=job.params["export"]).first()
    if export is None:
        raise Refused(_("This export isn't wanted any more."))
    parts = traces()
    with translation.override(export.user.language or None):
        if job.done < len(parts):
            trace = parts[job.done]
            rows = trace.export(person_of(export.user))
            _put(_piece(export, job.done), json.dumps(rows, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1).encode())
            job.done += 1
            return
        _pack(export, len(parts))
    job.done, job.total, job.state = job.total, job.total, Job.State.DONE
    job.result = {"url": reverse("my-data")}


def _piece(export: DataExport, number: int) -> str:
    return f"exports/{export.pk}/{number}.json"


def _put(name: str, content: bytes) -> None:
    default_storage.delete(name)
    default_storage.save(name, ContentFile(content))


def _pack(export: DataExport, pieces: int) -> None:
    """Write the file and throw the pieces away."""
    parts = traces()[:pieces]
    with tempfile.TemporaryFile() as target:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
            shown = []
            for number, trace in enumerate(parts):
                with default_storage.open(_piece(export, number)) as piece:
                    content = piece.read()
                if trace.fields:
                    shown.append((f"{trace.key}.json", str(trace.label), len(json.loads(content))))
                    packed.writestr(f"{trace.key}.json", content)
            _pack_files(packed, export.user)
            context = {"person": export.user, "parts": shown, "made": timezone.now()}
            packed.writestr("README.txt", render_to_string("portal/people/export_readme.txt", context))
        export.size = target.tell()
        target.seek(0)
        if export.content:
            export.content.delete(save=False)
        export.content.save(f"{export.pk}.zip", File(target), save=False)
    export.ready, export.expires = timezone.now(), timezone.now() + KEPT
    export.save()
    for number in range(pieces):
        default_storage.delete(_piece(export, number))


def _pack_files(packed: zipfile.ZipFile, user: User) -> None:
    """The files that the person gave, each under its own name."""
    for row in StoredFile.objects.filter(uploaded_by=user).order_by("created", "pk").iterator():
        if default_storage.exists(row.content.name):
            with row.content.open("rb") as content:
                packed.writestr(f"files/{row.created:%Y-%m-%d}-{str(row.pk)[:8]}-{clean_name(row.name)}", content.read())
    if user.picture and default_storage.exists(user.picture.name):
        with user.picture.open("rb") as content:
            packed.writestr("files/picture.webp", content.read())


def open_export(actor: Actor, export_id: UUID | str) -> DataExport | None:
    """The row for the download, written into the audit; None where it isn't the actor's, isn't ready or has expired."""
    row = visible_exports(actor).filter(pk=export_id, ready__isnull=False, expires__gt=timezone.now()).first()
    if row is not None:
        with transaction.atomic():
            record(actor, "my_data.downloaded", SubjectRef("portal.user", row.user_id), after={"export": str(row.pk)})
    return row


def drop_exports(user_id: int | None = None) -> int:
    """Throw away what has expired, or all that a person has; gives how many. For the clock and for an erasure."""
    rows = DataExport.objects.filter(user_id=user_id) if user_id else DataExport.objects.filter(expires__lte=timezone.now())
    found = list(rows)
    for row in found:
        if row.content:
            row.content.delete(save=False)
        row.delete()
    return len(found)
