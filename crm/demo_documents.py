"""The demo's documents: a file in versions, and a list that is on its way: one accepted, one to check, one sent back, one missing."""

from __future__ import annotations

import io
from datetime import timedelta

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFont

from crm import services
from crm.models import Request
from crm.services import NewDocumentRequest, NewLine
from portal.access import Audience
from portal.demo import World
from portal.files import add_version, store_file
from portal.registry import SubjectRef


def paper(title: str, kind: str = "PDF", shade: str = "white") -> bytes:
    """A sheet with a title on it, as PDF, PNG or JPEG."""
    sheet = Image.new("RGB", (620, 877) if kind == "PDF" else (640, 480), shade)
    ImageDraw.Draw(sheet).text((48, 48), title, fill="black", font=ImageFont.load_default(28))
    data = io.BytesIO()
    sheet.save(data, kind)
    return data.getvalue()


def seed_documents(world: World) -> None:
    """Made through the services that people use."""
    cara, colin = world.actor("cara@acme.example"), world.actor("colin@acme.example")
    erin = world.actor("erin@northwind.example")
    plan, roof = (Request.objects.filter(idempotency_key=key).first() for key in ("demo-2", "demo-4"))
    if plan is None or roof is None:
        return
    name = _("Agenda of the workshops.pdf")
    first = store_file(erin, SubjectRef("crm.request", plan.pk), paper(_("Agenda")), {Audience.CUSTOMER}, name=name)
    add_version(cara, first.id, paper(_("Agenda, with our wishes")), name=name)
    add_version(erin, first.id, paper(_("Agenda, as agreed")), name=name)
    asked = services.ask_for_documents(
        erin,
        NewDocumentRequest(
            SubjectRef("crm.request", roof.pk),
            (
                NewLine(_("Drawing of the roof"), _("With its measures and its slope."), True, "pdf"),
                NewLine(_("Photo of the meter"), _("The number must be readable."), True, "picture"),
                NewLine(_("Last electricity bill"), _("All pages."), True, "scan"),
                NewLine(_("Building permit"), _("If your town asked for one."), False, "scan"),
            ),
            timezone.localdate() + timedelta(days=6),
            _("Papers for your solar roof"),
            _("With these we plan the panels and apply at the grid. Photos from a phone are fine."),
            "demo-documents-1",
        ),
    )
    drawing, meter, bill, _permit = asked.lines.all()
    services.give_document(cara, drawing.pk, SimpleUploadedFile(_("roof.pdf"), paper(_("Roof, 1:100"))))
    services.accept_document(erin, drawing.pk)
    services.give_document(colin, meter.pk, SimpleUploadedFile("IMG_2041.jpg", paper(_("Meter"), "JPEG", "gray")))
    services.return_document(erin, meter.pk, _("The number is blurred. Could you go a little nearer?"))
    services.give_document(colin, bill.pk, SimpleUploadedFile(_("bill.pdf"), paper(_("Electricity bill"))))
