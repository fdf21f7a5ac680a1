"""Decoding files from strangers: damage is seen, no file costs much, nothing else happens."""

from __future__ import annotations

import random
import struct
import time
import zlib

import pytest
import simplejpeg
from PIL import Image
from test_photo import FACE, HEIC, JPEG, PNG, SRGB, WEBP, doubts, encode, exif, png, png_chunk, refusal

from wrinklecv.codes import Code
from wrinklecv.errors import UnreadablePhotoError
from wrinklecv.photo import read_photo
from wrinklecv.records import Photo

# Damage


@pytest.mark.parametrize("data", [JPEG, PNG, WEBP, HEIC], ids=["JPEG", "PNG", "WebP", "HEIC"])
def test_a_cut_file_is_truncated_wherever_it_is_cut(data: bytes) -> None:
    for size in {40, len(data) - 1, len(data) - 2, *range(len(data) // 20, len(data), len(data) // 50)}:
        assert refusal(data[:size]) is Code.TRUNCATED, size


def test_a_jpeg_cut_and_filled_up_is_corrupt() -> None:
    half = JPEG[: len(JPEG) // 2]
    assert refusal(half + bytes(len(half) - 2) + b"\xff\xd9") is Code.CORRUPT
    assert refusal(half + b"\xff\xd9") is Code.CORRUPT


def test_bit_rot_in_a_jpeg_is_seen() -> None:
    damaged = bytearray(JPEG)
    dice = random.Random(7)  # noqa: S311 - no secret
    for _ in range(40):
        damaged[dice.randrange(JPEG.index(b"\xff\xda") + 20, len(JPEG) - 2)] = dice.randrange(255)
    assert refusal(bytes(damaged)) is Code.CORRUPT


def test_every_changed_bit_in_the_pixels_of_a_png_is_seen() -> None:
    for place in range(PNG.index(b"IDAT"), len(PNG) - 16, len(PNG) // 97):
        damaged = bytearray(PNG)
        damaged[place] ^= 4
        assert refusal(bytes(damaged)) in (Code.CORRUPT, Code.TRUNCATED), place


def test_a_second_larger_frame_cannot_be_smuggled_in() -> None:
    frame = JPEG.index(b"\xff\xc0")
    large = bytearray(JPEG[frame : frame + 19])
    large[5:9] = b"\x2e\xe0\x2e\xe0"
    assert (
        refusal(JPEG[:frame] + JPEG[frame : frame + 19] + bytes(large) + JPEG[frame + 19 :]) is Code.CORRUPT
    )


# Limits


def with_jpeg_size(width: int, height: int) -> bytes:
    data = bytearray(JPEG)
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (png(100_000, 100_000, 8, 2, bytes(1000)), Code.TOO_MANY_PIXELS),
        (png(200_000_000, 1, 1, 0, bytes(1000)), Code.TOO_MANY_PIXELS),
        (png(12_000, 5_001, 8, 2, bytes(1000)), Code.TOO_MANY_PIXELS),
        (png(12_001, 100, 8, 2, bytes(1000)), Code.TOO_MANY_PIXELS),
        (with_jpeg_size(65535, 65535), Code.TOO_MANY_PIXELS),
        (with_jpeg_size(0, 0), Code.NOT_AN_IMAGE),
        (encode(Image.new("RGB", (63, 500)), "PNG"), Code.TOO_SMALL),
        (encode(Image.new("RGB", (500, 63)), "JPEG"), Code.TOO_SMALL),
        (encode(Image.new("RGB", (1, 1)), "WEBP"), Code.TOO_SMALL),
    ],
)
def test_the_limits_of_size_hold_before_anything_is_decoded(data: bytes, code: Code) -> None:
    started = time.perf_counter()
    assert refusal(data) is code
    assert time.perf_counter() - started < 1


def test_the_smallest_picture_is_read() -> None:
    assert read_photo(encode(Image.new("RGB", (64, 64)), "PNG")).pixels.shape == (64, 64, 3)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_animations_are_refused(form: str) -> None:
    frames = [FACE.rotate(90).resize(FACE.size)]
    assert refusal(encode(FACE, form, save_all=True, append_images=frames)) is Code.ANIMATED


def many_scans() -> bytes:
    data = encode(FACE, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * 200 + data[-2:]


BOMBS: dict[str, tuple[bytes, set[Code | None]]] = {
    "FF padding": (b"\xff\xd8" + b"\xff" * 8_000_000, {Code.NOT_AN_IMAGE}),
    "FF padding after a segment": (JPEG[:20] + b"\xff" * 8_000_000, {Code.TRUNCATED}),
    "scans": (many_scans(), {Code.CORRUPT}),
    "segments": (JPEG[:2] + b"\xff\xfe\0\2" * 1_000_000 + JPEG[2:], {Code.METADATA_TOO_BIG}),
    "chunks": (PNG[:33] + png_chunk(b"tEXt", b"k\0v") * 200_000 + PNG[33:], {Code.METADATA_TOO_BIG}),
    "text": (PNG[:33] + png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(100_000_000))) + PNG[33:], {None}),
    "profile": (
        PNG[:33] + png_chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(100_000_000))) + PNG[33:],
        {None},
    ),
    "boxes": (HEIC + b"\0\0\0\x08free" * 1_000_000, {Code.METADATA_TOO_BIG}),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_small_file_cannot_cost_much_time(bomb: str) -> None:
    data, wanted = BOMBS[bomb]
    started = time.perf_counter()
    try:
        read_photo(data)
        code = None
    except UnreadablePhotoError as error:
        code = error.code
    assert time.perf_counter() - started < 1
    assert code in wanted


