"""What tests of the app share: the app as it is served, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from benchmarks.served import launched, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the app as `wrinklecv app` does, from a folder and home of its own."""
    home = tmp_path_factory.mktemp("home")
    with serve(home) as served:
        yield served.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = launched(playwright)
        if found is None:
            why = "no Chromium: install your system's package, or run .venv/bin/playwright install chromium"
            pytest.skip(why)
        yield found
        found.close()
