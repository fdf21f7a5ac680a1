"""How parts of the face moved: landmarks of a canonical face, moved by known mm under a known camera."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from wrinklecv.face import find_face
from wrinklecv.model import canonical_face
from wrinklecv.movement import (
    STRENGTHS,
    guess_expression,
    mean_travel,
    measure_strengths,
    measure_travel,
    px_per_canonical_mm,
    seem_swapped,
)
from wrinklecv.pairs import Travel
from wrinklecv.phantom.camera import rotation
from wrinklecv.photo import read_photo
from wrinklecv.records import Expression, Face, Scale

SAMPLES = Path(__file__).parent.parent / "sample_images"
ASKED = (Expression.BROW_RAISE, Expression.FROWN, Expression.SMILE)
SIZE = 1.05
"""mm of this person per canonical mm."""
WIDTH_PX = 1400
Moves = Mapping[tuple[int, ...], tuple[float, float]]

BROW = {
    "left": (300, 293, 334, 296, 336, 276, 283, 282, 295, 285),
    "right": (70, 63, 105, 66, 107, 46, 53, 52, 65, 55),
}
INNER = {"left": (336, 285, 296, 295), "right": (107, 55, 66, 65)}
MOUTH = {"left": (291, 409, 375), "right": (61, 185, 146)}
UPPER_LID = {"left": (385, 386, 387), "right": (158, 159, 160)}
LOWER_LID = {"left": (373, 374, 380), "right": (144, 145, 153)}


def face(
    moves: Moves | None = None,
    *,
    px_per_mm: float = 8.0,
    yaw_deg: float = 0.0,
    pitch_deg: float = 0.0,
    roll_deg: float = 0.0,
    distance_mm: float = 1e9,
) -> Face:
    """Project the canonical face; `moves`: landmarks → mm they went to the picture's right, and up."""
    points = canonical_face()[0] * SIZE
    for numbers, (right, up) in (moves or {}).items():
        points[list(numbers), :2] += (right, up)
    turned = points @ rotation(yaw_deg, pitch_deg, roll_deg).T
    zoom = px_per_mm / (1 - turned[:, 2:] / distance_mm)
    xy = turned[:, :2] * (1, -1) * zoom + (WIDTH_PX / 2, 900.0)
    return Face(
        points_xy=np.concatenate([xy, np.zeros((10, 2))]),
        points_sd_px=0.0,
        yaw_deg=yaw_deg,
        pitch_deg=pitch_deg,
        roll_deg=roll_deg,
        scale=Scale(1 / px_per_mm, "given", 0.0),
        expression={},
    )


def mirrored(face: Face) -> Face:
    """Return the face as the mirror image of its photo shows it."""
    vertices = canonical_face()[0]
    twins = cKDTree(vertices).query(vertices * (-1, 1, 1))[1]
    points = face.points_xy[np.append(twins, np.arange(468, 478))] * (-1, 1) + (WIDTH_PX - 1, 0)
    return replace(face, points_xy=points, yaw_deg=-face.yaw_deg, roll_deg=-face.roll_deg)


def travel(travels: tuple[Travel, ...], part: str, side: str) -> tuple[float, float]:
    """Return (up, in) of one part, mm."""
    (one,) = (t for t in travels if (t.part, t.side) == (part, side))
    return one.up_mm, one.in_mm


CAMERAS: dict[str, dict[str, float]] = {
    "frontal": {},
    "nearer": {"px_per_mm": 11.0},
    "turned": {"yaw_deg": 12.0},
    "looking up": {"pitch_deg": -10.0},
    "leaning": {"roll_deg": 15.0},
    "all at once": {"px_per_mm": 6.5, "yaw_deg": -9.0, "pitch_deg": 7.0, "roll_deg": -12.0},
}


@pytest.mark.parametrize("name", CAMERAS)
def test_landmarks_that_moved_by_known_millimetres_travelled_that_far(name: str) -> None:
    moves: Moves = {BROW["left"]: (0.5, 4.0), BROW["right"]: (1.5, -3.0), MOUTH["left"]: (3.0, 2.0)}
    travels = measure_travel(face(), face(moves, **CAMERAS[name]))
    assert travel(travels, "brow", "left") == pytest.approx((4.0, -0.5), abs=0.01)
    assert travel(travels, "brow", "right") == pytest.approx((-3.0, 1.5), abs=0.01)
    assert travel(travels, "mouth corner", "left") == pytest.approx((2.0, -3.0), abs=0.01)
    assert travel(travels, "mouth corner", "right") == pytest.approx((0.0, 0.0), abs=0.01)


