"""The app as `wrinklecv app` serves it, in a process of its own, and a browser: for benches and tests."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

_CHROMIUM = Path("/usr/bin/chromium")
_CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Served(NamedTuple):
    """A running app: its address, its process, and the folder of its store."""

    url: str
    pid: int
    store: Path


@contextmanager
def serve(home: Path, store: Path | None = None) -> Iterator[Served]:
    """Serve the app as `wrinklecv app` does; its store is a folder of the home where none is named."""
    port, store = free_port(), store or home / "store"
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "wrinklecv", "app", "--port", str(port)],
        cwd=home,
        env={**os.environ, "HOME": str(home), "WRINKLECV_STORE": str(store)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{url}/_stcore/health", timeout=5):  # noqa: S310 - ours
                    break
            except urllib.error.URLError:
                assert server.poll() is None, "the server died"
                time.sleep(0.1)
        yield Served(url, server.pid, store)
    finally:
        server.terminate()
        server.wait(timeout=20)


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launched(playwright: Playwright) -> Browser | None:
    """Start the system's Chromium, else Playwright's own; None where there is neither."""
    own = Path(playwright.chromium.executable_path)
    program = next((path for path in (_CHROMIUM, own) if path.exists()), None)
    if program is None:
        return None
    return playwright.chromium.launch(executable_path=str(program), args=_CHROMIUM_FLAGS)


def processes_of(pid: int) -> list[int]:
    """Return a process, its children and theirs (Linux)."""
    found, todo = [], [pid]
    while todo:
        found.append(one := todo.pop())
        todo += workers_of(one)
    return found


def workers_of(pid: int) -> list[int]:
    """Return the children of a process, none where it is gone (Linux)."""
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, file.read_text(encoding="ascii").split())
    return found


def pss_mb(pids: list[int]) -> float:
    """Return the memory of processes, what they share counted once: the sum of their PSS (Linux)."""
    kb = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        kb += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return kb / 1024
