"""Reading photos: what is read is right, upright and whole; everything else is refused with a reason."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import random
import socket
import struct
import time
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import simplejpeg
import skimage.data
from PIL import Image, ImageCms, PngImagePlugin

from wrinklecv.codes import Code
from wrinklecv.errors import UnreadablePhotoError
from wrinklecv.photo import MOST_BYTES, read_photo
from wrinklecv.records import Photo, Verdict

astronaut: Callable[[], npt.NDArray[np.uint8]] = skimage.data.astronaut
FACE = Image.fromarray(astronaut()[:200, 144:304])

# The astronaut's face shrunk to 80 × 100 px, stored lying on its side: the HEIC boxes say how to turn
# it and EXIF says so again, as in a phone's file. Made with pillow-heif, which we do not depend on.
HEIC = base64.b85decode(
    b"0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0004@ZDn*}000000000XXk=`10000000000aA{+700000000000000000000G-"
    b"+&aV*mgE07O6l0ssL300001#Q*^S0000000IU80ssI200YYa0RR9100000RsaA1IB98aW&i*H00062000$fZf0cy000000RRAKc4"
    b"ILB0000LX>Mj^0ssI300IC2MR;ju000004sdC7Z2$lO00031007`=aB^?}006*gaAR)(004Msc4I>U18@KU0FVFx0000U@BsY%`1"
    b"k+-4+CHT0RR|40Sp2E{{wIU00RJ!0009300RIXx&lC90096iLID8-"
    b"Z~y=U0FVFx0{{R603M(;fk%E@sU)VkxCm%4AOHXZ10VnZ0{|gn00968L;=Baup&SJ000wXZ)|dIV{CW;0RRmE27mwn02FC+aAg1h"
    b"000000Av6F08jt`01$9#cxeCt0009B2nYZG010VwZ*&6y000<iaBX1#00000000310R@2q0|bQt000_ka%E-"
    b"!00000000hSWOHKx0ssL30RR93WNl<&bN~PX0w@8m8Gx@s6a<U6=8J%K1^U2G<2#tS|E&z4SQNKGVb_-"
    b"}m)&&nbdTe)b%ipssK`b%HT?=x=4}z-!Ic(8G;vx+Ff<;H+ivA0zXjyN)RWOKE37lVO&u@7z(&VN8|D&|cWV+PY3<3c^3Ot-"
    b"O>`exji(4KN45kbS^WWTcQiwGD)_}aywtozZD1VRlG{6^ot?ozn^bXh=ryga1(zyVM$lYhV^j9SsJuC$Q4LDfVe5Xe2%JK^I}7{N"
    b"Mxd<KB?JnSJU(v8xp$m`{wI}85N;Ej19hlpS@fh}D8K$u<~r^4y#kxE!w}c0PoF@ds4Oe;CF_ohY~D<poKM{gvz0OLqJgS}k&ceL"
    b"b5E~7#K>vtJRL)CC|ia0S!a3YM7p6;3@IlXF^>S~5>Q4!QLr2N+%`Ut>8q=q=;YG`qa_}Jq6)A{BFv3EG@AX#6x}*Wqqn_(>e!Mc"
    b"vh?e7!2W|vGZ9hG{)Ty_?B0HS7i7H{=e6p*S{fk=U}(<=O5Vw8&n%bA`GWOi_P8wXLc_Ai;!N85E#dc_rRoY+_2p}wizYmjylu8R"
    b"(p`llBY=^h6DcU+<1JV<559^7IBIJ!2Lb6x%a$;@2kwX?-"
    b"L=HwXzPM`SnDTMmV`PB4t5)jQlX3h!;%lVL3rv>$2+W^4NcXRzS^@~!2Hkv000I>cxh$;08LE*DgXcg2mk^B5&#1L000311^@tuX"
    b"#fNO00031001Tc000000gwX#0ssI26aWAKH~;_u05UK#HaajdIxsRIFf%$ZG&(Rf00"
)


def encode(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return the file that Pillow makes of `image`."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


JPEG = encode(FACE, "JPEG", quality=92)
PNG = encode(FACE, "PNG")
WEBP = encode(FACE, "WEBP", lossless=True)
FINE = {"quality": 98, "subsampling": 0, "lossless": True}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, extra: bytes = b"") -> bytes:
    """Return a PNG written by hand; `rows` are the unpacked rows, each after its filter byte."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunks + png_chunk(b"IEND", b"")


