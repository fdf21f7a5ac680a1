"""Every doubt has a code, its value, its threshold and a sentence; and comes when it should."""

from __future__ import annotations

import functools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from wrinklecv.chart import linear_light, make_chart, to_photo
from wrinklecv.codes import Code
from wrinklecv.phantom import Person, Phantom, Shot, draw_phantom
from wrinklecv.quality import judge_photo, judge_strands
from wrinklecv.records import Bytes, Chart, Face, Finding, Photo, Region, Scale, Verdict
from wrinklecv.regions import measure_coverage
from wrinklecv.settings import DEFAULTS, Settings
from wrinklecv.sharpness import edge_blur_mm
from wrinklecv.skin import find_skin
from wrinklecv.strands import Strands

SHOT = Shot(px_per_mm=5.5, width_px=1060, height_px=1300)


@functools.cache
def drawn() -> Phantom:
    return draw_phantom(Person(seed=5, skin_tone=0.3), SHOT)


def face(*, yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0, zoom: float = 1.0) -> Face:
    """Return the drawn face as measured; its pose is what is said, not what is seen."""
    points = (drawn().landmarks_xy + 0.5) * zoom - 0.5
    return Face(points, 0.0, yaw, pitch, roll, Scale(drawn().mm_per_px / zoom, "given", 0.0), {})


def charted(pixels: Bytes, who: Face | None = None) -> Chart:
    return make_chart(Photo(np.array(pixels, order="C"), "0" * 64), who or face())


def judged(pixels: Bytes, who: Face | None = None, settings: Settings = DEFAULTS) -> tuple[Finding, ...]:
    photo, who = Photo(np.array(pixels, order="C"), "0" * 64), who or face()
    chart = make_chart(photo, who)
    skin = find_skin(chart, settings=settings)
    coverage = measure_coverage(chart, skin.usable)
    blur_mm = edge_blur_mm(chart)
    return judge_photo(photo, who, chart, skin, coverage, edge_blur_mm=blur_mm, settings=settings)


def of(findings: tuple[Finding, ...], code: Code) -> dict[Region | None, Verdict]:
    return {f.region: f.verdict for f in findings if f.code is code}


def pixels() -> Bytes:
    return drawn().photo.pixels


def darker(stops: float) -> Bytes:
    """Take light away, in linear light."""
    linear = linear_light()[pixels()] / 2**stops
    return np.asarray(np.rint(np.interp(linear, linear_light(), np.arange(256))).astype(np.uint8))


def smaller(zoom: float) -> Bytes:
    return np.asarray(cv2.resize(pixels(), None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA))


def bangs(*, down_to: float = -72.0, colour: tuple[int, int, int] = (40, 30, 24)) -> Bytes:
    picture = pixels().copy()
    corners = np.array([(-66.0, -105.0), (66.0, -105.0), (66.0, down_to), (-66.0, down_to)])
    outline = np.rint(to_photo(charted(picture), corners)).astype(np.int32)
    cv2.fillPoly(picture, [outline], colour)
    return picture


def half_dark() -> Bytes:
    gain = np.linspace(1.0, 0.25, pixels().shape[1])[None, :, None]
    return np.rint(pixels() * gain).astype(np.uint8)


def capped(step: float) -> Bytes:
    """Shade the face above the middle of the forehead by `step` (ln)."""
    edge = to_photo(charted(pixels()), np.array([[0.0, -80.0]]))[0, 1]
    light = (
        linear_light()[pixels()] * np.where(np.arange(len(pixels())) < edge, np.exp(-step), 1)[:, None, None]
    )
    return np.asarray(np.rint(np.interp(light, linear_light(), np.arange(256))).astype(np.uint8))


def strands(found: dict[Region, Strands], *, fringe: bool = False) -> tuple[Finding, ...]:
    return judge_strands(found, hair_over_forehead=fringe, settings=DEFAULTS)


@functools.cache
def all_findings() -> dict[str, tuple[Finding, ...]]:
    return {
        "bangs": judged(bangs()),
        "shine": judged(bangs(down_to=-85.0, colour=(255, 255, 255))),
        "dark": judged(darker(5)),
        "blurred": judged(cv2.GaussianBlur(pixels(), (0, 0), 3.0)),
        "small": judged(smaller(0.4), face(zoom=0.4)),
        "middling": judged(smaller(0.7), face(zoom=0.7)),
        "turned": judged(pixels(), face(yaw=12.0, pitch=15.0, roll=20.0)),
        "one side": judged(half_dark()),
        "shadow": judged(capped(0.9)),
        "strands": strands(
            {
                Region.FOREHEAD: Strands(left_out_mm=12.0, one_sided_mm=30.0),
                Region.CROWS_FEET_LEFT: Strands(upright_mm=40.0),
            }
        ),
    }


def test_a_good_photo_passes_everywhere() -> None:
    assert {f.verdict for f in judged(pixels())} <= {Verdict.PASS}


