"""Traps of Streamlit, each shown on the naive way and passed by ours."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from browser_tabs import Tab
from streamlit.testing.v1 import AppTest
from test_app import SAMPLES, uploaded

from benchmarks.served import serve
from wrinklecv.ui import uploads

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")


def tables_that_differ_in_the_middle() -> None:
    """Run in Streamlit's tester: the same table of 2 MB before and after a score was corrected."""
    import streamlit as st

    from wrinklecv.ui import parts

    before = b"1.00\n" * 400_000
    after = before[:300_000] + b"9" + before[300_001:]
    for number, content in enumerate((before, after)):
        st.download_button("naive", content, "scores.csv", "text/csv", key=f"naive-{number}")
    for content in (before, after):
        parts.offer_file("ours", "scores", "csv", content)


def test_a_corrected_table_is_never_served_as_the_old_one() -> None:
    app = AppTest.from_function(tables_that_differ_in_the_middle).run()
    assert not app.exception
    given: list[Any] = list(app.get("download_button"))
    naive, ours = ([b.proto.url for b in given if b.label == label] for label in ("naive", "ours"))
    assert len(set(naive)) == 1, "the trap is still there"
    assert len(set(ours)) == 2


def test_a_photo_that_differs_in_one_byte_is_another_photo() -> None:
    content = bytearray(SAMPLES[0].read_bytes())
    app = uploaded("one.jpg", bytes(content))
    first = app.caption[-3].value + "".join(c.value for c in app.caption)
    content += b"\0"
    app.file_uploader[0].set_value([])
    app.file_uploader[0].upload("one.jpg", bytes(content), "image/jpeg")
    app.run()
    assert not app.exception
    digests = [
        re.findall(r"photo ([0-9a-f]{12})", text) for text in (first, "".join(c.value for c in app.caption))
    ]
    assert digests[0]
    assert digests[0] != digests[1]


@pytest.mark.slow
def test_uploads_of_a_session_are_held_within_their_bytes_and_let_go(
    browser: Browser, tmp_path: Path
) -> None:
    with serve(tmp_path) as served:
        tab = Tab(browser, f"{served.url}/batch", until="No batch yet", timeout_ms=180_000)
        tab.page.get_by_text("Upload photos", exact=True).click()
        tab.page.get_by_text(uploads.LIMIT).wait_for()
        before = held_mb(served.pid)
        for number in range(6):
            blob = tmp_path / f"blob{number}.jpg"
            blob.write_bytes(bytes(36 * 2**20))
            tab.page.locator("input[type=file]").set_input_files(str(blob))
            tab.page.get_by_text(blob.name).first.wait_for(timeout=60_000)
        tab.page.get_by_text(uploads.TOO_MUCH[:30]).first.wait_for(timeout=60_000)
        most, until = before + uploads.MOST_MB + 80, time.monotonic() + 20
        while held_mb(served.pid) > most and time.monotonic() < until:
            tab.page.wait_for_timeout(200)  # what is just arriving is held twice for a moment
        assert held_mb(served.pid) < most, "the fence holds"
        tab.page.get_by_text("Start", exact=True).first.click()
        tab.page.get_by_text("New here?").wait_for(timeout=60_000)
        tab.page.wait_for_timeout(1000)
        assert held_mb(served.pid) - before < 80, "memory is given back with the page"


def held_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    from pathlib import Path

    told = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", told)
    assert found
    return int(found.group(1)) / 1024
