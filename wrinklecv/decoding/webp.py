"""WebP (RFC 9649), by Pillow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from .header import MOST_PARTS, Header, Kind, corrupt, too_many_parts, truncated, with_profile
from .pixels import decode_by_pillow


def _chunks(data: bytes, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of each chunk's body up to byte `end` of the file."""
    position = 12
    for _ in range(MOST_PARTS):
        if position + 8 > end:
            return
        start = position + 8
        stop = start + int.from_bytes(data[position + 4 : start], "little")
        if stop > end:
            raise corrupt(Kind.WEBP, f"the chunk at byte {position} is longer than the file")
        yield data[position : position + 4], start, stop
        position = stop + (stop & 1)
    raise too_many_parts(Kind.WEBP)


def read_header(data: bytes) -> Header:
    """Return what `data` says of itself."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise truncated(Kind.WEBP, len(data))
    found: dict[bytes, bytes] = {}
    for name, start, stop in _chunks(data, end):
        body = data[start : start + 10] if name in (b"VP8 ", b"VP8L", b"VP8X") else data[start:stop]
        if name in (b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ICCP", b"EXIF"):
            found.setdefault(name, body)
    width, height, alpha = _size(found)
    exif = found.get(b"EXIF", b"").removeprefix(b"Exif\0\0")
    header = Header(kind=Kind.WEBP, width_px=width, height_px=height, end=end, exif=exif, alpha=alpha)
    return with_profile(replace(header, animated=b"ANMF" in found), found.get(b"ICCP", b""))


def _size(found: dict[bytes, bytes]) -> tuple[int, int, bool]:
    """Return width, height and whether there is an alpha channel."""
    if extended := found.get(b"VP8X"):
        width, height = (int.from_bytes(extended[i : i + 3], "little") + 1 for i in (4, 7))
        return width, height, bool(extended[0] & 0x10)
    if lossless := found.get(b"VP8L"):
        bits = int.from_bytes(lossless[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    if lossy := found.get(b"VP8 "):
        width, height = struct.unpack_from("<6xHH", lossy)
        return width & 0x3FFF, height & 0x3FFF, False
    raise corrupt(Kind.WEBP, "it holds no picture")


def decode(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    """Return the pixels as stored; see `decoding.decode`."""
    return decode_by_pillow(data[: header.end], header)
