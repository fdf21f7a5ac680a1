"""compare(): rest and expression. The order of the steps, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .comparability import (
    judge_coverage,
    judge_light,
    judge_movement,
    judge_photos,
    judge_poses,
    judge_registration,
    judge_sharpness,
    shows_at_rest,
)
from .errors import NotComparableError
from .movement import TRAVEL_SE_MM, guess_expression, measure_strengths, measure_travel, px_per_canonical_mm
from .pairs import SPEAKS_FOR, ComparedLine, Comparison
from .records import Assessment, Expression, Finding, LineKind, Region, Verdict
from .registration import register
from .settings import DEFAULTS, Settings
from .sides import equally_sharp, side_of
from .totals import sum_up
from .tracks import track_lines

_DEEPER_AT_REST = 0.25
"""Share by which a region's lines are deeper at rest from which the rest photo shows expression."""


def compare(
    rest: Assessment,
    expression: Assessment,
    *,
    name: Expression = Expression.UNKNOWN,
    settings: Settings = DEFAULTS,
) -> Comparison:
    """Tell for each line of two photos of one face whether it is static, deepened or dynamic.

    name: which expression it is; guessed from the movement when UNKNOWN.
    Raises NotComparableError when the two were measured in different ways or came without their charts.
    """
    _check_alike(rest, expression)
    (first, second), softer_mm = equally_sharp(side_of(rest, settings), side_of(expression, settings))
    travels = measure_travel(rest.face, expression.face)
    if name not in SPEAKS_FOR:
        name = guess_expression(rest.face, expression.face)
    laid = register(first.chart, second.chart, visible=second.skin.visible)
    findings = [
        *judge_registration(laid),
        *judge_coverage(rest, expression),
        *judge_poses(rest.face, expression.face),
        *judge_light(first.chart, second.chart, (first.skin.usable, second.skin.usable)),
        *judge_sharpness(softer_mm),
        *judge_photos(rest, expression),
        *judge_movement(travels, name),
    ]
    both = {m.region for m in rest.regions} & {m.region for m in expression.regions}
    measured = [region for region in Region if region in both]
    lines = [line for region in measured for line in track_lines(first, second, laid[region], settings)]
    findings += _deeper_at_rest(lines, findings)
    lines = [_unless_refused(line, findings) for line in lines]
    ratio = _scale_ratio(rest, expression)
    regions = tuple(
        sum_up(
            rest,
            expression,
            region,
            lines,
            laid[region].residual_mm,
            own=region in SPEAKS_FOR[name],
            scale_ratio=ratio,
        )
        for region in measured
    )
    return Comparison(
        rest=rest,
        expression=expression,
        name=name,
        lines=tuple(lines),
        regions=regions,
        travels=travels,
        travel_se_mm=TRAVEL_SE_MM,
        strengths=measure_strengths(rest.face, expression.face, name),
        findings=tuple(findings),
    )


def _check_alike(rest: Assessment, expression: Assessment) -> None:
    for what in ("settings_digest", "measure_version", "model_sha256"):
        if getattr(rest, what) != getattr(expression, what):
            raise NotComparableError(
                f"The two photos were measured in different ways ({what.replace('_', ' ')} differs): "
                "assess both again with the same version and settings."
            )


def _deeper_at_rest(lines: Sequence[ComparedLine], findings: Sequence[Finding]) -> Iterator[Finding]:
    """Tell where the lines themselves say that the rest photo shows the expression."""
    refused = {f.region for f in findings if f.verdict is Verdict.REFUSE}
    for region in Region:
        here = [line for line in lines if line.region is region and line.is_read]
        deep = sum(line.length_mm * line.expression_contrast for line in here)
        more = sum(line.length_mm * (line.rest_contrast - line.expression_contrast) for line in here)
        noise = math.hypot(
            0.0,
            *(
                line.length_mm * math.hypot(line.rest_contrast_se, line.expression_contrast_se)
                for line in here
            ),
        )
        if region not in refused and deep > 0 and more - 2 * noise > _DEEPER_AT_REST * deep:
            yield shows_at_rest(
                region, more / deep, _DEEPER_AT_REST, "share", "its lines are deeper than in the expression"
            )


def _unless_refused(line: ComparedLine, findings: Sequence[Finding]) -> ComparedLine:
    """Leave a line untold where the pair does not allow a judgement."""
    for finding in findings:
        if finding.verdict is Verdict.REFUSE and finding.region in (None, line.region):
            return replace(line, kind=LineKind.INDETERMINATE, confidence=0.0, reason=finding.advice)
    return line


def _scale_ratio(rest: Assessment, expression: Assessment) -> float:
    """Return the expression photo's own scale over that which the rest photo's iris gives it.

    A squint hides the iris; the face itself tells how much nearer the camera was.
    """
    px = px_per_canonical_mm(rest.face) / px_per_canonical_mm(expression.face)
    return expression.face.scale.mm_per_px / (rest.face.scale.mm_per_px * px)
