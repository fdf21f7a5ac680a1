"""The pages Start, Photo protocol, About and limits, and Batch, as a person meets them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app_pages
import pytest
from browser_tabs import Tab
from streamlit.testing.v1 import AppTest
from test_app import HOSTILE, ROOT, SAMPLES, words

from benchmarks.served import serve
from wrinklecv import DISCLAIMER, Verdict, assess, read_csv, read_photo
from wrinklecv.model import MODEL_SHA256
from wrinklecv.settings import DEFAULTS
from wrinklecv.store import open_store
from wrinklecv.ui import about, batch, batch_jobs, parts, photo_protocol, texts
from wrinklecv.ui import home as home_page
from wrinklecv.ui.batch_jobs import ENDS, Job, Phase, State
from wrinklecv.visits import Subject

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WRINKLECV_STORE", str(tmp_path / "store"))
    return tmp_path / "store"


def elements(app: AppTest, kind: str) -> list[Any]:
    return list(app.get(kind))


# -- Start -----------------------------------------------------------------------------------------


def home() -> AppTest:
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()


def test_the_app_opens_on_its_pages_and_offers_the_drawn_subjects() -> None:
    app = home()
    assert not app.exception
    assert app.title[0].value == "Wrinkle lines in photographs"
    assert [one.value for one in app.subheader] == ["Measure", "Over time", "Help"]
    assert app.button[0].label == "Import the sample subjects"
    assert "No subject is recorded yet" in words(app)
    assert app.caption[-1].value == DISCLAIMER


def test_where_subjects_are_recorded_nothing_is_offered(place: Path) -> None:
    with open_store(place) as store:
        store.add_subject(Subject("7"))
    app = home()
    assert not app.exception
    assert not app.button


def test_start_leads_to_every_page_and_says_what_it_is_for() -> None:
    app = home()
    labels = [link.proto.label for link in elements(app, "page_link")]
    assert len(labels) == len(set(labels)) == len(home_page._SAYS)
    assert all(sentence in words(app) for _, sentence in home_page._SAYS.values())


# -- Photo protocol --------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [*photo_protocol.SHOTS, *photo_protocol.FAULTS], ids=lambda one: one.file)
def test_an_example_is_judged_as_its_caption_says(shown: photo_protocol.Example) -> None:
    found = assess(read_photo((photo_protocol.EXAMPLES / f"{shown.file}.jpg").read_bytes()))
    doubts = {finding.code for finding in found.quality if finding.verdict is not Verdict.PASS}
    assert doubts == set() if shown.code is None else shown.code in doubts


def test_the_protocol_tells_all_shots_and_that_faces_are_drawn() -> None:
    app = app_pages.opened("photo_protocol")
    assert not app.exception
    text = words(app)
    for promise in ("Brow raise", "Frown", "Smile", "Rest", "Three shots", "no glasses", "original", "drawn"):
        assert promise in text
    assert app.code[0].value == "sub-001_ses-20250110_expr-frown_run-1.jpg"


# -- About and limits ------------------------------------------------------------------------------


def test_about_tells_versions_limits_and_where_the_data_lie(place: Path) -> None:
    app = app_pages.opened("about")
    assert not app.exception
    text = words(app)
    assert DISCLAIMER in text
    assert all(one in text for one in about.CANNOT_TELL)
    assert [code.value for code in app.code] == [str(place), str(place / "batches")]
    versions = app.dataframe[1].value
    assert MODEL_SHA256 in versions["Version"].str.cat()
    assert DEFAULTS.digest in versions["Version"].str.cat()
    libraries = app.dataframe[2].value.set_index("Library")
    assert (libraries["Licence"].str.len() > 2).all()
    assert libraries.loc["mediapipe", "Version"] == "0.10.31"


def test_what_it_cannot_tell_is_the_same_in_the_readme() -> None:
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    for sentence in about.CANNOT_TELL:
        assert sentence.replace("“", '"').replace("”", '"') in readme


def test_figures_of_accuracy_are_those_of_the_record() -> None:
    written = (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    told = texts.chapters("accuracy.md")
    row = next(line for line in written.splitlines() if line.startswith("| lines found once"))
    assert row in words(app_pages.opened("about"))
    assert all(f"## {title}" in written for title in told if title)
    assert not any("![" in text or "](" in text for text in told.values()), "pictures and links lead nowhere"


def test_a_database_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRINKLECV_STORE", "postgresql://me:secret@here/faces")
    app = app_pages.opened("about")
    assert app.code[0].value == "postgresql://here/faces"


# -- Batch -----------------------------------------------------------------------------------------


def ended(job: Job, *, within_s: float = 120) -> State:
    for _ in range(int(within_s / 0.2)):
        if job.state().phase in ENDS:
            return job.state()
        time.sleep(0.2)
    raise AssertionError(f"it goes on: {job.state()}")


def page() -> AppTest:
    return app_pages.opened("batch")


def started(folder: Path) -> AppTest:
    app = page()
    app.text_input[0].set_value(str(folder)).run()
    return next(button for button in app.button if button.label == "Start").click().run()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for sample in SAMPLES[:2]:
        (folder / sample.name).write_bytes(sample.read_bytes())
    (folder / "page.jpg").write_bytes(b"<html>")
    (folder / HOSTILE.replace("/", "")).write_bytes(b"\xff\xd8\xff\xe0 cut")
    return folder


def test_a_folder_is_measured_in_the_background_and_looked_at_again(photos: Path) -> None:
    app = started(photos)
    assert not app.exception
    (job,) = batch_jobs.jobs()
    assert ended(job).phase is Phase.FINISHED
    app = page()
    assert not app.exception
    assert parts.md("2 rejected, 2 scored") in words(app)
    reasons, table = (frame.value for frame in app.dataframe)
    assert dict(zip(reasons["Reason"], reasons["Files"], strict=True)) == {"not_an_image": 1, "truncated": 1}
    assert len(table) == 4
    assert HOSTILE[:9] in table["path"].str.cat()
    labels = [button.label for button in elements(app, "download_button")]
    assert {"photos.csv", "measures_long.csv", "lines.csv", "run.json"} <= set(labels)
    assert json.loads((job.results / "run.json").read_text("utf-8"))
    assert sorted(path.name for path in photos.iterdir()) == sorted(
        [*(s.name for s in SAMPLES[:2]), "page.jpg", HOSTILE.replace("/", "")]
    )


def test_two_clicks_on_start_are_one_batch(photos: Path) -> None:
    key = batch_jobs.new_key()
    first = batch_jobs.make_job(photos, (), key=key, overlays=False)
    again = batch_jobs.make_job(photos, (), key=key, overlays=False)
    assert first == again
    assert batch_jobs.jobs() == [first]
    ended(first)


@pytest.mark.slow
def test_a_batch_is_cancelled_keeps_its_photos_and_goes_on(place: Path) -> None:
    given = [(sample.name, sample.read_bytes()) for sample in SAMPLES[-4:]]
    job = batch_jobs.make_job(None, given, key=batch_jobs.new_key(), overlays=False)
    job.cancel()
    assert ended(job).phase is Phase.CANCELLED
    assert len(list(job.photos.iterdir())) == len(given)
    app = page()
    assert "Cancelled" in words(app)
    next(button for button in app.button if button.label == "Go on").click().run()
    assert not app.exception
    assert ended(job).phase is Phase.FINISHED
    assert not job.photos.exists(), "uploaded photos are deleted once they are measured"
    assert sum(job.state().statuses.values()) == len(given)


def test_a_batch_whose_process_died_is_said_to_have_stopped(photos: Path) -> None:
    job = batch_jobs.make_job(photos, (), key=batch_jobs.new_key(), overlays=False)
    ended(job)
    job.tell(State(Phase.PHOTOS, 1, 4))
    long_ago = time.time() - 100
    os.utime(job.folder / "state.json", (long_ago, long_ago))
    assert job.state().phase is Phase.LOST
    assert "Its process ended without a word" in words(page())


@pytest.mark.slow
def test_a_folder_goes_from_start_to_saved_tables_in_a_browser_though_the_tab_is_closed(
    browser: Browser, photos: Path, tmp_path: Path
) -> None:
    with serve(tmp_path) as served:
        tab = Tab(browser, f"{served.url}/batch", until="No batch yet", timeout_ms=120_000)
        tab.page.get_by_role("textbox", name="Folder").fill(str(photos))
        tab.page.get_by_role("textbox", name="Folder").blur()
        tab.page.get_by_role("button", name="Start", exact=True).click()
        tab.page.get_by_role("button", name="Cancel").or_(tab.page.get_by_text("All of it, with")).wait_for()
        tab.page.context.close()
        tab = Tab(browser, f"{served.url}/batch", until="All of it, with a document", timeout_ms=120_000)
        assert tab.page.get_by_text("Not measured: 2 of 4").count() == 1
        with tab.page.expect_download() as waiting:
            tab.page.get_by_role("button", name="photos.csv").click()
        waiting.value.save_as(tmp_path / "saved.csv")
        rows = read_csv(tmp_path / "saved.csv")
        assert sorted(str(row["status"]) for row in rows) == ["rejected", "rejected", "scored", "scored"]
        assert not tab.strangers()


def test_a_folder_that_is_not_there_is_a_sentence() -> None:
    app = started(Path("/nowhere/![x](http://evil.example)"))
    assert not app.exception
    assert "There is no folder" in app.error[0].value
    assert "![x]" not in app.error[0].value
    assert not batch_jobs.jobs()


def test_uploaded_names_cannot_leave_their_folder_and_stay_apart() -> None:
    names = [
        "../../etc/passwd",
        "a.jpg",
        "A.JPG",
        "",
        "x" * 9999 + ".jpg",
        "con:.jpg",
        "\x00\n.jpg",
        "é" * 300,
    ]
    made = batch_jobs._file_names(names)
    assert len({name.casefold() for name in made}) == len(names)
    assert all(name and "/" not in name and "\\" not in name and len(name.encode()) < 230 for name in made)
    assert made[0] == "_.._etc_passwd"
    assert made[4].endswith(".jpg")


@pytest.mark.parametrize(("seconds", "words_"), [(12.4, "12 s"), (600, "10 min"), (9000, "2 h 30 min")])
def test_time_left_is_said_as_people_say_it(seconds: float, words_: str) -> None:
    assert batch._duration(seconds) == words_
