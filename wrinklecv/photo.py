"""A file or bytes → an upright sRGB `Photo`, or the reason why not.

Damaged pictures are refused, never repaired: the grey fill of a cut JPEG looks like smooth skin. The
limits hold before anything is decoded. Of the metadata only the day the photo was taken is kept.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import PurePath
from typing import NoReturn

import cv2
import numpy as np
from PIL import Image, ImageCms

from .codes import Code
from .decoding import Header, Kind, brands, decode, find_kind, read_header
from .errors import UnreadablePhotoError
from .exif import read_exif
from .records import Bytes, Finding, Photo, Verdict
from .remote import fetch, is_remote

MOST_BYTES = 40 << 20
"""Of a file: a 50-megapixel phone JPEG has about 20 MB."""
MOST_PIXELS = 60_000_000
"""Phones reach 50 megapixels; decoding 60 stays under 1.5 GB in every format."""
MOST_SIDE_PX = 12_000
"""Of width and height: no camera's photo is longer, but panoramas and bombs are."""
LEAST_SIDE_PX = 64
"""Of width and height: less is an icon; a face that can be measured needs far more."""

_ROWS = 256
"""Rows converted at a time, to keep the memory for temporary copies small."""

_EXTENSIONS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), Kind.JPEG),
    ".png": Kind.PNG,
    ".webp": Kind.WEBP,
    **dict.fromkeys((".heic", ".heif", ".hif"), Kind.HEIF),
}
_OTHER_EXTENSIONS = {".gif", ".bmp", ".tif", ".tiff", ".avif", ".jp2", ".jxl", ".dng", ".dcm", ".svg", ".pdf"}

