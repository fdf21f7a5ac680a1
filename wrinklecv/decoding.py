"""What a photo file says of itself, read without decoding; then its pixels as they are stored.

The files come from strangers. Each header reader walks its container once, in linear time and with
a bounded number of parts, and looks only at what is needed: size, colour, profile, orientation, date
and where the picture ends. Comments, text and XMP are never parsed, and the decoders do not see them
where that can be helped.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from .codes import Code
from .errors import UnreadablePhotoError

_MOST_PARTS = 50_000
"""Segments, chunks or boxes in a file: a 40 MB PNG cut in 1 kB chunks has 40,000."""
_MOST_SCANS = 100
"""Of a progressive JPEG: usual are about 10; each costs a pass over the whole picture."""
_MOST_PROFILE_BYTES = 4 << 20
"""Of a colour profile: the largest printer profiles in use have about 3 MB."""

_AGAIN = "Copy the file again from the camera or phone."
_EXPORT = "Save it as JPEG or PNG from a picture program and try again."


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


def _fail(code: Code, message: str) -> NoReturn:
    raise UnreadablePhotoError(code, message)


def _truncated(kind: Kind, size: int) -> NoReturn:
    _fail(Code.TRUNCATED, f"The {kind} file ends too early, after {size} bytes. {_AGAIN}")


def _corrupt(kind: Kind, what: str) -> NoReturn:
    _fail(Code.CORRUPT, f"The {kind} file is damaged: {what}. {_AGAIN}")


def _too_many_parts(kind: Kind) -> NoReturn:
    _fail(Code.METADATA_TOO_BIG, f"The {kind} file has more than {_MOST_PARTS} parts. {_EXPORT}")


def find_kind(data: bytes) -> Kind | None:
    """Return the format by the first bytes of `data`, or None when it is none that is read."""
    if data.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind.WEBP
    # "mif1" alone only says "some picture": AVIF has it too.
    return Kind.HEIF if brands(data) & (_HEIC_BRANDS | _HEIC_SEQUENCES) else None


_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}
_HEIC_SEQUENCES = {b"hevc", b"hevx", b"hevm", b"hevs"}


def brands(data: bytes) -> set[bytes]:
    """Return the brands of an ISO media file (HEIC, AVIF, MP4 …), the major one included."""
    if data[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(data[:4]), 1024)
    return {data[8:12], *(data[i : i + 4] for i in range(16, end, 4))}


def read_header(data: bytes, kind: Kind) -> Header:
    """Return what `data` says of itself.

    Raises:
        UnreadablePhotoError: cut off, damaged, or of a variety that is not read.
    """
    readers = {Kind.JPEG: _read_jpeg, Kind.PNG: _read_png, Kind.WEBP: _read_webp, Kind.HEIF: _read_heif}
    try:
        return readers[kind](data)
    except (struct.error, IndexError):  # a field shorter than the format says
        _corrupt(kind, "a field of its header is too short")


def decode(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    """Return the pixels as stored: (H, W) grey, or (H, W, 2) grey and alpha, 3 RGB, 4 RGB and alpha.

    Where ``header.cmyk``: (H, W, 4), 255 = no ink, as Adobe stores it.

    Raises:
        UnreadablePhotoError: the picture cannot be decoded without loss.
    """
    decoders = {
        Kind.JPEG: _decode_jpeg,
        Kind.PNG: _decode_png,
        Kind.WEBP: _decode_webp,
        Kind.HEIF: _decode_heif,
    }
    pixels = decoders[header.kind](data, header)
    if pixels.shape[:2] != (header.height_px, header.width_px):
        _corrupt(header.kind, f"it is {pixels.shape[1]} × {pixels.shape[0]} px, not as its header says")
    return pixels


# JPEG (ITU-T T.81, annex B)

_MARKER = re.compile(rb"\xff++([^\x00\xff])", re.DOTALL)  # possessive: long padding is read once only
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_SOF = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF}
_SOS, _EOI, _APP1, _APP2 = 0xDA, 0xD9, 0xE1, 0xE2


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of each segment's body up to the end-of-image marker, included."""
    position, scans, components = 2, 0, 0
    for _ in range(_MOST_PARTS):
        match = _MARKER.match(data, position)
        if match is None:
            _broken_jpeg(data, position, scans)
        marker, start = match[1][0], match.end()
        if marker == _EOI:
            yield marker, start, start
            return
        position = start + max(2, int.from_bytes(data[start : start + 2]))
        if position > len(data):
            _broken_jpeg(data, position, scans)
        yield marker, start + 2, position
        if marker in (0xC0, 0xC1):  # sequential: a scan with all the components is the only one
            components = data[start + 7]
        elif marker == _SOS:
            scans += 1
            position = _skip_scan(data, position, last=data[start + 2] == components)
    _too_many_parts(Kind.JPEG)


