"""What the pages share: text made safe, errors made calm, verdicts and numbers made readable."""

from __future__ import annotations

import hashlib
import math
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.navigation.page import StreamlitPage
from streamlit.runtime.uploaded_file_manager import UploadedFile

from wrinklecv import DISCLAIMER
from wrinklecv.errors import PhotoError, WrinkleError
from wrinklecv.listing import parse_name
from wrinklecv.model import data_folder
from wrinklecv.records import Expression, Finding, Region
from wrinklecv.tables import escaped

from . import uploads

PHOTO_TYPES = ["jpg", "jpeg", "png", "webp", "heic", "heif"]
HOW_TO = (
    "One face, straight into the lens, head level, even light, hair back, no glasses, no make-up, "
    "no beauty filter. Fill the frame and send the original file."
)

REGION_NAMES = {
    Region.FOREHEAD: "Forehead",
    Region.GLABELLA: "Glabella",
    Region.CROWS_FEET_LEFT: "Crow’s feet, left",
    Region.CROWS_FEET_RIGHT: "Crow’s feet, right",
}
"""Left and right are the patient's own."""

EXPRESSION_NAMES = {
    Expression.BROW_RAISE: "Brow raise",
    Expression.FROWN: "Frown",
    Expression.SMILE: "Smile",
}

HIGHER = (
    "Higher = more lines. ± is one standard error. Left and right are the patient’s own: "
    "the patient’s left is on the right of the picture."
)
"""Said wherever a number stands."""
PAIR_HIGHER = (
    f"{HIGHER} Static share: how much of the lines’ depth in the expression is there at rest too; "
    "higher = more stays at rest."
)


WHOLE_FACE = "Whole face"


class Source(NamedTuple):
    """A photo to look at, as it came."""

    name: str
    content: bytes
    title: str
    """Markdown."""

    @property
    def sha256(self) -> str:
        """Hash of the file's bytes."""
        return hashlib.sha256(self.content).hexdigest()


_MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in string.punctuation})
_MOST_SIGNS = 500
_JOINER = "\u2060"  # a sign of no width
_SIGNS = re.escape(string.punctuation)
_JOINTS = re.compile(
    rf"(?<=[{_SIGNS}])(?=[{_SIGNS}])|(?<=:)(?=\w)|(?<=\w)(?=@)|(?<=www)(?=\.)", re.IGNORECASE
)


def md(text: str) -> str:
    """Return text that came from data (names, messages) so that Markdown shows it as it is.

    A name like ``![x](http://…)`` would else make the browser ask a stranger for a picture. Addresses
    (``http://``, ``www.``, ``a@b.c``), ``:smile:`` and arrows are made of escaped text too: signs of
    no width keep them apart. Control signs are made visible, and very long text is cut.
    """
    short = text if len(text) <= _MOST_SIGNS else text[:_MOST_SIGNS] + "…"
    return _JOINTS.sub(_JOINER, escaped(short)).translate(_MARKDOWN)


def run(page: StreamlitPage) -> None:
    """Run a page; say an expected failure as a sentence where it happened; end with the disclaimer."""
    try:
        uploads.begin_page(page.url_path)
        page.run()
    except WrinkleError as error:
        code = f" — reason: {md(error.code)}" if isinstance(error, PhotoError) else ""
        which = getattr(error, "__notes__", ["This photo"])[-1]
        title = f"{which} cannot be measured" if code else "This does not work"
        st.error(f"**{title}**{code}  \n{md(str(error))}", icon=":material/error:")
    st.divider()
    st.caption(DISCLAIMER)


@contextmanager
def about(photo: str) -> Iterator[None]:
    """Say in an error which of several photos it is about."""
    try:
        yield
    except PhotoError as error:
        error.add_note(photo)
        raise


def samples() -> list[Path]:
    """Return the sample photos, in the order of their names."""
    return sorted(p for p in data_folder("sample_images").glob("*") if p.suffix[1:].lower() in PHOTO_TYPES)


def sample_title(path: Path) -> str:
    """Return what a sample's file name tells, in words."""
    subject, visit, expression, _ = parse_name(path)
    what = "" if expression is Expression.UNKNOWN else expression.replace("_", " ")
    day = re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", visit)
    words = (subject and f"Subject {subject}", day, what)
    return ", ".join(word for word in words if word) or path.stem


def place_name(region: Region | None) -> str:
    """Return the name of a region, or of the whole face (None)."""
    return REGION_NAMES[region] if region else WHOLE_FACE


def choose_place(key: str) -> Region | None:
    """Ask for the whole face (None) or one region of it."""
    place = st.segmented_control(
        "Place",
        [WHOLE_FACE, *Region],
        default=WHOLE_FACE,
        required=True,
        format_func=lambda place: place_name(place) if isinstance(place, Region) else place,
        key=key,
        label_visibility="collapsed",
        wrap=True,
    )
    return place if isinstance(place, Region) else None


def ask_photos(label: str, *, key: str) -> list[UploadedFile]:
    """Ask for several photos."""
    found = st.file_uploader(label, type=PHOTO_TYPES, accept_multiple_files=True, help=HOW_TO, key=key)
    st.caption(uploads.LIMIT)
    return found


def offer_files(stem: str, files: tuple[tuple[str, str, bytes], ...]) -> None:
    """Offer files (label, suffix, content)."""
    with st.container(horizontal=True):
        for label, suffix, content in files:
            offer_file(label, stem, suffix, content)


def offer_file(label: str, stem: str, suffix: str, content: bytes) -> None:
    """Offer a file. Its content's hash is in its name: never an older file.

    Streamlit tells large files apart by their ends, middle and name only.
    """
    name = f"{stem}_{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
    st.download_button(label, content, name, MIME[suffix], on_click="ignore", icon=":material/download:")


MIME = {
    "json": "application/json",
    "csv": "text/csv",
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def plus_minus(value: float, se: float, unit: str = "") -> str:
    """Return ``12.3 ± 0.8 mm``: the standard error has two digits when it begins with 1, else one.

    Without an error (0 or not finite) the value has three significant digits.
    """
    tail = f" {unit}" if unit else ""
    if not (math.isfinite(se) and se > 0):
        return f"{plain(value)}{tail}"
    first = math.floor(math.log10(se))
    digits = max(0, -first + (se / 10**first < 1.95))
    return f"{value:z.{digits}f} ± {se:.{digits}f}{tail}"


def plain(value: float) -> str:
    """Return a number without an error: three significant digits, never as a power of ten."""
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def finding_text(finding: Finding) -> str:
    """Return one finding as Markdown: its sentence, then its code, value and limit with their unit."""
    numbers = ""
    if finding.value is not None and finding.threshold is not None:
        value, limit = (_amount(number, finding.unit) for number in (finding.value, finding.threshold))
        numbers = f": {value}, limit {limit}"
    return f"{md(finding.advice)} :gray[({md(finding.code + numbers)})]"


def _amount(value: float, unit: str) -> str:
    """Return a value with its unit as people write it; `share` (0–1) as per cent."""
    if unit == "share":
        return f"{100 * value:.0f} %"
    return f"{plain(value)}{'°' if unit == 'deg' else ' ' + unit}"


def file_stem(name: str) -> str:
    """Return the part of a file name that every system can keep, without its suffix."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "_", name.rpartition(".")[0] or name).strip("_")
    return stem[:60] or "photo"
