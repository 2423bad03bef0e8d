"""Every check that needs no running portal: `make lint`. Each runs, two at a time; what failed is shown whole, at the end.

python scripts/lint.py [NAME…]      only these, for example: imports types
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PACKAGES = ["portal", "bpmn", "workflows", "social_feed", "crm", "projects", "customer_cabinet", "partners", "analytics"]
TYPED_ROOMS = ["services", "services/**/*", "selectors", "selectors/**/*", "access", "events"]
LONGEST_FILE = 600
NO_ANSWER = ("Connection", "Max retries", "Timeout", "timed out", "NameResolution", "SSLError", "ServiceError", "HTTPError", "ProxyError")


def command(*words: str | Path, **options: object) -> tuple[bool, str]:
    """Run a tool; whether it was content, and what it printed."""
    finished = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, cwd=CHECKOUT, **options)
    return finished.returncode == 0, finished.stdout + finished.stderr


def style() -> tuple[bool, str]:
    """Ruff, its security rules (S) included."""
    return command(BIN / "ruff", "check", "--quiet", "--output-format", "concise", ".")


def imports() -> tuple[bool, str]:
    """The floors of the house: who may import whom."""
    fine, said = command(BIN / "lint-imports", "--no-cache")
    contracts = (CHECKOUT / "pyproject.toml").read_text()
    for package in PACKAGES:
        if (CHECKOUT / package / "models.py").exists() and f'protected_modules = ["{package}.models"' not in contracts:
            fine, said = False, f"{said}\n{package} has tables, and pyproject.toml no contract that keeps them its own"
    return fine, said


def templates() -> tuple[bool, str]:
    """Mistakes in templates."""
    folders = [path for package in PACKAGES if (path := CHECKOUT / package / "templates").is_dir()]
    return command(BIN / "djlint", *folders, "--lint", "--quiet") if folders else (True, "")


def types() -> tuple[bool, str]:
    """Types where rules are written: services, selectors, access and the engine."""
    files = [path for package in PACKAGES for room in TYPED_ROOMS for path in (CHECKOUT / package).glob(f"{room}.py")]
    engine = (CHECKOUT / "bpmn").rglob("*.py")
    return command(BIN / "mypy", *sorted({*files, *engine, *(CHECKOUT / "portal" / name for name in ("supervisor.py", "embedded.py"))}))


def migrations() -> tuple[bool, str]:
    """No model without its migration, and nothing that Django itself finds wrong."""
    made, words = command(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run")
    checked, more = command(sys.executable, "manage.py", "check", "--fail-level", "WARNING")
    return made and checked, ("" if made else words) + ("" if checked else more)


def sizes() -> tuple[bool, str]:
    """Files a person can still read in one go."""
    long = []
    for pattern in ("*.py", "*.html", "*.js", "*.css"):
        for package in [*PACKAGES, "tests", "scripts", "benchmarks", "frontend/src"]:
            for path in (CHECKOUT / package).rglob(pattern):
                if {"migrations", "node_modules"}.intersection(path.parts) or not path.is_file():
                    continue
                if (lines := path.read_text(errors="replace").count("\n")) > LONGEST_FILE:
                    long.append(f"{path.relative_to(CHECKOUT)}: {lines} lines, more than {LONGEST_FILE}")
    return not long, "\n".join(long)


def texts() -> tuple[bool, str]:
    """Translations that compile."""
    files = sorted((CHECKOUT / "locale").rglob("*.po"))
    results = [command("msgfmt", "--check", "-o", os.devnull, path) for path in files] if files and command("which", "msgfmt")[0] else []
    return all(fine for fine, _ in results), "\n".join(words for fine, words in results if not fine)


def holes() -> tuple[bool, str]:
    """Known vulnerabilities in what is pinned; passes with a word where the list of them can't be reached."""
    words = [BIN / "pip-audit", "-r", "requirements.txt", "--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "15"]
    try:
        fine, said = command(*words, timeout=180)
    except subprocess.TimeoutExpired:
        fine, said = False, "timed out"
    unknown, pinned = said.count("could not be audited"), (CHECKOUT / "requirements.txt").read_text().count("==")
    if fine and unknown > pinned // 2:
        print("      holes: this machine's package index knows nothing of vulnerabilities; not checked", flush=True)
    if not fine and "known vulnerabilit" not in said and any(sign in said for sign in NO_ANSWER):
        print("      holes: the list of known vulnerabilities can't be reached from here; not checked", flush=True)
        return True, ""
    return fine, said


CHECKS: list[Callable[[], tuple[bool, str]]] = [types, migrations, imports, style, templates, holes, sizes, texts]


def main() -> int:
    """Run what was asked, or all."""
    os.environ.pop("DATABASE_URL", None)
    os.environ.setdefault("TANDEM_HOME", str(CHECKOUT / ".tandem" / "lint"))
    asked = set(sys.argv[1:])

    def timed(check: Callable[[], tuple[bool, str]]) -> tuple[str, bool, str]:
        started = time.monotonic()
        fine, said = check()
        print(f"{'ok' if fine else 'FAILED':<6}{check.__name__:<11} {time.monotonic() - started:5.1f} s  {check.__doc__}", flush=True)
        return check.__name__, fine, said

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(timed, [check for check in CHECKS if not asked or check.__name__ in asked]))
    for name, fine, said in results:
        if not fine:
            print(f"\n--- {name}\n{said.strip()[-12000:]}")
    return 0 if all(fine for _, fine, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
