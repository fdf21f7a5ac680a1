"""The two things we want of an EXIF block (CIPA DC-008): which way is up, and the day it was taken."""

from __future__ import annotations

import re
import struct
from datetime import date

_ORIENTATION, _EXIF_IFD, _DATE_TIME_ORIGINAL = 0x0112, 0x8769, 0x9003
_DATE = re.compile(rb"(\d{4}):(\d\d):(\d\d)")


def read_exif(exif: bytes) -> tuple[int, date | None]:
    """Return (orientation 1–8, day the photo was taken); 1 and None where the block does not say.

    Own reader, because Pillow's warns on damaged blocks and follows pointers we do not need. Rubbish
    gives (1, None), never an error: a photo is not refused for its metadata.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1, None
    try:
        main = _read_ifd(exif, order, struct.unpack_from(order + "I", exif, 4)[0])
        details = _read_ifd(exif, order, main.get(_EXIF_IFD, (0, 0))[1])
    except struct.error:
        return 1, None
    orientation = main.get(_ORIENTATION, (1, 1))[0]
    offset = details.get(_DATE_TIME_ORIGINAL, (0, 0))[1]
    return (orientation if 1 <= orientation <= 8 else 1), _read_date(exif[offset : offset + 10])


def _read_ifd(exif: bytes, order: str, offset: int) -> dict[int, tuple[int, int]]:
    """Return tag → (value as a 16-bit number, value or pointer as a 32-bit number)."""
    if offset == 0:
        return {}
    (count,) = struct.unpack_from(order + "H", exif, offset)
    entries = {}
    for start in range(offset + 2, min(offset + 2 + 12 * count, len(exif) - 11), 12):
        tag, long = struct.unpack_from(order + "H6xI", exif, start)
        entries[tag] = struct.unpack_from(order + "H", exif, start + 8)[0], long
    return entries


def _read_date(text: bytes) -> date | None:
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        return date(*(int(part) for part in match.groups()))
    except ValueError:  # "0000:00:00" is how a camera without a clock writes it
        return None
