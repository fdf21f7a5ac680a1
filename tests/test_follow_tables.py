"""A course in tables and JSON: every change, point and sighting once, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

from wrinklecv import DISCLAIMER
from wrinklecv.codes import Code
from wrinklecv.follow_tables import (
    CHANGE_COLUMNS,
    CHANGE_VIEW,
    HISTORY_COLUMNS,
    SERIES_COLUMNS,
    change_rows,
    failed_row,
    follow_files,
    history_rows,
    series_rows,
)
from wrinklecv.histories import (
    Asymmetry,
    Change,
    ChangeVerdict,
    Conversion,
    Cycle,
    FollowUp,
    LineHistory,
    LineSighting,
    NoiseFigure,
    Series,
    SeriesPoint,
    TreatmentStatus,
    VisitStatus,
)
from wrinklecv.records import Expression, Finding, LineKind, Region, Verdict

FIRST, LATER = date(2025, 1, 10), date(2025, 1, 24)
REST = Expression.REST
BLURRED = Finding(Code.BLURRED, Verdict.WARN, "Hold still.", value=2.0, threshold=1.5, unit="mm")
COURSE = FollowUp(
    baseline=FIRST,
    noise=NoiseFigure(0.034, "a rig"),
    visits=(
        VisitStatus(FIRST, 0, TreatmentStatus.BASELINE, ()),
        VisitStatus(LATER, 14, TreatmentStatus.AT_OR_NEAR_PEAK, ((REST, BLURRED),)),
    ),
    series=(
        Series(Region.GLABELLA, REST, (SeriesPoint(FIRST, 0, 10, 1, 1), SeriesPoint(LATER, 14, 7, 1, 2))),
    ),
    changes=(
        Change(
            region=Region.GLABELLA,
            state=REST,
            since=FIRST,
            until=LATER,
            difference=-3.0,
            se=0.5,
            smallest_detectable=0.98,
            share=-0.3,
            verdict=ChangeVerdict.CHANGED,
            reason="",
            treated=True,
        ),
    ),
    lines=(
        LineHistory(
            Region.GLABELLA,
            REST,
            1,
            12.0,
            (
                LineSighting(FIRST, 0, 0.2, 0.01, 0.05, True, LineKind.STATIC),
                LineSighting(LATER, -1, 0.01, 0.01, 0.05, False, LineKind.DYNAMIC),
            ),
            (Conversion(FIRST, LATER, LineKind.STATIC, LineKind.DYNAMIC),),
        ),
    ),
    asymmetries=(Asymmetry(FIRST, REST, 0.1, 0.05),),
    cycles=(Cycle(FIRST, Region.GLABELLA, REST, None),),
    next_photo=date(2025, 4, 10),
    settings_digest="ab",
    measure_version=3,
    model_sha256="cd",
)


def test_a_change_is_a_row_with_its_treatment_and_its_noise() -> None:
    (row,) = change_rows("1", COURSE)
    assert tuple(sorted(row)) == tuple(sorted(CHANGE_COLUMNS))
    told = [row[n] for n in ("since", "until", "days", "days_since_treatment", "treatment_status", "treated")]
    assert told == ["2025-01-10", "2025-01-24", 14, 14, "at_or_near_peak", "true"]
    numbers = [row[n] for n in ("difference", "difference_se", "smallest_detectable", "share")]
    assert numbers == [-3, 0.5, 0.98, -0.3]
    assert (row["verdict"], row["noise_source"], row["status"]) == ("changed", "a rig", "followed")
    assert set(CHANGE_VIEW) < set(CHANGE_COLUMNS)


def test_a_subject_that_could_not_be_followed_has_a_row_that_says_so() -> None:
    row = failed_row("1", "crashed", "It died.")
    assert tuple(row) == CHANGE_COLUMNS
    assert (row["status"], row["reason"], row["verdict"]) == ("crashed", "It died.", None)


def test_each_point_is_a_row() -> None:
    rows = list(series_rows("1", COURSE))
    assert [(r["day"], r["wrinkle_index"], r["photos"]) for r in rows] == [
        ("2025-01-10", 10, 1),
        ("2025-01-24", 7, 2),
    ]
    assert {tuple(sorted(row)) for row in rows} == {tuple(sorted(SERIES_COLUMNS))}


def test_each_sighting_is_a_row_and_a_line_that_turned_says_so() -> None:
    rows = list(history_rows("1", COURSE))
    assert [(r["photo_line"], r["seen"], r["kind"], r["turned"]) for r in rows] == [
        (1, "true", "static", ""),
        (None, "false", "dynamic", "static"),
    ]
    assert {tuple(sorted(row)) for row in rows} == {tuple(sorted(HISTORY_COLUMNS))}


def test_the_files_are_tables_and_a_document_with_the_disclaimer() -> None:
    files = follow_files("=cmd()", COURSE)
    (row,) = csv.DictReader(io.StringIO(files["changes.csv"].decode("utf-8-sig")))
    assert row["subject"] == "'=cmd()"
    tree = json.loads(files["follow_up.json"])
    assert tree["disclaimer"] == DISCLAIMER
    assert tree["higher_means"] == "more lines"
    assert tree["noise"] == {"relative_sd": 0.034, "source": "a rig", "own": False}
    assert tree["visits"][1]["findings"][0]["code"] == "blurred"
    assert tree["lines"][0]["conversions"][0]["after"] == "dynamic"
    assert tree["changes"][0]["verdict"] == "changed"
    assert "subject" not in tree["changes"][0]
    assert sorted(files) == ["changes.csv", "follow_up.json", "line_histories.csv", "series.csv"]


def test_the_same_course_gives_the_same_bytes() -> None:
    assert follow_files("1", COURSE) == follow_files("1", COURSE)
