"""Which line is which: drawn sets of lines whose partners are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from wrinklecv.matching import lies_on, match_lines
from wrinklecv.paths import resample
from wrinklecv.records import Float

WITHIN_MM = 1.5


def level(v: float, start: float = 0.0, stop: float = 40.0, *, bow: float = 0.0, tilt: float = 0.0) -> Float:
    """Return a line from `start` to `stop` at height `v`, bowed and tilted by so many mm end to end."""
    t = np.linspace(0, 1, 41)
    return np.column_stack([start + (stop - start) * t, v + bow * np.sin(np.pi * t) + tilt * (t - 0.5)])


def upright(u: float, start: float = -10.0, stop: float = 10.0) -> Float:
    return level(u, start, stop)[:, ::-1]


def moved(path: Float, du: float, dv: float) -> Float:
    return np.asarray(path + (du, dv))  # noqa: RUF005 - numbers are added


def matched(first: Sequence[Float], second: Sequence[Float], within_mm: float = WITHIN_MM) -> tuple[int, ...]:
    return match_lines(first, second, within_mm=within_mm)


# -- who belongs together --------------------------------------------------------------------------


def test_a_line_is_matched_to_itself() -> None:
    lines = [level(0, bow=2), level(6, 5, 30), upright(60), upright(66, -5, 8)]
    assert matched(lines, lines) == (0, 1, 2, 3)


def test_a_line_moved_a_little_is_matched_and_one_moved_too_far_is_not() -> None:
    for way in ((0, 1), (0, -1), (1, 0)):
        near, far = (moved(level(0, bow=2), way[0] * mm, way[1] * mm) for mm in (0.8, 25.0))
        assert matched([near], [level(0, bow=2)]) == (0,)
        assert matched([far], [level(0, bow=2)]) == (-1,)
    assert matched([level(2.0)], [level(0)]) == (-1,)


def test_a_wider_tolerance_reaches_further() -> None:
    assert matched([level(2.0)], [level(0)], within_mm=3.0) == (0,)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 3), (3, 0)])
def test_where_there_are_no_lines_nothing_is_matched(first: int, second: int) -> None:
    lines = [level(8.0 * k) for k in range(3)]
    assert matched(lines[:first], lines[:second]) == (-1,) * first


def test_a_line_without_a_partner_is_left_alone_and_the_others_keep_theirs() -> None:
    lines = [level(4.0 * k) for k in range(5)]
    for missing in range(5):
        second = [line for k, line in enumerate(lines) if k != missing]
        expected = [k - (k > missing) for k in range(5)]
        expected[missing] = -1
        assert matched(lines, second) == tuple(expected)


def test_a_line_that_crosses_another_is_not_the_same() -> None:
    assert matched([upright(20.0)], [level(0)]) == (-1,)
    # A short one at 45 degrees, all of it near.
    assert matched([level(0, 19, 21, tilt=2)], [level(0)]) == (-1,)


def test_lines_that_share_only_an_end_are_two_lines() -> None:
    assert matched([level(0, 30, 70)], [level(0, 0, 40)]) == (-1,)


@pytest.mark.parametrize("shift_mm", [-1.3, -0.7, 0.0, 0.7, 1.3])
def test_a_ladder_shifted_by_less_than_half_its_spacing_keeps_its_order(shift_mm: float) -> None:
    ladder = [level(3.0 * k, bow=1.5) for k in range(6)]
    assert matched([moved(rung, 1.0, shift_mm) for rung in ladder], ladder) == tuple(range(6))


def test_a_ladder_with_new_rungs_finds_its_old_ones() -> None:
    ladder = [level(3.0 * k, bow=1.5) for k in range(6)]
    second = [moved(rung, 0.5, 0.6) for rung in ladder[::2]]
    assert matched(ladder, second) == (0, -1, 1, -1, 2, -1)


def test_the_nearer_of_two_lines_is_taken() -> None:
    assert matched([level(0)], [level(-1.2), level(0.4)]) == (1,)
    assert matched([level(0)], [level(0.4), level(-1.2)]) == (0,)


def test_of_two_lines_the_one_that_runs_beside_it_longer_is_taken() -> None:
    both = [level(0.5, 0, 38), level(-0.4, 10, 22)]
    assert matched([level(0, 0, 40)], both) == (0,)
    assert matched([level(0, 0, 40)], both[::-1]) == (1,)


# -- pieces ----------------------------------------------------------------------------------------


def test_the_pieces_of_a_line_are_all_matched_to_it() -> None:
    pieces = [level(0.3, 0, 12), level(-0.2, 14, 25), level(0.2, 27, 40)]
    assert matched(pieces, [level(0)]) == (0, 0, 0)
    assert matched(pieces, [level(9), level(0)]) == (1, 1, 1)


def test_pieces_find_their_lines_in_any_order() -> None:
    pieces = [level(0.3, 0, 12), level(-0.2, 14, 25), level(4.2, 0, 18), level(3.8, 20, 40)]
    lines = [level(0), level(4)]
    for order in permutations(range(4)):
        there = matched([pieces[k][::-1] for k in order], lines)
        assert there == tuple(k // 2 for k in order)
        assert matched([pieces[k] for k in order], lines[::-1]) == tuple(1 - k for k in there)


def test_a_line_is_matched_to_one_of_the_pieces_it_was_broken_into() -> None:
    pieces = [level(0.3, 0, 12), level(-0.2, 14, 40)]
    assert matched([level(0)], pieces) == (1,)


def test_a_line_that_lies_on_another_for_less_than_half_is_no_piece_of_it() -> None:
    assert matched([level(0, 0, 40), level(0, 32, 60)], [level(0, 0, 40)]) == (0, -1)


def test_the_share_that_lies_on_a_line_is_counted() -> None:
    line = resample(level(0, 0, 40), 0.1)
    assert lies_on(line, line, 0.5) == 1.0
    assert lies_on(resample(level(0, 20, 60), 0.1), line, 0.5) == pytest.approx(0.51, abs=0.01)
    assert lies_on(resample(level(5), 0.1), line, 0.5) == 0.0


# -- order and direction ---------------------------------------------------------------------------


def test_two_matches_never_cross() -> None:
    """Side by side for longest would be the long ones and the short ones, but those would change places."""
    first = [level(0, 0, 40), level(1, 0, 12)]
    second = [level(1, 0, 40), level(0, 0, 12)]
    for order in permutations(range(2)):
        result = matched([first[k] for k in order], second, within_mm=2.0)
        assert result[order.index(0)] == 0
        assert result[order.index(1)] != 1


def some_lines(rng: np.random.Generator, *, apart_mm: float = 0.0) -> list[Float]:
    """Draw up to seven lines, mostly level, at heights at least so far from each other."""
    count = int(rng.integers(0, 8))
    heights = np.sort(12 * rng.random(count)) + apart_mm * np.arange(count)
    return [
        level(v, start, start + 6 + 30 * long, bow=2 * bow)
        for v, start, long, bow in zip(
            heights, 20 * rng.random(count), rng.random(count), rng.random(count), strict=True
        )
    ]


def shaken(lines: Sequence[Float], rng: np.random.Generator) -> list[Float]:
    """Return some of the lines, each moved by up to half a millimetre, and cut shorter."""
    return [
        moved(line[: int(rng.integers(34, 42))], *rng.uniform(-0.5, 0.5, 2))
        for line in lines
        if rng.random() < 0.8
    ]


def as_pairs(result: Sequence[int]) -> set[tuple[int, int]]:
    return {(i, j) for i, j in enumerate(result) if j >= 0}


SEEDS = some.integers(0, 2**32 - 1)


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_neither_the_order_of_the_lines_nor_their_direction_matters(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = some_lines(rng, apart_mm=4.0)
    second = shaken(first, rng)
    plain = as_pairs(matched(first, second))
    one, two = rng.permutation(len(first)), rng.permutation(len(second))
    mixed = matched(
        [first[i][:: rng.choice([-1, 1])] for i in one], [second[j][:: rng.choice([-1, 1])] for j in two]
    )
    assert {(int(one[i]), int(two[j])) for i, j in as_pairs(mixed)} == plain


@settings(max_examples=80, deadline=None)
@given(SEEDS)
def test_only_lines_side_by_side_are_ever_matched(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = some_lines(rng), some_lines(rng)
    result = matched(first, second)
    assert len(result) == len(first)
    for i, j in as_pairs(result):
        a, b = (resample(path, 0.1) for path in (first[i], second[j]))
        # Of lines of about one length it is not plain which is the shorter.
        assert max(lies_on(a, b, WITHIN_MM + 0.05), lies_on(b, a, WITHIN_MM + 0.05)) >= 0.45


@settings(max_examples=120, deadline=None)
@given(SEEDS)
def test_lines_matched_one_to_one_keep_their_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets = [
        [
            (12 * rng.random(), 20 * rng.random(), 6 + 30 * rng.random())
            for _ in range(int(rng.integers(2, 8)))
        ]
        for _ in range(2)
    ]
    first, second = sets
    paths = [[level(v, start, start + long) for v, start, long in lines] for lines in sets]
    result = matched(paths[0], paths[1])
    alone = [(i, j) for i, j in as_pairs(result) if result.count(j) == 1]
    for i, j in alone:
        for k, m in alone:
            if beside_mm(first[i], first[k]) > 5 and beside_mm(second[j], second[m]) > 5:
                assert (first[i][0] - first[k][0]) * (second[j][0] - second[m][0]) >= 0


def beside_mm(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    """Return how far two level lines (height, start, length) run beside each other."""
    return min(a[1] + a[2], b[1] + b[2]) - max(a[1], b[1])


@settings(max_examples=120, deadline=None)
@given(some.lists(some.floats(1.0, 4.0), min_size=1, max_size=6), some.floats(-0.45, 0.45))
def test_any_ladder_shifted_by_less_than_half_its_least_spacing_is_found(
    steps: list[float], share: float
) -> None:
    heights = np.cumsum(steps)
    ladder = [level(float(v), bow=1.0) for v in heights]
    least = min([*np.diff(heights), 2 * WITHIN_MM])
    assert matched([moved(rung, 0, share * least) for rung in ladder], ladder) == tuple(range(len(ladder)))


@settings(max_examples=60, deadline=None)
@given(SEEDS, some.floats(-50, 50), some.floats(-50, 50))
def test_moving_everything_together_changes_nothing(seed: int, du: float, dv: float) -> None:
    rng = np.random.default_rng(seed)
    first = some_lines(rng, apart_mm=4.0)
    second = shaken(first, rng)
    there = matched([moved(p, du, dv) for p in first], [moved(p, du, dv) for p in second])
    assert there == matched(first, second)


def test_a_piece_that_lies_on_two_lines_goes_to_the_nearer_in_any_order() -> None:
    def level(v: float, start: float = 0.0, stop: float = 40.0) -> Float:
        t = np.linspace(0, 1, 41)
        return np.column_stack([start + (stop - start) * t, np.full(41, v)])

    first = [level(0), level(2), level(1.2, 10, 20)]
    assert match_lines(first, [level(2), level(0)], within_mm=1.5) == (1, 0, 0)
    assert match_lines(first, [level(0), level(2)], within_mm=1.5) == (0, 1, 1)
