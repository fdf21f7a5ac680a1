"""Stores of other versions: older ones are backed up and brought up to date, newer ones are refused.

A small store of every schema version is kept in `tests/data`. `python tests/test_store_upgrade.py`
writes that of the newest version, where it is not there yet.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url, text
from store_builders import KINDS, Place, a_form, a_photo, child, places

from wrinklecv.errors import StoreError
from wrinklecv.records import Expression, Region
from wrinklecv.store import Store, open_store
from wrinklecv.store.database import Database, schema_of
from wrinklecv.store.schema import SCHEMA, metadata
from wrinklecv.store.upgrade import SCRIPTS, _config, upgrade
from wrinklecv.visits import Consent, NewPhoto, Subject, Treatment, VisitForm

DATA = Path(__file__).parent / "data"
VERSIONS = sorted(path.stem.removeprefix("store_") for path in DATA.glob("store_*.sqlite3"))


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from places(request.param, tmp_path)


def fill(store: Store) -> None:
    """Put a little of everything into a store."""
    store.add_subject(Subject("001", "Åse = \0"))
    store.add_subject(Subject("002"))
    marked = NewPhoto(b"marks", marking=True, consent=Consent.OWN_RECORD, original_name="a\udcff.jpg")
    smile = a_photo(b"smile", Expression.SMILE, run="1")
    form = VisitForm(
        "a", "001", date(2026, 1, 10), (a_photo(b"rest", run="1"), smile, marked), notes="first\n"
    )
    store.save_visit(form)
    store.save_visit(a_form("b", "001", date(2026, 1, 24)))
    regions = (Region.FOREHEAD, Region.CROWS_FEET_LEFT)
    store.save_treatment(
        "t", Treatment("001", date(2026, 1, 10), regions, "product", 0.1, ((1 / 3, -2.5),), "notes")
    )
    store.keep_course(store.page("001"), "f" * 64, "{}")


def values(store: Store) -> Any:
    """Return all that pages show, as plain values."""
    pages = [asdict(store.page(subject.code)) for subject in store.subjects()]
    audit = [(entry.number, entry.action, entry.hash) for entry in store.audit()]
    return json.loads(json.dumps([pages, audit], default=str))


def test_a_store_of_every_version_is_kept() -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config(SCRIPTS)).walk_revisions()}
    assert known == set(VERSIONS), "run this file to write the one that is missing"
    assert max(known) == SCHEMA


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_store_opens_with_equal_values(version: str, tmp_path: Path) -> None:
    shutil.copy(DATA / f"store_{version}.sqlite3", tmp_path / "wrinklecv.sqlite3")
    expected = json.loads((DATA / f"store_{version}.json").read_text("utf-8"))
    with open_store(tmp_path) as store:
        assert values(store) == expected
        store.verify_audit()
        store.save_visit(a_form("new", "002"))
    assert len(list((tmp_path / "backups").glob(f"*-schema-{version}.sqlite3"))) == (version != SCHEMA)


def test_the_migrations_make_the_tables_that_the_code_knows(place: Place) -> None:
    with place.open() as store, store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_newer_store_is_refused_in_a_sentence(place: Place) -> None:
    with place.open() as store, store._database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with (
        pytest.raises(StoreError, match=rf"newer wrinklecv \(schema 9999; .* up to {SCHEMA}\)"),
        place.open(),
    ):
        pass


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "wrinklecv.sqlite3") as connection:
        connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    with pytest.raises(StoreError, match="holds tables of something else"), open_store(tmp_path):
        pass


NEXT = f"{int(SCHEMA) + 1:04}"
NEXT_STEP = '''
"""A step that a later version may take: it builds a table anew that others refer to."""
import time
import sqlalchemy as sa
from alembic import op

revision = "NEXT"
down_revision = "SCHEMA"


def upgrade() -> None:
    with op.batch_alter_table("visits") as batch:
        batch.add_column(sa.Column("mood", sa.Text(), nullable=False, server_default="calm"))
    time.sleep(PAUSE)
    op.execute("UPDATE visits SET notes = notes || '!'")
    FAIL
'''


def with_next_step(folder: Path, pause: float = 0.0, fail: str = "") -> Path:
    """Return a copy of the migrations with one more step."""
    scripts = folder / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    step = NEXT_STEP.replace("PAUSE", str(pause)).replace("FAIL", fail)
    step = step.replace("NEXT", NEXT).replace("SCHEMA", SCHEMA)
    (scripts / "versions" / f"v{NEXT}_next.py").write_text(step, "utf-8")
    return scripts


def notes_and_version(database: Database) -> tuple[str, list[str]]:
    """Return the schema's version and the notes of all visits."""
    with database.reading() as connection:
        found = connection.execute(text("SELECT notes FROM visits ORDER BY id")).scalars().all()
        return schema_of(database, connection), list(found)


