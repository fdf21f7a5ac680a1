"""Noise and agreement: against other people's code, by simulation and by reasoning."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from wrinklecv.agreement import (
    BEST_RIG,
    Estimate,
    Lack,
    Origin,
    Prior,
    bootstrap,
    intraclass_correlation,
    krippendorff_alpha,
    limits_of_agreement,
    measure_noise,
    weighted_kappa,
)

Array = npt.NDArray[np.float64]

# pingouin still speaks to pandas in ways that are to go.
OLD_PANDAS = pytest.mark.filterwarnings("ignore:The inplace keyword")


def a_clinic(
    rng: np.random.Generator, *, subjects: int = 30, repeats: int = 3, noise: float = 1.0, bias: float = 0.0
) -> Array:
    """Return values (subjects, repeats): subjects spread with sd 3; each column is `bias` above the last."""
    true = 20 + 3 * rng.standard_normal((subjects, 1))
    return true + bias * np.arange(repeats) + noise * rng.standard_normal((subjects, repeats))


def with_gaps(rng: np.random.Generator, table: Array, share: float) -> Array:
    return np.where(rng.random(table.shape) < share, np.nan, table)


def grades(rng: np.random.Generator, *, subjects: int = 40, readers: int = 2, categories: int = 4) -> Array:
    """Return grades (subjects, readers) that mostly agree."""
    true = rng.uniform(0, categories - 1, (subjects, 1))
    return np.clip(np.round(true + 0.6 * rng.standard_normal((subjects, readers))), 0, categories - 1)


def covers(estimate: Estimate, truth: float) -> bool:
    assert estimate.low is not None and estimate.high is not None
    return estimate.low <= truth <= estimate.high


def value_of(estimate: Estimate) -> float:
    assert estimate.value is not None
    return estimate.value


def bounds_of(estimate: Estimate) -> tuple[float, float]:
    assert estimate.low is not None and estimate.high is not None
    return estimate.low, estimate.high


# -- noise -----------------------------------------------------------------------------------------


def test_sw_of_two_repeats_is_the_root_mean_square_of_half_the_differences() -> None:
    pairs = a_clinic(np.random.default_rng(1), repeats=2)
    noise = measure_noise(pairs)
    differences = pairs[:, 0] - pairs[:, 1]
    assert value_of(noise.sw) == pytest.approx(math.sqrt((differences**2).mean() / 2))
    assert noise.degrees_of_freedom == 30


def test_sw_by_hand_with_unequal_repeats() -> None:
    noise = measure_noise([[1, 2, 3], [10, 14], [7], []], least_degrees=3)
    assert noise.degrees_of_freedom == 3  # one photo of a subject says nothing of noise
    assert noise.sw.count == 2
    assert value_of(noise.sw) == pytest.approx(math.sqrt((1 + 0 + 1 + 4 + 4) / 3))
    # χ² of 3 degrees of freedom: 0.2158 and 9.348, from any table.
    assert bounds_of(noise.sw) == pytest.approx((math.sqrt(10 / 9.3484), math.sqrt(10 / 0.215795)), rel=1e-4)


@OLD_PANDAS
def test_sw_is_the_error_mean_square_of_pingouins_analysis_of_variance() -> None:
    pingouin, pandas = import_module("pingouin"), import_module("pandas")
    rng = np.random.default_rng(2)
    table = with_gaps(rng, a_clinic(rng, subjects=25, repeats=5), 0.3)
    subject, column = np.nonzero(~np.isnan(table))
    long = pandas.DataFrame({"subject": subject, "value": table[subject, column]})
    within = pingouin.anova(long, dv="value", between="subject", detailed=True).iloc[1]
    noise = measure_noise(table)
    assert noise.degrees_of_freedom == within["DF"]
    assert value_of(noise.sw) ** 2 == pytest.approx(within["SS"] / within["DF"])


@pytest.mark.parametrize("log_offset", [None, 1.0])
def test_repeats_without_noise_give_none(log_offset: float | None) -> None:
    noise = measure_noise([[value] * 4 for value in (0.1, 0.7, 13.3, 0.0)], log_offset=log_offset)
    assert noise.origin is Origin.OWN
    assert (noise.sw.value, noise.sw.low, noise.sw.high) == (0, 0, 0)


def test_what_the_subjects_are_like_does_not_change_their_noise() -> None:
    rng = np.random.default_rng(3)
    table = a_clinic(rng)
    shifted = table + 100 * rng.standard_normal((len(table), 1))
    assert value_of(measure_noise(shifted).sw) == pytest.approx(value_of(measure_noise(table).sw))
    assert value_of(measure_noise(7 * table).sw) == pytest.approx(7 * value_of(measure_noise(table).sw))


def test_on_the_log_scale_a_factor_changes_nothing() -> None:
    table = a_clinic(np.random.default_rng(4))
    here, there = (measure_noise(f * table, log_offset=0.0) for f in (1, 13))
    assert value_of(here.sw) == pytest.approx(value_of(there.sw))
    assert here.log_offset == 0


def test_noise_in_proportion_to_the_value_is_found_on_the_log_scale() -> None:
    rng = np.random.default_rng(5)
    true = rng.lognormal(3, 1, (2000, 1))
    noise = measure_noise(true * np.exp(0.05 * rng.standard_normal((2000, 2))), log_offset=0.0)
    assert value_of(noise.sw) == pytest.approx(0.05, rel=0.05)


def test_the_interval_of_sw_covers_the_truth_in_95_of_100_clinics() -> None:
    rng = np.random.default_rng(6)
    hits = 0
    for _ in range(400):
        means, counts = rng.normal(20, 5, 12), rng.integers(1, 5, 12)
        repeats = [rng.normal(m, 1.7, int(n)) for m, n in zip(means, counts, strict=True)]
        hits += covers(measure_noise(repeats, least_degrees=1).sw, 1.7)
    assert 0.92 <= hits / 400 <= 0.98


def test_noise_alone_passes_the_smallest_detectable_change_in_5_of_100_pairs() -> None:
    rng = np.random.default_rng(7)
    noise = measure_noise(a_clinic(rng, subjects=2000, noise=1.3))
    changes = np.abs(1.3 * (rng.standard_normal(20_000) - rng.standard_normal(20_000)))
    assert (changes > value_of(noise.mdc95())).mean() == pytest.approx(0.05, abs=0.01)
    means = np.abs(1.3 * (rng.standard_normal((20_000, 3)).mean(axis=1) - rng.standard_normal(20_000)))
    assert (means > value_of(noise.mdc95(before=3, after=1))).mean() == pytest.approx(0.05, abs=0.01)


def test_sem_and_repeatability_follow_from_sw_with_their_intervals() -> None:
    noise = measure_noise(a_clinic(np.random.default_rng(8)))
    assert noise.sem() == noise.sw
    assert value_of(noise.sem(4)) == pytest.approx(value_of(noise.sw) / 2)
    assert noise.repeatability_coefficient == noise.mdc95()
    ratios = np.divide(bounds_of(noise.mdc95()), bounds_of(noise.sw))
    assert ratios == pytest.approx([1.96 * math.sqrt(2)] * 2)


FEW = [[10.0, 10.1], [20.0, 20.3], [5.0, 5.1]]
LOOSE = Prior(0.3, is_log=False, source="somebody's rig")


def test_few_repeats_go_by_the_literature_and_say_so() -> None:
    noise = measure_noise(FEW, prior=LOOSE)
    assert noise.origin is Origin.LITERATURE
    assert (noise.sw.value, noise.sw.low, noise.sw.high) == (0.3, None, None)
    assert noise.sw.lack is Lack.REPEATS
    assert noise.source == "somebody's rig"
    assert (noise.degrees_of_freedom, noise.own.count) == (3, 3)
    assert value_of(noise.own) == pytest.approx(math.sqrt((0.01 + 0.09 + 0.01) / 2 / 3))
    assert noise.mdc95().low is None


def test_few_repeats_without_literature_are_unknown_but_kept() -> None:
    noise = measure_noise(FEW)
    assert noise.origin is Origin.UNKNOWN
    assert (noise.sw.value, noise.mdc95().value, noise.mdc95().lack) == (None, None, Lack.REPEATS)
    assert noise.own.value is not None


def test_enough_repeats_need_no_literature() -> None:
    table = a_clinic(np.random.default_rng(9), subjects=10, repeats=2)
    assert measure_noise(table, prior=LOOSE).origin is Origin.OWN
    assert measure_noise(table[:9], prior=Prior(1.5, is_log=False, source="x")).origin is Origin.LITERATURE
    assert measure_noise(table[:9], prior=LOOSE, least_degrees=9).origin is Origin.OWN


def test_literature_that_even_few_repeats_contradict_is_not_gone_by() -> None:
    noise = measure_noise([[10, 14], [20, 15], [5, 9]], log_offset=0.0, prior=BEST_RIG)
    assert noise.origin is Origin.UNKNOWN
    assert noise.sw.lack is Lack.PRIOR
    assert noise.own.low is not None and noise.own.low > BEST_RIG.sw


@pytest.mark.parametrize(
    ("repeats", "lack"),
    [
        ([], Lack.REPEATS),
        ([[1.0], [2.0]], Lack.REPEATS),
        ([list(range(20))], Lack.SUBJECTS),
        ([[0.0, 0.0]] * 20, Lack.VARIATION),
        ([[math.nan, 1.0]] * 20, Lack.REPEATS),
    ],
)
def test_repeats_that_tell_nothing_say_what_they_lack(repeats: list[list[float]], lack: Lack) -> None:
    noise = measure_noise(repeats)
    assert (noise.origin, noise.sw.value, noise.sw.lack) == (Origin.UNKNOWN, None, lack)
    helped = measure_noise(repeats, prior=LOOSE)
    assert (helped.origin, helped.sw.value, helped.sw.lack) == (Origin.LITERATURE, 0.3, lack)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measure_noise([1.0, 2.0]), "repeats of one subject"),
        (lambda: measure_noise([[1.0, math.inf]]), "infinite"),
        (lambda: measure_noise([[0.0, 1.0]], log_offset=0.0), "not positive"),
        (lambda: measure_noise(FEW, prior=BEST_RIG), "both be logarithms"),
        (lambda: Prior(0.0, is_log=True, source="x"), "positive sw"),
        (lambda: Prior(0.1, is_log=True, source=" "), "source"),
        (lambda: measure_noise(FEW).sem(0), "at least 1"),
        (lambda: measure_noise(FEW).mdc95(after=0), "at least 1"),
        (lambda: intraclass_correlation([1.0, 2.0]), "wanted"),
        (lambda: intraclass_correlation([[1.0], [2.0]]), "two columns"),
        (lambda: limits_of_agreement(np.ones((4, 3))), "wanted"),
        (lambda: weighted_kappa([[0, 4]], categories=4), "whole numbers"),
        (lambda: weighted_kappa([[0, 0.5]], categories=4), "whole numbers"),
        (lambda: weighted_kappa([[-1, 0]], categories=4), "whole numbers"),
        (lambda: krippendorff_alpha([[0, math.inf]]), "infinite"),
        (lambda: bootstrap(krippendorff_alpha, 1.0), "cannot resample"),
        (lambda: bootstrap(krippendorff_alpha, np.eye(3), samples=0), "cannot resample"),
    ],
)
def test_what_cannot_be_meant_is_an_error(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


# -- intraclass correlation ------------------------------------------------------------------------


@OLD_PANDAS
@pytest.mark.parametrize("seed", range(6))
def test_icc_and_its_interval_are_pingouins(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pingouin, pandas = import_module("pingouin"), import_module("pandas")
    rng = np.random.default_rng(seed)
    table = a_clinic(rng, subjects=8 + 5 * seed, repeats=2 + seed % 3, noise=1 + seed, bias=0.5)
    table[seed, 0] = np.nan
    subject, reader = np.indices(table.shape)
    long = pandas.DataFrame({"s": subject.ravel(), "r": reader.ravel(), "x": table.ravel()})
    monkeypatch.setitem(pingouin.options, "round.column.CI95", None)
    rows = pingouin.intraclass_corr(long, "s", "r", "x", nan_policy="omit").set_index("Type")
    ours = intraclass_correlation(table)
    assert ours.count == len(table) - 1
    assert value_of(ours) == pytest.approx(rows.loc["ICC(A,1)", "ICC"])
    assert bounds_of(ours) == pytest.approx(tuple(rows.loc["ICC(A,1)", "CI95"]))


def test_icc_of_the_example_of_shrout_and_fleiss() -> None:
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert value_of(intraclass_correlation(table)) == pytest.approx(0.29, abs=0.005)  # their table 4


def test_the_interval_of_the_icc_covers_the_truth() -> None:
    rng = np.random.default_rng(10)
    truth = 9 / (9 + 4 + 1)  # subjects' sd 3, readers' sd 1, error's 2
    hits = 0
    for _ in range(400):
        readers = rng.standard_normal((1, 8))
        hits += covers(intraclass_correlation(a_clinic(rng, repeats=8, noise=2) + readers), truth)
    assert 0.92 <= hits / 400 <= 0.98


def test_equal_readers_agree_wholly_and_a_bias_is_held_against_them() -> None:
    true = np.linspace(0.1, 9.7, 12)
    same = intraclass_correlation(np.stack([true, true, true], axis=1))
    assert (same.value, same.low, same.high) == pytest.approx((1, 1, 1))
    apart = intraclass_correlation(np.stack([true, true + 3], axis=1))
    assert value_of(apart) < 0.8
    assert covers(apart, value_of(apart))


def test_the_icc_does_not_change_with_unit_zero_or_order_of_readers() -> None:
    table = a_clinic(np.random.default_rng(11), bias=0.4)
    base = intraclass_correlation(table)
    for other in (table + 1000, table * 25.4, table[:, ::-1], table[::-1]):
        assert value_of(intraclass_correlation(other)) == pytest.approx(value_of(base))
        assert bounds_of(intraclass_correlation(other)) == pytest.approx(bounds_of(base))


def test_readers_without_any_agreement_still_have_an_interval() -> None:
    rng = np.random.default_rng(12)
    for size in ((2, 2), (3, 2), (2, 5), (10, 3)):
        for _ in range(50):
            low, high = bounds_of(intraclass_correlation(rng.standard_normal(size)))
            assert math.isfinite(low) and math.isfinite(high) and low <= high


@pytest.mark.parametrize(
    ("table", "lack"),
    [
        ([[1.0, 2.0]], Lack.SUBJECTS),
        ([[math.nan, 2.0], [1.0, 2.0]], Lack.SUBJECTS),
        (np.full((5, 3), 0.1), Lack.VARIATION),
    ],
)
def test_an_icc_without_subjects_that_differ_is_unknown(table: Any, lack: Lack) -> None:
    result = intraclass_correlation(table)
    assert (result.value, result.low, result.lack) == (None, None, lack)


# -- limits of agreement ---------------------------------------------------------------------------


def test_limits_of_the_example_of_bland_and_altman() -> None:
    # Peak expiratory flow by two meters, Bland & Altman 1986, Lancet i:307, table 1.
    wright = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = limits_of_agreement(np.stack([mini, wright], axis=1))
    assert value_of(found.bias) == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert bounds_of(found.bias) == pytest.approx((-22.0, 17.8), abs=0.1)


def test_the_intervals_of_bias_and_limits_cover_the_truth() -> None:
    rng = np.random.default_rng(13)
    spread = math.sqrt(2) * 1.5
    hits = np.zeros(3)
    for _ in range(400):
        found = limits_of_agreement(a_clinic(rng, subjects=25, repeats=2, noise=1.5, bias=2))
        truths = (2, 2 - 1.96 * spread, 2 + 1.96 * spread)
        estimates = (found.bias, found.lower, found.upper)
        hits += [covers(e, t) for e, t in zip(estimates, truths, strict=True)]
    assert ((hits / 400 >= 0.92) & (hits / 400 <= 0.98)).all()


def test_equal_readers_have_limits_at_nothing_and_the_order_turns_the_sign() -> None:
    true = np.linspace(1, 5, 9)
    same = limits_of_agreement(np.stack([true, true], axis=1))
    assert (same.bias.value, same.sd, same.lower.high, same.upper.value) == (0, 0, 0, 0)
    table = a_clinic(np.random.default_rng(14), repeats=2, bias=1)
    one, other = limits_of_agreement(table), limits_of_agreement(table[:, ::-1])
    assert value_of(one.upper) == pytest.approx(-value_of(other.lower))


def test_one_subject_has_no_limits_of_agreement() -> None:
    found = limits_of_agreement([[1.0, 2.0], [math.nan, 3.0]])
    assert (found.bias.value, found.sd, found.upper.value) == (None, None, None)
    assert found.lower.lack is Lack.SUBJECTS
    assert found.bias.count == 1


# -- kappa and alpha -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_kappa_is_that_of_scikit_learn(seed: int, weights: Literal["linear", "quadratic"]) -> None:
    metrics = import_module("sklearn.metrics")
    rng = np.random.default_rng(seed)
    table = grades(rng, categories=3 + seed)
    table[table == 1] = 2  # a grade in the middle that nobody gave still keeps its place
    first, second = table.T
    theirs = metrics.cohen_kappa_score(first, second, labels=list(range(3 + seed)), weights=weights)
    gaps = np.vstack([table, [[math.nan, 1], [0, math.nan]]])
    for ratings in (table, gaps, table[:, ::-1]):
        ours = weighted_kappa(ratings, categories=3 + seed, weights=weights)
        assert value_of(ours) == pytest.approx(theirs)
        assert ours.count == len(table)


@pytest.mark.parametrize("gaps", [0.0, 0.3])
@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_is_that_of_krippendorff(level: Literal["nominal", "ordinal", "interval"], gaps: float) -> None:
    krippendorff = import_module("krippendorff")
    for seed in range(4):
        rng = np.random.default_rng(seed)
        table = with_gaps(rng, grades(rng, readers=2 + seed, categories=5) ** 2, gaps)
        theirs = krippendorff.alpha(table.T, level_of_measurement=level)
        assert value_of(krippendorff_alpha(table, level=level)) == pytest.approx(theirs)


def test_alpha_of_amounts_with_many_values_is_that_of_krippendorff() -> None:
    krippendorff = import_module("krippendorff")
    rng = np.random.default_rng(15)
    table = with_gaps(rng, a_clinic(rng, subjects=40), 0.2)
    theirs = krippendorff.alpha(table.T, level_of_measurement="interval")
    assert value_of(krippendorff_alpha(table, level="interval")) == pytest.approx(theirs)


def test_ranks_know_only_the_order_and_names_not_even_that() -> None:
    table = grades(np.random.default_rng(16), readers=3)
    stretched, shuffled = np.exp(table), np.array([2, 0, 3, 1])[table.astype(int)]
    assert krippendorff_alpha(table) == krippendorff_alpha(stretched)
    names = [value_of(krippendorff_alpha(x, level="nominal")) for x in (table, shuffled)]
    assert names[0] == pytest.approx(names[1])


def test_grades_by_chance_agree_no_more_than_chance_and_equal_ones_wholly() -> None:
    rng = np.random.default_rng(17)
    chance = rng.integers(0, 4, (5000, 2)).astype(float)
    same = np.repeat(chance[:, :1], 2, axis=1)
    assert value_of(weighted_kappa(chance, categories=4)) == pytest.approx(0, abs=0.05)
    assert value_of(krippendorff_alpha(chance)) == pytest.approx(0, abs=0.05)
    assert value_of(weighted_kappa(same, categories=4)) == 1
    assert value_of(krippendorff_alpha(same)) == pytest.approx(1)


def test_readers_who_only_ever_give_one_grade_tell_nothing() -> None:
    table = np.ones((10, 2))
    for result in (weighted_kappa(table, categories=4), krippendorff_alpha(table)):
        assert (result.value, result.lack, result.count) == (None, Lack.VARIATION, 10)
    nobody = np.full((3, 2), math.nan)
    for result in (weighted_kappa(nobody, categories=4), krippendorff_alpha(nobody)):
        assert (result.value, result.lack, result.count) == (None, Lack.SUBJECTS, 0)


# -- bootstrap -------------------------------------------------------------------------------------


def the_mean(rows: Array) -> Estimate:
    return Estimate(float(rows.mean()), count=len(rows))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_the_bootstrap_agrees_with_scipys(method: Literal["percentile", "bca"]) -> None:
    values = np.random.default_rng(18).lognormal(0, 1, 60)
    # The same seed draws the same subjects there, so the bounds are the same too.
    rng = np.random.default_rng(1)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=2000, method=method, rng=rng).confidence_interval
    ours = bootstrap(the_mean, values, seed=1, method=method)
    assert value_of(ours) == values.mean()
    assert bounds_of(ours) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_bootstrapped_intervals_cover_the_truth(method: Literal["percentile", "bca"]) -> None:
    rng = np.random.default_rng(19)
    hits = sum(
        covers(bootstrap(the_mean, rng.normal(3, 1, 40), samples=400, seed=i, method=method), 3)
        for i in range(400)
    )
    assert 0.92 <= hits / 400 <= 0.98


def test_the_same_seed_gives_the_same_interval() -> None:
    table = grades(np.random.default_rng(20))
    kappa = functools.partial(weighted_kappa, categories=4)
    first, second = (bootstrap(kappa, table, samples=300, seed=5) for _ in range(2))
    assert first == second != bootstrap(kappa, table, samples=300, seed=6)
    assert first.value == kappa(table).value
    assert covers(first, value_of(first))
    assert first.lack is Lack.NOTHING


def test_sw_of_padded_repeats_can_be_bootstrapped() -> None:
    rng = np.random.default_rng(21)
    table = with_gaps(rng, a_clinic(rng, subjects=40, repeats=4), 0.3)
    found = bootstrap(lambda rows: measure_noise(rows).own, table, samples=400)
    assert bounds_of(found) == pytest.approx(bounds_of(measure_noise(table).own), rel=0.1)


def test_a_statistic_without_spread_has_an_interval_without_width() -> None:
    same = np.repeat(np.linspace(0, 3, 20)[:, None], 2, axis=1)
    assert bounds_of(bootstrap(intraclass_correlation, same, samples=100)) == pytest.approx((1, 1))


def test_resamples_that_mostly_tell_nothing_give_no_interval() -> None:
    rare = np.zeros((12, 2))
    rare[0] = 1  # a resample without the one subject that differs tells nothing
    found = bootstrap(krippendorff_alpha, rare, samples=200)
    assert (found.value, found.low, found.high, found.lack) == (1, None, None, Lack.VARIATION)
    alone = bootstrap(the_mean, np.ones((1, 2)), samples=50)
    assert (alone.value, alone.low, alone.lack) == (1, None, Lack.SUBJECTS)
    untold = bootstrap(krippendorff_alpha, np.zeros((5, 2)))
    assert (untold.value, untold.lack) == (None, Lack.VARIATION)
