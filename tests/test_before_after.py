"""Two visits laid together: the same skin at the same place, and no difference where there is none."""

from __future__ import annotations

import dataclasses
import re

import cv2
import numpy as np
import pytest
from test_app import SAMPLES

from wrinklecv import Expression, Region, Verdict, read_photo
from wrinklecv.before_after import TwoVisits, lay_visits
from wrinklecv.chart import linear_light
from wrinklecv.draw import encode_jpeg, encode_png
from wrinklecv.draw_visits import blanked, draw_difference, draw_sheet, draw_visits, matched
from wrinklecv.errors import PhotoError
from wrinklecv.phantom import Person, Shot, draw_phantom, random_lines
from wrinklecv.records import Bytes

pytestmark = pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")


def sample(expression: str, day: str = "20250110") -> bytes:
    name = f"sub-001_ses-{day}_expr-{expression}"
    return next(p for p in SAMPLES if p.name.startswith(name)).read_bytes()


@pytest.fixture(scope="module")
def smiles() -> TwoVisits:
    return lay_visits(sample("smile"), sample("smile", "20250410"), Expression.SMILE)


@pytest.fixture(scope="module")
def strangers() -> TwoVisits:
    """One face with two skins: marks of 0.5 mm that differ."""
    pixels = read_photo(sample("rest")).pixels
    first, later = (encode_jpeg(_marked(pixels, seed)) for seed in (1, 2))
    return lay_visits(first, later, Expression.REST)


def _marked(pixels: Bytes, seed: int) -> Bytes:
    noise = np.random.default_rng(seed).standard_normal(pixels.shape[:2]).astype(np.float32)
    marks = cv2.GaussianBlur(noise, (0, 0), 5)
    return np.asarray(np.clip(pixels * (1 + 0.15 * marks / marks.std())[..., None], 0, 255), np.uint8)


def clear_share(found: TwoVisits, region: Region) -> float:
    overlay = found.views[region].overlay
    return float(overlay.clear.sum() / overlay.seen.sum())


