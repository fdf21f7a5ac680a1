"""Where the skin went: drawn pairs whose skin places are known, and charts that were moved on purpose."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.interpolate import LinearNDInterpolator

from wrinklecv import chart as face_chart
from wrinklecv.chart import REGION_OUTLINES_MM, make_chart, node_places, px_to_mm
from wrinklecv.face import find_face
from wrinklecv.head import surface
from wrinklecv.phantom import Person, Phantom, Shot, TrueLine, draw_phantom, random_lines
from wrinklecv.phantom.person import movement
from wrinklecv.phantom.render import _camera
from wrinklecv.records import Chart, Expression, Float, Photo, Region
from wrinklecv.registration import Registration, register

LINES = random_lines(np.random.default_rng(3), contrast=(0.08, 0.3))
PERSON = Person(seed=5, skin_tone=0.3, lines=LINES, brow_travel_mm=6.0)
SHOT = Shot(px_per_mm=5.0, width_px=1000, height_px=1225)
MOVING = (Expression.BROW_RAISE, Expression.FROWN, Expression.SMILE)
EVERYWHERE = np.ones(face_chart.PATCH_SHAPE, bool)
Shift = Callable[[Float], Float]


def shot(expression: Expression) -> Shot:
    """Return how one photo is taken: the head and the light are never quite the same."""
    turn = {Expression.BROW_RAISE: 2.0, Expression.FROWN: -2.0}.get(expression, 0.0)
    return replace(SHOT, expression=expression, yaw_deg=turn, pitch_deg=-turn / 2, roll_deg=turn)


@functools.cache
def drawn(expression: Expression) -> Phantom:
    return draw_phantom(PERSON, shot(expression), seed=len(expression))


@functools.cache
def charted(expression: Expression) -> Chart:
    return make_chart(drawn(expression).photo, find_face(drawn(expression).photo))


@functools.cache
def laid(expression: Expression) -> dict[Region, Registration]:
    return register(charted(Expression.REST), charted(expression), visible=EVERYWHERE)


def inside(region: Region, *, step_mm: float = 2.0, margin_mm: float = 1.5) -> Float:
    """Return places (N, 2) mm all over a region."""
    outline = np.array(REGION_OUTLINES_MM[region], np.float32)
    low, high = outline.min(axis=0), outline.max(axis=0)
    u, v = (np.arange(low[k], high[k], step_mm) for k in (0, 1))
    places = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    away = [cv2.pointPolygonTest(outline, (float(a), float(b)), True) for a, b in places]
    return np.asarray(places[np.array(away) > margin_mm], float)


@functools.cache
def _from_photo(expression: Expression) -> LinearNDInterpolator:
    seen = charted(expression).photo_xy.reshape(-1, 2).astype(float)
    return LinearNDInterpolator(seen, node_places().reshape(-1, 2))


def on_chart(expression: Expression, photo_xy: Float) -> Float:
    """Bring photo px (N, 2) to where the photo's chart has them, mm."""
    return np.asarray(_from_photo(expression)(photo_xy))


def chart_places(expression: Expression, skin_mm: Float) -> Float:
    """Return where the photo's chart has pieces of skin (N, 2)."""
    moved = movement(PERSON, shot(expression)).place(skin_mm)
    return on_chart(expression, _camera(PERSON, shot(expression)).project(surface(moved)))


def rms(off_mm: Float) -> float:
    return float(np.sqrt((off_mm**2).sum(axis=-1).mean()))


# -- drawn pairs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("expression", MOVING)
@pytest.mark.parametrize("region", Region)
def test_each_piece_of_skin_is_brought_to_where_it_lies_at_rest(
    expression: Expression, region: Region
) -> None:
    skin = inside(region)
    at_rest, in_expression = (chart_places(e, skin) for e in (Expression.REST, expression))
    off = laid(expression)[region].to_rest(in_expression) - at_rest
    # The forehead of this brow raise is pressed together to less than two thirds.
    assert rms(off) < 0.5
    assert np.quantile(np.linalg.norm(off, axis=1), 0.95) < 1.2


