"""What the deployment files and their page promise, held against the code."""

import os
import re
import shutil
import subprocess

import pytest
import yaml
from django.conf import settings

ROOT = settings.BASE_DIR
COMPOSE = ROOT / "deploy" / "compose.yml"


@pytest.fixture(scope="module")
def compose():
    """The compose file, read."""
    return yaml.safe_load(COMPOSE.read_text())


def test_every_process_is_there(compose):
    assert {"web", "worker", "beat", "postgres", "valkey", "migrate"} <= set(compose["services"])


def test_every_process_has_the_same_secrets_and_servers(compose):
    environments = [compose["services"][name]["environment"] for name in ("web", "worker", "beat", "migrate")]
    assert all(environment == environments[0] for environment in environments)
    assert {"SECRET_KEY", "DATABASE_URL", "REDIS_URL"} <= set(environments[0])


def test_compose_sets_only_what_the_settings_read(compose):
    read = (ROOT / "portal" / "settings.py").read_text()
    for name in compose["services"]["web"]["environment"]:
        assert f'"{name}"' in read, name


def test_docker_itself_accepts_the_file():
    """`docker compose`, or Debian's docker-compose, which knows all of the file but the project's name."""
    docker, older, text = shutil.which("docker"), shutil.which("docker-compose"), COMPOSE.read_text()
    if docker and not subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        words = [docker, "compose"]
    elif older:
        words, text = [older], re.sub(r"^name: .*$", "", text, flags=re.MULTILINE)
    else:
        pytest.skip("neither docker compose nor docker-compose is on this machine")
    words += ["--project-directory", str(COMPOSE.parent), "-f", "-", "config", "--quiet"]
    given = {"PATH": os.environ["PATH"], "SECRET_KEY": "x", "POSTGRES_PASSWORD": "y"}
    result = subprocess.run(words, env=given, input=text, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_image_copies_only_what_exists():
    for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), line


def test_the_page_explains_every_variable():
    page = (ROOT / "docs" / "deployment.md").read_text()
    for name in ("settings.py", "embedded.py", "supervisor.py"):
        for variable in re.findall(r'(?:environ\.get|environ|env_flag|env_list)[(\[]"([A-Z_]+)"', (ROOT / "portal" / name).read_text()):
            assert f"`{variable}`" in page, f"{variable} of {name} is not in docs/deployment.md"


def test_make_help_lists_every_command():
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for command in ("demo", "run", "worker", "test", "test-services", "lint", "bench", "shell", "messages", "screenshots", "fuzz"):
        assert f"make {command} " in listed, command