def exif(orientation: int, day: str = "") -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    if day:
        block.get_ifd(0x8769)[0x9003] = f"{day} 12:34:56"
    return block


def refusal(source: str | os.PathLike[str] | bytes, *, name: str = "") -> Code:
    """Return the code `source` is refused with; fail when it is read."""
    with pytest.raises(UnreadablePhotoError) as caught:
        read_photo(source, name=name)
    assert str(caught.value).endswith("."), "a sentence, which says what to do"
    return caught.value.code


def doubts(photo: Photo) -> set[Code]:
    assert all(finding.verdict is Verdict.WARN and finding.advice for finding in photo.findings)
    return {finding.code for finding in photo.findings}


def mean_difference(photo: Photo, picture: Image.Image | npt.NDArray[np.uint8]) -> float:
    return float(np.abs(photo.pixels.astype(float) - np.asarray(picture)).mean())


# What is read


def test_a_jpeg_is_decoded_to_the_last_bit_and_without_doubt() -> None:
    photo = read_photo(JPEG, name="me.jpg")
    assert np.array_equal(photo.pixels, simplejpeg.decode_jpeg(JPEG))
    assert photo.findings == ()
    assert photo.sha256 == hashlib.sha256(JPEG).hexdigest()
    assert photo.name == "me.jpg"


@pytest.mark.parametrize("data", [PNG, WEBP], ids=["PNG", "WebP"])
def test_a_lossless_file_gives_the_very_pixels(data: bytes) -> None:
    assert np.array_equal(read_photo(data).pixels, np.asarray(FACE))


def test_a_progressive_jpeg_gives_the_pixels_of_its_baseline_twin() -> None:
    progressive = encode(FACE, "JPEG", quality=92, progressive=True)
    assert np.array_equal(read_photo(progressive).pixels, read_photo(JPEG).pixels)


def test_a_path_gives_the_same_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "subject visit.jpg"
    path.write_bytes(JPEG)
    for source in (path, str(path)):
        photo = read_photo(source)
        assert photo.name == "subject visit.jpg"
        assert photo.sha256 == read_photo(JPEG).sha256
        assert np.array_equal(photo.pixels, read_photo(JPEG).pixels)


def test_a_name_that_is_not_utf8_can_still_be_written_to_a_table(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/bad\xff.jpg"
    Path(os.fsdecode(path)).write_bytes(JPEG)
    assert read_photo(os.fsdecode(path)).name.encode() == "bad\ufffd.jpg".encode()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "MPO"])
def test_all_eight_orientations_give_the_upright_picture(orientation: int, form: str) -> None:
    undo = (
        None,
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_270,
    )[orientation - 1]
    stored = FACE if undo is None else FACE.transpose(undo)
    photo = read_photo(encode(stored, form, exif=exif(orientation), **FINE))
    assert mean_difference(photo, FACE) <= (1.5 if form in ("JPEG", "MPO") else 0)
    assert photo.pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", [0, 9, 99])
def test_an_unknown_orientation_means_as_stored(orientation: int) -> None:
    assert np.array_equal(read_photo(encode(FACE, "PNG", exif=exif(orientation))).pixels, np.asarray(FACE))


def test_a_heic_is_turned_once_though_it_says_twice_how() -> None:
    photo = read_photo(HEIC, name="IMG_1.HEIC")
    assert mean_difference(photo, FACE.resize((80, 100))) < 8
    assert photo.findings == ()
    assert photo.taken_on == date(2026, 1, 2)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_day_it_was_taken_is_kept(form: str) -> None:
    assert read_photo(encode(FACE, form, exif=exif(1, "2024:02:29"))).taken_on == date(2024, 2, 29)


@pytest.mark.parametrize("day", ["", "0000:00:00", "2023:02:29", "    :  :  "])
def test_an_impossible_day_is_no_day(day: str) -> None:
    assert read_photo(encode(FACE, "JPEG", exif=exif(1, day))).taken_on is None


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    values = np.linspace(0, 65535, 100 * 80).astype(np.uint16).reshape(100, 80)
    photo = read_photo(encode(Image.fromarray(values), "PNG"))
    assert np.array_equal(photo.pixels, np.repeat((values >> 8)[:, :, np.newaxis], 3, axis=2))
    assert doubts(photo) == {Code.GRAY}


