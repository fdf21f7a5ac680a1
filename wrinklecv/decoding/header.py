"""What the readers of all formats share: the header's record, the limits, and how a file is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from ..codes import Code
from ..errors import UnreadablePhotoError

MOST_PARTS = 50_000
"""Segments, chunks or boxes in a file: a 40 MB PNG cut in 1 kB chunks has 40,000."""
MOST_PROFILE_BYTES = 4 << 20
"""Of a colour profile: the largest printer profiles in use have about 3 MB."""

AGAIN = "Copy the file again from the camera or phone."
EXPORT = "Save it as JPEG or PNG from a picture program and try again."


class Kind(StrEnum):
    """A file format that is read."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    HEIF = "HEIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the file says before its pixels are decoded.

    width_px, height_px: as stored, before any turning; end: offset of the first byte after the
    picture; exif: the TIFF block, or empty; icc: the colour profile, or empty; icc_lost: there is a
    profile (or another colour space) that cannot be used; colours: the most colours it can hold when
    that is few, else 0; orientation_done: the decoder turns the picture itself.
    """

    kind: Kind
    width_px: int
    height_px: int
    end: int
    exif: bytes = b""
    icc: bytes = b""
    icc_lost: bool = False
    gray: bool = False
    cmyk: bool = False
    alpha: bool = False
    colours: int = 0
    animated: bool = False
    multi_picture: bool = False
    orientation_done: bool = False


def with_profile(header: Header, icc: bytes, *, whole: bool = True) -> Header:
    """Return `header` with the profile `icc`, or with the note that it cannot be used."""
    usable = whole and len(icc) <= MOST_PROFILE_BYTES
    return replace(header, icc=icc if usable else b"", icc_lost=not usable)


def truncated(kind: Kind, size: int) -> UnreadablePhotoError:
    """Return the refusal of a file that is cut off after `size` bytes."""
    return UnreadablePhotoError(
        Code.TRUNCATED, f"The {kind} file ends too early, after {size} bytes. {AGAIN}"
    )


def corrupt(kind: Kind, what: str) -> UnreadablePhotoError:
    """Return the refusal of a damaged file; `what` says what is wrong."""
    return UnreadablePhotoError(Code.CORRUPT, f"The {kind} file is damaged: {what}. {AGAIN}")


def too_many_parts(kind: Kind) -> UnreadablePhotoError:
    """Return the refusal of a file of more than `MOST_PARTS` parts."""
    return UnreadablePhotoError(
        Code.METADATA_TOO_BIG, f"The {kind} file has more than {MOST_PARTS} parts. {EXPORT}"
    )