@pytest.mark.parametrize("at_rest", CAMERAS)
@pytest.mark.parametrize("then", CAMERAS)
def test_a_head_that_only_turned_did_not_move_its_face(at_rest: str, then: str) -> None:
    for one in measure_travel(face({}, **CAMERAS[at_rest]), face({}, **CAMERAS[then])):
        assert (one.up_mm, one.in_mm) == pytest.approx((0.0, 0.0), abs=0.01)


def test_perspective_makes_little_movement_up() -> None:
    """It is beyond the affine camera: a turn of some degrees must stay below what is called movement."""
    near, turned = face(distance_mm=1500), face(yaw_deg=4.0, pitch_deg=-3.0, distance_mm=1500)
    for one in measure_travel(near, turned):
        assert np.hypot(one.up_mm, one.in_mm) < 0.5


def test_a_face_that_is_not_the_canonical_one_has_not_moved_by_being_itself() -> None:
    own: Moves = {BROW["left"]: (0.0, 5.0), BROW["right"]: (0.0, 4.0), MOUTH["right"]: (-4.0, -3.0)}
    for one in measure_travel(face(own), face(own, yaw_deg=5.0, roll_deg=8.0)):
        assert np.hypot(one.up_mm, one.in_mm) < 0.1


def test_the_millimetres_are_those_of_the_rest_photo() -> None:
    """A squint hides the iris: the expression photo's own scale does not count."""
    raised = face({BROW["left"]: (0.0, 4.0)})
    wrong = Face(raised.points_xy, 0.0, 0.0, 0.0, 0.0, Scale(raised.scale.mm_per_px * 1.3, "iris", 0.04), {})
    assert measure_travel(face(), wrong) == measure_travel(face(), raised)
    twice = replace(face(), scale=Scale(2 * face().scale.mm_per_px, "given", 0.0))
    assert travel(measure_travel(twice, raised), "brow", "left")[0] == pytest.approx(8.0, abs=0.01)


def test_the_way_back_is_the_way_there_turned_round() -> None:
    moved = face({INNER["left"]: (-2.0, -1.0), UPPER_LID["right"]: (0.0, -3.0)}, yaw_deg=3.0)
    for there, back in zip(measure_travel(face(), moved), measure_travel(moved, face()), strict=True):
        assert (back.up_mm, back.in_mm) == pytest.approx((-there.up_mm, -there.in_mm), abs=0.02)


def test_a_mirror_swaps_left_and_right_and_nothing_else() -> None:
    moved = face(
        {BROW["left"]: (1.0, 4.0), BROW["right"]: (-0.5, 2.0), MOUTH["right"]: (-3.0, 2.5)}, yaw_deg=4.0
    )
    plain = measure_travel(face(), moved)
    twins = measure_travel(mirrored(face()), mirrored(moved))
    other = {"left": "right", "right": "left"}
    for one in plain:
        wanted = (one.up_mm, one.in_mm)
        assert travel(twins, one.part, other[one.side]) == pytest.approx(wanted, abs=0.02)


def test_inwards_is_towards_the_middle_on_both_sides() -> None:
    together: Moves = {INNER["left"]: (-2.0, 0.0), INNER["right"]: (2.0, 0.0)}
    travels = measure_travel(face(), face(together))
    assert travel(travels, "inner brow", "left") == pytest.approx((0.0, 2.0), abs=0.01)
    assert travel(travels, "inner brow", "right") == pytest.approx((0.0, 2.0), abs=0.01)


@pytest.mark.parametrize("side", ["left", "right"])
def test_each_lid_is_measured_on_its_own(side: str) -> None:
    moved = face({UPPER_LID[side]: (0.0, -3.0), LOWER_LID[side]: (0.0, 2.0)})
    told = {(t.part, t.side): t.up_mm for t in measure_travel(face(), moved)}
    for (part, where), up_mm in told.items():
        wanted = {"upper lid": -3.0, "lower lid": 2.0}.get(part, 0.0) if where == side else 0.0
        assert up_mm == pytest.approx(wanted, abs=0.01)


def test_every_part_has_both_sides_once() -> None:
    named = [(t.part, t.side) for t in measure_travel(face(), face())]
    assert len(set(named)) == len(named)
    assert {(part, side) for part, _ in named for side in ("left", "right")} == set(named)


@pytest.mark.parametrize("name", CAMERAS)
def test_the_size_of_the_face_in_the_photo_does_not_depend_on_its_pose(name: str) -> None:
    px_per_mm = CAMERAS[name].get("px_per_mm", 8.0)
    # A head seen from aside is foreshortened: by the cosine of its turn at most.
    assert px_per_canonical_mm(face({}, **CAMERAS[name])) == pytest.approx(px_per_mm * SIZE, rel=0.02)