# Everything at once

SEEDS = (
    encode(FACE, "JPEG", exif=exif(6, "2024:01:01"), icc_profile=SRGB),
    encode(FACE, "JPEG", progressive=True),
    encode(FACE.convert("CMYK"), "JPEG"),
    encode(FACE.convert("L"), "JPEG"),
    encode(FACE, "PNG", exif=exif(5), icc_profile=SRGB),
    encode(FACE.quantize(16), "PNG", transparency=3),
    encode(FACE.convert("LA"), "PNG"),
    encode(FACE, "WEBP", exif=exif(3), icc_profile=SRGB),
    WEBP,
    HEIC,
)
WORDS = (
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\x7f\xff\xff\xff",
    b"\xff\xd9",
    b"\xff\xda",
    b"\xff\xc0",
    b"IEND",
)


def mutate(data: bytearray, dice: random.Random) -> None:
    """Damage `data` in one place, more often near its beginning."""
    if not data:
        return
    place = dice.randrange(min(len(data), dice.choice((64, 700, len(data)))))
    match dice.randrange(6):
        case 0 | 1:
            data[place] ^= 1 << dice.randrange(8)
        case 2:
            word = dice.choice(WORDS)
            data[place : place + len(word)] = word
        case 3:
            del data[place : place + dice.randrange(1, 50)]
        case 4:
            data[place:place] = data[dice.randrange(len(data)) :][:80]
        case 5 if dice.random() < 0.2:
            del data[place + 1 :]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_damage_there_is_a_photo_or_a_refusal(
    seed: int, capfd: pytest.CaptureFixture[str]
) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret
    slowest = 0.0
    for _ in range(1000):
        data = bytearray(dice.choice(SEEDS))
        for _ in range(dice.choice((1, 1, 2, 8))):
            mutate(data, dice)
        started = time.perf_counter()
        try:
            photo: Photo | None = read_photo(bytes(data))
        except UnreadablePhotoError:
            photo = None
        slowest = max(slowest, time.perf_counter() - started)
        if photo is not None and data.startswith(b"\xff\xd8"):
            # The strict decoder must agree; it raises ValueError when it does not.
            simplejpeg.decode_jpeg(bytes(data), "CMYK" if Code.CMYK in doubts(photo) else "RGB", strict=True)
    assert slowest < 2
    assert capfd.readouterr() == ("", ""), "no decoder may print"
