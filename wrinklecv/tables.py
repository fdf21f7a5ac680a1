"""Turn records into rows with units in the column names, CSV text and JSON documents.

The column lists are constants, so a table of nothing still has its header. Numbers are rounded to
six significant digits; the same records give the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from . import DISCLAIMER
from .records import Assessment, Finding, Line, Outcome, Region, RegionMeasures, Verdict

Cell = str | int | float | None
Row = dict[str, Cell]

_REGION_METRICS = (  # field of RegionMeasures, field of its standard error, unit
    ("wrinkle_index", "wrinkle_index_se", "mm*%/cm2"),
    ("line_count", "", "1"),
    ("total_length_mm", "total_length_se_mm", "mm"),
    ("longest_length_mm", "", "mm"),
    ("density_mm_per_cm2", "", "mm/cm2"),
    ("mean_contrast", "mean_contrast_se", "1"),
    ("max_contrast", "", "1"),
    ("mean_width_mm", "", "mm"),
    ("coverage", "", "share"),
    ("area_mm2", "", "mm2"),
    ("detection_limit", "", "1"),
)
_LINE_NUMBERS = (
    "length_mm",
    "length_se_mm",
    "width_mm",
    "width_se_mm",
    "contrast",
    "contrast_se",
    "max_contrast",
    "angle_deg",
    "signal_to_noise",
    "likelihood",
)
_ENDS = ("start_x_px", "start_y_px", "end_x_px", "end_y_px")

MEASURE_COLUMNS = ("photo", "sha256", "region", "metric", "value", "se", "unit", "verdict", "codes")
PHOTO_COLUMNS = (
    "path",
    "status",
    "code",
    "message",
    "sha256",
    "subject",
    "visit",
    "expression",
    "run",
    "width_px",
    "height_px",
    "yaw_deg",
    "pitch_deg",
    "roll_deg",
    "mm_per_px",
    "mm_per_px_relative_sd",
    "mm_per_px_source",
    *(f"verdict_{region}" for region in Region),
    "codes",
    "settings_digest",
    "model_sha256",
    "measure_version",
)
_WIDE = tuple(
    (region, name, f"{region}_{name}")
    for region in Region
    for metric, error, _ in _REGION_METRICS
    for name in (metric, error)
    if name
)
WIDE_COLUMNS = (
    *("path", "sha256", "subject", "visit", "expression", "run", "status", "code", "codes"),
    *(column for _, _, column in _WIDE),
    *(f"verdict_{region}" for region in Region),
)
"""The numbers of a photo side by side, named region_metric; units as in `MEASURE_COLUMNS`."""
LINE_COLUMNS = (
    "photo",
    "sha256",
    "line",
    "region",
    *_LINE_NUMBERS,
    *_ENDS,
    "kind",
)


def to_rows(assessments: Iterable[Assessment]) -> Iterator[Row]:
    """Yield long rows, one per photo, region and metric (`MEASURE_COLUMNS`).

    A region that was refused keeps its rows, with an empty value and the reason in `codes`.
    """
    for assessment in assessments:
        measured = {measures.region: measures for measures in assessment.regions}
        for region in Region:
            verdict = assessment.verdict(region)
            about = [f for f in assessment.quality if f.region in (None, region)]
            for metric, error, unit in _REGION_METRICS:
                measures = measured.get(region)
                yield {
                    "photo": assessment.photo_name,
                    "sha256": assessment.photo_sha256,
                    "region": str(region),
                    "metric": metric,
                    "value": _value(measures, metric),
                    "se": _value(measures, error),
                    "unit": unit,
                    "verdict": str(verdict if measures else Verdict.REFUSE),
                    "codes": codes_of(about),
                }


def photo_row(outcome: Outcome) -> Row:
    """Return what became of one file (`PHOTO_COLUMNS`); cells that do not apply are None."""
    row: Row = dict.fromkeys(PHOTO_COLUMNS)
    row |= {
        "path": outcome.path,
        "status": str(outcome.status),
        "code": str(outcome.code or ""),
        "message": outcome.message,
        "sha256": outcome.sha256,
        "subject": outcome.subject,
        "visit": outcome.visit,
        "expression": str(outcome.expression),
        "run": outcome.run,
    }
    if outcome.assessment is not None:
        row |= _photo_cells(outcome.assessment)
    return row


def _photo_cells(assessment: Assessment) -> Row:
    """Return the cells of a photo's row that only an assessment can fill."""
    face, scale = assessment.face, assessment.face.scale
    return {
        "width_px": assessment.width_px,
        "height_px": assessment.height_px,
        "yaw_deg": rounded(face.yaw_deg),
        "pitch_deg": rounded(face.pitch_deg),
        "roll_deg": rounded(face.roll_deg),
        "mm_per_px": rounded(scale.mm_per_px),
        "mm_per_px_relative_sd": rounded(scale.relative_sd),
        "mm_per_px_source": scale.source,
        **{f"verdict_{region}": str(assessment.verdict(region)) for region in Region},
        "codes": codes_of(assessment.quality),
        "settings_digest": assessment.settings_digest,
        "model_sha256": assessment.model_sha256,
        "measure_version": assessment.measure_version,
    }