def _skip_scan(data: bytes, position: int, *, last: bool) -> int:
    """Return the offset of the marker that ends the scan at `position`."""
    if not last:
        match = _END_OF_SCAN.search(data, position)
        if match is None:
            _truncated(Kind.JPEG, len(data))
        return match.start()
    # As 16-bit numbers, at even and at odd offsets: five times as fast as byte by byte.
    ends = []
    for start in (position, position + 1):
        count = max(0, len(data) - start) // 2
        places = np.frombuffer(data, "<u2", count, min(start, len(data))) == 0xD9FF
        if places.any():
            ends.append(start + 2 * int(places.argmax()))
    return min(ends) if ends else _truncated(Kind.JPEG, len(data))


def _broken_jpeg(data: bytes, position: int, scans: int) -> NoReturn:
    """Say why the walk ended at `position` without reaching the end of the picture."""
    if position == 2:
        _fail(Code.NOT_AN_IMAGE, f"The file begins like a JPEG but holds no picture. {_AGAIN}")
    # A changed byte in a scan can look like a marker; a file that still has its end is not cut off.
    has_end = scans > 0 and data.rfind(b"\xff\xd9", -64) >= 0
    if has_end or data[position:].strip(b"\xff"):
        _corrupt(Kind.JPEG, f"there is no marker at byte {min(position, len(data))}")
    _truncated(Kind.JPEG, len(data))


def _read_jpeg(data: bytes) -> Header:
    frame, exif, multi_picture, scans, end = b"", b"", False, 0, 0
    profile: dict[int, bytes] = {}
    for marker, start, end in _jpeg_segments(data):
        if marker in _SOF and not frame:
            _check_process(marker, data[start])
            frame = data[start:end]
        elif marker == _APP1 and not exif and data.startswith(b"Exif\0\0", start):
            exif = data[start + 6 : end]
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start):
            profile[data[start + 12]] = data[start + 14 : end]
        elif marker == _APP2 and data.startswith(b"MPF\0", start):
            multi_picture = True
        elif marker == _SOS:
            scans += 1
    if not frame or not scans:
        _corrupt(Kind.JPEG, "it holds no picture")
    if scans > _MOST_SCANS:
        _corrupt(Kind.JPEG, f"it has {scans} scans, more than {_MOST_SCANS}")
    height, width, components = struct.unpack_from(">xHHB", frame)
    icc = b"".join(profile[i] for i in sorted(profile))
    header = Header(kind=Kind.JPEG, width_px=width, height_px=height, end=end, exif=exif)
    header = replace(header, gray=components == 1, cmyk=components == 4, multi_picture=multi_picture)
    return _with_profile(header, icc)  # the decoder refuses a profile with a part missing


def _check_process(marker: int, bits: int) -> None:
    """Raise when the JPEG is not baseline, extended or progressive with 8 bits (T.81, table B.1)."""
    if marker > 0xC2 or bits != 8:
        what = f"{bits} bits, process {marker - 0xC0}"
        _fail(Code.UNSUPPORTED_FORMAT, f"It is a JPEG of a rare kind ({what}) that is not read. {_EXPORT}")


