"""The bench of the store: what it makes is a store, and it times everything."""

from __future__ import annotations

from pathlib import Path

from benchmarks import store as bench
from wrinklecv.store import METRICS, open_store


def test_the_made_store_is_whole_and_everything_is_timed(tmp_path: Path) -> None:
    with open_store(tmp_path):
        pass
    bench.make(tmp_path / "wrinklecv.sqlite3", 7)
    with open_store(tmp_path) as store:
        page = store.page("S00003")
        assert [len(visit.photos) for visit in page.visits] == [2] * 5
        assert len(page.assessments) == 10
        assert {len(made.measures) for made in page.assessments} == {4 * len(METRICS)}
        bars = bench.measured(store, subjects=7, pages=20, saves=8)
        assert len(bars) == 6
        assert not store._files.has_notes()