def test_sixteen_bit_colour_keeps_its_high_bytes() -> None:
    values = np.random.default_rng(1).integers(0, 65536, (70, 66, 3))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    assert np.array_equal(read_photo(png(66, 70, 16, 2, rows)).pixels, values >> 8)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_grey_is_read_with_a_doubt(form: str) -> None:
    grey = FACE.convert("L")
    photo = read_photo(encode(grey, form, quality=95))
    assert doubts(photo) == {Code.GRAY}
    assert mean_difference(photo, grey.convert("RGB")) < 2


def test_cmyk_looks_like_its_rgb_twin() -> None:
    photo = read_photo(encode(FACE.convert("CMYK"), "JPEG", quality=95))
    assert doubts(photo) == {Code.CMYK}
    assert abs(photo.pixels.mean() - np.asarray(FACE).mean()) < 3
    assert mean_difference(photo, FACE) < 3


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_transparent_picture_is_laid_on_white(form: str) -> None:
    alpha = np.zeros((80, 90), np.uint8)
    alpha[:, 30:60], alpha[:, 60:] = 128, 255
    picture = np.dstack([np.full((80, 90, 3), (200, 100, 0), np.uint8), alpha])
    photo = read_photo(encode(Image.fromarray(picture), form, lossless=True, exact=True))
    assert photo.pixels[0, [0, 30, 60]].tolist() == [[255, 255, 255], [227, 177, 127], [200, 100, 0]]
    assert doubts(photo) == {Code.ALPHA}


def test_a_transparent_palette_and_grey_with_alpha_are_read() -> None:
    palette = read_photo(encode(FACE.quantize(200), "PNG", transparency=0))
    assert doubts(palette) == {Code.ALPHA, Code.LOW_COLOUR}
    assert doubts(read_photo(encode(FACE.convert("LA"), "PNG"))) == {Code.ALPHA, Code.GRAY}


def test_few_colours_are_a_doubt_and_two_a_refusal() -> None:
    photo = read_photo(encode(FACE.quantize(16), "PNG"))
    assert [(f.code, f.value, f.unit) for f in photo.findings] == [(Code.LOW_COLOUR, 16, "colours")]
    assert refusal(encode(FACE.convert("1"), "PNG")) is Code.LOW_COLOUR
    assert refusal(encode(FACE.quantize(2), "PNG")) is Code.LOW_COLOUR


# Colour profiles


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_profile_is_obeyed(form: str) -> None:
    # A profile in which red and green have changed places: the sRGB picture has them changed back.
    swapped = SRGB.replace(b"rXYZ", b"tXYZ").replace(b"gXYZ", b"rXYZ").replace(b"tXYZ", b"gXYZ")
    photo = read_photo(encode(FACE, form, icc_profile=swapped, **FINE))
    assert mean_difference(photo, np.asarray(FACE)[:, :, [1, 0, 2]]) < 4
    assert photo.findings == ()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_an_srgb_profile_changes_nothing(form: str) -> None:
    photo = read_photo(encode(FACE, form, icc_profile=SRGB, **FINE))
    assert np.array_equal(photo.pixels, read_photo(encode(FACE, form, **FINE)).pixels)
    assert photo.findings == ()


def test_a_profile_in_many_segments_is_put_together_and_a_missing_one_seen() -> None:
    padded = len(SRGB + bytes(200_000)).to_bytes(4) + SRGB[4:] + bytes(200_000)
    data = encode(FACE, "JPEG", icc_profile=padded)
    assert data.count(b"ICC_PROFILE\0") == 4
    assert read_photo(data).findings == ()
    second = data.index(b"ICC_PROFILE\0\2") - 4
    length = 2 + int.from_bytes(data[second + 2 : second + 4])
    assert refusal(data[:second] + data[second + length :]) is Code.CORRUPT


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("profile", [b"rubbish" * 400, b"\0" * 5_000_000, SRGB[:300]])
def test_an_unusable_profile_is_ignored_with_a_doubt(form: str, profile: bytes) -> None:
    photo = read_photo(encode(FACE, form, icc_profile=profile, **FINE))
    assert doubts(photo) == {Code.ICC_IGNORED}
    assert mean_difference(photo, FACE) < 2.5


