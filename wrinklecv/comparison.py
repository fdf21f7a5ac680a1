"""compare(): rest and expression. The order of the steps, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from . import chart as face_chart
from .comparability import judge_light, judge_movement, judge_poses, judge_sharpness, shows_at_rest
from .errors import NotComparableError
from .lines import sight_of
from .movement import TRAVEL_SE_MM, guess_expression, measure_strengths, measure_travel, px_per_canonical_mm
from .pairs import SPEAKS_FOR, ComparedLine, Comparison
from .records import Assessment, Expression, Finding, LineKind, Region, Verdict
from .regions import measure_coverage
from .registration import register
from .settings import DEFAULTS, Settings
from .sharpness import edge_blur_mm
from .skin import find_skin
from .totals import sum_up
from .tracks import Side, track_lines

_LEAST_BLUR_GAP_MM = 0.1
"""The sharpest edges of one face differ by this between two photos of equal sharpness."""
_EDGES_UNDERSTATE = 1.25
"""The sharpest edges show less than the whole blur that was added: on drawn faces 1 / 1.2 to 1 / 1.35."""
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
    (first, second), softer_mm = _equally_sharp(*_blurs(rest, settings), *_blurs(expression, settings))
    travels = measure_travel(rest.face, expression.face)
    if name not in SPEAKS_FOR:
        name = guess_expression(rest.face, expression.face)
    laid = register(first.chart, second.chart, visible=second.skin.visible)
    findings = [
        *judge_poses(rest.face, expression.face),
        *judge_light(first.chart, second.chart, (first.skin.usable, second.skin.usable)),
        *judge_sharpness(softer_mm),
        *judge_movement(travels, name),
    ]
    both = {m.region for m in rest.regions} & {m.region for m in expression.regions}
    measured = [region for region in Region if region in both]
    lines = [line for region in measured for line in track_lines(first, second, laid[region], settings)]
    findings += _deeper_at_rest(lines, name, findings)
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
    if rest.chart is None or expression.chart is None:
        raise NotComparableError("The photos' charts were not kept: assess both photos again, then compare.")


def _blurs(assessment: Assessment, settings: Settings) -> tuple[Side, float | None]:
    """Return one photo as a side of the pair, and how soft its sharpest edges are."""
    chart = assessment.chart
    assert chart is not None  # noqa: S101 - checked before
    skin = find_skin(chart, settings=settings)
    edge_mm = edge_blur_mm(chart)
    read_mm2 = chart.blur_mm2 + face_chart.BICUBIC_PX2 / face_chart.PX_PER_MM**2
    blur_mm2 = {
        region: sight_of(seen, edge_mm, settings=settings).camera_blur_mm ** 2 + read_mm2
        for region, seen in measure_coverage(chart, skin.usable).items()
    }
    return Side(assessment, chart, skin, blur_mm2), edge_mm


def _equally_sharp(
    rest: Side, rest_edge_mm: float | None, expression: Side, expression_edge_mm: float | None
) -> tuple[tuple[Side, Side], float]:
    """Count the softer photo's blur beyond the other's; return it too, mm, below 0 for the expression's.

    Both show the same edges, so what one has more of is the camera's.
    """
    if rest_edge_mm is None or expression_edge_mm is None:
        return (rest, expression), 0.0
    known = sum(rest.blur_mm2.values()) / len(rest.blur_mm2) - sum(expression.blur_mm2.values()) / len(
        expression.blur_mm2
    )
    gap_mm2 = rest_edge_mm**2 - expression_edge_mm**2 - known
    if abs(gap_mm2) < _LEAST_BLUR_GAP_MM**2:
        return (rest, expression), 0.0
    softer = rest if gap_mm2 > 0 else expression
    more_mm2 = abs(gap_mm2) * _EDGES_UNDERSTATE**2
    more = replace(softer, more_mm2=more_mm2)
    sides = (more, expression) if gap_mm2 > 0 else (rest, more)
    return sides, math.copysign(math.sqrt(more_mm2), gap_mm2)


def _deeper_at_rest(
    lines: Sequence[ComparedLine], name: Expression, findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Tell where the lines themselves say that the rest photo shows the expression."""
    refused = {f.region for f in findings if f.verdict is Verdict.REFUSE}
    for region in SPEAKS_FOR[name]:
        here = [line for line in lines if line.region is region and line.confidence > 0]
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
