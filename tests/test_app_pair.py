"""The page *Rest and expression* as a person meets it: under Streamlit's tester, and in a real browser."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app_pages
import pytest
from browser_tabs import Tab, part_of
from streamlit.testing.v1 import AppTest
from test_app import HOSTILE, SAMPLES, words

from wrinklecv import DISCLAIMER, Expression, Region
from wrinklecv.ui import parts, sight

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")


def sample(expression: str, subject: str = "sub-001_ses-20250110") -> bytes:
    return next(p for p in SAMPLES if p.name.startswith(f"{subject}_expr-{expression}")).read_bytes()


def opened() -> AppTest:
    return app_pages.opened("compare_photos")


def uploaded(rest: bytes, expression: bytes, names: tuple[str, str] = ("a.jpg", "b.jpg")) -> AppTest:
    app = opened()
    for uploader, name, content in zip(app.file_uploader, names, (rest, expression), strict=True):
        uploader.upload(name, content, "image/jpeg")
    return app.run()


def text_of(app: AppTest) -> str:
    return "\n".join([words(app), *(str(box.value) for box in app.warning)])


# -- under Streamlit's tester --------------------------------------------------------------------


def test_the_page_opens_on_a_sample_already_compared() -> None:
    app = opened()
    assert not app.exception
    assert not app.error
    assert not app.warning
    assert app.title[0].value == "Rest and expression"
    assert app.subheader[0].value == "12 lines compared in all four regions"
    assert [metric.value[-1] for metric in app.metric] == ["%"] * 4
    table = app.table[0].value
    assert list(table.columns[2:]) == list(parts.REGION_NAMES.values())
    own = table[table["Measure"] == "Moved by this expression"].iloc[0]
    assert own["Crow’s feet, left"] == own["Crow’s feet, right"] == "yes"
    assert own["Forehead"] == own["Glabella"] == "no: not its own region"


def test_the_page_says_what_the_house_promises_to_say() -> None:
    app = opened()
    text = words(app) + app.selectbox[1].label
    for promise in (
        "drawn, not a person",
        "Higher = more lines",
        "Left and right are the patient’s own",
        "Documents visible lines in photographs",
        "never divided into them",
        "depth score (contrast)",
        "please confirm",
    ):
        assert promise in text
    assert DISCLAIMER in text


@pytest.mark.parametrize("expression", [Expression.SMILE, Expression.FROWN, Expression.BROW_RAISE])
def test_the_expression_is_guessed_and_can_be_corrected(expression: Expression) -> None:
    app = uploaded(sample("rest"), sample(expression))
    assert not app.exception
    chosen = app.selectbox[1]
    assert chosen.value is expression
    assert "the movement" in chosen.label
    other = Expression.FROWN if expression is Expression.SMILE else Expression.SMILE
    app.selectbox[1].set_value(other).run()
    assert not app.exception
    assert f"Not the {parts.EXPRESSION_NAMES[other].lower()}’s own region" in words(app)


def test_a_file_name_that_tells_the_expression_is_believed() -> None:
    app = uploaded(sample("rest"), sample("frown"), ("r.jpg", "sub-9_ses-1_expr-frown_run-1.jpg"))
    assert "the file’s name" in app.selectbox[1].label
    assert app.selectbox[1].value is Expression.FROWN


def test_one_photo_alone_asks_for_the_other() -> None:
    app = opened()
    app.file_uploader[1].upload("b.jpg", sample("smile"), "image/jpeg")
    app.run()
    assert "Add the photo at rest" in app.info[0].value
    assert not app.metric


def test_swapped_photos_are_noticed_and_swapped_by_a_switch() -> None:
    app = uploaded(sample("smile"), sample("rest"))
    assert "seems to be the one with the expression" in text_of(app)
    app.selectbox[1].set_value(Expression.SMILE).run()
    assert "The rest photo shows expression" in words(app)
    assert "Crow’s feet, left" in words(app)
    app.toggle[0].set_value(True).run()
    assert not app.warning
    assert app.subheader[0].value == "12 lines compared in all four regions"


def test_the_same_photo_twice_is_said() -> None:
    app = uploaded(sample("rest"), sample("rest"))
    assert "Both are the same photo" in text_of(app)
    assert not app.exception


def test_photos_of_two_faces_are_not_compared() -> None:
    app = uploaded(sample("rest"), sample("smile", "sub-002_ses-20250110"))
    assert not app.exception
    assert app.subheader[0].value == "These two photos cannot be compared"
    assert not app.metric
    for region in parts.REGION_NAMES.values():
        assert set(app.table[0].value[region]) == {"cannot tell"}
    rows = app.dataframe[0].value
    assert rows[["rest", "expression", "share"]].isna().all().all()


@pytest.mark.parametrize(("broken", "which"), [(0, "The rest photo"), (1, "The expression photo")])
def test_a_bad_file_is_named_by_its_side(broken: int, which: str) -> None:
    contents = [sample("rest"), sample("smile")]
    contents[broken] = b"<html>not found</html>"
    app = uploaded(contents[0], contents[1])
    assert not app.exception
    assert f"{which} cannot be measured" in app.error[0].value
    assert parts.md("not_an_image") in app.error[0].value
    assert app.caption[-1].value == DISCLAIMER


def test_hostile_file_names_are_shown_as_text() -> None:
    text = words(uploaded(sample("rest"), sample("smile"), (HOSTILE, HOSTILE)))
    assert text.count(parts.md(HOSTILE)) == 2
    assert "\x1b" not in text
    assert "![x](http" not in text


def test_a_region_that_was_refused_has_its_reason_and_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "compare_assessed", app_pages.refuses_glabella_of_pair)
    app = opened()
    assert app.subheader[0].value.endswith("compared in 3 of 4 regions")
    assert len(app.metric) == 3
    assert set(app.table[0].value["Glabella"]) == {"cannot tell"}
    assert r"**Glabella:** Cannot tell, because: The picture is blurred\. Hold still\." in words(app)


@pytest.mark.parametrize("view", ["Slider", "Side by side", "Blink"])
@pytest.mark.parametrize("place", ["Whole face", *Region])
def test_every_view_of_every_place_opens(view: str, place: str) -> None:
    app = opened()
    app.segmented_control[0].set_value(view)
    app.segmented_control[1].set_value(place).run()
    assert not app.exception
    number = 12 if place == "Whole face" else {"glabella": 2, "forehead": 2}.get(place, 4)
    assert len(app.dataframe[0].value) == number


def test_what_could_not_be_told_is_told() -> None:
    app = uploaded(sample("brow_raise"), sample("rest"))
    text = words(app)
    assert "What could not be told" in text
    assert "Every line that was found could be told" not in text
    assert re.search(r"\*\*Forehead(:\*\*|, \d lines? \(no\. )", text)


# -- in a real browser ---------------------------------------------------------------------------


class Visit(Tab):
    """A tab on the page of a pair."""

    def __init__(self, browser: Browser, address: str, *, width: int = 1280, scheme: Any = "light") -> None:
        page = part_of(address, "rest-and-expression")
        until = "The pictures are drawn anew"
        super().__init__(browser, page, until=until, width=width, height=3600, scheme=scheme)

    def choose_first_line(self) -> None:
        box = self.page.get_by_test_id("stDataFrame").bounding_box()
        assert box
        self.page.mouse.click(box["x"] + 18, box["y"] + 35 + 17)


def test_the_slider_moves_by_mouse_and_by_keys(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    slider = visit.page.get_by_role("slider", name="Slide between rest and smile")
    box = slider.bounding_box()
    assert box
    assert box["width"] > 300
    pictures = [
        visit.page.get_by_role("img", name=name, exact=True).bounding_box() for name in ("rest", "smile")
    ]
    assert pictures[0] == pictures[1], "one lies on the other"
    visit.page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    assert float(slider.input_value()) == pytest.approx(25, abs=1)
    for _ in range(4):
        slider.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(27, abs=1)
    assert str(slider.get_attribute("aria-valuetext")).endswith("% rest")
    slider.press("Home")
    hidden = visit.page.evaluate(
        "e => getComputedStyle(e).clipPath",
        visit.page.get_by_role("img", name="rest", exact=True).element_handle(),
    )
    assert "100%" in hidden
    assert not visit.strangers()


def test_a_chosen_line_is_marked_in_both_photos_and_plotted(browser: Browser, address: str) -> None:
    visit = Visit(browser, address)
    names = ("rest", "smile")
    before = [visit.page.get_by_role("img", name=n, exact=True).get_attribute("src") for n in names]
    visit.choose_first_line()
    visit.page.get_by_text("Static share 9").wait_for(timeout=30_000)
    visit.page.get_by_test_id("stVegaLiteChart").wait_for()
    visit.wait()
    after = [visit.page.get_by_role("img", name=n, exact=True).get_attribute("src") for n in names]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert all(str(source).startswith("data:image/jpeg;base64,") for source in after)
    assert not visit.strangers()


def test_the_results_are_saved(browser: Browser, address: str, tmp_path: Path) -> None:
    visit = Visit(browser, address)
    saved: dict[str, bytes] = {}
    for label in ("All results (JSON)", "Side by side with lines (JPEG)", "Blinking (GIF)"):
        with visit.page.expect_download() as waiting:
            visit.page.get_by_role("button", name=label).click()
        waiting.value.save_as(tmp_path / "file")
        saved[waiting.value.suggested_filename] = (tmp_path / "file").read_bytes()
    for name, data in saved.items():
        assert hashlib.sha256(data).hexdigest()[:12] in name
    tree, beside, gif = saved.values()
    found = json.loads(tree)
    assert found["rest_photo"]["sha256"] == hashlib.sha256(sample("rest")).hexdigest()
    assert found["expression"] == "smile"
    assert len(found["lines"]) == 12
    assert beside[:2] == b"\xff\xd8"
    assert b"Exif" not in beside
    assert gif[:6] == b"GIF89a"


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 820])
def test_the_page_fits_its_window_in_light_and_dark(
    browser: Browser, address: str, width: int, scheme: str, tmp_path: Path
) -> None:
    visit = Visit(browser, address, width=width, scheme=scheme)
    visit.choose_first_line()
    visit.page.get_by_test_id("stVegaLiteChart").wait_for(timeout=30_000)
    picture = tmp_path / f"compare_photos_{width}_{scheme}.png"
    visit.page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 50_000
    assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not visit.strangers()
