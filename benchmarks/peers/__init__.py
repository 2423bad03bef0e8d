"""Other engines on the same work, each in an environment of its own under `.tandem/peers`; never a dependency of the product.

`python -m benchmarks.peers` installs them from the package registries; without that they are left out with a word.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HOME = HERE.parents[1] / ".tandem" / "peers"
VIEWFLOW = HOME / "viewflow" / "bin" / "python"


def install() -> int:
    """Make the environments."""
    import venv

    venv.create(HOME / "viewflow", with_pip=True, clear=True)
    return subprocess.run([str(VIEWFLOW), "-m", "pip", "install", "-q", "django-viewflow==2.4.0"], check=False).returncode


def measure_peers() -> dict[str, Any]:
    """What each of them needs for an instance of start, three user tasks and end on SQLite."""
    if not VIEWFLOW.exists():
        return {"Viewflow": "not installed here (python -m benchmarks.peers installs it)"}
    done = subprocess.run([str(VIEWFLOW), str(HERE / "viewflow_bench.py")], capture_output=True, text=True, check=False)
    if done.returncode:
        return {"Viewflow": f"couldn't be measured: {done.stderr.strip().splitlines()[-1]}"}
    return {"Viewflow": json.loads(done.stdout)}
