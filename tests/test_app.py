"""The app as a person meets it: under Streamlit's own tester, and in a real browser."""

from __future__ import annotations

import hashlib
import json
import math
import re
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app_pages
import numpy as np
import pytest
import simplejpeg
from browser_tabs import Tab, part_of
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from wrinklecv import DISCLAIMER, Finding, Region, Verdict, assess, read_photo
from wrinklecv.codes import Code
from wrinklecv.model import data_folder
from wrinklecv.tables import LINE_COLUMNS
from wrinklecv.ui import parts, sight

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent.parent
SAMPLES = sorted(data_folder("sample_images").glob("*.jpg"))
HOSTILE = "![x](http://evil.example/a.png) <b>$x$ :red[y] `z`\x1b.jpg"

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")


def opened() -> AppTest:
    return app_pages.opened("assess_photo")


def uploaded(name: str, content: bytes) -> AppTest:
    app = opened()
    app.file_uploader[0].upload(name, content, "image/jpeg")
    return app.run()


def words(app: AppTest) -> str:
    """Return all Markdown of the page in one text."""
    blocks = (app.title, app.subheader, app.markdown, app.caption, app.error, app.info)
    return "\n".join(str(element.value) for block in blocks for element in block)


def shown(text: str) -> str:
    """Return a text from data as it stands on the screen."""
    return re.sub(r"\\(.)", r"\1", parts.md(text))


def shrunk(path: Path, by: int) -> bytes:
    pixels = simplejpeg.decode_jpeg(path.read_bytes(), colorspace="RGB")
    return bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(pixels[::by, ::by]), quality=95))


# -- under Streamlit's tester --------------------------------------------------------------------


def test_the_app_opens_on_a_sample_already_assessed() -> None:
    app = opened()
    assert not app.exception
    assert not app.error
    assert app.title[0].value == "Assess a photo"
    assert len(app.metric) == len(Region)
    assert all(re.fullmatch(r"[\d.]+( ± [\d.]+)?", metric.value) for metric in app.metric)
    assert all("mm·%/cm²" in metric.label for metric in app.metric)
    assert app.table[0].value.shape == (10, 6)


def test_the_page_says_what_the_house_promises_to_say() -> None:
    text = words(opened())
    for promise in (
        "drawn, not a person",
        "Higher = more lines",
        "Left and right are the patient’s own",
        "Documents visible lines in photographs",
        "Depth score (contrast)",
    ):
        assert promise in text
    assert DISCLAIMER in text
    assert "anonymous" not in text


def test_an_uploaded_photo_comes_before_the_sample() -> None:
    app = uploaded("mine.jpg", SAMPLES[-1].read_bytes())
    assert not app.exception
    assert r"Your photo: **mine\.jpg**" in words(app)
    assert app.selectbox[0].disabled
    assert hashlib.sha256(SAMPLES[-1].read_bytes()).hexdigest()[:12] in words(app)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"<html>not found</html>", "not_an_image"),
        (b"\xff\xd8\xff\xe0 cut", "truncated"),
    ],
)
def test_a_bad_file_is_a_calm_sentence_with_its_code(content: bytes, code: str) -> None:
    app = uploaded("bad.jpg", content)
    assert not app.exception
    assert parts.md(code) in app.error[0].value
    assert "This photo cannot be measured" in app.error[0].value
    assert not app.metric
    assert app.caption[-1].value == DISCLAIMER


def test_a_photo_without_a_face_says_so() -> None:
    app = uploaded("wall.jpg", simplejpeg.encode_jpeg(np.full((800, 600, 3), 128, np.uint8)))
    assert parts.md("no_face") in app.error[0].value


def test_a_failure_that_is_not_the_photos_is_not_blamed_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "look_at", app_pages.fails)
    app = opened()
    assert "This does not work" in app.error[0].value
    assert "Reinstall wrinklecv" in app.error[0].value


def test_a_hostile_file_name_is_shown_as_text() -> None:
    text = words(uploaded(HOSTILE, SAMPLES[0].read_bytes()))
    assert parts.md(HOSTILE) in text
    assert r"\!⁠\[x\]⁠\(http\:⁠\/⁠\/evil\.example\/a\.png\) \<b\>⁠\$x\$ \:⁠red\[y\] \`z\`" in text
    assert "\x1b" not in text
    assert "![x](http" not in text


