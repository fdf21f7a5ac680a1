"""The drawn sample subject, taken in, kept and followed; and photos that go wrong on the way."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import an_assessment

from wrinklecv import casebook
from wrinklecv import kept as kept_room
from wrinklecv.agreement import BEST_RIG
from wrinklecv.casebook import Measured, NewShot, clinic_noise, follow_subject, measure_visit, save_visit
from wrinklecv.changes import PRIOR_NOISE, own_noise
from wrinklecv.codes import Code
from wrinklecv.documents import course_text
from wrinklecv.errors import NotComparableError, StoreError, WorkersError
from wrinklecv.histories import ChangeVerdict, FollowUp, TreatmentStatus
from wrinklecv.listing import parse_name
from wrinklecv.model import MODEL_SHA256
from wrinklecv.records import MEASURE_VERSION, Expression, Region
from wrinklecv.settings import DEFAULTS, Settings
from wrinklecv.store import Method, Store, open_store
from wrinklecv.visits import Consent, PhotoKind, StoredPhoto, Subject, Treatment
from wrinklecv.windows import WINDOWS
from wrinklecv.workers import Failed

SAMPLES = Path(__file__).parent.parent / "sample_images"
DAYS = ("20250110", "20250124", "20250410")
DAY = date(2025, 1, 10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store") as opened:
        opened.add_subject(Subject("001"))
        yield opened


def shots(day: str, *expressions: str, told: bool = True) -> list[NewShot]:
    found = []
    for name in expressions or ("rest", "brow_raise"):
        path = SAMPLES / f"sub-001_ses-{day}_expr-{name}_run-1.jpg"
        expression = parse_name(path)[2] if told or name == "rest" else Expression.UNKNOWN
        found.append(NewShot(path.read_bytes(), path.name, expression))
    return found


@pytest.fixture(scope="module")
def first_visit() -> tuple[Measured, ...]:
    return measure_visit(shots(DAYS[0], "rest", "brow_raise", "smile", told=False), jobs=1)


def test_expressions_that_nobody_told_are_guessed(first_visit: tuple[Measured, ...]) -> None:
    assert [m.shot.expression for m in first_visit] == ["rest", "brow_raise", "smile"]
    assert [m.guessed for m in first_visit] == [False, True, True]
    assert all(m.is_scored for m in first_visit)


def test_without_a_rest_photo_nothing_is_guessed(first_visit: tuple[Measured, ...]) -> None:
    shot = replace(first_visit[1].shot, expression=Expression.UNKNOWN)
    (found,) = casebook._guessed([replace(first_visit[1], shot=shot, guessed=False)])
    assert found.shot.expression is Expression.UNKNOWN
    assert not found.guessed


def test_a_bad_photo_is_a_result_with_code_and_sentence() -> None:
    bad, marked = measure_visit([NewShot(b"<html>", "page.jpg"), NewShot(b"x", marking=True)], jobs=1)
    assert bad.code is Code.NOT_AN_IMAGE and bad.message and not bad.is_scored
    assert marked.code is None and marked.assessment is None


def die(content: bytes, name: str, settings: Settings) -> casebook.Read:
    os._exit(3)


def test_a_photo_whose_process_dies_costs_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casebook, "assess_bytes", die)
    found = measure_visit([NewShot(b"a"), NewShot(b"b", marking=True)], jobs=2)
    assert [m.code for m in found] == [Code.CRASHED, None]


def test_a_visit_is_saved_whole_with_its_comparisons_and_once(
    store: Store, first_visit: tuple[Measured, ...]
) -> None:
    given: list[NewShot | Measured] = [
        *first_visit,
        NewShot(b"no photo", "bad.jpg"),
        NewShot(b"dots", "m.jpg", marking=True),
    ]
    saved = save_visit(store, "001", DAY, given, key="k", notes="hello", jobs=1)
    again = save_visit(store, "001", DAY, given, key="k", notes="hello", jobs=1)
    assert again.visit == saved.visit and saved.visit.number == 1
    assert [p.kind for p in saved.visit.photos].count(PhotoKind.MARKING) == 1
    assert len(saved.visit.photos) == 5
    assert [m.code for m in saved.photos] == [None, None, None, Code.NOT_AN_IMAGE, None]
    method = Method(DEFAULTS.digest)
    assert {c.name for c in store.comparisons("001", method)} == {"brow_raise", "smile"}
    assert len(store.assessments("001", method)) == 3


def test_consent_and_names_are_kept(store: Store) -> None:
    shot = NewShot(b"dots", "m.jpg", marking=True, consent=Consent.STUDY)
    (photo,) = save_visit(store, "001", DAY, [shot], key="k", jobs=1).visit.photos
    assert (photo.consent, photo.original_name) == (Consent.STUDY, "m.jpg")


def test_shots_of_one_expression_are_numbered_where_nobody_did() -> None:
    rest, other = Expression.REST, Expression.SMILE
    given = [
        Measured(NewShot(bytes([n]), expression=e, run=r))
        for n, (e, r) in enumerate([(rest, ""), (rest, "1"), (rest, ""), (other, "")])
    ]
    assert [m.shot.run for m in casebook._numbered(given)] == ["2", "1", "3", ""]


def test_an_unknown_subject_is_refused_and_nothing_is_saved(store: Store) -> None:
    with pytest.raises(StoreError, match="no subject 002"):
        save_visit(store, "002", DAY, [NewShot(b"x", marking=True)], key="k", jobs=1)


def test_a_subject_is_followed_as_it_was_drawn(store: Store) -> None:
    treated = Treatment("001", DAY, tuple(Region))
    store.save_treatment("t", treated)
    for day in DAYS:
        save_visit(store, "001", date.fromisoformat(day), shots(day), key=day, jobs=1)
    told: list[int] = []
    course = follow_subject(store, "001", jobs=2, progress=lambda _, done, total: told.append(total))
    assert told == [6] * 6
    assert course.noise == PRIOR_NOISE and BEST_RIG.source in course.noise.source
    assert [v.status for v in course.visits] == [
        TreatmentStatus.BASELINE,
        TreatmentStatus.AT_OR_NEAR_PEAK,
        TreatmentStatus.WEARING_OFF_EXPECTED,
    ]
    shares = {
        c.state: c.share
        for c in course.changes
        if c.region is Region.FOREHEAD and (c.since, c.until) == (DAY, date(2025, 1, 24))
    }
    assert shares[Expression.REST] == pytest.approx(0.88 - 1, abs=0.05)
    assert shares[Expression.BROW_RAISE] == pytest.approx(0.72 - 1, abs=0.05)


def test_a_course_is_kept_until_anything_that_it_was_made_of_changes(
    store: Store, first_visit: tuple[Measured, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = NewShot(b"bad", "bad.jpg", expression=Expression.REST)
    save_visit(store, "001", DAY, [*first_visit[:2], bad], key="a", jobs=1)
    measured: list[str] = []

    def follow(**named: Any) -> FollowUp:
        return follow_subject(
            store, "001", jobs=1, progress=lambda one, *_: measured.append(one.shot.name), **named
        )

    course = follow()
    assert [(one.day, one.name, one.code) for one in course.unscored] == [(DAY, "bad.jpg", Code.NOT_AN_IMAGE)]
    assert len(measured) == 3
    assert course_text(follow()) == course_text(course)
    assert len(measured) == 3, "the store keeps it"
    store.save_treatment("t", Treatment("001", DAY, (Region.FOREHEAD,)))
    assert follow().visits[0].days == 0
    assert len(measured) == 6


def test_two_courses_are_one_only_when_nothing_in_them_can_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = StoredPhoto("a" * 64, 9, PhotoKind.REST, Expression.REST, "1", Consent.NOT_RECORDED, "a.jpg")
    other = replace(photo, sha256="b" * 64)
    treatment = Treatment("001", DAY, (Region.FOREHEAD,), units=2.0)
    given = ([(DAY, photo), (DAY, other)], [treatment], PRIOR_NOISE, DEFAULTS, WINDOWS)
    later = date(2025, 2, 1)
    made = casebook._made_of
    keys = [
        made(*given),
        made([(DAY, photo)], *given[1:]),
        made([(DAY, photo), (later, other)], *given[1:]),
        made([(DAY, photo), (DAY, replace(other, expression=Expression.SMILE))], *given[1:]),
        made([(DAY, photo), (DAY, replace(other, original_name="b.jpg"))], *given[1:]),
        made([(DAY, photo), (DAY, replace(other, sha256="c" * 64))], *given[1:]),
        made(given[0], [], *given[2:]),
        made(given[0], [replace(treatment, treated_on=later)], *given[2:]),
        made(given[0], [replace(treatment, regions=())], *given[2:]),
        made(*given[:2], own_noise(0.05, "here"), *given[3:]),
        made(*given[:3], replace(DEFAULTS, max_pose_deg=19.0), WINDOWS),
        made(*given[:4], replace(WINDOWS, peak_day=15)),
    ]
    for name, value in (("MEASURE_VERSION", -1), ("MODEL_SHA256", "other"), ("versions_here", dict)):
        with monkeypatch.context() as patch:
            patch.setattr(kept_room, name, value)
            keys.append(made(*given))
    monkeypatch.setattr(casebook, "SOURCES", "another program")
    keys.append(made(*given))
    assert len(set(keys)) == len(keys)


def test_a_course_that_another_program_followed_is_not_kept(
    store: Store, first_visit: tuple[Measured, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An update below a running app: its new workers are of another program than itself."""
    save_visit(store, "001", DAY, first_visit[:1], key="a", jobs=1)
    kept: list[str] = []
    monkeypatch.setattr(Store, "keep_course", lambda *asked: kept.append(asked[1].subject.code))
    follow = casebook._follow
    monkeypatch.setattr(casebook, "_follow", lambda *given: (follow(*given)[0], "newer"))
    known: dict[str, FollowUp] = {}
    course = follow_subject(store, "001", jobs=1, known=known)
    assert not kept
    monkeypatch.setattr(casebook, "_measured", None)
    assert follow_subject(store, "001", jobs=1, known=known) is course, "but the caller may keep it"


