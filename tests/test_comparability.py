"""Each doubt about a pair is raised beyond its limit, not below it, and says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from wrinklecv import chart as face_chart
from wrinklecv.chart import px_to_mm
from wrinklecv.codes import Code
from wrinklecv.comparability import (
    judge_efforts,
    judge_light,
    judge_movement,
    judge_poses,
    judge_registration,
    judge_scales,
    judge_sharpness,
    shows_at_rest,
)
from wrinklecv.model import canonical_face
from wrinklecv.pairs import SPEAKS_FOR, Travel
from wrinklecv.records import Chart, Expression, Face, Finding, Float, Mask, Region, Scale, Verdict
from wrinklecv.registration import Registration

ALL = np.ones(face_chart.PATCH_SHAPE, bool)
Judge = Callable[[float], list[Finding]]


def face(*, yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> Face:
    scale = Scale(0.1, "given", 0.0)
    return Face(np.zeros((478, 2)), 0.0, yaw_deg, pitch_deg, roll_deg, scale, {})


def places_mm() -> Float:
    rows, columns = np.indices(face_chart.SHAPE)
    return px_to_mm(np.stack([columns, rows], axis=-1))


def chart(light: Float | float = 0.0) -> Chart:
    """Return a chart of even skin with this light (natural logarithm) added."""
    noise = 0.02 * np.random.default_rng(0).standard_normal(face_chart.SHAPE)
    return Chart(
        light=(-1.5 + noise + light).astype(np.float32),
        colour=np.zeros((*face_chart.PATCH_SHAPE, 3), np.uint8),
        resolution_px_per_mm=np.full(face_chart.NODE_SHAPE, 6.0),
        view_angle_deg=np.zeros(face_chart.NODE_SHAPE),
        photo_xy=np.zeros((*face_chart.NODE_SHAPE, 2)),
        metric=np.broadcast_to(np.eye(2), (*face_chart.NODE_SHAPE, 2, 2)),
        blur_mm2=0.0,
    )


def lit(light: Float | float, *, skin: Mask = ALL) -> list[Finding]:
    return list(judge_light(chart(), chart(light), (skin, skin)))


def travels(name: Expression, mm: float) -> tuple[Travel, ...]:
    """Return travel by `mm` along the way that an expression goes, nothing else moving."""
    part, up, inwards = {
        Expression.BROW_RAISE: ("brow", 1.0, 0.0),
        Expression.FROWN: ("inner brow", -np.sqrt(0.5), np.sqrt(0.5)),
        Expression.SMILE: ("mouth corner", np.sqrt(0.5), -np.sqrt(0.5)),
    }[name]
    still = [
        Travel(p, s, 0.0, 0.0) for p in ("brow", "inner brow", "mouth corner") for s in ("left", "right")
    ]
    return tuple(replace(t, up_mm=mm * up, in_mm=mm * inwards) if t.part == part else t for t in still)


def agreeing(shares: Iterable[float]) -> dict[Region, Registration]:
    """Return how four regions were laid together, by how many of their squares agree."""
    none = np.zeros((0, 2))
    return {
        region: Registration(region, np.zeros((6, 2)), none, none, np.zeros(0), 0.2, share)
        for region, share in zip(Region, shares, strict=True)
    }


JUDGES: dict[str, tuple[Code, Judge]] = {
    "turned sideways": (Code.POSE_DIFFERS, lambda x: list(judge_poses(face(), face(yaw_deg=x)))),
    "turned to the other side": (Code.POSE_DIFFERS, lambda x: list(judge_poses(face(yaw_deg=x), face()))),
    "turned up": (Code.POSE_DIFFERS, lambda x: list(judge_poses(face(), face(pitch_deg=x)))),
    "turned from one side to the other": (
        Code.POSE_DIFFERS,
        lambda x: list(judge_poses(face(yaw_deg=-x / 2), face(yaw_deg=x / 2))),
    ),
    "brighter": (Code.EXPOSURE_DIFFERS, lambda x: lit(x)),
    "darker": (Code.EXPOSURE_DIFFERS, lambda x: lit(-x)),
    "lit from the side": (Code.LIGHT_DIFFERS, lambda x: lit(x / 50 * places_mm()[..., 0])),
    "lit from below": (Code.LIGHT_DIFFERS, lambda x: lit(x / 50 * (places_mm()[..., 1] + 52))),
    "softer at rest": (Code.REST_SOFTER, lambda x: list(judge_sharpness(x))),
    "softer in expression": (Code.EXPRESSION_SOFTER, lambda x: list(judge_sharpness(-x))),
}


def beyond(judge: Judge, limit: float, share: float) -> list[Finding]:
    return judge(limit * (1 + share))


@pytest.mark.parametrize("name", JUDGES)
def test_a_doubt_is_raised_beyond_its_limits_and_not_below(name: str) -> None:
    code, judge = JUDGES[name]
    (worst,) = judge(40.0 if code is Code.POSE_DIFFERS else 4.0)
    limit = worst.threshold
    while limit is not None:
        (above,) = beyond(judge, limit, 0.03)
        assert (above.code, above.threshold) == (code, limit)
        assert above.region is None
        assert above.value == pytest.approx(1.03 * limit, rel=0.02)
        below = beyond(judge, limit, -0.03)
        assert len(below) <= 1
        assert all(found.threshold != limit for found in below)
        if below:  # a milder doubt remains
            assert (above.verdict, below[0].verdict) == (Verdict.REFUSE, Verdict.WARN)
        limit = below[0].threshold if below else None
    assert judge(0.0) == []


@pytest.mark.parametrize("name", ["brighter", "darker", "lit from the side", "softer at rest"])
def test_what_makes_lines_look_shallower_is_refused_when_it_is_much(name: str) -> None:
    _, judge = JUDGES[name]
    (worst,) = judge(4.0)
    assert worst.verdict is Verdict.REFUSE


def test_every_doubt_says_its_value_and_what_to_do() -> None:
    found = [judge(40.0 if code is Code.POSE_DIFFERS else 4.0)[0] for code, judge in JUDGES.values()]
    found += judge_movement(travels(Expression.SMILE, 0.0), Expression.SMILE)
    found += judge_registration(agreeing([0.0] * 4))
    found.append(shows_at_rest(Region.FOREHEAD, 0.5, 0.25, "share", "why"))
    for finding in found:
        assert finding.unit
        assert finding.value is not None
        assert finding.threshold is not None
        assert finding.advice.endswith((".", "?"))
        assert finding.advice[0].isupper()


def test_a_head_that_leans_differently_is_turned_back_and_no_doubt() -> None:
    assert list(judge_poses(face(roll_deg=-10.0), face(roll_deg=10.0))) == []


def test_a_head_turned_both_ways_has_both_doubts() -> None:
    assert len(list(judge_poses(face(), face(yaw_deg=20.0, pitch_deg=-20.0)))) == 2


def test_lines_and_a_shadow_on_a_small_part_are_no_other_light() -> None:
    u, v = np.moveaxis(places_mm(), -1, 0)
    shadow = -1.0 * ((u > 40) & (u < 60) & (v < -70))
    assert lit(shadow - 0.5 * np.exp(-((v + 80) ** 2))) == []


def test_light_is_judged_on_skin_that_both_photos_show() -> None:
    half = np.zeros_like(ALL)
    half[:, : ALL.shape[1] // 2] = True
    hair = np.where(places_mm()[..., 0] > 2, -3.0, 0.0)
    assert lit(hair, skin=half) == []
    assert list(judge_light(chart(), chart(hair), (half, ALL))) == []
    assert list(judge_light(chart(), chart(hair), (ALL, half))) == []
    assert lit(hair) != []
    assert lit(3.0, skin=np.zeros_like(ALL)) == []


# -- movement --------------------------------------------------------------------------------------

NAMES = tuple(SPEAKS_FOR)


def moved(name: Expression, mm: float) -> list[Finding]:
    return list(judge_movement(travels(name, mm), name))


@pytest.mark.parametrize("name", NAMES)
def test_an_expression_that_hardly_moved_is_doubted_in_its_own_regions(name: Expression) -> None:
    weak = moved(name, 0.0)
    assert [found.region for found in weak] == list(SPEAKS_FOR[name])
    assert {(found.code, found.verdict) for found in weak} == {(Code.WEAK_EXPRESSION, Verdict.WARN)}
    limit = weak[0].threshold
    assert limit is not None
    assert limit > 0
    assert [found.code for found in moved(name, 0.97 * limit)] == [Code.WEAK_EXPRESSION] * len(weak)
    assert moved(name, 1.03 * limit) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_expression_that_went_backwards_is_refused(name: Expression) -> None:
    backwards = moved(name, -6.0)
    assert [found.region for found in backwards] == list(SPEAKS_FOR[name])
    assert {(f.code, f.verdict) for f in backwards} == {(Code.REST_SHOWS_EXPRESSION, Verdict.REFUSE)}
    limit = backwards[0].threshold
    assert limit is not None
    assert limit < 0
    assert moved(name, 1.03 * limit)[0].code is Code.REST_SHOWS_EXPRESSION
    assert moved(name, 0.97 * limit)[0].code is Code.WEAK_EXPRESSION


@pytest.mark.parametrize("name", NAMES)
def test_a_treated_face_that_hardly_moves_is_never_refused(name: Expression) -> None:
    """After a treatment little movement is the effect."""
    for mm in (0.0, 0.2, 0.5):
        assert all(found.verdict is not Verdict.REFUSE for found in moved(name, mm))


def test_nothing_is_said_of_movement_where_nobody_knows_which_it_should_be() -> None:
    for name in (Expression.REST, Expression.UNKNOWN):
        assert list(judge_movement(travels(Expression.SMILE, -6.0), name)) == []


# -- laid together ---------------------------------------------------------------------------------


def test_skin_that_agrees_nowhere_refuses_the_whole_pair() -> None:
    (found,) = judge_registration(agreeing([0.1] * 4))
    assert (found.code, found.verdict, found.region) == (Code.NOT_LAID_TOGETHER, Verdict.REFUSE, None)
    limit = found.threshold
    assert limit is not None
    (below,) = judge_registration(agreeing([0.98 * limit] * 4))
    assert below.region is None
    assert list(judge_registration(agreeing([1.02 * limit] * 4))) == []


@pytest.mark.parametrize("number", range(4))
def test_one_region_that_does_not_agree_is_refused_alone(number: int) -> None:
    def shares(share: float) -> list[float]:
        return [share if k == number else 0.95 for k in range(4)]

    (found,) = judge_registration(agreeing(shares(0.0)))
    assert found.region is tuple(Region)[number]
    assert found.verdict is Verdict.REFUSE
    limit = found.threshold
    assert limit is not None
    assert len(list(judge_registration(agreeing(shares(0.98 * limit))))) == 1
    assert list(judge_registration(agreeing(shares(1.02 * limit)))) == []


def test_skin_that_agrees_everywhere_is_no_doubt() -> None:
    assert list(judge_registration(agreeing([1.0] * 4))) == []


def test_a_rest_photo_that_shows_expression_is_refused_with_its_reason() -> None:
    found = shows_at_rest(Region.GLABELLA, 0.4, 0.25, "share", "its lines are deeper")
    assert (found.code, found.verdict, found.region) == (
        Code.REST_SHOWS_EXPRESSION,
        Verdict.REFUSE,
        Region.GLABELLA,
    )
    assert "its lines are deeper" in found.advice


# -- two visits ------------------------------------------------------------------------------------


def a_face(px_per_mm: float, *, corners_mm: float = 0.0) -> Face:
    """Return the canonical face at a size, the corners of its mouth drawn up and out by `corners_mm`."""
    places = canonical_face()[0][:, :2] * (1.0, -1.0)
    for side, numbers in ((-1, (61, 185, 146)), (1, (291, 409, 375))):
        places[list(numbers)] += np.array((side, -1.0)) * corners_mm / np.sqrt(2)
    points = np.vstack([places, np.tile(places.mean(axis=0), (10, 1))]) * px_per_mm + 500
    return Face(points, 0.0, 0.0, 0.0, 0.0, Scale(1 / px_per_mm, "given", 0.0), {})


@pytest.mark.parametrize(("later", "doubted"), [(8.7, False), (9.0, True), (7.35, False), (7.2, True)])
def test_visits_of_other_size_are_doubted_from_a_tenth_on(later: float, doubted: bool) -> None:
    found = list(judge_scales(a_face(8.0), a_face(later)))
    assert [f.code for f in found] == [Code.SCALE_DIFFERS] * doubted
    for finding in found:
        assert finding.verdict is Verdict.WARN
        assert finding.advice.startswith("The face is 1.1")
        assert f"in the {'later' if later > 8 else 'first'} photo" in finding.advice


@pytest.mark.parametrize(("state", "words"), [(Expression.SMILE, "stronger"), (Expression.REST, "relaxed")])
def test_visits_that_do_not_show_the_same_effort_are_doubted(state: Expression, words: str) -> None:
    assert not list(judge_efforts(a_face(8.0), a_face(8.0, corners_mm=1.3), state))
    for faces, which in (((0.0, 1.7), "later"), ((1.7, 0.0), "first")):
        first, later = (a_face(8.0, corners_mm=mm) for mm in faces)
        (found,) = judge_efforts(first, later, state)
        assert (found.code, found.verdict) == (Code.EXPRESSION_DIFFERS, Verdict.WARN)
        assert f"the {which} photo".casefold() in found.advice.casefold()
        assert words in found.advice
    assert not list(judge_efforts(a_face(8.0), a_face(8.0, corners_mm=3.0), Expression.UNKNOWN))
