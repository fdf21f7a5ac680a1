"""What paths look like, and how likely they are lines: told by drawn valleys with one fault each."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from wrinklecv import chart as face_chart
from wrinklecv.errors import SettingsError
from wrinklecv.records import Float, Region
from wrinklecv.regions import Glance, piece_of
from wrinklecv.ridges import find_ridges
from wrinklecv.settings import DEFAULTS
from wrinklecv.skin import Shades, Skin
from wrinklecv.traits import (
    _NINE_OF_TEN,
    TRAITS,
    _usual,
    faintest_contrast,
    flip_chance,
    least_undecided,
    likelihood,
    measure_traits,
    unlike_shade,
)
from wrinklecv.weights import LINE_WEIGHTS

PIECE = piece_of(Region.FOREHEAD)
HEIGHT, WIDTH = ((PIECE.bottom - PIECE.top) // 2, (PIECE.right - PIECE.left) // 2)
ROW = HEIGHT // 2
PX_PER_MM = face_chart.PX_PER_MM / 2
NOISE = np.full(len(DEFAULTS.sigmas_mm), 0.005)


def bare_skin() -> Skin:
    """Return a face of which everything is even skin."""
    yes, no = np.ones(face_chart.PATCH_SHAPE, bool), np.zeros(face_chart.PATCH_SHAPE, bool)
    flat = np.zeros(face_chart.PATCH_SHAPE, np.float32)
    return Skin(
        yes, no, no, no, yes, -1.0, 0.02, flat + np.float32(0.02), (flat, flat, flat), Shades(0.0, 0.0)
    )


def valley(contrast: float = 0.2, *, sd_mm: float = 0.5) -> Float:
    """Return log light with one level valley through the middle row."""
    aside_mm = (np.arange(HEIGHT)[:, None] - ROW) / PX_PER_MM
    one = -contrast * np.exp(-(aside_mm**2) / (2 * sd_mm**2))
    return np.repeat(one, WIDTH, axis=1).astype(np.float32)


def level_path(length_mm: float = 20.0) -> Float:
    """Return a path along the middle row, centred."""
    half = length_mm * PX_PER_MM / 2
    u = np.arange(-half, half + 0.1, 0.75) + WIDTH / 2
    return np.column_stack([u, np.full_like(u, ROW)])


def traits(light: Float, path: Float, skin: Skin | None = None) -> dict[str, float]:
    """Measure one path."""
    glance = Glance(PIECE, light.astype(np.float32))
    ridges = find_ridges(glance.light, sigmas_mm=DEFAULTS.sigmas_mm, px_per_mm=PX_PER_MM)
    row = measure_traits(glance, ridges, NOISE, skin or bare_skin(), [path])[0]
    return dict(zip(TRAITS, (float(value) for value in row), strict=True))


def test_length_and_clearness_are_those_drawn() -> None:
    seen = traits(valley(0.1), level_path(20.0))
    assert np.exp(seen["length"]) * 10 == pytest.approx(20, rel=0.02)
    assert np.exp(seen["clear"]) * NOISE[0] == pytest.approx(0.1, rel=0.1)
    assert seen["patchy"] < 0.05 and seen["sloping"] < 0.05


def test_an_edge_slopes_and_a_row_of_pores_is_patchy() -> None:
    rows = np.arange(HEIGHT)[:, None]
    edge = valley(0.05) - 0.3 * (rows > ROW)
    assert traits(edge, level_path())["sloping"] > 1
    beads = valley(0.2) * (1 + np.cos(np.arange(WIDTH)[None, :] / 2)) / 2
    assert traits(beads, level_path())["patchy"] > 0.3


def test_a_deep_line_elsewhere_changes_no_trait() -> None:
    alone = traits(valley(0.1), level_path())
    other = valley(0.1)
    other[: ROW - 60] -= np.roll(-valley(0.6), -90, axis=0)[: ROW - 60]
    beside = traits(other, level_path())
    for name in TRAITS:
        assert beside[name] == pytest.approx(alone[name], abs=0.03), name


def test_more_light_changes_no_trait() -> None:
    assert traits(valley() + 0.7, level_path()) == pytest.approx(traits(valley(), level_path()), abs=1e-3)


def test_a_path_off_the_skin_is_less_likely() -> None:
    bare = bare_skin()
    hidden = dataclasses.replace(bare, usable=np.zeros(face_chart.PATCH_SHAPE, bool))
    on, off = (np.array([list(traits(valley(), level_path(), s).values())]) for s in (bare, hidden))
    assert likelihood(off, DEFAULTS.line_weights)[0] < likelihood(on, DEFAULTS.line_weights)[0]


def test_longer_and_clearer_lines_are_likelier() -> None:
    def chance(contrast: float, length_mm: float) -> float:
        row = np.array([list(traits(valley(contrast), level_path(length_mm)).values())])
        return float(likelihood(row, DEFAULTS.line_weights)[0])

    assert chance(0.2, 8.0) < chance(0.2, 16.0) < chance(0.2, 32.0)
    assert chance(0.02, 16.0) < chance(0.05, 16.0) < chance(0.1, 16.0)


@pytest.mark.parametrize("region", list(Region))
def test_usual_lines_are_lines_from_the_faintest_contrast_on(region: Region) -> None:
    """What lines differ by lies between the contrast at which a usual one is called a line and the limit."""
    noise = 0.005
    limit = faintest_contrast(noise, region, DEFAULTS)

    def chance(contrast: float) -> float:
        usual = {**_usual(region), "clear": np.log(contrast / noise)}
        row = np.array([[usual.get(name, 0.0) for name in TRAITS]])
        return float(likelihood(row, DEFAULTS.line_weights)[0])

    assert chance(limit) > DEFAULTS.min_likelihood
    assert chance(limit / np.exp(_NINE_OF_TEN[region])) == pytest.approx(DEFAULTS.min_likelihood)
    assert chance(0.2 * limit) < DEFAULTS.min_likelihood
    assert faintest_contrast(2 * noise, region, DEFAULTS) == pytest.approx(2 * limit)


def test_a_mirrored_glance_shows_mirrored_traits() -> None:
    light = valley() + 0.05 * np.sin(np.arange(WIDTH) / 9)[None, :]
    mirrored = level_path() * (-1, 1) + (WIDTH - 1, 0)
    there, here = traits(light[:, ::-1], mirrored), traits(light, level_path())
    assert there == pytest.approx(here, abs=1e-3)


def test_no_path_gives_an_empty_table() -> None:
    glance = Glance(PIECE, valley())
    ridges = find_ridges(glance.light, sigmas_mm=DEFAULTS.sigmas_mm, px_per_mm=PX_PER_MM)
    assert measure_traits(glance, ridges, NOISE, bare_skin(), []).shape == (0, len(TRAITS))


def test_the_base_alone_is_a_logistic_function() -> None:
    chance = likelihood(np.zeros((1, len(TRAITS))), DEFAULTS.line_weights)[0]
    assert chance == pytest.approx(1 / (1 + np.exp(-LINE_WEIGHTS["base"])))


def test_weights_of_another_number_are_refused() -> None:
    with pytest.raises(SettingsError, match="line_weights"):
        dataclasses.replace(DEFAULTS, line_weights=(1.0, 2.0))


def test_a_path_is_unlike_shade_when_its_colour_is_not_that_of_this_skin_in_shade() -> None:
    light = np.zeros(face_chart.PATCH_SHAPE, np.float32)
    row = round(float(face_chart.mm_to_patches(Glance(PIECE, valley()).to_mm(level_path()))[0, 1]))
    light[row] = -0.1
    redder = -0.5 * light

    def unlike(redness: float, red: Float, spread: float = 0.0) -> float:
        skin = dataclasses.replace(bare_skin(), gaps=(light, red, light * 0), shades=Shades(redness, spread))
        return float(unlike_shade(Glance(PIECE, valley()), skin, [level_path()])[0])

    assert unlike(-0.5, redder) == pytest.approx(0, abs=1e-3)  # lit by skin, as this skin's pores are
    assert unlike(-0.5, light * 0) == pytest.approx(0.5, abs=0.01)  # grey: a hair on skin like that
    assert unlike(0.0, light * 0) == pytest.approx(0, abs=1e-3)  # grey, in a photo without colour
    assert unlike(0.0, redder) == pytest.approx(0.5, abs=0.01)
    assert 0 < unlike(0.0, redder, spread=0.05) < 0.4  # grainy colour: less sure
    assert unlike(0.0, redder, spread=0.3) == 0
    assert unlike(0.0, redder, spread=float("inf")) == 0  # too little skin seen to tell its shades
    assert unlike_shade(Glance(PIECE, valley()), bare_skin(), []).shape == (0,)


def test_only_lines_near_the_decision_may_come_or_go() -> None:
    decision = DEFAULTS.min_likelihood
    at, above, sure, none = flip_chance(np.array([decision, 0.6, 0.95, 0.0]), DEFAULTS)
    assert at == pytest.approx(0.5)
    # 0.6 is 0.81 in log odds above 0.4: 2.0 standard deviations of 0.4.
    assert above == pytest.approx(0.0213, abs=5e-4)
    assert sure < 1e-6 and none < 1e-6


def test_what_is_two_errors_below_the_decision_is_surely_no_line() -> None:
    least = least_undecided(DEFAULTS)
    assert least < DEFAULTS.min_likelihood
    assert flip_chance(np.array([least]), DEFAULTS)[0] == pytest.approx(0.0228, abs=1e-3)
    strict = dataclasses.replace(DEFAULTS, log_odds_sd=0.0)  # every photo decides alike
    assert least_undecided(strict) == pytest.approx(DEFAULTS.min_likelihood)
    assert flip_chance(np.array([0.39, 0.41]), strict).max() == 0.0
    assert least_undecided(dataclasses.replace(DEFAULTS, min_likelihood=0.0)) == 0.0  # all are lines


@pytest.mark.parametrize(
    ("name", "value"),
    [("min_likelihood", 1.1), ("min_end_share", 2.0), ("max_one_sided_share", 1.01), ("max_kink_deg", 270.0)],
)
def test_shares_above_one_and_turns_beyond_a_half_are_refused(name: str, value: float) -> None:
    changed: dict[str, Any] = {name: value}
    with pytest.raises(SettingsError, match=f"{name}.*must not be above"):
        dataclasses.replace(DEFAULTS, **changed)