def _with_profile(header: Header, icc: bytes, *, whole: bool = True) -> Header:
    """Return `header` with the profile `icc`, or with the note that it cannot be used."""
    usable = whole and len(icc) <= _MOST_PROFILE_BYTES
    return replace(header, icc=icc if usable else b"", icc_lost=not usable)


def _decode_jpeg(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    colours = "CMYK" if header.cmyk else "GRAY" if header.gray else "RGB"
    try:
        # Asked before decoding: the decoder must not find another, larger picture than we did.
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=True)
        if (height, width) != (header.height_px, header.width_px):
            _corrupt(Kind.JPEG, "its size is stated twice and differs")
        pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colours, strict=True)
    except ValueError as error:
        # The decoder says "could not determine subsampling" for whatever is wrong with a header.
        what = "its header is wrong, or of a rare kind" if "subsampling" in str(error) else str(error)
        _corrupt(Kind.JPEG, what)
    return pixels[:, :, 0] if header.gray else pixels


# PNG (W3C, third edition, section 5)

_PNG_PICTURE = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_USED = _PNG_PICTURE | {b"iCCP", b"eXIf", b"acTL"}


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of each chunk's body up to IEND, included."""
    position = 8
    for _ in range(_MOST_PARTS):
        if position + 12 > len(data):
            _truncated(Kind.PNG, len(data))
        start = position + 8
        end = start + int.from_bytes(data[position : position + 4])
        name = data[position + 4 : start]
        if not name.isalpha():
            _corrupt(Kind.PNG, f"there is no chunk at byte {position}")
        if end + 4 > len(data):
            _truncated(Kind.PNG, len(data))
        yield name, start, end
        if name == b"IEND":
            return
        position = end + 4
    _too_many_parts(Kind.PNG)


def _read_png(data: bytes) -> Header:
    found, end = _find_png_parts(data)
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
    return _with_profile(header, icc, whole=whole)


def _find_png_parts(data: bytes) -> tuple[dict[bytes, bytes], int]:
    """Return the bodies of the chunks that tell something, and where the picture ends."""
    view = memoryview(data)
    found: dict[bytes, bytes] = {}
    end = 0
    for name, start, end in _png_chunks(data):
        if name not in _PNG_USED:
            continue
        if zlib.crc32(view[start - 4 : end]) != int.from_bytes(data[end : end + 4]):
            _corrupt(Kind.PNG, f"the check sum of chunk {name.decode()} at byte {start - 8} is wrong")
        found.setdefault(name, data[start:end] if name != b"IDAT" else b"")
    if not {b"IHDR", b"IDAT"} <= found.keys():
        _corrupt(Kind.PNG, "it holds no picture")
    return found, end + 4


def _inflate_profile(chunk: bytes) -> tuple[bytes, bool]:
    """Return the profile of an iCCP chunk, never more than the limit, and whether it is whole."""
    if not chunk:
        return b"", True
    inflater = zlib.decompressobj()
    try:
        packed = chunk[chunk.index(b"\0") + 2 :]
        icc = inflater.decompress(packed, _MOST_PROFILE_BYTES)
    except (ValueError, zlib.error):
        return b"", False
    return icc, inflater.eof


