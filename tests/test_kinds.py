"""The decision about one line: its corners, and that doubt never makes it surer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from wrinklecv.kinds import Contrast, Judgement, judge_kind, unseen
from wrinklecv.records import LineKind
from wrinklecv.settings import DEFAULTS

NOISE = 0.005
"""Standard error of a line of 10 mm in a good photo."""
SNR = DEFAULTS.seen_signal_to_noise
KINDS = (LineKind.STATIC, LineKind.DEEPENED, LineKind.DYNAMIC)


def found(value: float, se: float = NOISE) -> Contrast:
    """Return the contrast of a line that was found: it was seen, whatever the noise."""
    return Contrast(value, se, SNR * se, found=True)


def looked_for(value: float, se: float = NOISE) -> Contrast:
    """Return the contrast read where a line was expected."""
    return Contrast(value, se, SNR * se)


def judged(rest: Contrast, expression: Contrast, *, share_sd: float = 0.05) -> Judgement:
    return judge_kind(rest, expression, share_sd=share_sd, settings=DEFAULTS)


# -- corners ---------------------------------------------------------------------------------------


def interval(result: Judgement) -> tuple[float, float, float]:
    assert result.low is not None and result.share is not None and result.high is not None
    return result.low, result.share, result.high


@pytest.mark.parametrize("deep", [0.1, 0.2, 0.4])
def test_a_line_as_deep_at_rest_as_in_expression_is_static(deep: float) -> None:
    result = judged(found(deep), found(deep))
    assert result.kind is LineKind.STATIC
    assert result.confidence >= DEFAULTS.min_kind_confidence
    assert result.reason == ""
    assert result.share == pytest.approx(1.0)


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_line_seen_at_rest_and_clearly_deeper_in_expression_is_deepened(share: float) -> None:
    result = judged(found(0.3 * share), found(0.3))
    assert result.kind is LineKind.DEEPENED
    assert result.confidence >= DEFAULTS.min_kind_confidence
    assert result.share == pytest.approx(share)


@pytest.mark.parametrize("value", [-0.01, 0.0, 0.01])
def test_a_line_of_which_a_good_rest_photo_shows_nothing_is_dynamic(value: float) -> None:
    result = judged(looked_for(value), found(0.2))
    assert result.kind is LineKind.DYNAMIC
    assert result.confidence >= DEFAULTS.min_kind_confidence
    assert result.share == pytest.approx(max(value, 0) / 0.2)


def test_a_line_that_was_not_found_at_rest_but_reads_deep_there_is_not_dynamic() -> None:
    """The detector's threshold is not the eye's: what counts is the contrast that is there."""
    assert judged(looked_for(0.2), found(0.2)).kind is LineKind.STATIC
    assert judged(looked_for(0.1), found(0.2)).kind is LineKind.DEEPENED


def test_a_line_at_rest_that_is_a_little_fainter_in_a_good_expression_photo_is_static() -> None:
    for expression in (found(0.18), looked_for(0.18)):
        result = judged(found(0.2), expression)
        assert result.kind is LineKind.STATIC
        assert result.share == 1.0


def test_a_line_that_is_much_deeper_at_rest_is_not_told() -> None:
    for expression in (found(0.06), looked_for(0.06)):
        assert judged(found(0.3), expression).kind is LineKind.INDETERMINATE
    assert "deeper at rest" in judged(found(0.3), found(0.12)).reason


def test_an_appearing_line_darker_than_a_fold_is_not_told() -> None:
    result = judged(looked_for(0.0), found(1.2))
    assert result.kind is LineKind.INDETERMINATE
    assert "frame" in result.reason


def test_a_line_at_rest_of_which_a_good_expression_photo_shows_nothing_is_not_told_and_says_so() -> None:
    """Skin that folds at rest folds in motion too: it may have been a hair."""
    result = judged(found(0.2), looked_for(0.0))
    assert result.kind is LineKind.INDETERMINATE
    assert result.confidence == 0.0
    assert "not in the expression" in result.reason


def test_a_line_at_rest_that_a_poor_expression_photo_does_not_show_is_not_deepened_or_dynamic() -> None:
    result = judged(found(0.2), looked_for(0.15, 0.1))
    assert result.kind is LineKind.INDETERMINATE
    assert "hardly have shown" in result.reason


def test_a_line_fainter_than_either_photo_can_show_is_not_told() -> None:
    result = judged(looked_for(0.01), looked_for(0.01))
    assert result.kind is LineKind.INDETERMINATE
    assert (result.confidence, result.share, result.low, result.high) == (0.0, None, None, None)
    assert "fainter" in result.reason


def test_between_static_and_deepened_it_is_not_told_and_says_so() -> None:
    result = judged(found(0.2 * DEFAULTS.static_share), found(0.2))
    assert result.kind is LineKind.INDETERMINATE
    assert result.confidence == 0.0
    assert "within the error" in result.reason


def test_where_the_rest_photo_could_hardly_have_shown_it_it_is_not_told_and_says_so() -> None:
    result = judged(looked_for(0.05, 0.05), found(0.15))
    assert result.kind is LineKind.INDETERMINATE
    assert result.confidence == 0.0
    assert "rest photo" in result.reason


def test_every_line_that_is_not_told_has_a_reason_and_the_others_have_none() -> None:
    assert unseen("No skin.").reason == "No skin."
    for at_rest in (0.0, 0.02, 0.05, 0.1, 0.16, 0.2, 0.25):
        for se in (0.002, 0.02, 0.1):
            for read in (found, looked_for):
                result = judged(read(at_rest, se), found(0.2, se))
                assert bool(result.reason) == (result.kind is LineKind.INDETERMINATE)
                assert (result.confidence == 0.0) == (result.kind is LineKind.INDETERMINATE)


def test_the_settings_draw_the_limits() -> None:
    rest, expression = found(0.14), found(0.2)
    assert judged(rest, expression).kind is LineKind.DEEPENED
    settings = replace(DEFAULTS, static_share=0.5)
    assert judge_kind(rest, expression, share_sd=0.05, settings=settings).kind is LineKind.STATIC
    surer = replace(DEFAULTS, min_kind_confidence=0.999999)
    assert judge_kind(rest, expression, share_sd=0.1, settings=surer).kind is LineKind.INDETERMINATE


# -- doubt -----------------------------------------------------------------------------------------

DEPTHS = some.floats(0.02, 0.6)
READINGS = some.floats(-0.05, 0.6)
ERRORS = some.floats(0.001, 0.2)
MORE = some.floats(1.0, 20.0)
SHARES = some.floats(0.0, 1.0)
"""What is clearly deeper at rest is not told either, for another reason than noise."""
SHARE_SDS = some.floats(0.0, 0.3)


@pytest.mark.parametrize(
    ("rest_se", "se", "share_sd"),
    [(0.01, 1e-4, 0.0), (1e-4, 0.02, 0.0), (1e-4, 1e-4, 0.1), (0.01, 0.02, 0.1)],
)
def test_the_interval_is_as_wide_as_the_ratio_of_noisy_readings_spreads(
    rest_se: float, se: float, share_sd: float
) -> None:
    rng = np.random.default_rng(0)
    ratios = rng.normal(0.12, rest_se, 40_000) / rng.normal(0.3, se, 40_000) * rng.normal(1, share_sd, 40_000)
    result = judged(found(0.12, rest_se), found(0.3, se), share_sd=share_sd)
    low, high = np.quantile(ratios, (0.05, 0.95))
    told_low, _, told_high = interval(result)
    assert told_high - told_low == pytest.approx(high - low, rel=0.05)
    assert (told_high + told_low) / 2 == pytest.approx(0.4, abs=0.01)


@given(READINGS, DEPTHS, ERRORS, ERRORS, SHARE_SDS, some.booleans())
def test_the_interval_holds_the_share_and_confidence_is_a_probability(
    at_rest: float, deep: float, rest_se: float, se: float, share_sd: float, was_found: bool
) -> None:
    rest = found(at_rest, rest_se) if was_found else looked_for(at_rest, rest_se)
    result = judged(rest, found(deep, se), share_sd=share_sd)
    if result.share is not None:
        low, share, high = interval(result)
        assert 0 <= low <= share <= high <= 1
    assert 0 <= result.confidence <= 1
    told = result.kind is not LineKind.INDETERMINATE
    assert told == (result.confidence >= DEFAULTS.min_kind_confidence)


@given(SHARES, DEPTHS, ERRORS, ERRORS, MORE, MORE, SHARE_SDS)
def test_more_noise_never_makes_surer_of_a_line_found_in_both_photos(
    share: float, deep: float, rest_se: float, se: float, more: float, and_more: float, share_sd: float
) -> None:
    little = judged(found(share * deep, rest_se), found(deep, se), share_sd=share_sd)
    much = judged(found(share * deep, rest_se * more), found(deep, se * and_more), share_sd=share_sd)
    assert much.confidence <= little.confidence + 1e-9


@given(SHARES, DEPTHS, ERRORS, ERRORS, MORE)
def test_a_noisier_expression_photo_never_makes_surer(
    share: float, deep: float, rest_se: float, se: float, more: float
) -> None:
    """Nor where the line sinks below what the photo can show: a fold may still be deeper there."""
    little, much = (judged(found(share * deep, rest_se), looked_for(deep, se * k)) for k in (1.0, more))
    assert much.confidence <= little.confidence + 1e-9


@given(SHARES, DEPTHS, ERRORS, ERRORS, SHARE_SDS, SHARE_SDS)
def test_a_worse_known_ratio_never_makes_surer(
    share: float, deep: float, rest_se: float, se: float, one: float, other: float
) -> None:
    for read in (found, looked_for):
        sharp, vague = (
            judged(read(share * deep, rest_se), found(deep, se), share_sd=sd) for sd in sorted((one, other))
        )
        assert vague.confidence <= sharp.confidence + 1e-9
        if vague.share is not None:
            assert interval(vague)[0] <= interval(sharp)[0]
            assert interval(vague)[2] >= interval(sharp)[2]


@given(some.floats(0, 0.6), DEPTHS, some.floats(0.3, 20.0), ERRORS)
def test_a_noisy_rest_photo_never_makes_a_line_dynamic(
    at_rest: float, deep: float, noise_share: float, se: float
) -> None:
    """Noise of a third of the line's depth cannot tell nothing from the 35 % that a dynamic line may keep."""
    result = judged(looked_for(at_rest, noise_share * deep), found(deep, se))
    assert result.kind is not LineKind.DYNAMIC


