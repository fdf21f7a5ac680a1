"""Folders taken into a store: every file is accounted for, visits are whole, and twice is once."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from wrinklecv.codes import Code
from wrinklecv.errors import TableError
from wrinklecv.intake import Imported, ImportStatus, ImportSummary, import_folder
from wrinklecv.records import Expression, Region
from wrinklecv.settings import DEFAULTS
from wrinklecv.store import Method, Store, open_store
from wrinklecv.visits import PhotoKind

SAMPLES = Path(__file__).parent.parent / "sample_images"
REST, FROWN = (f"sub-001_ses-20250110_expr-{name}_run-1.jpg" for name in ("rest", "frown"))
METHOD = Method(DEFAULTS.digest)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "in"
    place.mkdir()
    shutil.copy(SAMPLES / REST, place)
    return place


def statuses(summary: ImportSummary) -> dict[str, str]:
    return {one.path: str(one.status) for one in summary.photos}


def test_a_folder_is_taken_in_by_names_with_every_file_accounted_for(store: Store, folder: Path) -> None:
    shutil.copy(SAMPLES / FROWN, folder)
    (folder / "sub-001_ses-20250110_marking.jpg").write_bytes(b"dots")
    (folder / "sub-001_ses-20250110_expr-smile.jpg").write_bytes(b"<html>")
    (folder / "holiday.jpg").write_bytes(b"x")
    (folder / f"copy_{REST}").write_bytes((SAMPLES / REST).read_bytes())
    (folder / "notes.txt").write_text("hello")
    shutil.copy(SAMPLES / "treatments.csv", folder)
    told: list[Imported] = []
    summary = import_folder(store, folder, jobs=1, progress=lambda one, done, total: told.append(one))
    assert statuses(summary) == {
        f"copy_{REST}": "imported",
        "holiday.jpg": "refused",
        FROWN: "imported",
        REST: "refused",
        "sub-001_ses-20250110_expr-smile.jpg": "refused",
        "sub-001_ses-20250110_marking.jpg": "imported",
    }
    codes = {one.path: one.code for one in summary.photos}
    assert codes[REST] is Code.DUPLICATE_OF
    assert codes["sub-001_ses-20250110_expr-smile.jpg"] is Code.NOT_AN_IMAGE
    assert sorted(told, key=lambda one: one.path) == list(summary.photos)
    assert summary.ignored == Counter(not_a_photo_file=1)
    assert not summary.is_complete
    (visit,) = store.page("001").visits
    assert visit.visited_on == date(2025, 1, 10)
    assert Counter(p.kind for p in visit.photos) == {
        PhotoKind.REST: 1,
        PhotoKind.EXPRESSION: 1,
        PhotoKind.MARKING: 1,
    }
    assert [c.name for c in store.comparisons("001", METHOD)] == [Expression.FROWN]
    (treatment,) = store.page("001").treatments
    assert treatment.regions == tuple(Region)


def test_importing_twice_changes_nothing(store: Store, folder: Path) -> None:
    shutil.copy(SAMPLES / "treatments.csv", folder)
    first = import_folder(store, folder, jobs=1)
    page, head = store.page("001"), store.audit_head()
    again = import_folder(store, folder, jobs=1)
    assert {one.status for one in first.photos + first.treatments} == {ImportStatus.IMPORTED}
    assert {one.status for one in again.photos + again.treatments} == {ImportStatus.ALREADY_THERE}
    assert store.page("001") == page
    assert store.audit_head() == head
    assert first.is_complete and again.is_complete


def test_photos_that_come_later_join_the_visit_of_their_day_and_are_compared(
    store: Store, folder: Path
) -> None:
    import_folder(store, folder, jobs=1)
    shutil.copy(SAMPLES / FROWN, folder)
    assert statuses(import_folder(store, folder, jobs=1)) == {FROWN: "imported", REST: "already_there"}
    (visit,) = store.page("001").visits
    assert len(visit.photos) == 2
    assert [c.name for c in store.comparisons("001", METHOD)] == [Expression.FROWN]


def test_a_manifest_overrides_names_and_its_faults_have_lines(store: Store, folder: Path) -> None:
    (folder / "sub").mkdir()
    shutil.copy(SAMPLES / FROWN, folder / "sub" / "x.jpg")
    (folder / "manifest.csv").write_text(
        "path,subject,visit_date,expression,notes,colour\n"
        "sub/x.jpg,9,2025-01-10,frown,tired,red\n"
        f"{REST},9,,,,\n"
        "gone.jpg,9,2025-01-10,,,\n"
        "bad.jpg,9,yesterday,,,\n"
    )
    summary = import_folder(store, folder, jobs=1)
    assert statuses(summary) == {
        REST: "imported",
        "sub/x.jpg": "imported",
        "gone.jpg": "refused",
        "bad.jpg": "refused",
    }
    (visit,) = store.page("9").visits
    assert (len(visit.photos), visit.notes) == (2, "tired")
    assert [(one.path, one.message) for one in summary.photos if one.message] == [
        ("gone.jpg", "manifest.csv, line 4: there is no such file. Correct its path."),
        ("bad.jpg", "manifest.csv, line 5: 'yesterday' is no day; write it as 2025-01-10."),
    ]


def test_a_visit_with_a_photo_of_someone_else_is_refused_whole(store: Store, folder: Path) -> None:
    import_folder(store, folder, jobs=1)
    shutil.copy(SAMPLES / REST, folder / "sub-002_ses-20250110_expr-rest.jpg")
    shutil.copy(SAMPLES / FROWN, folder / "sub-002_ses-20250110_expr-frown.jpg")
    summary = import_folder(store, folder, jobs=1)
    refused = [one for one in summary.photos if one.subject == "002"]
    assert {one.status for one in refused} == {ImportStatus.REFUSED}
    assert all("belongs to visit 1 of subject 001" in one.message for one in refused)
    assert not store.page("002").visits


def test_a_treatment_of_nobody_is_refused_with_its_line(store: Store, folder: Path) -> None:
    (folder / "treatments.csv").write_text("subject,date,region\n77,2025-01-10,all\n")
    (one,) = import_folder(store, folder, jobs=1).treatments
    assert one.message.startswith("treatments.csv, line 2: There is no subject 77")


def test_a_manifest_that_is_no_table_stops_before_anything_is_stored(store: Store, folder: Path) -> None:
    (folder / "manifest.csv").write_text("photo\nx\n")
    with pytest.raises(TableError, match=r"manifest\.csv, line 1"):
        import_folder(store, folder, jobs=1)
    assert not store.subjects()