def test_every_finding_says_its_value_threshold_unit_and_what_to_do() -> None:
    met = set()
    for findings in all_findings().values():
        for finding in findings:
            met.add(finding.code)
            assert finding.value is not None
            assert finding.threshold is not None
            assert finding.unit in ("deg", "ln", "mm", "share", "px/mm")
            assert finding.advice.endswith(".")
            assert ":" in finding.advice  # what is wrong, and after it what to do or to expect
            number = abs(finding.value)
            said = {f"{number:.0f}", f"{number:.1f}", f"{number:.2f}", f"{number:.0%}"}
            assert any(text in finding.advice for text in said), finding.advice
            if finding.verdict is not Verdict.PASS:
                limit = abs(finding.threshold)
                said = {f"{limit:.0f}", f"{limit:.1f}", f"{limit:.2f}", f"{limit:.0%}"}
                assert any(f"{text}" in finding.advice.split("limit")[1] for text in said), finding.advice
    assert met >= {
        Code.HAIR_OVER_FOREHEAD, Code.SHINE, Code.UNDER_EXPOSED, Code.BLURRED, Code.LOW_RESOLUTION,
        Code.HEAD_TURNED, Code.HEAD_TILTED, Code.FACE_ROTATED, Code.UNEVEN_LIGHT, Code.HAIR_OR_FRAME,
    }  # fmt: skip


def test_a_value_is_on_the_wrong_side_of_its_threshold() -> None:
    falls_short = (
        Code.SMOOTHED,
        Code.UNDER_EXPOSED,
        Code.LOW_RESOLUTION,
        Code.HAIR_OVER_FOREHEAD,
        Code.LITTLE_SKIN,
    )
    for findings in all_findings().values():
        for finding in findings:
            assert finding.value is not None
            assert finding.threshold is not None
            assert (finding.value < finding.threshold) == (finding.code in falls_short), finding


def test_hair_over_the_forehead_is_named_and_refused_when_too_little_is_left() -> None:
    assert of(judged(bangs(down_to=-84.0)), Code.HAIR_OVER_FOREHEAD) == {Region.FOREHEAD: Verdict.WARN}
    refused = judged(bangs(down_to=-66.0))
    assert of(refused, Code.HAIR_OVER_FOREHEAD) == {Region.FOREHEAD: Verdict.REFUSE}
    assert Verdict.REFUSE not in {f.verdict for f in refused if f.region is not Region.FOREHEAD}


def test_shine_is_told_apart_from_hair() -> None:
    findings = judged(bangs(down_to=-92.0, colour=(255, 255, 255)))
    assert of(findings, Code.SHINE)[Region.FOREHEAD] is Verdict.WARN
    assert not of(findings, Code.HAIR_OVER_FOREHEAD)


@pytest.mark.parametrize(("stops", "verdict"), [(5.0, Verdict.WARN), (7.0, Verdict.REFUSE)])
def test_a_dark_photo_is_under_exposed(stops: float, verdict: Verdict) -> None:
    assert of(judged(darker(stops)), Code.UNDER_EXPOSED) == {None: verdict}


def test_half_the_light_is_not_under_exposed() -> None:
    assert not of(judged(darker(1.0)), Code.UNDER_EXPOSED)


def test_light_from_one_side_is_said() -> None:
    assert of(judged(half_dark()), Code.UNEVEN_LIGHT) == {None: Verdict.WARN}
    assert not of(judged(pixels()), Code.UNEVEN_LIGHT)


@pytest.mark.parametrize("yaw", [12.0, -12.0])
def test_a_turned_head_refuses_forehead_and_glabella_only(yaw: float) -> None:
    findings = judged(pixels(), face(yaw=yaw))
    frontal = {Region.FOREHEAD: Verdict.REFUSE, Region.GLABELLA: Verdict.REFUSE}
    assert of(findings, Code.HEAD_TURNED) == frontal
    assert {f.region for f in findings if f.verdict is Verdict.REFUSE} == set(frontal)


@pytest.mark.parametrize(
    ("pose", "code", "verdict"),
    [
        ({"yaw": 7.0}, Code.HEAD_TURNED, Verdict.WARN),
        ({"pitch": -12.0}, Code.HEAD_TILTED, Verdict.WARN),
        ({"pitch": 25.0}, Code.HEAD_TILTED, Verdict.REFUSE),
        ({"roll": -20.0}, Code.FACE_ROTATED, Verdict.WARN),
    ],
)
def test_pose_is_judged_in_both_directions(pose: dict[str, float], code: Code, verdict: Verdict) -> None:
    for sign in (1, -1):
        other = {name: sign * angle for name, angle in pose.items()}
        assert set(of(judged(pixels(), face(**other)), code).values()) == {verdict}
    assert not of(judged(pixels()), code)