def extra_name(column: str) -> str:
    """Return how a manifest's column is called in our tables: as it is, unless we have one of that name."""
    ours = column.lower() in _TAKEN or column.lower().startswith("manifest_")
    return f"manifest_{column}" if ours else column


_TAKEN = frozenset((*PHOTO_COLUMNS, *WIDE_COLUMNS))


def wide_row(outcome: Outcome) -> Row:
    """Return one file's row with all its numbers (`WIDE_COLUMNS`); what was not measured is None."""
    about = photo_row(outcome)
    found = outcome.assessment.regions if outcome.assessment else ()
    measured = {measures.region: measures for measures in found}
    numbers = {column: _value(measured.get(region), name) for region, name, column in _WIDE}
    return {name: numbers[name] if name in numbers else about[name] for name in WIDE_COLUMNS}


def line_rows(assessment: Assessment) -> Iterator[Row]:
    """Yield one row per line (`LINE_COLUMNS`); `line` counts from 1 in the assessment's order.

    `kind` stays empty: only a pair tells it.
    """
    for number, line in enumerate(assessment.lines, start=1):
        ends = dict.fromkeys(_ENDS)
        if len(line.path_xy):
            places = (*line.path_xy[0], *line.path_xy[-1])
            ends = {n: round(float(v), 2) for n, v in zip(_ENDS, places, strict=True)}
        yield {
            "photo": assessment.photo_name,
            "sha256": assessment.photo_sha256,
            "line": number,
            "region": str(line.region),
            **{name: rounded(getattr(line, name)) for name in _LINE_NUMBERS},
            **ends,
            "kind": None,
        }


def lines_csv(assessment: Assessment) -> bytes:
    """Return the lines of one photo as a CSV file, the same as a batch writes."""
    stream = io.StringIO(newline="")
    write = csv_writer(stream, LINE_COLUMNS)
    for row in line_rows(assessment):
        write(row)
    return stream.getvalue().encode("utf-8-sig")


def document(assessment: Assessment) -> dict[str, Any]:
    """Return all that is known about one photo as a tree of plain values, ready for JSON.

    Paths are lists of [x, y]: `path_xy` in px of the upright photo, `path_mm` in mm of the chart.
    """
    face = assessment.face
    return {
        "disclaimer": DISCLAIMER,
        "higher_means": "more lines",
        "photo": {
            "name": escaped(assessment.photo_name),
            "sha256": assessment.photo_sha256,
            "width_px": assessment.width_px,
            "height_px": assessment.height_px,
        },
        "settings_digest": assessment.settings_digest,
        "model_sha256": assessment.model_sha256,
        "measure_version": assessment.measure_version,
        "face": {
            "yaw_deg": rounded(face.yaw_deg),
            "pitch_deg": rounded(face.pitch_deg),
            "roll_deg": rounded(face.roll_deg),
            "landmark_sd_px": rounded(face.points_sd_px),
            "mm_per_px": rounded(face.scale.mm_per_px),
            "mm_per_px_relative_sd": rounded(face.scale.relative_sd),
            "mm_per_px_source": face.scale.source,
            "expression": {name: round(float(v), 4) for name, v in sorted(face.expression.items())},
        },
        "verdicts": {str(region): str(assessment.verdict(region)) for region in Region},
        "findings": [finding_tree(finding) for finding in assessment.quality],
        "regions": [_region(measures) for measures in assessment.regions],
        "lines": [_line(number, line) for number, line in enumerate(assessment.lines, start=1)],
    }


def to_json(tree: dict[str, Any]) -> str:
    """Return `tree` as JSON text: a field a line, number lists kept on one line, ASCII only."""
    fields = ",\n".join(f"  {json.dumps(key)}: {_json_field(value)}" for key, value in tree.items())
    return f"{{\n{fields}\n}}\n"


def _json_field(value: object) -> str:
    """Return one field of a document; a list of records gets a line for each."""
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"    {json.dumps(item, allow_nan=False)}" for item in value) + "\n  ]"
    return json.dumps(value, allow_nan=False)


def finding_tree(finding: Finding) -> dict[str, Any]:
    """Return one finding as a tree of plain values, ready for JSON."""
    return {
        "code": str(finding.code),
        "verdict": str(finding.verdict),
        "region": None if finding.region is None else str(finding.region),
        "value": rounded(finding.value),
        "threshold": rounded(finding.threshold),
        "unit": finding.unit,
        "advice": finding.advice,
    }


def _region(measures: RegionMeasures) -> dict[str, Any]:
    numbers = [name for metric, error, _ in _REGION_METRICS for name in (metric, error) if name]
    return {"region": str(measures.region), **{name: _value(measures, name) for name in numbers}}