_PICTURES = (
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF or camera raw"),
    (b"MM\0*", "TIFF or camera raw"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"\0\0\1\0", "Icon"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
)
_DOCUMENTS = (
    (b"%PDF", "PDF"),
    (b"%!PS", "PostScript"),
    (b"\x93NUMPY", "NumPy"),
)


def read_photo(source: str | os.PathLike[str] | bytes, *, name: str = "") -> Photo:
    """Return the photo in the file `source` (or in the bytes `source`), upright and in sRGB.

    The sha256 is of the very bytes that were decoded. `name` is what people know the photo by; without
    it, the file's own name. Doubts about the file are in ``findings``, with verdict WARN.

    Raises:
        UnreadablePhotoError: the file is missing, too large, cut off, damaged or no photo; ``code``
            says which.
    """
    if isinstance(source, bytes):
        data = source
        _check_size(len(data))
    else:
        data = read_file(source)
        # A name that is not UTF-8 would fail later, in every table and terminal.
        name = name or os.fsencode(PurePath(source).name).decode("utf-8", "replace")
    sha256 = hashlib.sha256(data).hexdigest()
    kind = find_kind(data)
    if kind is None:
        _refuse_unknown(data, name)
    header = read_header(data, kind)
    _check_header(header)
    pixels = decode(data, header)
    pixels, profile_used = _to_srgb(pixels, header)
    orientation, taken_on = read_exif(header.exif)
    if not header.orientation_done:
        pixels = _turn(pixels, orientation)
    findings = tuple(_doubts(data, header, name, profile_used=profile_used))
    return Photo(np.ascontiguousarray(pixels), sha256, name, taken_on, findings)


def _fail(code: Code, message: str) -> NoReturn:
    raise UnreadablePhotoError(code, message)


# The file

_OPEN_FLAGS = os.O_RDONLY
# Not on every platform; NONBLOCK: a FIFO must not hang us; BINARY: Windows would change line ends.
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY"):
    _OPEN_FLAGS |= getattr(os, _flag, 0)


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a regular file that does not change while it is read, or of one in a store.

    Raises UnreadablePhotoError when it is missing, forbidden, too large, no regular file or a link.
    """
    if is_remote(path):
        return _fetch(str(path))
    try:
        descriptor = os.open(path, _OPEN_FLAGS)
    except ValueError:  # a NUL or a lone surrogate, which no file's name can hold
        _fail(Code.MISSING, "There is no such file (its name holds an impossible character). Check the name.")
    except OSError as error:
        _refuse_to_open(path, error)
    try:
        return _read_descriptor(descriptor)
    except OSError as error:
        message = f"The file could not be read ({error.strerror}). Check the disk or the network."
        _fail(Code.READ_FAILED, message)
    finally:
        os.close(descriptor)


def _fetch(address: str) -> bytes:
    try:
        data, size = fetch(address, MOST_BYTES)
    except FileNotFoundError:
        _fail(Code.MISSING, "There is no such file in the store. Check the address.")
    except PermissionError:
        _fail(
            Code.PERMISSION_DENIED, "The store does not let you read the file. Check your credentials there."
        )
    except OSError as error:
        _fail(Code.READ_FAILED, f"The file could not be fetched: {error.strerror}. Check the network.")
    _check_size(size)
    if len(data) != size:
        message = (
            f"{len(data)} of {size} bytes came. Wait until the file has been copied whole and try again."
        )
        _fail(Code.CHANGED_WHILE_READING, message)
    return data


def _read_descriptor(descriptor: int) -> bytes:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        _fail(Code.NOT_A_REGULAR_FILE, "It is a folder, pipe or device, not a file. Name a photo file.")
    _check_size(before.st_size)
    with open(descriptor, "rb", closefd=False) as file:
        data = file.read(before.st_size + 1)
    after = os.fstat(descriptor)
    if (len(data), after.st_size, after.st_mtime_ns) != (before.st_size, before.st_size, before.st_mtime_ns):
        message = "The file changed while it was read. Wait until it has been copied whole and try again."
        _fail(Code.CHANGED_WHILE_READING, message)
    return data


def _refuse_to_open(path: str | os.PathLike[str], error: OSError) -> NoReturn:
    reason = error.strerror
    if error.errno == errno.ELOOP:
        if _dangles(path):
            _fail(Code.MISSING, "It is a symbolic link to a file that does not exist. Check the name.")
        _fail(Code.SYMLINK, "It is a symbolic link, which is not followed. Name the file it points to.")
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG):
        _fail(Code.MISSING, f"There is no such file ({reason}). Check the name.")
    if error.errno in (errno.EACCES, errno.EPERM):
        _fail(Code.PERMISSION_DENIED, f"The file may not be read ({reason}). Ask its owner for the right to.")
    if error.errno == errno.ENXIO:
        _fail(Code.NOT_A_REGULAR_FILE, f"It is a socket or device, not a file ({reason}). Name a photo file.")
    _fail(Code.READ_FAILED, f"The file could not be opened ({reason}). Check the disk or the network.")


def _dangles(link: str | os.PathLike[str]) -> bool:
    try:
        os.stat(link)  # noqa: PTH116 - as it is given
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _check_size(size: int) -> None:
    if size == 0:
        _fail(Code.EMPTY_FILE, "The file is empty (0 bytes). Copy it again from the camera or phone.")
    if size > MOST_BYTES:
        sizes = f"{size / 2**20:.1f} MB, more than {MOST_BYTES >> 20} MB"
        _fail(Code.FILE_TOO_BIG, f"The file has {sizes}. Save it as a JPEG of high quality.")


# What it is


def _refuse_unknown(data: bytes, name: str) -> NoReturn:
    """Raise for bytes that are none of our formats, naming what they seem to be."""
    advice = "Save the photo as JPEG, PNG, WebP or HEIC."
    picture = next((label for start, label in _PICTURES if data.startswith(start)), "")
    if picture == "BMP" and data[6:10] != b"\0\0\0\0":  # two letters alone prove nothing
        picture = ""
    if brands(data) & {b"avif", b"avis"}:
        picture = "AVIF"
    if picture:
        _fail(Code.UNSUPPORTED_FORMAT, f"{picture} files are not read. {advice}")
    document = _find_document(data)
    if document and PurePath(name).suffix.lower() not in _EXTENSIONS:
        _fail(Code.UNSUPPORTED_FORMAT, f"{document} files are not read. {advice}")
    if data.startswith(b"version https://git-lfs"):
        advice = "It is a Git LFS pointer: fetch the real file with `git lfs pull`."
    what = f"its content is {document}" if document else f"it begins with the bytes {data[:8].hex(' ')}"
    _fail(Code.NOT_AN_IMAGE, f"The file is not a picture: {what}. {advice}")


def _find_document(data: bytes) -> str:
    """Return the name of a known kind of file that can hold a picture but is not a photo, or ''."""
    if data[128:132] == b"DICM":
        return "DICOM"
    if b"<svg" in data[:1024].lower():
        return "SVG"
    return next((label for start, label in _DOCUMENTS if data.startswith(start)), "")


def _check_header(header: Header) -> None:
    """Raise when the picture is not worth decoding, or too dangerous to."""
    width, height = header.width_px, header.height_px
    size = f"{width} × {height} px"
    if 0 in (width, height):
        _fail(Code.NOT_AN_IMAGE, f"The picture has no pixels ({size}). Copy it again from the camera.")
    if max(width, height) > MOST_SIDE_PX or width * height > MOST_PIXELS:
        limit = f"{MOST_SIDE_PX} px a side or {MOST_PIXELS / 1e6:.0f} megapixels"
        _fail(Code.TOO_MANY_PIXELS, f"The picture has {size}, more than {limit}. Shrink or crop it.")
    if min(width, height) < LEAST_SIDE_PX:
        _fail(
            Code.TOO_SMALL, f"The picture has {size}, less than {LEAST_SIDE_PX} px a side. Use the original."
        )
    if header.animated:
        _fail(
            Code.ANIMATED, "The file is an animation or film, not one photo. Save one frame as JPEG or PNG."
        )
    if 0 < header.colours <= 2:
        message = f"The picture has only {header.colours} colours. Use the original photo."
        _fail(Code.LOW_COLOUR, message)


# Colour


def _strips(height: int) -> Iterator[slice]:
    return (slice(row, row + _ROWS) for row in range(0, height, _ROWS))


def _to_srgb(pixels: Bytes, header: Header) -> tuple[Bytes, bool]:
    """Return (H, W, 3) sRGB pixels and whether the colour profile, if there is one, could be used."""
    if pixels.ndim == 2:
        pixels = pixels[:, :, np.newaxis]
    channels = 4 if header.cmyk else 3 if pixels.shape[2] >= 3 else 1
    colour, alpha = pixels[:, :, :channels], pixels[:, :, channels:]
    transform, profile_used = _find_transform(
        header.icc, "CMYK" if header.cmyk else "L" if channels == 1 else "RGB"
    )
    if transform is not None:
        colour = _apply(colour, transform)
    elif header.cmyk:
        colour = _mix_inks(colour)
    elif channels == 1:
        colour = np.repeat(colour, 3, axis=2)
    if alpha.shape[2]:
        colour = _lay_on_white(colour, alpha)
    return colour, profile_used


def _find_transform(icc: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform | None, bool]:
    """Return the way from the profile to sRGB (None: leave it as it is), and whether `icc` is usable."""
    if not icc:
        return None, True
    try:
        return _build_transform(icc, mode), True
    except (ImageCms.PyCMSError, OSError):
        return None, False


@lru_cache(maxsize=4)  # the photos of one camera share a profile, and building takes milliseconds
def _build_transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode != "RGB":
        return transform
    # Many profiles are sRGB under another name: what counts is whether they change a colour.
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 27, 3)
    change = np.abs(_apply(colours, transform).astype(int) - colours).max()
    return transform if change > 2 else None


def _apply(colour: Bytes, transform: ImageCms.ImageCmsTransform) -> Bytes:
    """Return `colour` (H, W, 1, 3 or 4 inks) as (H, W, 3) sRGB."""
    result = np.empty((*colour.shape[:2], 3), np.uint8)
    for rows in _strips(len(colour)):
        part = np.ascontiguousarray(colour[rows])
        if part.shape[2] == 4:  # Adobe stores inks inverted
            image = Image.fromarray(255 - part, "CMYK")
        else:
            image = Image.fromarray(part[:, :, 0] if part.shape[2] == 1 else part)
        result[rows] = np.asarray(ImageCms.applyTransform(image, transform))
    return result


def _mix_inks(inverted: Bytes) -> Bytes:
    """Return RGB of CMYK without a profile: each ink takes away its own colour, black all three."""
    result = np.empty((*inverted.shape[:2], 3), np.uint8)
    for rows in _strips(len(inverted)):
        part = inverted[rows].astype(np.uint16)
        result[rows] = (part[:, :, :3] * part[:, :, 3:] + 127) // 255
    return result


def _lay_on_white(colour: Bytes, alpha: Bytes) -> Bytes:
    """Return `colour` (H, W, 3) seen through `alpha` (H, W, 1; 0 = clear) on white."""
    result = np.empty(colour.shape, np.uint8)
    for rows in _strips(len(colour)):
        opacity = alpha[rows].astype(np.uint16)
        result[rows] = (colour[rows] * opacity + 255 * (255 - opacity) + 127) // 255
    return result


# Orientation (EXIF tag 0x0112); cv2 is three times as fast as numpy's copy of a turned view

_TURNS: dict[int, Callable[[Bytes], object]] = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def _turn(pixels: Bytes, orientation: int) -> Bytes:
    """Return the picture as it was seen, by its EXIF orientation."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.asarray(turn(pixels), dtype=np.uint8)


# Doubts


def _doubts(data: bytes, header: Header, name: str, *, profile_used: bool) -> Iterator[Finding]:
    """Yield what is odd about the file though it could be read."""
    suffix = PurePath(name).suffix.lower()
    named = _EXTENSIONS.get(suffix)
    if named not in (None, header.kind) or suffix in _OTHER_EXTENSIONS:
        advice = (
            f"The file is a {header.kind} but its name ends in {suffix}: check that it is the right file."
        )
        yield _doubt(Code.EXTENSION_MISMATCH, advice)
    # Cameras pad with zeros; a second picture is announced by itself.
    extra = 0 if header.multi_picture else len(data[header.end :].rstrip(b"\0"))
    if extra:
        advice = f"{extra} bytes follow the picture and were ignored: check where the file comes from."
        yield _doubt(Code.TRAILING_DATA, advice, float(extra), 0.0, "bytes")
    if header.multi_picture:
        advice = "The file holds several pictures and the main one was used: check that it is the right one."
        yield _doubt(Code.MULTI_PICTURE, advice)
    if header.gray:
        yield _doubt(Code.GRAY, "The picture has no colour, so skin is told less well: use a colour photo.")
    if header.cmyk:
        yield _doubt(Code.CMYK, "The picture was made for print and its tones are changed: use the original.")
    if header.alpha:
        yield _doubt(Code.ALPHA, "The picture can be transparent and was laid on white: use the original.")
    if header.icc_lost or not profile_used:
        advice = "The colour profile cannot be used and sRGB was assumed: save the photo as sRGB."
        yield _doubt(Code.ICC_IGNORED, advice)
    if header.colours:
        advice = f"The picture has at most {header.colours} colours, so tones are stepped: use the original."
        yield _doubt(Code.LOW_COLOUR, advice, float(header.colours), 256.0, "colours")


def _doubt(
    code: Code, advice: str, value: float | None = None, threshold: float | None = None, unit: str = ""
) -> Finding:
    return Finding(code, Verdict.WARN, advice, value=value, threshold=threshold, unit=unit)
