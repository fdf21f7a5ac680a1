"""A subject's course as rows and as a JSON document: changes, series, histories of lines."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from . import DISCLAIMER, __version__
from .histories import Conversion, FollowUp, LineSighting, SeriesPoint, Unscored, VisitStatus
from .tables import Row, csv_writer, escaped, finding_tree, rounded, to_json

CHANGE_COLUMNS = (
    "subject",
    "status",
    "region",
    "state",
    "since",
    "until",
    "days",
    "days_since_treatment",
    "treatment_status",
    "treated",
    "difference",
    "difference_se",
    "smallest_detectable",
    "share",
    "verdict",
    "reason",
    "doubts",
    "control_share",
    "control_share_se",
    "noise_relative_sd",
    "noise_source",
)
SERIES_COLUMNS = (
    "subject",
    "region",
    "state",
    "day",
    "days_since_treatment",
    "treatment_status",
    "wrinkle_index",
    "wrinkle_index_se",
    "wrinkle_index_low",
    "wrinkle_index_high",
    "photos",
    "comparable",
    "reason",
)
HISTORY_COLUMNS = (
    "subject",
    "region",
    "state",
    "line",
    "length_mm",
    "day",
    "photo_line",
    "seen",
    "contrast",
    "contrast_se",
    "limit",
    "kind",
    "turned",
    "comparable",
    "reason",
)
CHANGE_VIEW = tuple(
    name for name in CHANGE_COLUMNS if name not in ("subject", "status", "noise_relative_sd", "noise_source")
)
"""What a person reads of `CHANGE_COLUMNS`."""
FOLLOWED = "followed"


def change_rows(subject: str, course: FollowUp) -> Iterator[Row]:
    """Yield one row per region, state and pair of visits (`CHANGE_COLUMNS`).

    Each visit stands against the baseline and against the visit before; difference < 0: fewer or fainter
    lines. The three numbers are in units of the wrinkle index, `share` is of the earlier value.
    control_share: by how much untreated regions changed between the same photos, empty without any.
    doubts: codes of what is in doubt about the photos, and does not forbid the comparison.
    """
    at = {visit.day: visit for visit in course.visits}
    for change in course.changes:
        yield {
            "subject": subject,
            "status": FOLLOWED,
            "region": str(change.region),
            "state": str(change.state),
            "since": change.since.isoformat(),
            "until": change.until.isoformat(),
            "days": (change.until - change.since).days,
            **_treatment_cells(at[change.until]),
            "treated": _word(change.treated),
            "difference": rounded(change.difference),
            "difference_se": rounded(change.se),
            "smallest_detectable": rounded(change.smallest_detectable),
            "share": rounded(change.share),
            "verdict": str(change.verdict),
            "reason": change.reason,
            "doubts": ";".join(change.doubts),
            "control_share": rounded(change.control_share),
            "control_share_se": rounded(change.control_se),
            "noise_relative_sd": rounded(course.noise.relative_sd),
            "noise_source": course.noise.source,
        }


def failed_row(subject: str, status: str, reason: str) -> Row:
    """Return the row of a subject that could not be followed (`CHANGE_COLUMNS`)."""
    return dict.fromkeys(CHANGE_COLUMNS) | {"subject": subject, "status": status, "reason": reason}


def series_rows(subject: str, course: FollowUp) -> Iterator[Row]:
    """Yield one row per region, state and visit (`SERIES_COLUMNS`); rest and expression are never merged.

    wrinkle_index_se is of the reading alone; low and high bound the 95 % interval, noise between visits
    included. photos: how many the index is the mean of. comparable: whether with the baseline.
    """
    at = {visit.day: visit for visit in course.visits}
    for series in course.series:
        for point in series.points:
            yield {
                "subject": subject,
                "region": str(series.region),
                "state": str(series.state),
                **_point(point, course),
                **_treatment_cells(at[point.day]),
            }


def history_rows(subject: str, course: FollowUp) -> Iterator[Row]:
    """Yield one row per followed line and visit (`HISTORY_COLUMNS`).

    photo_line: its number in the lines of the visit's first photo of that state that can be compared, empty
    where none was found there; then `contrast` is read where the line should be, and `limit` is what it would
    be seen from. Where it is not comparable (hidden, or its photo is refused), the contrast tells nothing.
    turned: what it was at the visit before that told, where it turned between dynamic and seen at rest.
    """
    for line in course.lines:
        turned = {conversion.until: str(conversion.before) for conversion in line.conversions}
        for sighting in line.sightings:
            yield {
                "subject": subject,
                "region": str(line.region),
                "state": str(line.state),
                "line": line.number,
                "length_mm": rounded(line.length_mm),
                **_sighting(sighting),
                "turned": turned.get(sighting.day, ""),
            }


def follow_document(subject: str, course: FollowUp) -> dict[str, Any]:
    """Return all that is known about a subject's course as a tree of plain values, ready for JSON."""
    return {
        "disclaimer": DISCLAIMER,
        "higher_means": "more lines",
        "subject": escaped(subject),
        "measured_with": {
            "version": __version__,
            "measure_version": course.measure_version,
            "settings_digest": course.settings_digest,
            "model_sha256": course.model_sha256,
        },
        "baseline": course.baseline.isoformat(),
        "next_photo": course.next_photo.isoformat() if course.next_photo else None,
        "noise": {
            "relative_sd": rounded(course.noise.relative_sd),
            "source": escaped(course.noise.source),
            "own": course.noise.own,
        },
        "windows": asdict(course.windows),
        "visits": [_visit(visit) for visit in course.visits],
        "series": [
            {"region": str(s.region), "state": str(s.state), "points": [_point(p, course) for p in s.points]}
            for s in course.series
        ],
        "changes": [_without(row, "subject", "status", "noise") for row in change_rows(subject, course)],
        "lines": [
            {
                "region": str(line.region),
                "state": str(line.state),
                "line": line.number,
                "length_mm": rounded(line.length_mm),
                "sightings": [_sighting(s) for s in line.sightings],
                "conversions": [_conversion(c) for c in line.conversions],
            }
            for line in course.lines
        ],
        "asymmetries": [
            {"day": a.day.isoformat(), "state": str(a.state), "value": rounded(a.value), "se": rounded(a.se)}
            for a in course.asymmetries
        ],
        "cycles": [
            {
                "treated_on": c.treated_on.isoformat(),
                "region": str(c.region),
                "state": str(c.state),
                "days_to_half": c.days_to_half,
                "between_days": list(c.between) if c.between else None,
            }
            for c in course.cycles
        ],
    } | ({"unscored": [_unscored(photo) for photo in course.unscored]} if course.unscored else {})