def _decode_png(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    view = memoryview(data)
    # 16-bit transparent colours are not understood by Pillow; such files are hardly ever seen.
    wide = data[24] == 16
    kept = (
        view[start - 8 : end + 4]
        for name, start, end in _png_chunks(data)
        if name in _PNG_PICTURE and not (wide and name == b"tRNS")
    )
    return _decode_by_pillow(b"".join([data[:8], *kept]), header)


def _decode_by_pillow(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data), formats=(header.kind.name,)) as image:
            image.load()
            return _as_array(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        _corrupt(header.kind, str(error))


def _as_array(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Return a decoded Pillow image as an array; see `decode`."""
    if image.mode.startswith("I;16"):  # Pillow's own conversion to 8 bits clips instead of scaling
        return (np.asarray(image) >> 8).astype(np.uint8)
    if "transparency" in image.info:
        return np.asarray(image.convert("RGBA"))
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    return np.asarray(image)


# WebP (RFC 9649)


def _webp_chunks(data: bytes, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of each chunk's body up to byte `end` of the file."""
    position = 12
    for _ in range(_MOST_PARTS):
        if position + 8 > end:
            return
        start = position + 8
        stop = start + int.from_bytes(data[position + 4 : start], "little")
        if stop > end:
            _corrupt(Kind.WEBP, f"the chunk at byte {position} is longer than the file")
        yield data[position : position + 4], start, stop
        position = stop + (stop & 1)
    _too_many_parts(Kind.WEBP)


def _read_webp(data: bytes) -> Header:
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        _truncated(Kind.WEBP, len(data))
    found: dict[bytes, bytes] = {}
    for name, start, stop in _webp_chunks(data, end):
        body = data[start : start + 10] if name in (b"VP8 ", b"VP8L", b"VP8X") else data[start:stop]
        if name in (b"VP8 ", b"VP8L", b"VP8X", b"ANMF", b"ICCP", b"EXIF"):
            found.setdefault(name, body)
    width, height, alpha = _webp_size(found)
    exif = found.get(b"EXIF", b"").removeprefix(b"Exif\0\0")
    header = Header(kind=Kind.WEBP, width_px=width, height_px=height, end=end, exif=exif, alpha=alpha)
    return _with_profile(replace(header, animated=b"ANMF" in found), found.get(b"ICCP", b""))


def _webp_size(found: dict[bytes, bytes]) -> tuple[int, int, bool]:
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
    _corrupt(Kind.WEBP, "it holds no picture")


def _decode_webp(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    return _decode_by_pillow(data[: header.end], header)


# HEIC (ISO/IEC 23008-12), by libheif


def _read_heif(data: bytes) -> Header:
    end = _heif_end(data)
    heif = _open_heif(data)
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
        animated=bool(brands(data) & _HEIC_SEQUENCES) and not brands(data) & _HEIC_BRANDS,
        multi_picture=len(heif) > 1,
        orientation_done=True,  # HEIC turns by its own boxes, which libheif obeys; EXIF only repeats them
    )
    return _with_profile(header, icc, whole=bool(icc) or plain)


def _heif_end(data: bytes) -> int:
    """Return the offset after the last box; raise TRUNCATED when a box is longer than the file."""
    position = 0
    seen: set[bytes] = set()
    for _ in range(_MOST_PARTS):
        size, name = int.from_bytes(data[position : position + 4]), data[position + 4 : position + 8]
        if size == 1:
            size = int.from_bytes(data[position + 8 : position + 16])
        if len(name) < 4 or size < 8 or not name.isalnum():
            if {b"meta", b"mdat"} <= seen:
                return len(data) if size == 0 and name == b"mdat" else position
            _truncated(Kind.HEIF, len(data))
        if position + size > len(data):
            _truncated(Kind.HEIF, len(data))
        seen.add(name)
        position += size
    _too_many_parts(Kind.HEIF)


def _open_heif(data: bytes) -> Any:
    """Return a ``pi_heif.HeifFile``; nothing is decoded yet."""
    import pi_heif  # late: most runs never see a HEIC file

    try:
        return pi_heif.open_heif(data)
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:  # as it documents
        _corrupt(Kind.HEIF, str(error))


def _decode_heif(data: bytes, header: Header) -> npt.NDArray[np.uint8]:
    try:
        return _as_array(_open_heif(data).to_pillow())
    except (ValueError, EOFError, SyntaxError, RuntimeError, OSError) as error:
        _corrupt(header.kind, str(error))