def test_a_refused_region_cannot_tell_and_has_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "look_at", app_pages.refuses_glabella)
    app = opened()
    assert app.subheader[0].value == "3 of 4 regions were measured"
    assert len(app.metric) == 3
    assert r"Cannot tell, because: The picture is blurred\. Hold still\." in words(app)
    assert set(app.table[0].value["Glabella"]) == {"cannot tell"}
    assert r"blurred\: 3\.00 px\, limit 2\.00 px" in words(app)
    app.segmented_control[0].set_value(Region.GLABELLA).run()
    assert not app.dataframe


def test_a_photo_too_small_to_measure_has_no_numbers_at_all() -> None:
    app = uploaded("small.jpg", shrunk(SAMPLES[0], 4))
    assert not app.exception
    assert app.subheader[0].value == "No region can be measured in this photo"
    assert not app.metric
    assert (app.table[0].value[list(parts.REGION_NAMES.values())] == "cannot tell").all(axis=None)
    assert "Fill the frame" in words(app)


def test_a_region_without_lines_is_zero_and_says_what_would_have_been_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sight, "look_at", app_pages.finds_nothing)
    app = opened()
    shown = [metric.value.split(" ± ") for metric in app.metric]
    assert [float(index) for index, _ in shown] == [0.0] * 4
    assert all(float(error) > 0 for _, error in shown)  # "none" is not certain either
    assert "No line was found. Detection limit:" in words(app)
    assert "no line" in set(app.table[0].value["Forehead"])


def test_the_lines_of_the_chosen_region_are_listed_with_their_numbers() -> None:
    app = opened()
    lines = assess(read_photo(SAMPLES[0])).lines
    for region in Region:
        app.segmented_control[0].set_value(region).run()
        own = [number for number, line in enumerate(lines, start=1) if line.region is region]
        assert list(app.dataframe[0].value["number"]) == own


# -- the shared parts ----------------------------------------------------------------------------


@given(some.text(max_size=80))
def test_escaped_text_leaves_no_punctuation_that_markdown_would_read(text: str) -> None:
    assert not re.search(r"(?<!\\)[!\"#$%&'()*+,\-./:;<=>?@\[\]^_`{|}~]", parts.md(text).replace(r"\\", ""))


def test_very_long_names_are_cut() -> None:
    assert len(parts.md("a" * 10_000)) < 600


@pytest.mark.parametrize(
    ("value", "se", "text"),
    [
        (12.345, 0.8, "12.3 ± 0.8 mm"),
        (12.345, 0.14, "12.35 ± 0.14 mm"),
        (251.7, 11.2, "252 ± 11 mm"),
        (251.7, 0.97, "251.7 ± 1.0 mm"),
        (8.0, 0.0, "8.00 mm"),
        (8.0, math.nan, "8.00 mm"),
        (0.0, 0.0, "0 mm"),
    ],
)
def test_a_number_has_as_many_digits_as_its_error_allows(value: float, se: float, text: str) -> None:
    assert parts.plus_minus(value, se, "mm") == text


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0"), (0.01234, "0.0123"), (9.994, "9.99"), (1234.5, "1234"), (-2.0, "-2.00")]
)
def test_a_number_without_error_has_three_digits(number: float, text: str) -> None:
    assert parts.plain(number) == text


def test_a_finding_names_its_code_value_and_limit() -> None:
    finding = Finding(Code.LITTLE_SKIN, Verdict.WARN, "Hold the hair back.", None, 0.534, 0.7, "share")
    assert parts.finding_text(finding) == (
        rf"Hold the hair back\. :gray[({parts.md('little_skin: 53 %, limit 70 %')})]"
    )


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a b/../c.jpg", "a_b_c"), ("写真.jpg", "photo"), ("=1+1.jpg", "1_1"), ("x" * 99, "x" * 60)],
)
def test_a_download_is_named_so_that_every_system_can_keep_it(name: str, stem: str) -> None:
    assert parts.file_stem(name) == stem


