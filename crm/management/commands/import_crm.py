"""Import a folder of tables on the command line, through the same steps as the page."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.importing import services
from crm.importing.kinds import KINDS
from crm.importing.matching import SAME_LETTERS, Proposal
from crm.importing.writers import CREATE
from portal.access import Actor
from portal.errors import Refused
from workflows.packs import deploy_shipped

ENDINGS = {".csv", ".tsv", ".xlsx"}


class Command(BaseCommand):
    """`manage.py import_crm DIR --json`: what the tables hold is found by their columns, and imported in the order that they need.

    A name that isn't there as written is matched when it has the same letters (other spacing or case) as one that is, and every such
    match is reported; anything less alike is reported and left to `--match`, never guessed.
    """

    help = "Import accounts, products, sales teams and deals from the CSV and XLSX files of a folder."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the folder, decisions about names, and the output's form."""
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--match", action="append", default=[], metavar="NAME=RECORD", help="what a name means; empty leaves it out, + makes it"
        )
        parser.add_argument("--no-match", action="store_true", help="match nothing but what --match says: rows with unknown names fail")
        parser.add_argument("--start-processes", action="store_true", help="give every open deal a running process at its stage")

    def handle(self, *args, **options) -> None:
        """Read all tables first, so that a broken one stops everything before anything is changed; then import them."""
        folder: Path = options["folder"]
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in ENDINGS) if folder.is_dir() else []
        if not paths:
            raise CommandError(f"no CSV or XLSX files in {folder}")
        actor = Actor.system("import_crm")
        decided = dict(part.split("=", 1) for part in options["match"] if "=" in part)
        try:
            drafts = [services.draft_run(actor, path.name, path.read_bytes()) for path in paths]
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        unknown = [draft.name for draft in drafts if not draft.kind]
        if unknown:
            raise CommandError(f"can't tell what these hold: {', '.join(unknown)}")
        files = [self._import(actor, run, decided, options) for run in sorted(drafts, key=lambda run: KINDS[run.kind].order)]
        report: dict[str, Any] = {"files": files}
        if options["start_processes"]:
            report["processes"] = self._start(actor, options)
        if options["json"]:
            self.stdout.write(json.dumps(report, ensure_ascii=False))

    def _import(self, actor: Actor, run, decided: dict[str, str], options) -> dict[str, Any]:
        services.set_mapping(actor, run, run.mapping)
        found = services.proposals(run)
        matches: dict[str, dict[str, str]] = {}
        told = []
        for proposal in found:
            to = self._decide(proposal, decided, options["no_match"])
            told.append({**proposal.as_dict(), "decision": to})
            if to is not None:
                matches.setdefault(proposal.field, {})[proposal.value] = to
        job = services.run_now(services.start_run(actor, run.pk, matches), None if options["json"] else self._progress)
        run.refresh_from_db()
        failed = [{"line": row.line, "why": row.error} for row in run.waiting_rows.exclude(error="")[:50]]
        result = {"file": run.name, "kind": run.kind, "state": job.state, **services.counts(run), "proposals": told, "failures": failed}
        if not options["json"]:
            for line in told:
                meaning = {None: "not matched; use --match", "": "left out", CREATE: "made new"}.get(line["decision"], line["decision"])
                self.stdout.write(f"  {line['field']} “{line['value']}” ({line['rows']} rows): {meaning} — {line['why']}")
            self.stdout.write(f"{run.name}: {services.result_words(run)}")
        return result

    def _decide(self, proposal: Proposal, decided: dict[str, str], no_match: bool) -> str | None:
        """The record that a name means, "" to leave it out, or None when nobody has decided."""
        if proposal.value in decided:
            return decided[proposal.value]
        return proposal.to if proposal.likeness == SAME_LETTERS and not no_match else None

    def _progress(self, job) -> None:
        self.stdout.write(f"  {job.done} of {job.total}", ending="\r")

    def _start(self, actor: Actor, options) -> dict[str, Any]:
        from crm.importing.starting import start_open_deals

        deploy_shipped()  # a bare installation may have none yet; publishing again changes nothing
        try:
            started = start_open_deals(actor)
        except Refused as refused:  # nothing to start
            return {"state": "done", "started": 0, "failed": 0, "message": refused.message}
        job = services.run_now(started, None if options["json"] else self._progress)
        return {"state": job.state, "started": job.done - job.failed, "failed": job.failed, "message": job.message}