def test_an_upgrade_backs_up_keeps_every_row_and_every_reference(place: Place, tmp_path: Path) -> None:
    with place.open() as store:
        fill(store)
        before = values(store)
        upgrade(store._database, place.folder, with_next_step(tmp_path))
        assert notes_and_version(store._database) == (NEXT, ["first\n!", "!"])
        with store._database.writing() as connection:
            connection.execute(text("UPDATE visits SET notes = 'first\n' WHERE number = 1"))
            connection.execute(text("UPDATE visits SET notes = '' WHERE number = 2"))
        assert values(store) == before
        if place.is_sqlite:
            with pytest.raises(Exception, match="FOREIGN KEY"), store._database.writing() as connection:
                connection.execute(text("DELETE FROM visits"))
    if place.is_sqlite:
        (backup,) = (place.folder / "backups").glob(f"*-schema-{SCHEMA}.sqlite3")
        with open_store(f"sqlite:///{backup}", folder=place.folder) as old:
            assert values(old) == before


def test_a_failing_upgrade_changes_nothing(place: Place, tmp_path: Path) -> None:
    with place.open() as store:
        fill(store)
        before = values(store)
        scripts = with_next_step(tmp_path, fail="raise KeyError('a bug')")
        with pytest.raises(KeyError):
            upgrade(store._database, place.folder, scripts)
        assert values(store) == before
        assert notes_and_version(store._database) == (SCHEMA, ["first\n", ""])


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_a_process_killed_while_upgrading_leaves_the_old_store_or_the_new(tmp_path: Path, times: int) -> None:
    chance = random.Random(3)  # noqa: S311 - no secret
    with open_store(tmp_path / "template") as store:
        fill(store)
    scripts = with_next_step(tmp_path, pause=0.05)
    seen = []
    for number in range(times):
        place = Place(str(tmp_path / str(number)), tmp_path / str(number))
        shutil.copytree(tmp_path / "template", place.folder)
        process = child(place, "upgrade", str(scripts))
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.uniform(0, 0.25))
        process.kill()
        process.communicate()
        database = Database(make_url(f"sqlite:///{place.folder}/wrinklecv.sqlite3"))
        version, notes = notes_and_version(database)
        assert (version, notes) in [(SCHEMA, ["first\n", ""]), (NEXT, ["first\n!", "!"])]
        upgrade(database, place.folder, scripts)
        assert notes_and_version(database) == (NEXT, ["first\n!", "!"])
        database.close()
        assert list((place.folder / "backups").glob(f"*-schema-{SCHEMA}.sqlite3"))
        seen.append(version)
    assert times < 20 or set(seen) == {SCHEMA, NEXT}, "kill earlier or later"


def write_kept() -> None:
    """Write the store of the newest version, where it is not there yet."""
    target = DATA / f"store_{SCHEMA}.sqlite3"
    if target.exists():
        print(f"{target.name} is there: a kept store is never written anew")
        return
    folder = DATA / "new"
    with open_store(folder, actor="Ann", now=lambda: datetime(2026, 2, 1, 12, tzinfo=UTC)) as store:
        fill(store)
        text_ = json.dumps(values(store), indent=1, sort_keys=True)
        (DATA / f"store_{SCHEMA}.json").write_text(text_ + "\n", "utf-8")
        store.back_up().rename(target)
    shutil.rmtree(folder)


if __name__ == "__main__":
    write_kept()
