"""The store: what is put in comes out as it was, once, whole, and goes away for good when it is purged."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from builders import a_line, a_refusal, an_assessment, some_measures
from pair_builders import a_comparison
from sqlalchemy import event, text
from sqlalchemy.exc import DatabaseError
from store_builders import KINDS, Place, a_form, a_photo, places

from wrinklecv.documents import assessment_text, comparison_text
from wrinklecv.errors import StoreError
from wrinklecv.pairs import Comparison
from wrinklecv.records import Expression, Region
from wrinklecv.store import METRICS, Store, method_of, open_store
from wrinklecv.store.database import journal_mode
from wrinklecv.visits import Consent, NewPhoto, PhotoKind, Subject, SubjectPage, Treatment, VisitForm

DAY = date(2026, 1, 10)
HOSTILE = (
    "=1+1",
    "![x](http://example.invalid/a.png)",
    "<img src=/etc/passwd>",
    "'; DROP TABLE subjects; --",
    "{{7*7}} %s %(x)s :name ?",
    "\u202eright to left",
    "a\0b",
    "\udcff\ud800",
    "\x1a0041 \x1a",
    "\\x1b\x1b[31m",
    "  leading and trailing \n",
    "Ångström A\u030angstro\u0308m 😀",
    "x" * 10_000,
)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from places(request.param, tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.open(actor="Ann") as opened:
        opened.add_subject(Subject("001"))
        yield opened


def a_pair(first: NewPhoto, second: NewPhoto) -> Comparison:
    assert first.assessment and second.assessment
    return replace(a_comparison(), rest=first.assessment, expression=second.assessment)


# -- what is put in comes out ------------------------------------------------------------------------


def test_a_visit_comes_back_as_it_was_saved(store: Store) -> None:
    shot = NewPhoto(
        b"\xff\xd8 bytes \0",
        Expression.FROWN,
        run="2",
        consent=Consent.STUDY,
        original_name="../IMG 1.JPG",
    )
    marked = NewPhoto(b"marks", Expression.REST, marking=True)
    visit = store.save_visit(VisitForm("k", "001", DAY, (shot, marked), notes="first"))
    assert store.page("001").visits == (visit,)
    assert (visit.number, visit.version, visit.visited_on, visit.notes) == (1, 1, DAY, "first")
    first, second = visit.photos
    assert (first.kind, first.expression, first.run) == (PhotoKind.EXPRESSION, Expression.FROWN, "2")
    assert (first.consent, first.original_name, first.size_bytes) == (Consent.STUDY, "../IMG 1.JPG", 10)
    assert second.kind is PhotoKind.MARKING
    assert [store.photo(photo.sha256) for photo in visit.photos] == [shot.content, marked.content]


def test_an_assessment_comes_back_without_loss(store: Store) -> None:
    photo = a_photo(b"one")
    assert photo.assessment
    odd = replace(
        photo.assessment,
        quality=(a_refusal(None), a_refusal(Region.GLABELLA)),
        lines=(a_line(contrast=1 / 3), a_line(Region.GLABELLA, length_mm=0.1 + 0.2)),
    )
    store.save_visit(a_form("k", "001", DAY, replace_assessment(photo, odd)))
    (back,) = store.assessments("001", method_of(odd))
    assert assessment_text(back) == assessment_text(odd)
    assert back.lines[1].length_mm == 0.1 + 0.2
    assert back.lines[0].path_mm.tobytes() == odd.lines[0].path_mm.tobytes()
    assert store.assessment(photo.sha256, replace(method_of(odd), settings_digest="other")) is None


def replace_assessment(photo: NewPhoto, assessment: object) -> NewPhoto:
    return NewPhoto(photo.content, photo.expression, assessment=assessment)  # type: ignore[arg-type]


def test_a_comparison_comes_back_without_loss(store: Store) -> None:
    rest, smile = a_photo(b"rest"), a_photo(b"smile", Expression.SMILE)
    pair = a_pair(rest, smile)
    store.save_visit(VisitForm("k", "001", DAY, (rest, smile), (pair,)))
    store.save_comparisons([pair])
    (back,) = store.comparisons("001", method_of(pair.rest))
    assert comparison_text(back) == comparison_text(pair)
    assert assessment_text(back.rest) == assessment_text(pair.rest)
    assert back.expression.photo_sha256 == smile.sha256


def test_the_newest_courses_of_a_subject_are_kept_by_what_they_were_made_of(place: Place) -> None:
    moments = (datetime(2026, 1, 1, tzinfo=UTC) - timedelta(minutes=n) for n in range(100))
    with place.open(now=lambda: next(moments)) as store:  # a clock that runs back changes nothing
        for code in ("001", "002"):
            store.add_subject(Subject(code))
        keys = [f"{number:064x}" for number in range(10)]
        for key in (*keys, keys[3]):
            store.keep_course(store.page("001"), key, f"of {key}")
        store.keep_course(store.page("002"), keys[0], "other")
        assert [store.course("001", key) for key in keys] == [None, None, *(f"of {key}" for key in keys[2:])]
        assert store.course("002", keys[0]) == "other"
        with pytest.raises(StoreError, match="no subject 003"):
            store.keep_course(SubjectPage(Subject("003"), (), (), ()), keys[0], "")


def test_courses_go_with_whatever_is_taken_from_them_and_none_comes_late(store: Store) -> None:
    first, second = a_photo(b"one"), a_photo(b"two", run="2")
    visit = store.save_visit(VisitForm("k", "001", DAY, (first, second)))
    treatment = store.save_treatment("t", Treatment("001", DAY))

    def goes(act: Callable[[], object]) -> None:
        before = store.page("001")
        store.keep_course(before, "f" * 64, "{}")
        assert store.course("001", "f" * 64) == "{}"
        act()
        assert store.course("001", "f" * 64) is None
        with pytest.raises(StoreError, match="changed while it was followed"):
            store.keep_course(before, "f" * 64, "{}")
        assert store.course("001", "f" * 64) is None

    goes(lambda: store.change_treatment(replace(treatment, units=2.0)))
    (treatment,) = store.page("001").treatments
    goes(lambda: store.remove_treatment(treatment))
    goes(lambda: store.change_visit(replace(visit, photos=visit.photos[:1])))
    (visit,) = store.page("001").visits
    goes(lambda: store.remove_visit(visit))


def test_a_number_of_each_region_is_read_and_a_refused_photo_has_none(store: Store) -> None:
    photo, refused = a_photo(b"one"), a_photo(b"two", run="2")
    assert photo.assessment and refused.assessment
    both = (some_measures(Region.GLABELLA, wrinkle_index=1 / 3), some_measures(Region.FOREHEAD))
    shown = replace_assessment(photo, replace(photo.assessment, regions=both))
    none = replace_assessment(refused, replace(refused.assessment, regions=()))
    store.save_visit(a_form("k", "001", DAY, shown, none))
    found = store.measures(
        (photo.sha256, refused.sha256, "other"), method_of(photo.assessment), "wrinkle_index"
    )
    assert found == {
        photo.sha256: {m.region: (m.wrinkle_index, m.wrinkle_index_se) for m in both},
        refused.sha256: {},
    }


def test_every_number_of_a_region_stands_in_the_table_of_measures(store: Store) -> None:
    made = a_photo(b"one")
    assert made.assessment
    only = replace(made.assessment, regions=(some_measures(Region.GLABELLA, wrinkle_index=1 / 3),))
    store.save_visit(a_form("k", "001", DAY, replace_assessment(made, only)))
    (assessed,) = store.page("001").assessments
    numbers = {measure.metric: measure for measure in assessed.measures}
    assert set(numbers) == set(METRICS)
    assert {measure.region for measure in assessed.measures} == {Region.GLABELLA}
    assert (numbers["wrinkle_index"].value, numbers["wrinkle_index"].se) == (1 / 3, 0.7)
    assert (numbers["total_length_mm"].value, numbers["total_length_mm"].se) == (30.0, 0.5)
    assert (numbers["coverage"].value, numbers["coverage"].se) == (0.9, None)


def test_a_treatment_comes_back_and_can_be_mended(store: Store) -> None:
    given = Treatment(
        "001",
        DAY,
        (Region.FOREHEAD, Region.GLABELLA),
        "product",
        12.5,
        ((0.1, -3.25), (1 / 3, 7.0)),
        "left side first",
    )
    saved = store.save_treatment("t1", given)
    assert saved == replace(given, number=1, version=1)
    assert store.save_treatment("t1", given) == saved
    assert store.page("001").treatments == (saved,)
    mended = store.change_treatment(replace(saved, units=None, points_mm=()))
    assert store.page("001").treatments == (mended,)
    with pytest.raises(StoreError, match="was changed by Ann"):
        store.change_treatment(saved)
    store.remove_treatment(mended)
    assert store.page("001").treatments == ()


@pytest.mark.parametrize("word", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_are_kept_as_they_are(place: Place, word: str) -> None:
    with place.open(actor=word) as store:
        store.add_subject(Subject(word, word))
        photo = replace_name(a_photo(b"x", scored=False), word)
        store.save_visit(VisitForm(word, word, DAY, (photo,), notes=word))
        store.save_treatment(word, Treatment(word, DAY, product=word, notes=word))
    with place.open() as store:
        page = store.page(word)
        assert page.subject == Subject(word, word)
        assert page.visits[0].notes == page.visits[0].photos[0].original_name == word
        assert page.visits[0].photos[0].run == word
        assert page.treatments[0].product == page.treatments[0].notes == word
        assert store.subjects(search=word) == (page.subject,)
        assert {entry.actor for entry in store.audit()} == {word}
        assert store.verify_audit() == 3


def replace_name(photo: NewPhoto, word: str) -> NewPhoto:
    return NewPhoto(photo.content, photo.expression, run=word, original_name=word)


def test_moments_are_utc_whatever_zone_the_clock_has(place: Place) -> None:
    here = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=5)))
    with open_store(place.where, folder=place.folder, now=lambda: here) as store:
        store.add_subject(Subject("001"))
        visit = store.save_visit(a_form("k"))
        assert visit.recorded_at == here
        assert visit.recorded_at.tzinfo is UTC
        assert {entry.at for entry in store.audit()} == {here}


def test_visits_stand_in_the_order_they_were_stored_whatever_the_clock_says(place: Place) -> None:
    moments = iter(datetime(2026, 5, 9 - n, tzinfo=UTC) for n in range(8))
    with open_store(place.where, folder=place.folder, now=lambda: next(moments)) as store:
        store.add_subject(Subject("001"))
        for number, day in enumerate((3, 1, 2)):
            store.save_visit(a_form(f"k{number}", "001", date(2026, 1, day)))
        visits = store.page("001").visits
        assert [visit.number for visit in visits] == [1, 2, 3]
        assert [visit.visited_on.day for visit in visits] == [3, 1, 2]
        assert store.verify_audit() == 4


@pytest.mark.parametrize(("behind_s", "said"), [(-60, False), (240, False), (400, True), (86400, True)])
def test_a_clock_behind_the_newest_record_is_said(place: Place, behind_s: int, said: bool) -> None:
    first = datetime(2026, 5, 9, 12, tzinfo=UTC)
    with open_store(place.where, folder=place.folder, now=lambda: first) as store:
        assert not store.clock_warning(), "nothing is recorded yet"
        store.add_subject(Subject("001"))
    later = first - timedelta(seconds=behind_s)
    with open_store(place.where, folder=place.folder, now=lambda: later) as store:
        assert bool(store.clock_warning()) is said
        assert ("the newest record is of 2026-05-09 12:00 UTC" in store.clock_warning()) is said


# -- subjects ----------------------------------------------------------------------------------------


def test_a_subject_is_added_once_and_may_get_its_name_later(store: Store) -> None:
    store.add_subject(Subject("001"))
    store.add_subject(Subject("001", "Eve"))
    store.add_subject(Subject("001"))
    assert store.page("001").subject == Subject("001", "Eve")
    with pytest.raises(StoreError, match="another name"):
        store.add_subject(Subject("001", "Eva"))
    store.rename_subject(Subject("001", "Eva"))
    assert store.page("001").subject.name == "Eva"
    store.rename_subject(Subject("001"))
    assert store.page("001").subject.name == ""


def test_a_subject_needs_a_code_and_must_be_there(store: Store) -> None:
    with pytest.raises(StoreError, match="needs a code"):
        store.add_subject(Subject(" "))
    with pytest.raises(StoreError, match="no subject 002"):
        store.page("002")
    with pytest.raises(StoreError, match="no subject 002"):
        store.save_visit(a_form("k", "002"))


def test_subjects_are_listed_by_code_a_page_at_a_time_and_found_by_name(store: Store) -> None:
    for code, name in (("b%", "Müller"), ("a_", ""), ("c", "50% Miller")):
        store.add_subject(Subject(code, name))
    assert [subject.code for subject in store.subjects(limit=2)] == ["001", "a_"]
    assert [subject.code for subject in store.subjects(after="a_")] == ["b%", "c"]
    assert [subject.code for subject in store.subjects("%")] == ["b%", "c"]
    assert [subject.code for subject in store.subjects("üll")] == ["b%"]


# -- once, whole, nothing silently replaced -----------------------------------------------------------


def test_the_same_form_twice_is_one_visit(store: Store, place: Place) -> None:
    form = a_form("k")
    assert store.save_visit(form) == store.save_visit(form)
    assert len(store.page("001").visits) == 1
    assert place.files() == {photo.sha256 for photo in form.photos}
    with pytest.raises(StoreError, match="other content"):
        store.save_visit(a_form("k", notes="other"))
    with pytest.raises(StoreError, match="key of its own"):
        store.save_visit(a_form(""))


def test_the_same_bytes_in_one_form_are_stored_once(store: Store) -> None:
    photo = a_photo(b"one", name="a.jpg")
    visit = store.save_visit(a_form("k", "001", DAY, photo, a_photo(b"one", name="copy of a.jpg")))
    assert [shown.original_name for shown in visit.photos] == ["a.jpg"]
    with pytest.raises(StoreError, match=r"as rest \(rest\) and as expression \(smile\)"):
        store.save_visit(a_form("l", "001", DAY, a_photo(b"2"), a_photo(b"2", Expression.SMILE)))


def test_a_photo_of_another_subject_or_visit_is_refused_unless_it_is_meant(
    store: Store, place: Place
) -> None:
    store.add_subject(Subject("002"))
    store.save_visit(a_form("k"))
    twin = replace(a_form("k"), key="other")
    for form in (twin, replace(twin, subject="002")):
        with pytest.raises(StoreError, match="belongs to visit 1 of subject 001 already"):
            store.save_visit(form)
        store.save_visit(replace(form, known_photos=True))
        store.remove_visit(store.page(form.subject).visits[-1])
    assert place.files() == {photo.sha256 for photo in twin.photos}


def test_a_refused_visit_leaves_nothing(store: Store, place: Place) -> None:
    stranger = an_assessment(sha256="cd" * 32)
    rest = a_photo(b"rest")
    pair = replace(a_pair(rest, rest), expression=stranger)
    with pytest.raises(StoreError, match="not in the store"):
        store.save_visit(VisitForm("k", "001", DAY, (rest,), (pair,)))
    assert store.page("001").visits == ()
    assert place.files() == set()
    assert [entry.action for entry in store.audit()] == ["create"]


def test_a_failing_disk_leaves_nothing(store: Store, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(StoreError, match="No space left"):
            store.save_visit(a_form("k"))
    assert store.page("001").visits == ()
    assert place.files() == set()
    store.save_visit(a_form("k"))


def test_of_two_who_change_one_visit_the_second_is_told(store: Store) -> None:
    visit = store.save_visit(a_form("k"))
    changed = store.change_visit(replace(visit, notes="first"))
    assert (changed.version, changed.notes) == (2, "first")
    with pytest.raises(StoreError, match=r"Visit 1 of subject 001 was changed by Ann at \d{4}-"):
        store.change_visit(replace(visit, notes="second"), [a_photo(b"new")])
    with pytest.raises(StoreError, match="was changed by Ann"):
        store.remove_visit(visit)
    assert store.page("001").visits == (changed,)


def test_a_visit_can_be_mended(store: Store, place: Place) -> None:
    visit = store.save_visit(a_form("k"))
    rest, smile = visit.photos
    wanted = replace(
        visit, visited_on=date(2025, 12, 1), photos=(replace(smile, run="3", consent=Consent.PUBLICATION),)
    )
    changed = store.change_visit(wanted, [a_photo(b"new", Expression.FROWN)])
    assert changed.visited_on == date(2025, 12, 1)
    assert changed.photos[0] == wanted.photos[0]
    assert changed.photos[1].expression is Expression.FROWN
    assert place.files() == {photo.sha256 for photo in changed.photos}
    with pytest.raises(StoreError, match="no photo"):
        store.photo(rest.sha256)
    assert {made.photo_sha256 for made in store.page("001").assessments} == place.files()


def test_repeats_are_the_runs_of_one_expression_in_one_visit(store: Store) -> None:
    shots = [a_photo(b"%d" % n, Expression.SMILE, run=run) for n, run in enumerate(("1", "2", "2"))]
    store.save_visit(a_form("k", "001", DAY, *shots, a_photo(b"rest", run="1")))
    store.save_visit(a_form("l", "001", DAY, a_photo(b"later", Expression.SMILE, run="4")))
    expected = [[shots[0].sha256, shots[1].sha256]]
    assert [[photo.sha256 for photo in alike] for alike in store.repeats("001")] == expected
    assert store.repeats() == store.repeats("001")
    assert store.repeats("002") == ()


def test_a_marking_is_never_scored(store: Store) -> None:
    marked = store.save_visit(VisitForm("k", "001", DAY, (NewPhoto(b"x", marking=True),))).photos[0]
    with pytest.raises(StoreError, match="never scored"):
        store.save_assessments([an_assessment(sha256=marked.sha256)])
    with pytest.raises(ValueError, match="never scored"):
        NewPhoto(b"x", marking=True, assessment=an_assessment())
    with pytest.raises(ValueError, match="another photo"):
        NewPhoto(b"x", assessment=an_assessment())


# -- going away ----------------------------------------------------------------------------------------


def test_a_purge_leaves_no_byte_of_the_subject(place: Place) -> None:
    with place.open() as store:
        store.add_subject(Subject("stays"))
        kept = store.save_visit(a_form("stays", "stays", DAY, a_photo(b"kept", scored=False)))
        store.add_subject(Subject("CANARY-code", "CANARY-name"))
        shots = [a_photo(b"CANARY-%d" % n, run=str(n), name=f"CANARY-{n}.jpg") for n in range(20)]
        shared = a_photo(b"kept", scored=False)
        form = a_form(
            "CANARY-key", "CANARY-code", DAY, *shots, shared, notes="CANARY-notes", known_photos=True
        )
        store.save_visit(form)
        store.save_treatment("CANARY-form", Treatment("CANARY-code", DAY, notes="CANARY-treated"))
        store.keep_course(store.page("CANARY-code"), "f" * 64, "CANARY-course")
        purged = store.purge("CANARY-code")
        assert (purged.visits, purged.treatments, purged.photos, purged.backups) == (1, 1, 21, ())
        held = [path for path in place.folder.rglob("*") if path.is_file()]
        assert not [path for path in held if b"CANARY" in path.read_bytes()]
        assert place.files() == {kept.photos[0].sha256}
        assert store.photo(kept.photos[0].sha256) == b"kept"
        with pytest.raises(StoreError, match="no subject"):
            store.page("CANARY-code")
        last = store.audit()[-1]
        assert (last.action, last.details["photos"]) == ("purge", 21)
        assert last.target == "subject 2"
        store.add_subject(Subject("new"))
        assert store.audit()[-1].target == "subject 3", "a subject's number is never given again"


def test_a_purge_names_the_backups_that_may_still_hold_the_subject(store: Store, place: Place) -> None:
    if not place.is_sqlite:
        with pytest.raises(StoreError, match="pg_dump"):
            store.back_up()
        return
    store.save_visit(a_form("k"))
    backup = store.back_up()
    assert store.purge("001").backups == (backup.name,)
    with open_store(f"sqlite:///{backup}", folder=place.folder) as old:
        assert len(old.page("001").visits) == 1


# -- the audit -----------------------------------------------------------------------------------------


def statement(store: Store, sql: str) -> None:
    with store._database.writing() as connection:
        connection.execute(text(sql))


@pytest.mark.parametrize("sql", ["UPDATE audit SET actor = 'x' WHERE number = 1", "DELETE FROM audit"])
def test_the_audit_only_grows(store: Store, sql: str) -> None:
    with pytest.raises((DatabaseError, StoreError), match="only grows"):
        statement(store, sql)


def unlocked(store: Store, place: Place) -> None:
    if place.is_sqlite:
        for verb in ("update", "delete"):
            statement(store, f"DROP TRIGGER audit_refuses_{verb}")
    else:
        statement(store, "DROP TRIGGER audit_only_grows ON audit")


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("UPDATE audit SET actor = 'x' WHERE number = 3", 3),
        ("UPDATE audit SET details = '{}' WHERE number = 2", 2),
        ("UPDATE audit SET at = 'then' WHERE number = 4", 4),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 1", 1),
        ("UPDATE audit SET number = number + 1000 WHERE number = 5", 5),
        ("UPDATE audit SET number = 99 WHERE number = 3", 3),
    ],
)
def test_tampering_with_the_audit_is_found_and_located(
    store: Store, place: Place, sql: str, number: int
) -> None:
    for count in range(4):
        store.save_visit(a_form(f"k{count}"))
    assert store.verify_audit() == 5
    unlocked(store, place)
    statement(store, sql)
    with pytest.raises(StoreError, match=f"tampered with at entry {number}"):
        store.verify_audit()


def test_a_cut_tail_shows_when_the_head_was_kept(store: Store, place: Place) -> None:
    store.note("export", "subject 1", rows=3)
    head = store.audit_head()
    store.note("export", "subject 1")
    assert store.verify_audit(head) == 3
    unlocked(store, place)
    statement(store, "DELETE FROM audit WHERE number > 1")
    assert store.verify_audit() == 1
    with pytest.raises(StoreError, match="cut off"):
        store.verify_audit(head)
    store.note("view", "subject 1")
    with pytest.raises(StoreError, match="tampered with at entry 2"):
        store.verify_audit(head)


# -- files and rows ------------------------------------------------------------------------------------


def test_a_sweep_moves_strangers_aside_and_names_what_is_gone_or_damaged(store: Store, place: Place) -> None:
    visits = [store.save_visit(a_form(f"k{number}")) for number in range(2)]
    lost, damaged = visits[0].photos[0].sha256, visits[1].photos[1].sha256
    photos = place.folder / "photos"
    (photos / lost[:2] / lost).unlink()
    (photos / damaged[:2] / damaged).write_bytes(b"x")
    (photos / "ab" / "stranger").write_bytes(b"s")
    (photos / ".DS_Store").write_bytes(b"")
    swept = store.sweep(contents=True)
    assert (swept.missing, swept.damaged, len(swept.moved_aside)) == ((lost,), (damaged,), 2)
    assert all((place.folder / name).is_file() for name in swept.moved_aside)
    for sha256, words in ((lost, "is gone"), (damaged, "was damaged")):
        with pytest.raises(StoreError, match=words):
            store.photo(sha256)
    assert store.sweep().moved_aside == ()


def test_what_a_crash_left_on_the_way_is_gone_after_opening(store: Store, place: Place) -> None:
    store.save_visit(a_form("k"))
    held = place.files()
    left = a_photo(b"left").sha256
    store._files.note([left, *held])
    store._files.place({left: b"left"})
    (place.folder / "incoming" / "a.partial").write_bytes(b"half")
    (place.folder / "incoming" / "torn.json").write_bytes(b'["ab')
    with place.open() as again:
        assert place.files() == held
        assert again.sweep(contents=True) == store.sweep()


def test_everything_is_for_its_owner_only(store: Store, place: Place) -> None:
    store.save_visit(a_form("k"))
    if place.is_sqlite:
        store.back_up()
    for path in (place.folder, *place.folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


# -- opening -------------------------------------------------------------------------------------------


def test_the_page_of_a_subject_takes_six_statements_however_much_there_is(store: Store) -> None:
    told: list[str] = []
    event.listen(
        store._database._engine, "before_cursor_execute", lambda c, cur, sql, *rest: told.append(sql)
    )
    counts = []
    for number in range(3):
        store.save_visit(a_form(f"k{number}"))
        store.save_treatment(f"t{number}", Treatment("001", DAY))
        told.clear()
        assert len(store.page("001").visits) == number + 1
        counts.append(len([sql for sql in told if sql.startswith("SELECT")]))
    assert counts == [6, 6, 6]


def test_every_query_of_the_page_uses_an_index(tmp_path: Path) -> None:
    told: list[tuple[str, tuple[object, ...]]] = []
    with open_store(tmp_path / "s") as store:
        store.add_subject(Subject("001"))
        store.save_visit(a_form("k"))
        engine = store._database._engine
        event.listen(
            engine, "before_cursor_execute", lambda c, cur, sql, values, *r: told.append((sql, values))
        )
        store.page("001")
        queries = [(sql, values) for sql, values in told if sql.startswith("SELECT")]
        with store._database.reading() as connection:
            for sql, values in queries:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all()
                assert not [row for row in plan if row[3].startswith("SCAN")], (sql, plan)


def test_sqlite_is_set_so_that_nothing_committed_is_lost_and_nothing_deleted_stays(tmp_path: Path) -> None:
    with open_store(tmp_path / "s") as store, store._database.reading() as connection:
        wanted = {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 10_000}
        for name, value in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value, name
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == journal_mode().lower()


def test_wal_is_used_only_where_sqlite_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, mode in (((3, 40, 1), "DELETE"), ((3, 51, 2), "DELETE"), ((3, 51, 3), "WAL")):
        monkeypatch.setattr("sqlite3.sqlite_version_info", version)
        assert journal_mode() == mode


def test_the_store_works_in_wal_too_and_a_purge_leaves_nothing_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wrinklecv.store.database.journal_mode", lambda: "WAL")
    place = Place(str(tmp_path / "store"), tmp_path / "store")
    test_a_purge_leaves_no_byte_of_the_subject(place)


def test_a_store_held_by_another_writer_says_so(store: Store, place: Place) -> None:
    if not place.is_sqlite:
        pytest.skip("PostgreSQL waits as long as the other needs")
    statement(store, "SELECT 1")
    with place.open() as other:
        engine = other._database._engine
        event.listen(engine, "checkout", lambda c, *r: c.execute("PRAGMA busy_timeout=50"))
        with store._database.writing(), pytest.raises(StoreError, match="in use by another program"):
            other.save_visit(a_form("k"))
        other.save_visit(a_form("k"))


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("postgresql://user:secret@localhost:1/none", "needs a folder"),
        ("mysql://localhost/none", "not in mysql"),
        ("://", "not the URL"),
    ],
)
def test_a_url_that_is_no_store_is_refused_in_a_sentence(where: str, words: str) -> None:
    with pytest.raises(StoreError, match=words), open_store(where):
        pass


def test_a_database_that_does_not_answer_is_a_sentence_without_the_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    url = "postgresql://user:secret@127.0.0.1:1/none"
    with pytest.raises(StoreError, match="cannot be used") as caught, open_store(url, folder=tmp_path):
        pass
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wrinklecv.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="not a database of wrinklecv"), open_store(tmp_path):
        pass
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be used"), open_store(tmp_path / "file"):
        pass
