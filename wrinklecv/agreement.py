"""Repeats and readers: how noisy a clinic's own figures are, and how well readers agree.

Conventions of this room:

- Rows are subjects, columns are repeats or readers; NaN is a value that is missing.
- All intervals are 95 %.
- Where the data do not tell, an `Estimate` has no value and says what they lack; that is no error.
  Wrong shapes, infinite values and grades outside their scale raise ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from .records import Float, frozen_array

_LEVEL = 0.95
_TAILS = ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2)
_NORMAL = 1.96
"""Quantile of the normal distribution in MDC95, repeatability coefficient and limits of agreement."""
_LEAST_DEGREES = 10
"""At 10 degrees of freedom the interval of Sw runs from 0.70 to 1.75 times Sw; at 5, to 2.45 times."""
_MOST_UNTOLD_SHARE = 0.05
"""More resamples than this that tell nothing, and their quantiles are no 95 % interval any more."""


class Lack(StrEnum):
    """What the data lack to give a value, or an interval to it."""

    NOTHING = ""
    SUBJECTS = "too_few_subjects"
    REPEATS = "too_few_repeats"
    VARIATION = "no_variation"
    PRIOR = "repeats_contradict_the_literature"


class Origin(StrEnum):
    """Where a figure of noise comes from."""

    OWN = "own_repeats"
    LITERATURE = "literature"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval.

    value: None where the data do not tell. low, high: None where there is no interval.
    count: how many subjects it rests on. lack: what is missing where one of them is None.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int = 0
    lack: Lack = Lack.NOTHING

    def times(self, factor: float) -> Estimate:
        """Return the estimate of `factor` (≥ 0) times the figure."""
        value, low, high = (None if x is None else factor * x for x in (self.value, self.low, self.high))
        return replace(self, value=value, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Prior:
    """Noise as somebody else found it: what to go by until there are own repeats.

    sw: within-subject standard deviation, of the values or, where `is_log`, of their natural logarithm
    (a relative sd, nearly; `log_offset` would only make it smaller).
    source: who found it, on what.
    """

    sw: float
    is_log: bool
    source: str

    def __post_init__(self) -> None:
        if not (0 < self.sw < math.inf and self.source.strip()):
            raise ValueError(f"a prior needs a positive sw and a source, not {self.sw} and {self.source!r}")


BEST_RIG = Prior(
    0.034,
    is_log=True,
    source="same-session repeatability of a wrinkle index on the best fixed camera rig, 3.4 % SD",
)
"""A lower bound for photos by hand: a fixed rig repeats pose, distance and light better than people do."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How far repeats of one subject spread with no true change between them.

    sw: within-subject standard deviation, from where `origin` says. In the unit of the values where
    `log_offset` is None, else the standard deviation of ln(value + log_offset).
    own: the same from own repeats alone, however few. degrees_of_freedom: of `own`.
    source: of the prior, where that is the origin.
    """

    origin: Origin
    sw: Estimate
    own: Estimate
    degrees_of_freedom: int
    log_offset: float | None = None
    source: str = ""

    def sem(self, repeats: int = 1) -> Estimate:
        """Return the standard error of measurement of a mean of `repeats` photos, Sw / √repeats.

        Reference: Weir 2005, J Strength Cond Res 19:231 (the root of the error mean square).
        """
        if repeats < 1:
            raise ValueError(f"repeats must be at least 1, not {repeats}")
        return self.sw.times(1 / math.sqrt(repeats))

    def mdc95(self, before: int = 1, after: int = 1) -> Estimate:
        """Return the smallest change that noise alone would show in no more than 5 % of subjects.

        1.96·√2·Sw for one photo `before` and one `after`, 1.96·Sw·√(1/before + 1/after) for means of
        several. Where `log_offset` is set, it is a difference of ln(value + log_offset): its exponential
        is the smallest detectable ratio.
        Reference: Beckerman et al. 2001, Qual Life Res 10:571.
        """
        if min(before, after) < 1:
            raise ValueError(f"before and after must be at least 1, not {before} and {after}")
        return self.sw.times(_NORMAL * math.sqrt(1 / before + 1 / after))

    @property
    def repeatability_coefficient(self) -> Estimate:
        """How far two repeats lie apart at most, in 95 % of pairs: 1.96·√2·Sw.

        Reference: Bland & Altman 1999, Stat Methods Med Res 8:135, section 3.
        """
        return self.sw.times(_NORMAL * math.sqrt(2))


def measure_noise(
    repeats: Sequence[npt.ArrayLike] | Float,
    *,
    log_offset: float | None = None,
    prior: Prior | None = None,
    least_degrees: int = _LEAST_DEGREES,
) -> Noise:
    """Find the within-subject standard deviation from repeats without true change between them.

    repeats: one sequence of values per subject, of any length; those with one value do not count.
    log_offset: take ln(value + log_offset) first, for noise that grows with the value.
    prior: what to go by below `least_degrees` degrees of freedom; without it the noise is unknown there.
    A prior that even few own repeats exclude (their interval lies above it) is not gone by.

    Sw² = Σᵢ Σⱼ (xᵢⱼ − x̄ᵢ)² / Σᵢ (nᵢ − 1), the error mean square of a one-way analysis of variance; with
    ν = Σᵢ (nᵢ − 1), ν·Sw²/σ² is χ² with ν degrees of freedom, which gives the interval.
    Raises ValueError when `log_offset` leaves a value that is not positive, or the prior's scale is another.
    References: Bland & Altman 1996, BMJ 312:1654 (and 313:106 for logarithms).
    """
    if prior and prior.is_log != (log_offset is not None):
        raise ValueError("the prior and the repeats must both be logarithms, or neither")
    own, degrees = _own_noise([_values_of(row, log_offset) for row in repeats])
    if own.value is not None and degrees >= least_degrees:
        return Noise(Origin.OWN, own, own, degrees, log_offset)
    lack = own.lack or Lack.REPEATS
    if prior and (own.low is None or own.low <= prior.sw):
        return Noise(Origin.LITERATURE, Estimate(prior.sw, lack=lack), own, degrees, log_offset, prior.source)
    lack = Lack.PRIOR if prior else lack
    return Noise(Origin.UNKNOWN, Estimate(None, count=own.count, lack=lack), own, degrees, log_offset)


def _values_of(row: npt.ArrayLike, log_offset: float | None) -> Float:
    """Return one subject's values, (repeats,), without those that are missing."""
    values = _finite(frozen_array(row, np.float64, (None,), "repeats of one subject"))
    values = values[~np.isnan(values)]
    if log_offset is None:
        return values
    if not math.isfinite(log_offset) or (values + log_offset <= 0).any():
        raise ValueError(f"log_offset {log_offset} leaves values that are not positive")
    return np.log(values + log_offset)


