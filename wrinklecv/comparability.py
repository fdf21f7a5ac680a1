"""Are two photos of one face fit to be compared: pose, light, sharpness, movement; with what to do.

A line that looks shallower in a softer or differently lit photo is not a shallower line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from . import chart as face_chart
from .codes import Code
from .movement import (
    CLEAR_CHANGE,
    STRENGTHS,
    TRAVEL_SE_MM,
    gain_of,
    mean_travel,
    measure_travel,
    px_per_canonical_mm,
)
from .pairs import SPEAKS_FOR, Travel
from .records import Assessment, Chart, Expression, Face, Finding, Float, Mask, Region, Verdict
from .registration import Registration
from .sides import Side

REST_AND_EXPRESSION = ("rest", "expression")
"""What the two photos of a pair are called in what is said of them."""
TWO_VISITS = ("first", "later")
"""What the photos of two visits are called in what is said of them."""
_SOFTER = {"rest": Code.REST_SOFTER, "expression": Code.EXPRESSION_SOFTER}
_MOST_TURN_DEG = 5.0
_MOST_SCALE = 1.1
"""Face in one photo over face in the other, px: beyond it distance or zoom differ, and what is seen."""
_WARN_EXPOSURE, _MOST_EXPOSURE = 0.9, 1.5
"""ln of the skin's light between the photos (1.3 and 2.2 stops). Contrast does not depend on it, but faint
lines drown in the noise and the coding of the darker photo."""
_WARN_LIGHT, _MOST_LIGHT = 0.25, 0.45
"""Change of the light's slope over the face, ln per 50 mm: drawn faces lit from 10° elsewhere change by
0.1, from 40° elsewhere by 0.5."""
_SLOPE_MM = 50.0
_WARN_SOFTER_MM, _MOST_SOFTER_MM = 0.15, 0.3
"""Blur (standard deviation) that one photo has beyond the other."""
_LEAST_AGREEMENT, _LEAST_REGION_AGREEMENT = 0.47, 0.4
"""Share of the squares of skin that must agree where they lie, over the face and in one region: 51 people at
rest and smiling have 0.55 and more over the face, 889 pairs of different people 0.453 and less."""
_MOST_LOST = {
    Region.FOREHEAD: (0.15, 0.1),
    Region.GLABELLA: (0.2, 0.15),
    Region.CROWS_FEET_LEFT: (0.5, 0.3),
    Region.CROWS_FEET_RIGHT: (0.5, 0.3),
}
"""Share of a region (refuse, warn) that one photo may show less of: 51 people at rest and smiling differ by
0.09 on the forehead at most, 0.14 in the glabella (one 0.5), 0.29 beside the eyes, where turning counts."""
_WEAK_MM = {Expression.BROW_RAISE: 1.0, Expression.FROWN: 0.5, Expression.SMILE: 1.5}
"""Mean travel (movement.py) below which an expression may have been too weak to show its lines."""
_MOST_EFFORT_MM = {
    Expression.BROW_RAISE: 2 * TRAVEL_SE_MM,
    Expression.FROWN: 2 * TRAVEL_SE_MM,
    Expression.SMILE: 3 * TRAVEL_SE_MM,
}
"""Travel between two photos of one state that an equally moved face does not show; the corners
of the mouth are the least steady. The brows of 51 people at rest and smiling, which a smile does not raise,
reach it together with CLEAR_CHANGE in none."""
_BACKWARDS_MM = {Expression.BROW_RAISE: -0.8, Expression.FROWN: -0.5, Expression.SMILE: -1.0}
"""Travel beyond which the rest photo is the one that shows the expression."""


def judge_visits(
    first: Side, later: Side, laid: Mapping[Region, Registration], state: Expression
) -> Iterator[Finding]:
    """Doubt, or refuse, two photos of one state from two visits; laid: how the later lies on the first."""
    yield from judge_registration(laid)
    yield from judge_alike(first, later, state)
    for finding in judge_photos(first.assessment, later.assessment, TWO_VISITS):
        if finding.verdict is Verdict.REFUSE:
            yield finding


def judge_alike(
    first: Side, later: Side, state: Expression, names: tuple[str, str] = TWO_VISITS
) -> Iterator[Finding]:
    """Doubt, or refuse, two photos of one state that were not taken alike."""
    one, other = first.assessment, later.assessment
    softer_mm2 = first.more_mm2 - later.more_mm2
    yield from judge_poses(one.face, other.face)
    yield from judge_scales(one.face, other.face, names)
    yield from judge_light(first.chart, later.chart, (first.skin.usable, later.skin.usable))
    yield from judge_sharpness(math.copysign(math.sqrt(abs(softer_mm2)), softer_mm2), names)
    yield from judge_efforts(one.face, other.face, state, names)
    yield from judge_coverage(one, other, names)


def judge_poses(rest: Face, expression: Face) -> Iterator[Finding]:
    """Doubt a pair whose heads are turned differently."""
    for name, a, b in (
        ("sideways", rest.yaw_deg, expression.yaw_deg),
        ("up or down", rest.pitch_deg, expression.pitch_deg),
    ):
        if abs(a - b) > _MOST_TURN_DEG:
            yield Finding(
                Code.POSE_DIFFERS,
                Verdict.WARN,
                f"Between the two photos the head turned {name} by {abs(a - b):.0f}° (limit "
                f"{_MOST_TURN_DEG:.0f}°): take both with the head alike.",
                None,
                abs(a - b),
                _MOST_TURN_DEG,
                "deg",
            )


def judge_scales(first: Face, later: Face, names: tuple[str, str] = TWO_VISITS) -> Iterator[Finding]:
    """Doubt two visits whose faces are of different size in the photos."""
    ratio = px_per_canonical_mm(later) / px_per_canonical_mm(first)
    apart = max(ratio, 1 / ratio)
    if apart > _MOST_SCALE:
        larger, smaller = names[::-1] if ratio > 1 else names
        yield Finding(
            Code.SCALE_DIFFERS,
            Verdict.WARN,
            f"The face is {apart:.2f} times as large in the {larger} photo as in the {smaller} one (limit "
            f"{_MOST_SCALE:.1f}): distance, zoom or file size differ, and the larger shows finer lines. Take "
            "both from the same distance with the same camera.",
            None,
            apart,
            _MOST_SCALE,
            "×",
        )


def judge_efforts(
    first: Face, later: Face, state: Expression, names: tuple[str, str] = TWO_VISITS
) -> Iterator[Finding]:
    """Doubt two visits that do not show the same: an expression of other strength, or one at rest.

    Where the landmark model's strengths also say that one is not at rest, the regions that the movement folds
    are refused.
    """
    travels = measure_travel(first, later)
    for name in STRENGTHS if state is Expression.REST else (state,):
        moved, limit = mean_travel(travels, name), _MOST_EFFORT_MM.get(name, math.inf)
        if abs(moved) <= limit:
            continue
        words = name.value.replace("_", " ")
        more, less = names[::-1] if moved > 0 else names
        if state is not Expression.REST:
            how = (
                f"The {words} is stronger in the {more} photo (by {abs(moved):.1f} mm of movement, limit "
                f"{limit:.1f} mm). Effect of a treatment and less effort cannot be told apart: ask for the "
                "same full effort."
            )
            yield Finding(Code.EXPRESSION_DIFFERS, Verdict.WARN, how, None, abs(moved), limit, "mm")
            continue
        how = (
            f"The {more} photo at rest shows more of a {words} than the {less} one (the face moved by "
            f"{abs(moved):.1f} mm, limit {limit:.1f} mm): take both with a relaxed face."
        )
        gain = gain_of(first, later, name)
        if abs(gain) < CLEAR_CHANGE or gain * moved < 0:
            yield Finding(Code.EXPRESSION_DIFFERS, Verdict.WARN, how, None, abs(moved), limit, "mm")
            continue
        how += " Or was it filed as rest by mistake?"
        for region in SPEAKS_FOR[name]:
            yield Finding(Code.REST_SHOWS_EXPRESSION, Verdict.REFUSE, how, region, abs(moved), limit, "mm")


def judge_light(rest: Chart, expression: Chart, skins: tuple[Mask, Mask]) -> Iterator[Finding]:
    """Doubt, or refuse, a pair lit differently; skins: (h', w') usable skin of both."""
    both = skins[0] & skins[1]
    if both.sum() < 500:
        return
    gap = (face_chart.patch_means(expression.light) - face_chart.patch_means(rest.light))[both]
    rows, columns = np.nonzero(both)
    terms = np.column_stack([np.ones(len(rows)), columns - columns.mean(), rows - rows.mean()])
    level, across, down = _robust_fit(terms, gap)
    for verdict, limit in ((Verdict.REFUSE, _MOST_EXPOSURE), (Verdict.WARN, _WARN_EXPOSURE)):
        if abs(level) > limit:
            yield Finding(
                Code.EXPOSURE_DIFFERS,
                verdict,
                f"One photo is much darker (ln ratio {abs(level):.1f}, limit {limit:.1f}), and faint lines "
                "drown in it: expose both alike.",
                None,
                abs(level),
                limit,
                "ln",
            )
            break
    slope = float(np.hypot(across, down)) * _SLOPE_MM
    for verdict, limit in ((Verdict.REFUSE, _MOST_LIGHT), (Verdict.WARN, _WARN_LIGHT)):
        if slope > limit:
            yield Finding(
                Code.LIGHT_DIFFERS,
                verdict,
                f"The light falls differently on the face in the two photos (ln {slope:.2f} over "
                f"{_SLOPE_MM:.0f} mm, limit {limit:.2f}), which makes lines look deeper or shallower: "
                "take both under the same light.",
                None,
                slope,
                limit,
                "ln",
            )
            return


def _robust_fit(terms: Float, values: Float) -> tuple[float, float, float]:
    weight = np.ones(len(values))
    for _ in range(5):
        solved = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0]
        weight = 1 / np.sqrt(1 + ((values - terms @ solved) / 0.1) ** 2)
    return float(solved[0]), float(solved[1]), float(solved[2])


def judge_sharpness(softer_mm: float, names: tuple[str, str] = REST_AND_EXPRESSION) -> Iterator[Finding]:
    """Doubt, or refuse, a pair of unlike sharpness.

    softer_mm: blur of the first photo beyond the second's; below 0 the other way round.
    """
    name, other = names if softer_mm > 0 else names[::-1]
    code = _SOFTER.get(name, Code.SHARPNESS_DIFFERS)
    for verdict, limit in ((Verdict.REFUSE, _MOST_SOFTER_MM), (Verdict.WARN, _WARN_SOFTER_MM)):
        if abs(softer_mm) > limit:
            yield Finding(
                code,
                verdict,
                f"The {name} photo is softer than the {other} photo (by {abs(softer_mm):.2f} mm, limit "
                f"{limit:.2f} mm), so its lines look shallower: take it again, sharp.",
                None,
                abs(softer_mm),
                limit,
                "mm",
            )
            return


def judge_movement(travels: tuple[Travel, ...], name: Expression) -> Iterator[Finding]:
    """Doubt an expression that hardly moved, refuse a pair in which the rest photo shows it."""
    if name not in _WEAK_MM:
        return
    moved, words = mean_travel(travels, name), name.value.replace("_", " ")
    for region in SPEAKS_FOR[name]:
        if moved < _BACKWARDS_MM[name]:
            yield shows_at_rest(region, moved, _BACKWARDS_MM[name], "mm", f"the {words} is in the rest photo")
        elif moved < _WEAK_MM[name]:
            yield Finding(
                Code.WEAK_EXPRESSION,
                Verdict.WARN,
                f"The {words} moved the face by {moved:.1f} mm only (usual: {_WEAK_MM[name]:.1f} or more): "
                "too little to call its lines static only: they were not deeper in this photo. After a "
                "treatment, effect and less effort cannot be told apart.",
                region,
                moved,
                _WEAK_MM[name],
                "mm",
            )


def judge_photos(
    first: Assessment, second: Assessment, names: tuple[str, str] = REST_AND_EXPRESSION
) -> Iterator[Finding]:
    """Pass on what is doubted in either photo: it is in doubt in the pair too."""
    for name, assessment in zip(names, (first, second), strict=True):
        for finding in assessment.quality:
            if finding.verdict is Verdict.WARN:
                # A beauty filter wipes lines out of one photo and leaves them in the other.
                verdict = Verdict.REFUSE if finding.code is Code.SMOOTHED else Verdict.WARN
                yield replace(finding, verdict=verdict, advice=f"{name.capitalize()} photo: {finding.advice}")


def judge_coverage(
    first: Assessment, second: Assessment, names: tuple[str, str] = REST_AND_EXPRESSION
) -> Iterator[Finding]:
    """Doubt, or refuse, a region of which one photo shows less skin: what hides it may look like lines."""
    before = {m.region: m.coverage for m in first.regions}
    for after in second.regions:
        if after.region not in before:
            continue
        lost = before[after.region] - after.coverage
        other, name = names if lost > 0 else names[::-1]
        words = after.region.value.replace("_", " ")
        for verdict, limit in zip((Verdict.REFUSE, Verdict.WARN), _MOST_LOST[after.region], strict=True):
            if abs(lost) > limit:
                yield Finding(
                    Code.COVERAGE_DIFFERS,
                    verdict,
                    f"The {name} photo shows less skin of the {words} than the {other} photo "
                    f"({abs(lost):.0%} of the region, limit {limit:.0%}): hair, glasses or shine there may "
                    "look like lines. Clear it in both.",
                    after.region,
                    abs(lost),
                    limit,
                    "share",
                )
                break


def judge_registration(laid: Mapping[Region, Registration]) -> Iterator[Finding]:
    """Refuse what could not be laid together: the whole pair where the skin hardly agrees anywhere."""
    told = [r.agreement for r in laid.values() if math.isfinite(r.residual_mm)]
    mean = float(np.mean(told)) if told else 0.0
    if mean < _LEAST_AGREEMENT:
        yield Finding(
            Code.NOT_LAID_TOGETHER,
            Verdict.REFUSE,
            f"The skin of the two photos does not agree ({mean:.0%} of its squares, at least "
            f"{_LEAST_AGREEMENT:.0%} are needed): are they of the same person, sharp and equally lit?",
            None,
            mean,
            _LEAST_AGREEMENT,
            "share",
        )
        return
    for region, registration in laid.items():
        if registration.agreement < _LEAST_REGION_AGREEMENT:
            name = region.value.replace("_", " ")
            yield Finding(
                Code.NOT_LAID_TOGETHER,
                Verdict.REFUSE,
                f"The {name} of the two photos could not be laid together ({registration.agreement:.0%} of "
                f"its squares agree, at least {_LEAST_REGION_AGREEMENT:.0%} are needed): clear it of hair "
                "and shine, light both photos alike.",
                region,
                registration.agreement,
                _LEAST_REGION_AGREEMENT,
                "share",
            )


def shows_at_rest(region: Region, value: float, limit: float, unit: str, why: str) -> Finding:
    """Return the finding that the rest photo shows the expression."""
    return Finding(
        Code.REST_SHOWS_EXPRESSION,
        Verdict.REFUSE,
        f"The rest photo shows expression ({why}): the photos may be swapped, or the face was not relaxed. "
        "Take the rest photo with a relaxed face.",
        region,
        value,
        limit,
        unit,
    )
