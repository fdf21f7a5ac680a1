"""Save, interrupted in every way a person can: a visit is stored once and whole, or not at all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser_tabs import Tab
from test_app import SAMPLES

from benchmarks.served import serve
from wrinklecv import DISCLAIMER
from wrinklecv.settings import DEFAULTS
from wrinklecv.store import Method, open_store
from wrinklecv.visits import Subject

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")
WAYS = ("double click", "close the tab", "reload the page", "click elsewhere")


def shots(number: int) -> Any:
    """Return two photos that no other visit has."""
    found = []
    for shown in ("rest", "smile"):
        path = next(p for p in SAMPLES if p.name.startswith(f"sub-001_ses-20250110_expr-{shown}"))
        content = path.read_bytes() + bytes([number])
        found.append({"name": f"expr-{shown}.jpg", "mimeType": "image/jpeg", "buffer": content})
    return found


def interrupted(tab: Tab, way: str, after_ms: int) -> None:
    save = tab.page.get_by_role("button", name="Save the visit")
    if way == "double click":
        save.dblclick(delay=after_ms // 2)
        return
    save.click()
    tab.page.wait_for_timeout(after_ms)
    if way == "reload the page":
        tab.page.reload()
    elif way == "click elsewhere":
        elsewhere = tab.page.get_by_text("Add a treatment", exact=True)
        elsewhere.evaluate_all("found => found.forEach(one => one.closest('button').click())")


@pytest.mark.slow
def test_twenty_interruptions_of_save_leave_one_whole_visit_or_none(browser: Browser, tmp_path: Path) -> None:
    stored = []
    with serve(tmp_path) as served:
        with open_store(served.store) as store:
            for number in range(20):
                store.add_subject(Subject(f"s{number:02}"))
        for number in range(20):
            code, way = f"s{number:02}", WAYS[number % 4]
            tab = Tab(browser, f"{served.url}/follow-up", until=DISCLAIMER[:40], timeout_ms=120_000)
            tab.page.get_by_role("combobox", name="Subject").click()
            tab.page.get_by_role("option", name=code).click()
            tab.page.locator("input[type=file]").set_input_files(shots(number))
            tab.page.get_by_text("2 photos accepted").wait_for(timeout=120_000)
            tab.wait()
            interrupted(tab, way, after_ms=30 + 60 * (number // 4) * (1 + number % 4))
            if way != "double click":
                tab.page.wait_for_timeout(50)
            tab.page.context.close()
            stored.append(whole(served.store, code))
    assert set(stored) <= {0, 1}
    assert sum(stored) >= 10, "most interruptions come after the click was heard"


def whole(place: Path, code: str) -> int:
    """Return how many visits there are once nothing comes any more; each must be whole."""
    number, since = -1, time.monotonic()
    while time.monotonic() - since < 4:
        with open_store(place) as store:
            page = store.page(code)
            if len(page.visits) != number:
                number, since = len(page.visits), time.monotonic()
                for visit in page.visits:
                    assert len(visit.photos) == 2
                    assert len(store.assessments(code, Method(DEFAULTS.digest))) == 2
                    assert len(store.comparisons(code, Method(DEFAULTS.digest))) == 1
        time.sleep(0.2)
    return number
