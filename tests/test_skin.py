"""What is skin: hair is not, shadow and any tone are, and what shines says nothing."""

from __future__ import annotations

import functools

import cv2
import numpy as np
import pytest

from wrinklecv.chart import PATCH_PX, PATCH_SHAPE, linear_light, make_chart, px_to_mm, region_share, to_photo
from wrinklecv.phantom import Person, Phantom, Shot, draw_phantom
from wrinklecv.records import Bytes, Chart, Face, Float, Photo, Region, Scale
from wrinklecv.settings import DEFAULTS
from wrinklecv.skin import Shades, Skin, find_skin

SHOT = Shot(px_per_mm=3.0, width_px=600, height_px=760, noise_sd=1.0)


@functools.cache
def drawn(tone: float = 0.3) -> Phantom:
    return draw_phantom(Person(seed=5, skin_tone=tone), SHOT)


def charted(pixels: Bytes, tone: float = 0.3) -> Chart:
    phantom = drawn(tone)
    scale = Scale(phantom.mm_per_px, "given", 0.0)
    face = Face(phantom.landmarks_xy, 0.0, 0.0, 0.0, 0.0, scale, {})
    return make_chart(Photo(np.array(pixels, order="C"), "0" * 64), face)


def skin_of(pixels: Bytes, tone: float = 0.3) -> Skin:
    return find_skin(charted(pixels, tone), settings=DEFAULTS)


def share(mask: Float, region: Region) -> float:
    part = region_share(region)
    return float((mask * part).sum() / part.sum())


def painted(outline_mm: list[tuple[float, float]], colour: Bytes) -> Bytes:
    """Paint a piece of the chart, as the photo sees it, with `colour` (3,) or (H, W, 3)."""
    pixels = drawn().photo.pixels.copy()
    outline = to_photo(charted(pixels), np.array(outline_mm, dtype=float))
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 1)
    pixels[mask > 0] = np.broadcast_to(colour, pixels.shape)[mask > 0]
    return pixels


def strands() -> Bytes:
    """Return a picture of dark, mostly upright strands."""
    rng = np.random.default_rng(0)
    grey = cv2.GaussianBlur(rng.standard_normal((760, 600)), (0, 0), sigmaX=0.8, sigmaY=12)
    return np.clip(np.array((46, 34, 26)) + 60 * grey[..., None], 0, 255).astype(np.uint8)


BANGS = [(-50.0, -104.0), (50.0, -104.0), (50.0, -76.0), (-50.0, -76.0)]


def places_mm() -> Float:
    rows, columns = np.indices(PATCH_SHAPE)
    return px_to_mm((np.stack([columns, rows], axis=-1) + 0.5) * PATCH_PX - 0.5)


@pytest.mark.parametrize("tone", [0.3, 1.0])
def test_bare_skin_of_any_tone_is_usable(tone: float) -> None:
    skin = skin_of(drawn(tone).photo.pixels, tone)
    assert share(skin.usable, Region.FOREHEAD) > 0.9
    assert share(skin.usable, Region.GLABELLA) > 0.8
    # Beside the eyes a part is seen too steeply, or lies under brow and lashes.
    assert share(skin.usable, Region.CROWS_FEET_LEFT) > 0.7
    assert share(skin.usable, Region.CROWS_FEET_RIGHT) > 0.7


def test_usable_hidden_and_shining_places_exclude_each_other() -> None:
    skin = skin_of(painted(BANGS, strands()))
    assert not (skin.usable & skin.hidden).any()
    assert not (skin.usable & skin.shine).any()
    assert not (skin.hidden & skin.shine).any()


def test_dark_bangs_are_hidden_and_nothing_else_is() -> None:
    bare, covered = skin_of(drawn().photo.pixels), skin_of(painted(BANGS, strands()))
    u, v = np.moveaxis(places_mm(), -1, 0)
    under = (np.abs(u) < 48) & (v > -102) & (v < -78)
    assert covered.hidden[under].mean() > 0.98
    below = (np.abs(u) < 60) & (v > -76 + DEFAULTS.hairline_margin_mm + 2)
    assert (covered.usable != bare.usable)[below].mean() < 0.02
    hidden_share = under[region_share(Region.FOREHEAD) > 0.5].mean()
    assert share(covered.usable, Region.FOREHEAD) < share(bare.usable, Region.FOREHEAD) - 0.9 * hidden_share