# -- in a real browser ---------------------------------------------------------------------------


class Visit(Tab):
    """A tab on the page of one photo."""

    def __init__(self, browser: Browser, address: str, *, width: int = 1280, scheme: Any = "light") -> None:
        page = part_of(address, "assess-photo")
        super().__init__(browser, page, until="The JPEG is drawn anew", width=width, scheme=scheme)

    def pictures(self) -> list[str]:
        """Return the addresses of the pictures: the whole photo and the region."""
        found = self.page.get_by_test_id("stImage").locator("img").all()
        return [str(picture.get_attribute("src")) for picture in found]

    def white(self, source: str) -> int:
        """Count the white pixels of a picture."""
        body = self.page.request.get(urllib.parse.urljoin(self.page.url, source)).body()
        return int((simplejpeg.decode_jpeg(body, colorspace="RGB").min(axis=2) > 250).sum())


def test_a_line_chosen_in_the_table_is_marked_in_both_pictures(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    before = visit.pictures()
    white = [visit.white(picture) for picture in before]
    box = visit.page.get_by_test_id("stDataFrame").bounding_box()
    assert box
    visit.page.mouse.click(box["x"] + 18, box["y"] + 35 + 17)  # the box in the first row
    for _ in range(100):
        if not set(visit.pictures()) & set(before):
            break
        visit.page.wait_for_timeout(100)
    after = visit.pictures()
    assert len(before) == len(after) == 2
    for old, new in zip(white, after, strict=True):
        assert visit.white(new) > old + 500, "the chosen line is white and thick"
    assert not visit.strangers()


def test_a_photo_is_uploaded_measured_and_its_results_saved(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    visit = Visit(browser, address)
    content = SAMPLES[-1].read_bytes()
    visit.page.locator("input[type=file]").set_input_files(
        {"name": "![x](http:evil.example)<b>.jpg", "mimeType": "image/jpeg", "buffer": content}
    )
    visit.page.get_by_text(shown("![x](http:evil.example)<b>.jpg")).wait_for()
    visit.page.get_by_text(hashlib.sha256(content).hexdigest()[:12]).wait_for(
        state="attached", timeout=60_000
    )
    visit.wait()
    saved: dict[str, bytes] = {}
    for label in ("All results (JSON)", "Lines (CSV)", "Photo with lines (JPEG)"):
        with visit.page.expect_download() as waiting:
            visit.page.get_by_role("button", name=label).click()
        waiting.value.save_as(tmp_path / "file")
        saved[waiting.value.suggested_filename] = (tmp_path / "file").read_bytes()
    assert [Path(name).suffix for name in saved] == [".json", ".csv", ".jpg"]
    for name, data in saved.items():
        assert hashlib.sha256(data).hexdigest()[:12] in name
    tree, lines, picture = saved.values()
    assert json.loads(tree)["photo"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert lines.decode("utf-8-sig").startswith(",".join(f'"{name}"' for name in LINE_COLUMNS))
    assert picture[:2] == b"\xff\xd8"
    assert b"Exif" not in picture
    assert not visit.strangers()


def test_a_bad_upload_is_a_sentence_and_the_next_one_works(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    visit.page.locator("input[type=file]").set_input_files(
        {"name": "page.jpg", "mimeType": "image/jpeg", "buffer": b"<html>not found</html>"}
    )
    visit.page.get_by_text("not_an_image").wait_for(timeout=60_000)
    visit.page.get_by_text(DISCLAIMER).wait_for()
    visit.page.locator("input[type=file]").set_input_files(str(SAMPLES[0]))
    visit.wait()
    assert not visit.strangers()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820])
def test_the_page_fits_its_window_in_light_and_dark(
    browser: Browser, address: str, width: int, scheme: str, tmp_path: Path
) -> None:
    visit = Visit(browser, address, width=width, scheme=scheme)
    picture = tmp_path / f"assess_photo_{width}_{scheme}.png"
    visit.page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 50_000
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    shade = visit.page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert (max(map(int, re.findall(r"\d+", shade)[:3])) < 100) == (scheme == "dark")
    assert not visit.strangers()
