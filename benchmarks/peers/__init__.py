"""Other engines on the same work, each in an environment of its own under `.tandem/peers`; never a dependency of the product.

`python -m benchmarks.peers` installs them from the package registries; without that they are left out with a word.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HOME = HERE.parents[1] / ".tandem" / "peers"
PYTHONS = {"Viewflow": ("viewflow", "django-viewflow==2.4.0"), "DBOS": ("dbos", "dbos==3.4.0")}
NODE = ("bpmn-engine@25.0.1", "better-sqlite3@12.11.1")


def install() -> int:
    """Make the environments; gives how many couldn't be made."""
    import venv

    failed = 0
    for folder, package in PYTHONS.values():
        venv.create(HOME / folder, with_pip=True, clear=True)
        failed += bool(subprocess.run([str(_python(folder)), "-m", "pip", "install", "-q", package], check=False).returncode)
    if npm := shutil.which("npm"):
        folder = HOME / "bpmn-engine"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        failed += bool(subprocess.run([npm, "install", "--no-audit", "--no-fund", *NODE], cwd=folder, check=False).returncode)
    return failed


def _python(folder: str) -> Path:
    return HOME / folder / "bin" / "python"


def _commands() -> Iterator[tuple[str, list[str], Path]]:
    """Each peer: its name, how it is run, and where."""
    for name, (folder, _package) in PYTHONS.items():
        yield name, [str(_python(folder)), str(HERE / f"{folder}_bench.py")], HOME / folder
    yield "bpmn-engine", [shutil.which("node") or "node", str(HERE / "bpmn_engine_bench.mjs")], HOME / "bpmn-engine"


def measure_peers() -> dict[str, Any]:
    """What each of them needs for an instance of start, three user tasks and end on SQLite."""
    return {name: _measured(command, folder) for name, command, folder in _commands()}


def _measured(command: list[str], folder: Path) -> Any:
    if not folder.exists():
        return "not installed here (python -m benchmarks.peers installs it)"
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"couldn't be measured: {error}"
    if done.returncode:
        return f"couldn't be measured: {(done.stderr.strip().splitlines() or ['no words'])[-1]}"
    return json.loads(done.stdout.strip().splitlines()[-1])