def test_few_pixels_warn_and_fewer_refuse() -> None:
    assert set(of(judged(pixels()), Code.LOW_RESOLUTION).values()) == {Verdict.PASS}  # fine lines: said only
    for zoom, verdict in ((0.7, Verdict.WARN), (0.4, Verdict.REFUSE)):
        found = of(judged(smaller(zoom), face(zoom=zoom)), Code.LOW_RESOLUTION)
        assert found[Region.FOREHEAD] is verdict
        assert set(found) == set(Region)


def test_thresholds_come_from_the_settings() -> None:
    strict = replace(DEFAULTS, min_resolution_px_per_mm=7.0, moderate_resolution_px_per_mm=9.0)
    assert set(of(judged(pixels(), settings=strict), Code.LOW_RESOLUTION).values()) == {Verdict.REFUSE}


# -- blur ----------------------------------------------------------------------------------------


def blur_of(picture: Bytes) -> float:
    found = edge_blur_mm(charted(picture))
    assert found is not None
    return found


def test_blur_raises_the_softness_of_edges_as_much_as_it_should() -> None:
    sharp = blur_of(pixels())
    softness = [blur_of(cv2.GaussianBlur(pixels(), (0, 0), px)) for px in (1.0, 2.0, 3.0, 4.0)]
    assert np.all(np.diff([sharp, *softness]) > 0)
    # In the end the blur itself is what is measured: 3 px are 0.55 mm.
    assert softness[2] == pytest.approx(np.hypot(sharp, 3 / SHOT.px_per_mm), rel=0.25)


def test_softness_does_not_depend_on_exposure_or_noise() -> None:
    sharp = blur_of(pixels())
    assert blur_of(darker(1.0)) == pytest.approx(sharp, rel=0.15)
    noise = np.random.default_rng(0).normal(0, 3, pixels().shape)
    noisy = np.clip(np.rint(pixels() + noise), 0, 255).astype(np.uint8)
    assert blur_of(noisy) == pytest.approx(sharp, rel=0.15)


def test_a_blurred_photo_is_refused_and_a_sharp_one_is_not() -> None:
    assert not of(judged(pixels()), Code.BLURRED)
    assert of(judged(cv2.GaussianBlur(pixels(), (0, 0), 6.0)), Code.BLURRED) == {None: Verdict.REFUSE}


def test_eyes_outside_the_photo_have_no_sharpness() -> None:
    who = face()
    away = Face(who.points_xy - (0, 600), 0.0, 0.0, 0.0, 0.0, who.scale, {})
    assert edge_blur_mm(charted(pixels(), away)) is None


@pytest.mark.parametrize(("step", "told"), [(0.75, True), (0.3, False)])
def test_the_edge_of_a_shadow_across_the_forehead_is_told(step: float, told: bool) -> None:
    findings = of(judged(capped(step)), Code.UNEVEN_LIGHT)
    assert (findings.get(Region.FOREHEAD) is Verdict.WARN) == told


def test_hair_is_a_doubt_where_something_was_left_out_or_much_of_it_is_upright() -> None:
    few = {
        Region.FOREHEAD: Strands(upright_mm=12.0),
        Region.GLABELLA: Strands(),
        Region.CROWS_FEET_LEFT: Strands(),
    }
    assert strands(few) == ()
    (left_out,) = strands({**few, Region.GLABELLA: Strands(left_out_mm=6.0)})
    assert left_out.region is Region.GLABELLA and "left out" in left_out.advice
    assert strands({**few, Region.FOREHEAD: Strands(upright_mm=25.0)})[0].region is Region.FOREHEAD
    (lock,) = strands({**few, Region.FOREHEAD: Strands(one_sided_mm=9.0)})
    assert lock.region is Region.FOREHEAD and "one side" in lock.advice
    assert strands({**few, Region.FOREHEAD: Strands(one_sided_mm=7.0)}) == ()


def test_hair_over_the_forehead_makes_upright_lines_of_the_glabella_doubtful() -> None:
    bare = {Region.FOREHEAD: Strands(), Region.GLABELLA: Strands()}
    both = {Region.FOREHEAD: Verdict.WARN, Region.GLABELLA: Verdict.WARN}
    doubts = strands({**bare, Region.FOREHEAD: Strands(upright_mm=45.0)})
    assert of(doubts, Code.HAIR_OR_FRAME) == both
    assert "frown line" in doubts[1].advice
    assert len(strands({Region.FOREHEAD: Strands(upright_mm=45.0)})) == 1  # the glabella was refused
    together = strands({**bare, Region.FOREHEAD: Strands(left_out_mm=6.0, upright_mm=45.0)})
    assert ["left out" in f.advice for f in together] == [True, False, False]  # each is said
    assert (
        len(strands({**bare, Region.FOREHEAD: Strands(left_out_mm=6.0)})) == 1
    )  # may be anything: no word of the glabella
    # A fringe that leaves nothing of the forehead may hang into the glabella all the more.
    (finding,) = strands({Region.GLABELLA: Strands()}, fringe=True)
    assert finding.region is Region.GLABELLA
