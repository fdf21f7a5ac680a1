"""A seeded fuzzer over reading photos: `python tests/fuzz.py SECONDS [SEED]`, or from a test.

Each input is a whole photo that was changed: bits, cuts, blocks swapped, markers and lengths edited, words of
a dictionary put in, two files spliced. It is read in a worker process with a limit of time and memory. What
must hold: every input is read or refused with a code, no worker dies, none takes long, and where strict
libjpeg refuses a JPEG, so do we.
"""

from __future__ import annotations

import hashlib
import io
import random
import struct
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import simplejpeg
from PIL import Image
from test_photo import HEIC

from wrinklecv.errors import UnreadablePhotoError
from wrinklecv.photo import read_photo
from wrinklecv.workers import Failed, at_work

SAMPLES = Path(__file__).parent.parent / "sample_images"
SEEDS = Path(__file__).parent / "data" / "fuzz_seeds.txt"
"""Inputs that once were read wrongly: `seed number` a line; every run begins with them."""
LONG_S = 10.0
_AT_ONCE = 25
_WORDS = (
    *(b"\xff\xd8", b"\xff\xd9", b"\xff\xda", b"\xff\xc0", b"\xff\xc2", b"\xff\xc4", b"\xff\xdb", b"\xff\xdd"),
    *(b"\xff\xe1\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\xff\xee"),
    *(b"Exif\0\0", b"ICC_PROFILE\0\1\1", b"MPF\0", b"Adobe\0", b"II*\0", b"MM\0*", b"IHDR", b"PLTE", b"tRNS"),
    *(b"IDAT", b"IEND", b"acTL", b"fcTL", b"iCCP", b"eXIf", b"VP8X", b"VP8L", b"VP8 ", b"ANMF", b"ALPH"),
    *(b"ftypheic", b"ftypavif", b"mif1", b"iloc", b"iinf", b"ispe", b"mdat", b"<svg", b"PK\3\4", b"%PDF"),
)


class Answer(NamedTuple):
    """What a worker says of one input: `read` or a code, what strict libjpeg says, and how long it took."""

    told: str
    strict: str
    seconds: float


def read_all(keys: list[tuple[int, int]]) -> list[Answer]:
    """Make and read some inputs, in a worker."""
    photos = whole_photos()
    return [read(changed(photos, *key)) for key in keys]


def read(content: bytes) -> Answer:
    """Read one input; what is neither a photo nor a refusal is an error that is told by name."""
    started = time.perf_counter()
    try:
        photo = read_photo(content, name="fuzz.jpg")
        told = "read" if photo.pixels.size else "nothing"
    except UnreadablePhotoError as error:
        told = str(error.code)
    except BaseException as error:  # noqa: BLE001 - that is what is looked for
        told = f"uncaught {type(error).__name__}: {error}"[:200]
    seconds = time.perf_counter() - started
    strict = "" if told != "read" or content[:2] != b"\xff\xd8" else _strict(content)
    return Answer(told, strict, seconds)


def _strict(content: bytes) -> str:
    """Return why strict libjpeg refuses a JPEG, '' when it does not."""
    try:
        simplejpeg.decode_jpeg(content, "RGB" if b"Adobe" not in content[:4096] else "CMYK", strict=True)
    except ValueError as error:
        words = str(error)
        return "" if "color" in words else words  # it only cannot give those colours
    return ""


