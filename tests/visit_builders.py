"""A store for the tests of the page *Before and after*: hostile names, and photos full of secrets."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

from PIL import Image
from test_app import HOSTILE, SAMPLES

from wrinklecv import Expression
from wrinklecv.casebook import NewShot, save_visit
from wrinklecv.store import Store, open_store
from wrinklecv.visits import Subject

CODE = HOSTILE[:40]
CANARY = b"CANARY-7f3a"
DAYS = (date(2025, 1, 10), date(2025, 1, 24), date(2025, 4, 10))


def sample(expression: str, day: date = DAYS[0]) -> bytes:
    """Return a drawn photo of subject 001."""
    name = f"sub-001_ses-{day:%Y%m%d}_expr-{expression}"
    return next(p for p in SAMPLES if p.name.startswith(name)).read_bytes()


def secretive(jpeg: bytes) -> bytes:
    """Add a camera's metadata to a JPEG: place, a name, a comment, and a small picture of the whole face."""
    exif = Image.Exif()
    exif[0x010E] = f"{CANARY.decode()} name"
    exif.get_ifd(0x8825)[2] = (48.0, 8.0, 15.0)
    exif.get_ifd(0x8825)[29] = CANARY.decode()
    small = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).resize((80, 100)).save(small, "JPEG")
    parts = ((0xE1, b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")), (0xED, small.getvalue()))
    comment = (0xFE, CANARY + b" comment")
    added = b"".join(
        bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2) + data for marker, data in (*parts, comment)
    )
    return jpeg[:2] + added + jpeg[2:]


def add_visit(store: Store, code: str, day: date, *shots: tuple[str, bytes]) -> None:
    """Save a visit of photos (expression, content)."""
    shown = [NewShot(content, HOSTILE, Expression(name)) for name, content in shots]
    save_visit(store, code, day, shown, key=f"{code}-{day}", notes=HOSTILE, jobs=1)


def fill(place: Path) -> Path:
    """Make a store: CODE with three visits at rest and two smiles, `one` with one, `none` without any."""
    with open_store(place) as store:
        store.add_subject(Subject(CODE, HOSTILE))
        for day in DAYS:
            smile = [("smile", secretive(sample("smile", day)))] if day != DAYS[0] else []
            add_visit(store, CODE, day, ("rest", secretive(sample("rest", day))), *smile)
        store.add_subject(Subject("one"))
        add_visit(store, "one", DAYS[0], ("frown", sample("frown")))
        store.add_subject(Subject("none"))
    return place
