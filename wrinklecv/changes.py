"""Did it change? The difference of two visits against what photos of an unchanged face differ by.

Untreated regions are a free control: what moved them (light, focus, distance) moved the treated ones too.
Where the control moved by more than its standard error, a change counts only when it exceeds the control's
too: simulated drifts of any size are then called a change in fewer than 5 of 100 photos. And where it moved
beyond its own 95 % interval, a treated region that stayed the same is no proof that nothing changed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .agreement import BEST_RIG
from .histories import ChangeVerdict, Judged, NoiseFigure

PRIOR_NOISE = NoiseFigure(BEST_RIG.sw, BEST_RIG.source)
"""Used until a clinic has measured its own: a free-hand photo is likely to be noisier."""
_95 = 1.96


def own_noise(relative_sd: float, source: str) -> NoiseFigure:
    """Return a clinic's own figure from shots of the same visit.

    Such shots do not show what differs from visit to visit (light, distance, pose), so they never make it
    smaller than that of the best fixed rig.
    """
    least = PRIOR_NOISE.relative_sd
    if relative_sd < least:
        source += (
            f" (they alone: {relative_sd:.1%}; counted as {least:.1%}, for visits differ more than shots)"
        )
    return NoiseFigure(max(relative_sd, least), source, own=True)


@dataclass(frozen=True, slots=True)
class Value:
    """An index at one visit and its standard error; refused: why it cannot be compared, else empty. photos:
    how many it is the mean of."""

    index: float
    se: float
    refused: str = ""
    photos: int = 1


def judge_change(
    before: Value,
    after: Value,
    noise: NoiseFigure,
    controls: Sequence[tuple[Value, Value]],
    refused: str = "",
) -> Judged:
    """Judge the difference of two visits.

    controls: the same two visits of untreated regions. refused: why these two cannot be compared, though
    each may be with another. MDC95 = 1.96 × the standard deviation of a difference
    between two photos of an unchanged face: √2·Sw, the readings' own errors, and the control's.
    """
    control = _control(controls, noise)
    ratio, ratio_se = control or (1.0, 0.0)
    difference = after.index - before.index
    level = (abs(before.index) + abs(after.index)) / 2
    own_se = math.hypot(before.se, after.se, math.sqrt(2) * noise.relative_sd * level)
    # What the control leaves in doubt is in doubt here too.
    se = math.hypot(own_se, before.index * ratio_se)
    limit = _95 * se
    beyond = after.index - before.index * ratio
    verdict, reason = ChangeVerdict.CHANGED, before.refused or after.refused or refused
    drift = f"Untreated skin changed by {ratio - 1:+.0%} (± {ratio_se:.0%}) between the same photos: light, "
    if reason:
        verdict = ChangeVerdict.NOT_COMPARABLE
    elif abs(difference) <= limit:
        verdict = ChangeVerdict.NO_DETECTABLE_CHANGE
        if abs(ratio - 1) > _95 * ratio_se and abs(beyond) > limit:
            verdict = ChangeVerdict.NOT_COMPARABLE
            reason = drift + "focus or distance differ, and may hide a change here."
    elif abs(ratio - 1) > ratio_se and (abs(beyond) <= limit or beyond * difference < 0):
        verdict = ChangeVerdict.NOT_COMPARABLE
        reason = drift + "focus or distance differ, and the rest of the difference is within the error."
    return Judged(
        difference=difference,
        se=se,
        smallest_detectable=limit,
        share=difference / before.index if before.index > 0 else None,
        verdict=verdict,
        reason=reason,
        control_share=control[0] - 1 if control else None,
        control_se=control[1] if control else None,
    )


def _control(controls: Sequence[tuple[Value, Value]], noise: NoiseFigure) -> tuple[float, float] | None:
    """Return by which factor untreated regions changed together, and its error; None without any."""
    told = [(a, b) for a, b in controls if not (a.refused or b.refused) and a.index > 3 * a.se]
    before = sum(a.index for a, _ in told)
    if before <= 0:
        return None
    ratio = sum(b.index for _, b in told) / before
    own = math.sqrt(sum((a.se * ratio) ** 2 + b.se**2 for a, b in told)) / before
    return ratio, math.hypot(own, math.sqrt(2) * noise.relative_sd * ratio / math.sqrt(len(told)))