def test_a_process_that_dies_while_it_follows_is_not_blamed_on_a_photo(
    store: Store, first_visit: tuple[Measured, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_visit(store, "001", DAY, first_visit[:1], key="a", jobs=1)
    monkeypatch.setattr(casebook, "_follow", lambda *_: Failed(Code.TIMED_OUT, "Check the disk."))
    with pytest.raises(WorkersError, match=r"could not be followed: it took too long\. Try again"):
        follow_subject(store, "001", jobs=1)


def test_a_course_whose_photo_crashed_is_not_kept(
    store: Store, first_visit: tuple[Measured, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    save_visit(store, "001", DAY, first_visit[:2], key="a", jobs=1)
    kept: list[str] = []
    monkeypatch.setattr(Store, "keep_course", lambda *asked: kept.append(asked[1].subject.code))
    judged = casebook._judged

    def crashed(shot: NewShot, read: Any) -> Measured:
        found = judged(shot, read)
        return found if shot.expression is Expression.REST else replace(found, code=Code.CRASHED)

    monkeypatch.setattr(casebook, "_judged", crashed)
    assert [one.code for one in follow_subject(store, "001", jobs=1).unscored] == [Code.CRASHED]
    assert not kept
    monkeypatch.setattr(casebook, "_judged", judged)
    assert not follow_subject(store, "001", jobs=1).unscored
    assert kept == ["001"]


def test_visits_of_one_day_count_as_one_and_bad_photos_are_left_out(
    store: Store, first_visit: tuple[Measured, ...]
) -> None:
    save_visit(store, "001", DAY, first_visit[:1], key="a", jobs=1)
    save_visit(
        store, "001", DAY, [first_visit[1], NewShot(b"bad", expression=Expression.REST)], key="b", jobs=1
    )
    course = follow_subject(store, "001", jobs=1)
    assert len(course.visits) == 1
    assert {s.state for s in course.series} == {Expression.REST, Expression.BROW_RAISE}
    assert not [c for c in course.changes if c.verdict is ChangeVerdict.CHANGED]


def test_a_subject_without_a_photo_cannot_be_followed(store: Store) -> None:
    with pytest.raises(NotComparableError, match="no visit"):
        follow_subject(store, "001", jobs=1)


# -- the clinic's own noise ------------------------------------------------------------------------


def repeated(
    store: Store, code: str, spread: float, shots: int, *, index: float = 20.0, refused: int = -1
) -> None:
    """Save a visit of one subject with repeats at rest whose indices lie `spread` apart, relatively.

    refused: the number of the photo of which no region could be measured.
    """
    store.add_subject(Subject(code))
    random = np.random.default_rng(int(code))
    taken = []
    for n in range(shots):
        content = f"{code} {n}".encode()
        regions = tuple(
            replace(m, wrinkle_index=index * (1 + spread * random.standard_normal()), wrinkle_index_se=0.1)
            for m in an_assessment().regions
            if n != refused
        )
        assessment = replace(
            an_assessment(sha256=hashlib.sha256(content).hexdigest(), regions=regions),
            settings_digest=DEFAULTS.digest,
            model_sha256=MODEL_SHA256,
            measure_version=MEASURE_VERSION,
        )
        taken.append(Measured(NewShot(content, expression=Expression.REST), assessment=assessment))
    save_visit(store, code, DAY, taken, key=code, jobs=1)


def test_enough_repeats_give_the_clinics_own_noise(store: Store) -> None:
    for code in ("11", "12", "13"):
        repeated(store, code, 0.08, 6)
    noise = clinic_noise(store)
    assert noise.own
    assert noise.relative_sd == pytest.approx(0.08, rel=0.25)
    assert noise.source == "15 repeated photos of this store"


def test_too_few_repeats_leave_the_literatures_figure_unless_they_exclude_it(store: Store) -> None:
    repeated(store, "11", 0.03, 2)
    repeated(store, "12", 0.03, 2)
    assert clinic_noise(store) == PRIOR_NOISE
    repeated(store, "13", 0.4, 4)
    assert clinic_noise(store).own
    assert clinic_noise(store).relative_sd > 2 * PRIOR_NOISE.relative_sd


def test_repeats_of_which_one_shows_no_region_say_nothing_of_noise(store: Store) -> None:
    for code in ("11", "12", "13"):
        repeated(store, code, 0.08, 6, refused=2)
    assert clinic_noise(store) == PRIOR_NOISE


def test_faces_without_lines_and_other_settings_say_nothing_of_noise(store: Store) -> None:
    for code in ("11", "12", "13"):
        repeated(store, code, 0.5, 6, index=0.1)
    assert clinic_noise(store) == PRIOR_NOISE
    for code in ("14", "15", "16"):
        repeated(store, code, 0.5, 6)
    assert clinic_noise(store, settings=replace(DEFAULTS, max_pose_deg=11.0)) == PRIOR_NOISE
