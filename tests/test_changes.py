"""Is it a change or noise? Reasoning and simulated visits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from wrinklecv.changes import PRIOR_NOISE, Value, judge_change, own_noise
from wrinklecv.histories import ChangeVerdict, Judged, NoiseFigure

CHANGED, SAME, REFUSED = (
    ChangeVerdict.CHANGED,
    ChangeVerdict.NO_DETECTABLE_CHANGE,
    ChangeVerdict.NOT_COMPARABLE,
)
NOISE = NoiseFigure(0.03, "made up")
STILL = (Value(50.0, 0.5), Value(50.0, 0.5))


def judged(before: float, after: float, *controls: tuple[Value, Value], se: float = 0.5) -> Judged:
    return judge_change(Value(before, se), Value(after, se), NOISE, controls)


def test_a_large_difference_is_a_change_and_a_small_one_is_noise() -> None:
    assert judged(100, 70).verdict is CHANGED
    assert judged(100, 97).verdict is SAME
    assert judged(100, 70).share == pytest.approx(-0.3)


def test_the_smallest_detectable_change_is_that_of_two_noisy_photos() -> None:
    still = judge_change(Value(100, 0), Value(100, 0), NOISE, ())
    assert still.smallest_detectable == pytest.approx(1.96 * np.sqrt(2) * 3.0)


def test_noisier_photos_have_a_larger_smallest_detectable_change() -> None:
    limits = [judged(100, 90, se=se).smallest_detectable for se in (0.0, 1.0, 3.0)]
    assert limits == sorted(set(limits))


def test_what_untreated_skin_did_too_is_no_change() -> None:
    drift = (Value(50, 0.5), Value(37, 0.5))
    result = judged(100, 74, drift)
    assert result.verdict is REFUSED
    assert "Untreated skin changed by -26%" in result.reason


def test_a_change_beyond_the_control_counts_even_when_the_control_moved() -> None:
    assert judged(100, 50, (Value(50, 0.5), Value(43, 0.5))).verdict is CHANGED


def test_a_control_that_moved_may_hide_a_change() -> None:
    result = judged(100, 100, (Value(50, 0.5), Value(63, 0.5)))
    assert result.verdict is REFUSED
    assert "Untreated skin changed by +26%" in result.reason and "hide a change" in result.reason


def test_a_control_that_hardly_moved_hides_nothing() -> None:
    assert judged(100, 100, (Value(50, 0.5), Value(52, 0.5))).verdict is SAME


def test_what_the_control_did_stands_beside_the_verdict() -> None:
    result = judged(100, 70, STILL, (Value(50, 0.5), Value(45, 0.5)))
    assert result.control_share == pytest.approx(-0.05)
    assert result.control_se is not None and 0.03 < result.control_se < 0.04
    assert judged(100, 70).control_share is None


def test_two_visits_that_cannot_be_compared_with_each_other_tell_nothing() -> None:
    result = judge_change(Value(100, 0.5), Value(70, 0.5), NOISE, (), refused="Other light.")
    assert (result.verdict, result.reason) == (REFUSED, "Other light.")


def test_shots_of_one_visit_never_make_the_noise_smaller_than_a_fixed_rigs() -> None:
    assert own_noise(0.08, "30 repeats").relative_sd == 0.08
    burst = own_noise(0.004, "30 repeats")
    assert burst.relative_sd == PRIOR_NOISE.relative_sd and burst.own
    assert "0.4%" in burst.source


def test_a_still_control_leaves_a_change_a_change() -> None:
    assert judged(100, 70, STILL, STILL).verdict is CHANGED


def test_a_refused_photo_tells_nothing_and_says_why() -> None:
    refused = dataclasses.replace(Value(70, 0.5), refused="Too soft.")
    result = judge_change(Value(100, 0.5), refused, NOISE, ())
    assert (result.verdict, result.reason) == (REFUSED, "Too soft.")


def test_no_line_before_has_no_share_and_no_error() -> None:
    result = judged(0.0, 12.0)
    assert result.share is None
    assert result.verdict is CHANGED


def test_the_prior_says_where_it_comes_from() -> None:
    assert PRIOR_NOISE.relative_sd == 0.034
    assert not PRIOR_NOISE.own
    assert PRIOR_NOISE.source


@pytest.mark.parametrize("drift", [0.75, 0.88, 0.94, 1.0, 1.1, 1.3])
def test_an_unchanged_face_is_seldom_called_changed_whatever_the_light_does(drift: float) -> None:
    rng = np.random.default_rng(round(100 * drift))
    false = 0
    for _ in range(2000):
        values = 100 * (1 + 0.03 * rng.normal(size=4)) * (1, drift, 1, drift)
        own, control = ((Value(v[0], 0.0), Value(v[1], 0.0)) for v in (values[:2], values[2:]))
        false += judge_change(*own, NOISE, [control]).verdict is CHANGED
    assert false / 2000 <= 0.05


def test_a_change_twice_the_smallest_detectable_one_is_found() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(2000):
        noisy = 1 + 0.03 * rng.normal(size=4)
        limit = judged(100, 100, STILL).smallest_detectable / 100
        own = Value(100 * noisy[0], 0.0), Value(100 * (1 - 2 * limit) * noisy[1], 0.0)
        control = Value(100 * noisy[2], 0.0), Value(100 * noisy[3], 0.0)
        found += judge_change(*own, NOISE, [control]).verdict is CHANGED
    assert found / 2000 >= 0.95
