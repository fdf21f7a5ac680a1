"""Hostile names and texts on every page, and who is asked: nothing is run, linked, fetched or sent."""

from __future__ import annotations

import csv
import ipaddress
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import app_pages
import hostile_texts as hostile
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_tabs import Tab
from streamlit.testing.v1 import AppTest
from test_app import SAMPLES, uploaded, words

from benchmarks.served import Served, processes_of, serve
from wrinklecv import DISCLAIMER, Expression, Region
from wrinklecv.casebook import NewShot, measure_visit, new_photo
from wrinklecv.errors import WrinkleError
from wrinklecv.store import open_store
from wrinklecv.ui import batch_jobs, parts
from wrinklecv.ui.batch_jobs import ENDS, Phase
from wrinklecv.visits import Subject, Treatment, VisitForm

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")
DATA = Path(__file__).parents[2] / "shared" / "data" / "rest_smile"


def only_escaped(app: AppTest, text: str) -> None:
    """The text stands on the page as `md` writes it, and never as it came."""
    shown = words(app)
    assert not app.exception
    assert parts.md(text) in shown
    assert hostile.STRANGER not in shown.replace(parts.md(text), "").replace(r"\.", "."), "nowhere else"


# -- under Streamlit's tester ----------------------------------------------------------------------


def test_forty_names_of_a_photo_are_text() -> None:
    assert len(set(hostile.TEXTS)) == 40
    app = uploaded("first.jpg", SAMPLES[0].read_bytes())
    for text in map(hostile.sound, hostile.TEXTS):
        app.file_uploader[0].set_value([])
        app.file_uploader[0].upload(f"{text}.jpg", SAMPLES[0].read_bytes(), "image/jpeg")
        app.run()
        only_escaped(app, f"{text}.jpg")


def test_forty_folders_that_are_not_there_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRINKLECV_STORE", str(tmp_path / "store"))
    app = app_pages.opened("batch")
    for text in hostile.TEXTS:
        app.text_input[0].set_value(f"/nowhere/{hostile.sound(text)}").run()
        next(button for button in app.button if button.label == "Start").click().run()
        assert not app.exception
        assert "There is no folder" in app.error[0].value
        assert not re.search(r"(?<!\\)[\[<$*`_@]", app.error[0].value)


def test_forty_files_dropped_at_once_into_a_visit_are_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRINKLECV_STORE", str(tmp_path / "store"))
    with open_store(tmp_path / "store") as store:
        store.add_subject(Subject("000"))
    app = app_pages.opened("follow_up", timeout_s=120)
    next(one for one in app.selectbox if one.label == "Subject").set_value("000").run()
    names = [f"{hostile.sound(text)}.jpg" for text in hostile.TEXTS]
    for number, name in enumerate(names):
        content = SAMPLES[0].read_bytes() if not number else b"<html>" + bytes([number])
        app.file_uploader[0].upload(name, content, "image/jpeg")
    app.run()
    shown = words(app)
    assert not app.exception
    assert "**1 photo accepted.**" in shown
    assert shown.count("Refused]") == 39
    for escaped in sorted(map(parts.md, names), key=len, reverse=True):  # some stand in others
        assert escaped in shown
        shown = shown.replace(escaped, "")
    assert hostile.STRANGER not in shown.replace(r"\.", ".")


@pytest.mark.slow
def test_forty_names_of_two_photos_are_text() -> None:
    rest, smile = (next(p for p in SAMPLES if f"_expr-{shown}" in p.name) for shown in ("rest", "smile"))
    app = app_pages.opened("compare_photos")
    for text in map(hostile.sound, hostile.TEXTS):
        for uploader, photo in zip(app.file_uploader, (rest, smile), strict=True):
            uploader.set_value([])
            uploader.upload(f"{text}.jpg", photo.read_bytes(), "image/jpeg")
        app.run()
        only_escaped(app, f"{text}.jpg")


