"""An import with a row that failed, and the job that ran it."""

from __future__ import annotations

from crm.importing import services


def build(world) -> None:
    """A table of companies, one of them without a name."""
    table = b"account,sector,employees\nImported LEAK:internal,retail,12\n,medical,LEAK:internal\n"
    run = services.draft_run(world.mona, "companies LEAK:internal.csv", table)
    job = services.start_run(world.mona, run.pk, {})
    services.run_now(job)
    services.draft_run(world.mona, "draft LEAK:internal.csv", table)
    world.rows["import_run"] = run
