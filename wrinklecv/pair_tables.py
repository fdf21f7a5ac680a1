"""Turn pairs of photos into rows with units in the column names, and into JSON documents.

A statistician's three tables: per pair and region, per compared line, and (in the first one) the mean over
the runs of one expression. A region that could not be told keeps its row, without numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import DISCLAIMER
from .listing import PairOutcome, Runs, Shot
from .pairs import SPEAKS_FOR, ComparedLine, Comparison, RegionComparison
from .records import Assessment, Expression, Float, LineKind, Region, Verdict
from .tables import Row, codes_of, escaped, finding_tree, rounded
from .totals import reasons_of, verdict_of

_PAIR = (
    "subject",
    "visit",
    "expression",
    "run",
    "rest_photo",
    "expression_photo",
    "rest_sha256",
    "expression_sha256",
)
_REGION_NUMBERS = (
    "rest_index",
    "rest_index_se",
    "expression_index",
    "expression_index_se",
    "dynamic_gap",
    "dynamic_gap_se",
    "static_share",
    "static_share_low",
    "static_share_high",
)
_AVERAGES = (
    "expression_index",
    "expression_index_sd",
    "dynamic_gap",
    "dynamic_gap_sd",
    "static_share",
    "static_share_sd",
)
_LINE_NUMBERS = (
    "length_mm",
    "width_mm",
    "rest_contrast",
    "rest_contrast_se",
    "rest_limit",
    "expression_contrast",
    "expression_contrast_se",
    "expression_limit",
    "static_share",
    "static_share_low",
    "static_share_high",
)
_TRAVELS = tuple(
    f"{part}_{side}_{way}_mm"
    for part in ("brow", "inner_brow", "upper_lid", "lower_lid", "mouth_corner")
    for side in ("left", "right")
    for way in ("up", "in")
)

PAIR_COLUMNS = (
    *_PAIR,
    "region",
    "own",
    "status",
    "verdict",
    "codes",
    *(f"{kind}_{what}" for kind in LineKind for what in ("count", "length_mm")),
    *_REGION_NUMBERS,
    "residual_mm",
    "runs",
    *(name for name in _AVERAGES if name.endswith("_sd")),
    *_TRAVELS,
    "travel_se_mm",
)
PAIR_LINE_COLUMNS = (
    *_PAIR,
    "line",
    "region",
    "own",
    "kind",
    "confidence",
    "kind_reason",
    "rest_line",
    "expression_line",
    *_LINE_NUMBERS,
)
REGION_VIEW = (
    "expression_photo",
    "expression",
    "run",
    *(name for name in PAIR_COLUMNS[len(_PAIR) : PAIR_COLUMNS.index("residual_mm")] if name != "status"),
    *(name for name in _AVERAGES if name.endswith("_sd")),
)
"""What a person reads of `PAIR_COLUMNS`."""
LINE_VIEW = ("expression_photo", *PAIR_LINE_COLUMNS[len(_PAIR) :])
"""What a person reads of `PAIR_LINE_COLUMNS`."""


def pair_rows(outcome: PairOutcome) -> Iterator[Row]:
    """Yield one row per region (`PAIR_COLUMNS`), also where nothing could be told: `codes` says why."""
    comparison = outcome.comparison
    for region in Region:
        row: Row = dict.fromkeys(PAIR_COLUMNS)
        row |= _pair_cells(outcome)
        row |= {
            "region": str(region),
            "own": _own(outcome.name, region),
            "status": str(outcome.status),
            "verdict": str(Verdict.REFUSE),
            "codes": str(outcome.code or ""),
        }
        if comparison is not None:
            row |= _travel_cells(comparison)
            row |= _region_cells(comparison, region)
        yield row


def average_rows(runs: Runs) -> Iterator[Row]:
    """Yield the mean and standard deviation over the runs of one expression, a row per region."""
    subject, visit, name = runs.series
    for average in runs.averages:
        row: Row = dict.fromkeys(PAIR_COLUMNS)
        row |= {
            "subject": subject,
            "visit": visit,
            "expression": str(name),
            "run": f"mean of {average.runs}",
            "region": str(average.region),
            "own": _own(name, average.region),
            "status": "averaged",
            "runs": average.runs,
            **{name: rounded(getattr(average, name)) for name in _AVERAGES},
        }
        yield row


def pair_line_rows(outcome: PairOutcome) -> Iterator[Row]:
    """Yield one row per compared line (`PAIR_LINE_COLUMNS`).

    `rest_line` and `expression_line` are the photos' numbers in lines.csv, empty where none was found.
    """
    for number, line in enumerate(_lines(outcome), start=1):
        yield {
            **_pair_cells(outcome),
            "line": number,
            "region": str(line.region),
            "own": _own(outcome.name, line.region),
            **_line_cells(line),
        }


def pair_document(outcome: PairOutcome, comparison: Comparison) -> dict[str, Any]:
    """Return all that is known about one pair as a tree of plain values, ready for JSON.

    Paths are lists of [x, y], the same skin in both photos: `…_xy` px of the upright photo, `…_mm` chart mm.
    """
    pair = outcome.pair
    return {
        "disclaimer": DISCLAIMER,
        "higher_means": "more lines",
        "subject": escaped(pair.expression.subject),
        "visit": escaped(pair.expression.visit),
        "expression": str(outcome.name),
        "expression_guessed": pair.name is not outcome.name,
        "run": escaped(pair.expression.run),
        "status": str(outcome.status),
        "rest_photo": _photo(pair.rest, comparison.rest),
        "expression_photo": _photo(pair.expression, comparison.expression),
        "settings_digest": comparison.rest.settings_digest,
        "model_sha256": comparison.rest.model_sha256,
        "measure_version": comparison.rest.measure_version,
        "verdicts": {str(region): str(verdict_of(comparison, region)) for region in Region},
        "findings": [finding_tree(finding) for finding in comparison.findings],
        "travel_se_mm": rounded(comparison.travel_se_mm),
        "travels": [
            {"part": t.part, "side": t.side, "up_mm": rounded(t.up_mm), "in_mm": rounded(t.in_mm)}
            for t in comparison.travels
        ],
        "strengths": [
            {"name": s.name, "rest": rounded(s.rest), "expression": rounded(s.expression)}
            for s in comparison.strengths
        ],
        "regions": [
            {"region": str(c.region), "own": c.own, **_numbers(c)}
            for c in comparison.regions
            if verdict_of(comparison, c.region) is not Verdict.REFUSE
        ],
        "lines": [
            {"line": number, "region": str(line.region), **_line_cells(line), **_paths(line)}
            for number, line in enumerate(comparison.lines, start=1)
        ],
    }


def _pair_cells(outcome: PairOutcome) -> Row:
    rest, expression = outcome.pair.rest, outcome.pair.expression
    cells = (
        *(expression.subject, expression.visit, str(outcome.name), expression.run),
        *(rest.path, expression.path, rest.sha256, expression.sha256),
    )
    return dict(zip(_PAIR, cells, strict=True))


def _own(name: Expression, region: Region) -> str:
    """Say whether an expression uses this region's muscles; empty where nobody told which one it is."""
    regions = SPEAKS_FOR.get(name)
    return "" if regions is None else "true" if region in regions else "false"


