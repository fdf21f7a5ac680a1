"""Static, deepened, dynamic or not to be told: the decision about one line, from its two contrasts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .records import LineKind
from .settings import Settings

_NORMAL_90 = 1.645
_LEAST_LEFT = 0.5
"""A line at rest that keeps less than this share of its contrast in the expression is in doubt."""
_NOTHING_LEFT = 0.1
"""A line at rest with less than this share of its contrast is none, even close to the limit."""
_DARKEST_FOLD = 0.6
"""ln: a fold that appears in an expression is seldom darker than half; rims of glasses are."""
_DEEPER_AT_REST = 1.25
"""So much deeper at rest than in the expression a fold of the skin is not."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """One line's contrast in one photo: value, standard error, from where on it would have been seen there,
    and whether the detector found it."""

    value: float
    se: float
    limit: float
    found: bool = False

    @property
    def seen(self) -> bool:
        """Whether it is found, or above what the photo can show."""
        return self.found or self.value >= self.limit

    @property
    def surely_seen(self) -> float:
        """Probability that it is above what the photo can show; 1 where it was found."""
        return 1.0 if self.found else _above(self.value, self.limit, self.se)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a line is, how sure (0–1), why it cannot be told (a sentence, else empty), its static share with a
    90 % interval; None where the photos say nothing of it."""

    kind: LineKind
    confidence: float
    reason: str
    share: float | None = None
    low: float | None = None
    high: float | None = None


def judge_kind(rest: Contrast, expression: Contrast, *, share_sd: float, settings: Settings) -> Judgement:
    """Decide about one line.

    share_sd: relative standard deviation of the static share beyond the two contrasts' own errors.
    """
    if not rest.seen and not expression.seen:
        return unseen("It is fainter than either photo can show.")
    share, share_se = share_of(rest, expression, share_sd)
    low, high = share - _NORMAL_90 * share_se, share + _NORMAL_90 * share_se
    interval = (_clipped(share), _clipped(low), _clipped(high))
    if not expression.seen:
        return _vanished(rest, expression, settings)
    if not rest.seen:
        # Brighter than beside is noise, and no proof of absence.
        absent = _above(settings.dynamic_share, max(share, 0.0), share_se)
        if _above(_NOTHING_LEFT, max(share, 0.0), share_se) < settings.min_kind_confidence:
            # So much may be left that it matters whether it is really below the limit.
            absent = min(absent, 1 - rest.surely_seen)
        if expression.value > _DARKEST_FOLD:
            reason = (
                "So dark a line that is not seen at rest is rather a frame, a hair or a shadow than a fold."
            )
            return Judgement(LineKind.INDETERMINATE, 0.0, reason, *interval)
        if absent >= settings.min_kind_confidence:
            return Judgement(LineKind.DYNAMIC, absent, "", *interval)
        reason = "At rest it is not seen, but the rest photo could hardly have shown it."
        return Judgement(LineKind.INDETERMINATE, 0.0, reason, *interval)
    if _above(share, _DEEPER_AT_REST, share_se) >= settings.min_kind_confidence:
        reason = (
            "It is clearly deeper at rest than in the expression: the light, or a face that was not at rest."
        )
        return Judgement(LineKind.INDETERMINATE, 0.0, reason, *interval)
    static = _above(share, settings.static_share, share_se)
    kind, confidence = max(
        (LineKind.STATIC, static), (LineKind.DEEPENED, 1 - static), key=lambda pair: pair[1]
    )
    confidence = min(confidence, rest.surely_seen, expression.surely_seen)
    if confidence >= settings.min_kind_confidence:
        return Judgement(kind, confidence, "", *interval)
    if rest.surely_seen < settings.min_kind_confidence:
        reason = "It is just at the limit of what the rest photo can show."
    else:
        reason = (
            "It may be a little deeper in the expression or just as deep: the difference is within the error."
        )
    return Judgement(LineKind.INDETERMINATE, 0.0, reason, *interval)


def share_of(rest: Contrast, expression: Contrast, share_sd: float) -> tuple[float, float]:
    """Return the contrast at rest over that in expression, and its standard error."""
    deepest = max(expression.value, 1e-6)
    share = rest.value / deepest
    known = max(min(share, 1.5), 0.0)
    return share, math.hypot(rest.se / deepest, known * expression.se / deepest, known * share_sd)


def _vanished(rest: Contrast, expression: Contrast, settings: Settings) -> Judgement:
    """Judge a line that is seen at rest and not in the expression photo."""
    if expression.value + _NORMAL_90 * expression.se < _LEAST_LEFT * rest.value:
        # A fold of the skin does not vanish: rather a hair, the light, or no line at all.
        reason = "It is seen at rest but not in the expression, where it should be seen too."
        return Judgement(LineKind.INDETERMINATE, 0.0, reason)
    most = rest.value / settings.static_share
    static = _above(most, expression.value, math.hypot(expression.se, rest.se / settings.static_share))
    if static >= settings.min_kind_confidence:
        least = (rest.value - _NORMAL_90 * rest.se) / max(expression.value + _NORMAL_90 * expression.se, 1e-6)
        return Judgement(LineKind.STATIC, static, "", 1.0, _clipped(least), 1.0)
    reason = "It is seen at rest, but the expression photo could hardly have shown how deep it is."
    return Judgement(LineKind.INDETERMINATE, 0.0, reason)


def unseen(reason: str) -> Judgement:
    """Return the judgement of a line about which the photos say nothing."""
    return Judgement(LineKind.INDETERMINATE, 0.0, reason)


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))


def _above(value: float, limit: float, se: float) -> float:
    """Return the probability that a normal value with that standard error is above `limit`."""
    return 0.5 * (1 + math.erf((value - limit) / (math.sqrt(2) * max(se, 1e-9))))
