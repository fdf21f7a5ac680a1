"""Pairs made by hand, so that their tables and batches are tested without the pipeline."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from builders import an_assessment

from wrinklecv.codes import Code
from wrinklecv.errands import Compared
from wrinklecv.listing import Pair, PairOutcome, PairStatus, Shot, parse_name
from wrinklecv.pairs import (
    SPEAKS_FOR,
    ComparedLine,
    Comparison,
    KindTotal,
    RegionComparison,
    Strength,
    Travel,
)
from wrinklecv.records import Assessment, Expression, Finding, LineKind, Region, Verdict
from wrinklecv.settings import Settings


def a_shot(path: str, sha256: str = "ab" * 32) -> Shot:
    """Return a scored photo with what its name tells."""
    return Shot(Path(path), path, sha256, *parse_name(path))


def a_compared_line(
    region: Region = Region.FOREHEAD,
    kind: LineKind = LineKind.DYNAMIC,
    *,
    rest_line: int = -1,
    expression_line: int = 0,
    reason: str = "",
) -> ComparedLine:
    """Return a straight compared line of three points, found in expression only."""
    path = np.array([[0.0, 0.0], [15.0, 0.0], [30.0, 0.0]])
    return ComparedLine(
        region=region,
        kind=kind,
        confidence=0.97,
        reason=reason,
        rest_path_mm=path,
        expression_path_mm=path + 1,
        rest_path_xy=10 * path,
        expression_path_xy=10 * path + 10,
        rest_line=rest_line,
        expression_line=expression_line,
        length_mm=30.0,
        width_mm=0.8,
        rest_contrast=-0.001,
        rest_contrast_se=0.002,
        rest_limit=0.007,
        expression_contrast=0.08,
        expression_contrast_se=0.002,
        expression_limit=0.0,
        static_share=0.0,
        static_share_low=0.0,
        static_share_high=0.04,
    )


def a_region_comparison(
    region: Region, *, own: bool = True, gap: float = 50.0, share: float | None = 0.25
) -> RegionComparison:
    """Return what a pair may say about one region."""
    return RegionComparison(
        region=region,
        own=own,
        residual_mm=0.2,
        totals=tuple(KindTotal(kind, n, 10.0 * n) for n, kind in enumerate(LineKind)),
        rest_index=4.8,
        rest_index_se=0.7,
        expression_index=4.8 + gap,
        expression_index_se=3.0,
        dynamic_gap=gap,
        dynamic_gap_se=2.0,
        static_share=share,
        static_share_low=share,
        static_share_high=share,
    )


def a_finding(
    code: Code = Code.WEAK_EXPRESSION, verdict: Verdict = Verdict.WARN, region: Region | None = None
) -> Finding:
    """Return a doubt about a pair."""
    return Finding(code, verdict, "The face hardly moved. Ask for more.", region, 0.2, 1.0, "mm")


def a_comparison(
    *,
    name: Expression = Expression.BROW_RAISE,
    lines: tuple[ComparedLine, ...] | None = None,
    regions: tuple[RegionComparison, ...] | None = None,
    findings: tuple[Finding, ...] = (),
    rest: Assessment | None = None,
    expression: Assessment | None = None,
) -> Comparison:
    """Return a comparison; by default every region was told and the forehead has one line."""
    every = tuple(a_region_comparison(r, own=r in SPEAKS_FOR.get(name, ())) for r in Region)
    return Comparison(
        rest=rest or an_assessment(name="rest.jpg"),
        expression=expression or an_assessment(name="raised.jpg", sha256="cd" * 32),
        name=name,
        lines=(a_compared_line(),) if lines is None else lines,
        regions=every if regions is None else regions,
        travels=(Travel("inner brow", "left", 5.1, 0.0), Travel("inner brow", "right", 4.9, -0.2)),
        travel_se_mm=0.5,
        strengths=(Strength("browInnerUp", 0.02, 0.9),),
        findings=findings,
    )


def an_outcome(
    comparison: Comparison | None = None,
    *,
    status: PairStatus = PairStatus.COMPARED,
    code: Code | None = None,
    run: str = "1",
) -> PairOutcome:
    """Return what became of a pair of subject 1."""
    return PairOutcome(
        Pair(
            a_shot("sub-1_ses-2_expr-rest_run-1.jpg"),
            a_shot(f"sub-1_ses-2_expr-brow_raise_run-{run}.jpg", "cd" * 32),
            Expression.BROW_RAISE,
        ),
        status,
        comparison,
        code,
    )


def pretend_pair(pair: Pair, settings: Settings, pictures: bool) -> Compared:
    """Stand in for `compare_files`: what becomes of a pair stands in its expression photo's second word."""
    words = Path(pair.expression.file).read_bytes().split()
    word = words[1] if len(words) > 1 else b""
    if word == b"pair-crash":
        os._exit(11)
    if word == b"pair-hang":
        time.sleep(60)
    if word == b"pair-refused":
        return Compared(code=Code.CHANGED_WHILE_READING, message="The file changed.")
    comparison = a_comparison(
        name=pair.name,
        rest=an_assessment(name=pair.rest.path, sha256=pair.rest.sha256),
        expression=an_assessment(name=pair.expression.path, sha256=pair.expression.sha256),
    )
    return Compared(comparison, *((b"\xff\xd8 beside", b"GIF89a") if pictures else (b"", b"")))
