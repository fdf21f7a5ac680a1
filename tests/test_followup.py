"""The drawn sample subject over three visits: what was drawn to change changes, by as much."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from wrinklecv.assessment import assess
from wrinklecv.codes import Code
from wrinklecv.errors import NotComparableError
from wrinklecv.followup import follow_up
from wrinklecv.histories import ChangeVerdict, FollowUp, TreatmentStatus, VisitPhotos
from wrinklecv.listing import parse_name
from wrinklecv.pairs import SPEAKS_FOR
from wrinklecv.photo import read_photo
from wrinklecv.records import Bytes, Expression, LineKind, Photo, Region
from wrinklecv.visits import Treatment

SAMPLES = Path(__file__).parents[1] / "sample_images"
TREATED = Treatment("sub-001", date(2025, 1, 10), tuple(Region))
STATES = (Expression.REST, Expression.BROW_RAISE)


@functools.cache
def visits() -> tuple[VisitPhotos, ...]:
    by_day: dict[date, list[Path]] = {}
    for path in sorted(SAMPLES.glob("sub-001_*.jpg")):
        by_day.setdefault(date.fromisoformat(parse_name(path)[1]), []).append(path)
    return tuple(
        VisitPhotos(
            day,
            tuple((e, assess(read_photo(p))) for p in paths if (e := parse_name(p)[2]) in STATES),
        )
        for day, paths in by_day.items()
    )


@functools.cache
def course() -> FollowUp:
    return follow_up(visits(), treatments=[TREATED])


def true_index(region: Region, state: Expression) -> list[float]:
    """Return Σ length × contrast of the drawn lines at each visit."""
    truth = json.loads((SAMPLES / "truth.json").read_text())
    sums = {}
    for name, photo in truth.items():
        subject, visit, expression, _ = parse_name(name)
        if subject == "001" and expression is state:
            sums[visit] = sum(n["length_mm"] * n["contrast"] for n in photo["lines"] if n["region"] == region)
    return [sums[visit] for visit in sorted(sums)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("region", Region)
def test_the_index_falls_as_it_was_drawn(region: Region, state: Expression) -> None:
    (series,) = (s for s in course().series if (s.region, s.state) == (region, state))
    measured = np.array([point.index for point in series.points])
    drawn = np.array(true_index(region, state))
    assert measured / measured[0] == pytest.approx(drawn / drawn[0], abs=0.06)


def test_after_90_days_every_region_has_changed_at_rest() -> None:
    last = [c for c in course().changes if c.state is Expression.REST and c.until == date(2025, 4, 10)]
    from_baseline = [c for c in last if c.since == date(2025, 1, 10)]
    assert len(from_baseline) == 4
    assert all(c.verdict is ChangeVerdict.CHANGED and c.difference < 0 for c in from_baseline)


def test_the_same_visit_twice_has_not_changed() -> None:
    first = visits()[0]
    again = follow_up([first, dataclasses.replace(first, day=date(2025, 2, 1))], treatments=[TREATED])
    assert {c.verdict for c in again.changes} == {ChangeVerdict.NO_DETECTABLE_CHANGE}
    assert all(abs(c.share or 0) < 0.002 for c in again.changes)


def test_the_order_of_the_visits_given_does_not_matter() -> None:
    assert follow_up(visits()[::-1], treatments=[TREATED]) == course()


def test_lines_keep_their_identity() -> None:
    for line in course().lines:
        seen = [s.contrast for s in line.sightings if s.seen]
        if line.state is Expression.REST and len(seen) == 3:
            assert np.array(seen) / seen[0] == pytest.approx([1, 0.88, 0.76], abs=0.12)


def test_a_lines_kind_stays_what_was_drawn() -> None:
    kinds = {
        s.kind
        for line in course().lines
        for s in line.sightings
        if line.region in SPEAKS_FOR.get(line.state, ())
    }
    assert kinds <= {LineKind.DYNAMIC, LineKind.DEEPENED, LineKind.INDETERMINATE}
    assert not any(line.conversions for line in course().lines)


def test_each_visit_has_its_status_and_the_next_photo_its_day() -> None:
    assert [v.status for v in course().visits] == [
        TreatmentStatus.BASELINE,
        TreatmentStatus.AT_OR_NEAR_PEAK,
        TreatmentStatus.WEARING_OFF_EXPECTED,
    ]
    assert course().next_photo == date(2025, 5, 10)


def spoiled(visit: VisitPhotos, spoil: Callable[[Bytes], Bytes]) -> VisitPhotos:
    """Return the visit with its rest photo alone, and that spoiled."""
    path = next(SAMPLES.glob(f"sub-001_ses-{visit.day:%Y%m%d}_expr-rest_*.jpg"))
    pixels = spoil(read_photo(path).pixels.copy())
    photo = Photo(pixels, hashlib.sha256(pixels.tobytes()).hexdigest(), path.name)
    return VisitPhotos(visit.day, ((Expression.REST, assess(photo)),))


def blurred(pixels: Bytes) -> Bytes:
    return cv2.GaussianBlur(pixels, (0, 0), 5.0)


def with_a_lock_of_hair(pixels: Bytes) -> Bytes:
    """Cover a fifth of the photo's width over the forehead, from the hairline to the brows."""
    height, width = pixels.shape[:2]
    pixels[: round(0.40 * height), round(0.42 * width) : round(0.56 * width)] = (52, 38, 30)
    return pixels


