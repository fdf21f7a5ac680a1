"""Upright dark paths over the forehead: hair is told, a frown's folds and the edge of a shadow are not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from wrinklecv.paths import noise_contrasts
from wrinklecv.records import Float, Region
from wrinklecv.regions import Glance, piece_of
from wrinklecv.ridges import find_ridges
from wrinklecv.settings import DEFAULTS
from wrinklecv.strands import one_sided_mm, upright_strands

Upright = tuple[float, float, float]
"""Place (u) and reach (from v to v) of an upright dark line, chart mm."""


def forehead(*strands: Upright, edge_u: float | None = None, region: Region = Region.FOREHEAD) -> Glance:
    """Return a faintly grainy region with dark upright lines, and a step of light at `edge_u`."""
    piece = piece_of(region)
    shape = (piece.bottom - piece.top) // 2, (piece.right - piece.left) // 2
    rows, columns = np.indices(shape)
    empty = Glance(piece, np.zeros(shape, np.float32))
    u, v = np.moveaxis(empty.to_mm(np.stack([columns, rows], axis=-1)), -1, 0)
    light = 0.004 * np.random.default_rng(0).standard_normal(shape)
    for at, top, bottom in strands:
        light -= 0.1 * np.exp(-((u - at) ** 2) / (2 * 0.35**2)) * ((v > top) & (v < bottom))
    if edge_u is not None:
        light -= 0.5 / (1 + np.exp(-(u - edge_u) / 0.3))
    return Glance(piece, light.astype(np.float32))


def found(glance: Glance) -> tuple[Float, ...]:
    ridges = find_ridges(glance.light, sigmas_mm=DEFAULTS.sigmas_mm, px_per_mm=glance.px_per_mm)
    usable = np.ones(glance.light.shape, bool)
    noise = noise_contrasts(ridges, usable, glance.allows, px_per_mm=glance.px_per_mm)
    return upright_strands(glance, ridges, usable, noise, settings=DEFAULTS)


def length_mm(paths: Sequence[Float]) -> float:
    return float(sum(np.linalg.norm(np.diff(path, axis=0), axis=1).sum() for path in paths))


def test_a_strand_is_traced_at_its_length_and_bare_skin_has_none() -> None:
    (strand,) = found(forehead((40.0, -95.0, -70.0)))
    assert strand[:, 0].mean() == pytest.approx(40.0, abs=0.3)
    assert length_mm([strand]) == pytest.approx(25.0, abs=3.0)  # evidence reaches 1.5 mm beyond an end
    assert found(forehead()) == ()


def test_folds_of_a_frown_are_no_strands_and_hair_above_them_is() -> None:
    assert found(forehead((8.0, -80.0, -62.0))) == ()
    assert len(found(forehead((8.0, -80.0, -62.0), (-20.0, -98.0, -70.0)))) == 1


def test_a_mirrored_forehead_has_mirrored_strands() -> None:
    (one,), (other,) = found(forehead((31.0, -95.0, -70.0))), found(forehead((-31.0, -95.0, -70.0)))
    assert length_mm([one]) == pytest.approx(length_mm([other]), abs=1.0)


def test_the_edge_of_a_shadow_is_no_strand() -> None:
    assert found(forehead(edge_u=20.0)) == ()


def test_other_regions_have_upright_lines_of_their_own() -> None:
    assert found(forehead((0.0, -58.0, -30.0), region=Region.GLABELLA)) == ()


def stretch(from_mm: float, to_mm: float, contrast: float) -> tuple[float, Float, Float]:
    """Return a level line at one height of the forehead: its length, places and contrasts."""
    path_mm = np.column_stack([np.linspace(from_mm, to_mm, 101), np.full(101, -80.0)])
    return abs(to_mm - from_mm), path_mm, np.full(101, contrast)


def test_dark_lines_on_one_side_are_told_from_furrows_on_both() -> None:
    lock, faint = stretch(20, 50, 0.8), stretch(-40, 40, 0.3)
    assert one_sided_mm(Region.FOREHEAD, [lock, faint], DEFAULTS) == pytest.approx(30.0)
    assert one_sided_mm(Region.FOREHEAD, [stretch(-20, -50, 0.8), faint], DEFAULTS) == pytest.approx(
        30.0
    )  # mirrored
    assert (
        one_sided_mm(Region.FOREHEAD, [lock, stretch(-20, -30, 0.6)], DEFAULTS) == 0.0
    )  # a quarter of it is opposite
    assert (
        one_sided_mm(Region.FOREHEAD, [stretch(-30, 30, 0.8)], DEFAULTS) == 0.0
    )  # a furrow across the middle
    assert one_sided_mm(Region.GLABELLA, [lock], DEFAULTS) == 0.0  # each side may frown alone
    assert (
        one_sided_mm(Region.FOREHEAD, [faint], DEFAULTS) == one_sided_mm(Region.FOREHEAD, [], DEFAULTS) == 0.0
    )


def test_only_the_dark_part_of_a_line_counts_as_a_lock() -> None:
    length_mm, path_mm, contrasts = stretch(-20, 20, 0.2)  # a hair that was joined to a faint line
    contrasts = np.where(path_mm[:, 0] > 10, 0.9, contrasts)
    assert one_sided_mm(Region.FOREHEAD, [(length_mm, path_mm, contrasts)], DEFAULTS) == pytest.approx(
        10.0, abs=0.5
    )