@pytest.mark.parametrize("expression", MOVING)
def test_what_the_landmarks_left_is_mostly_found(expression: Expression) -> None:
    left, now = [], []
    for region in Region:
        at_rest, in_expression = (chart_places(e, inside(region)) for e in (Expression.REST, expression))
        left.append(in_expression - at_rest)
        now.append(laid(expression)[region].to_rest(in_expression) - at_rest)
    assert rms(np.concatenate(left)) > 0.4
    assert rms(np.concatenate(now)) < 0.5 * rms(np.concatenate(left))


@pytest.mark.parametrize("expression", MOVING)
def test_a_drawn_line_is_brought_onto_itself(expression: Expression) -> None:
    for before, after in zip(drawn(Expression.REST).lines, drawn(expression).lines, strict=True):
        assert np.array_equal(before.skin_path_mm, after.skin_path_mm)
        at_rest, there = line_on_chart(Expression.REST, before), line_on_chart(expression, after)
        registration = laid(expression)[before.region]
        assert rms(registration.to_rest(there) - at_rest) < 0.9
        assert rms(registration.to_expression(at_rest) - there) < 0.9


def line_on_chart(expression: Expression, line: TrueLine) -> Float:
    return on_chart(expression, line.path_xy)


@pytest.mark.parametrize("expression", MOVING)
def test_the_doubt_is_of_the_size_of_the_error(expression: Expression) -> None:
    for region in Region:
        at_rest, in_expression = (chart_places(e, inside(region)) for e in (Expression.REST, expression))
        registration = laid(expression)[region]
        off = rms(registration.to_rest(in_expression) - at_rest)
        doubt = float(np.median(registration.doubt_mm(in_expression)))
        assert off < 4 * doubt
        assert registration.residual_mm < 0.6


@pytest.mark.parametrize("expression", MOVING)
@pytest.mark.parametrize("region", Region)
def test_going_to_the_expression_is_the_way_back(expression: Expression, region: Region) -> None:
    registration, places = laid(expression)[region], inside(region, margin_mm=0.0)
    assert registration.to_rest(registration.to_expression(places)) == pytest.approx(places, abs=1e-3)
    assert registration.to_expression(registration.to_rest(places)) == pytest.approx(places, abs=1e-3)


@pytest.mark.parametrize("expression", MOVING)
@pytest.mark.parametrize("region", Region)
def test_the_skin_is_never_folded(expression: Expression, region: Region) -> None:
    assert stretch(laid(expression)[region]).min() > 0


def stretch(registration: Registration) -> Float:
    """Return how much each mm² of the expression's chart has at rest: below 0 the skin is folded."""
    places, step = inside(registration.region, margin_mm=0.0), 0.5
    across, down = (
        (registration.to_rest(places + d) - registration.to_rest(places - d)) / (2 * step)
        for d in step * np.eye(2)
    )
    return np.asarray(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])


# -- moved on purpose ------------------------------------------------------------------------------


def chart_mm() -> Float:
    rows, columns = np.indices(face_chart.SHAPE)
    return px_to_mm(np.stack([columns, rows], axis=-1))


