"""The page *Before and after* as a person meets it: under Streamlit's tester, and in a real browser."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from browser_tabs import Tab as BrowserTab
from browser_tabs import part_of
from PIL import Image
from streamlit.testing.v1 import AppTest
from test_app import SAMPLES, words
from test_app_follow import box, switches
from visit_builders import CANARY, CODE, DAYS, add_visit, fill, sample, secretive

from benchmarks.served import serve
from wrinklecv import DISCLAIMER, Expression, Region, read_photo
from wrinklecv.before_after import lay_visits
from wrinklecv.casebook import follow_subject
from wrinklecv.draw import encode_jpeg
from wrinklecv.draw_visits import matched
from wrinklecv.records import Bytes
from wrinklecv.store import open_store
from wrinklecv.ui.follow_changes import signed
from wrinklecv.visits import Subject

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")

PAGE = """
if __name__ == "__main__":  # worker processes read this file too
    import streamlit as st
    from wrinklecv.ui import before_after, parts

    parts.run(st.navigation([st.Page(before_after.show, title="Before and after", default=True)]))
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("visits") / "store")


@pytest.fixture
def place(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WRINKLECV_STORE", str(filled))
    return filled


def opened(code: str) -> AppTest:
    app = AppTest.from_string(PAGE, default_timeout=180).run()
    box(app, "Subject").set_value(code)
    return app.run()


def text_of(app: AppTest) -> str:
    return "\n".join([words(app), *(str(one.value) for one in app.warning)])


# -- under Streamlit's tester ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def app(filled: Path) -> Iterator[AppTest]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRINKLECV_STORE", str(filled))
        yield opened(CODE)


def test_the_page_opens_on_the_baseline_and_the_last_visit(app: AppTest, place: Path) -> None:
    assert not app.exception
    assert not app.error
    assert (box(app, "First visit").value, box(app, "Later visit").value) == (DAYS[0], DAYS[2])
    assert app.subheader[0].value == "These two photos can be compared"
    text = text_of(app)
    for promise in (
        "Pose: alike",
        "Light: alike",
        "Laid together by the skin itself, 0.",
        "Higher = more lines",
        "Left and right are the patient’s own",
        "Documents visible lines in photographs",
        "The same numbers as on the page *Follow-up*",
        DISCLAIMER,
    ):
        assert promise in text
    assert "![x](http" not in text
    assert "\x1b" not in text


def test_the_changes_are_those_of_follow_up(app: AppTest, place: Path) -> None:
    with open_store(place) as store:
        followed = follow_subject(store, CODE)
    wanted = [
        signed(c.difference, c.se)
        for c in followed.changes
        if (c.since, c.until, c.state) == (DAYS[0], DAYS[2], Expression.REST)
    ]
    assert len(wanted) == 4
    text = text_of(app)
    assert all(f"{number} (" in text for number in wanted)
    assert text.count("Changed: lower") == 4


def test_matching_the_exposure_changes_no_number(app: AppTest, place: Path) -> None:
    numbers = [one.value for one in app.markdown]
    toggle = next(one for one in app.toggle if one.label == "Match exposure")
    toggle.set_value(True).run()
    assert [one.value for one in app.markdown] == numbers
    assert "exposure matched for viewing only, numbers come from the photo as it was taken" in text_of(app)
    toggle.set_value(False).run()
    lines = next(one for one in app.toggle if one.label == "Draw lines")
    lines.set_value(True).run()
    assert "Shown as they were taken" in text_of(app)
    assert "need not be new or gone" in text_of(app)
    lines.set_value(False).run()


@pytest.mark.parametrize("view", ["Slider", "Blink", "Side by side", "Difference"])
def test_every_view_opens_and_other_visits_can_be_chosen(app: AppTest, place: Path, view: str) -> None:
    switches(app, "View").set_value(view)
    switches(app, "Place").set_value(Region.FOREHEAD).run()
    assert not app.exception
    if view == "Difference":
        assert re.search(
            r"No colour: no more than .* \(\d\.\d % on skin without lines; on lines \d\d %", text_of(app)
        )
    box(app, "Later visit").set_value(DAYS[1]).run()
    box(app, "First visit").set_value(DAYS[1]).run()
    assert box(app, "Later visit").options == ["10 Apr 2025"]
    assert not app.exception
    assert "The same numbers as on the page *Follow-up*" in text_of(app)
    box(app, "First visit").set_value(DAYS[0]).run()
    switches(app, "Place").set_value("Whole face").run()


def test_a_state_that_the_baseline_lacks_is_followed_alone(app: AppTest, place: Path) -> None:
    switches(app, "State").set_value(Expression.SMILE).run()
    assert not app.exception
    text = text_of(app)
    assert (box(app, "First visit").value, box(app, "Later visit").value) == (DAYS[1], DAYS[2])
    assert "these two visits were followed alone" in text
    assert "Crow’s feet, left" in text
    switches(app, "State").set_value(Expression.FROWN).run()
    assert "No visit has a photo of this state (frown)" in app.info[0].value
    assert "another state: rest, smile" in app.info[0].value
    switches(app, "State").set_value(Expression.REST).run()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("one", "Only the visit of 10 Jan 2025 has a photo of this state (frown)"),
        ("none", "no photo at rest or with a known expression yet. Add a visit"),
    ],
)
def test_what_is_missing_is_said_with_what_to_do(place: Path, code: str, said: str) -> None:
    app = opened(code)
    assert not app.exception
    if code == "one":
        switches(app, "State").set_value(Expression.FROWN).run()
    assert said in app.info[0].value
    assert "*Follow-up*" in app.info[0].value


