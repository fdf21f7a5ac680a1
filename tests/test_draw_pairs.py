"""Pictures of a pair: one frame for both photos, lines told apart without colour, nothing of the files."""

from __future__ import annotations

import dataclasses
import io
from itertools import combinations

import numpy as np
import pytest
from builders import an_assessment
from PIL import Image

from wrinklecv import Assessment, Expression, Face, Photo, Region, Scale, draw_pairs
from wrinklecv.draw import Cut
from wrinklecv.model import canonical_face
from wrinklecv.pairs import ComparedLine, Comparison
from wrinklecv.records import Bytes, Float, LineKind

SIZE = (1100, 1000)
INK = (200, 160, 140)


def a_face(turn_deg: float, zoom: float, shift: tuple[float, float], brow_mm: float = 0.0) -> Face:
    """Return a canonical face turned in the plane of the photo, `zoom` px per mm, its brows lifted."""
    places = canonical_face()[0][:, :2] * (1.0, -1.0)
    places[[70, 63, 105, 66, 107, 336, 296, 334, 293, 300], 1] -= brow_mm
    placed = places @ similarity(turn_deg, zoom).T + shift
    irises = np.tile(placed.mean(axis=0), (10, 1))
    return Face(np.vstack([placed, irises]), 0.0, 0.0, 0.0, turn_deg, Scale(1 / zoom, "given", 0.0), {})


def similarity(turn_deg: float, zoom: float) -> Float:
    cos, sin = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    return zoom * np.array(((cos, -sin), (sin, cos)))


REST = (a_face(0.0, 4.0, (500.0, 560.0)), 0.0, 4.0, np.array((500.0, 560.0)))
EXPRESSION = (a_face(12.0, 3.0, (480.0, 600.0), brow_mm=4.0), 12.0, 3.0, np.array((480.0, 600.0)))