def test_a_softer_photo_of_a_later_visit_is_called_that_and_not_compared() -> None:
    followed = follow_up([visits()[0], spoiled(visits()[1], blurred)], treatments=[TREATED])
    assert {c.verdict for c in followed.changes} == {ChangeVerdict.NOT_COMPARABLE}
    reason = "2025-01-24: The later photo is softer than the first photo"
    assert all(c.reason.startswith(reason) for c in followed.changes)
    codes = {finding.code for _, finding in followed.visits[1].findings}
    assert Code.SHARPNESS_DIFFERS in codes
    assert not codes & {Code.REST_SOFTER, Code.EXPRESSION_SOFTER}


def test_hair_over_lines_is_no_change_of_them() -> None:
    followed = follow_up([visits()[0], spoiled(visits()[1], with_a_lock_of_hair)], treatments=[TREATED])
    forehead = [c for c in followed.changes if c.region is Region.FOREHEAD]
    assert [c.verdict for c in forehead] == [ChangeVerdict.NOT_COMPARABLE]
    assert "hair" in forehead[0].reason
    at_rest = (line for line in followed.lines if line.state is Expression.REST)
    there = [line.sightings[1] for line in at_rest if line.region is Region.FOREHEAD]
    assert there and all(sighting.refused and not sighting.seen for sighting in there)
    others = [c for c in followed.changes if c.region in (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT)]
    assert others
    assert not any(c.verdict is ChangeVerdict.NOT_COMPARABLE for c in others)


def lit(slope: float) -> Callable[[Bytes], Bytes]:
    """Return what makes one side of the photo brighter, ln from the middle to the edge."""

    def brighten(pixels: Bytes) -> Bytes:
        across = np.linspace(-1, 1, pixels.shape[1])[None, :, None]
        return np.asarray(np.clip(pixels * np.exp(slope * across), 0, 255), np.uint8)

    return brighten


def filed_as(state: Expression, shown: Expression, visit: int = 1) -> VisitPhotos:
    """Return one photo of a visit under the name of another state."""
    path = next(SAMPLES.glob(f"sub-001_ses-{visits()[visit].day:%Y%m%d}_expr-{shown}_*.jpg"))
    return VisitPhotos(visits()[visit].day, ((state, assess(read_photo(path))),))


def test_an_expression_filed_as_rest_is_no_change_of_the_resting_face() -> None:
    followed = follow_up([visits()[0], filed_as(Expression.REST, Expression.BROW_RAISE)])
    verdicts = {c.region: c for c in followed.changes}
    assert verdicts[Region.FOREHEAD].verdict is ChangeVerdict.NOT_COMPARABLE
    assert (
        "The later photo at rest shows more of a brow raise than the first one"
        in verdicts[Region.FOREHEAD].reason
    )
    assert verdicts[Region.CROWS_FEET_LEFT].verdict is not ChangeVerdict.NOT_COMPARABLE


