"""Static, deepened, dynamic or not to be told: the decision about one line, from its two contrasts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .records import LineKind
from .settings import Settings

_NORMAL_90 = 1.645
_LEAST_LEFT = 0.5
"""A line at rest that keeps less than this share of its contrast in the expression is in doubt."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """One line's contrast in one photo: value, standard error, and from where on it would have been seen."""

    value: float
    se: float
    limit: float

    @property
    def seen(self) -> bool:
        """Whether it is above what the photo can show."""
        return self.value >= self.limit


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a line is, how sure (0–1), why it cannot be told (a sentence, else empty), its static share."""

    kind: LineKind
    confidence: float
    reason: str
    share: float
    low: float
    high: float


def judge_kind(rest: Contrast, expression: Contrast, *, share_sd: float, settings: Settings) -> Judgement:
    """Decide about one line.

    share_sd: relative standard deviation of the static share beyond the two contrasts' own errors.
    """
    if not rest.seen and not expression.seen:
        return unseen("It is fainter than either photo can show.")
    deepest = max(expression.value, 1e-6)
    share = rest.value / deepest
    known = max(min(share, 1.5), 0.0)
    share_se = math.hypot(rest.se / deepest, known * expression.se / deepest, known * share_sd)
    low, high = share - _NORMAL_90 * share_se, share + _NORMAL_90 * share_se
    interval = (_clipped(share), _clipped(low), _clipped(high))
    if not expression.seen:
        if expression.value + _NORMAL_90 * expression.se < _LEAST_LEFT * rest.value:
            # A fold of the skin does not vanish: rather a hair, the light, or no line at all.
            reason = "It is seen at rest but not in the expression, where it should be seen too."
            return Judgement(LineKind.INDETERMINATE, 0.0, reason, *interval)
        # At rest it is seen, so it is static; the expression photo only shows less.
        return Judgement(
            LineKind.STATIC, _above(rest.value, rest.limit / 2, rest.se), "", 1.0, interval[1], 1.0
        )
    if not rest.seen:
        absent = _above(settings.dynamic_share, share, share_se)
        if absent >= settings.min_kind_confidence:
            return Judgement(LineKind.DYNAMIC, absent, "", *interval)
        reason = "At rest it is not seen, but the rest photo could hardly have shown it."
        return Judgement(LineKind.INDETERMINATE, 0.0, reason, *interval)
    static = _above(share, settings.static_share, share_se)
    kind, confidence = max(
        (LineKind.STATIC, static), (LineKind.DEEPENED, 1 - static), key=lambda pair: pair[1]
    )
    if confidence >= settings.min_kind_confidence:
        return Judgement(kind, confidence, "", *interval)
    reason = (
        "It may be a little deeper in the expression or just as deep: the difference is within the error."
    )
    return Judgement(LineKind.INDETERMINATE, 0.0, reason, *interval)


def unseen(reason: str) -> Judgement:
    """Return the judgement of a line about which the photos say nothing."""
    return Judgement(LineKind.INDETERMINATE, 0.0, reason, 0.5, 0.0, 1.0)


def _clipped(share: float) -> float:
    return min(1.0, max(0.0, share))


def _above(value: float, limit: float, se: float) -> float:
    """Return the probability that a normal value with that standard error is above `limit`."""
    return 0.5 * (1 + math.erf((value - limit) / (math.sqrt(2) * max(se, 1e-9))))
