"""What a worker does with one photo or pair: read, measure, draw, and keep what it found for the next run.

What an earlier run kept is taken over when it was made of the same bytes in the same way. A picture that is
missing, or is not the one that belongs to it, is drawn again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from . import tables
from .codes import Code
from .documents import (
    OtherFieldsError,
    assessment_from,
    assessment_text,
    comparison_from,
    comparison_text,
)
from .errors import PhotoError, UnreadablePhotoError
from .kept import Kept, key_of, photo_key
from .listing import Pair, Shot
from .pairs import Comparison
from .records import Assessment, Bytes, Photo
from .settings import Settings
from .whole_files import safe_name
from .workers import Failed

OVERLAY_LONG_SIDE_PX = 1600


class Scored(NamedTuple):
    """What a worker brings back of one file: an assessment and its overlay (JPEG), or why there is none.

    The assessment comes without its chart: 3 MB of pixels are not carried between processes. taken_over:
    from an earlier run; then the overlay is empty where the picture of that run is there. document: the JSON
    document for people, empty where it is there already; None when nobody made it.
    """

    sha256: str
    assessment: Assessment | None = None
    overlay: bytes = b""
    code: Code | None = None
    message: str = ""
    taken_over: bool = False
    document: bytes | None = None


AssessOne = Callable[[Any, str, Settings, bool], Scored]
"""(file: a Path or an address, path as shown, settings, is an overlay wanted?) → Scored."""


class Compared(NamedTuple):
    """What a worker brings back of one pair: a comparison and its pictures, or why there is none."""

    comparison: Comparison | None = None
    side_by_side: bytes = b""
    blink: bytes = b""
    code: Code | None = None
    message: str = ""
    taken_over: bool = False


ComparePair = Callable[[Pair, Settings, bool], Compared]
"""(pair, settings, are pictures wanted?) → Compared."""


class Place(NamedTuple):
    """Where finished results are kept, and the folders of JSON documents and pictures (None: none wanted)."""

    kept: Kept
    documents: Path
    pictures: Path | None


def assess_file(file: Path | str, path: str, settings: Settings, overlay: bool) -> Scored:
    """Read and assess one file; a photo that cannot be measured is a Scored with its code."""
    from .assessment import assess
    from .photo import read_file, read_photo

    sha256 = ""
    try:
        content = read_file(file)
        sha256 = hashlib.sha256(content).hexdigest()  # a refused photo's row tells which bytes it was
        photo = read_photo(content, name=path)
        assessment = assess(photo, settings=settings)
    except PhotoError as error:
        return Scored(sha256, code=error.code, message=str(error))
    drawn = _overlay(photo, assessment) if overlay else b""
    return Scored(sha256, replace(assessment, chart=None), drawn)


def compare_files(pair: Pair, settings: Settings, pictures: bool) -> Compared:
    """Read, assess and compare the two photos of a pair."""
    from .comparison import compare

    try:
        rest_photo, rest = _last_rest(pair.rest, settings)
        photo, expression = _assessed(pair.expression, settings)
    except PhotoError as error:
        return Compared(code=error.code, message=str(error))
    found = compare(rest, expression, name=pair.name, settings=settings)
    found = replace(found, rest=replace(rest, chart=None), expression=replace(expression, chart=None))
    if not pictures:
        return Compared(found)
    from .draw_pairs import blink, side_by_side

    beside = _jpeg(side_by_side(rest_photo, photo, found))
    return Compared(found, beside, blink(rest_photo, photo, found))


def _assessed(shot: Shot, settings: Settings) -> tuple[Photo, Assessment]:
    """Read and assess a photo that was scored before."""
    from .assessment import assess
    from .photo import read_file, read_photo

    content = read_file(shot.file)
    if hashlib.sha256(content).hexdigest() != shot.sha256:
        message = "The file changed after it was scored. Score the folder again."
        raise UnreadablePhotoError(Code.CHANGED_WHILE_READING, message)
    photo = read_photo(content, name=shot.path)
    return photo, assess(photo, settings=settings)


_last_rest = lru_cache(maxsize=1)(_assessed)
"""The expressions of one visit come one after the other and share their rest photo."""


def forget_rest() -> None:
    """Let go of the last rest photo, where pairs were compared in this process."""
    _last_rest.cache_clear()


def _overlay(photo: Photo, assessment: Assessment) -> bytes:
    """Draw the lines on the photo."""
    from .draw import draw_lines

    return _jpeg(draw_lines(photo, assessment))


def _jpeg(pixels: Bytes) -> bytes:
    """Return a JPEG of at most `OVERLAY_LONG_SIDE_PX`, without metadata."""
    from .draw import encode_jpeg
    from .frames import shrunk

    return encode_jpeg(shrunk(pixels, OVERLAY_LONG_SIDE_PX))


# -- what was finished before ----------------------------------------------------------------------


def score_file(
    assess_one: AssessOne, file: Path | str, path: str, settings: Settings, place: Place
) -> Scored:
    """Take over what an earlier run found in the same bytes, else assess them and keep what is found.

    Raises OutputError when it cannot be kept.
    """
    found = _finished(file, path, place)
    if found is not None:
        return found
    scored = assess_one(file, path, settings, place.pictures is not None)
    if not scored.sha256:  # not even its bytes could be read: the next run tries again
        return scored
    # Every number goes the same way to the tables, whether it is taken over or not.
    tree = _photo_tree(scored)
    same = _scored(tree, scored.sha256, path) or scored
    told = same._replace(overlay=scored.overlay, document=_document(same.assessment), taken_over=False)
    place.kept.write(photo_key(scored.sha256, path), tree | _digests(told, path, tree))
    return told


def _document(assessment: Assessment | None) -> bytes:
    return b"" if assessment is None else tables.to_json(tables.document(assessment)).encode()


def note_crash(file: Path | str, path: str, failed: Failed, kept: Kept | None) -> Scored:
    """Say what became of a photo whose worker died; keep it, so that the next run does not try it again."""
    from .photo import read_file

    sha256 = ""
    if failed.code is not Code.TIMED_OUT:  # it may lie on a disk that does not answer: that would hang us
        with suppress(PhotoError):
            sha256 = hashlib.sha256(read_file(file)).hexdigest()
    scored = Scored(sha256, code=failed.code, message=failed.message)
    if kept and sha256 and failed.code is Code.CRASHED:
        kept.write(photo_key(sha256, path), _photo_tree(scored))
    return scored


def compare_pair(compare_one: ComparePair, pair: Pair, settings: Settings, place: Place) -> Compared:
    """Take over what an earlier run found in the same two photos, else compare them and keep what is found.

    Raises OutputError when it cannot be kept.
    """
    found = _finished_pair(pair, place)
    if found is not None:
        return found
    compared = compare_one(pair, settings, place.pictures is not None)
    comparison = compared.comparison
    if comparison is None:  # a file that changed or vanished: the next run tries again
        return compared
    text = comparison_text(comparison)
    digests = [_digest(compared.side_by_side), _digest(compared.blink)]
    place.kept.write(pair_key(pair), {"comparison": text, "pictures": digests})
    both = (assessment_from(assessment_text(a)) for a in (comparison.rest, comparison.expression))
    return compared._replace(comparison=comparison_from(text, *both))


def note_pair_crash(pair: Pair, failed: Failed, kept: Kept | None) -> Compared:
    """Say what became of a pair whose worker died; keep it, so that the next run does not try it again."""
    if kept and failed.code is Code.CRASHED:
        kept.write(pair_key(pair), {"code": failed.code, "message": failed.message})
    return Compared(code=failed.code, message=failed.message)


def pair_key(pair: Pair) -> str:
    """Return the name of a pair's result: by both photos and the expression that was asked for."""
    both = (photo_key(shot.sha256, shot.path) for shot in (pair.rest, pair.expression))
    return key_of("pair", *both, pair.name)


