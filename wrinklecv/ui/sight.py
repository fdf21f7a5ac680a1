"""What worker processes do for the pages: photos are decoded and measured here, never in the app's server.

No Streamlit: a worker that reads this file must not wake a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from wrinklecv.assessment import assess
from wrinklecv.before_after import TwoVisits, lay_visits
from wrinklecv.comparison import compare
from wrinklecv.draw import Cut, cut_out, encode_jpeg
from wrinklecv.draw_pairs import registered
from wrinklecv.errors import WrinkleError
from wrinklecv.frames import Cuts
from wrinklecv.model import data_folder
from wrinklecv.packing import Packed
from wrinklecv.pairs import Comparison
from wrinklecv.photo import read_photo
from wrinklecv.records import Assessment, Expression, Region
from wrinklecv.settings import DEFAULTS


class Seen(NamedTuple):
    """What one photo gave: its assessment (without chart and name) and the pictures to look at.

    pictures: of the regions, and of the whole photo (None).
    """

    assessment: Assessment
    pictures: Mapping[Region | None, Cut]


def prepare() -> None:
    """Look at a sample photo, so that the first one of a person does not wait for what all of them need."""
    for sample in sorted(data_folder("sample_images").glob("*.jpg"))[:1]:
        with suppress(WrinkleError):  # the page will say it, of the photo that it is about
            look_at(sample.read_bytes())


def look_at(content: bytes) -> Seen:
    """Measure a photo and cut out what is shown of it; raises PhotoError."""
    photo = read_photo(content)
    assessment = assess(photo, settings=DEFAULTS)
    whole, tiles = cut_out(photo, assessment)
    return Seen(replace(assessment, chart=None), Packed({None: whole, **dict(tiles.items())}))


def assess_for_pair(content: bytes) -> Assessment:
    """Measure a photo; its chart stays with it, to be compared. Raises PhotoError."""
    return assess(read_photo(content), settings=DEFAULTS)


def compare_assessed(rest: Assessment, expression: Assessment, name: Expression) -> Comparison:
    """Compare two photos of one face."""
    return compare(rest, expression, name=name, settings=DEFAULTS)


def lay_together(rest: bytes, expression: bytes, comparison: Comparison) -> Mapping[Region | None, Cuts]:
    """Bring both photos into one frame: the whole face (None) and each region."""
    photos = read_photo(rest), read_photo(expression)
    return Packed({place: registered(*photos, comparison, place) for place in (None, *Region)})


def lay_two(first: bytes, later: bytes, state: Expression, relative_sd: float) -> TwoVisits:
    """Lay the photos of two visits together; relative_sd: see `lay_visits`. Raises PhotoError."""
    found = lay_visits(first, later, state, relative_sd=relative_sd, settings=DEFAULTS)
    return replace(found, views=Packed(found.views))


def thumbnail(content: bytes, assessment: Assessment) -> bytes:
    """Return a photo as it is shown in a list: a JPEG drawn anew."""
    whole, _ = cut_out(read_photo(content), assessment)
    return encode_jpeg(whole.pixels)
