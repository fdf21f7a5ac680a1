"""The app's worker processes: a photo that kills, stalls or fills one costs nobody else."""

from __future__ import annotations

import gc
import hashlib
from pathlib import Path
from typing import Any

import app_pages
import pytest
from test_app import SAMPLES, uploaded, words

from wrinklecv.ui import measuring, parts, sight

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")


def forbidden(*whatever: object) -> None:
    raise AssertionError("this process must not do it")


@pytest.mark.parametrize(
    ("does", "code", "sentence"),
    [
        ("dies", "crashed", "The process that measured it died"),
        ("hangs", "timed_out", "Measuring it took longer than"),
        ("eats", "out_of_memory", "more memory than is allowed"),
    ],
)
def test_a_photo_that_harms_its_worker_is_a_sentence_and_the_next_one_is_measured(
    does: str, code: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "PHOTO_TIMEOUT_S", 2.0)
    with monkeypatch.context() as patch:
        patch.setattr(sight, "look_at", getattr(app_pages, does))
        app = uploaded("bad.jpg", SAMPLES[-1].read_bytes())
        assert not app.exception
        assert "This photo cannot be measured" in app.error[0].value
        assert parts.md(code) in app.error[0].value
        assert parts.md(sentence) in app.error[0].value
        assert not app.metric
    monkeypatch.setattr(measuring, "PHOTO_TIMEOUT_S", 30.0)
    app = uploaded("good.jpg", SAMPLES[-1].read_bytes())
    assert not app.error
    assert len(app.metric) == 4


def test_a_photo_that_killed_its_worker_is_not_tried_again_by_every_click(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sight, "look_at", app_pages.dies)
    app = uploaded("bad.jpg", SAMPLES[-1].read_bytes())
    monkeypatch.setattr(measuring, "workers", forbidden)
    app.run()
    assert not app.exception
    assert parts.md("crashed") in app.error[0].value


def test_workers_whose_pool_broke_mend_themselves() -> None:
    workers: Any = measuring.workers()
    pool = workers._pool
    pool.stop()
    pool.join()
    app = uploaded("good.jpg", SAMPLES[-1].read_bytes() + b"after a break")
    assert not app.exception
    assert len(app.metric) == 4
    assert measuring.workers() is workers
    assert workers._pool is not pool


def test_a_pool_that_broke_is_replaced() -> None:
    measuring.workers().stop()
    app = uploaded("good.jpg", SAMPLES[-1].read_bytes())
    assert not app.exception
    assert len(app.metric) == 4


def test_no_photo_is_decoded_in_the_servers_process(monkeypatch: pytest.MonkeyPatch) -> None:
    import wrinklecv.photo

    monkeypatch.setattr(wrinklecv.photo, "decode", forbidden)
    for page in ("assess_photo", "compare_photos"):
        app = app_pages.opened(page)
        assert not app.exception
        assert len(app.metric) == 4


def test_nothing_of_a_person_is_in_a_cache_that_sessions_share() -> None:
    found = [
        path.name
        for path in (Path(measuring.__file__).parent).glob("*.py")
        if "cache_data" in path.read_text("utf-8") or "lru_cache" in path.read_text("utf-8")
    ]
    assert not found, "results live in st.session_state: gone when the tab is closed"


def test_the_same_photo_is_measured_once_in_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    app = uploaded("one.jpg", SAMPLES[0].read_bytes())
    first = words(app)
    monkeypatch.setattr(measuring, "workers", forbidden)
    app.file_uploader[0].upload("two.jpg", SAMPLES[0].read_bytes(), "image/jpeg")
    app.run()
    assert not app.exception
    assert words(app).replace(parts.md("two.jpg"), parts.md("one.jpg")) == first


def test_what_another_session_measured_is_found_while_that_one_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = SAMPLES[-1].read_bytes() + b"seen by two"
    mine = hashlib.sha256(content).hexdigest()
    first = uploaded("mine.jpg", content)
    with monkeypatch.context() as patch:
        patch.setattr(measuring, "workers", forbidden)
        second = uploaded("yours.jpg", content)
    assert not second.exception
    assert len(second.metric) == 4
    assert "yours" in words(second) and "mine" not in words(second), "the name is each session's own"
    assert any(mine in str(key) for key in measuring._SHARED)
    del first, second
    uploaded("next.jpg", content + b"!")  # the pool holds its last task until the next one comes
    gc.collect()
    assert not any(mine in str(key) for key in measuring._SHARED)


def test_a_failure_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    content = SAMPLES[-1].read_bytes() + b"fails once"
    with monkeypatch.context() as patch:
        patch.setattr(sight, "look_at", app_pages.dies)
        first = uploaded("bad.jpg", content)
        assert first.error
    assert not any(hashlib.sha256(content).hexdigest() in str(key) for key in measuring._SHARED)
