"""Pictures of a photo: the very skin, the very lines, nothing of the file they came from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from builders import a_line, an_assessment
from scipy.spatial import cKDTree

from wrinklecv import Assessment, Face, Line, Photo, Region, Scale, draw
from wrinklecv.chart import REGION_OUTLINES_MM
from wrinklecv.draw import REGION_COLOURS, draw_lines
from wrinklecv.head import surface
from wrinklecv.records import Bytes, Float


def turned_face(turn_deg: float) -> Face:
    """Return a canonical face of 5 px/mm, leaning in the plane of the photo by `turn_deg`."""
    from wrinklecv.model import canonical_face

    points = canonical_face()[0][:, :2] * (5.0, -5.0)
    cos, sin = np.cos(np.deg2rad(turn_deg)), np.sin(np.deg2rad(turn_deg))
    placed = points @ np.array(((cos, sin), (-sin, cos))) + (600.0, 700.0)
    irises = np.tile(placed.mean(axis=0), (10, 1))
    return Face(np.vstack([placed, irises]), 0.0, 0.0, 0.0, turn_deg, Scale(0.2, "given", 0.0), {})


@pytest.fixture(params=[0.0, 20.0])
def looked_at(request: pytest.FixtureRequest) -> tuple[Photo, Assessment]:
    """Return a photo whose colours tell the place, and an assessment with two lines on the forehead."""
    y, x = np.mgrid[:1400, :1200]
    pixels = np.stack([x / 1200 * 255, y / 1400 * 255, np.full_like(x, 90)], axis=2).astype(np.uint8)
    photo = Photo(pixels, "ab" * 32)
    face = turned_face(request.param)
    lines = tuple(
        dataclasses.replace(a_line(), path_xy=np.array(((560.0, y), (600.0, y), (640.0, y))))
        for y in (340, 360)
    )
    found = Assessment("", photo.sha256, "", "", 1, 1200, 1400, face, (), lines, ())
    return photo, found


def places(cut: draw.Cut, xy: Float) -> Float:
    return xy @ cut.from_photo[:, :2].T + cut.from_photo[:, 2]


@pytest.mark.parametrize("region", list(Region))
def test_a_tile_shows_the_very_skin_of_its_region(
    looked_at: tuple[Photo, Assessment], region: Region
) -> None:
    photo, found = looked_at
    _, tiles = draw.cut_out(photo, found)
    tile = tiles[region]
    assert tile.pixels.shape == (640, 960, 3)
    outline = tile.outlines[0]
    assert (outline >= 0).all()
    assert (outline <= (959, 639)).all()
    back = np.linalg.inv(np.vstack([tile.from_photo, (0, 0, 1)]))[:2]
    there = outline @ back[:, :2].T + back[:, 2]
    shown = tile.pixels[np.rint(outline[:, 1]).astype(int), np.rint(outline[:, 0]).astype(int)]
    true = photo.pixels[np.rint(there[:, 1]).astype(int), np.rint(there[:, 0]).astype(int)]
    assert np.abs(shown.astype(int) - true).max() <= 2


def test_a_tile_is_upright_and_the_subjects_left_is_on_its_right(looked_at: tuple[Photo, Assessment]) -> None:
    photo, found = looked_at
    _, tiles = draw.cut_out(photo, found)
    corners = np.array(REGION_OUTLINES_MM[Region.FOREHEAD])
    left, right = (surface(corners[[k]])[0, :2] for k in (4, 5))  # above the brows, u = -14 and 14 mm
    ends = tiles[Region.FOREHEAD].outlines[0]
    assert left[0] < right[0]
    assert ends[np.argmin(ends[:, 0]), 1] == pytest.approx(ends[np.argmax(ends[:, 0]), 1], abs=15)


def test_the_whole_photo_is_shrunk_without_being_shifted(looked_at: tuple[Photo, Assessment]) -> None:
    photo, found = looked_at
    twice = Photo(np.repeat(np.repeat(photo.pixels, 2, axis=0), 2, axis=1), photo.sha256)
    large = dataclasses.replace(
        found, face=dataclasses.replace(found.face, points_xy=found.face.points_xy * 2)
    )
    whole, _ = draw.cut_out(twice, large)
    assert whole.pixels.shape == (1600, round(1200 * 1600 / 1400), 3)
    middle = places(whole, np.array(((1200.5, 1400.5),)))[0]
    assert middle == pytest.approx((whole.pixels.shape[1] / 2, 800), abs=1)


def test_lines_and_the_marked_one_are_drawn_on_a_copy(looked_at: tuple[Photo, Assessment]) -> None:
    photo, found = looked_at
    whole, tiles = draw.cut_out(photo, found)
    lines = dict(enumerate(found.lines, start=1))
    for cut in (whole, tiles[Region.FOREHEAD]):
        clean = cut.pixels.copy()
        drawn = draw.draw_on(cut, lines, marked=2, numbers=True)
        assert (cut.pixels == clean).all()
        (x1, y1), (x2, y2) = (np.rint(places(cut, line.path_xy)[1]).astype(int) for line in found.lines)
        assert tuple(drawn[y1, x1]) == draw.REGION_COLOURS[Region.FOREHEAD]
        assert tuple(drawn[y2, x2]) == (255, 255, 255)


def test_a_picture_carries_no_metadata() -> None:
    data = draw.encode_jpeg(np.full((20, 30, 3), 128, np.uint8))
    markers = {data[at + 1] for at in range(len(data) - 1) if data[at] == 0xFF}
    assert not markers & {*range(0xE1, 0xF0), 0xFE}, "no APP1 to APP15, no comment"


def test_an_assessment_of_another_photo_is_refused(looked_at: tuple[Photo, Assessment]) -> None:
    photo, found = looked_at
    with pytest.raises(ValueError, match="another photo"):
        draw.cut_out(dataclasses.replace(photo, sha256="cd" * 32), found)


# -- every line on the whole photo -----------------------------------------------------------------


def noisy(size: tuple[int, int] = (300, 400)) -> Photo:
    noise = np.random.default_rng(0).integers(60, 200, (*size, 3), dtype=np.uint8)
    return Photo(noise, "ab" * 32)


def line(path_xy: list[tuple[float, float]], region: Region = Region.FOREHEAD) -> Line:
    path = np.array(path_xy)
    return dataclasses.replace(a_line(region), path_mm=path, path_xy=path)


LEVEL = line([(50.0, 60.0), (150.0, 60.0), (250.0, 62.0)])
SLANTED = line([(300.0, 200.0), (350.0, 250.0)], Region.CROWS_FEET_LEFT)


def of(*lines: Line) -> Assessment:
    return an_assessment(sha256="ab" * 32, lines=lines)


def changed(picture: Bytes, original: Photo) -> Bytes:
    """Return the changed pixels as (N, 2) of (x, y)."""
    rows, columns = np.nonzero((picture != original.pixels).any(axis=2))
    return np.column_stack([columns, rows])


def dense(*lines: Line) -> Float:
    share = np.linspace(0, 1, 1000)[:, None]
    return np.concatenate(
        [a + share * (b - a) for x in lines for a, b in zip(x.path_xy[:-1], x.path_xy[1:], strict=True)]
    )


def test_drawing_leaves_the_photo_as_it_was() -> None:
    original = noisy()
    before = original.pixels.copy()
    picture = draw_lines(original, of(LEVEL))
    assert np.array_equal(original.pixels, before)
    assert picture.shape == before.shape
    assert not np.shares_memory(picture, original.pixels)


def test_lines_of_another_photo_are_not_drawn() -> None:
    with pytest.raises(ValueError, match="another photo"):
        draw_lines(noisy(), an_assessment(sha256="cd" * 32))


def test_pixels_change_along_the_paths_only() -> None:
    original = noisy()
    touched = changed(draw_lines(original, of(LEVEL, SLANTED)), original)
    path = dense(LEVEL, SLANTED)
    assert cKDTree(path).query(touched)[0].max() < 4  # a line of one pixel, its halo, smooth edges
    assert cKDTree(touched).query(path)[0].max() < 1


def test_no_lines_change_no_pixel() -> None:
    assert np.array_equal(draw_lines(noisy(), of()), noisy().pixels)


def test_each_region_has_its_own_colour() -> None:
    assert len(set(REGION_COLOURS.values())) == len(Region)
    picture = draw_lines(noisy(), of(LEVEL, SLANTED)).astype(int)
    for (x, y), region in (((100, 60), Region.FOREHEAD), ((325, 225), Region.CROWS_FEET_LEFT)):
        assert np.abs(picture[y, x] - REGION_COLOURS[region]).max() < 40  # smooth edges


def test_a_marked_line_is_white_and_thicker() -> None:
    original = noisy()
    plain, marked = draw_lines(original, of(LEVEL)), draw_lines(original, of(LEVEL), marked=LEVEL)
    assert marked[60, 100].min() > 230
    assert len(changed(marked, original)) > len(changed(plain, original))


def test_a_path_that_leaves_the_photo_is_drawn_as_far_as_it_goes() -> None:
    original = noisy()
    touched = changed(draw_lines(original, of(line([(-50.0, 100.0), (500.0, 100.0)]))), original)
    assert (touched[:, 0].min(), touched[:, 0].max()) == (0, 399)
