"""PNG (W3C, third edition, section 5), by Pillow."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .header import (
    MOST_PARTS,
    MOST_PROFILE_BYTES,
    Header,
    Kind,
    corrupt,
    too_many_parts,
    truncated,
    with_profile,
)
from .pixels import decode_by_pillow

_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_USED = _PICTURE | {b"iCCP", b"eXIf", b"acTL"}


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of each chunk's body up to IEND, included."""
    position = 8
    for _ in range(MOST_PARTS):
        if position + 12 > len(data):
            raise truncated(Kind.PNG, len(data))
        start = position + 8
        end = start + int.from_bytes(data[position : position + 4])
        name = data[position + 4 : start]
        if not name.isalpha():
            raise corrupt(Kind.PNG, f"there is no chunk at byte {position}")
        if end + 4 > len(data):
            raise truncated(Kind.PNG, len(data))
        yield name, start, end
        if name == b"IEND":
            return
        position = end + 4
    raise too_many_parts(Kind.PNG)


def read_header(data: bytes) -> Header:
    """Return what `data` says of itself."""
    found, end = _find_parts(data)
    width, height, depth, colour = struct.unpack_from(">IIBB", found[b"IHDR"])
    palette = len(found.get(b"PLTE", b"")) // 3
    colours = min(palette, 2**depth) if colour == 3 else 2**depth
    icc, whole = _inflate_profile(found.get(b"iCCP", b""))
    header = Header(
        kind=Kind.PNG,
        width_px=width,
        height_px=height,
        end=end,
        exif=found.get(b"eXIf", b""),
        gray=colour in (0, 4),
        alpha=colour in (4, 6) or b"tRNS" in found,
        colours=colours if colour == 3 or depth < 8 else 0,
        animated=int.from_bytes(found.get(b"acTL", b"")[:4]) > 1,
    )
    return with_profile(header, icc, whole=whole)


def _find_parts(data: bytes) -> tuple[dict[bytes, bytes], int]:
    """Return the bodies of the chunks that tell something, and where the picture ends."""
    view = memoryview(data)
    found: dict[bytes, bytes] = {}
    end = 0
    for name, start, end in _chunks(data):
        if name not in _USED:
            continue
        if zlib.crc32(view[start - 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise corrupt(Kind.PNG, f"the check sum of chunk {name.decode()} at byte {start - 8} is wrong")
        found.setdefault(name, data[start:end] if name != b"IDAT" else b"")
    if not {b"IHDR", b"IDAT"} <= found.keys():
        raise corrupt(Kind.PNG, "it holds no picture")
    return found, end + 4


def _inflate_profile(chunk: bytes) -> tuple[bytes, bool]:
    """Return the profile of an iCCP chunk, never more than the limit, and whether it is whole."""
    if not chunk:
        return b"", True
    inflater = zlib.decompressobj()
    try:
        packed = chunk[chunk.index(b"\0") + 2 :]
        icc = inflater.decompress(packed, MOST_PROFILE_BYTES)
    except (ValueError, zlib.error):
        return b"", False
    return icc, inflater.eof


def decode(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    """Return the pixels as stored; see `decoding.decode`."""
    view = memoryview(data)
    # 16-bit transparent colours are not understood by Pillow; such files are hardly ever seen.
    wide = data[24] == 16
    kept = (
        view[start - 8 : end + 4]
        for name, start, end in _chunks(data)
        if name in _PICTURE and not (wide and name == b"tRNS")
    )
    return decode_by_pillow(b"".join([data[:8], *kept]), header)