def _own_noise(subjects: list[Float]) -> tuple[Estimate, int]:
    """Return Sw with its interval, and its degrees of freedom."""
    subjects = [values for values in subjects if len(values) > 1]
    degrees = sum(len(values) - 1 for values in subjects)
    if len(subjects) < 2:  # one subject's noise says nothing of the others'
        lack = Lack.SUBJECTS if subjects else Lack.REPEATS
        return Estimate(None, count=len(subjects), lack=lack), degrees
    if np.ptp(np.concatenate(subjects)) == 0:  # such as a region in which nobody has a line
        return Estimate(None, count=len(subjects), lack=Lack.VARIATION), degrees
    # From the first value on, so that equal repeats give 0 and not the rounding of their mean.
    squares = sum(float(((x - x[0] - (x - x[0]).mean()) ** 2).sum()) for x in subjects)
    low, high = (math.sqrt(squares / special.chdtri(degrees, tail)) for tail in _TAILS)
    return Estimate(math.sqrt(squares / degrees), low, high, len(subjects)), degrees


# -- readers, or repeats in two sessions -----------------------------------------------------------


def intraclass_correlation(ratings: npt.ArrayLike) -> Estimate:
    """Return ICC(2,1): absolute agreement of single values, readers drawn from many.

    ratings: (subjects, readers); subjects with a missing value are left out.

    With the mean squares of subjects R, readers C and error E, n subjects and k readers:
    (R − E) / (R + (k−1)·E + k·(C − E)/n); the interval is that of ICC(A,1), from F.
    References: Shrout & Fleiss 1979, Psychol Bull 86:420; McGraw & Wong 1996, Psychol Methods 1:30,
    tables 4 and 7 (as corrected on p. 390).
    """
    x = _complete(_table(ratings))
    n, k = x.shape
    if n < 2:
        return Estimate(None, count=n, lack=Lack.SUBJECTS)
    x = x - x[0, 0]  # so that equal readers leave no rounding error
    by_subject, by_reader = x.mean(axis=1, keepdims=True), x.mean(axis=0, keepdims=True)
    of_subjects = k * float(((by_subject - x.mean()) ** 2).sum()) / (n - 1)
    of_readers = n * float(((by_reader - x.mean()) ** 2).sum()) / (k - 1)
    of_error = float(((x - by_subject - by_reader + x.mean()) ** 2).sum()) / ((n - 1) * (k - 1))
    whole = of_subjects + (k - 1) * of_error + k * (of_readers - of_error) / n
    if whole <= 0:
        return Estimate(None, count=n, lack=Lack.VARIATION)
    icc = (of_subjects - of_error) / whole
    low, high = _icc_interval(icc, n, k, of_subjects, of_readers, of_error)
    return Estimate(icc, low, high, n)