@cache
def whole_photos() -> list[bytes]:
    """Return small whole photos of every format that is read, in several ways of storing them."""
    with Image.open(next(iter(sorted(SAMPLES.glob("*.jpg"))))) as sample:
        face = sample.convert("RGB").resize((202, 252))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "words"
    profile = Image.new("RGB", (1, 1)).info.get("icc_profile") or bytes(200)
    film = face.rotate(180)
    forms: tuple[tuple[str, dict[str, Any]], ...] = (
        *(("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"exif": exif, "icc_profile": profile})),
        *(("JPEG", {"quality": 95, "subsampling": 0, "restart_marker_blocks": 4}), ("PNG", {}), ("WEBP", {})),
        *(("PNG", {"exif": exif, "icc_profile": profile}), ("WEBP", {"lossless": True, "exif": exif})),
        ("MPO", {"save_all": True, "append_images": [film]}),
    )
    photos = [HEIC]
    for form, options in forms:
        stream = io.BytesIO()
        face.copy().save(stream, form, **options)
        photos.append(stream.getvalue())
    for mode, form in (
        ("L", "JPEG"),
        ("CMYK", "JPEG"),
        ("P", "PNG"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("I;16", "PNG"),
    ):
        stream = io.BytesIO()
        (face.convert("L") if mode == "I;16" else face).convert(mode).save(stream, form)
        photos.append(stream.getvalue())
    return photos


def changed(photos: list[bytes], seed: int, number: int) -> bytes:
    """Return input `number` of a `seed`: the same every time."""
    dice = random.Random(f"{seed} {number}")  # noqa: S311 - repeatable on purpose
    content = bytearray(dice.choice(photos))
    for _ in range(dice.choice((1, 1, 2, 3, 8))):
        if content:
            dice.choice(_CHANGES)(content, dice, photos)
    if content[:8] == b"\x89PNG\r\n\x1a\n" and dice.random() < 0.7:
        _mend_sums(content)  # else a check sum refuses before anything is read
    return bytes(content)


def _flip(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    for _ in range(dice.choice((1, 4, 40))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def _flip_early(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    for _ in range(dice.choice((1, 2, 5))):
        content[dice.randrange(min(len(content), 700))] = dice.choice((0, 1, 127, 128, 254, 255))


def _cut(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    del content[dice.randrange(len(content)) :]


def _cut_out(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    start = dice.randrange(len(content))
    del content[start : start + dice.choice((1, 2, 64, 5000))]


def _swap(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    size = min(dice.choice((4, 64, 512)), len(content) // 2)
    one, other = (dice.randrange(max(1, len(content) - size)) for _ in range(2))
    content[one : one + size], content[other : other + size] = (
        content[other : other + size],
        content[one : one + size],
    )


def _repeat(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    start, size = dice.randrange(len(content)), dice.choice((1, 16, 300))
    content[start:start] = content[start : start + size] * dice.choice((1, 3, 200))


def _word(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    start, word = dice.randrange(len(content)), dice.choice(_WORDS)
    content[start : start + dice.choice((0, len(word)))] = word


def _marker(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    """Change a JPEG's marker or its length; in other files, a length of four bytes before a name."""
    places = [
        at for at in range(len(content) - 4) if content[at] == 0xFF and content[at + 1] not in (0, 0xFF)
    ]
    names = [at for at in range(4, len(content) - 4) if content[at : at + 4].isalpha()][:40]
    if places and content[:2] == b"\xff\xd8":
        at = dice.choice(places[:60])
        if dice.random() < 0.5:
            content[at + 1] = dice.randrange(0xC0, 0x100)
        else:
            content[at + 2 : at + 4] = struct.pack(">H", dice.choice((0, 1, 2, 3, 17, 65535)))
    elif names:
        at = dice.choice(names)
        length = struct.pack(">I", dice.choice((0, 1, 8, 1 << 16, 0x7FFFFFFF, 0xFFFFFFFF)))
        content[at - 4 : at] = length if dice.random() < 0.5 else length[::-1]


def _splice(content: bytearray, dice: random.Random, photos: list[bytes]) -> None:
    other = dice.choice(photos)
    content[dice.randrange(len(content)) :] = other[dice.randrange(len(other)) :]


_CHANGES = (_flip, _flip_early, _flip_early, _cut, _cut_out, _swap, _repeat, _word, _marker, _marker, _splice)


def _mend_sums(content: bytearray) -> None:
    """Make the check sums of a PNG's chunks right again, as far as its chunks can be followed."""
    position = 8
    while position + 12 <= len(content):
        end = position + 8 + int.from_bytes(content[position : position + 4])
        if end + 4 > len(content):
            return
        content[end : end + 4] = struct.pack(">I", zlib.crc32(content[position + 4 : end]))
        position = end + 4


@dataclass
class Report:
    """How a run went: inputs by what became of them, and those that broke a rule, with seed and number."""

    told: Counter[str] = field(default_factory=Counter)
    broken: list[tuple[int, int, str]] = field(default_factory=list)
    slowest_s: float = 0.0


def kept_seeds() -> list[tuple[int, int]]:
    """Return the inputs that once were read wrongly."""
    lines = SEEDS.read_text().splitlines() if SEEDS.exists() else []
    pairs = (line.split("#")[0].split() for line in lines)
    return [(int(pair[0]), int(pair[1])) for pair in pairs if len(pair) == 2]


def fuzz(seconds: float, seed: int, *, least: int = 0) -> Report:
    """Read changed photos for so many seconds, at least `least`, kept ones first; return the report."""
    report = Report()
    started = time.monotonic()

    def groups() -> Iterator[list[tuple[int, int]]]:
        yield from ([key] for key in kept_seeds())
        number = 0
        while number < least or time.monotonic() - started < seconds:
            yield [(seed, n) for n in range(number, number + _AT_ONCE)]
            number += _AT_ONCE

    with at_work(2) as workers:
        tasks = ((keys, (keys,)) for keys in groups())
        for keys, answers in workers.do(read_all, tasks, timeout_s=_AT_ONCE * LONG_S):
            if isinstance(answers, Failed):  # the worker died or hung: one of the group did it
                report.told[str(answers.code)] += 1
                report.broken.append((*keys[0], f"and {len(keys) - 1} more: {answers.message}"))
                continue
            for key, answer in zip(keys, answers, strict=True):
                _note(report, key, answer)
    return report


def _note(report: Report, key: tuple[int, int], answer: Answer) -> None:
    report.told[answer.told.split(":")[0]] += 1
    report.slowest_s = max(report.slowest_s, answer.seconds)
    if answer.told.startswith(("uncaught", "nothing")):
        report.broken.append((*key, answer.told))
    if answer.strict:
        report.broken.append((*key, f"strict libjpeg refuses: {answer.strict}"))
    if answer.seconds > LONG_S:
        report.broken.append((*key, f"took {answer.seconds:.1f} s"))


def main() -> None:
    """Fuzz for so many seconds and print what became of the inputs."""
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    report = fuzz(seconds, seed)
    print(f"seed {seed}: {report.told.total()} inputs, slowest {report.slowest_s:.2f} s")
    for told, count in report.told.most_common():
        print(f"{count:8} {told}")
    for broken in report.broken:
        print("BROKEN", *broken)
    digest = hashlib.sha256(repr(sorted(report.told.items())).encode()).hexdigest()[:12]
    print(f"{len(report.broken)} broke a rule ({digest})")
    raise SystemExit(bool(report.broken))


if __name__ == "__main__":
    main()