def a_photo(turn_deg: float, zoom: float, shift: Float, sha256: str) -> Photo:
    """Return a photo of one picture, painted in mm of the face, as each camera sees it."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    places = (np.stack([x, y], axis=-1) - shift) @ np.linalg.inv(similarity(turn_deg, zoom)).T
    shade = 128 + 50 * np.sin(places / 9.0)
    pixels = np.dstack([shade, np.full(SIZE, 120.0)]).astype(np.uint8)
    return Photo(pixels, sha256)


def on_photo(places_mm: Float, turn_deg: float, zoom: float, shift: Float) -> Float:
    return np.asarray(places_mm @ similarity(turn_deg, zoom).T + shift)


def a_compared_line(kind: LineKind, y_mm: float, region: Region = Region.FOREHEAD) -> ComparedLine:
    places = np.column_stack([np.linspace(-30, 30, 121), np.full(121, y_mm)])
    return ComparedLine(
        region, kind, 0.9, "", places, places,
        on_photo(places, *REST[1:]), on_photo(places, *EXPRESSION[1:]),
        0, 0, 60.0, 0.8, 0.05, 0.01, 0.02, 0.1, 0.01, 0.02, 0.5, 0.4, 0.6,
    )  # fmt: skip


LINES = tuple(a_compared_line(kind, y) for kind, y in zip(LineKind, (-50, -60, -70, -80), strict=True))


def seen_by(face: Face, photo: Photo) -> Assessment:
    return dataclasses.replace(an_assessment(sha256=photo.sha256, lines=()), face=face)


@pytest.fixture(scope="module")
def pair() -> tuple[Photo, Photo, Comparison]:
    rest, expression = a_photo(*REST[1:], "aa" * 32), a_photo(*EXPRESSION[1:], "bb" * 32)
    found = Comparison(
        seen_by(REST[0], rest), seen_by(EXPRESSION[0], expression),
        Expression.BROW_RAISE, LINES, (), (), 0.5, (), (),
    )  # fmt: skip
    return rest, expression, found


@pytest.mark.parametrize("region", [None, *Region])
def test_both_photos_show_the_same_place_at_the_same_place(
    pair: tuple[Photo, Photo, Comparison], region: Region | None
) -> None:
    first, second = draw_pairs.registered(*pair, region)
    assert first.pixels.shape == second.pixels.shape
    inner = np.s_[60:-60, 60:-60]
    shown = [cut.pixels[inner].astype(int) for cut in (first, second)]
    known = ~(np.abs(shown[1] - 128).max(axis=2) < 2)  # grey: beyond the photo
    off = np.abs(shown[0] - shown[1])[..., :2].max(axis=2)[known]
    assert np.quantile(off, 0.95) < 8, "a shift of 1 mm changes the shade by up to 6"


def test_the_frame_is_upright_and_raised_brows_are_seen_to_be_raised(
    pair: tuple[Photo, Photo, Comparison],
) -> None:
    _, _, found = pair
    cuts = draw_pairs.registered(*pair)
    points = [
        face.points_xy @ cut.from_photo[:, :2].T + cut.from_photo[:, 2]
        for cut, face in zip(cuts, (found.rest.face, found.expression.face), strict=True)
    ]
    eyes = [xy[[33, 263]] for xy in points]
    assert eyes[0] == pytest.approx(eyes[1], abs=0.5)
    assert eyes[0][0, 1] == pytest.approx(eyes[0][1, 1], abs=0.5)
    assert eyes[0][0, 0] < eyes[0][1, 0], "the subject's right is on the left of the picture"
    zoom = np.linalg.norm(cuts[0].from_photo[:, 0]) * 4.0  # px per mm
    assert points[0][105, 1] - points[1][105, 1] == pytest.approx(4.0 * zoom, rel=0.02)


def test_the_whole_face_and_every_outline_lie_within_the_picture(
    pair: tuple[Photo, Photo, Comparison],
) -> None:
    for region in (None, *Region):
        for cut in draw_pairs.registered(*pair, region):
            height, width = cut.pixels.shape[:2]
            for outline in cut.outlines:
                assert (outline >= 0).all()
                assert (outline <= (width - 1, height - 1)).all()


def test_what_a_photo_does_not_show_is_grey() -> None:
    face = a_face(0.0, 4.0, (500.0, 300.0))  # the forehead is cut
    shift = np.array((500.0, 300.0))
    photo = a_photo(0.0, 4.0, shift, "aa" * 32)
    found = Comparison(seen_by(face, photo), seen_by(face, photo), Expression.SMILE, (), (), (), 0.5, (), ())
    cut = draw_pairs.registered(photo, photo, found, Region.FOREHEAD)[0]
    assert (cut.pixels[2] == 128).all()


# -- lines by kind ---------------------------------------------------------------------------------


def drawn(kind: LineKind, size: int) -> tuple[Bytes, Float]:
    """Return a line of one kind on plain skin, drawn at `size` px per side, and its path."""
    cut = Cut(np.full((size, size, 3), INK, np.uint8), np.array(((1.0, 0, 0), (0, 1.0, 0))), ())
    path = np.column_stack([np.linspace(0.1, 0.9, 100) * size, np.full(100, size / 2.0)])
    line = dataclasses.replace(a_compared_line(kind, 0.0), rest_path_mm=path, expression_path_mm=path,
                               rest_path_xy=path, expression_path_xy=path)  # fmt: skip
    return draw_pairs.draw_kinds_on(cut, (line,), "rest"), line.rest_path_xy


def grey(picture: Bytes) -> Float:
    return np.asarray(picture @ (0.299, 0.587, 0.114))


@pytest.mark.parametrize("size", [120, 300, 900, 4000])
def test_kinds_are_told_apart_on_grey_paper(size: int) -> None:
    """By the share of the path that is inked, by the stroke's width and by what its middle looks like."""
    traits = {}
    for kind in LineKind:
        picture, path = drawn(kind, size)
        changed = np.abs(grey(picture) - grey(np.array(INK))) > 20
        columns = changed[:, round(0.12 * size) : round(0.88 * size)]
        bright = grey(picture)[np.rint(path[:, 1]).astype(int), np.rint(path[:, 0]).astype(int)].mean()
        traits[kind] = (columns.any(axis=0).mean(), columns.sum(axis=0).max(), bright)
    for a, b in combinations(LineKind, 2):
        (broken_a, width_a, bright_a), (broken_b, width_b, bright_b) = traits[a], traits[b]
        told = (
            abs(broken_a - broken_b) > 0.15
            or max(width_a, width_b) >= 1.25 * min(width_a, width_b)
            or abs(bright_a - bright_b) > 25
        )
        assert told, (a, b, traits)
    assert traits[LineKind.STATIC][0] == traits[LineKind.DEEPENED][0] == 1
    assert traits[LineKind.DYNAMIC][0] < 0.95
    assert traits[LineKind.INDETERMINATE][0] < 0.95


def test_colours_differ_to_colour_blind_eyes_in_lightness() -> None:
    kinds = (LineKind.STATIC, LineKind.DEEPENED, LineKind.DYNAMIC)
    shades = [float(grey(np.array(draw_pairs.KIND_COLOURS[kind]))) for kind in kinds]
    assert min(abs(a - b) for a, b in combinations(shades, 2)) > 35


def test_lines_lie_where_each_photo_shows_them(pair: tuple[Photo, Photo, Comparison]) -> None:
    rest, expression, found = pair
    for side, photo in (("rest", rest), ("expression", expression)):
        picture = draw_pairs.draw_kinds(photo, found, side)  # type: ignore[arg-type]
        assert (picture.shape[1], picture.shape[2]) == (SIZE[1], 3)
        touched = (picture[: SIZE[0]] != photo.pixels).any(axis=2)
        for line in LINES:
            path = line.rest_path_xy if side == "rest" else line.expression_path_xy
            columns, rows = np.rint(path).astype(int).T
            assert touched[rows, columns].mean() > 0.3
        rows, columns = np.nonzero(touched)
        paths = np.concatenate([x.rest_path_xy if side == "rest" else x.expression_path_xy for x in LINES])
        gaps = np.linalg.norm(np.column_stack([columns, rows])[:, None] - paths[None], axis=2)
        assert gaps.min(axis=1).max() < 6