def _icc_interval(
    icc: float, n: int, k: int, of_subjects: float, of_readers: float, of_error: float
) -> tuple[float, float]:
    """Return the bounds of ICC(A,1): McGraw & Wong 1996, table 7, a and b there times n·(1 − icc)."""
    a = k * icc * of_readers
    b = (n * (1 - icc) + k * icc * (n - 1)) * of_error
    spread = a**2 / (k - 1) + b**2 / ((n - 1) * (k - 1))
    # Satterthwaite's degrees of freedom; below an icc of 0 the formula may leave what they can be.
    v = max((a + b) ** 2 / spread, 1.0) if spread > 0 else float((n - 1) * (k - 1))
    rest = k * of_readers + (k * n - k - n) * of_error
    below, above = special.fdtri(n - 1, v, _TAILS[1]), special.fdtri(v, n - 1, _TAILS[1])
    low = n * (of_subjects - below * of_error) / (below * rest + n * of_subjects)
    high = n * (above * of_subjects - of_error) / (rest + n * above * of_subjects)
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of agreement: where 95 % of the differences between two readers or sessions lie.

    bias: mean of second − first. sd: of the differences. lower, upper: bias ∓ 1.96·sd. All in the unit
    of the values.
    """

    bias: Estimate
    sd: float | None
    lower: Estimate
    upper: Estimate


def limits_of_agreement(ratings: npt.ArrayLike) -> Limits:
    """Find bias and limits of agreement of two readers, each with its interval.

    ratings: (subjects, 2); subjects with a missing value are left out.
    Standard errors: sd·√(1/n) of the bias, sd·√(1/n + 1.96²/(2(n−1))) of a limit; quantiles of t.
    Reference: Bland & Altman 1999, Stat Methods Med Res 8:135, section 2.
    """
    x = _complete(_table(ratings, columns=2))
    n = len(x)
    if n < 2:
        nothing = Estimate(None, count=n, lack=Lack.SUBJECTS)
        return Limits(nothing, None, nothing, nothing)
    differences = x[:, 1] - x[:, 0]
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    t = float(special.stdtrit(n - 1, _TAILS[1]))
    narrow, wide = t * sd * math.sqrt(1 / n), t * sd * math.sqrt(1 / n + _NORMAL**2 / (2 * (n - 1)))
    lower, upper = bias - _NORMAL * sd, bias + _NORMAL * sd
    return Limits(
        Estimate(bias, bias - narrow, bias + narrow, n),
        sd,
        Estimate(lower, lower - wide, lower + wide, n),
        Estimate(upper, upper - wide, upper + wide, n),
    )


def weighted_kappa(
    ratings: npt.ArrayLike, *, categories: int, weights: Literal["linear", "quadratic"] = "quadratic"
) -> Estimate:
    """Return how far two readers' grades agree beyond chance, near misses counted as near.

    ratings: (subjects, 2), whole numbers from 0 to `categories` − 1; subjects with a missing grade are left
    out. No interval: `bootstrap` gives one.

    1 − Σ w·observed / Σ w·expected, with w = |i − j| (linear) or (i − j)² (quadratic).
    Reference: Cohen 1968, Psychol Bull 70:213.
    """
    grades = _complete(_table(ratings, columns=2))
    if categories < 2 or ((grades != np.round(grades)) | (grades < 0) | (grades >= categories)).any():
        raise ValueError(f"grades must be whole numbers from 0 to below categories, which is {categories}")
    if not len(grades):
        return Estimate(None, lack=Lack.SUBJECTS)
    first, second = grades.astype(int).T
    observed = np.zeros((categories, categories))
    np.add.at(observed, (first, second), 1)
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(grades)
    apart = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories)))
    return _beyond_chance(apart ** {"linear": 1, "quadratic": 2}[weights], observed, expected, len(grades))


def krippendorff_alpha(
    ratings: npt.ArrayLike, *, level: Literal["nominal", "ordinal", "interval"] = "ordinal"
) -> Estimate:
    """Return how far any number of readers agree beyond chance, missing values allowed.

    ratings: (subjects, readers), numbers; subjects with fewer than two values do not count. level: what a
    number means: a name, a rank or an amount. No interval: `bootstrap` gives one.

    1 − (observed / expected disagreement), both from the matrix of coincidences.
    Reference: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    x = _table(ratings)
    x = x[(~np.isnan(x)).sum(axis=1) > 1]
    if not len(x):
        return Estimate(None, lack=Lack.SUBJECTS)
    values = np.unique(x[~np.isnan(x)])
    seen = np.stack([(x == value).sum(axis=1) for value in values], axis=1)  # (subjects, values)
    pairs = seen.sum(axis=1, keepdims=True) - 1
    observed = seen.T @ (seen / pairs) - np.diag((seen / pairs).sum(axis=0))
    totals = seen.sum(axis=0)
    expected = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    # A rank is the middle of the values that share it; a difference of ranks is all that lies between.
    places = {"nominal": values, "ordinal": np.cumsum(totals) - totals / 2, "interval": values}[level]
    apart = np.subtract.outer(places, places) ** 2
    return _beyond_chance(apart > 0 if level == "nominal" else apart, observed, expected, len(x))


