"""The benches' own rulers: changes of a photo do what they say, and what is compared with itself stays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from builders import a_line, a_refusal, an_assessment, some_measures
from PIL import Image

from benchmarks import changes, compared, limits, page, repeat, smooth
from benchmarks.__main__ import _bench
from benchmarks.compared import Pair, compare
from benchmarks.lines import best_thresholds, precision_at
from benchmarks.pictures import found_words
from benchmarks.smooth import Forehead, smooth_bars
from benchmarks.speed import with_comment
from benchmarks.table import Bar, Table, bar_table, markdown
from wrinklecv.chart import linear_light
from wrinklecv.codes import Code
from wrinklecv.photo import read_photo
from wrinklecv.records import Assessment, Bytes, Finding, Region, Verdict
from wrinklecv.selftest import Check, LineCheck


@pytest.fixture
def noise() -> Bytes:
    return np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)


@pytest.fixture
def ramp() -> Bytes:
    """Smooth shades of grey, (120, 160, 3)."""
    y, x = np.mgrid[:120, :160]
    return np.repeat((40 + x * 0.7 + y * 0.5).astype(np.uint8)[..., None], 3, axis=2)


# -- changes of a photo --------------------------------------------------------------------------------


def test_mirrored_twice_is_the_same(noise: Bytes) -> None:
    once = changes.mirrored(noise)
    assert np.array_equal(once[:, 0], noise[:, -1])
    assert np.array_equal(changes.mirrored(once), noise)


def test_one_stop_halves_the_linear_light(noise: Bytes) -> None:
    before, after = (linear_light()[pixels] for pixels in (noise, changes.exposed(noise, 0.5)))
    assert np.abs(after - before / 2).max() < 0.004  # half a grey level where a level is widest


def test_one_stop_more_doubles_the_light_up_to_white(noise: Bytes) -> None:
    before, after = (linear_light()[pixels] for pixels in (noise, changes.exposed(noise, 2.0)))
    assert np.abs(after - np.minimum(2 * before, 1)).max() < 0.006
    assert changes.exposed(np.full((2, 2, 3), 200, np.uint8), 2.0).min() == 255


def test_every_grey_level_survives_decoding_and_encoding() -> None:
    assert np.array_equal(changes.encoded(linear_light()), np.arange(256))


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_zoom_changes_the_size_and_not_the_shades(ramp: Bytes, factor: float) -> None:
    large = changes.zoomed(ramp, factor)
    assert large.shape == (120 * factor, 160 * factor, 3)
    assert large.mean() == pytest.approx(ramp.mean(), abs=0.5)


def test_turned_there_and_back_the_middle_is_where_it_was(ramp: Bytes) -> None:
    back = changes.rotated(changes.rotated(ramp, 10.0), -10.0)
    assert np.abs(back[30:90, 40:120].astype(int) - ramp[30:90, 40:120]).max() <= 2
    turned = changes.rotated(ramp, 10.0)
    assert turned.shape == ramp.shape
    assert turned[20, 80, 0] != ramp[20, 80, 0]


def test_a_tighter_crop_keeps_the_middle(noise: Bytes) -> None:
    assert np.array_equal(changes.cropped(noise, 0.7), noise[9:51, 12:68])


def test_a_better_jpeg_is_nearer(noise: Bytes) -> None:
    far = [np.abs(changes.as_jpeg(noise, q).astype(int) - noise).mean() for q in (75, 85, 95)]
    assert far == sorted(far, reverse=True)
    assert far[-1] > 0


def test_every_change_leaves_the_photo_itself_alone(noise: Bytes) -> None:
    kept = noise.copy()
    for name, change in changes.changes().items():
        result = change(noise)
        assert result.dtype == np.uint8, name
        assert result.flags.c_contiguous, name
        assert np.array_equal(noise, kept), name


# -- comparing -----------------------------------------------------------------------------------------


def lined(shift_mm: float = 0.0, *, mirrored: bool = False) -> Assessment:
    """One line on the forehead and one beside the left eye (right, when mirrored)."""
    eye = Region.CROWS_FEET_RIGHT if mirrored else Region.CROWS_FEET_LEFT
    side = -1 if mirrored else 1
    ends_mm = {Region.FOREHEAD: ((-20.0, -80.0), (10.0, -80.0)), eye: ((60.0, -25.0), (75.0, -20.0))}
    lines = tuple(
        dataclasses.replace(a_line(region), path_mm=np.linspace(*ends, 3) * (side, 1) + (0, shift_mm))
        for region, ends in ends_mm.items()
    )
    return an_assessment(lines=lines)


def test_an_assessment_compared_with_itself_has_not_moved() -> None:
    same = compare("none", lined(), lined())
    assert len(same.regions) == 4
    assert {pair.log_ratio for pair in same.regions if pair.before} == {0.0}
    assert same.face is not None
    assert same.face.log_ratio == 0.0
    assert (same.before_mm, same.lost_mm, same.after_mm, same.new_mm, same.refused) == (60, 0, 60, 0, 0)


def test_a_mirrored_face_is_compared_side_for_side() -> None:
    back = compare(changes.MIRRORED, lined(), lined(mirrored=True))
    assert (back.lost_mm, back.new_mm) == (0, 0)
    assert all(pair.before == pair.after for pair in back.regions)
    wrong = compare("none", lined(), lined(mirrored=True))
    assert wrong.lost_mm == 30  # the line beside the eye; that on the forehead overlaps by two thirds


@pytest.mark.parametrize(("shift_mm", "lost_mm"), [(1.0, 0.0), (2.5, 60.0)])
def test_a_line_is_the_same_one_up_to_a_millimetre_and_a_half(shift_mm: float, lost_mm: float) -> None:
    moved = compare("none", lined(), lined(shift_mm))
    assert (moved.lost_mm, moved.new_mm) == (lost_mm, lost_mm)
    assert [pair.same_lines for pair in moved.regions] == [not lost_mm, True, not lost_mm, True]


def test_the_index_is_length_times_contrast_per_area() -> None:
    forehead = compare("none", lined(), lined()).regions[0]
    area_cm2 = some_measures().area_mm2 / 100
    assert forehead.before == pytest.approx(30 * 8 / area_cm2)


def test_the_error_of_a_change_leaves_out_the_scale_and_the_deep_line() -> None:
    scale_sd = lined().face.scale.relative_sd
    own = np.sqrt(some_measures().wrinkle_index_se ** 2 - (some_measures().wrinkle_index * scale_sd) ** 2)
    assert 0 < own < some_measures().wrinkle_index_se
    assert compare("none", lined(), lined()).regions[0].se == pytest.approx(np.sqrt(2) * own)
    assert {pair.se for pair in compare(changes.DEEP_LINE, lined(), lined()).regions} == {None}


def test_a_bar_of_nothing_is_not_met() -> None:
    assert repeat._errors_bar("none", []).met is None
    pairs = [Pair(20.0, 20.0 + change, True, True, se=1.0) for change in (0.0, 1.0, 3.0, 1.0)]
    assert repeat._errors_bar("some", pairs).value == "1.66 root mean square, 75.0% of 4 within 2"
    assert repeat._errors_bar("some", pairs).met is False


@pytest.mark.parametrize(
    ("multiple", "found", "met"),
    [
        (1.0, 9, "met"),
        (1.0, 8, "**missed**"),
        (1.5, 9, "**missed**"),
        (0.5, 8, "met"),
        (0.5, 9, "**missed**"),
    ],
)
def test_a_stated_limit_may_be_neither_too_low_nor_too_high(multiple: float, found: int, met: str) -> None:
    results = [limits.Found(Region.FOREHEAD, multiple, found > k) for k in range(10)]
    assert limits._row("forehead", multiple, results)[-1] == met
    assert limits._row("forehead", multiple, [])[-1] == ""


def test_the_whole_face_counts_only_what_both_photos_measured() -> None:
    second = dataclasses.replace(lined(), regions=tuple(some_measures(r) for r in list(Region)[:2]), lines=())
    part = compare("none", lined(), second)
    assert part.refused == 2
    assert part.face is not None
    assert part.face.before == pytest.approx(30 * 8 / (2 * some_measures().area_mm2 / 100))
    assert (part.face.after, part.before_mm) == (0.0, 30)


def test_a_face_that_is_not_found_again_is_four_refusals() -> None:
    gone = compare("none", lined(), None)
    assert (gone.refused, gone.regions, gone.face) == (4, (), None)


def test_lines_beside_the_drawn_deep_line_do_not_count() -> None:
    deep = dataclasses.replace(a_line(), path_mm=np.array([[-12.0, -63.5], [0, -63.5], [12, -63.5]]))
    second = dataclasses.replace(lined(), lines=(*lined().lines, deep))
    assert all(p.before == p.after for p in compare(changes.DEEP_LINE, lined(), second).regions)
    assert compare("none", lined(), second).new_mm == 30


def test_a_lower_resolution_verdict_is_told_apart() -> None:
    doubt = Finding(Code.LOW_RESOLUTION, Verdict.WARN, "Come nearer.", Region.FOREHEAD, 3.0, 4.0, "px/mm")
    worse = dataclasses.replace(lined(), quality=(doubt, a_refusal(None)))
    assert [pair.same_gate for pair in compare("none", lined(), worse).regions] == [False, True, True, True]


def test_a_region_that_lost_every_line_stays_in_the_figure() -> None:
    assert Pair(20.0, 0.0, True, False).log_ratio == pytest.approx(np.log(compared.LEAST_RATIO))
    assert Pair(20.0, 22.0, True, True).log_ratio == pytest.approx(np.log(1.1))
    assert Pair(20.0, 22.0, True, True, se=0.5).errors == pytest.approx(4.0)
    assert Pair(22.0, 20.0, True, True, se=0.5).errors == pytest.approx(4.0)
    assert Pair(20.0, 22.0, True, True).errors is None


def test_a_bias_counts_as_spread() -> None:
    logs = np.full(8, 0.05)
    assert repeat._sd(logs) == pytest.approx(0.05)
    assert repeat._robust_sd(np.array([0.01, -0.01, 0.01, 3.0])) == pytest.approx(0.014826)
    assert np.isnan(repeat._sd(np.array([])))


def test_photos_are_found_in_any_folder_but_not_drawn_lines(tmp_path: Path) -> None:
    for name in ("b/photos/1.JPG", "b/lines/1.png", "a.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found, note = repeat._chosen(tmp_path)
    assert [path.name for path in found] == ["a.png", "1.JPG"]
    assert note.startswith("2 of 2 photos")
    assert repeat._chosen(tmp_path / "missing")[0] == []


# -- lines that people drew ----------------------------------------------------------------------------


def test_each_tolerance_takes_its_own_best_threshold() -> None:
    curve = np.zeros((2, 3, 4, 2, 4))  # photos, thresholds, regions, tolerances, counts
    curve[..., 1] = curve[..., 3] = 10  # found, drawn
    right = {0: (2, 9, 3), 1: (5, 6, 8)}  # of ten, at each threshold
    for tolerance, values in right.items():
        for threshold, value in enumerate(values):
            curve[:, threshold, :, tolerance, 0] = curve[:, threshold, :, tolerance, 2] = value
    best = best_thresholds(curve)
    assert best.shape == (2, 4, 2, 4)
    assert (best[:, :, 0, 0] == 9).all()
    assert (best[:, :, 1, 0] == 8).all()


def test_a_threshold_is_best_over_all_photos_together() -> None:
    curve = np.zeros((2, 2, 1, 1, 4))
    curve[..., 1] = curve[..., 3] = 10
    curve[:, :, 0, 0, 0] = curve[:, :, 0, 0, 2] = [[9, 6], [0, 6]]  # 4.5 on average, or 6
    assert best_thresholds(curve)[:, 0, 0, 0].tolist() == [6, 6]


def test_precision_is_read_off_between_two_thresholds() -> None:
    curve = np.array([(0.2, 0.9), (0.4, 0.5), (0.8, 0.1)])
    assert precision_at(0.5, curve) == pytest.approx(0.4)
    assert precision_at(0.6, curve) == pytest.approx(0.35)
    assert precision_at(0.1, curve) == pytest.approx(0.8)


def test_a_curve_that_passes_twice_counts_with_its_best_precision() -> None:
    curve = np.array([(0.2, 0.9), (0.4, 0.5), (0.6, 0.7), (0.7, 0.3)])
    assert precision_at(0.6, curve) == pytest.approx(0.625)
    assert precision_at(0.5, np.array([(0.2, 0.5), (0.4, 0.5)])) == pytest.approx(0.4)


def test_a_recall_that_no_threshold_reaches_has_no_precision() -> None:
    curve = np.array([(0.2, 0.9), (0.8, 0.1)])
    assert precision_at(0.95, curve) is None
    assert precision_at(0.05, curve) is None


# -- smooth skin ---------------------------------------------------------------------------------------


def test_foreheads_that_were_not_measured_do_not_count_as_smooth() -> None:
    foreheads = [Forehead(Path(f"{k}.jpg"), density) for k, density in enumerate((0.0, 3.0, None))]
    mean, most, some, missing = smooth_bars(foreheads)
    assert (mean.value, mean.met) == ("1.50 mm/cm²", False)
    assert most.value == "3.00 mm/cm² (1)"
    assert (some.value, missing.value) == ("1 of 2", "1 of 3")
    assert [bar.name for bar in smooth_bars(foreheads[2:])] == ["foreheads not measured"]


def test_only_people_known_to_be_young_are_taken_and_only_at_rest(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("subject,age\n001,25\n002,26\n003,NA\n004,19\n005,20\n")
    for name in ("001_expr-rest", "001_expr-smile", "002_expr-rest", "003_expr-rest", "004_expr-rest"):
        (tmp_path / f"sub-{name}.jpg").touch()
    assert [p.stem for p in smooth.young_at_rest(tmp_path)] == ["sub-001_expr-rest", "sub-004_expr-rest"]


def test_without_photos_a_sentence_stands_in_place_of_figures(tmp_path: Path) -> None:
    (table,) = smooth.run(tmp_path / "missing")
    assert table.rows == ()
    assert table.note == "No photos of smooth skin: there are none in missing."


# -- speed and tables ----------------------------------------------------------------------------------


def test_every_bench_has_its_part_of_the_page() -> None:
    assert list(page.TITLES) == [
        "lines",
        "truth",
        "limits",
        "smooth",
        "repeat",
        "pairs",
        "follow",
        "store",
        "batch",
        "app",
        "speed",
    ]
    assert all(callable(_bench(name)) for name in page.TITLES)


def test_a_caption_says_what_was_found_of_that_picture() -> None:
    right = LineCheck(Region.FOREHEAD, 1, 40, 42, 1, 1, 1, 0.1, 0.2, 0.2, 0.01, 0)
    missed = dataclasses.replace(right, pieces=0, length_mm=0.0)
    false = a_line()
    assert found_words(Check((), (), 60, 1)) == "no false line"
    assert found_words(Check((), (false, false), 60, 1)) == f"{2 * false.length_mm:.0f} mm of false line"
    words = "1 of 2 drawn lines found as one line each, no false line; lengths +5% to +5%"
    assert found_words(Check((right, missed), (), 60, 1)) == words
    assert found_words(Check((missed,), (), 60, 1)).startswith("0 of 1 drawn lines found")


def test_a_comment_makes_another_file_with_the_same_picture(tmp_path: Path, ramp: Bytes) -> None:
    Image.fromarray(ramp).save(tmp_path / "a.jpg", quality=90)
    content = (tmp_path / "a.jpg").read_bytes()
    first, second = (read_photo(with_comment(content, text)) for text in ("1", "2"))
    assert first.sha256 != second.sha256
    assert np.array_equal(first.pixels, read_photo(content).pixels)


def test_a_ragged_row_is_refused() -> None:
    with pytest.raises(ValueError, match="every row needs 2 cells"):
        Table("t", ("a", "b"), (("1", "2"), ("3",)))


def test_cells_stand_below_each_other() -> None:
    lines = markdown(
        Table("Title", ("a", "longer"), (("1", "2"), ("a long cell", "–")), "A note.")
    ).splitlines()
    assert lines[:4] == ["### Title", "", "A note.", ""]
    assert len({len(line) for line in lines[4:]}) == 1
    assert {tuple(k for k, sign in enumerate(line) if sign == "|") for line in lines[4:]} == {(0, 14, 23)}


def test_a_missed_bar_is_marked() -> None:
    rows = bar_table("t", [Bar("a", "1", "≤ 2", True), Bar("b", "3", "≤ 2", False), Bar("c", "4")]).rows
    assert [row[-1] for row in rows] == ["met", "**missed**", ""]


def test_one_bench_is_put_into_the_page_and_all_else_stays() -> None:
    head, tail = "# Title\n\nwords\n\n## Against lines that people drew\n\nl\n\n", "## Time and memory\n\ns\n"
    old = f"{head}{tail}\n## Pictures\n\np\n"
    table = Table("A table", ("a",), (("1",),))
    once = page.spliced(old, "batch", (table,))
    assert once == old.replace("## Time", f"## Many photos\n\n{markdown(table)}\n## Time")
    again = page.spliced(once, "batch", (Table("Another", ("a",), (("2",),)),))
    assert again == once.replace(markdown(table), markdown(Table("Another", ("a",), (("2",),))))
