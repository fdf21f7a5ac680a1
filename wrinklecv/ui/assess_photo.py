"""The page *Assess a photo*: one photo in; verdicts, numbers, and the lines behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from wrinklecv import tables
from wrinklecv.draw import Cut, draw_on, encode_jpeg
from wrinklecv.records import Assessment, Line, Region, RegionMeasures

from . import parts, sight
from .measuring import measured
from .parts import HIGHER, HOW_TO, PHOTO_TYPES, REGION_NAMES, Source, md, plain, plus_minus, sample_title
from .sight import Seen
from .verdicts import because, limit_in_words, lines_in_words, show_findings, show_verdicts

_FORMULAS = """
- **Depth score (contrast)** of a line = ln(light beside the line / light in its valley), shown in %:
  how much darker the line is than the skin beside it. A photo holds no depth in mm.
- **Wrinkle index** of a region = Σ(length in mm × depth score in %) / visible skin in cm², over the
  lines in the table above. Unit: mm·%/cm². Higher = more lines.
- **Density** = total length of the lines / visible skin. **Coverage** = share of the region that was
  seen well enough to find lines in; hair, brows, shine and skin seen too steeply are left out.
- **Mean** depth score and width are weighted by length. The **deepest** depth score is that of the
  deepest 2 mm or so of any line. **Width** is the full width at half depth.
- **Detection limit**: nine of ten lines 10 mm long of this depth score would have been found in this photo;
  longer ones are found from less on.
- **Signal-to-noise** = depth score / what texture and sensor noise alone would show. **Angle**: 0° is
  level, 90° upright.
- **Scale** comes from the width of the iris, which differs by about 4 % between people. That is
  part of every ± here, except that of depth scores, and cancels between two photos of one person.
"""


def show() -> None:
    """Show the page."""
    st.title("Assess a photo")
    st.markdown(
        "Finds the wrinkle lines of forehead, glabella and crow’s feet in one photo and measures them, "
        "with their uncertainty. Documents visible lines in photographs; everything stays on this machine."
    )
    source = _ask()
    if source is None:
        st.info("Choose a photo to begin.", icon=":material/add_a_photo:")
        return
    st.markdown(source.title)
    seen = measured(sight.look_at, (source.sha256,), source.content, words="Finding the lines …")
    assessment = replace(seen.assessment, photo_name=source.name)
    show_verdicts(assessment)
    show_findings(assessment.quality)
    whole = seen.pictures[None]
    _show_lines(assessment, seen, whole)
    _show_numbers(assessment)
    _show_origin(assessment)
    _offer_files(assessment, whole)


# -- asking --------------------------------------------------------------------------------------


def _ask() -> Source | None:
    """Ask for a photo: an uploaded one comes before the chosen sample."""
    left, right = st.columns(2, gap="large")
    upload = left.file_uploader("Your photo", type=PHOTO_TYPES, help=HOW_TO)
    left.caption(HOW_TO)
    sample = right.selectbox(
        "Or a sample: drawn, not a person",
        parts.samples(),
        format_func=sample_title,
        disabled=upload is not None,
        help="Drawn by wrinklecv itself, with lines whose lengths are known.",
    )
    if upload is not None:
        right.caption("Your photo is shown. Remove it to see the samples.")
        return Source(upload.name, upload.getvalue(), f"Your photo: **{md(upload.name)}**")
    if sample is None:
        return None
    title = f"Sample: **{md(sample_title(sample))}** — drawn, not a person"
    return Source(sample.name, sample.read_bytes(), title)


# -- lines ---------------------------------------------------------------------------------------


def _show_lines(assessment: Assessment, seen: Seen, whole: Cut) -> None:
    """Show the photo beside one region's lines; a line chosen in the table is marked in both pictures."""
    st.subheader("The lines behind a number", anchor=False)
    lines = dict(enumerate(assessment.lines, start=1))
    left, right = st.columns(2)
    drawn = left.toggle("Draw lines and regions", value=True)
    with right:
        region = st.segmented_control(
            "Region",
            list(Region),
            default=Region.FOREHEAD,
            required=True,
            format_func=REGION_NAMES.__getitem__,
            label_visibility="collapsed",
            wrap=True,
        )
        region = region or Region.FOREHEAD
        own = {number: line for number, line in lines.items() if line.region is region}
        tile = st.container()
        marked = _choose_line(assessment, region, own)
    title = REGION_NAMES[region]
    tile.image(
        _picture(seen.pictures[region], own, marked, drawn=drawn, numbers=True),
        width="stretch",
        alt=f"{title}, enlarged, with {lines_in_words(len(own))}" if drawn else f"{title}, enlarged",
    )
    left.image(
        _picture(whole, lines, marked, drawn=drawn),
        width="stretch",
        alt="The photo with its lines" if drawn else "The photo",
    )
    left.caption(_facts(assessment))


def _picture(
    cut: Cut, lines: Mapping[int, Line], marked: int | None, *, drawn: bool, numbers: bool = False
) -> bytes:
    """Return a JPEG of a cut, with its lines when `drawn`."""
    return encode_jpeg(draw_on(cut, lines, marked=marked, numbers=numbers) if drawn else cut.pixels)