@given(DEPTHS, DEPTHS, ERRORS)
def test_a_line_found_at_rest_is_never_dynamic(at_rest: float, deep: float, se: float) -> None:
    for expression in (found(deep, se), looked_for(deep, se)):
        assert judged(found(at_rest, se), expression).kind is not LineKind.DYNAMIC


@given(some.floats(0, 0.6), some.floats(0, 0.6), DEPTHS, ERRORS)
def test_a_line_deeper_at_rest_is_no_less_static(one: float, other: float, deep: float, se: float) -> None:
    """Of two lines equally deep in expression, the deeper one at rest is never called the more dynamic."""
    less, more = (judged(looked_for(value, se), found(deep, se)) for value in sorted((one, other)))
    if LineKind.INDETERMINATE not in (less.kind, more.kind):
        assert KINDS.index(more.kind) <= KINDS.index(less.kind)


@given(READINGS, DEPTHS, ERRORS, some.floats(0.1, 10.0))
def test_only_ratios_count(at_rest: float, deep: float, se: float, gain: float) -> None:
    one = judged(looked_for(at_rest, se), found(deep, se))
    scaled = judged(looked_for(at_rest * gain, se * gain), found(deep * gain, se * gain))
    assume(abs(one.confidence - DEFAULTS.min_kind_confidence) > 1e-6)
    assume(abs(at_rest - SNR * se) > 1e-6)
    assume(max(deep, deep * gain) < 0.6)  # darker than a fold is another matter
    if one.kind is scaled.kind:
        assert scaled.confidence == pytest.approx(one.confidence, abs=1e-6)
    else:  # rounding at a limit only
        assert LineKind.INDETERMINATE in (one.kind, scaled.kind)
        assert max(one.confidence, scaled.confidence) == pytest.approx(DEFAULTS.min_kind_confidence, abs=1e-6)


def test_a_rest_photo_of_pure_noise_never_makes_a_line_dynamic() -> None:
    told = judge_kind(
        Contrast(-0.3, 0.2, 0.7), Contrast(0.3, 0.01, 0.0, found=True), share_sd=0.05, settings=DEFAULTS
    )
    assert told.kind is not LineKind.DYNAMIC
