"""The page *Rest and expression*: two photos in; every line static, deepened, dynamic or not to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from wrinklecv.draw import encode_jpeg
from wrinklecv.draw_pairs import blink_cuts, lay_side_by_side
from wrinklecv.frames import Cuts
from wrinklecv.listing import parse_name
from wrinklecv.movement import seem_swapped
from wrinklecv.pair_tables import pair_document
from wrinklecv.pairs import SPEAKS_FOR, Comparison
from wrinklecv.records import Expression, Region
from wrinklecv.tables import to_json

from . import parts, sight
from .measuring import begin, measured
from .pair_numbers import show_movement, show_origin, show_regions, show_untold
from .pair_outcome import outcome_of
from .pair_pictures import show_pictures
from .pair_verdicts import show_pair_verdicts
from .parts import HOW_TO, PHOTO_TYPES, Source, md, sample_title

_UNLIKE = "Same person, same day, same camera, distance and light; head level; only the expression differs."


class _Asked(NamedTuple):
    """The two photos."""

    rest: Source
    expression: Source


def show() -> None:
    """Show the page."""
    st.title("Rest and expression")
    st.markdown(
        "Tells for each line of a face, from a photo at rest and one with an expression, whether it is seen "
        "at rest too (**static**), grows deeper (**deepened**) or shows in expression only (**dynamic**). "
        "Documents visible lines in photographs; everything stays on this machine."
    )
    asked = _ask()
    if asked is None:
        return
    st.markdown(f"At rest: {asked.rest.title}  \nIn expression: {asked.expression.title}")
    comparison = _confirmed(asked)
    if seem_swapped(comparison.rest.face, comparison.expression.face):
        st.warning(
            "The first photo seems to be the one with the expression: swap the two with the switch above.",
            icon=":material/swap_horiz:",
        )
    if asked.rest.sha256 == asked.expression.sha256:
        st.warning(
            "Both are the same photo, so nothing can differ: choose the photo with the expression as well.",
            icon=":material/content_copy:",
        )
    pictures = _look(asked, comparison)
    show_pair_verdicts(comparison)
    show_pictures(comparison, pictures)
    show_regions(comparison)
    show_untold(comparison)
    show_movement(comparison)
    show_origin(comparison)
    _offer_files(comparison, pictures[None])


# -- measuring -------------------------------------------------------------------------------------


def _hashes(asked: _Asked) -> tuple[str, str]:
    return asked.rest.sha256, asked.expression.sha256


def _compared(asked: _Asked, name: Expression) -> Comparison:
    """Compare the photos, without their names; `name` is part of the key, since its regions are."""
    begin(sight.assess_for_pair, (asked.expression.sha256,), asked.expression.content)
    found = []
    for source, which in zip(asked, ("The rest photo", "The expression photo"), strict=True):
        with parts.about(which):
            words = "Finding the lines …"
            found.append(measured(sight.assess_for_pair, (source.sha256,), source.content, words=words))
    key = (*_hashes(asked), name)
    return measured(sight.compare_assessed, key, found[0], found[1], name, words="Comparing …")


def _look(asked: _Asked, comparison: Comparison) -> Mapping[Region | None, Cuts]:
    """Bring both photos into one frame: the whole face (None) and each region."""
    given = (asked.rest.content, asked.expression.content, comparison)
    return measured(sight.lay_together, _hashes(asked), *given, words="Laying the photos together …")


# -- asking ----------------------------------------------------------------------------------------


def _ask() -> _Asked | None:
    """Ask for two photos: uploaded ones come before the chosen sample."""
    left, middle, right = st.columns(3, gap="medium")
    rest = left.file_uploader("Your photo at rest", type=PHOTO_TYPES, help=HOW_TO)
    expression = middle.file_uploader("Your photo with expression", type=PHOTO_TYPES, help=HOW_TO)
    uploads = (rest, expression)
    pairs = _sample_pairs()
    sample = right.selectbox(
        "Or a sample: drawn, not a person",
        list(pairs),
        index=_first_smile(list(pairs)),
        format_func=sample_title,
        disabled=any(uploads),
        help="Drawn by wrinklecv itself, with lines whose kinds are known.",
    )
    st.caption(_UNLIKE)
    if rest is None and expression is None:
        if sample is None:
            st.info("Choose two photos to begin.", icon=":material/add_a_photo:")
            return None
        return _swapped(_Asked(*(_sample(path) for path in (pairs[sample], sample))))
    if rest is None or expression is None:
        missing = "at rest" if rest is None else "with expression"
        st.info(f"Add the photo {missing} to go on.", icon=":material/add_a_photo:")
        return None
    return _swapped(_Asked(*(Source(f.name, f.getvalue(), f"**{md(f.name)}**") for f in (rest, expression))))


def _swapped(asked: _Asked) -> _Asked:
    turned = st.toggle("Swap the two photos", help="When the first photo is the one with the expression.")
    return _Asked(asked.expression, asked.rest) if turned else asked


def _sample(path: Path) -> Source:
    return Source(path.name, path.read_bytes(), f"sample **{md(sample_title(path))}** — drawn, not a person")


def _sample_pairs() -> dict[Path, Path]:
    """Return the rest photo of each sample photo with an expression."""
    told = {path: parse_name(path) for path in parts.samples()}
    resting = {(t[0], t[1]): path for path, t in told.items() if t[2] is Expression.REST}
    return {
        path: resting[t[0], t[1]]
        for path, t in told.items()
        if t[2] in SPEAKS_FOR and (t[0], t[1]) in resting
    }


def _first_smile(samples: list[Path]) -> int:
    smiles = [k for k, path in enumerate(samples) if parse_name(path)[2] is Expression.SMILE]
    return smiles[0] if smiles else 0


def _confirmed(asked: _Asked) -> Comparison:
    """Guess the expression, let the person confirm it, and return the comparison that goes with it."""
    named = parse_name(asked.expression.name)[2]
    known = named if named in SPEAKS_FOR else Expression.UNKNOWN
    first = _compared(asked, known)
    source = "the movement" if known is Expression.UNKNOWN else "the file’s name"
    name = st.selectbox(
        f"Expression — guessed from {source}, please confirm",
        list(SPEAKS_FOR),
        index=list(SPEAKS_FOR).index(first.name),
        format_func=parts.EXPRESSION_NAMES.__getitem__,
        key=f"expression-{'-'.join(_hashes(asked))}",
        width=420,
    )
    found = first if name is first.name else _compared(asked, name)
    rest, expression = (
        replace(assessment, photo_name=source.name)
        for assessment, source in zip((found.rest, found.expression), asked, strict=True)
    )
    return replace(found, rest=rest, expression=expression)


# -- files -----------------------------------------------------------------------------------------


def _offer_files(comparison: Comparison, whole: Cuts) -> None:
    """Offer the results as files."""
    document = to_json(pair_document(outcome_of(comparison), comparison))
    files = (
        ("All results (JSON)", "json", document.encode()),
        ("Side by side with lines (JPEG)", "jpg", encode_jpeg(lay_side_by_side(whole, comparison))),
        ("Blinking (GIF)", "gif", blink_cuts(whole, comparison)),
    )
    parts.offer_files(f"{parts.file_stem(comparison.expression.photo_name)}_pair", files)
    st.caption(
        "The pictures are drawn anew and carry none of the photos’ metadata, but they show a face. "
        "File names keep the name of the photo: choose one that names nobody."
    )