def _unscored(photo: Unscored) -> dict[str, str]:
    told = {"name": photo.name, "code": str(photo.code), "message": photo.message}
    return {"day": photo.day.isoformat()} | {what: escaped(words) for what, words in told.items()}


def follow_files(subject: str, course: FollowUp) -> dict[str, bytes]:
    """Return a subject's course as files by name: three tables and the document."""
    tables = (
        ("changes.csv", CHANGE_COLUMNS, change_rows(subject, course)),
        ("series.csv", SERIES_COLUMNS, series_rows(subject, course)),
        ("line_histories.csv", HISTORY_COLUMNS, history_rows(subject, course)),
    )
    files = {name: as_csv(columns, rows) for name, columns, rows in tables}
    return files | {"follow_up.json": to_json(follow_document(subject, course)).encode()}


def as_csv(columns: tuple[str, ...], rows: Iterable[Row]) -> bytes:
    """Return a table as the bytes of a CSV file."""
    stream = io.StringIO(newline="")
    write = csv_writer(stream, columns)
    for row in rows:
        write(row)
    return stream.getvalue().encode("utf-8-sig")


def _treatment_cells(visit: VisitStatus) -> Row:
    return {"days_since_treatment": visit.days, "treatment_status": str(visit.status)}


def _point(point: SeriesPoint, course: FollowUp) -> Row:
    low, high = course.interval(point)
    return {
        "day": point.day.isoformat(),
        "days_since_treatment": point.days,
        "wrinkle_index": rounded(point.index),
        "wrinkle_index_se": rounded(point.index_se),
        "wrinkle_index_low": rounded(low),
        "wrinkle_index_high": rounded(high),
        "photos": point.photos,
        "comparable": _word(not point.refused),
        "reason": point.refused,
    }


def _sighting(sighting: LineSighting) -> Row:
    return {
        "day": sighting.day.isoformat(),
        "photo_line": sighting.line + 1 if sighting.line >= 0 else None,
        "seen": _word(sighting.seen),
        "contrast": rounded(sighting.contrast),
        "contrast_se": rounded(sighting.contrast_se),
        "limit": rounded(sighting.limit),
        "kind": str(sighting.kind),
        "comparable": _word(not sighting.refused),
        "reason": sighting.refused,
    }


def _conversion(turn: Conversion) -> dict[str, str]:
    days = {"since": turn.since.isoformat(), "until": turn.until.isoformat()}
    return days | {"before": str(turn.before), "after": str(turn.after)}


def _visit(visit: VisitStatus) -> dict[str, Any]:
    found = [{"state": str(state), **finding_tree(finding)} for state, finding in visit.findings]
    return {"day": visit.day.isoformat(), **_treatment_cells(visit), "findings": found}


def _without(row: Row, *beginnings: str) -> Row:
    return {name: cell for name, cell in row.items() if not name.startswith(beginnings)}


def _word(yes: bool) -> str:
    return "true" if yes else "false"
