"""compare() from end to end, on drawn pairs in which the kind of every line is known."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from wrinklecv import sides
from wrinklecv.assessment import assess
from wrinklecv.chart import linear_light
from wrinklecv.codes import Code
from wrinklecv.comparison import compare
from wrinklecv.errors import NotComparableError
from wrinklecv.head import surface
from wrinklecv.pairs import SPEAKS_FOR, ComparedLine, Comparison
from wrinklecv.phantom import Person, Shot, draw_phantom, random_lines, sample_person
from wrinklecv.phantom.render import _camera
from wrinklecv.phantom.samples import _sample_shot
from wrinklecv.photo import read_photo
from wrinklecv.records import Assessment, Bytes, Expression, Float, LineKind, Photo, Region, Verdict
from wrinklecv.settings import DEFAULTS

SAMPLES = Path(__file__).parent.parent / "sample_images"
VISITS = ("20250110", "20250124", "20250410")
ASKED = tuple(SPEAKS_FOR)
SIDES = (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT)
PX_PER_MM = 10.0
STATIC_FROM = 0.8
"""Contrast at rest over that in expression from which on a line is static."""
REST = Expression.REST


# -- what was drawn --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """One drawn line of an expression photo: what it is, and where, (N, 2) px."""

    region: Region
    share: float
    path_xy: Float

    @property
    def kind(self) -> LineKind:
        """Tell what the contrasts drawn at rest and in expression make it."""
        if self.share == 0:
            return LineKind.DYNAMIC
        return LineKind.STATIC if self.share >= STATIC_FROM else LineKind.DEEPENED


def file_name(expression: Expression, visit: str) -> str:
    return f"sub-001_ses-{visit}_expr-{expression}_run-1.jpg"


@functools.cache
def written() -> dict[str, dict[str, list[dict[str, object]]]]:
    result: dict[str, dict[str, list[dict[str, object]]]] = json.loads(
        (SAMPLES / "truth.json").read_text("utf-8")
    )
    return result


@functools.cache
def drawn(expression: Expression, visit: str) -> tuple[Truth, ...]:
    """Return every line of one expression photo: its skin place tells which line at rest it is."""
    at_rest = {
        (line["region"], str(line["skin_path_mm"])): float(str(line["contrast"]))
        for line in written()[file_name(REST, visit)]["lines"]
    }
    person = sample_person("sub-001", visit=VISITS.index(visit))
    camera = _camera(person, _sample_shot(file_name(expression, visit), expression))
    return tuple(
        Truth(
            Region(str(line["region"])),
            at_rest.get((line["region"], str(line["skin_path_mm"])), 0.0) / float(str(line["contrast"])),
            camera.project(surface(np.array(line["path_mm"]))),
        )
        for line in written()[file_name(expression, visit)]["lines"]
    )


def is_same(line: ComparedLine, true: Truth, zoom: float = 1.0) -> bool:
    """Tell whether most of a compared line lies within 1 mm of a drawn one, in the expression photo."""
    away_mm = cKDTree(true.path_xy * zoom).query(line.expression_path_xy)[0] / PX_PER_MM / zoom
    return line.region is true.region and float((away_mm < 1).mean()) > 0.8


def pairs(compared: Comparison, visit: str, zoom: float = 1.0) -> Iterator[tuple[ComparedLine, Truth]]:
    """Pair every compared line with the drawn one it is; fail where there is not exactly one."""
    for line in compared.lines:
        (true,) = (t for t in drawn(compared.name, visit) if is_same(line, t, zoom))
        yield line, true


# -- what was measured -----------------------------------------------------------------------------


@functools.cache
def photo(expression: Expression, visit: str) -> Photo:
    return read_photo(SAMPLES / file_name(expression, visit))


@functools.cache
def measured(expression: Expression, visit: str = VISITS[0]) -> Assessment:
    return assess(photo(expression, visit))


@functools.cache
def compared(expression: Expression, visit: str = VISITS[0]) -> Comparison:
    return compare(measured(REST, visit), measured(expression, visit))


def assessed(pixels: Bytes) -> Assessment:
    return assess(Photo(np.array(pixels, order="C"), "0" * 64))


def kinds(comparison: Comparison) -> Counter[tuple[Region, LineKind]]:
    return Counter((line.region, line.kind) for line in comparison.lines)


EVERY_PAIR = pytest.mark.parametrize(("name", "visit"), [(name, visit) for visit in VISITS for name in ASKED])
EVERY_EXPRESSION = pytest.mark.parametrize("name", ASKED)


# -- drawn truth -----------------------------------------------------------------------------------


@EVERY_PAIR
def test_every_drawn_line_is_told_right_or_not_told(name: Expression, visit: str) -> None:
    result = compared(name, visit)
    told = 0
    for line, true in pairs(result, visit):
        assert line.kind in (true.kind, LineKind.INDETERMINATE), line.reason
        told += line.kind is true.kind
    # The bar: at most 15 % not told. After the treatment the faintest lines are hardly above the limit.
    assert told >= 0.85 * len(drawn(name, visit))


@EVERY_PAIR
def test_every_drawn_line_is_there_once(name: Expression, visit: str) -> None:
    lines = compared(name, visit).lines
    assert len(lines) == len(drawn(name, visit))
    for true in drawn(name, visit):
        assert sum(is_same(line, true) for line in lines) == 1


def test_all_three_kinds_were_drawn() -> None:
    assert {true.kind for name in ASKED for true in drawn(name, VISITS[0])} == {
        LineKind.STATIC,
        LineKind.DEEPENED,
        LineKind.DYNAMIC,
    }


@EVERY_PAIR
def test_the_static_share_is_the_drawn_one(name: Expression, visit: str) -> None:
    for line, true in pairs(compared(name, visit), visit):
        assert line.static_share == pytest.approx(true.share, abs=0.1)
        # The interval is a 90 % one, of many lines: twice as wide it holds them all.
        assert line.static_share_low is not None and line.static_share_high is not None
        half = (line.static_share_high - line.static_share_low) / 2
        assert line.static_share_low - half - 0.02 <= true.share <= line.static_share_high + half + 0.02


def test_where_no_clear_skin_is_left_texture_is_taken_from_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sides, "texture_contrast", lambda *_: None)
    assessment = measured(Expression.FROWN)
    side = sides.side_of(assessment, DEFAULTS)
    for region in (Region.FOREHEAD, Region.CROWS_FEET_LEFT):
        along_10_mm = [
            line.contrast / line.signal_to_noise * np.sqrt(line.length_mm / 10)
            for line in assessment.lines_in(region)
        ]
        assert sides.texture_of(side, region, [], DEFAULTS) == pytest.approx(np.median(along_10_mm), rel=0.6)


@EVERY_EXPRESSION
def test_the_name_of_the_expression_is_guessed(name: Expression) -> None:
    assert compared(name).name is name
    given = compare(measured(REST), measured(name), name=name)
    assert kinds(given) == kinds(compared(name))


@EVERY_EXPRESSION
def test_a_good_pair_raises_no_doubt(name: Expression) -> None:
    assert [f.code for f in compared(name).findings if f.verdict is Verdict.REFUSE] == []


@EVERY_EXPRESSION
def test_lines_of_regions_that_the_expression_does_not_use_stay_as_they_are(name: Expression) -> None:
    for measures in compared(name).regions:
        assert measures.own == (measures.region in SPEAKS_FOR[name])
        deepening = abs(measures.dynamic_gap)
        if measures.own:
            assert measures.dynamic_gap > 3 * measures.dynamic_gap_se
            assert measures.expression_index > measures.rest_index
        else:
            assert deepening < 4 * measures.dynamic_gap_se + 0.03 * measures.rest_index


@EVERY_EXPRESSION
def test_both_paths_of_a_line_are_the_same_skin(name: Expression) -> None:
    """Drawn at rest, each line that shows there lies under its own place in the rest photo."""
    at_rest = measured(REST).lines
    for line in compared(name).lines:
        assert line.rest_path_mm.shape == line.expression_path_mm.shape
        if line.rest_line >= 0:
            found = at_rest[line.rest_line]
            assert found.region is line.region
            away = cKDTree(found.path_xy).query(line.rest_path_xy)[0] / PX_PER_MM
            assert np.median(away) < 0.5


@EVERY_EXPRESSION
def test_every_line_of_both_photos_is_in_the_comparison(name: Expression) -> None:
    lines = compared(name).lines
    in_expression = Counter(line.expression_line for line in lines if line.expression_line >= 0)
    assert in_expression == Counter(range(len(measured(name).lines)))
    at_rest = [line.rest_line for line in lines if line.rest_line >= 0]
    assert set(at_rest) == set(range(len(measured(REST).lines)))


@EVERY_EXPRESSION
def test_the_static_share_of_a_region_is_that_of_its_lines(name: Expression) -> None:
    for measures in compared(name).regions:
        here = [t for t in drawn(name, VISITS[0]) if t.region is measures.region]
        length = [float(np.linalg.norm(np.diff(t.path_xy, axis=0), axis=1).sum()) for t in here]
        assert measures.static_share is not None
        assert measures.static_share_low is not None
        assert measures.static_share_high is not None
        true = np.average([t.share for t in here], weights=length)
        assert measures.static_share == pytest.approx(true, abs=0.06)
        assert measures.static_share_low <= measures.static_share <= measures.static_share_high


@EVERY_EXPRESSION
def test_the_totals_add_up(name: Expression) -> None:
    result = compared(name)
    for measures in result.regions:
        lines = result.lines_in(measures.region)
        assert sum(total.count for total in measures.totals) == len(lines)
        assert {total.kind for total in measures.totals} == set(LineKind)
        for kind in LineKind:
            of_kind = [line.length_mm for line in lines if line.kind is kind]
            assert measures.total(kind).count == len(of_kind)
            assert measures.total(kind).length_mm == pytest.approx(sum(of_kind))


# -- what changes nothing --------------------------------------------------------------------------


@pytest.mark.parametrize("expression", [REST, Expression.BROW_RAISE, Expression.SMILE])
def test_the_same_photo_twice_has_static_lines_only(expression: Expression) -> None:
    result = compare(measured(expression), measured(expression))
    assert {line.kind for line in result.lines} <= {LineKind.STATIC, LineKind.INDETERMINATE}
    assert Code.WEAK_EXPRESSION in {finding.code for finding in result.findings}
    told = [line for line in result.lines if line.kind is LineKind.STATIC]
    assert len(told) >= 0.8 * len(measured(expression).lines)
    for line in result.lines:
        assert line.rest_line == line.expression_line
        assert line.static_share == pytest.approx(1.0, abs=0.05)


def without(assessment: Assessment, number: int) -> Assessment:
    """Return an assessment whose detector missed one line."""
    return replace(assessment, lines=tuple(x for k, x in enumerate(assessment.lines) if k != number))


@EVERY_EXPRESSION
@pytest.mark.parametrize("missed_at_rest", [True, False])
def test_a_line_that_was_missed_in_one_photo_is_read_there_all_the_same(
    name: Expression, missed_at_rest: bool
) -> None:
    both = [line for line in compared(name).lines if min(line.rest_line, line.expression_line) >= 0]
    assert both
    for line in both:
        rest, moved = measured(REST), measured(name)
        if missed_at_rest:
            rest = without(rest, line.rest_line)
        else:
            moved = without(moved, line.expression_line)
        result = compare(rest, moved, name=name)
        assert len(result.lines) == len(compared(name).lines)
        path = cKDTree(line.rest_path_xy)
        (again,) = (x for x in result.lines if np.median(path.query(x.rest_path_xy)[0]) < PX_PER_MM)
        assert (again.rest_line, again.expression_line).count(-1) == 1
        assert again.static_share == pytest.approx(line.static_share, abs=0.08)
        assert again.kind in (line.kind, LineKind.INDETERMINATE)


@EVERY_EXPRESSION
def test_comparing_is_repeatable(name: Expression) -> None:
    again = compare(measured(REST), measured(name))
    assert again.regions == compared(name).regions
    assert again.travels == compared(name).travels
    assert again.findings == compared(name).findings
    for one, other in zip(again.lines, compared(name).lines, strict=True):
        assert (one.kind, one.confidence, one.rest_contrast) == (
            other.kind,
            other.confidence,
            other.rest_contrast,
        )
        assert np.array_equal(one.rest_path_mm, other.rest_path_mm)
        assert np.array_equal(one.expression_path_xy, other.expression_path_xy)


@EVERY_EXPRESSION
def test_the_order_in_which_lines_were_found_does_not_matter(name: Expression) -> None:
    rest, moved = (replace(a, lines=a.lines[::-1]) for a in (measured(REST), measured(name)))
    turned = compare(rest, moved)
    assert kinds(turned) == kinds(compared(name))
    for one, other in zip(turned.lines, compared(name).lines, strict=True):
        assert one.length_mm == pytest.approx(other.length_mm)
        assert one.static_share == pytest.approx(other.static_share)


@functools.cache
def mirrored(expression: Expression) -> Assessment:
    return assessed(photo(expression, VISITS[0]).pixels[:, ::-1])


def other_side(region: Region) -> Region:
    return SIDES[1 - SIDES.index(region)] if region in SIDES else region


def twins(name: Expression) -> Iterator[tuple[ComparedLine, ComparedLine]]:
    """Pair each line with its mirror image."""
    twin, plain = compare(mirrored(REST), mirrored(name)), compared(name)
    assert twin.name is name
    assert len(twin.lines) == len(plain.lines)
    for line in plain.lines:
        tree = cKDTree(line.expression_path_xy * (-1, 1) + (measured(name).width_px - 1, 0))
        (there,) = (t for t in twin.lines if np.median(tree.query(t.expression_path_xy)[0]) < 0.5 * PX_PER_MM)
        yield line, there


@EVERY_EXPRESSION
def test_the_mirror_image_of_a_pair_shows_the_same_lines_on_the_other_side(name: Expression) -> None:
    for line, there in twins(name):
        assert there.region is other_side(line.region)
        assert there.static_share == pytest.approx(line.static_share, abs=0.05)
        assert there.length_mm == pytest.approx(line.length_mm, rel=0.06)


@EVERY_EXPRESSION
def test_the_mirror_image_of_a_pair_has_the_same_kinds(name: Expression) -> None:
    for line, there in twins(name):
        # A line just above the least confidence may fall just below it.
        assert there.kind is line.kind or LineKind.INDETERMINATE in (there.kind, line.kind)


def shrunk(pixels: Bytes) -> Bytes:
    return np.asarray(cv2.resize(pixels, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA))


@EVERY_EXPRESSION
def test_an_expression_photo_taken_smaller_tells_the_same(name: Expression) -> None:
    result = compare(measured(REST), assessed(shrunk(photo(name, VISITS[0]).pixels)))
    assert len(result.lines) == len(drawn(name, VISITS[0]))
    for line, true in pairs(result, VISITS[0], zoom=0.6):
        assert line.kind in (true.kind, LineKind.INDETERMINATE)


def exposed(pixels: Bytes, stops: float) -> Bytes:
    """Expose a photo differently: in linear light, then rounded to 8 bits again."""
    linear = linear_light()[pixels] * 2**stops
    return np.asarray(np.rint(np.interp(linear, linear_light(), np.arange(256))).astype(np.uint8))


@pytest.mark.parametrize("stops", [0.5, -1.0, -2.0])
def test_a_rest_photo_exposed_otherwise_tells_the_same(stops: float) -> None:
    rest = assessed(exposed(photo(REST, VISITS[0]).pixels, stops))
    for name in ASKED:
        for line, true in pairs(compare(rest, measured(name)), VISITS[0]):
            assert line.kind in (true.kind, LineKind.INDETERMINATE)
            assert line.static_share == pytest.approx(true.share, abs=0.1)


# -- pairs that cannot tell ------------------------------------------------------------------------

SPOILED: dict[str, Callable[[Bytes], Bytes]] = {
    **{
        f"blurred by {mm} mm": functools.partial(
            lambda pixels, mm: np.asarray(cv2.GaussianBlur(pixels, (0, 0), mm * PX_PER_MM)), mm=mm
        )
        for mm in (0.2, 0.3, 0.4, 0.6)
    },
    "three stops under": lambda pixels: exposed(pixels, -3),
    "noisy": lambda pixels: np.clip(
        pixels + 12 * np.random.default_rng(0).standard_normal(pixels.shape), 0, 255
    ).astype(np.uint8),
}


@functools.cache
def spoiled(how: str) -> Assessment:
    return assessed(SPOILED[how](photo(REST, VISITS[0]).pixels))


@EVERY_EXPRESSION
@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_rest_photo_makes_no_line_dynamic_that_is_not(how: str, name: Expression) -> None:
    for line, true in pairs(compare(spoiled(how), measured(name), name=name), VISITS[0]):
        assert line.kind is not LineKind.DYNAMIC or true.kind is LineKind.DYNAMIC


@pytest.mark.parametrize(
    ("how", "code"),
    [("blurred by 0.4 mm", Code.REST_SOFTER), ("three stops under", Code.EXPOSURE_DIFFERS)],
)
def test_a_rest_photo_that_is_much_worse_is_refused_and_tells_nothing(how: str, code: Code) -> None:
    result = compare(spoiled(how), measured(Expression.SMILE))
    finding, *others = (f for f in result.findings if f.verdict is Verdict.REFUSE)
    assert finding.code is code
    assert {f.code for f in others} <= {Code.SMOOTHED}  # blur takes the skin's texture, too
    assert {line.kind for line in result.lines} == {LineKind.INDETERMINATE}
    assert {line.reason for line in result.lines} == {finding.advice}
    for measures in result.regions:
        assert measures.static_share is None


@EVERY_EXPRESSION
@pytest.mark.parametrize("is_named", [True, False])
def test_a_swapped_pair_says_so_and_tells_no_line_of_that_region(name: Expression, is_named: bool) -> None:
    result = compare(measured(name), measured(REST), name=name if is_named else Expression.UNKNOWN)
    refused = {f.region for f in result.findings if f.verdict is Verdict.REFUSE}
    assert refused == set(SPEAKS_FOR[name])
    for finding in result.findings:
        if finding.verdict is Verdict.REFUSE:
            assert finding.code is Code.REST_SHOWS_EXPRESSION
            assert "swapped" in finding.advice
    for region in SPEAKS_FOR[name]:
        lines = result.lines_in(region)
        assert lines
        for line in lines:
            assert line.kind is LineKind.INDETERMINATE
            assert line.confidence == 0.0
            assert line.reason


def test_a_photo_of_another_person_is_not_compared() -> None:
    """Of the same colour and in the same light, so that only her skin tells."""
    shot = Shot(px_per_mm=6.0, width_px=1200, height_px=1470)
    lines = random_lines(np.random.default_rng(77))
    stranger = draw_phantom(Person(seed=77, skin_tone=sample_person("sub-001").skin_tone, lines=lines), shot)
    result = compare(assess(stranger.photo), measured(Expression.SMILE))
    assert Code.NOT_LAID_TOGETHER in {f.code for f in result.findings if f.verdict is Verdict.REFUSE}
    assert {line.kind for line in result.lines} == {LineKind.INDETERMINATE}


def test_a_region_refused_in_one_photo_is_absent_and_the_others_stay() -> None:
    name = Expression.SMILE
    gone = Region.CROWS_FEET_LEFT
    partly = replace(
        measured(name),
        lines=tuple(line for line in measured(name).lines if line.region is not gone),
        regions=tuple(m for m in measured(name).regions if m.region is not gone),
    )
    result = compare(measured(REST), partly)
    assert {m.region for m in result.regions} == set(Region) - {gone}
    assert result.lines_in(gone) == ()
    for region in set(Region) - {gone}:
        before, after = (Counter(x.kind for x in c.lines_in(region)) for c in (compared(name), result))
        assert before == after


def test_photos_without_any_line_are_compared_to_nothing() -> None:
    bare = [replace(measured(e), lines=()) for e in (REST, Expression.SMILE)]
    result = compare(bare[0], bare[1])
    assert result.lines == ()
    for measures in result.regions:
        assert measures.static_share is None
        assert all(total.count == 0 for total in measures.totals)


@pytest.mark.parametrize(
    "change",
    [
        {"settings_digest": replace(DEFAULTS, min_line_mm=6.0).digest},
        {"measure_version": 0},
        {"model_sha256": "0" * 64},
        {"chart": None},
    ],
)
def test_what_was_measured_otherwise_or_without_its_chart_is_not_compared(change: dict[str, object]) -> None:
    good = measured(REST), measured(Expression.SMILE)
    for number in (0, 1):
        pair = list(good)
        pair[number] = replace(pair[number], **change)  # type: ignore[arg-type]
        with pytest.raises(NotComparableError, match="again"):
            compare(pair[0], pair[1])


def test_other_settings_are_refused_in_earnest() -> None:
    settings = replace(DEFAULTS, min_line_mm=6.0)
    other = assess(photo(Expression.SMILE, VISITS[0]), settings=settings)
    with pytest.raises(NotComparableError, match="settings"):
        compare(measured(REST), other)
    assert compare(assess(photo(REST, VISITS[0]), settings=settings), other, settings=settings).lines