def _finished(file: Path | str, path: str, place: Place) -> Scored | None:
    from .photo import read_file, read_photo

    try:
        content = read_file(file)
    except PhotoError:
        return None
    sha256 = hashlib.sha256(content).hexdigest()
    key = photo_key(sha256, path)
    tree = place.kept.read(key)
    scored = None if tree is None else _scored(tree, sha256, path)
    if tree is None or scored is None or scored.assessment is None:
        return scored
    name, overlay, document = safe_name(path, sha256), b"", b""
    if tree["path"] != path or _digest_of(place.documents / f"{name}.json") != tree["document"]:
        document = _document(scored.assessment)
    if place.pictures and (
        not tree["overlay"] or _digest_of(place.pictures / f"{name}.jpg") != tree["overlay"]
    ):
        overlay = _drawn_by_another_name(place.pictures, sha256, tree["overlay"])
        try:
            overlay = overlay or _overlay(read_photo(content, name=path), scored.assessment)
        except PhotoError:
            return None
    told = scored._replace(overlay=overlay, document=document)
    if overlay or document:
        place.kept.write(key, tree | _digests(told, path, tree))
    return told


def _drawn_by_another_name(pictures: Path, sha256: str, digest: str) -> bytes:
    """Return the overlay of the same bytes in another file: a copy, or the photo before it was renamed."""
    found = pictures.glob(f"{safe_name('', sha256)[:13]}*.jpg") if digest else ()
    return next((f.read_bytes() for f in found if _digest_of(f) == digest), b"")


