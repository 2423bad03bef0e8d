"""The supervisor with its real children: starts, starts again what dies, keeps data, leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings

from portal import embedded
from portal.supervisor import LONGEST_PAUSE, Child
from tests.infra.servers import free_port
from tests.infra.supervised import Running, until

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.xdist_group("supervisor"),
    pytest.mark.any_database,
]


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    """One supervisor for this module, on a path too deep for a unix socket."""
    deep = tmp_path_factory.mktemp("supervised") / ("a-folder-with-a-long-name-" * 4)
    portal = Running(deep / "home")
    portal.start()
    until(lambda: portal.answers() or portal.process.poll() is not None)
    assert portal.process.poll() is None, portal.log
    yield portal
    if portal.process.poll() is None:
        portal.process.kill()
        portal.process.wait()


def test_all_run_under_one_supervisor(running):
    until(lambda: len(running.pids("celery", "worker")) >= 3)  # the worker and its two pool processes
    assert running.pids("daphne") and running.pids("celery", "beat") and running.pids("valkey-server")
    assert len(os.fsencode(running.home)) > 107 and len(os.fsencode(embedded.valkey_socket(running.home))) < 107
    assert until(lambda: f"http://127.0.0.1:{running.port}" in running.log)
    assert "web    |" in running.log or "tandem |" in running.log


def test_a_killed_web_process_comes_back(running):
    (old,) = running.pids("daphne")
    os.kill(old, signal.SIGKILL)
    until(lambda: running.pids("daphne") - {old})
    until(running.answers)
    assert "web was killed by SIGKILL" in running.log


def test_a_killed_worker_takes_its_pool_along_and_comes_back(running):
    old = until(lambda: len(pids := running.pids("celery", "worker")) >= 3 and pids)
    os.kill(min(old), signal.SIGKILL)
    until(lambda: not old & running.pids("celery", "worker"), 10)
    until(lambda: len(running.pids("celery", "worker")) >= 3)


def test_a_killed_valkey_comes_back_with_its_data(running):
    running.valkey().set("kept", "yes")
    (old,) = running.pids("valkey-server")
    os.kill(old, signal.SIGKILL)
    until(lambda: running.pids("valkey-server") - {old})
    assert embedded.wait_for_valkey(running.home)
    assert running.valkey().get("kept") == b"yes"


def test_a_second_one_on_the_same_data_is_refused(running):
    second = subprocess.run(
        [sys.executable, "-m", "portal.supervisor"],
        env={**running.environment(), "PORT": str(free_port())},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"already running on {running.home} (process {running.process.pid})" in second.stdout


def test_a_taken_port_is_refused_in_words(running, tmp_path):
    second = subprocess.run(
        [sys.executable, "-m", "portal.supervisor"],
        env={**running.environment(), "TANDEM_HOME": str(tmp_path)},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"Port {running.port} is taken" in second.stdout


def test_killed_outright_it_leaves_no_process_behind(running):
    assert len(running.pids()) >= 5
    running.process.kill()
    running.process.wait()
    until(lambda: not running.pids(), 15)


def test_asked_to_stop_it_stops_all_and_says_so(tmp_path):
    portal = Running(tmp_path / "home")
    portal.start()
    until(lambda: portal.pids("valkey-server") and portal.pids("daphne") and portal.pids("celery", "beat"))
    portal.process.send_signal(signal.SIGTERM)
    assert portal.process.wait(60) == 0
    assert "Stopped." in portal.log
    until(lambda: not portal.pids(), 5)


def test_a_port_that_is_none_is_refused(tmp_path):
    portal = Running(tmp_path / "home")
    portal.port = "eighty"
    portal.start()
    assert portal.process.wait(60) == 2
    assert "PORT must be a number" in portal.log


def test_pauses_grow_while_it_keeps_dying_and_shrink_again():
    child = Child("web", ["true"])
    child.started_at = time.monotonic()
    pauses = [child.plan_restart() for _ in range(12)]
    assert pauses == sorted(pauses) and pauses[0] < 1 and pauses[-1] == LONGEST_PAUSE
    child.started_at = time.monotonic() - 3600
    assert child.plan_restart() < 1