@pytest.mark.slow
def test_forty_subjects_before_and_after_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WRINKLECV_STORE", str(tmp_path / "store"))
    photos = [
        next(p for p in SAMPLES if f"001_ses-{day}_expr-rest" in p.name) for day in ("20250110", "20250410")
    ]
    shots = measure_visit([NewShot(p.read_bytes(), p.name, Expression.REST) for p in photos], jobs=1)
    codes = []
    with open_store(tmp_path / "store") as store:
        for number, text in enumerate(map(hostile.sound, hostile.TEXTS)):
            code = text[:60]
            try:
                store.add_subject(Subject(code, text[:200]))
            except WrinkleError:
                continue  # the store refuses control signs: then nobody can show them
            codes.append(code)
            for day, shot in zip((date(2025, 1, 10), date(2025, 4, 10)), shots, strict=True):
                form = VisitForm(
                    f"{number}-{day}", code, day, (new_photo(shot),), notes=text, known_photos=True
                )
                store.save_visit(form)
    assert len(codes) > 30
    app = app_pages.opened("before_after", timeout_s=120)
    for code in codes:
        app.text_input[0].set_value(code).run()
        box = next(one for one in app.selectbox if one.label == "Subject")
        box.set_value(code).run()
        assert not app.exception, code
        assert app.subheader[0].value == "These two photos can be compared"
        shown = words(app)
        assert hostile.STRANGER not in shown.replace(parts.md(code), "").replace(r"\.", "."), code


# -- in a real browser -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An app whose store is full of hostile texts."""
    home = tmp_path_factory.mktemp("hostile")
    folder = home / "photos"
    folder.mkdir()
    for number, name in enumerate(hostile.file_names()):
        (folder / name).write_bytes(b"<html>" + bytes([number]))
    with open_store(home / "store") as store:
        store.add_subject(Subject("000", "all of them"))
        taken = 0
        for number, text in enumerate(map(hostile.sound, hostile.TEXTS)):
            try:
                store.add_subject(Subject(text[:60], text[:200]))
                told = Treatment(
                    "000", date(2025, 1, 1), (Region.FOREHEAD,), text[:200], 1.0, notes=text[:2000]
                )
                store.save_treatment(f"key-{number}", told)
                taken += 1
            except WrinkleError:
                pass  # the store refuses control signs: then nobody can show them
        assert taken > 30
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRINKLECV_STORE", str(home / "store"))
        job = batch_jobs.make_job(folder, (), key=batch_jobs.new_key(), overlays=False)
    with serve(home) as app, watched(app.pid) as strangers:
        for _ in range(600):
            if job.state().phase in ENDS:
                break
            threading.Event().wait(0.2)
        assert job.state().phase is Phase.FINISHED
        yield app
    assert not strangers, "the server or a worker spoke with another machine"


@contextmanager
def watched(pid: int) -> Iterator[set[str]]:
    """Collect the addresses outside this machine that a process and its children speak with, or ask."""
    found: set[str] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            found.update(remote_addresses(set(processes_of(pid))))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def remote_addresses(pids: set[int]) -> Iterator[str]:
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").glob("*"):
            try:
                target = str(link.readlink())
            except OSError:
                continue
            inodes |= set(re.findall(r"socket:\[(\d+)\]", target))
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = row.split()
            address = bytes.fromhex(cells[2].partition(":")[0])
            words4 = b"".join(address[k : k + 4][::-1] for k in range(0, len(address), 4))
            remote = ipaddress.ip_address(words4)
            mapped = getattr(remote, "ipv4_mapped", None) or remote
            if cells[9] in inodes and not mapped.is_loopback and not mapped.is_unspecified:
                yield str(mapped)


def harmless(page: Page) -> None:
    """Nothing on the page links, embeds or runs what came from a text."""
    found = page.evaluate(
        """() => ({
          away: [...document.querySelectorAll('a,img,iframe,script,link,source,object,embed,form')]
            .map(e => e.href || e.src || e.action || e.data || '')
            .filter(u => u && !/^(data:|blob:|about:|http:..127.0.0.1:)/.test(u)),
          formulas: document.querySelectorAll('.katex').length,
          quotes: document.querySelectorAll('[data-testid=stMain] blockquote').length,
        })"""
    )
    assert found == {"away": [], "formulas": 0, "quotes": 0}


