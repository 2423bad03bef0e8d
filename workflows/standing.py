"""Where tokens stand, asked of the rows."""

from __future__ import annotations

import json

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from workflows.models import ProcessInstance


def standing_at(rows: QuerySet[ProcessInstance], element_id: str) -> QuerySet[ProcessInstance]:
    """Those of the instances in which a token stands at an element. Letters beyond ASCII are stored in two ways; both are looked for."""
    named = Q(standing__contains=json.dumps(element_id)) | Q(standing__contains=json.dumps(element_id, ensure_ascii=False))
    return rows.annotate(standing=Cast("active", TextField())).filter(named)
