"""What an operator may choose among for many instances, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.access import Actor
from portal.querysets import visible_jobs
from workflows import definitions
from workflows.access import visible_instances
from workflows.models import ProcessDefinition
from workflows.selectors.monitor import InstanceFilter, matching
from workflows.selectors.operations import places_in

SHOWN = 500


@dataclass(frozen=True, slots=True)
class BulkChoices:
    """Steps and versions for instances of one process; `processes` counts the processes among them."""

    processes: int
    here: list[tuple[str, str]]
    places: list[tuple[str, str]]
    versions: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class BulkRow:
    """One instance of a bulk act, and why nothing was done to it where that is so."""

    id: int
    title: str
    state: str  # done, stayed or waiting
    why: str


@dataclass(frozen=True, slots=True)
class BulkResult:
    """A bulk act as a table; those that stayed come first."""

    title: str
    reason: str
    message: str
    is_over: bool
    done: int
    failed: int
    total: int
    rows: list[BulkRow]


def chosen_ids(actor: Actor, wanted: InstanceFilter, most: int) -> list[int]:
    """The ids of everything that a filter finds now, up to so many."""
    return list(matching(actor, wanted).order_by("pk").values_list("pk", flat=True)[:most])


def choices_for(actor: Actor, ids: Iterable[int]) -> BulkChoices:
    """Where these instances stand, where they could stand, and the versions of their process."""
    rows = list(visible_instances(actor).filter(pk__in=list(ids)[:SHOWN]).values_list("key", "digest", "active"))
    keys = {key for key, _digest, _active in rows}
    here: dict[str, str] = {}
    places: dict[str, str] = {}
    for digest in {digest for _key, digest, _active in rows}:
        places |= dict(places_in(definitions.load(digest)))
    for _key, digest, active in rows:
        elements = definitions.load(digest).elements
        here |= {one: (elements[one].name if one in elements else "") or one for one in active}
    versions = ProcessDefinition.objects.filter(key__in=keys).order_by("-version").values_list("pk", "version")
    return BulkChoices(
        len(keys), sorted(here.items(), key=lambda one: one[1]), list(places.items()), list(versions) if len(keys) == 1 else []
    )


def bulk_result(actor: Actor, job_id: int) -> BulkResult | None:
    """What became of each of the first five hundred instances of a bulk act; None where the job isn't the reader's to see."""
    job = visible_jobs(actor).filter(pk=job_id, kind="workflows.bulk").first()
    if job is None:
        return None
    ids, refused = job.params["ids"], job.result.get("refused", {})
    done = set(ids[: job.done])
    shown = sorted(ids, key=lambda pk: (str(pk) not in refused, pk))[:SHOWN]
    titles = dict(visible_instances(actor).filter(pk__in=shown).values_list("pk", "title"))
    rows = [
        BulkRow(
            pk, titles.get(pk, f"#{pk}"), "stayed" if str(pk) in refused else "done" if pk in done else "waiting", refused.get(str(pk), "")
        )
        for pk in shown
        if pk in titles
    ]
    return BulkResult(job.title, job.params["reason"], job.message, job.is_over, job.done, job.failed, job.total, rows)
