"""Changed photos, thousands of them: each is read or refused, nothing dies, strict libjpeg agrees."""

from __future__ import annotations

import fuzz
import pytest


def test_a_seed_makes_the_same_inputs_every_time_and_most_of_them_differ() -> None:
    photos = fuzz.whole_photos()
    made = [fuzz.changed(photos, 7, number) for number in range(60)]
    assert made == [fuzz.changed(photos, 7, number) for number in range(60)]
    assert len({*made, *photos}) > 60
    assert made != [fuzz.changed(photos, 8, number) for number in range(60)]


def test_whole_photos_are_read_and_libjpeg_agrees() -> None:
    answers = [fuzz.read(content) for content in fuzz.whole_photos()]
    assert [(one.told, one.strict) for one in answers] == [("read", "")] * len(answers)


def test_what_breaks_a_rule_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("oops")

    report = fuzz.Report()
    monkeypatch.setattr(fuzz, "read_photo", fail)
    fuzz._note(report, (7, 1), fuzz.read(b"x"))
    fuzz._note(report, (7, 2), fuzz.Answer("read", "premature end", 0.1))
    fuzz._note(report, (7, 3), fuzz.Answer("corrupt", "", 11.0))
    assert [(seed, number) for seed, number, _ in report.broken] == [(7, 1), (7, 2), (7, 3)]
    assert report.broken[0][2] == "uncaught KeyError: 'oops'"


def test_a_few_hundred_changed_photos_break_no_rule() -> None:
    report = fuzz.fuzz(0, 20261126, least=300)
    assert report.told.total() >= 300
    assert report.broken == []
    assert set(report.told) >= {"read", "truncated", "corrupt", "not_an_image"}, "it reaches the decoders"


@pytest.mark.slow
def test_a_minute_of_changed_photos_breaks_no_rule() -> None:
    report = fuzz.fuzz(60, 20261127)
    assert report.told.total() > 300
    assert report.broken == []
