"""A folder of hostile files, made here and the same every time, with the row that each must get.

The ids are those of docs/bad_inputs.md. Photos show a drawn face; every file has bytes of its own.
"""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps, PngImagePlugin
from test_photo import HEIC

SAMPLES = Path(__file__).parent.parent / "sample_images"
FACE = "sub-001_ses-20250110_expr-rest_run-1.jpg"
CANARIES = (
    b"DOE^JANE",
    b"JANE DOE",
    b"MRN 12345",
    b"alert(document.domain)",
    b"HYPERLINK",
    b"import os",
    b"ENTITY xxe",
)
"""What stands in metadata, comments and trailing bytes, and must stand in no output."""


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile file: its id, its name, what it is, and its row.

    row: ``scored``, a doubt that a scored photo's `codes` must hold (``scored, gray``), ``rejected, code``,
    ``skipped, code``, or ``no row`` where it is only counted. twin: the case with the same numbers.
    """

    id: str
    name: str
    what: str
    row: str
    content: bytes | None = None
    twin: str = ""


@cache
def face() -> Image.Image:
    """Return the drawn face, 896 × 1120 px: 4.4 px per mm."""
    with Image.open(SAMPLES / FACE) as photo:
        return photo.convert("RGB").resize((896, 1120), Image.Resampling.LANCZOS)


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """Return `image` as a file."""
    stream = io.BytesIO()
    if form == "PNG":
        options = {"compress_level": 1} | options
    if "append_images" in options:  # Pillow leaves the last encoder's settings on an image
        options = options | {"append_images": [more.copy() for more in options["append_images"]]}
    image.copy().save(stream, form, **options)
    return stream.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, depth: int, colour: int, packed: bytes, extra: bytes = b"") -> bytes:
    """Return a PNG file with any header and any packed rows."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + extra + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def zeros(number: int) -> bytes:
    """Return so many zero bytes, deflated."""
    packer, parts, block = zlib.compressobj(1), [], bytes(1 << 22)
    for _ in range(number >> 22):
        parts.append(packer.compress(block))
    return b"".join([*parts, packer.compress(bytes(number & 0x3FFFFF)), packer.flush()])


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """Return a JPEG with segments behind its beginning."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def marked(jpeg: bytes, text: str) -> bytes:
    """Return the same picture in bytes of its own."""
    return with_segments(jpeg, segment(0xFE, text.encode("utf-8", "replace")[:60]))


def cases() -> Iterator[Case]:
    """Yield every case that is a file of its own; `objects` makes those that need more than bytes."""
    jpeg, rng = encoded(face(), "JPEG", quality=92), np.random.default_rng(7)
    yield from _broken(jpeg, rng)
    yield from _bombs()
    yield from _disguised(jpeg, rng)
    yield from _odd_pixels()
    yield from _metadata(jpeg, rng)
    yield from _faces(jpeg, rng)
    yield from _names(jpeg)


def _broken(jpeg: bytes, rng: np.random.Generator) -> Iterator[Case]:
    whole, scan = encoded(face(), "PNG"), jpeg.index(b"\xff\xda")
    dice, rot = random.Random(7), bytearray(jpeg)  # noqa: S311 - the same every time
    for _ in range(40):
        rot[dice.randrange(scan + 20, len(rot) - 2)] = dice.randrange(255)
    table, frame = jpeg.index(b"\xff\xdb") + 5, jpeg.index(b"\xff\xc0") + 5
    flat = jpeg[:table] + bytes(64) + jpeg[table + 64 :]
    flipped = bytearray(whole)
    flipped[60] ^= 0xFF
    webp = encoded(face(), "WEBP")
    lfs = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    other = encoded(face().transpose(Image.Transpose.FLIP_LEFT_RIGHT), "JPEG")
    progressive = encoded(face(), "JPEG", quality=92, progressive=True)
    yield Case("A01", "A01_zero.jpg", "no bytes", "rejected, empty_file", b"")
    yield Case("A02", "A02_one_byte.jpg", "one byte", "rejected, not_an_image", b"\xff")
    yield Case("A03", "A03_random.jpg", "random bytes", "rejected, not_an_image", rng.bytes(200_000))
    yield Case(
        "A04", "A04_10_percent.jpg", "JPEG cut at 10 %", "rejected, truncated", jpeg[: len(jpeg) // 10]
    )
    yield Case("A05", "A05_50_percent.jpg", "JPEG cut at 50 %", "rejected, truncated", jpeg[: len(jpeg) // 2])
    yield Case("A06", "A06_last_2.jpg", "JPEG without its last 2 bytes", "rejected, truncated", jpeg[:-2])
    yield Case("A07", "A07_header.jpg", "JPEG header only", "rejected, truncated", jpeg[:scan])
    yield Case("A08", "A08_bit_rot.jpg", "40 bytes changed in the scan", "rejected, corrupt", bytes(rot))
    yield Case("A09", "A09_flat.jpg", "quantisation table of zeros", "rejected, corrupt", flat)
    huge = jpeg[:frame] + b"\xff" * 4 + jpeg[frame + 4 :]
    yield Case("A10", "A10_65535.jpg", "header says 65535 × 65535", "rejected, too_many_pixels", huge)
    nothing = jpeg[:frame] + bytes(4) + jpeg[frame + 4 :]
    yield Case("A11", "A11_0x0.jpg", "header says 0 × 0", "rejected, not_an_image", nothing)
    yield Case("A12", "A12_bad_crc.png", "PNG, a byte flipped", "rejected, corrupt", bytes(flipped))
    yield Case("A13", "A13_cut.png", "PNG cut at 50 %", "rejected, truncated", whole[: len(whole) // 2])
    trailing = jpeg + rng.bytes(5_000_000)
    yield Case("A14", "A14_trailing.jpg", "5 MB behind the end", "scored, trailing_data", trailing, "F01")
    yield Case("A15", "A15_two.jpg", "two JPEGs in one", "scored, trailing_data", jpeg + other, "F01")
    yield Case("A16", "A16_cut.webp", "WebP cut at 50 %", "rejected, truncated", webp[: len(webp) // 2])
    page = b"<html><body>404 not found</body></html>"
    yield Case("A17", "A17_error_page.jpg", "error page of a website", "rejected, not_an_image", page)
    padding = b"\xff\xd8" + b"\xff" * 8_000_000
    yield Case("A18", "A18_padding.jpg", "8 MB of FF: 9 s in Pillow", "rejected, not_an_image", padding)
    yield Case("A19", "A19_lfs.jpg", "pointer of Git LFS", "rejected, not_an_image", lfs)
    yield Case("A20", "A20_progressive.jpg", "progressive JPEG", "scored", progressive, "F01")


def _bombs() -> Iterator[Case]:
    tiny, pixels = zlib.compress(bytes(1000)), zlib.compress(bytes(64 * 65))
    many = "rejected, too_many_pixels"
    wide = png(100_000, 100_000, 8, 2, tiny)
    yield Case("B01", "B01_100k.png", "header says 100,000 × 100,000", many, wide)
    bits = png(20_000, 20_000, 1, 0, zeros(20_000 * 2501))
    yield Case("B02", "B02_20k_1_bit.png", "20,000 × 20,000 of 1 bit: 2.3 GB in OpenCV", many, bits)
    yield Case(
        "B03", "B03_13k.png", "13,000 × 13,000 zeros", many, png(13_000, 13_000, 8, 2, zeros(507_013_000))
    )
    yield Case("B04", "B04_200M.png", "200,000,000 × 1", many, png(200_000_000, 1, 1, 0, zeros(25_000_001)))
    text = png(64, 64, 8, 0, pixels, chunk(b"zTXt", b"k\0\0" + zeros(300_000_000)))
    yield Case("B05", "B05_ztxt.png", "text of 300 MB, deflated: left alone", "rejected, no_face", text)
    profile = png(64, 64, 8, 0, pixels, chunk(b"iCCP", b"k\0\0" + zeros(300_000_000)))
    yield Case("B06", "B06_iccp.png", "profile of 300 MB, deflated: left alone", "rejected, no_face", profile)
    texts = b"".join(chunk(b"tEXt", b"k%d\0v" % number) for number in range(200_000))
    chunks = png(64, 64, 8, 0, pixels, texts)
    yield Case("B07", "B07_chunks.png", "200,000 text chunks", "rejected, metadata_too_big", chunks)
    frames = [Image.new("P", (2000, 2000), shade) for shade in range(4)]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    yield Case("B08", "B08_film.gif", "GIF of several frames", "rejected, unsupported_format", gif)
    head = b"GIF89a" + struct.pack("<HH", 65535, 65535)
    screen = head + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\x02\x02D\x01\0;"
    yield Case("B09", "B09_screen.gif", "GIF of 65535 × 65535", "rejected, unsupported_format", screen)
    webp = encoded(Image.new("RGB", (16383, 4000)), "WEBP", quality=1, method=0)
    yield Case("B10", "B10_16383.webp", "WebP of 65 megapixels", many, webp)
    strip = encoded(Image.new("L", (65500, 2500)), "JPEG", quality=1)
    yield Case("B11", "B11_65500.jpg", "JPEG of 164 megapixels", many, strip)
    packed = gzip.compress(bytes(50_000_000), 1, mtime=0)
    yield Case("B12", "B12_gzip.jpg", "gzip bomb", "rejected, not_an_image", packed)
    yield Case(
        "B13", "B13_zip.png", "ZIP bomb", "rejected, not_an_image", _zipped("a.bin", bytes(50_000_000))
    )
    tiff = encoded(Image.new("1", (60000, 30000)), "TIFF", compression="group4")
    yield Case("B14", "B14_huge.tif", "TIFF of 1800 megapixels", "rejected, unsupported_format", tiff)
    loop = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 256, 4, 1, 1, 8)
    yield Case("B15", "B15_loop.tif", "TIFF that points to itself", "rejected, unsupported_format", loop)
    sizes = struct.pack("<IiiHHIIiiII", 40, 46340, 46340, 1, 24, 0, 0, 0, 0, 0, 0)
    bmp = b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + sizes
    yield Case("B16", "B16_huge.bmp", "BMP of 46340 × 46340", "rejected, unsupported_format", bmp)
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, 500, 22) + png(30000, 30000, 8, 6, tiny)
    yield Case("B17", "B17_bomb.ico", "icon with a PNG of 30,000²", "rejected, unsupported_format", icon)


def _zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 1)
    return stream.getvalue()


def _disguised(jpeg: bytes, rng: np.random.Generator) -> Iterator[Case]:
    no_image, unsupported = "rejected, not_an_image", "rejected, unsupported_format"
    svg = (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script>'
        b'<image href="file:///etc/passwd"/></svg>'
    )
    entity = b'<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><svg>&b;</svg>'
    script = segment(0xFE, b"<script>alert(document.domain)</script>")
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(/etc/passwd) (r) file\nshowpage\n"
    pdf = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"
    mvg = b"push graphic-context\nfill 'url(https://127.0.0.1/x.jpg\"|ls \"-la)'\npop graphic-context"
    pickled = b"\x93NUMPY\x01\0v\0{'descr': '|O', 'shape': (1,), }".ljust(128) + b"\x80\x04cos\nsystem\n."
    head = struct.pack(">I4s4sI", 24, b"ftyp", b"mp42", 0) + b"mp42isom"
    junk = struct.pack(">I4s4sI", 24, b"ftyp", b"mif1", 0) + b"xxxxyyyy"
    yield Case("C01", "C01_svg.jpg", "SVG with a script", no_image, svg)
    yield Case("C02", "C02_entity.svg", "SVG with entities", unsupported, entity)
    polyglot = with_segments(jpeg, script)
    yield Case("C03", "C03_html.jpg", "script in a comment", "scored", polyglot, "F01")
    archive = jpeg + _zipped("evil.py", b"import os")
    yield Case("C04", "C04_zip.jpg", "a JPEG that is a ZIP too", "scored, trailing_data", archive, "F01")
    yield Case("C05", "C05_php.gif", "GIF with PHP", unsupported, b"GIF89a<?php system($_GET[0]);?>")
    yield Case("C06", "C06_eps.jpg", "PostScript", no_image, eps)
    yield Case("C07", "C07_pdf.jpg", "PDF", no_image, pdf)
    yield Case("C08", "C08_mvg.jpg", "drawing commands", no_image, mvg)
    yield Case("C09", "C09_elf.png", "program", no_image, b"\x7fELF" + rng.bytes(5000))
    as_png = encoded(face(), "PNG")
    yield Case("C10", "C10_png.jpg", "PNG named .jpg", "scored, extension_mismatch", as_png, "D09")
    yield Case(
        "C11", "C11_jpeg.png", "JPEG named .png", "scored, extension_mismatch", marked(jpeg, "C11"), "F01"
    )
    yield Case("C12", "C12_tiff.jpg", "TIFF named .jpg", unsupported, encoded(face(), "TIFF"))
    yield Case("C13", "C13_bmp.jpg", "BMP named .jpg", unsupported, encoded(face(), "BMP"))
    yield Case("C14", "C14_mp4.heic", "film named .heic", no_image, head + rng.bytes(2000))
    yield Case("C15", "C15_junk.heic", "HEIC of an unknown brand", no_image, junk + rng.bytes(2000))
    yield Case("C16", "C16_real.heic", "HEIC of 64 px: it is read", "rejected, face_too_small", HEIC)
    yield Case("C17", "C17_cut.heic", "HEIC cut at 50 %", "rejected, truncated", HEIC[: len(HEIC) // 2])
    named = HEIC + b"\0\0\0\x0cfreeabcd"
    yield Case("C18", "C18_heic.jpg", "HEIC named .jpg, of 64 px", "rejected, face_too_small", named)
    avif = struct.pack(">I4s4sI", 24, b"ftyp", b"avif", 0) + b"avifmif1" + rng.bytes(2000)
    yield Case("C19", "C19.avif", "AVIF", unsupported, avif)
    yield Case("C20", "C20_pickle.npy", "array with a pickle inside", unsupported, pickled)


def _odd_pixels() -> Iterator[Case]:
    grey, unsupported = face().convert("L"), "rejected, unsupported_format"
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    ramp = np.tile(np.linspace(128, 255, face().width).astype(np.uint8), (face().height, 1))
    clear = face().copy()
    clear.putalpha(Image.fromarray(ramp))
    film = [face(), face().transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    several: dict[str, Any] = {"save_all": True, "append_images": film[1:]}
    floats = Image.fromarray(np.asarray(grey).astype(np.float32) / 255)
    yield Case("D01", "D01_16_bit.png", "16-bit grey", "scored, gray", encoded(deep, "PNG"), "D07")
    yield Case("D02", "D02_grey.jpg", "8-bit grey", "scored, gray", encoded(grey, "JPEG", quality=95))
    inks = encoded(face().convert("CMYK"), "JPEG", quality=95)
    yield Case("D03", "D03_cmyk.jpg", "CMYK", "scored, cmyk", inks)
    yield Case("D04", "D04_alpha.png", "half transparent", "scored, alpha", encoded(clear, "PNG"))
    few = encoded(face().quantize(16), "PNG")
    yield Case("D05", "D05_palette.png", "16 colours", "scored, low_colour", few)
    yield Case(
        "D06", "D06_1_bit.png", "black and white", "rejected, low_colour", encoded(face().convert("1"), "PNG")
    )
    yield Case("D07", "D07_la.png", "grey with alpha", "scored, gray", encoded(face().convert("LA"), "PNG"))
    yield Case("D08", "D08_float.tif", "TIFF of floats", unsupported, encoded(floats, "TIFF"))
    extra = PngImagePlugin.PngInfo()
    extra.add_text("id", "D09")
    yield Case("D09", "D09_plain.png", "plain PNG", "scored", encoded(face(), "PNG", pnginfo=extra))
    yield Case("D10", "D10_film.png", "animated PNG", "rejected, animated", encoded(face(), "PNG", **several))
    yield Case(
        "D11", "D11_film.webp", "animated WebP", "rejected, animated", encoded(face(), "WEBP", **several)
    )
    yield Case("D12", "D12_film.gif", "animated GIF", unsupported, encoded(face(), "GIF", **several))
    twins = encoded(face(), "MPO", quality=92, **several)
    yield Case("D13", "D13_mpo.jpg", "several pictures in a JPEG", "scored, multi_picture", twins, "F01")
    yield Case(
        "D14", "D14_pages.tif", "TIFF of several pages", unsupported, encoded(face(), "TIFF", **several)
    )
    one, line = Image.new("RGB", (1, 1)), Image.new("RGB", (2, 4000))
    yield Case("D15", "D15_1x1.png", "1 × 1", "rejected, too_small", encoded(one, "PNG"))
    yield Case("D16", "D16_2x4000.png", "2 × 4000", "rejected, too_small", encoded(line, "PNG"))
    white = encoded(Image.new("RGB", (1200, 1600), "white"), "JPEG")
    yield Case("D17", "D17_white.jpg", "white", "rejected, no_face", white)


_TURNED = (
    *(None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM),
    *(Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_90, Image.Transpose.TRANSVERSE),
    Image.Transpose.ROTATE_270,
)


def _metadata(jpeg: bytes, rng: np.random.Generator) -> Iterator[Case]:
    for number, turn in enumerate(_TURNED, start=1):
        exif = Image.Exif()
        exif[0x0112] = number
        stored = face() if turn is None else face().transpose(turn)
        content = encoded(stored, "PNG", exif=exif)  # without loss, so that all eight must agree
        yield Case(
            f"E0{number}", f"E0{number}_turned.png", f"EXIF orientation {number}", "scored", content, "D09"
        )
    for name, case, body in (
        ("E09", "EXIF orientation 99", _tiff(0x0112, 3, 1, 99)),
        ("E10", "5 kB of noise as EXIF", rng.bytes(5000)),
        ("E11", "EXIF that points to itself", _tiff(0x8769, 4, 1, 8)),
        ("E12", "EXIF text of 2 GB", _tiff(0x010E, 2, 0x7FFFFFFF, 26)),
    ):
        content = with_segments(jpeg, segment(0xE1, b"Exif\0\0" + body))
        yield Case(name, f"{name}_exif.jpg", case, "scored", content, "F01")
    exif = Image.Exif()
    exif[0x010E] = "Patient DOE^JANE 1970-01-02"
    exif[0x8825] = {1: "N", 2: (47.0, 22.0, 33.0), 3: "E", 4: (8.0, 32.0, 28.0)}
    told = encoded(face(), "JPEG", quality=92, exif=exif, comment=b"MRN 12345 JANE DOE")
    yield Case("E13", "E13_gps.jpg", "place, name and number of a person", "scored", told, "F01")
    small = encoded(face().resize((160, 200)), "JPEG")
    links = b"II*\0\x08\0\0\0\0\0\x0e\0\0\0" + struct.pack("<H", 2)
    links += (
        struct.pack("<HHII", 0x0201, 4, 1, 44) + struct.pack("<HHII", 0x0202, 4, 1, len(small)) + bytes(4)
    )
    thumb = with_segments(jpeg, segment(0xE1, b"Exif\0\0" + links + small))
    yield Case("E14", "E14_thumbnail.jpg", "thumbnail of more than the photo", "scored", thumb, "F01")
    profile = encoded(face(), "JPEG", quality=92, icc_profile=rng.bytes(3000))
    yield Case("E15", "E15_icc.jpg", "colour profile of noise", "scored, icc_ignored", profile, "F01")
    large = encoded(face(), "JPEG", quality=92, icc_profile=rng.bytes(10_000_000))
    yield Case("E16", "E16_icc.jpg", "colour profile of 10 MB", "scored, icc_ignored", large, "F01")
    xmp = (
        b'http://ns.adobe.com/xap/1.0/\0<!DOCTYPE r [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><x>&xxe;</x>'
    )
    yield Case(
        "E17", "E17_xmp.jpg", "XMP with an entity", "scored", with_segments(jpeg, segment(0xE1, xmp)), "F01"
    )
    talk = with_segments(jpeg, *(segment(0xFE, b"A" * 65533) for _ in range(60)))
    yield Case("E18", "E18_comments.jpg", "60 comments of 64 kB", "scored", talk, "F01")
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "JANE DOE")
    info.add_itxt("Comment", '=HYPERLINK("http://x")')
    named = encoded(face(), "PNG", pnginfo=info)
    yield Case("E19", "E19_text.png", "PNG with a name and a formula", "scored", named, "D09")
    dicom = bytes(128) + b"DICM" + b"DOE^JANE" + face().tobytes()
    yield Case("E20", "E20_dicom.dcm", "DICOM", "rejected, unsupported_format", dicom)
    yield Case("E21", "E21_dicom.jpg", "DICOM named .jpg", "rejected, not_an_image", dicom + b"\0")
    yield Case("E22", "E22_both.tif", "DICOM and TIFF", "rejected, unsupported_format", b"II*\0" + dicom[4:])


def _tiff(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, tag, kind, count, value, 0)


def _faces(jpeg: bytes, rng: np.random.Generator) -> Iterator[Case]:
    """Pictures that are whole and show something else than one good face; places in px of `face`."""
    light, seen = np.asarray(face()).astype(float), face()

    def shot(image: Image.Image, **options: Any) -> bytes:
        return encoded(image, "JPEG", **options)

    yield Case("F01", "F01_face.jpg", "one good face", "scored", jpeg)
    yield Case("F02", "F02_two.jpg", "two faces", "rejected, many_faces", shot(_beside(seen, seen)))
    yield Case(
        "F03",
        "F03_upside_down.jpg",
        "upside down: turned, and said",
        "scored, face_rotated",
        shot(seen.rotate(180)),
    )
    lying = seen.rotate(90, expand=True)
    yield Case(
        "F04", "F04_lying.jpg", "turned by 90°: turned back, and said", "scored, face_rotated", shot(lying)
    )
    dark = Image.fromarray((light * 0.04).astype(np.uint8))
    yield Case("F05", "F05_dark.jpg", "nearly black", "rejected, under_exposed", shot(dark))
    blown = Image.fromarray(np.clip(light * 2.2 + 120, 0, 255).astype(np.uint8))
    yield Case("F06", "F06_blown.jpg", "nearly white", "rejected, over_exposed", shot(blown))
    yield Case("F07", "F07_blur_12.jpg", "blur of 12 px", "rejected, blurred", shot(_blurred(seen, 12)))
    yield Case("F08", "F08_blur_3.jpg", "blur of 3 px", "rejected, blurred", shot(_blurred(seen, 3)))
    far = Image.new("RGB", (4000, 3000), (90, 120, 90))
    far.paste(seen.resize((130, 162)), (1900, 1400))
    yield Case("F09", "F09_far.jpg", "a face of 90 px in 12 megapixels", "rejected, no_face", shot(far))
    bar, mask = seen.copy(), seen.copy()
    ImageDraw.Draw(bar).rectangle((200, 490, 700, 610), fill=(0, 0, 0))
    yield Case("F10", "F10_bar.jpg", "a bar over the eyes", "scored, little_skin", shot(bar))
    ImageDraw.Draw(mask).rectangle((110, 690, 800, 1119), fill=(150, 200, 230))
    yield Case("F11", "F11_mask.jpg", "a mask over mouth and nose", "scored", shot(mask))
    half = seen.crop((448, 0, 896, 1120))
    yield Case("F12", "F12_half.jpg", "half a face", "rejected, face_cut", shot(half))
    noise = Image.fromarray(np.clip(light + rng.normal(0, 70, light.shape), 0, 255).astype(np.uint8))
    yield Case("F13", "F13_noise.jpg", "noise of 70 grey levels", "rejected, noisy", shot(noise))
    yield Case("F14", "F14_quality_3.jpg", "JPEG of quality 3", "rejected, smoothed", shot(seen, quality=3))
    yield Case(
        "F15", "F15_cartoon.png", "cartoon", "rejected, landmarks_unsteady", encoded(_cartoon(), "PNG")
    )
    statue = ImageOps.grayscale(seen).filter(ImageFilter.EMBOSS).convert("RGB")
    yield Case("F16", "F16_statue.jpg", "embossed like a statue", "rejected, smoothed", shot(statue))
    waves = 0.75 + 0.25 * np.sin(np.arange(seen.width) * 2.2)
    screen = Image.fromarray((light * waves[None, :, None]).astype(np.uint8))
    yield Case("F17", "F17_screen.jpg", "photo of a screen", "rejected, noisy", shot(screen))
    mirrored = seen.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    yield Case("F18", "F18_mirrored.jpg", "mirrored", "scored", shot(mirrored, quality=92))
    wide = seen.resize((2 * seen.width, seen.height))
    yield Case("F19", "F19_wide.jpg", "twice as wide", "rejected, stretched", shot(wide))
    large = seen.resize((512, 640)).resize((3072, 3840), Image.Resampling.BICUBIC)
    yield Case(
        "F20",
        "F20_enlarged.jpg",
        "12 megapixels out of 0.3: the same numbers within their error",
        "scored",
        shot(large),
    )
    smooth = (
        seen.resize((1792, 2240)).filter(ImageFilter.MedianFilter(15)).filter(ImageFilter.GaussianBlur(2))
    )
    yield Case("F21", "F21_filter.jpg", "beauty filter", "scored, smoothed", shot(smooth, quality=92))


def _beside(left: Image.Image, right: Image.Image) -> Image.Image:
    return Image.fromarray(np.hstack([np.asarray(left), np.asarray(right)]))


def _blurred(image: Image.Image, sigma_px: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(sigma_px))


def _cartoon() -> Image.Image:
    image = Image.new("RGB", (600, 600), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 60, 500, 540), fill=(255, 220, 180), outline="black", width=6)
    for x in (220, 380):
        draw.ellipse((x - 35, 220, x + 35, 270), fill="white", outline="black", width=4)
        draw.ellipse((x - 12, 235, x + 12, 259), fill="black")
    draw.arc((220, 330, 380, 450), 20, 160, fill="red", width=8)
    draw.line((300, 270, 290, 340, 310, 345), fill="black", width=4)
    return image


def document_row(case: Case) -> str:
    """Return the row of a case in docs/bad_inputs.md."""
    what = case.what if case.id[0] != "G" else f"`{ascii(case.what)[1:-1][:40]}`"
    return f"| {case.id} | {what.replace('|', '')} | `{case.row}` |"


NAMES = (
    *("G01_UPPER.JPG", "G02_mixed.JpEg", "G03_no_ext", "G04_double.jpg.png", "G05_trailing_dot.jpg."),
    *("G06 spaces  in name .jpg", "G07_émoji_😀_日本語_العربية.jpg", "G08_e\u0301_nfd.jpg"),
    *(f"G09_{'x' * 247}.jpg", "-G10_leading_dash.jpg", ".G11_hidden.jpg", "G12_new\nline.jpg"),
    *("G13_tab\tctrl\x07\x1b[31mred.jpg", "G14_=cmd|'calc'!A0.jpg", "G15_<img src=x onerror=alert(1)>.jpg"),
    *("G16_![x](http:__127.0.0.1_a.png).jpg", "G17_%2e%2e%2fetc%2fpasswd.jpg", "G18_..\\..\\windows.jpg"),
    *("G19_CON.jpg", "G20_'; DROP TABLE visits;--.jpg", "G21_\u202egpj.exe.jpg", "G22_*?[a].jpg"),
    *("@G23_SUM(1+1).jpg", "G24_$(touch pwned).jpg", "G25_{0.__class__}%s%n.jpg", "dup/one/same.jpg"),
    *("dup/two/same.jpg", "deep/" + "/".join(f"d{n:02}" for n in range(40)) + "/G28.jpg"),
    os.fsdecode(b"G29_bad\xff\xfeutf8.jpg"),
)


def _names(jpeg: bytes) -> Iterator[Case]:
    for number, name in enumerate(NAMES, start=1):
        row = {3: "scored", 4: "scored, extension_mismatch", 11: "no row"}.get(number, "scored")
        what = name.rpartition("/")[2]
        yield Case(f"G{number:02}", name, what, row, marked(jpeg, f"G{number:02}"), "F01")


OBJECTS = (
    Case("H01", "H01_link.jpg", "link to a photo", "skipped, symlink"),
    Case("H02", "H02_outside.jpg", "link out of the folder", "skipped, symlink"),
    Case("H03", "H03_dangling.jpg", "link to nothing", "skipped, missing"),
    Case("H04", "H04_self.jpg", "link to itself", "skipped, symlink"),
    Case("H05", "H05_loop", "link to the folder it is in", "skipped, symlink"),
    Case("H06", "H06_pipe.jpg", "pipe", "rejected, not_a_regular_file"),
    Case("H07", "H07_folder.jpg", "folder named like a photo: walked", "no row"),
    Case("H09", "H09_zero.jpg", "link to a device", "skipped, symlink"),
    Case("H10", "H10_5_GB.jpg", "5 GB of nothing", "rejected, file_too_big"),
    Case("H11", "H11_hard_link.jpg", "a second name of a photo", "skipped, duplicate_of"),
    Case("H13", "Thumbs.db", "thumbnails of Windows", "no row"),
    Case("H14", "._F01_face.jpg", "double of macOS", "no row"),
)
CLOSED = (
    Case("H08", "H08_closed.jpg", "file that may not be read", "rejected, permission_denied"),
    Case("H12", "H12_closed", "folder that may not be listed", "rejected, permission_denied"),
)


def write(folder: Path) -> list[Case]:
    """Write all cases but `CLOSED` into `folder`, which must be there."""
    made = list(cases())
    for case in made:
        path = folder / case.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.content or b"")
    for name, target in (
        *(
            ("H01_link.jpg", "F01_face.jpg"),
            ("H02_outside.jpg", "/etc/passwd"),
            ("H03_dangling.jpg", "none.jpg"),
        ),
        *(("H04_self.jpg", "H04_self.jpg"), ("H05_loop", "."), ("H09_zero.jpg", "/dev/zero")),
    ):
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "H06_pipe.jpg")
    (folder / "H07_folder.jpg").mkdir()
    with (folder / "H10_5_GB.jpg").open("wb") as stream:
        stream.truncate(5 << 30)
    os.link(folder / "F01_face.jpg", folder / "H11_hard_link.jpg")
    (folder / "Thumbs.db").write_bytes(b"x")
    (folder / "._F01_face.jpg").write_bytes(b"\0\5\x16\7")
    return [*made, *OBJECTS]
