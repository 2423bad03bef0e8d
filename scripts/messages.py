"""Collects the texts of Python files and templates into `locale/<language>/LC_MESSAGES/django.po`, and compiles what is translated.

Needs GNU gettext on the machine. The compiled catalogues are kept in the repository, so that running the portal doesn't need it.
"""

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LANGUAGES = ["ru"]


def collect() -> None:
    """Read every text into the catalogues, and say how much is translated."""
    (CHECKOUT / "locale").mkdir(exist_ok=True)
    languages = [word for language in LANGUAGES for word in ("--locale", language)]
    elsewhere = (".venv", ".tandem*", "frontend/node_modules", "tests", "benchmarks", "scripts")
    ignored = [word for name in elsewhere for word in ("--ignore", name)]
    words = [sys.executable, "manage.py", "makemessages", *languages, *ignored, "--no-location", "--no-wrap"]
    subprocess.run(words, cwd=CHECKOUT, check=True)


def compile_all() -> None:
    """Write the compiled catalogues that Django reads."""
    for path in sorted((CHECKOUT / "locale").glob("*/LC_MESSAGES/django.po")):
        words = ["msgfmt", "--check-format", "--statistics", "-o", str(path.with_suffix(".mo")), str(path)]
        subprocess.run(words, check=True)


if __name__ == "__main__":
    if not shutil.which("xgettext"):
        sys.exit("GNU gettext isn't on this machine (apt-get install gettext).")
    collect()
    compile_all()
