"""The embedded Valkey: at hand for commands that run alone, on paths of any length, gone afterwards."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from django.conf import settings

from portal import embedded


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A data folder without a portal, and no server named."""
    home = tmp_path / ("deep-" * 30)
    monkeypatch.setenv("TANDEM_HOME", str(home))
    monkeypatch.delenv("REDIS_URL", raising=False)
    return home


def test_a_command_alone_has_one_for_its_length(alone):
    assert not alone.exists()
    with embedded.valkey_at_hand():
        assert redis.Redis(unix_socket_path=str(embedded.valkey_socket(alone))).ping()
    assert not embedded.wait_for_valkey(alone, 0)


def test_a_second_one_uses_the_first(alone):
    with embedded.valkey_at_hand():
        line = redis.Redis(unix_socket_path=str(embedded.valkey_socket(alone)))
        line.set("whose", "the first")
        with embedded.valkey_at_hand():
            assert line.get("whose") == b"the first"
        assert line.get("whose") == b"the first"


def test_none_is_started_where_a_server_is_named(alone, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://somewhere.example:6379")
    with embedded.valkey_at_hand():
        assert not embedded.wait_for_valkey(alone, 0)


def test_the_private_folder_of_a_deep_path_is_private(alone):
    folder = embedded.valkey_socket(alone).parent
    assert folder.stat().st_mode & 0o077 == 0 and folder.stat().st_uid == os.getuid()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's word is asked")
def test_a_child_tied_to_its_parent_goes_with_it(tmp_path):
    program = """
import subprocess, sys, os, signal
from portal import embedded
child = subprocess.Popen(["sleep", "600"], preexec_fn=embedded.tied_to_parent())
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=settings.BASE_DIR, check=False)
    child = int(finished.stdout)
    for _ in range(100):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("it outlived its parent")