def test_hostile_texts_in_the_store_are_text(browser: Browser, served: Served) -> None:
    tab = Tab(browser, f"{served.url}/follow-up", until=DISCLAIMER[:40], height=4000, timeout_ms=120_000)
    tab.page.get_by_role("combobox", name="Subject").click()
    tab.page.get_by_role("combobox", name="Subject").fill("all of them")
    tab.page.get_by_role("option").first.click()
    tab.page.get_by_text("Subject 000").wait_for()
    tab.page.get_by_role("radio", name="Course").or_(tab.page.get_by_text("Course", exact=True)).first.click()
    tab.page.get_by_text("Visits and treatments on record").click()
    tab.page.get_by_role("table").last.wait_for()
    harmless(tab.page)
    assert hostile.STRANGER in tab.page.content(), "the texts are there"
    for text in (hostile.TEXTS[0], hostile.TEXTS[12], hostile.TEXTS[35]):
        tab.page.get_by_role("combobox", name="Subject").click()
        tab.page.get_by_role("combobox", name="Subject").fill(text[:12])
        tab.page.get_by_role("option").first.click()
        tab.page.get_by_text("Nothing is saved before you press").wait_for(timeout=60_000)
        harmless(tab.page)
    assert not tab.strangers()


def test_hostile_file_names_of_a_batch_are_text_and_no_formula(browser: Browser, served: Served) -> None:
    tab = Tab(browser, f"{served.url}/batch", until="All of it, with a document", height=3000)
    tab.page.get_by_text("Not measured: 40 of 40").wait_for()
    harmless(tab.page)
    assert not tab.strangers()
    (results,) = (served.store / "batches").glob("*/results")
    for table in results.glob("*.csv"):
        with table.open(encoding="utf-8-sig", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        bad = [
            c for c in cells if c.startswith(hostile.FORMULA) and not re.fullmatch(r"-?[\d.]+(e-?\d+)?", c)
        ]
        assert not bad


PAGES = {
    "": "Over time",
    "assess-photo": "The JPEG is drawn anew",
    "rest-and-expression": "The pictures are drawn anew",
    "batch": "All of it, with a document",
    "follow-up": "Choose a subject to see its course",
    "before-and-after": "Choose a subject",
    "photo-protocol": "Other names work too",
    "about": "Versions and licences",
}


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), pytest.param("dark", 820, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_stranger_fits_and_has_no_grave_fault_of_access(
    browser: Browser, served: Served, page: str, scheme: Any, width: int, tmp_path: Path
) -> None:
    tab = Tab(
        browser, f"{served.url}/{page}", until=PAGES[page], width=width, scheme=scheme, timeout_ms=120_000
    )
    tab.page.get_by_text(DISCLAIMER).first.wait_for(state="attached")
    assert tab.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    tab.page.screenshot(path=tmp_path / "page.png", full_page=True)
    found = Axe().run(tab.page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not [(one["id"], one["nodes"][0]["html"]) for one in grave]
    harmless(tab.page)
    assert not tab.strangers()
    tab.page.context.close()


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no photos at {DATA}")
def test_real_photos_are_measured_and_compared(browser: Browser, served: Served) -> None:
    rest, smile = (DATA / f"sub-002_expr-{shown}.jpg" for shown in ("rest", "smile"))
    tab = Tab(browser, f"{served.url}/assess-photo", until="The JPEG is drawn anew", timeout_ms=180_000)
    tab.page.locator("input[type=file]").set_input_files(str(rest))
    tab.page.get_by_text("Your photo: sub-002").wait_for(timeout=60_000)
    tab.page.get_by_text("regions were measured").first.wait_for(timeout=60_000)
    pair = Tab(
        browser, f"{served.url}/rest-and-expression", until="The pictures are drawn anew", timeout_ms=180_000
    )
    for box, photo in zip(pair.page.locator("input[type=file]").all(), (rest, smile), strict=True):
        box.set_input_files(str(photo))
    pair.page.get_by_text("At rest: sub-002").wait_for(timeout=60_000)
    pair.wait()
    assert not tab.strangers() + pair.strangers()