def _region_cells(comparison: Comparison, region: Region) -> Row:
    """Return what a pair says about one region: no numbers, but the reasons, where it was refused."""
    verdict = verdict_of(comparison, region)
    cells: Row = {"verdict": str(verdict), "codes": codes_of(reasons_of(comparison, region))}
    if verdict is not Verdict.REFUSE:
        cells |= _numbers(next(c for c in comparison.regions if c.region is region))
    return cells


def _numbers(compared: RegionComparison) -> Row:
    cells: Row = {}
    for kind in LineKind:
        total = compared.total(kind)
        cells |= {f"{kind}_count": total.count, f"{kind}_length_mm": rounded(total.length_mm)}
    names = (*_REGION_NUMBERS, "residual_mm")
    return cells | {name: rounded(getattr(compared, name)) for name in names}


def _travel_cells(comparison: Comparison) -> Row:
    cells: Row = {"travel_se_mm": rounded(comparison.travel_se_mm)}
    for travel in comparison.travels:
        place = f"{travel.part.replace(' ', '_')}_{travel.side}"
        cells |= {f"{place}_up_mm": rounded(travel.up_mm), f"{place}_in_mm": rounded(travel.in_mm)}
    return cells


def _lines(outcome: PairOutcome) -> tuple[ComparedLine, ...]:
    return outcome.comparison.lines if outcome.comparison else ()


def _line_cells(line: ComparedLine) -> Row:
    return {
        "kind": str(line.kind),
        "confidence": rounded(line.confidence),
        "kind_reason": line.reason,
        "rest_line": _number(line.rest_line),
        "expression_line": _number(line.expression_line),
        **{name: rounded(getattr(line, name)) for name in _LINE_NUMBERS},
    }


def _number(index: int) -> int | None:
    """Return a line's number in lines.csv; None where it was not found."""
    return index + 1 if index >= 0 else None


def _photo(shot: Shot, assessment: Assessment) -> dict[str, Any]:
    size = {"width_px": assessment.width_px, "height_px": assessment.height_px}
    return {"name": escaped(shot.path), "sha256": shot.sha256, **size}


def _paths(line: ComparedLine) -> dict[str, list[list[float]]]:
    """Return the four paths of a line as plain lists."""

    def plain(path: Float, digits: int) -> list[list[float]]:
        return [[round(float(x), digits), round(float(y), digits)] for x, y in path]

    return {
        "rest_path_xy": plain(line.rest_path_xy, 2),
        "expression_path_xy": plain(line.expression_path_xy, 2),
        "rest_path_mm": plain(line.rest_path_mm, 3),
        "expression_path_mm": plain(line.expression_path_mm, 3),
    }
