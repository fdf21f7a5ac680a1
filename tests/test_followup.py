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
    assert all(
        c.reason.startswith("The later photo is softer than the first photo") for c in followed.changes
    )
    codes = {finding.code for _, finding in followed.visits[1].findings}
    assert Code.SHARPNESS_DIFFERS in codes
    assert not codes & {Code.REST_SOFTER, Code.EXPRESSION_SOFTER}


def test_hair_over_lines_is_no_change_of_them() -> None:
    followed = follow_up([visits()[0], spoiled(visits()[1], with_a_lock_of_hair)], treatments=[TREATED])
    forehead = [c for c in followed.changes if c.region is Region.FOREHEAD]
    assert [c.verdict for c in forehead] == [ChangeVerdict.NOT_COMPARABLE]
    assert "hair" in forehead[0].reason
    others = [c for c in followed.changes if c.region in (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT)]
    assert others
    assert not any(c.verdict is ChangeVerdict.NOT_COMPARABLE for c in others)


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