def test_the_same_lines_are_drawn_on_a_cut(pair: tuple[Photo, Photo, Comparison]) -> None:
    cuts = draw_pairs.registered(*pair, Region.FOREHEAD)
    inked = [
        np.nonzero((draw_pairs.draw_kinds_on(cut, LINES[:1], side) != cut.pixels)[..., 2])  # type: ignore[arg-type]
        for cut, side in zip(cuts, ("rest", "expression"), strict=True)
    ]
    assert inked[0][1].mean() == pytest.approx(inked[1][1].mean(), abs=2)


def test_the_marked_line_stands_out_and_keeps_its_kind(pair: tuple[Photo, Photo, Comparison]) -> None:
    rest, _, found = pair
    plain = draw_pairs.draw_kinds(rest, found, "rest")
    marked = draw_pairs.draw_kinds(rest, found, "rest", marked=found.lines[0])
    white = [(picture.min(axis=2) > 245).sum() for picture in (plain, marked)]
    assert white[1] > white[0] + 400
    column, row = np.rint(LINES[0].rest_path_xy[60]).astype(int)
    assert np.abs(marked[row, column].astype(int) - draw_pairs.KIND_COLOURS[LINES[0].kind]).max() < 60


def test_the_photo_of_the_other_side_is_refused(pair: tuple[Photo, Photo, Comparison]) -> None:
    rest, expression, found = pair
    with pytest.raises(ValueError, match="expression photo"):
        draw_pairs.draw_kinds(rest, found, "expression")
    with pytest.raises(ValueError, match="rest photo"):
        draw_pairs.registered(expression, rest, found)


@pytest.mark.parametrize("width", [60, 200, 640, 1900, 6000])
def test_the_legend_fits_its_picture(width: int) -> None:
    strip = draw_pairs.draw_legend(width, LINES)
    assert strip.shape[1] == width
    assert strip.shape[0] < max(120, width / 5)
    if width >= 200:
        assert (strip[:, -3:] == strip[0, 0]).all(), "no word runs out of the picture"


def test_a_line_of_one_point_is_drawn_and_does_no_harm(pair: tuple[Photo, Photo, Comparison]) -> None:
    rest, _, found = pair
    point = np.array(((500.0, 300.0), (500.0, 300.0)))
    for kind in LineKind:
        line = dataclasses.replace(LINES[0], kind=kind, rest_path_mm=point, expression_path_mm=point,
                                   rest_path_xy=point, expression_path_xy=point)  # fmt: skip
        draw_pairs.draw_kinds(rest, dataclasses.replace(found, lines=(line,)), "rest")


# -- files -----------------------------------------------------------------------------------------


def test_side_by_side_holds_both_photos_names_and_one_legend(pair: tuple[Photo, Photo, Comparison]) -> None:
    whole = draw_pairs.registered(*pair)[0].pixels.shape
    picture = draw_pairs.side_by_side(*pair)
    assert picture.dtype == np.uint8
    assert picture.shape[1] == pytest.approx(2 * whole[1], abs=10)
    assert whole[0] < picture.shape[0] < 1.3 * whole[0]


@pytest.mark.parametrize("region", [None, Region.GLABELLA])
def test_blink_shows_both_photos_in_turn_and_carries_nothing_else(
    pair: tuple[Photo, Photo, Comparison], region: Region | None
) -> None:
    data = draw_pairs.blink(*pair, region=region)
    with Image.open(io.BytesIO(data)) as gif:
        assert gif.format == "GIF"
        assert getattr(gif, "n_frames", 1) == 2
        assert gif.info["duration"] == 700
        assert gif.info["loop"] == 0
        assert not {"comment", "exif", "xmp"} & set(gif.info)
        frames = []
        for number in range(2):
            gif.seek(number)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
    assert frames[0].shape == frames[1].shape
    assert max(frames[0].shape) <= 900


def test_blink_of_a_photo_with_itself_still_has_two_frames(pair: tuple[Photo, Photo, Comparison]) -> None:
    rest, _, found = pair
    data = draw_pairs.blink(rest, rest, dataclasses.replace(found, expression=found.rest))
    with Image.open(io.BytesIO(data)) as gif:
        assert getattr(gif, "n_frames", 1) == 2


def test_the_same_pair_gives_the_same_bytes(pair: tuple[Photo, Photo, Comparison]) -> None:
    assert draw_pairs.blink(*pair) == draw_pairs.blink(*pair)
    assert np.array_equal(draw_pairs.side_by_side(*pair), draw_pairs.side_by_side(*pair))