def _choose_line(assessment: Assessment, region: Region, lines: Mapping[int, Line]) -> int | None:
    """Show the lines of a region as a table; return the number of the chosen one."""
    measures = next((m for m in assessment.regions if m.region is region), None)
    if measures is None:
        st.markdown(because(assessment, region))
        return None
    if not lines:
        st.markdown(limit_in_words(measures))
        return None
    st.caption("Choose a line to mark it in the pictures: tick the box in its row.")
    choice = st.dataframe(
        [_line_row(number, line) for number, line in lines.items()],
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key=f"lines-{assessment.photo_sha256}-{region}",
        column_config=_LINE_COLUMNS,
        alt=f"The lines of {REGION_NAMES[region]}",
    )
    rows = choice["selection"]["rows"]
    return list(lines)[rows[0]] if rows else None


def _line_row(number: int, line: Line) -> dict[str, float]:
    return {
        "number": number,
        "length": line.length_mm,
        "length_se": line.length_se_mm,
        "depth": 100 * line.contrast,
        "depth_se": 100 * line.contrast_se,
        "width": line.width_mm,
        "angle": line.angle_deg,
        "likelihood": line.likelihood,
    }


def _number(label: str, digits: int, width_px: int, about: str) -> ColumnConfig:
    return st.column_config.NumberColumn(label, format=f"%.{digits}f", width=width_px, help=about)


_LINE_COLUMNS = {
    "number": _number("Line", 0, 45, "Its number in the picture and in the CSV file"),
    "length": _number("Length, mm", 1, 80, "On the skin"),
    "length_se": _number("± mm", 1, 55, "Standard error of the length"),
    "depth": _number(
        "Depth score, %", 1, 100, "Contrast: how much darker the line is than the skin beside it"
    ),
    "depth_se": _number("± %", 1, 45, "Standard error of the depth score"),
    "width": _number("Width, mm", 2, 75, "Full width at half depth"),
    "angle": _number("Angle, °", 0, 65, "0 is level, 90 upright"),
    "likelihood": _number("Likely", 2, 55, "How likely a person would draw it as a line, 0 to 1"),
}


def _facts(assessment: Assessment) -> str:
    """Return how the photo saw the face, in one line."""
    face, scale = assessment.face, assessment.face.scale
    return (
        f"{assessment.width_px} × {assessment.height_px} px; {plain(scale.mm_per_px)} mm per px "
        f"± {100 * scale.relative_sd:.0f} % (from: {scale.source}); head turned {_degrees(face.yaw_deg)}, "
        f"tilted {_degrees(face.pitch_deg)}, leaning {_degrees(face.roll_deg)}."
    )


def _degrees(angle: float) -> str:
    return f"{abs(round(angle))}°"


# -- numbers -------------------------------------------------------------------------------------


def _show_numbers(assessment: Assessment) -> None:
    """Show all numbers: a row per measure with its unit, a column per region."""
    st.subheader("All numbers", anchor=False)
    measured = {measures.region: measures for measures in assessment.regions}
    table = {"Measure": [row[0] for row in _MEASURES], "Unit": [row[1] for row in _MEASURES]}
    for region in Region:
        cells = _cells(measured[region]) if region in measured else ["cannot tell"] * len(_MEASURES)
        table[REGION_NAMES[region]] = cells
    st.table(table, border="horizontal", hide_index=True, alt="All measures of all regions")
    st.caption(HIGHER)


_MEASURES = (
    ("Wrinkle index", "mm·%/cm²"),
    ("Lines", "count"),
    ("Total length", "mm"),
    ("Density", "mm/cm²"),
    ("Depth score (contrast), mean", "%"),
    ("Depth score (contrast), deepest", "%"),
    ("Width, mean", "mm"),
    ("Coverage: share of the region seen", "%"),
    ("Visible skin", "cm²"),
    ("Detection limit (contrast)", "%"),
)


def _cells(measures: RegionMeasures) -> list[str]:
    """Return the numbers of one region in the order of `_MEASURES`."""
    lines = [
        plus_minus(measures.wrinkle_index, measures.wrinkle_index_se),
        str(measures.line_count),
        plus_minus(measures.total_length_mm, measures.total_length_se_mm),
        plain(measures.density_mm_per_cm2),
        plus_minus(100 * measures.mean_contrast, 100 * measures.mean_contrast_se),
        plain(100 * measures.max_contrast),
        plain(measures.mean_width_mm),
    ]
    if not measures.line_count:
        lines[4:] = ["no line"] * 3
    skin = [f"{100 * measures.coverage:.0f}", plain(measures.area_mm2 / 100)]
    return [*lines, *skin, plain(100 * measures.detection_limit)]


def _show_origin(assessment: Assessment) -> None:
    """Say how the numbers came about."""
    with st.expander("How is this computed?", icon=":material/functions:"):
        st.markdown(_FORMULAS)
        st.caption(
            f"Measured with version {assessment.measure_version} of the measurement, settings "
            f"{assessment.settings_digest}, landmark model {assessment.model_sha256[:12]}; photo "
            f"{assessment.photo_sha256[:12]} (sha256)."
        )


def _offer_files(assessment: Assessment, whole: Cut) -> None:
    """Offer the results as files."""
    lines = dict(enumerate(assessment.lines, start=1))
    files = (
        ("All results (JSON)", "json", tables.to_json(tables.document(assessment)).encode()),
        ("Lines (CSV)", "csv", tables.lines_csv(assessment)),
        ("Photo with lines (JPEG)", "jpg", encode_jpeg(draw_on(whole, lines))),
    )
    parts.offer_files(parts.file_stem(assessment.photo_name), files)
    st.caption(
        "The JPEG is drawn anew and carries none of the photo’s metadata. "
        "File names keep the name of the photo: choose one that names nobody."
    )
