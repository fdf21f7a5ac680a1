"""Did it change? The difference of two visits against what photos of an unchanged face differ by.

Untreated regions are a free control: what moved them (light, focus, distance) moved the treated ones too.
Where the control moved by more than its standard error, a change counts only when it exceeds the control's
too: simulated drifts of any size are then called a change in fewer than 5 of 100 photos.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .agreement import BEST_RIG
from .histories import ChangeVerdict, NoiseFigure

PRIOR_NOISE = NoiseFigure(BEST_RIG.sw, BEST_RIG.source)
"""Used until a clinic has measured its own: a free-hand photo is likely to be noisier."""
_95 = 1.96


@dataclass(frozen=True, slots=True)
class Value:
    """An index at one visit and its standard error; refused: why it cannot be compared, else empty."""

    index: float
    se: float
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A difference with its standard error, the smallest detectable change, and what may be said."""

    difference: float
    se: float
    smallest_detectable: float
    share: float | None
    verdict: ChangeVerdict
    reason: str


def judge_change(
    before: Value, after: Value, noise: NoiseFigure, controls: Sequence[tuple[Value, Value]]
) -> Judged:
    """Judge the difference of two visits.

    controls: the same two visits of untreated regions. MDC95 = 1.96 × the standard deviation of a difference
    between two photos of an unchanged face: √2·Sw, the readings' own errors, and the control's.
    """
    ratio, ratio_se = _control(controls, noise)
    difference = after.index - before.index
    level = (abs(before.index) + abs(after.index)) / 2
    own_se = math.hypot(before.se, after.se, math.sqrt(2) * noise.relative_sd * level)
    # What the control leaves in doubt is in doubt here too.
    se = math.hypot(own_se, before.index * ratio_se)
    limit = _95 * se
    share = difference / before.index if before.index > 0 else None
    beyond = after.index - before.index * ratio
    verdict, reason = ChangeVerdict.CHANGED, ""
    if before.refused or after.refused:
        verdict, reason = ChangeVerdict.NOT_COMPARABLE, before.refused or after.refused
    elif abs(difference) <= limit:
        verdict = ChangeVerdict.NO_DETECTABLE_CHANGE
    elif abs(ratio - 1) > ratio_se and (abs(beyond) <= limit or beyond * difference < 0):
        verdict = ChangeVerdict.NOT_COMPARABLE
        reason = (
            f"Untreated skin changed by {ratio - 1:+.0%} (± {ratio_se:.0%}) between the same photos: light, "
            "focus or distance differ, and the rest of the difference is within the error."
        )
    return Judged(difference, se, limit, share, verdict, reason)


def _control(controls: Sequence[tuple[Value, Value]], noise: NoiseFigure) -> tuple[float, float]:
    """Return by which factor untreated regions changed together, and its error; 1 ± 0 without any."""
    told = [(a, b) for a, b in controls if not (a.refused or b.refused) and a.index > 3 * a.se]
    before = sum(a.index for a, _ in told)
    if before <= 0:
        return 1.0, 0.0
    ratio = sum(b.index for _, b in told) / before
    own = math.sqrt(sum((a.se * ratio) ** 2 + b.se**2 for a, b in told)) / before
    return ratio, math.hypot(own, math.sqrt(2) * noise.relative_sd * ratio / math.sqrt(len(told)))