# -- which expression ------------------------------------------------------------------------------

EXPRESSIONS: dict[Expression, Moves] = {
    Expression.BROW_RAISE: {BROW["left"]: (0.0, 4.0), BROW["right"]: (0.0, 4.0)},
    Expression.FROWN: {INNER["left"]: (-2.0, -2.0), INNER["right"]: (2.0, -2.0)},
    Expression.SMILE: {MOUTH["left"]: (4.0, 4.0), MOUTH["right"]: (-4.0, 4.0)},
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_goes_its_own_way_and_the_way_back_is_negative(name: Expression) -> None:
    there = measure_travel(face(), face(EXPRESSIONS[name]))
    back = measure_travel(face(EXPRESSIONS[name]), face())
    assert mean_travel(there, name) > 1.5
    assert mean_travel(back, name) == pytest.approx(-mean_travel(there, name), abs=0.02)


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("camera", CAMERAS)
def test_the_expression_is_guessed_from_the_movement(name: Expression, camera: str) -> None:
    assert guess_expression(face(), face(EXPRESSIONS[name], **CAMERAS[camera])) is name


def test_no_known_expression_has_no_travel() -> None:
    travels = measure_travel(face(), face(EXPRESSIONS[Expression.SMILE]))
    assert mean_travel(travels, Expression.REST) == 0.0
    assert mean_travel(travels, Expression.UNKNOWN) == 0.0


@functools.cache
def sample(subject: str, visit: str, expression: Expression) -> Face:
    return find_face(read_photo(SAMPLES / f"{subject}_ses-{visit}_expr-{expression}_run-1.jpg"))


VISITS = [("sub-001", "20250110"), ("sub-001", "20250124"), ("sub-001", "20250410"), ("sub-002", "20250110")]


@pytest.mark.parametrize(("subject", "visit"), VISITS)
@pytest.mark.parametrize("name", ASKED)
def test_the_expressions_of_the_sample_faces_are_guessed(subject: str, visit: str, name: Expression) -> None:
    rest, moved = (sample(subject, visit, e) for e in (Expression.REST, name))
    assert guess_expression(rest, moved) is name


@pytest.mark.parametrize(("subject", "visit"), VISITS)
@pytest.mark.parametrize("name", [Expression.BROW_RAISE, Expression.SMILE])
def test_a_swapped_pair_is_guessed_to_be_what_its_first_photo_shows(
    subject: str, visit: str, name: Expression
) -> None:
    rest, moved = (sample(subject, visit, e) for e in (Expression.REST, name))
    assert guess_expression(moved, rest) is name


@pytest.mark.parametrize(("subject", "visit"), VISITS)
def test_the_drawn_brows_rise_by_about_the_travel_they_were_drawn_with(subject: str, visit: str) -> None:
    rest, raised = (sample(subject, visit, e) for e in (Expression.REST, Expression.BROW_RAISE))
    # Drawn: 5 mm at the brow's height, less above and below and towards the temples.
    assert 2.5 < mean_travel(measure_travel(rest, raised), Expression.BROW_RAISE) < 6.0


# -- what the landmark model says ------------------------------------------------------------------


def test_strengths_are_those_of_both_photos() -> None:
    rest = replace(face(), expression={"browInnerUp": 0.1, "jawOpen": 0.9})
    raised = replace(face(), expression={"browInnerUp": 0.8, "browOuterUpLeft": 0.6})
    told = {s.name: (s.rest, s.expression) for s in measure_strengths(rest, raised, Expression.BROW_RAISE)}
    assert told == {
        "browInnerUp": (0.1, 0.8),
        "browOuterUpLeft": (0.0, 0.6),
        "browOuterUpRight": (0.0, 0.0),
    }
    assert measure_strengths(rest, raised, Expression.UNKNOWN) == ()


def test_the_landmark_model_knows_every_strength_we_ask_for() -> None:
    known = set(sample("sub-001", "20250110", Expression.REST).expression)
    assert {name for names in STRENGTHS.values() for name in names} <= known
    assert set(STRENGTHS) == set(ASKED)


@pytest.mark.parametrize(("subject", "visit"), VISITS)
@pytest.mark.parametrize("name", [Expression.BROW_RAISE, Expression.SMILE])
def test_swapped_photos_seem_swapped_and_others_do_not(subject: str, visit: str, name: Expression) -> None:
    rest, moved = (sample(subject, visit, e) for e in (Expression.REST, name))
    assert seem_swapped(moved, rest)
    assert not seem_swapped(rest, moved)
