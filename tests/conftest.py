"""What tests of the app share: the app as it is served, and a real browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the app as `wrinklecv app` does, from a folder and home of its own."""
    home = tmp_path_factory.mktemp("home")
    with serving(home, home / "store") as url:
        yield url


@contextmanager
def serving(home: Path, store: Path) -> Iterator[str]:
    """Serve the app on a store, and give its address."""
    with serve(home, store) as served:
        yield served.url


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        program = next((path for path in (CHROMIUM, own) if path.exists()), None)
        if program is None:
            why = "no Chromium: install your system's package, or run .venv/bin/playwright install chromium"
            pytest.skip(why)
        found = playwright.chromium.launch(executable_path=str(program), args=CHROMIUM_FLAGS)
        yield found
        found.close()