def test_smooth_dark_hair_is_hidden_by_its_colour() -> None:
    covered = skin_of(painted(BANGS, np.array((46, 34, 26), np.uint8)))
    u, v = np.moveaxis(places_mm(), -1, 0)
    assert covered.hidden[(np.abs(u) < 48) & (v > -102) & (v < -78)].mean() > 0.98


def shaded(pixels: Bytes, left: float, right: float) -> Bytes:
    """Let the light fall off evenly across the picture, in linear light."""
    gain = np.geomspace(left, right, pixels.shape[1])[None, :, None]
    linear = linear_light()[pixels] * gain
    return np.interp(linear, linear_light(), np.arange(256)).round().astype(np.uint8)


@pytest.mark.parametrize("gains", [(1.0, 0.25), (0.25, 1.0), (0.5, 0.5)])
def test_a_shading_gradient_does_not_hide_skin(gains: tuple[float, float]) -> None:
    pixels = drawn().photo.pixels
    bare, shadow = skin_of(pixels), skin_of(shaded(pixels, *gains))
    for region in Region:
        assert share(shadow.usable, region) > share(bare.usable, region) - 0.03


def test_a_mole_hides_little_more_than_itself() -> None:
    mole = [(19.0, -81.0), (20.0, -81.0), (20.0, -80.0), (19.0, -80.0)]
    bare, spotted = skin_of(drawn().photo.pixels), skin_of(painted(mole, np.array((90, 60, 50), np.uint8)))
    lost = share(bare.usable, Region.FOREHEAD) - share(spotted.usable, Region.FOREHEAD)
    # Fine contrast is averaged over millimetres, so a mole of 1 mm already counts as hair and takes the
    # margin around hair with it: 12 mm across. Less would be better; more would cost lines.
    assert lost < 0.035


def test_a_clipped_area_is_shine_and_not_usable() -> None:
    spot = [(-15.0, -90.0), (15.0, -90.0), (15.0, -75.0), (-15.0, -75.0)]
    skin = skin_of(painted(spot, np.array((255, 255, 255), np.uint8)))
    u, v = np.moveaxis(places_mm(), -1, 0)
    inside = (np.abs(u) < 14) & (v > -89) & (v < -76)
    assert skin.shine[inside].mean() > 0.98
    assert not skin.usable[inside].any()
    assert not skin.shine[(np.abs(u) > 17)].any()


def test_a_picture_without_skin_has_no_usable_place() -> None:
    black = np.zeros_like(drawn().photo.pixels)
    noise = np.random.default_rng(0).integers(0, 256, black.shape, dtype=np.uint8)
    assert skin_of(noise).usable.mean() < 0.02
    assert skin_of(black).light < DEFAULTS.black_light


def test_skin_seen_too_steeply_is_not_usable() -> None:
    chart = charted(drawn().photo.pixels)
    narrow = find_skin(chart, settings=DEFAULTS)
    steep = cv2.resize(chart.view_angle_deg, PATCH_SHAPE[::-1], interpolation=cv2.INTER_LINEAR)
    assert not narrow.usable[steep > DEFAULTS.max_view_angle_deg + 1].any()


@pytest.mark.parametrize("slope", [0.0, -0.5])
def test_the_colour_of_shades_is_read_from_the_skin_itself(slope: float) -> None:
    """Shade the drawn face finely: where ln light falls by d, ln red/green rises by -slope · d."""
    plain = drawn(1.0).photo.pixels  # very dark skin has hardly coloured shades of its own
    rng = np.random.default_rng(2)
    shade = cv2.GaussianBlur(rng.standard_normal(plain.shape[:2]), (0, 0), 3)
    shade *= 0.06 / shade.std()
    light = linear_light()[plain].astype(float)
    luminance = np.array([0.2126, 0.7152, 0.0722])
    ratio = np.exp(slope * shade)
    red = light[..., 0] * ratio
    green, blue = light[..., 1], light[..., 2]
    coloured = np.stack([red, green, blue], axis=-1)
    coloured *= (np.exp(shade) * (light @ luminance) / (coloured @ luminance))[..., None]
    pixels = np.rint(np.interp(coloured, linear_light(), np.arange(256))).astype(np.uint8)
    assert skin_of(pixels, 1.0).shades.redness == pytest.approx(slope, abs=0.12)


def test_too_little_skin_tells_no_colour_of_shades() -> None:
    assert skin_of(np.zeros_like(drawn().photo.pixels)).shades == Shades(0.0, float("inf"))