def _finished_pair(pair: Pair, place: Place) -> Compared | None:
    tree = place.kept.read(pair_key(pair))
    if tree is None:
        return None
    if "code" in tree:
        return Compared(code=Code(tree["code"]), message=tree["message"], taken_over=True)
    name = safe_name(pair.expression.path, pair.expression.sha256)
    if place.pictures is not None:
        drawn = (place.pictures / f"{name}_kinds.jpg", place.pictures / f"{name}_blink.gif")
        if [_digest_of(file) for file in drawn] != tree["pictures"]:
            return None
    both = (_kept_assessment(shot, place.kept) for shot in (pair.rest, pair.expression))
    rest, expression = both
    if rest is None or expression is None:
        return None
    try:
        return Compared(comparison_from(tree["comparison"], rest, expression), taken_over=True)
    except OtherFieldsError:
        return None


def _kept_assessment(shot: Shot, kept: Kept) -> Assessment | None:
    tree = kept.read(photo_key(shot.sha256, shot.path))
    scored = None if tree is None else _scored(tree, shot.sha256, shot.path)
    return None if scored is None else scored.assessment


def _photo_tree(scored: Scored) -> dict[str, Any]:
    """Return what is kept of a photo; the name goes with the file, not with its bytes."""
    found = scored.assessment
    text = None if found is None else assessment_text(replace(found, photo_name=""))
    told = {"assessment": text, "code": scored.code, "message": scored.message}
    return told | {"path": "", "document": "", "overlay": ""}


def _digests(scored: Scored, path: str, before: dict[str, Any]) -> dict[str, Any]:
    """Return what tells whether document and overlay are there; of those not made now, what was `before`."""
    document, overlay = _digest(scored.document or b""), _digest(scored.overlay)
    return {
        "path": path,
        "document": document or before["document"],
        "overlay": overlay or before["overlay"],
    }


def _scored(tree: dict[str, Any], sha256: str, path: str) -> Scored | None:
    """Return what `_photo_tree` made `tree` from; None when a record has changed since."""
    try:
        found = None if tree["assessment"] is None else assessment_from(tree["assessment"])
        code = None if tree["code"] is None else Code(tree["code"])
        message = str(tree["message"])
        _ = tree["path"], tree["document"], tree["overlay"]
    except (OtherFieldsError, KeyError, ValueError):
        return None
    named = None if found is None else replace(found, photo_name=path)
    return Scored(sha256, named, b"", code, message, taken_over=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest() if content else ""


def _digest_of(file: Path) -> str:
    try:
        return _digest(file.read_bytes())
    except OSError:
        return ""