def test_both_visits_show_the_same_skin_at_the_same_place(smiles: TwoVisits) -> None:
    assert not smiles.findings
    for place, view in smiles.views.items():
        assert view.residual_mm is not None
        assert view.residual_mm < (0.6 if place is None else 0.4)
        assert view.cuts[0].pixels.shape == view.cuts[1].pixels.shape
    # What the landmarks do not know: drawn lines of the same skin, found anew in each photo.
    off = []
    for region in (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT):
        cuts = smiles.views[region].cuts
        first, later = (
            [line.path_xy @ cut.from_photo[:, :2].T + cut.from_photo[:, 2] for line in found.lines_in(region)]
            for cut, found in zip(cuts, (smiles.first, smiles.later), strict=True)
        )
        px_per_mm = np.linalg.norm(cuts[0].from_photo[:, 0]) / smiles.first.face.scale.mm_per_px
        for path in later:
            middle = path[len(path) // 2]
            near = min(np.linalg.norm(other - middle, axis=1).min() for other in first)
            off.append(near / px_per_mm)
    assert np.median(off) < 0.4


def test_a_change_is_shown_where_lines_are_and_its_way(smiles: TwoVisits) -> None:
    for region in (Region.CROWS_FEET_LEFT, Region.CROWS_FEET_RIGHT):
        overlay = smiles.views[region].overlay
        assert clear_share(smiles, region) > 0.02
        assert (overlay.gap[overlay.clear] < 0).mean() > 0.95, "the drawn lines weakened to 79 %"
        assert not (overlay.clear & ~overlay.seen).any()


def test_the_same_photo_twice_shows_no_difference() -> None:
    content = sample("frown")
    found = lay_visits(content, content, Expression.FROWN)
    assert found.stops == 0
    assert not found.findings
    assert all(not view.overlay.clear.any() for view in found.views.values())
    assert all(view.residual_mm == pytest.approx(0, abs=0.05) for view in found.views.values())


@pytest.mark.slow
def test_light_exposure_and_pose_alone_show_hardly_any_difference() -> None:
    lines = random_lines(np.random.default_rng(1), contrast=(0.05, 0.3), width_mm=(0.5, 1.6))
    person = Person(seed=1, skin_tone=0.5, lines=lines)
    shot = Shot(px_per_mm=5.0, width_px=1000, height_px=1250, yaw_deg=1.0, noise_sd=1.0)
    other = dataclasses.replace(
        shot, yaw_deg=-1.5, pitch_deg=1.5, roll_deg=2.0, light_azimuth_deg=-12.0, exposure_ev=-0.5
    )
    first, later = (
        encode_jpeg(draw_phantom(person, one, seed=k).photo.pixels) for k, one in enumerate((shot, other))
    )
    found = lay_visits(first, later, Expression.REST)
    assert found.verdict() is not Verdict.REFUSE
    shares = [clear_share(found, region) for region in Region]
    assert np.mean(shares) < 0.01
    assert max(shares) < 0.04


def test_another_skin_is_not_laid_on_it_but_shown_at_the_same_scale(strangers: TwoVisits) -> None:
    assert strangers.verdict() is Verdict.REFUSE
    for view in strangers.views.values():
        assert not view.is_laid
        assert not view.overlay.seen.any()
        eyes = [
            found.face.points_xy[[33, 263]] @ cut.from_photo[:, :2].T + cut.from_photo[:, 2]
            for cut, found in zip(view.cuts, (strangers.first, strangers.later), strict=True)
        ]
        gaps = [np.linalg.norm(xy[1] - xy[0]) for xy in eyes]
        assert gaps[0] == pytest.approx(gaps[1], rel=0.03), "the same scale"


def test_a_bad_photo_is_named_by_its_visit() -> None:
    with pytest.raises(PhotoError) as caught:
        lay_visits(sample("rest"), b"<html>", Expression.REST)
    assert caught.value.__notes__ == ["The later photo"]


def test_a_darker_photo_is_matched_for_the_eye_and_measured_as_it_is() -> None:
    bright = read_photo(sample("rest")).pixels
    dark = encode_jpeg(matched(bright, -0.8))
    found = lay_visits(sample("rest"), dark, Expression.REST)
    assert found.stops == pytest.approx(0.8, abs=0.03)
    plain, brighter = (
        draw_visits(found.views[None], (found.first, found.later), None, lines=False, stops=stops)
        for stops in (0.0, found.stops)
    )
    assert (plain[0] == brighter[0]).all()
    means = [picture[300:700, 300:700].mean() for picture in (plain[0], plain[1], brighter[1])]
    assert means[1] < means[0] - 15
    assert means[2] == pytest.approx(means[0], abs=2)
    assert (found.views[None].cuts[1].pixels == plain[1]).all(), "what was measured stays as it was"


def test_matching_is_a_longer_exposure_in_linear_light() -> None:
    ramp: Bytes = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert matched(ramp, 0.0) is ramp
    light = linear_light()[matched(ramp, 1.0)] / np.maximum(linear_light()[ramp], 1e-6)
    unclipped = (ramp > 20) & (ramp < 180)
    assert light[unclipped] == pytest.approx(2.0, rel=0.03)


def test_a_difference_map_says_its_noise_and_hatches_what_is_not_told(smiles: TwoVisits) -> None:
    view = smiles.views[None]
    picture, untold = draw_difference(view), draw_difference(view, untold=tuple(Region))
    assert picture.shape[0] > view.cuts[0].pixels.shape[0], "the legend lies below the picture"

    def coloured(pixels: Bytes) -> int:
        body = pixels[: len(view.cuts[0].pixels)].astype(int)
        return int((np.ptp(body, axis=2) > 12).sum())

    assert coloured(picture) > 5000
    assert coloured(untold) == 0


def test_regions_alone_show_nothing_around_them(smiles: TwoVisits) -> None:
    for region in Region:
        view = smiles.views[region]
        pictures = draw_visits(view, (smiles.first, smiles.later), region, lines=False)
        for picture in blanked(pictures, view):
            grey = (picture == 128).all(axis=2)
            assert grey[[0, -1]].all()
            assert 0.2 < grey.mean() < 0.95


def test_a_sheet_is_pixels_and_nothing_else(smiles: TwoVisits) -> None:
    pictures = draw_visits(smiles.views[None], (smiles.first, smiles.later), None, lines=True)
    words = ["A note " * 60, "x" * 400]
    sheet = draw_sheet("Subject 001", [("", ("first", "later"), pictures)], words)
    assert sheet.shape[1] < 1600
    jpeg, png = encode_jpeg(sheet), encode_png(sheet)
    assert jpeg.count(b"\xff\xd8\xff") == 1
    assert not re.search(rb"Exif|http://ns\.adobe|ICC_PROFILE|\xff\xfe", jpeg)
    assert set(re.findall(rb"(IHDR|IDAT|IEND|tEXt|iTXt|zTXt|eXIf|iCCP|tIME)", png)) == {
        b"IHDR",
        b"IDAT",
        b"IEND",
    }
    assert (read_photo(png).pixels == sheet).all()