def test_a_weaker_expression_is_in_doubt_and_said_to_be() -> None:
    followed = follow_up([visits()[0], filed_as(Expression.BROW_RAISE, Expression.REST)])
    (forehead,) = (c for c in followed.changes if c.region is Region.FOREHEAD)
    assert Code.EXPRESSION_DIFFERS in forehead.doubts
    advice = [f.advice for _, f in followed.visits[1].findings if f.code is Code.EXPRESSION_DIFFERS]
    assert "The brow raise is stronger in the first photo" in advice[0]
    assert "cannot be told apart" in advice[0]


def test_two_visits_like_the_first_may_yet_be_unlike_each_other() -> None:
    days = [date(2025, 2, 1), date(2025, 3, 1)]
    lights = [
        dataclasses.replace(spoiled(visits()[0], lit(slope)), day=day)
        for slope, day in zip((-0.45, 0.45), days, strict=True)
    ]
    changes = [c for c in follow_up([visits()[0], *lights]).changes if c.region is Region.FOREHEAD]
    by_days = {(c.since, c.until): c for c in changes}
    assert by_days[days[0], days[1]].verdict is ChangeVerdict.NOT_COMPARABLE
    assert "light falls differently" in by_days[days[0], days[1]].reason
    from_baseline = by_days[visits()[0].day, days[1]]
    assert from_baseline.verdict is ChangeVerdict.NO_DETECTABLE_CHANGE
    assert from_baseline.doubts == (Code.LIGHT_DIFFERS,)


@functools.cache
def with_a_soft_visit() -> FollowUp:
    """An unchanged face whose second visit has a soft photo, refused, and a third like the first."""
    middle = dataclasses.replace(spoiled(visits()[0], blurred), day=date(2025, 1, 24))
    last = dataclasses.replace(visits()[0], day=date(2025, 4, 10))
    return follow_up([visits()[0], middle, last], treatments=[TREATED])


def test_a_refused_photo_is_marked_wherever_its_number_stands() -> None:
    for series in with_a_soft_visit().series:
        told = [bool(point.refused) for point in series.points]
        assert told == ([False, True, False] if series.state is Expression.REST else [False, False])
    for line in with_a_soft_visit().lines:
        if line.state is Expression.REST:
            assert [bool(s.refused) for s in line.sightings] == [False, True, False]
            assert not line.sightings[1].seen
    assert date(2025, 1, 24) not in {a.day for a in with_a_soft_visit().asymmetries}


def test_an_unchanged_face_with_a_soft_photo_has_no_effect_that_could_wear_off() -> None:
    assert with_a_soft_visit().cycles
    assert all(cycle.days_to_half is None for cycle in with_a_soft_visit().cycles)


def test_only_the_runs_that_can_be_compared_count() -> None:
    soft, sharp = spoiled(visits()[0], blurred).photos[0], visits()[0].photos
    rest = next(photo for photo in sharp if photo[0] is Expression.REST)
    later = VisitPhotos(date(2025, 1, 24), (soft, rest))
    followed = follow_up([VisitPhotos(visits()[0].day, (rest,)), later], treatments=[TREATED])
    assert [[point.photos for point in series.points] for series in followed.series] == [[1, 1]] * 4
    assert not any(s.refused for line in followed.lines for s in line.sightings)


def test_a_photo_of_the_day_of_the_treatment_is_taken_before_it() -> None:
    day = visits()[1].day
    followed = follow_up(visits()[:2], treatments=[dataclasses.replace(TREATED, treated_on=day)])
    assert not any(change.treated for change in followed.changes)


def test_the_interval_of_a_point_holds_the_noise_between_visits() -> None:
    point = course().series[0].points[0]
    low, high = course().interval(point)
    assert high - low > 2 * 1.96 * max(point.index_se, course().noise.relative_sd * point.index)


def test_a_visit_without_photos_is_passed_over_and_none_at_all_is_refused() -> None:
    with pytest.raises(NotComparableError, match="no visit"):
        follow_up([VisitPhotos(date(2025, 1, 1), ())])


def test_two_visits_of_one_day_are_refused() -> None:
    first = visits()[0]
    with pytest.raises(NotComparableError, match="same day"):
        follow_up([first, first])


def test_photos_measured_in_two_ways_are_refused() -> None:
    first, second = visits()[:2]
    other = dataclasses.replace(second.photos[0][1], settings_digest="0" * 16)
    with pytest.raises(NotComparableError, match="different ways"):
        follow_up([first, dataclasses.replace(second, photos=((Expression.REST, other),))])
