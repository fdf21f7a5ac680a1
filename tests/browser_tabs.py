"""One tab of the served app in a real browser, with a log of every address that it asked for."""

from __future__ import annotations

import re
import urllib.parse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_OURS = r"(https?|wss?)://127\.0\.0\.1:|data:|blob:"


class Tab:
    """A tab on the page at `address`, opened and drawn until `until` stands there."""

    def __init__(
        self,
        browser: Browser,
        address: str,
        *,
        until: str,
        width: int = 1280,
        height: int = 2400,
        scheme: Any = "light",
        timeout_ms: int = 60_000,
    ) -> None:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.page: Page = context.new_page()
        self.asked: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))
        self._until, self._timeout_ms = until, timeout_ms
        self.page.goto(address)
        self.wait()

    def wait(self, words: str = "") -> None:
        """Wait until these words (else those of the page's end) are there, and the page is drawn."""
        self.page.get_by_text(words or self._until).first.wait_for(timeout=self._timeout_ms)
        for part in ("stStatusWidget", "stSkeleton"):
            gone = f"!document.querySelector('[data-testid={part}]')"
            self.page.wait_for_function(gone, timeout=self._timeout_ms)

    def strangers(self) -> list[str]:
        """Return the addresses outside this machine that the tab asked for."""
        return [url for url in self.asked if not re.match(_OURS, url)]


def part_of(address: str, page: str) -> str:
    """Return the address of one page of the app."""
    return urllib.parse.urljoin(address, page)