def _line(number: int, line: Line) -> dict[str, Any]:
    return {
        "line": number,
        "region": str(line.region),
        **{name: rounded(getattr(line, name)) for name in _LINE_NUMBERS},
        "path_xy": [[round(float(x), 2), round(float(y), 2)] for x, y in line.path_xy],
        "path_mm": [[round(float(x), 3), round(float(y), 3)] for x, y in line.path_mm],
    }


def codes_of(findings: Iterable[Finding]) -> str:
    """Join the codes of all doubts with `;`, each once, in order of first mention; remarks are no doubts."""
    doubts = (finding.code for finding in findings if finding.verdict is not Verdict.PASS)
    return ";".join(dict.fromkeys(str(code) for code in doubts))


def _value(measures: RegionMeasures | None, name: str) -> int | float | None:
    """Return a number of `measures`, rounded; None where there is none."""
    return rounded(getattr(measures, name)) if measures is not None and name else None


def rounded(number: float | None) -> int | float | None:
    """Return `number` with six significant digits; whole numbers as they are; None for what is not finite."""
    if number is None or isinstance(number, int):
        return number
    return float(f"{number:.6g}") + 0.0 if math.isfinite(number) else None  # + 0.0: no -0.0


def csv_writer(stream: IO[str], columns: tuple[str, ...]) -> Callable[[Row], None]:
    """Write the header to `stream` and return a function that writes one row below it.

    Open `stream` with encoding ``utf-8-sig`` (spreadsheets need the mark) and ``newline=""``. Text is
    quoted and made safe by `safe_cell`; numbers stay numbers; None is an empty cell. `read_csv` reads it.
    """
    writer = csv.DictWriter(stream, columns, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow({name: safe_cell(name) for name in columns})

    def write(row: Row) -> None:
        cells = {name: safe_cell(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        writer.writerow({name: "" if cell is None else cell for name, cell in cells.items()})

    return write


def read_csv(path: str | Path) -> Iterator[Row]:
    """Yield the rows of a table that was written here: text as it was, numbers as float, nothing as ''."""
    with Path(path).open(encoding="utf-8-sig", newline="") as stream:
        rows = csv.reader(stream, quoting=csv.QUOTE_NONNUMERIC)
        columns = [restored(name) for name in next(rows)]
        for cells in rows:
            told = (restored(cell) if isinstance(cell, str) else cell for cell in cells)
            yield dict(zip(columns, told, strict=True))


_FORMULA_SIGNS = "=+-@＝＋－＠'"
_BLANK = ("Z", "C")  # Unicode categories that a spreadsheet may skip before a formula


def safe_cell(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula: a leading ' marks such cells.

    Text that itself begins with ' gets one more, so dropping one ' restores what `escaped` gave.
    Reference: OWASP ASVS 5.0, 1.2.10.
    """
    bare = next((at for at, sign in enumerate(text) if unicodedata.category(sign)[0] not in _BLANK), None)
    risky = text[:1] in ("\t", "\r", "\n", "\0") or (bare is not None and text[bare] in _FORMULA_SIGNS)
    return ("'" if risky else "") + escaped(text)


_BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def escaped(text: str) -> str:
    r"""Return `text` safe to show on one line: control signs as ``\x1b``, `\` as ``\\``.

    Also bytes of a file name that are not UTF-8 (``\xff``), line separators, the signs that turn the
    direction of reading and those that XML forbids. Other scripts and emoji stay as they are.
    """
    if text.isascii() and text.isprintable() and "\\" not in text:  # nearly always, and ten times as fast
        return text
    return "".join(_escaped_sign(sign) for sign in text)


def _escaped_sign(sign: str) -> str:
    if sign == "\\":
        return r"\\"
    if "\udc80" <= sign <= "\udcff":  # surrogateescape: a raw byte
        return f"\\x{ord(sign) - 0xDC00:02x}"
    if "\x80" <= sign <= "\x9f":  # with \x it would be taken for a raw byte
        return f"\\u{ord(sign):04x}"
    if sign in _BIDI or sign in "\ufffe\uffff" or unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp"):
        return sign.encode("unicode_escape").decode("ascii")
    return sign


_ESCAPE = re.compile(r"\\(?:([\\nrt])|x(..)|u(....))")


def restored(cell: str) -> str:
    """Return the text that `safe_cell` made `cell` from."""
    return _ESCAPE.sub(_restored_sign, cell.removeprefix("'"))


def _restored_sign(escape: re.Match[str]) -> str:
    short, byte, code = escape.groups()
    if short:
        return {"\\": "\\", "n": "\n", "r": "\r", "t": "\t"}[short]
    number = int(byte or code, 16)
    return chr(number + 0xDC00 if byte and number > 0x7F else number)  # a raw byte: surrogateescape
