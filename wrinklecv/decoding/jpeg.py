"""JPEG (ITU-T T.81, annex B), by libjpeg-turbo."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import simplejpeg

from ..codes import Code
from ..errors import UnreadablePhotoError
from .header import (
    AGAIN,
    EXPORT,
    MOST_PARTS,
    Header,
    Kind,
    corrupt,
    too_many_parts,
    truncated,
    with_profile,
)

_MOST_SCANS = 100
"""Of a progressive JPEG: usual are about 10; each costs a pass over the whole picture."""

_MARKER = re.compile(rb"\xff++([^\x00\xff])", re.DOTALL)  # possessive: long padding is read once only
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_SOF = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_SOS, _EOI, _DQT, _APP1, _APP2 = 0xDA, 0xD9, 0xDB, 0xE1, 0xE2


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment's body up to the end-of-image marker, included."""
    position, scans, components = 2, 0, 0
    for _ in range(MOST_PARTS):
        match = _MARKER.match(data, position)
        if match is None:
            raise _broken(data, position, scans)
        marker, start = match[1][0], match.end()
        if marker == _EOI:
            yield marker, start, start
            return
        position = start + max(2, int.from_bytes(data[start : start + 2]))
        if position > len(data):
            raise _broken(data, position, scans)
        yield marker, start + 2, position
        if marker in (0xC0, 0xC1):  # sequential: a scan with all the components is the only one
            components = data[start + 7]
        elif marker == _SOS:
            scans += 1
            position = _skip_scan(data, position, last=data[start + 2] == components)
    raise too_many_parts(Kind.JPEG)


def _skip_scan(data: bytes, position: int, *, last: bool) -> int:
    """Return the offset of the marker that ends the scan at `position`."""
    if not last:
        match = _END_OF_SCAN.search(data, position)
        if match is None:
            raise truncated(Kind.JPEG, len(data))
        return match.start()
    # As 16-bit numbers, at even and at odd offsets: five times as fast as byte by byte.
    ends = []
    for start in (position, position + 1):
        count = max(0, len(data) - start) // 2
        places = np.frombuffer(data, "<u2", count, min(start, len(data))) == 0xD9FF
        if places.any():
            ends.append(start + 2 * int(places.argmax()))
    if not ends:
        raise truncated(Kind.JPEG, len(data))
    return min(ends)


def _broken(data: bytes, position: int, scans: int) -> UnreadablePhotoError:
    """Return why the walk ended at `position` without reaching the end of the picture."""
    if position == 2:
        return UnreadablePhotoError(
            Code.NOT_AN_IMAGE, f"The file begins like a JPEG but holds no picture. {AGAIN}"
        )
    # A changed byte in a scan can look like a marker; a file that still has its end is not cut off.
    has_end = scans > 0 and data.rfind(b"\xff\xd9", -64) >= 0
    if has_end or data[position:].strip(b"\xff"):
        return corrupt(Kind.JPEG, f"there is no marker at byte {min(position, len(data))}")
    return truncated(Kind.JPEG, len(data))


def _check_steps(tables: bytes) -> None:
    """Raise for a quantisation step of 0 (table B.4 asks for 1 and more): it makes a flat picture."""
    position = 0
    while position < len(tables):
        size = 2 if tables[position] >> 4 else 1
        steps = tables[position + 1 : position + 1 + 64 * size]
        if len(steps) == 64 * size and not np.frombuffer(steps, f">u{size}").all():
            raise corrupt(Kind.JPEG, "a quantisation step is 0")
        position += 1 + 64 * size  # a table that is cut off is the decoder's to refuse


def read_header(data: bytes) -> Header:
    """Return what `data` says of itself."""
    frame, exif, multi_picture, scans, end = b"", b"", False, 0, 0
    profile: dict[int, bytes] = {}
    for marker, start, end in _segments(data):
        if marker in _SOF and not frame:
            _check_process(marker, data[start])
            frame = data[start:end]
        elif marker == _APP1 and not exif and data.startswith(b"Exif\0\0", start):
            exif = data[start + 6 : end]
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start):
            profile[data[start + 12]] = data[start + 14 : end]
        elif marker == _APP2 and data.startswith(b"MPF\0", start):
            multi_picture = True
        elif marker == _DQT:
            _check_steps(data[start:end])
        elif marker == _SOS:
            scans += 1
    if not frame or not scans:
        raise corrupt(Kind.JPEG, "it holds no picture")
    if scans > _MOST_SCANS:
        raise corrupt(Kind.JPEG, f"it has {scans} scans, more than {_MOST_SCANS}")
    height, width, components = struct.unpack_from(">xHHB", frame)
    icc = b"".join(profile[i] for i in sorted(profile))
    header = Header(kind=Kind.JPEG, width_px=width, height_px=height, end=end, exif=exif)
    header = replace(header, gray=components == 1, cmyk=components == 4, multi_picture=multi_picture)
    return with_profile(header, icc)  # the decoder refuses a profile with a part missing


def _check_process(marker: int, bits: int) -> None:
    """Raise when the JPEG is not baseline, extended or progressive with 8 bits (T.81, table B.1)."""
    if marker > 0xC2 or bits != 8:
        what = f"{bits} bits, process {marker - 0xC0}"
        raise UnreadablePhotoError(
            Code.UNSUPPORTED_FORMAT, f"It is a JPEG of a rare kind ({what}) that is not read. {EXPORT}"
        )


def decode(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    """Return the pixels as stored; see `decoding.decode`."""
    colours = "CMYK" if header.cmyk else "GRAY" if header.gray else "RGB"
    try:
        # Asked before decoding: the decoder must not find another, larger picture than we did.
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=True)
        if (height, width) != (header.height_px, header.width_px):
            raise corrupt(Kind.JPEG, "its size is stated twice and differs")
        pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colours, strict=True)
    except ValueError as error:
        # The decoder says "could not determine subsampling" for whatever is wrong with a header.
        what = "its header is wrong, or of a rare kind" if "subsampling" in str(error) else str(error)
        raise corrupt(Kind.JPEG, what) from error
    return pixels[:, :, 0] if header.gray else pixels