def _beyond_chance(apart: Float, observed: Float, expected: Float, count: int) -> Estimate:
    """Return 1 − Σ apart·observed / Σ apart·expected; no value where chance leaves no disagreement."""
    by_chance = float((apart * expected).sum())
    if by_chance == 0:
        return Estimate(None, count=count, lack=Lack.VARIATION)
    return Estimate(1 - float((apart * observed).sum()) / by_chance, count=count)


# -- an interval for any of them -------------------------------------------------------------------


def bootstrap(
    statistic: Callable[[Float], Estimate],
    rows: npt.ArrayLike,
    *,
    samples: int = 2000,
    seed: int = 0,
    method: Literal["percentile", "bca"] = "bca",
) -> Estimate:
    """Return `statistic` of `rows` with an interval from resampling subjects.

    rows: (subjects, …), as the statistic takes it; NaN pads subjects with fewer repeats. The same
    `seed` gives the same interval. There is none where more than 5 % of the resamples tell nothing; below
    some 20 subjects it is too narrow.
    References: Efron 1987, J Am Stat Assoc 82:171 (BCa); Efron & Tibshirani 1993, chapters 13 and 14.
    """
    data = np.asarray(rows, dtype=np.float64)
    if data.ndim == 0 or samples < 1 or method not in ("percentile", "bca"):
        raise ValueError(f"cannot resample {data.shape} subjects {samples} times by {method!r}")
    whole, n = statistic(data), len(data)
    if whole.value is None:
        return whole
    chosen = np.random.default_rng(seed).integers(n, size=(samples, n))
    found = _told(statistic, (data[index] for index in chosen))
    if n < 2 or len(found) < (1 - _MOST_UNTOLD_SHARE) * samples:
        return replace(whole, low=None, high=None, lack=Lack.SUBJECTS if n < 2 else Lack.VARIATION)
    levels = np.array(_TAILS)
    if method == "bca":
        left_out = _told(statistic, (np.delete(data, i, axis=0) for i in range(n)))
        levels = _bca_levels(whole.value, found, left_out)
    low, high = np.quantile(found, levels)
    return replace(whole, low=float(low), high=float(high))


def _told(statistic: Callable[[Float], Estimate], resamples: Iterable[Float]) -> Float:
    """Return the values of the resamples that tell one."""
    values = (statistic(sample).value for sample in resamples)
    return np.array([value for value in values if value is not None])


def _bca_levels(value: float, found: Float, left_out: Float) -> Float:
    """Return which quantiles of `found` bound the interval; `left_out`: values without one subject each."""
    below = ((found < value).mean() + (found <= value).mean()) / 2  # many equal values are no bias
    bias = special.ndtri(np.clip(below, 0.5 / len(found), 1 - 0.5 / len(found)))
    pull = left_out.mean() - left_out if len(left_out) else left_out
    squares = float((pull**2).sum())
    acceleration = float((pull**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    z = bias + special.ndtri(_TAILS)
    return special.ndtr(bias + z / (1 - acceleration * z))  # type: ignore[no-any-return]


# -- what may come in ------------------------------------------------------------------------------


def _table(ratings: npt.ArrayLike, columns: int | None = None) -> Float:
    """Return ratings as (subjects, columns ≥ 2); raise ValueError when they have another shape."""
    table = _finite(frozen_array(ratings, np.float64, (None, columns), "ratings"))
    if table.shape[1] < 2:
        raise ValueError(f"ratings has shape {table.shape}: agreement needs at least two columns")
    return table


def _complete(table: Float) -> Float:
    """Return the subjects without a missing value."""
    return table[~np.isnan(table).any(axis=1)]


def _finite(values: Float) -> Float:
    """Return `values`; raise ValueError when one is infinite."""
    if np.isinf(values).any():
        raise ValueError("infinite values cannot be measured; a missing value is NaN")
    return values
