"""DBOS on the same work: a workflow that waits for three messages, each one durable. Run with DBOS's own Python."""

import json
import logging
import tempfile
import time

from dbos import DBOS

DATA = {"deal": {"items": [{"sku": f"SKU-{i:05d}", "name": f"Product number {i}", "qty": i, "price": 19.99} for i in range(27)]}}
home = tempfile.mkdtemp()
DBOS(config={"name": "measured", "system_database_url": f"sqlite:///{home}/dbos.sqlite3", "log_level": "ERROR"})  # type: ignore[typeddict-item]


@DBOS.workflow()
def row(data: dict) -> dict:
    """Three answers in a row."""
    for number in range(3):
        data = {**data, f"f{number}": DBOS.recv(f"t{number}", timeout_seconds=60)}
    return data


def one() -> None:
    """One whole instance."""
    handle = DBOS.start_workflow(row, DATA)
    for number in range(3):
        DBOS.send(handle.get_workflow_id(), "x" * 50, f"t{number}")
    handle.get_result(polling_interval_sec=0.005)


logging.disable(logging.CRITICAL)
DBOS.launch()
for _ in range(5):
    one()
wall, cpu, times = time.perf_counter(), time.process_time(), 30
for _ in range(times):
    one()
print(
    json.dumps(
        {"cpu_ms": round((time.process_time() - cpu) / times * 1000, 2), "wall_ms": round((time.perf_counter() - wall) / times * 1000, 2)}
    )
)
DBOS.destroy()