def test_an_empty_store_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRINKLECV_STORE", str(tmp_path))
    app = AppTest.from_string(PAGE, default_timeout=60).run()
    assert "No subject is recorded yet" in app.info[0].value


def spoiled(pixels: Bytes, seed: int) -> bytes:
    """Return a face with marks that hide its own skin."""
    noise = np.random.default_rng(seed).standard_normal(pixels.shape[:2]).astype(np.float32)
    marks = cv2.GaussianBlur(noise, (0, 0), 5)
    return encode_jpeg(np.clip(pixels * (1 + 0.15 * marks / marks.std())[..., None], 0, 255).astype(np.uint8))


def test_photos_that_do_not_fit_are_not_laid_on_each_other_and_bad_ones_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRINKLECV_STORE", str(tmp_path))
    pixels = read_photo(sample("rest")).pixels
    with open_store(tmp_path) as store:
        store.add_subject(Subject("7"))
        add_visit(store, "7", DAYS[0], ("rest", spoiled(pixels, 1)))
        add_visit(store, "7", DAYS[1], ("rest", spoiled(pixels, 2)))
        add_visit(store, "7", DAYS[2], ("rest", encode_jpeg(np.full((800, 600, 3), 90, np.uint8))))
    app = opened("7")
    assert not app.exception
    assert "The later photo cannot be measured" in app.error[0].value
    assert app.caption[-1].value == DISCLAIMER
    box(app, "Later visit").set_value(DAYS[1]).run()
    assert not app.exception
    text = text_of(app)
    assert app.subheader[0].value == "These two photos cannot be compared"
    assert "The skin of the two photos does not agree" in text
    assert "side by side only, at the same scale" in text
    assert "Not laid together" in text
    assert "Changed" not in text


# -- in a real browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve(tmp_path_factory.mktemp("home"), filled) as served:
        yield part_of(served.url, "before-and-after")


