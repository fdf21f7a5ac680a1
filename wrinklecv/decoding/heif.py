"""HEIC (ISO/IEC 23008-12), by libheif."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from .header import MOST_PARTS, Header, Kind, corrupt, too_many_parts, truncated, with_profile
from .pixels import as_array

HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}
HEIC_SEQUENCES = {b"hevc", b"hevx", b"hevm", b"hevs"}


def brands(data: bytes) -> set[bytes]:
    """Return the brands of an ISO media file (HEIC, AVIF, MP4 …), the major one included."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4]), 1024)
    return {data[8:12], *(data[i : i + 4] for i in range(16, end, 4))}


def read_header(data: bytes) -> Header:
    """Return what `data` says of itself."""
    end = _end(data)
    _check_items(data)
    heif = _open(data)
    width, height = heif.size
    colours = heif.info.get("nclx_profile") or {}
    # 1 and 2 are sRGB's primaries and "unspecified"; 16 and 18 are the curves of HDR video (H.273).
    plain = colours.get("color_primaries", 1) in (1, 2)
    plain = plain and colours.get("transfer_characteristics", 13) not in (16, 18)
    icc = heif.info.get("icc_profile") or b""
    header = Header(
        kind=Kind.HEIF,
        width_px=width,
        height_px=height,
        end=end,
        exif=(heif.info.get("exif") or b"").removeprefix(b"Exif\0\0"),
        gray=heif.mode in ("L", "LA") or heif.mode.startswith(("L;", "I;")),
        alpha=heif.has_alpha,
        animated=bool(brands(data) & HEIC_SEQUENCES) and not brands(data) & HEIC_BRANDS,
        multi_picture=len(heif) > 1,
        orientation_done=True,  # HEIC turns by its own boxes, which libheif obeys; EXIF only repeats them
    )
    return with_profile(header, icc, whole=bool(icc) or plain)


def _end(data: bytes) -> int:
    """Return the offset after the last box; raise TRUNCATED when a box is longer than the file."""
    position = 0
    seen: set[bytes] = set()
    for _ in range(MOST_PARTS):
        size, name = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16])
        if len(name) < 4 or size < 8 or not name.isalnum():
            if {b"meta", b"mdat"} <= seen:
                return len(data) if size == 0 and name == b"mdat" else position
            raise truncated(Kind.HEIF, len(data))
        if position + size > len(data):
            raise truncated(Kind.HEIF, len(data))
        seen.add(name)
        position += size
    raise too_many_parts(Kind.HEIF)


def _check_items(data: bytes) -> None:
    """Raise where an item's type or name (ISO/IEC 14496-12, 8.11.6) is no text: pi_heif 1.4 would crash."""
    start = data.index(b"meta")
    meta = data[start : start - 4 + int.from_bytes(data[start - 4 : start])]
    for match in re.finditer(rb"infe[\2\3]", meta):
        at = match.start()
        box = meta[at : at - 4 + int.from_bytes(meta[at - 4 : at])]
        try:
            box[12 if box[4:5] == b"\2" else 14 :].decode("utf-8")
        except UnicodeDecodeError as error:
            raise corrupt(Kind.HEIF, "the type or name of an item is no text") from error


def _open(data: bytes) -> Any:
    """Return a ``pi_heif.HeifFile``; nothing is decoded yet."""
    import pi_heif  # late: most runs never see a HEIC file

    try:
        return pi_heif.open_heif(data)
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:  # as it documents
        raise corrupt(Kind.HEIF, str(error)) from error


def decode(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    """Return the pixels as stored; see `decoding.decode`."""
    try:
        return as_array(_open(data).to_pillow())
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:
        raise corrupt(header.kind, str(error)) from error