def test_a_colour_profile_in_a_grey_or_cmyk_picture_is_ignored_with_a_doubt() -> None:
    grey = read_photo(encode(FACE.convert("L"), "JPEG", icc_profile=SRGB))
    inks = read_photo(encode(FACE.convert("CMYK"), "JPEG", icc_profile=SRGB))
    assert doubts(grey) == {Code.GRAY, Code.ICC_IGNORED}
    assert doubts(inks) == {Code.CMYK, Code.ICC_IGNORED}


# Doubts about the file


def test_bytes_after_the_picture_are_counted_and_ignored() -> None:
    for data in (JPEG, PNG, WEBP, HEIC):
        photo = read_photo(data + b"\0\0ABC")
        assert [(f.code, f.value) for f in photo.findings] == [(Code.TRAILING_DATA, 5)]
        assert np.array_equal(photo.pixels, read_photo(data).pixels)


def test_of_two_glued_jpegs_the_first_is_read() -> None:
    photo = read_photo(JPEG + encode(FACE.rotate(180), "JPEG"))
    assert np.array_equal(photo.pixels, read_photo(JPEG).pixels)
    assert doubts(photo) == {Code.TRAILING_DATA}


def test_zero_padding_is_no_doubt() -> None:
    assert read_photo(JPEG + bytes(1000)).findings == ()


def test_of_a_multi_picture_file_the_first_is_read() -> None:
    other = FACE.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    photo = read_photo(encode(FACE, "MPO", quality=92, save_all=True, append_images=[other]))
    assert np.array_equal(photo.pixels, read_photo(JPEG).pixels)
    assert doubts(photo) == {Code.MULTI_PICTURE}


@pytest.mark.parametrize(
    ("data", "name", "fits"),
    [
        (JPEG, "a.JPG", True),
        (JPEG, "a.jpeg", True),
        (JPEG, "a", True),
        (JPEG, "a.jpg.", True),
        (JPEG, "a.2024", True),
        (JPEG, "a.jpg.png", False),
        (PNG, "a.jpg", False),
        (WEBP, "a.tiff", False),
        (HEIC, "a.heif", True),
        (HEIC, "a.jpg", False),
    ],
)
def test_a_name_that_promises_another_format_is_a_doubt(data: bytes, name: str, fits: bool) -> None:
    assert doubts(read_photo(data, name=name)) == (set() if fits else {Code.EXTENSION_MISMATCH})


def test_comments_and_names_in_the_metadata_do_not_survive() -> None:
    block = exif(1)
    block[0x010E] = "CANARY"
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "CANARY")
    files = encode(FACE, "JPEG", exif=block, comment=b"CANARY"), encode(FACE, "PNG", pnginfo=text, exif=block)
    for data in files:
        assert b"CANARY" in data
        photo = read_photo(data)
        assert photo.findings == ()
        assert "CANARY" not in repr(photo)
        assert b"CANARY" not in photo.pixels.tobytes()


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        random.Random(5).randbytes(5000),  # noqa: S311 - no secret
        struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x8769, 4, 1, 8, 0),  # a directory inside itself
        struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x8769, 4, 1, 2**32 - 1, 0),  # outside of the file
        struct.pack("<2sHIHHHIII", b"II", 42, 8, 65535, 0x0112, 2, 2**31, 2**31, 0),
        struct.pack("<2sHI", b"II", 42, 2**32 - 1),
    ],
)
def test_rubbish_in_exif_is_no_reason_to_refuse(block: bytes) -> None:
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block
    photo = read_photo(JPEG[:2] + segment + JPEG[2:])
    assert np.array_equal(photo.pixels, read_photo(JPEG).pixels)
    assert (photo.taken_on, photo.findings) == (None, ())


