"""The app under use: ten sessions at once, a large photo from drop to result, a second look."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .served import Served, launched, processes_of, pss_mb, serve
from .session import Run, Session
from .speed import drawn_photo, with_comment
from .table import Bar, Table, bar_table

if TYPE_CHECKING:
    from playwright.sync_api import Page

_SESSIONS, _MINUTES, _THINK_S = 10, 4.0, 5.0
_DROPS, _LOOKS, _MEGAPIXELS = 7, 20, 12
_SAMPLES = Path(__file__).parent.parent / "sample_images"
_REST = "sub-002_ses-20250110_expr-rest_run-1.jpg"
_SUBJECT_PAGES = ("follow-up", "before-and-after")
_PAGES = ("assess-photo", "rest-and-expression", *_SUBJECT_PAGES, "batch", "about")
_RESULT = "Wrinkle index"


class Step(NamedTuple):
    """What a session did, and how the run of the page went."""

    name: str
    run: Run


def run(data: Path) -> tuple[Table, ...]:
    """Serve the app on the drawn subjects and use it; `data` is not needed."""
    del data
    with tempfile.TemporaryDirectory(prefix="wrinklecv-app-") as name:
        folder = Path(name)
        store = folder / "store"
        command = [sys.executable, "-m", "wrinklecv", "import", str(_SAMPLES), "--store", str(store)]
        subprocess.run(command, check=True, capture_output=True)
        with serve(folder, store) as served:
            alone = (drops(served, drawn_photo(folder, _MEGAPIXELS).read_bytes()), looks(served))
        with serve(folder, store) as served:
            return (sessions(served, number=_SESSIONS, minutes=_MINUTES, think_s=_THINK_S), *alone)


# -- ten sessions ----------------------------------------------------------------------------------


def sessions(served: Served, *, number: int, minutes: float, think_s: float) -> Table:
    """Let sessions use the app at once; time every run of a page, the first ones too."""
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(1.0):
            peak[0] = max(peak[0], pss_mb(processes_of(served.pid)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    until = time.monotonic() + 60 * minutes
    try:
        with ThreadPoolExecutor(number) as pool:
            used = pool.map(lambda k: _use(served.url, k, until, think_s), range(number))
            steps = [step for some in used for step in some]
    finally:
        ended.set()
        watcher.join()
    seconds = [step.run.seconds for step in steps]
    errors = [error for step in steps for error in step.run.errors]
    late = float(np.quantile(seconds, 0.95))
    bars = [
        Bar("runs of a page", f"{len(steps)}"),
        Bar("median", f"{statistics.median(seconds):.2f} s"),
        Bar("95 of 100 within", f"{late:.2f} s", "≤ 1 s", late <= 1),
        Bar("slowest", f"{max(seconds):.2f} s"),
        *(_kind(name, steps) for name in sorted({step.name for step in steps})),
        Bar("errors", f"{len(errors)}", "0", not errors),
        Bar("memory of server and workers, peak", f"{peak[0]:.0f} MB", "≤ 1200 MB", peak[0] <= 1200),
    ]
    note = (
        f"{number} sessions for {minutes:g} minutes, {think_s:g} s between runs (give or take half of it): "
        "each begins on Start and measures a photo of its own; then it changes boxes and switches, goes to "
        "other pages and subjects, and gives more photos. The sessions speak with the app as browsers do, "
        "without drawing; a run is from the request to the end of the script. Memory is PSS: what processes "
        "share counts once."
    )
    return bar_table(f"{number} sessions at once", bars, note)


def _kind(name: str, steps: Sequence[Step]) -> Bar:
    seconds = [step.run.seconds for step in steps if step.name == name]
    half, late = np.quantile(seconds, (0.5, 0.95))
    return Bar(f"— {name}", f"{half:.2f} s, 95 of 100 within {late:.2f} s ({len(seconds)} runs)")


def _use(url: str, number: int, until: float, think_s: float) -> list[Step]:
    """Use the app as one person does."""
    chance = random.Random(number)  # noqa: S311 - no secret
    content = (_SAMPLES / _REST).read_bytes()
    time.sleep(chance.uniform(0, think_s))
    steps, page, photos = [], "assess-photo", 0
    with closing(Session(url)) as session:
        steps.append(Step("the first page", session.open("")))
        time.sleep(think_s * chance.uniform(0.5, 1.5))
        steps.append(Step("to another page", session.open(page)))
        while time.monotonic() < until:
            time.sleep(think_s * chance.uniform(0.5, 1.5))
            what = chance.random()
            if not photos or (page == "assess-photo" and what < 0.2):
                photos += 1
                own = with_comment(content, f"{number} {photos}")
                steps.append(Step("a photo of its own", session.upload(0, f"{number}.jpg", own)))
            elif what < 0.35:
                page = chance.choice(_PAGES)
                steps.append(Step("to another page", session.open(page)))
                if page in _SUBJECT_PAGES:
                    time.sleep(think_s * chance.uniform(0.5, 1.5))
                    code = chance.choice(("001", "002"))
                    steps.append(Step("to a subject", session.choose("Subject", code)))
            else:
                steps.append(Step("a box or switch", session.change_something(chance)))
    return steps


# -- a photo from drop to result -------------------------------------------------------------------


def drops(served: Served, content: bytes) -> Table:
    """Drop a large photo into the page in a browser, each time in other bytes, and wait for its result."""
    from playwright.sync_api import sync_playwright

    name = f"A photo of {_MEGAPIXELS} megapixels from drop to result"
    with sync_playwright() as playwright:
        browser = launched(playwright)
        if browser is None:
            return bar_table(name, [Bar("from drop to result", "not measured: no Chromium")])
        page = browser.new_page(viewport={"width": 1280, "height": 2400})
        took = [_drop(page, served.url, with_comment(content, f"drop {k}"), k) for k in range(_DROPS)]
        browser.close()
    seconds, progress = zip(*took, strict=True)
    worst, shown = max(seconds[1:]), sum(progress)
    bars = [
        Bar("first", f"{seconds[0]:.2f} s", "≤ 3 s", seconds[0] <= 3),
        Bar(f"next {_DROPS - 1}, median", f"{statistics.median(seconds[1:]):.2f} s"),
        Bar(f"next {_DROPS - 1}, slowest", f"{worst:.2f} s", "≤ 3 s", worst <= 3),
        Bar("progress shown", f"{shown} of {_DROPS}", f"{_DROPS}", shown == _DROPS),
    ]
    size = f"{len(content) / 1e6:.1f} MB"
    note = f"Chromium on the same cores as the app; a JPEG of {size}; until numbers and pictures stand."
    return bar_table(name, bars, note)


def _drop(page: Page, url: str, content: bytes, number: int) -> tuple[float, bool]:
    """Return the seconds from drop to result, and whether the page said meanwhile that it measures."""
    page.goto(f"{url}/assess-photo")
    page.get_by_text(_RESULT).first.wait_for(timeout=120_000)
    _settle(page)
    page.evaluate(
        "() => { window.saidSo = false; new MutationObserver(() => {"
        " window.saidSo ||= !!document.querySelector('[data-testid=stSpinner]') })"
        ".observe(document.body, {childList: true, subtree: true}) }"
    )
    name = f"drop{number}.jpg"
    started = time.perf_counter()
    given = {"name": name, "mimeType": "image/jpeg", "buffer": content}
    page.locator("input[type=file]").first.set_input_files(given)  # type: ignore[arg-type]
    page.locator("h3, h2, p").filter(has_text=name).first.wait_for(timeout=60_000)
    page.get_by_text(_RESULT).first.wait_for(timeout=60_000)
    _settle(page)
    return time.perf_counter() - started, bool(page.evaluate("window.saidSo"))


def _settle(page: Page) -> None:
    """Wait until nothing runs and nothing old is shown."""
    busy = "[data-testid=stStatusWidget], [data-testid=stSkeleton], [data-stale=true]"
    page.wait_for_function(f"!document.querySelector('{busy}')", timeout=60_000)


# -- a second look ---------------------------------------------------------------------------------


def looks(served: Served) -> Table:
    """Go between photos that were measured before: the run of the page alone."""
    with closing(Session(served.url)) as session:
        session.open("assess-photo")
        label = "Or a sample: drawn, not a person"
        shown = ("rest", "smile")
        runs = [session.choose(label, shown[k % 2]) for k in range(2 + _LOOKS)]
        seconds = [one.seconds for one in runs[2:]]
    half, most = statistics.median(seconds), max(seconds)
    bars = [
        Bar("median", f"{1000 * half:.0f} ms", "≤ 200 ms", half <= 0.2),
        Bar("slowest", f"{1000 * most:.0f} ms"),
    ]
    note = f"{_LOOKS} looks at drawn photos measured before; from the request to the end of the script."
    return bar_table("A second look at a photo", bars, note)
