"""Subjects of a batch followed by their names: alike with any number of processes, and failing softly."""

from __future__ import annotations

import csv
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest

from wrinklecv import followed
from wrinklecv.batch import score
from wrinklecv.changes import PRIOR_NOISE
from wrinklecv.followed import CourseStatus, follow_all, follow_shots, followed_in, treatments_in
from wrinklecv.histories import FollowUp, NoiseFigure
from wrinklecv.listing import Shot, parse_name
from wrinklecv.records import Region
from wrinklecv.settings import DEFAULTS, Settings
from wrinklecv.visits import Treatment
from wrinklecv.workers import at_work

SAMPLES = Path(__file__).parent.parent / "sample_images"
PHOTOS = [f"sub-001_ses-{day}_expr-rest_run-1.jpg" for day in ("20250110", "20250124", "20250410")]


def shot(name: str, file: Path = Path(), sha256: str = "") -> Shot:
    return Shot(file, name, sha256, *parse_name(name))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_subjects_with_two_days_are_followed_and_visits_that_are_no_days_are_not() -> None:
    names = ("sub-1_ses-20250110", "sub-1_ses-20250110_run-2", "sub-2_ses-20250110", "sub-2_ses-2025-02-01")
    shots = [shot(f"{name}_expr-rest.jpg") for name in (*names, "sub-3_ses-a", "sub-3_ses-b", "ses-20250110")]
    by_subject = [[s for s in shots if s.subject == name] for name in ("1", "2", "3")]
    assert [(name, len(own)) for name, own in followed_in(by_subject)] == [("2", 2)]


def test_a_batch_follows_its_subjects_alike_with_any_number_of_processes(tmp_path: Path) -> None:
    photos = tmp_path / "in"
    photos.mkdir()
    for name in (*PHOTOS, "treatments.csv", "sub-002_ses-20250110_expr-rest_run-1.jpg"):
        shutil.copy(SAMPLES / name, photos)
    told: list[object] = []
    for jobs in (1, 2):
        summary = score(
            [photos],
            tmp_path / str(jobs),
            jobs=jobs,
            overlays=False,
            progress=lambda outcome, done, total: told.append(outcome),
        )
        assert summary.courses == {CourseStatus.FOLLOWED: 1}
    one, two = tmp_path / "1", tmp_path / "2"
    for name in ("changes.csv", "line_histories.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    changes = rows(one / "changes.csv")
    assert {row["subject"] for row in changes} == {"001"}
    assert {row["treated"] for row in changes} == {"true"}
    last = [row for row in changes if (row["since"], row["until"]) == ("2025-01-10", "2025-04-10")]
    assert len(last) == len(Region)
    assert {row["verdict"] for row in last} == {"changed"}
    assert all(float(row["share"]) == pytest.approx(0.76 - 1, abs=0.05) for row in last)
    assert len(rows(one / "line_histories.csv")) % 3 == 0
    assert len(list((one / "json").glob("*_001_follow_up.json"))) == 1
    assert isinstance(told[-1], followed.Course)


def test_a_photo_that_changed_meanwhile_costs_its_subject_only(tmp_path: Path) -> None:
    shots = [shot(name, SAMPLES / name, "0" * 64) for name in PHOTOS]
    with at_work(1) as workers:
        (course,) = follow_all([("001", shots)], (), DEFAULTS, workers)
    assert (course.status, course.followed) == (CourseStatus.REJECTED, None)
    assert course.message == f"{PHOTOS[0]} changed after it was scored. Score the folder again."


def die(
    shots: Sequence[Shot], treatments: Sequence[Treatment], settings: Settings, noise: NoiseFigure
) -> FollowUp | str:
    os._exit(3)


def test_a_subject_whose_process_dies_has_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "follow_shots", die)
    with at_work(2) as workers:
        (course,) = follow_all([("001", [shot(PHOTOS[0])])], (), DEFAULTS, workers)
    assert (course.status, course.followed) == (CourseStatus.CRASHED, None)
    assert "died" in course.message


def test_treatments_lie_in_the_folder_and_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    good, bad, none = (tmp_path / name for name in ("good", "bad", "none"))
    for folder in (good, bad, none):
        folder.mkdir()
    (good / "treatments.csv").write_text("subject,date,region\n1,2025-01-10,all\n1,today,all\n")
    (bad / "treatments.csv").write_text("who\n1\n")
    ignored = Counter[str]()
    found = treatments_in([good, bad, none, tmp_path / "a.jpg"], ignored)
    assert found == (Treatment("1", date(2025, 1, 10), tuple(Region)),)
    assert ignored == {"treatments.csv_is_not_such_a_table": 1, "row_of_treatments.csv_with_a_fault": 1}


def test_photos_of_one_day_only_are_a_course_without_changes() -> None:
    import hashlib

    file = SAMPLES / PHOTOS[0]
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    course = follow_shots([shot(PHOTOS[0], file, sha256)], (), DEFAULTS, PRIOR_NOISE)
    assert isinstance(course, FollowUp)
    assert not course.changes