class Tab(BrowserTab):
    """A tab on the page, at the subject with the hostile code."""

    def __init__(self, browser: Browser, address: str, *, width: int = 1280, scheme: Any = "light") -> None:
        super().__init__(
            browser,
            address,
            until=DISCLAIMER[:40],
            width=width,
            height=2400,
            scheme=scheme,
            timeout_ms=120_000,
        )
        self.page.get_by_role("combobox", name="Subject").click()
        self.page.get_by_role("option", name="evil").first.click()
        self.settle()

    def settle(self) -> None:
        self.page.wait_for_timeout(600)  # until the click has reached the server
        self.wait("Keep this pair")
        self.wait(DISCLAIMER[:40])
        self.page.wait_for_function("!document.querySelector('[data-stale=true]')", timeout=self._timeout_ms)

    def press(self, name: str) -> None:
        self.page.get_by_test_id("stButtonGroup").get_by_text(name, exact=True).click()
        self.settle()

    def switch(self, name: str) -> None:
        self.page.get_by_text(name, exact=True).click()
        self.settle()

    def choose_later(self, day: str) -> None:
        self.page.get_by_role("combobox", name="Later visit").click()
        self.page.get_by_role("option", name=day).first.click()
        self.settle()

    def pictures(self) -> list[Bytes]:
        """Return what the two pictures of a slider show."""
        found = []
        for side in ("left", "right"):
            address = str(self.page.locator(f"img.{side}").get_attribute("src"))
            content = base64.b64decode(address.removeprefix("data:image/jpeg;base64,"))
            found.append(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
        return found

    def saved(self, folder: Path) -> tuple[str, bytes]:
        with self.page.expect_download() as waiting:
            self.page.get_by_role("button", name=re.compile("^Save as")).click()
        waiting.value.save_as(folder / "file")
        return waiting.value.suggested_filename, (folder / "file").read_bytes()


def expected(later: date) -> tuple[list[Bytes], float]:
    """Return what the two pictures must show, and by how many stops the later one is darker."""
    first, second = (secretive(sample("rest", day)) for day in (DAYS[0], later))
    found = lay_visits(first, second, Expression.REST)
    cuts = found.views[None].cuts
    return [np.asarray(Image.open(io.BytesIO(encode_jpeg(cut.pixels)))) for cut in cuts], found.stops


def off(one: Bytes, other: Bytes) -> float:
    if one.shape != other.shape:
        return 255.0
    return float(np.abs(one.astype(int) - other).mean())


def test_the_slider_shows_the_chosen_visits_and_files_are_fresh(
    browser: Browser, served: str, tmp_path: Path
) -> None:
    tab = Tab(browser, served)
    (january, stops), (april, _) = (expected(day) for day in DAYS[1:])
    assert all(off(a, b) < 1 for a, b in zip(tab.pictures(), april, strict=True))
    files = [tab.saved(tmp_path)]
    tab.choose_later("24 Jan 2025")
    assert all(off(a, b) < 1 for a, b in zip(tab.pictures(), january, strict=True))
    assert off(tab.pictures()[1], april[1]) > 1, "not the last visit's picture"
    files.append(tab.saved(tmp_path))
    tab.switch("Match exposure")
    name = tab.page.locator(".right.name").text_content()
    assert name == "24 Jan 2025, exposure matched for viewing only"
    assert off(tab.pictures()[1], matched(january[1], stops)) < 2
    files.append(tab.saved(tmp_path))
    tab.press("Regions only, de-identified")
    files.append(tab.saved(tmp_path))
    tab.press("PNG")
    files.append(tab.saved(tmp_path))
    assert len({name for name, _ in files}) == len({content for _, content in files}) == 5
    for name, content in files:
        assert hashlib.sha256(content).hexdigest()[:12] in name
        assert CANARY not in content
        assert not re.search(rb"Exif|http://ns\.adobe|ICC_PROFILE|Photoshop|tEXt|eXIf|iTXt", content)
        assert content.count(b"\xff\xd8\xff") == (0 if name.endswith("png") else 1)
        assert min(Image.open(io.BytesIO(content)).size) > 700
    assert all(name.startswith("before-after_regions_") for name, _ in files[3:])
    assert not tab.strangers()


@pytest.mark.slow
def test_blinking_can_be_stopped_and_does_not_start_where_less_motion_is_asked_for(
    browser: Browser, served: str
) -> None:
    tab = Tab(browser, served)
    tab.press("Blink")
    name = tab.page.locator(".frame .name")
    tab.page.get_by_text("10 Apr 2025", exact=True).and_(name).wait_for(timeout=10_000)
    tab.page.get_by_text("10 Jan 2025 (baseline)", exact=True).and_(name).wait_for(timeout=10_000)
    tab.page.get_by_role("button", name="Stop").click()
    still = name.text_content()
    tab.page.wait_for_timeout(1200)
    assert name.text_content() == still
    tab.page.get_by_role("button", name="Other photo").click()
    assert name.text_content() != still
    tab.switch("Draw lines")
    assert (
        tab.page.get_by_role("button", name="Blink", exact=True).and_(tab.page.locator("button.run")).count()
        == 1
    ), "what was stopped stays stopped"

    tab.page.emulate_media(reduced_motion="reduce")
    tab.press("Forehead")
    tab.page.get_by_text("this system asks for less motion").wait_for(timeout=10_000)
    still = name.text_content()
    tab.page.wait_for_timeout(1200)
    assert name.text_content() == still
    assert not tab.strangers()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_light_and_dark(
    browser: Browser, served: str, scheme: str, tmp_path: Path
) -> None:
    tab = Tab(browser, served, scheme=scheme)
    for width in (1280, 820):
        tab.page.set_viewport_size({"width": width, "height": 2400})
        for view in ("Difference", "Slider"):
            tab.press(view)
            picture = tmp_path / f"before_after_{width}_{scheme}_{view}.png"
            tab.page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 50_000
            assert tab.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert tab.page.get_by_role("combobox", name="Subject").input_value().startswith(CODE[:30])
    assert not tab.strangers()
