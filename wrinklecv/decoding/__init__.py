"""What a photo file says of itself, read without decoding; then its pixels as they are stored.

The files come from strangers. Each header reader walks its container once, in linear time and with
a bounded number of parts, and looks only at what is needed: size, colour, profile, orientation, date
and where the picture ends. Comments, text and XMP are never parsed, and the decoders do not see them
where that can be helped.
"""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt

from . import heif, jpeg, png, webp
from .header import Header, Kind, corrupt
from .heif import HEIC_BRANDS, HEIC_SEQUENCES, brands

__all__ = ["Header", "Kind", "brands", "decode", "find_kind", "read_header"]


def find_kind(data: bytes) -> Kind | None:
    """Return the format by the first bytes of `data`, or None when it is none that is read."""
    if data.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    # "mif1" alone only says "some picture": AVIF has it too.
    return Kind.HEIF if brands(data) & (HEIC_BRANDS | HEIC_SEQUENCES) else None


def read_header(data: bytes, kind: Kind) -> Header:
    """Return what `data` says of itself.

    Raises:
        UnreadablePhotoError: cut off, damaged, or of a variety that is not read.
    """
    readers = {
        Kind.JPEG: jpeg.read_header,
        Kind.PNG: png.read_header,
        Kind.WEBP: webp.read_header,
        Kind.HEIF: heif.read_header,
    }
    try:
        return readers[kind](data)
    except (struct.error, IndexError) as error:  # a field shorter than the format says
        raise corrupt(kind, "a field of its header is too short") from error


def decode(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    """Return the pixels as stored: (H, W) grey, or (H, W, 2) grey and alpha, 3 RGB, 4 RGB and alpha.

    Where ``header.cmyk``: (H, W, 4), 255 = no ink, as Adobe stores it.

    Raises:
        UnreadablePhotoError: the picture cannot be decoded without loss.
    """
    decoders = {
        Kind.JPEG: jpeg.decode,
        Kind.PNG: png.decode,
        Kind.WEBP: webp.decode,
        Kind.HEIF: heif.decode,
    }
    pixels = decoders[header.kind](data, header)
    if pixels.shape[:2] != (header.height_px, header.width_px):
        raise corrupt(header.kind, f"it is {pixels.shape[1]} × {pixels.shape[0]} px, not as its header says")
    return pixels
