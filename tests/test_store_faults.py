"""The store when processes die in the middle of their work, or many of them save at once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from store_builders import KINDS, Place, a_form, a_photo, child, kill, places

from wrinklecv.errors import StoreError
from wrinklecv.visits import Subject


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from places(request.param, tmp_path)


def check_whole(place: Place, subjects: list[str]) -> int:
    """Open the store; files and rows agree, each visit is whole. Return how many visits there are."""
    with place.open() as store:
        swept = store.sweep(contents=True)
        assert (swept.moved_aside, swept.missing, swept.damaged) == ((), (), ())
        visits = 0
        for code in subjects:
            page = store.page(code)
            visits += len(page.visits)
            assert {len(visit.photos) for visit in page.visits} <= {4}
            assert len(page.assessments) == 4 * len(page.visits)
            assert [visit.number for visit in page.visits] == list(range(1, len(page.visits) + 1))
        store.verify_audit()
        return visits


def killed_while_saving(place: Place, times: int) -> tuple[int, int]:
    """Kill a saving process at random moments; return how many visits it said were saved, and are there."""
    chance = random.Random(5)  # noqa: S311 - no secret
    told, subjects = 0, []
    with place.open():
        pass
    for number in range(times):
        process = child(place, "save", f"S{number}", "1000")
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        process.kill()
        told += 1 + len(process.stdout.read().split())
        process.communicate()
        subjects.append(f"S{number}")
        there = check_whole(place, subjects)
        assert there >= told, "a visit that was said to be saved is lost"
        told = there
    return told, there


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_process_killed_while_saving_leaves_whole_visits_only(place: Place, times: int) -> None:
    told, there = killed_while_saving(place, times)
    assert there == told >= times


@pytest.mark.parametrize("count", [50, pytest.param(200, marks=pytest.mark.slow)])
def test_four_processes_that_save_at_once_lose_nothing(place: Place, count: int) -> None:
    with place.open():
        pass
    processes = [child(place, "save", f"S{number}", str(count)) for number in range(4)]
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert (process.returncode, errors) == (0, "")
    assert check_whole(place, [f"S{number}" for number in range(4)]) == 4 * count


def test_two_processes_that_make_the_same_store_make_one(place: Place) -> None:
    processes = [child(place, "save", f"S{number}", "2") for number in range(3)]
    for process in processes:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
    assert check_whole(place, ["S0", "S1", "S2"]) == 6


@pytest.mark.slow
def test_a_process_killed_while_purging_leaves_subjects_or_nothing_of_them(place: Place) -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    for _ in range(20):
        with place.open() as store:
            for number in range(6):
                store.add_subject(Subject(f"S{number}"))
                shots = [a_photo(b"%d %d" % (number, n), run=str(n)) for n in range(4)]
                if not store.page(f"S{number}").visits:
                    key = f"{number} {store.audit_head()}"
                    store.save_visit(a_form(key, f"S{number}", date(2026, 1, 10), *shots))
        process = child(place, "purge", "6")
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.1))
        kill(process)
        with place.open() as store:
            left = [subject.code for subject in store.subjects()]
        visits = check_whole(place, left)
        assert visits == len(left) < 6
        assert len(place.files()) == 4 * visits


def test_opening_while_another_saves_harms_nothing(place: Place) -> None:
    with place.open():
        pass
    process = child(place, "save", "S0", "30")
    opened = 0
    while process.poll() is None:
        with place.open() as store:
            store.sweep()
        opened += 1
    assert (process.returncode, opened > 5) == (0, True)
    process.communicate()
    assert check_whole(place, ["S0"]) == 30


def test_a_failed_commit_takes_its_files_with_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.open() as store:
        store.add_subject(Subject("001"))

        def stop(*words: object) -> None:
            raise StoreError("stopped before the end")

        monkeypatch.setattr("wrinklecv.store.reading.visit", stop)  # the last step before the commit
        with pytest.raises(StoreError, match="stopped"):
            store.save_visit(a_form("k"))
        assert place.files() == set()
        assert store.page("001").visits == ()
