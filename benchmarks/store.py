"""The store when it is large: how long a subject's page, a list, a search, a save and a purge take."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from itertools import count, islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from wrinklecv.assessment import assess
from wrinklecv.photo import read_photo
from wrinklecv.records import Assessment, Expression
from wrinklecv.store import METRICS, Store, open_store
from wrinklecv.visits import NewPhoto, VisitForm

from .table import Bar, Table, bar_table

SUBJECTS, VISITS_EACH, PHOTOS_EACH = 20_000, 5, 2
PAGES, SAVES = 2000, 300
_SAMPLE = Path(__file__).parent.parent / "sample_images" / "sub-001_ses-20250110_expr-smile_run-1.jpg"
T = TypeVar("T")
_FIRST_DAY = date(2020, 1, 1)
_FIRST_MOMENT = "2020-01-01 00:00:00.000000"
_SEED = 11


def run(data: Path) -> tuple[Table, ...]:
    """Make a large store in a temporary folder and use it; `data` is not needed."""
    del data
    with tempfile.TemporaryDirectory(prefix="wrinklecv-store-") as folder:
        place = Path(folder) / "store"
        with open_store(place):
            pass
        began = time.perf_counter()
        make(place / "wrinklecv.sqlite3", SUBJECTS)
        bars = [Bar("to make it", f"{time.perf_counter() - began:.0f} s")]
        began = time.perf_counter()
        with open_store(place) as store:
            bars.append(Bar("open it", f"{1000 * (time.perf_counter() - began):.1f} ms"))
            bars += measured(store)
        size = (place / "wrinklecv.sqlite3").stat().st_size
    return (bar_table("A large store", bars, _note(size)),)


def measured(store: Store, subjects: int = SUBJECTS, pages: int = PAGES, saves: int = SAVES) -> list[Bar]:
    """Time what people wait for in a store of so many subjects."""
    chance = random.Random(_SEED)  # noqa: S311 - no secret
    codes = [f"S{chance.randrange(subjects):05d}" for _ in range(pages)]
    small, large = _forms(codes, 50_000), _forms(codes, 3_000_000)
    times = {
        "a subject's page": _times(store.page, codes),
        "a list of 100 subjects": _times(lambda code: store.subjects(after=code), codes[:200]),
        "a search in names": _times(lambda code: store.subjects(f"ame {code[1:]}"), codes[:100]),
        "save a visit: 4 photos of 50 kB": _times(store.save_visit, islice(small, saves)),
        "save a visit: 4 photos of 3 MB": _times(store.save_visit, islice(large, saves // 8)),
    }
    most = {"a subject's page": 20, "a list of 100 subjects": 20, "a search in names": 50}
    most["save a visit: 4 photos of 50 kB"] = 50
    bars = [_bar(name, taken, most.get(name)) for name, taken in times.items()]
    began = time.perf_counter()
    store.purge(codes[0])
    return [*bars, Bar("purge a subject, all files compacted", f"{time.perf_counter() - began:.1f} s")]


def make(database: Path, subjects: int) -> None:
    """Fill an empty store's database with subjects, five visits each, two measured photos a visit."""
    visits = subjects * VISITS_EACH
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        put = connection.executemany
        put(
            "INSERT INTO subjects (id, code, recorded_at) VALUES (?, ?, ?)",
            ((n + 1, f"S{n:05d}", _FIRST_MOMENT) for n in range(subjects)),
        )
        put("INSERT INTO subject_names VALUES (?, ?)", ((n + 1, f"Name {n:05d}") for n in range(subjects)))
        put(
            "INSERT INTO visits (id, subject_id, number, visited_on, recorded_at, changed_at, changed_by,"
            " version, notes, form_key, form_digest) VALUES (?, ?, ?, ?, ?, ?, 'Ann', 1, 'as agreed', ?, ?)",
            (_visit(n, subjects) for n in range(visits)),
        )
        photos = range(visits * PHOTOS_EACH)
        put("INSERT INTO files VALUES (?, 3000000, ?)", ((_sha256(n), _FIRST_MOMENT) for n in photos))
        put(
            "INSERT INTO photos (id, visit_id, sha256, kind, expression, run, consent, original_name)"
            " VALUES (?, ?, ?, ?, ?, '1', 'study', 'IMG_0001.JPG')",
            ((n + 1, n // PHOTOS_EACH + 1, _sha256(n), *_SHOWN[n % PHOTOS_EACH]) for n in photos),
        )
        put(
            "INSERT INTO assessments VALUES (?, ?, '0123456789abcdef', ?, 3, ?, ?)",
            ((n + 1, _sha256(n), "64" * 32, _FIRST_MOMENT, "x" * 1000) for n in photos),
        )
        connection.execute("CREATE TEMP TABLE metric (region, name)")
        regions = ("crows_feet_left", "crows_feet_right", "forehead", "glabella")
        put("INSERT INTO metric VALUES (?, ?)", ((r, m) for r in regions for m in sorted(METRICS)))
        connection.execute(
            "INSERT INTO measures SELECT a.id, m.region, m.name, a.id * 0.37, 0.7"
            " FROM assessments a, metric m"
        )
        connection.commit()


_SHOWN = (("rest", "rest"), ("expression", "smile"))


def _visit(number: int, subjects: int) -> tuple[object, ...]:
    """Return a visit's row: each subject's visits lie far apart in the table, as in life."""
    subject, turn = number % subjects, number // subjects
    day = _FIRST_DAY + timedelta(days=30 * turn)
    digest = _sha256(-number - 1)
    return (number + 1, subject + 1, turn + 1, str(day), _FIRST_MOMENT, _FIRST_MOMENT, f"k{number}", digest)


def _sha256(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _forms(codes: list[str], size: int) -> Iterator[VisitForm]:
    """Yield forms of visits with four photos of `size` bytes, each with the assessment of a drawn face."""
    made = replace(assess(read_photo(_SAMPLE)), chart=None)
    noise = np.random.default_rng(_SEED).bytes(size)
    for number in count():
        photos = tuple(
            _photo(b"%d %d %d" % (size, number, turn) + noise, expression, made)
            for turn, expression in enumerate(Expression)
            if expression is not Expression.UNKNOWN
        )
        yield VisitForm(f"{size} {number}", codes[number % len(codes)], _FIRST_DAY, photos)


def _photo(content: bytes, expression: Expression, made: Assessment) -> NewPhoto:
    sha256 = hashlib.sha256(content).hexdigest()
    return NewPhoto(content, expression, assessment=replace(made, photo_sha256=sha256))


def _times(work: Callable[[T], object], things: Iterable[T]) -> list[float]:
    """Return how long `work` took for each thing, ms; making the things is not counted."""
    taken = []
    for thing in things:
        began = time.perf_counter()
        work(thing)
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def _bar(name: str, taken: list[float], most: float | None) -> Bar:
    half, almost = np.percentile(taken, (50, 99))
    value = f"{half:.1f} ms, p99 {almost:.1f} ms"
    return Bar(name, value, f"p99 ≤ {most:g} ms" if most else "", bool(almost <= most) if most else None)


def _note(size: int) -> str:
    return (
        f"SQLite {sqlite3.sqlite_version}, {size / 1e9:.1f} GB: {SUBJECTS:,} subjects, "
        f"{SUBJECTS * VISITS_EACH:,} visits, {SUBJECTS * VISITS_EACH * PHOTOS_EACH:,} photos (rows only), "
        f"{SUBJECTS * VISITS_EACH * PHOTOS_EACH * 4 * len(METRICS):,} region measures. One process; every "
        "save is safe on disk before it counts. Median and 99th percentile."
    )
