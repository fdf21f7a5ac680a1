"""The page *Follow-up* as a person meets it: under Streamlit's tester, and in a real browser."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app_pages
import pytest
from browser_tabs import Tab as BrowserTab
from browser_tabs import part_of
from builders import a_refusal
from streamlit.testing.v1 import AppTest
from test_app import HOSTILE, SAMPLES, words

from wrinklecv import DISCLAIMER, Expression, LineKind, Region, casebook
from wrinklecv.casebook import follow_subject
from wrinklecv.histories import ChangeVerdict, Conversion, FollowUp
from wrinklecv.settings import DEFAULTS
from wrinklecv.store import Method, Store, open_store
from wrinklecv.ui import follow_store, parts
from wrinklecv.visits import NewPhoto, PhotoKind, Subject, SubjectPage, Treatment, VisitForm
from wrinklecv.windows import WINDOWS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")

HOSTILE_TEXT = parts.md(HOSTILE)


def sample(expression: str, day: str = "20250110") -> bytes:
    return next(p for p in SAMPLES if p.name.startswith(f"sub-001_ses-{day}_expr-{expression}")).read_bytes()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WRINKLECV_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def opened() -> AppTest:
    return app_pages.opened("follow_up", timeout_s=120)


def pressed(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def added(code: str, name: str = "") -> AppTest:
    app = opened()
    for box in app.text_input:
        if box.label in ("Code", "Name (optional)"):
            box.set_value(code if box.label == "Code" else name)
    return pressed(app, "Add")


def switches(app: AppTest, label: str) -> Any:
    return next(one for one in app.get("button_group") if getattr(one, "label", "") == label)


def box(app: AppTest, label: str) -> Any:
    return next(one for one in app.selectbox if one.label == label)


def text_of(app: AppTest) -> str:
    extra = [str(one.value) for some in (app.warning, app.success) for one in some]
    cells = [str(table.value.to_csv()) for table in app.table]
    return "\n".join([words(app), *extra, *cells])


def page_of(place: Path, code: str) -> SubjectPage:
    with open_store(place) as store:
        return store.page(code)


# -- a course --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def imported_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, AppTest]:
    """An empty store into which one click brought the drawn subjects."""
    folder = tmp_path_factory.mktemp("follow") / "store"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRINKLECV_STORE", str(folder))
        app = opened()
        assert "No subject is recorded yet" in app.info[0].value
        return folder, pressed(app, "Import the sample subjects")


@pytest.fixture
def sampled(imported_once: tuple[Path, AppTest], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("WRINKLECV_STORE", str(imported_once[0]))
    return imported_once[1]


def test_one_click_leads_from_an_empty_store_to_a_course(sampled: AppTest) -> None:
    app = sampled
    assert not app.exception
    assert not app.error
    assert [metric.value for metric in app.metric][::2] == ["10 Apr 2025", "10 May 2025"]
    assert "Wearing off expected · 90 days since treatment" in words(app)
    assert len(app.get("vega_lite_chart")) == 5
    changes = app.table[2].value
    assert list(changes["Region"]) == [name for name in parts.REGION_NAMES.values() for _ in range(2)]
    assert changes["Verdict"].str.contains("Changed: lower").all()
    assert changes["Share"].str.match(r"−\d\d\u00a0%").all()


def test_the_page_says_what_the_house_promises_to_say(sampled: AppTest) -> None:
    text = text_of(sampled)
    for promise in (
        "Higher = more lines",
        "Left and right are the patient’s own",
        "Documents visible lines in photographs",
        "from the literature, not this clinic’s own: same",
        f"source: {parts.md(WINDOWS.source)}",
        "wearing off on days 90 to 180",
        "Ranges, not promises",
        "Depth score (contrast)",
        "pretended\\: the face is drawn",
    ):
        assert promise in text
    assert DISCLAIMER in text


def test_an_earlier_visit_and_other_states_can_be_chosen(sampled: AppTest) -> None:
    app = sampled
    box(app, "Visit").set_value(date(2025, 1, 24)).run()
    assert "The visit before is the baseline" in words(app)
    assert len(app.table[2].value) == 8
    app.toggle[0].set_value(True).run()
    assert len(app.table[2].value) == 16
    switches(app, "State").set_value(Expression.BROW_RAISE).run()
    lines = next(t.value for t in app.table if "Conversions" in t.value)
    assert set(lines["Conversions"]) == {"none"}
    assert lines["10 Jan 2025"].str.contains("; (?:static|dynamic|deepened)").any()
    app.toggle[0].set_value(False).run()
    box(app, "Visit").set_value(date(2025, 4, 10)).run()


def test_a_course_is_measured_once(sampled: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(casebook, "_measured", fails)
    assert not sampled.run().exception
    app = opened()
    assert not box(app, "Subject").set_value("001").run().exception, "nor in another session"
    assert "How is this computed?" in str(app.expander)


def spoiled(store: Store, code: str, **named: Any) -> FollowUp:
    """A course with all that can go wrong in it."""
    found = follow_subject(store, code, **named)
    first, *rest = found.changes
    bad = dataclasses.replace(first, verdict=ChangeVerdict.NOT_COMPARABLE, reason="Untreated skin changed.")
    lines = tuple(
        dataclasses.replace(
            line,
            conversions=(
                Conversion(line.sightings[0].day, line.sightings[1].day, LineKind.DYNAMIC, LineKind.STATIC),
            ),
            sightings=(*line.sightings[:-1], dataclasses.replace(line.sightings[-1], seen=False, limit=0.01)),
        )
        for line in found.lines
    )
    last = dataclasses.replace(found.visits[-1], findings=((Expression.REST, a_refusal(Region.GLABELLA)),))
    return dataclasses.replace(
        found,
        changes=(bad, *rest),
        lines=lines,
        visits=(*found.visits[:-1], last),
        series=tuple(s for s in found.series if s.region is not Region.FOREHEAD),
        cycles=tuple(dataclasses.replace(c, days_to_half=101, between=(90, 120)) for c in found.cycles),
        asymmetries=tuple(dataclasses.replace(a, value=-0.5, se=0.1) for a in found.asymmetries),
        next_photo=date.today() + timedelta(days=3),
    )


def test_what_could_not_be_compared_is_told_with_its_reason(
    sampled: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_store, "follow_subject", spoiled)
    app = opened()
    box(app, "Subject").set_value("001").run()
    box(app, "Visit").set_value(date(2025, 1, 24)).run()
    assert not app.exception
    text = text_of(app)
    for words_ in (
        "Not comparable",
        r"Untreated skin changed\.",
        "**Forehead, rest:** not measured at the baseline",
        "Cannot be followed: no photo of the first visit",
        r"**10 Apr 2025, rest, glabella:** The picture is blurred\. Hold still\.",
        "not seen (limit 1.00)",
        "101 days (between days 90 and 120)",
        "more lines on the right",
        "In 3 days.",
    ):
        assert words_ in text, words_


def test_a_subject_is_found_by_a_part_of_its_code(sampled: AppTest) -> None:
    app = opened()
    assert not app.metric, "nobody's course is shown unasked"
    app.text_input[0].set_value("02").run()
    assert box(app, "Subject").options == ["002"]
    app.text_input[0].set_value("none").run()
    assert "No subject has this code or name" in app.info[0].value


# -- adding ----------------------------------------------------------------------------------------


def given(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    for name, content in files:
        app.file_uploader[0].upload(name, content, "image/jpeg")
    return app.run()


def test_a_visit_is_entered_confirmed_and_saved_whole(place: Path) -> None:
    app = given(
        added(HOSTILE[:50], HOSTILE),
        ("b.jpg", sample("brow_raise")),
        (HOSTILE, sample("rest")),
        ("bad.jpg", b"<html>not found</html>"),
        ("again.jpg", sample("rest")),
        ("sub-9_ses-1_expr-smile_run-1.jpg", sample("smile")),
    )
    code = HOSTILE[:50]
    assert not app.exception
    text = text_of(app)
    assert "**3 photos accepted.**" in text
    assert "Refused] The file is not a picture" in text
    assert parts.md("not_an_image") in text
    assert "1 photo given twice: kept once" in text
    assert text.count(HOSTILE_TEXT) >= 2
    assert "![x](http" not in text
    shows = [one for one in app.selectbox if one.label.startswith("What it shows")]
    assert [one.value for one in shows] == ["brow_raise", "rest", "smile"]
    assert shows[2].label.endswith("(from its name)")
    assert not page_of(place, code).visits, "nothing is saved before Save"

    shows[2].set_value("marking")
    app.text_area[0].set_value(HOSTILE)
    pressed(app, "Save the visit")
    assert not app.exception
    assert not app.error
    assert app.success[0].value == "The visit is saved, with 3 photos."
    assert len(app.metric) == 3
    text = text_of(app)
    assert "One visit shows no change yet" in text
    assert "![x](http" not in text
    (visit,) = page_of(place, code).visits
    assert [photo.kind for photo in visit.photos].count(PhotoKind.MARKING) == 1
    assert visit.notes == HOSTILE
    with open_store(place) as store:
        assert len(store.assessments(code, Method(DEFAULTS.digest))) == 2
        assert [c.name for c in store.comparisons(code, Method(DEFAULTS.digest))] == ["brow_raise"]


def test_a_form_that_is_discarded_saves_nothing(place: Path) -> None:
    app = given(added("7"), ("bad.jpg", b"<html>not found</html>"))
    assert next(b for b in app.button if b.label == "Save the visit").disabled
    pressed(app, "Discard this form")
    assert not app.exception
    assert "Nothing is saved" in app.info[0].value
    assert not page_of(place, "7").visits


def test_a_treatment_is_recorded_once_and_needs_its_regions(place: Path) -> None:
    app = added("7")
    switches(app, "View").set_value("Add a treatment").run()
    pressed(app, "Save the treatment")
    assert "at least one treated region" in app.warning[0].value
    app.multiselect[0].set_value([Region.GLABELLA])
    next(b for b in app.text_input if b.label.startswith("Product")).set_value(HOSTILE)
    app.number_input[0].set_value(20.0)
    pressed(app, "Save the treatment")
    assert not app.exception
    assert app.success[0].value == "The treatment is saved."
    (stored,) = page_of(place, "7").treatments
    assert (stored.regions, stored.units, stored.product) == ((Region.GLABELLA,), 20.0, HOSTILE)
    text = text_of(app)
    assert HOSTILE_TEXT in text
    assert "No photo at rest or with a known expression yet" in text


def with_an_entry_chosen(place: Path, *, visit: bool) -> AppTest:
    with open_store(place) as store:
        store.add_subject(Subject("7"))
        given = Treatment("7", date(2025, 1, 10), (Region.GLABELLA,), "A", 20.0, notes=HOSTILE)
        store.save_treatment("t", given)
        if visit:
            store.save_visit(VisitForm("v", "7", date(2025, 1, 10), (NewPhoto(b"x", marking=True),)))
    app = opened()
    box(app, "Subject").set_value("7").run()
    switches(app, "View").set_value("Course").run()
    (entry,) = (e for e in box(app, "Entry").options if e.startswith("Visit" if visit else "Treatment"))
    assert entry.endswith("1, 10 Jan 2025")
    chosen: AppTest = box(app, "Entry").select(entry).run()
    return chosen


def test_a_wrong_day_of_a_treatment_is_corrected_and_nothing_else_changes(place: Path) -> None:
    app = with_an_entry_chosen(place, visit=False)
    next(one for one in app.date_input if one.label == "Day of the treatment").set_value(date(2025, 1, 12))
    app = pressed(app, "Save the correction")
    assert not app.exception
    assert "The treatment is corrected: 12 Jan 2025." in text_of(app)
    (now,) = page_of(place, "7").treatments
    assert (now.treated_on, now.units, now.notes) == (date(2025, 1, 12), 20.0, HOSTILE)
    with open_store(place) as store:
        assert store.audit()[-1].details["day_before"] == "2025-01-10"


def test_a_treatment_that_never_was_is_removed(place: Path) -> None:
    app = with_an_entry_chosen(place, visit=False)
    next(one for one in app.checkbox if "remove it" in one.label).check()
    app = pressed(app, "Save the correction")
    assert "The treatment is removed." in text_of(app)
    assert not page_of(place, "7").treatments


def test_a_wrong_day_of_a_visit_is_corrected(place: Path) -> None:
    app = with_an_entry_chosen(place, visit=True)
    next(one for one in app.date_input if one.label == "Day of the visit").set_value(date(2025, 1, 24))
    app = pressed(app, "Save the correction")
    assert "The visit is corrected: it is of 24 Jan 2025." in text_of(app)
    (visit,) = page_of(place, "7").visits
    assert (visit.visited_on, len(visit.photos)) == (date(2025, 1, 24), 1)


def test_a_clock_that_runs_behind_is_said_on_the_page(place: Path) -> None:
    with open_store(place, now=lambda: datetime.now(UTC) + timedelta(days=2)) as store:
        store.add_subject(Subject("7"))
    app = opened()
    box(app, "Subject").set_value("7").run()
    assert "Set the clock" in text_of(app)


def test_a_subject_that_was_added_is_chosen_among_many(place: Path) -> None:
    with open_store(place) as store:
        for number in range(60):
            store.add_subject(Subject(f"a{number:02}"))
    app = opened()
    assert "The first 50 are listed" in words(app)
    app.text_input[0].set_value("a0").run()
    for code in ("z9", "z8"):
        next(one for one in app.text_input if one.label == "Code").set_value(code)
        pressed(app, "Add")
        assert not app.exception
        assert box(app, "Subject").value == code
        assert app.text_input[0].value == ""
    app.run()
    assert box(app, "Subject").value == "z8"


def test_a_code_that_has_another_name_is_refused_in_words(place: Path) -> None:
    with open_store(place) as store:
        store.add_subject(Subject("7", "One"))
    app = added("7", "Other")
    assert not app.exception
    assert "has another name already" in app.error[0].value


def test_a_subject_whose_treatments_were_many_is_told_the_longer_band(place: Path) -> None:
    from wrinklecv.ui.follow_course import _sources

    days = (date(2024, 1, 1), date(2024, 5, 1), date(2024, 9, 1))
    text = _sources([Treatment("7", day, (Region.GLABELLA,)) for day in days], WINDOWS)
    assert "wearing off on days 90 to 240" in text
    assert "6 to 8 months after several treatments" in text
    assert not _sources([], WINDOWS)


# -- in a real browser -----------------------------------------------------------------------------


class Tab(BrowserTab):
    """A tab on the page of follow-up."""

    def __init__(self, browser: Browser, address: str, *, width: int = 1280, scheme: Any = "light") -> None:
        page, until = part_of(address, "follow-up"), DISCLAIMER[:40]
        super().__init__(
            browser, page, until=until, width=width, height=4200, scheme=scheme, timeout_ms=120_000
        )

    def choose(self, code: str) -> None:
        self.page.get_by_role("combobox", name="Subject").click()
        self.page.get_by_role("option", name=code).first.click()

    def upload(self, *files: tuple[str, bytes]) -> None:
        given: Any = [{"name": n, "mimeType": "image/jpeg", "buffer": content} for n, content in files]
        self.page.locator("input[type=file]").set_input_files(given)


@pytest.fixture(scope="module")
def imported(browser: Browser, address: str) -> str:
    """The served app, with the drawn subjects taken in by the page itself; clicked twice, as people do."""
    tab = Tab(browser, address)
    tab.page.get_by_role("button", name="Import the sample subjects").dblclick(delay=60)
    tab.wait("How is this computed?")
    tab.page.get_by_text("Visits and treatments on record").click()
    assert tab.page.get_by_role("table").first.get_by_role("row").count() == 1 + 3
    assert tab.page.get_by_role("table").nth(1).get_by_role("row").count() == 1 + 1
    assert not tab.strangers()
    return address


def test_two_clicks_on_save_store_one_visit_and_nothing_is_asked_of_strangers(
    browser: Browser, imported: str
) -> None:
    tab = Tab(browser, imported)
    tab.page.get_by_text("Add a subject").first.click()
    tab.page.get_by_role("textbox", name="Code", exact=True).fill(HOSTILE[:60])
    tab.page.get_by_role("button", name="Add", exact=True).click()
    tab.wait("Nothing is saved before you press Save")
    tab.upload((HOSTILE.replace("/", ""), sample("rest", "20250124")), ("page.jpg", b"<html>"))
    tab.wait("The file is not a picture")
    tab.page.get_by_role("textbox", name="Notes (optional)").fill(HOSTILE)
    tab.page.get_by_role("textbox", name="Notes (optional)").blur()
    tab.page.wait_for_timeout(1000)
    tab.page.get_by_role("button", name="Save the visit").dblclick(delay=150)
    # The photo belongs to the drawn subject already: a calm sentence, nothing saved.
    tab.wait("This does not work")
    tab.page.get_by_role("button", name="Discard this form").click()
    tab.wait("Nothing is saved before you press Save")
    tab.upload(("r.jpg", sample("rest", "20250124") + b"\0"))
    tab.page.get_by_role("button", name="Save the visit").wait_for(timeout=60_000)
    tab.wait("What 1 photo shows is not told")
    tab.page.get_by_role("button", name="Save the visit").dblclick(delay=150)
    tab.wait("The visit is saved, with 1 photo.")
    tab.wait("No photo at rest or with a known expression yet")
    tab.page.get_by_text("Visits and treatments on record").click()
    rows = tab.page.get_by_role("table").first.get_by_role("row")
    rows.nth(1).wait_for(timeout=60_000)
    assert rows.count() == 1 + 1
    assert not tab.strangers()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_its_window_in_light_and_dark(
    browser: Browser, imported: str, scheme: str, tmp_path: Path
) -> None:
    tab = Tab(browser, imported, scheme=scheme)
    tab.choose("001")
    tab.wait("How is this computed?")
    for width in (1280, 820):
        tab.page.set_viewport_size({"width": width, "height": 4200})
        tab.page.wait_for_timeout(1000)
        picture = tmp_path / f"follow_up_{width}_{scheme}.png"
        tab.page.screenshot(path=picture, full_page=True)
        assert picture.stat().st_size > 50_000
        assert tab.page.get_by_test_id("stVegaLiteChart").count() == 5
        assert tab.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not tab.strangers()