def moved(shift: Shift) -> Chart:
    """Return the rest chart with its skin moved: at place p is now what was at p + shift(p)."""
    rest = charted(Expression.REST)
    places = face_chart.mm_to_px(chart_mm() + shift(chart_mm())).astype(np.float32)
    one_map: Any = None
    light = cv2.remap(rest.light, places, one_map, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return replace(rest, light=light)


SHIFTS: dict[str, Shift] = {
    "none": lambda p: np.zeros_like(p),
    "aside": lambda p: np.broadcast_to([1.5, -2.0], p.shape),
    "far aside": lambda p: np.broadcast_to([-3.0, 4.0], p.shape),
    "stretched": lambda p: np.stack([0.04 * p[..., 0], 0.05 * (p[..., 1] + 50)], axis=-1),
    "in waves": lambda p: np.stack([1.5 * np.sin(p[..., 1] / 20), 1.5 * np.cos(p[..., 0] / 25)], axis=-1),
    "as by a brow": lambda p: np.stack(
        [np.zeros(p.shape[:-1]), 4 * np.exp(-(((p[..., 1] + 60) / 20) ** 2))], axis=-1
    ),
}


@pytest.mark.parametrize("name", SHIFTS)
def test_a_known_smooth_shift_is_found(name: str) -> None:
    found = register(charted(Expression.REST), moved(SHIFTS[name]), visible=EVERYWHERE)
    for region in Region:
        places = inside(region)
        off = found[region].shift_mm(places) - SHIFTS[name](places)
        assert rms(off) < 0.25
        assert rms(off) < 3 * float(np.median(found[region].doubt_mm(places)))


def test_the_same_chart_twice_is_not_moved() -> None:
    rest = charted(Expression.REST)
    for region, registration in register(rest, rest, visible=EVERYWHERE).items():
        assert registration.region is region
        assert np.abs(registration.shift_mm(inside(region))).max() < 0.15
        assert registration.residual_mm < 0.1


def test_a_patch_that_moved_on_its_own_does_not_pull_its_surroundings_along() -> None:
    middle, radius = np.array([20.0, -80.0]), 12.0

    def away(places_mm: Float) -> Float:
        return np.asarray(np.linalg.norm(places_mm - middle, axis=-1))

    def shift(places_mm: Float) -> Float:
        alone = (away(places_mm) < radius)[..., None] * np.array([1.5, -1.0])
        return np.asarray(SHIFTS["aside"](places_mm) + alone)

    found = register(charted(Expression.REST), moved(shift), visible=EVERYWHERE)[Region.FOREHEAD]
    places = inside(Region.FOREHEAD)
    places = places[away(places) > radius + 4]
    assert rms(found.shift_mm(places) - SHIFTS["aside"](places)) < 0.13


def test_skin_is_not_pressed_together_more_than_skin_can_be() -> None:
    """Drawn here: the forehead pressed to a quarter of its height about one level."""

    def pressed(places_mm: Float) -> Float:
        level = np.tanh((places_mm[..., 1] + 80) / 4)
        return np.stack([np.zeros_like(level), -3 * level], axis=-1)

    found = register(charted(Expression.REST), moved(pressed), visible=EVERYWHERE)
    assert stretch(found[Region.FOREHEAD]).min() > 0.25


def test_light_that_falls_differently_moves_nothing() -> None:
    """Brighter as a whole, and more so to one side: the texture is the same."""
    rest = charted(Expression.REST)
    lit = replace(rest, light=rest.light + np.float32(0.5) + 0.004 * chart_mm()[..., 0].astype(np.float32))
    for region, registration in register(rest, lit, visible=EVERYWHERE).items():
        assert rms(registration.shift_mm(inside(region))) < 0.1


def test_a_new_deep_line_moves_nothing() -> None:
    rest = charted(Expression.REST)
    valley = 0.4 * np.exp(-((chart_mm()[..., 1] + 78) ** 2) / (2 * 0.5**2))
    found = register(rest, replace(rest, light=rest.light - valley.astype(np.float32)), visible=EVERYWHERE)
    assert rms(found[Region.FOREHEAD].shift_mm(inside(Region.FOREHEAD))) < 0.2


def test_the_mirror_image_gives_the_mirrored_shift() -> None:
    shift = SHIFTS["aside"]
    pair = charted(Expression.REST), moved(shift)
    twins = [replace(chart, light=np.ascontiguousarray(chart.light[:, ::-1])) for chart in pair]
    found = register(twins[0], twins[1], visible=EVERYWHERE)
    for region in Region:
        wanted = shift(inside(region)) * (-1, 1)
        assert rms(found[region].shift_mm(inside(region)) - wanted) < 0.25


# -- nothing to hold on to -------------------------------------------------------------------------


def blank(slope: float = 0.0) -> Chart:
    """Return a chart of skin without any texture."""
    light = -1 + slope * chart_mm()[..., 0]
    return replace(charted(Expression.REST), light=light.astype(np.float32))


def noise(seed: int) -> Chart:
    random = np.random.default_rng(seed).standard_normal(face_chart.SHAPE)
    return replace(charted(Expression.REST), light=(-1 + 0.03 * random).astype(np.float32))


NOTHING: dict[str, Callable[[], tuple[Chart, Chart]]] = {
    "two blank charts": lambda: (blank(), blank()),
    "two slopes": lambda: (blank(0.002), blank(-0.003)),
    "a blank chart at rest": lambda: (blank(), charted(Expression.REST)),
    "a blank chart in expression": lambda: (charted(Expression.REST), blank()),
    "noise": lambda: (noise(0), noise(1)),
}


@pytest.mark.parametrize("name", NOTHING)
def test_skin_without_common_texture_is_never_laid_with_confidence(name: str) -> None:
    rest, expression = NOTHING[name]()
    for region, registration in register(rest, expression, visible=EVERYWHERE).items():
        doubt = registration.doubt_mm(inside(region))
        assert registration.residual_mm > 1.0 or np.median(doubt) > 1.0
        assert np.isfinite(registration.shift_mm(inside(region))).all()
        assert stretch(registration).min() > 0


def test_skin_that_was_not_seen_is_not_laid() -> None:
    rest = charted(Expression.REST)
    hidden = np.zeros(face_chart.PATCH_SHAPE, bool)
    for region, registration in register(rest, rest, visible=hidden).items():
        assert registration.residual_mm == np.inf
        assert np.isinf(registration.doubt_mm(inside(region))).all()
        assert (registration.shift_mm(inside(region)) == 0).all()


def test_another_persons_skin_is_laid_with_more_doubt() -> None:
    rest, other = charted(Expression.REST), draw_phantom(replace(PERSON, seed=77), SHOT)
    strange = register(rest, make_chart(other.photo, find_face(other.photo)), visible=EVERYWHERE)
    own = laid(Expression.SMILE)
    for region in Region:
        places = inside(region)
        assert np.median(strange[region].doubt_mm(places)) > 1.5 * np.median(own[region].doubt_mm(places))


def test_far_away_places_are_never_shifted_without_bound() -> None:
    far = np.array([[500.0, 500.0], [-500.0, 0.0], [0.0, 500.0]])
    for registration in laid(Expression.BROW_RAISE).values():
        assert np.abs(registration.shift_mm(far)).max() < 15
        assert (registration.doubt_mm(far) > 5).all()


def test_no_places_have_no_shift() -> None:
    none = np.zeros((0, 2))
    for registration in laid(Expression.SMILE).values():
        assert registration.shift_mm(none).shape == (0, 2)
        assert registration.to_expression(none).shape == (0, 2)
        assert registration.doubt_mm(none).shape == (0,)


def test_registering_is_repeatable() -> None:
    again = register(charted(Expression.REST), charted(Expression.FROWN), visible=EVERYWHERE)
    for region, registration in laid(Expression.FROWN).items():
        places = inside(region)
        assert np.array_equal(again[region].shift_mm(places), registration.shift_mm(places))


def test_how_large_the_photo_was_hardly_matters() -> None:
    """The charts are in mm: half the photo's pixels move the skin to the same places."""
    smile = drawn(Expression.SMILE).photo.pixels
    half = np.asarray(cv2.resize(smile, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
    photo = Photo(half, "0" * 64)
    small = register(charted(Expression.REST), make_chart(photo, find_face(photo)), visible=EVERYWHERE)
    for region in Region:
        places = inside(region)
        gap = small[region].shift_mm(places) - laid(Expression.SMILE)[region].shift_mm(places)
        assert rms(gap) < 0.6
