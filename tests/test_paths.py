"""From pixels to paths: hand-drawn skeletons walked, gaps bridged, staircases made smooth."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from wrinklecv.paths import (
    REACH_MM,
    Candidates,
    _longest_walks,
    _walks,
    bridge,
    cut_at_kinks,
    find_candidates,
    find_paths,
    noise_contrasts,
    resample,
    smooth_path,
    trim_ends,
)
from wrinklecv.records import Float, Mask
from wrinklecv.ridges import find_ridges
from wrinklecv.settings import DEFAULTS

PX_PER_MM = 6.0

STRAIGHT = """
.......
.#####.
.......
"""
CORNER = """
#......
#......
#......
#......
#######
"""
BRANCH = """
#.....#
.#...#.
..#.#..
...#...
...#...
...#...
"""
RING = """
..###..
.#...#.
#.....#
.#...#.
..###..
"""
TWO = """
.......
.#####.
.......
.......
.####..
"""


def pixels(drawing: str) -> tuple[Float, tuple[int, int]]:
    """Return the points (N, 2) of (x, y) of a drawing, and its shape."""
    picture = np.array([list(row) for row in drawing.split()]) == "#"
    rows, columns = np.nonzero(picture)
    return np.column_stack([columns, rows]), (picture.shape[0], picture.shape[1])


def walked(drawing: str) -> list[list[tuple[int, int]]]:
    points, shape = pixels(drawing)
    return [[(int(x), int(y)) for x, y in walk] for walk in _longest_walks(points, shape)]


def length(path: Float) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


def straight(x0: float, x1: float, y: float) -> Float:
    x = np.arange(x0, x1 + 0.5)
    return np.column_stack([x, np.full(len(x), y)])


# -- walks ---------------------------------------------------------------------------------------


def test_a_straight_row_is_walked_from_end_to_end() -> None:
    (walk,) = walked(STRAIGHT)
    assert sorted(walk) == [(x, 1) for x in range(1, 6)]
    assert {walk[0], walk[-1]} == {(1, 1), (5, 1)}


def test_a_corner_is_walked_from_end_to_end_over_its_diagonal() -> None:
    (walk,) = walked(CORNER)
    assert {walk[0], walk[-1]} == {(0, 0), (6, 4)}
    assert len(walk) == 10  # 5 + 6 steps without the corner itself: corners touch


def test_a_branch_gives_the_longest_walk_first() -> None:
    (walk,) = walked(BRANCH)
    # Arms and stem have three pixels each: two of the three, and the joint where they need it.
    assert len(walk) in (6, 7)
    assert {walk[0], walk[-1]} < {(0, 0), (6, 0), (3, 5)}


def test_a_ring_is_walked_half_way_and_never_twice() -> None:
    (walk,) = walked(RING)
    assert len(set(walk)) == len(walk) == 7  # 12 pixels around


def test_two_groups_give_two_walks() -> None:
    assert sorted(len(walk) for walk in walked(TWO)) == [4, 5]


@pytest.mark.parametrize("drawing", [STRAIGHT, CORNER, BRANCH, RING, TWO])
def test_every_step_of_a_walk_goes_to_a_touching_pixel(drawing: str) -> None:
    for walk in walked(drawing):
        steps = np.abs(np.diff(np.array(walk), axis=0))
        assert (steps.max(axis=1) == 1).all()


def candidates(points: Float) -> Candidates:
    ones = np.ones(len(points))
    return Candidates(points.astype(np.float32), ones, ones, ones)


def long_branch() -> Float:
    """Return a row of 60 pixels with a branch of 20 that leaves its middle downwards."""
    branch = np.column_stack([np.full(20, 30), np.arange(11, 31)])
    return np.concatenate([straight(0, 59, 10), branch]).astype(int)


def test_a_side_branch_becomes_a_walk_of_its_own() -> None:
    points = long_branch()
    everywhere = np.ones(len(points), bool)
    main, side = _walks(candidates(points), everywhere, everywhere, (40, 60), 3.0)
    assert len(main) == 60
    assert len(side) >= 16  # its first pixels belong to the main line's own width
    assert (side[:, 0] == 30).all()


def test_a_group_without_a_strong_point_is_dropped_whole() -> None:
    points = np.concatenate([straight(0, 19, 2), straight(0, 19, 8)]).astype(int)
    low = np.ones(len(points), bool)
    high = np.zeros(len(points), bool)
    high[5] = True
    (walk,) = _walks(candidates(points), low, high, (12, 20), 3.0)
    assert (walk[:, 1] == 2).all()
    assert len(walk) == 20
    assert _walks(candidates(points), low, ~low, (12, 20), 3.0) == []


# -- kinks ---------------------------------------------------------------------------------------


def turned(degrees: float, *, arm: int = 30) -> Float:
    """Return a line that turns once by `degrees`, `arm` pixels before and after."""
    way = np.arange(1.0, arm + 1)[:, None] * [np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))]
    return np.concatenate([straight(0, arm, 5), np.add([arm, 5], way)])


def test_a_path_is_cut_where_it_turns_off_and_both_parts_keep_the_place() -> None:
    for path in (turned(60), turned(60)[::-1]):
        first, second = cut_at_kinks(path, 45, 3)
        assert first[-1].tolist() == second[0].tolist() == [30.0, 5.0]
        assert length(first) + length(second) == pytest.approx(length(path))


def test_a_gentle_turn_and_a_curve_stay_whole() -> None:
    turn = np.linspace(0, np.pi, 200)
    arch = 20 * np.column_stack([np.cos(turn), np.sin(turn)])  # radius 6.7 mm: 17° over 2 mm
    for path in (turned(30), arch, straight(0, 11, 5)):
        assert [part.tolist() for part in cut_at_kinks(path, 45, 3)] == [path.tolist()]


def test_a_mirrored_path_is_cut_at_the_mirrored_place() -> None:
    parts = cut_at_kinks(turned(60) * (-1, 1), 45, 3)
    assert [(part * (-1, 1)).tolist() for part in parts] == [
        p.tolist() for p in cut_at_kinks(turned(60), 45, 3)
    ]


def test_every_kink_of_a_zigzag_is_cut() -> None:
    there = turned(60)
    zigzag = np.concatenate([there, there[-1] + np.arange(1.0, 31)[:, None] * [1.0, 0.0]])
    assert [round(length(part)) for part in cut_at_kinks(zigzag, 45, 3)] == [30, 30, 30]


# -- bridges -------------------------------------------------------------------------------------


def joined(*pieces: Float) -> list[Float]:
    return bridge(list(pieces), max_gap_mm=8, max_turn_deg=30, px_per_mm=3)


def ends(paths: list[Float]) -> set[frozenset[tuple[float, float]]]:
    return {frozenset((float(x), float(y)) for x, y in (path[0], path[-1])) for path in paths}


def test_ends_that_face_each_other_are_joined() -> None:
    for left in (straight(0, 30, 5), straight(0, 30, 5)[::-1]):
        for right in (straight(45, 80, 6), straight(45, 80, 6)[::-1]):
            (path,) = joined(left, right)
            assert ends([path]) == {frozenset({(0.0, 5.0), (80.0, 6.0)})}
            assert length(path) == pytest.approx(80, abs=0.2)  # in order: no way there and back


def test_a_gap_that_is_too_long_stays() -> None:
    assert len(joined(straight(0, 30, 5), straight(55, 80, 5))) == 2


def test_lines_side_by_side_are_not_joined() -> None:
    assert len(joined(straight(0, 30, 5), straight(0, 30, 12))) == 2
    assert len(joined(straight(0, 30, 5), straight(33, 60, 20))) == 2


def test_crossing_directions_are_not_joined() -> None:
    upright = np.column_stack([np.full(30, 40.0), np.arange(5.0, 35.0)])
    assert len(joined(straight(0, 35, 5), upright)) == 2


def test_a_piece_is_not_closed_upon_itself() -> None:
    turn = np.linspace(0, 2 * np.pi - 0.3, 100)
    ring = 30 * np.column_stack([np.cos(turn), np.sin(turn)])
    assert len(joined(ring)) == 1
    assert length(joined(ring)[0]) == pytest.approx(length(ring))


def test_bridges_do_not_depend_on_the_order_of_pieces() -> None:
    pieces = [straight(0, 30, 5), straight(40, 60, 5.5), straight(70, 100, 5), straight(20, 90, 25)]
    wanted = ends(joined(*pieces))
    assert len(wanted) == 2
    for order in permutations(pieces):
        assert ends(joined(*order)) == wanted


def test_no_pieces_give_no_paths() -> None:
    assert joined() == []


# -- smoothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("angle_deg", [0.0, 10.0, 22.5, 30.0, 45.0])
def test_a_staircase_has_the_true_length(angle_deg: float) -> None:
    x = np.arange(0.0, 181.0)
    stairs = np.column_stack([x, np.rint(x * np.tan(np.deg2rad(angle_deg)))])
    smooth = smooth_path(stairs, 0.5 * PX_PER_MM, 0.25 * PX_PER_MM)
    true = 180 / np.cos(np.deg2rad(angle_deg))
    assert length(smooth) == pytest.approx(true, rel=0.01)
    if angle_deg == 22.5:
        assert length(stairs) > 1.05 * true  # what a raw pixel path would say


def test_the_ends_of_a_smoothed_path_stay() -> None:
    path = np.column_stack([np.linspace(0, 60, 61), 4 * np.sin(np.linspace(0, 3, 61))])
    smooth = smooth_path(path, 3.0, 1.5)
    assert smooth[0] == pytest.approx(path[0])
    assert smooth[-1] == pytest.approx(path[-1])


def test_real_bends_are_not_cut() -> None:
    turn = np.linspace(0, np.pi, 200)
    arc = 60 * np.column_stack([np.cos(turn), np.sin(turn)])  # 10 mm radius
    smooth = smooth_path(arc, 3.0, 1.5)
    assert np.abs(np.linalg.norm(smooth, axis=1) - 60).max() < 0.3
    assert length(smooth) == pytest.approx(60 * np.pi, rel=0.01)


def test_resampled_points_lie_at_equal_steps() -> None:
    path = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 0.0], [10.0, 0.0], [10.0, 9.0]])  # one point twice
    even = resample(path, 0.5)
    assert np.abs(even[0] - path[0]).max() < 1e-9
    assert np.abs(even[-1] - path[-1]).max() < 1e-9
    steps = np.linalg.norm(np.diff(even, axis=0), axis=1)
    assert steps == pytest.approx(np.full(38, 0.5), abs=1e-6)


# -- all of it, on a drawn picture ---------------------------------------------------------------


def anywhere(places_px: Float, tangent_rad: Float) -> Mask:
    return np.ones(len(places_px), bool)


def traced(light: Float) -> list[Float]:
    light = light.astype(np.float32)
    ridges = find_ridges(light, sigmas_mm=DEFAULTS.sigmas_mm, px_per_mm=PX_PER_MM)
    usable = np.ones(light.shape, bool)
    noise = noise_contrasts(ridges, usable, anywhere, px_per_mm=PX_PER_MM)
    return find_paths(ridges, usable, anywhere, noise, settings=DEFAULTS, px_per_mm=PX_PER_MM)


def skin(seed: int = 0, noise: float = 0.01) -> Float:
    return noise * np.random.default_rng(seed).standard_normal((150, 240))


def valley(start: tuple[float, float], stop: tuple[float, float], contrast: float = 0.2) -> Float:
    """Return log light of a line 0.9 mm wide from `start` to `stop` (x, y)."""
    y, x = np.mgrid[:150, :240].astype(float)
    begin, way = np.array(start), np.subtract(stop, start)
    along = ((x - begin[0]) * way[0] + (y - begin[1]) * way[1]) / (way**2).sum()
    nearest = np.clip(along, 0, 1)
    square = (x - begin[0] - nearest * way[0]) ** 2 + (y - begin[1] - nearest * way[1]) ** 2
    return np.asarray(-contrast * np.exp(-square / (2 * (0.38 * PX_PER_MM) ** 2)))


def test_a_line_is_found_where_it_lies_to_a_tenth_of_a_pixel() -> None:
    (path,) = traced(valley((40, 70.3), (200, 70.3)) + skin())
    inner = path[(path[:, 0] > 50) & (path[:, 0] < 190)]
    assert np.sqrt(((inner[:, 1] - 70.3) ** 2).mean()) < 0.1


def test_a_slanted_line_is_one_path_of_its_true_length() -> None:
    (path,) = traced(valley((40, 40), (200, 106.3)) + skin(1))
    # Evidence reaches past the ends by up to 1.5 mm; profiles find the ends later.
    true = np.hypot(160, 66.3)
    assert true - 2 < length(path) < true + 2 * REACH_MM * PX_PER_MM
    inner = path[(path[:, 0] > 45) & (path[:, 0] < 195)]
    aside = ((inner[:, 1] - 40) * 160 - (inner[:, 0] - 40) * 66.3) / true
    assert np.abs(aside).max() < 0.3
    assert length(inner) == pytest.approx(float(np.linalg.norm(inner[-1] - inner[0])), rel=0.01)


def test_an_interrupted_line_is_one_path() -> None:
    both = valley((20, 70), (100, 70)) + valley((115, 70), (220, 70))
    (path,) = traced(both + skin(2))
    assert length(path) > 190


def test_a_line_that_runs_into_another_ridge_ends_there() -> None:
    hook = valley((40, 70), (140, 70)) + valley((140, 70), (160, 20))  # turns off by 68°
    paths = traced(hook + skin(4))
    turns = [np.ptp(np.unwrap(np.arctan2(*np.diff(path, axis=0)[4:-4].T[::-1]))) for path in paths]
    assert len(paths) == 2
    assert max(turns) < np.deg2rad(45)


def test_a_line_that_fades_into_the_texture_ends_where_it_fades() -> None:
    faint = valley((20, 70), (220, 70), 0.05)
    (path,) = traced(faint + valley((90, 70), (150, 70), 0.2) + skin(5))
    assert (path[:, 0].min(), path[:, 0].max()) == pytest.approx((90, 150), abs=REACH_MM * PX_PER_MM)


def test_a_deep_line_does_not_hide_a_faint_one() -> None:
    faint = valley((40, 30), (200, 30), 0.06)
    alone = traced(faint + skin(3))
    both = traced(faint + valley((40, 110), (200, 110), 1.5) + skin(3))
    assert len(alone) == 1
    assert len(both) == 2
    same = next(path for path in both if path[:, 1].max() < 60)
    assert length(same) == pytest.approx(length(alone[0]), rel=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_skin_without_lines_gives_no_paths(seed: int) -> None:
    assert traced(skin(seed)) == []


def test_a_direction_that_the_region_forbids_is_not_traced() -> None:
    light = (valley((40, 70), (200, 70)) + skin()).astype(np.float32)
    ridges = find_ridges(light, sigmas_mm=DEFAULTS.sigmas_mm, px_per_mm=PX_PER_MM)
    usable = np.ones(light.shape, bool)

    def upright(places_px: Float, tangent_rad: Float) -> Mask:
        return np.asarray(np.abs(np.sin(tangent_rad)) > 0.8)

    noise = np.full(len(DEFAULTS.sigmas_mm), 0.002)
    found = find_candidates(ridges, usable, upright, noise, settings=DEFAULTS, px_per_mm=PX_PER_MM)
    assert (np.abs(np.sin(found.tangent_rad)) > 0.8).all()
    assert find_paths(ridges, usable, upright, noise, settings=DEFAULTS, px_per_mm=PX_PER_MM) == []


def test_nothing_usable_gives_nothing() -> None:
    light = (valley((40, 70), (200, 70)) + skin()).astype(np.float32)
    ridges = find_ridges(light, sigmas_mm=DEFAULTS.sigmas_mm, px_per_mm=PX_PER_MM)
    nowhere = np.zeros(light.shape, bool)
    noise = noise_contrasts(ridges, nowhere, anywhere, px_per_mm=PX_PER_MM)
    assert find_paths(ridges, nowhere, anywhere, noise, settings=DEFAULTS, px_per_mm=PX_PER_MM) == []


# -- ends ----------------------------------------------------------------------------------------


def fading(*, faint: float, from_px: int, to_px: int) -> tuple[Float, Float]:
    """Return light with a level valley of 40 mm, deep between two places and `faint` else, and its path."""
    contrast = np.full(241, faint)
    contrast[from_px:to_px] = 0.2
    rows = (np.arange(61)[:, None] - 30) / PX_PER_MM
    light = -contrast[None, :] * np.exp(-(rows**2) / (2 * 0.5**2))
    path = np.column_stack([np.arange(0, 240.1, 0.25 * PX_PER_MM), np.full(161, 30.0)])
    return light.astype(np.float32), path


def trimmed(light: Float, path: Float) -> Float:
    ridges = find_ridges(light, sigmas_mm=DEFAULTS.sigmas_mm, px_per_mm=PX_PER_MM)
    return trim_ends(path, ridges, np.full(len(DEFAULTS.sigmas_mm), 0.005), min_share=0.5)


def test_faint_ends_are_taken_off_either_way_round_and_a_faint_middle_stays() -> None:
    light, path = fading(faint=0.03, from_px=60, to_px=180)
    left = trimmed(light, path)
    assert (left[0, 0], left[-1, 0]) == pytest.approx((60, 180), abs=0.75 * PX_PER_MM)
    assert trimmed(light, path[::-1]).tolist() == left[::-1].tolist()
    gap, _ = fading(faint=0.2, from_px=0, to_px=0)
    gap[:, 100:140] *= 0.1
    assert trimmed(gap, path).tolist() == path.tolist()


def test_an_even_path_keeps_its_ends_and_a_bright_one_has_none() -> None:
    light, path = fading(faint=0.2, from_px=0, to_px=0)
    assert trimmed(light, path).tolist() == path.tolist()
    assert trimmed(-light, path).shape == (0, 2)