# What is refused


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.jpg", Code.EMPTY_FILE),
        (b"\xff", "a.jpg", Code.NOT_AN_IMAGE),
        (b"\xff\xd8\xff", "a.jpg", Code.NOT_AN_IMAGE),
        (b"<html><body>404 not found</body></html>", "a.jpg", Code.NOT_AN_IMAGE),
        (b"version https://git-lfs.github.com/spec/v1\n", "a.jpg", Code.NOT_AN_IMAGE),
        (random.Random(1).randbytes(9999), "a.jpg", Code.NOT_AN_IMAGE),  # noqa: S311 - no secret
        (b"BMW is a car, not a picture", "a.txt", Code.NOT_AN_IMAGE),
        (b"<svg xmlns='x'></svg>", "a.svg", Code.UNSUPPORTED_FORMAT),
        (b"<svg xmlns='x'></svg>", "a.jpg", Code.NOT_AN_IMAGE),
        (b"%PDF-1.4", "a.png", Code.NOT_AN_IMAGE),
        (bytes(128) + b"DICM", "a.dcm", Code.UNSUPPORTED_FORMAT),
        (bytes(128) + b"DICM", "a.jpg", Code.NOT_AN_IMAGE),
        (struct.pack(">I4s4sI4s", 20, b"ftyp", b"mp42", 0, b"isom"), "a.heic", Code.NOT_AN_IMAGE),
        (struct.pack(">I4s4sI4s", 20, b"ftyp", b"mif1", 0, b"xxxx"), "a.heic", Code.NOT_AN_IMAGE),
        (encode(FACE, "GIF"), "a.gif", Code.UNSUPPORTED_FORMAT),
        (encode(FACE, "TIFF"), "a.jpg", Code.UNSUPPORTED_FORMAT),
        (encode(FACE, "BMP"), "a.bmp", Code.UNSUPPORTED_FORMAT),
        (encode(FACE, "AVIF"), "a.heic", Code.UNSUPPORTED_FORMAT),
        (encode(FACE, "ICO"), "a.ico", Code.UNSUPPORTED_FORMAT),
    ],
)
def test_what_is_no_photo_is_refused_by_its_content(data: bytes, name: str, code: Code) -> None:
    assert refusal(data, name=name) is code


# The file system


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.jpg") is Code.MISSING
    assert refusal(tmp_path / ("x" * 300 + ".jpg")) is Code.MISSING
    assert refusal("a\0b.jpg") is Code.MISSING


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def open_descriptors() -> int:
    """Return how many files this process holds open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, make_socket])
def test_what_is_no_regular_file_is_refused_at_once(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    make(Path("a.jpg"))
    descriptors = open_descriptors()
    assert refusal("a.jpg") is Code.NOT_A_REGULAR_FILE
    assert open_descriptors() == descriptors, "the file must be closed again"


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="this system cannot refuse symbolic links")
def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real.jpg").write_bytes(JPEG)
    for name, target, code in (
        ("good.jpg", "real.jpg", Code.SYMLINK),
        ("outside.jpg", "/dev/zero", Code.SYMLINK),
        ("loop.jpg", "loop.jpg", Code.SYMLINK),
        ("dangling.jpg", "nowhere.jpg", Code.MISSING),
    ):
        (tmp_path / name).symlink_to(target)
        assert refusal(tmp_path / name) is code


def test_a_file_that_is_too_big_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.jpg"
    with path.open("wb") as file:
        file.truncate(5 << 30)
    started = time.perf_counter()
    assert refusal(path) is Code.FILE_TOO_BIG
    assert time.perf_counter() - started < 1
    assert refusal(bytes(MOST_BYTES + 1)) is Code.FILE_TOO_BIG


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(JPEG)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything

        def refuse(*_: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("wrinklecv.photo.os.open", refuse)
    assert refusal(path) is Code.PERMISSION_DENIED


@pytest.mark.parametrize("change", ["grows", "shrinks", "is written again"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(JPEG)
    os.utime(path, ns=(0, 0))
    look, looks = os.fstat, 0

    def look_then_change(descriptor: int) -> os.stat_result:
        nonlocal looks
        looks += 1
        result = look(descriptor)
        if looks == 1:
            path.write_bytes({"grows": JPEG + JPEG, "shrinks": JPEG[:-9]}.get(change, JPEG))
        return result

    monkeypatch.setattr("wrinklecv.photo.os.fstat", look_then_change)
    assert refusal(path) is Code.CHANGED_WHILE_READING
