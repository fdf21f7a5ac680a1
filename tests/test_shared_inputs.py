"""The shared corpus of bad inputs, read only: each is read, or refused with the reason that fits, in time.

The corpus comes from a script beside the repository. It runs in a process of its own, and so does
the reading: a crash, a hang or a greedy decoder then fails a test instead of ending them all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from test_photo import HEIC

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT.parent / "shared" / "tools" / "make_bad_inputs.py"

READ = "read"
"""What stands for a photo where otherwise a code stands."""

# What the script expects → what reading alone may answer. Faces and their quality are judged later:
# such files only have to be read.
ACCEPTED: dict[str, set[str]] = {
    "ok": {READ},
    "ok_same_score": {READ},
    "ok_reencoded": {READ},
    "ok_stripped": {READ},
    "ok_duplicate_flag": {READ},
    "ok_extension_flag": {"read, extension_mismatch"},
    "ok_or_trailing_flag": {"read, trailing_data"},
    "ok_flag_gray": {"read, gray", "read, alpha, gray"},
    "ok_flag_cmyk": {"read, cmyk"},
    "ok_flag_alpha": {"read, alpha"},
    "ok_flag_lowcolour": {"read, low_colour"},
    "ok_flag_icc": {"read, icc_ignored"},
    "ok_first_only": {"read, trailing_data", "read, multi_picture"},
    "ok_or_unsupported": {READ, "unsupported_format"},
    "empty_file": {"empty_file"},
    "not_an_image": {"not_an_image"},
    "truncated": {"truncated"},
    "truncated_or_ok_flag": {"truncated"},
    "corrupt": {"corrupt"},
    "corrupt_or_ok_flag": {"corrupt"},
    "too_many_pixels": {"too_many_pixels"},
    "too_small": {"too_small"},
    "unsupported_format": {"unsupported_format"},
    "unsupported_or_ok_flag": {"unsupported_format"},
    "unsupported_or_ok_first": {"unsupported_format"},
    "unsupported_or_ok_stripped": {"unsupported_format"},
    "animated_or_format": {"animated", "unsupported_format"},
    "animated_or_ok_first": {"animated"},
    "reject_quality": {"low_colour"},
    "file_too_big": {"file_too_big"},
    "missing": {"missing"},
    "not_a_regular_file": {"not_a_regular_file"},
    "permission_denied": {"permission_denied"},
    "skip_symlink": {"symlink"},
    "ok_or_skip_symlink": {"symlink"},
    "ignored": {"not_an_image"},
    "ignored_or_not_an_image": {"not_an_image"},
    # judged by what stands in the picture
    "no_face": {READ},
    "multiple_faces": {READ},
    "face_rotated": {READ},
    "face_too_small": {READ},
    "face_cut": {READ},
    "too_dark": {READ},
    "overexposed": {READ},
    "blurred": {READ},
    "noisy": {READ},
    "compressed": {READ},
    "occluded_eyes": {READ},
    "occluded_lower": {READ},
    "not_a_photo_flag": {READ},
    "flag_texture": {READ},
    "flag_smoothed": {READ},
    "aspect_flag": {READ},
}

# Where the table of the reliability notes says more than the script, or something else.
ACCEPTED_BY_ID: dict[str, set[str]] = {
    "A09": {"corrupt"},  # a step of 0 is forbidden
    "B05": {"read, gray"},  # the metadata is left alone
    "B06": {"read, gray, icc_ignored"},
    "B07": {"metadata_too_big"},
    "B14": {"unsupported_format"},  # TIFF and BMP: refused by format before their size is looked at
    "B15": {"unsupported_format"},
    "B16": {"unsupported_format"},
    "C16": {READ},  # HEIC
    "C19": {"unsupported_format"},  # AVIF
    "D01": {"read, gray"},
    "E16": {"read, icc_ignored"},
    "G04": {"read, extension_mismatch"},
    "H05": {"symlink"},  # a link to a folder; walking folders is the batch's affair
    "H08": {"permission_denied", READ},  # root may read everything
    "H09": {"symlink"},  # a device behind a link: the link is enough
    "H12": {"not_a_regular_file", "permission_denied"},
}

MANY_SECONDS = 5.0
"""Per file. The bar is 1 s for a refusal and 10 s for a photo, on a machine with nothing else to do."""
MANY_MB = 1000
"""Peak memory of the reading process, over the whole corpus."""

# The script needs two packages that we do not depend on. They stand in for them with the same bytes
# for every picture: a real HEIC file, and the beginning of a DICOM file.
STAND_INS = {
    "pillow_heif.py": f"""
from PIL import Image
def register_heif_opener():
    Image.register_save("HEIF", lambda image, file, name: file.write({HEIC!r}))
""",
    "pydicom/__init__.py": """
def dcmwrite(file, dataset, enforce_file_format):
    file.write(bytes(128) + b"DICM" + dataset.PatientName.encode() + dataset.PixelData)
""",
    "pydicom/dataset.py": """
class FileMetaDataset: pass
class FileDataset:
    def __init__(self, name, values, file_meta, preamble): pass
""",
    "pydicom/uid.py": "ExplicitVRLittleEndian = ''\ngenerate_uid = None\n",
}

READER = """
import json, pathlib, resource, sys, time
from wrinklecv.errors import UnreadablePhotoError
from wrinklecv.photo import read_photo

for path in json.load(sys.stdin):
    started = time.perf_counter()
    try:
        photo = read_photo(path)
        answer = ", ".join(["read", *sorted(finding.code for finding in photo.findings)])
    except UnreadablePhotoError as error:
        answer = str(error.code)
    print(json.dumps([answer, time.perf_counter() - started]), flush=True)
# Not ru_maxrss where there is better: a child inherits its parent's, and the parent has run other tests.
status = pathlib.Path("/proc/self/status")
if status.exists():
    peak = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
    print(int(peak.split()[1]) / 1024)
else:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


pytestmark = pytest.mark.slow


class Row(NamedTuple):
    """One input: its id in the table, what the script expects, what we answered and how fast."""

    id: str
    expect: str
    answer: str
    seconds: float


class Run(NamedTuple):
    """What the reading process did with all the files."""

    rows: list[Row]
    peak_mb: float
    words: str


def make_corpus(folder: Path) -> list[dict[str, str]]:
    """Run the script and return its lines, with the path of each input made absolute."""
    for name, text in STAND_INS.items():
        path = folder / "stand_ins" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    made = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder / "corpus")],
        env={**os.environ, "PYTHONPATH": str(folder / "stand_ins")},
        check=True,
        capture_output=True,
        timeout=300,
    )
    lines = [json.loads(line) for line in made.stdout.splitlines()]
    return [{**line, "path": os.path.join(folder, "corpus", line["path"])} for line in lines]  # noqa: PTH118


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Every input of the corpus, read in one process."""
    if not SCRIPT.exists():
        pytest.skip(f"the script that makes the corpus is not there: {SCRIPT}")
    pytest.importorskip("resource", reason="the corpus has FIFOs and the like: it needs a Unix")
    inputs = make_corpus(tmp_path_factory.mktemp("bad_inputs"))
    read = subprocess.run(
        [sys.executable, "-W", "error", "-c", READER],
        input=json.dumps([line["path"] for line in inputs]),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    *answers, peak = [json.loads(line) for line in read.stdout.splitlines()]
    assert len(answers) == len(inputs), f"died after {len(answers)} files: {read.stderr}"
    rows = [Row(line["id"], line["expect"], *answer) for line, answer in zip(inputs, answers, strict=True)]
    return Run(rows, peak, read.stderr)


def test_the_corpus_is_whole(run: Run) -> None:
    assert len(run.rows) >= 160


def test_every_bad_input_gets_the_answer_that_fits(run: Run) -> None:
    wrong = [
        row for row in run.rows if row.answer not in ACCEPTED_BY_ID.get(row.id, ACCEPTED.get(row.expect, {}))
    ]
    assert wrong == []


def test_no_bad_input_takes_long(run: Run) -> None:
    assert [row for row in run.rows if row.seconds > MANY_SECONDS] == []


def test_the_memory_for_bad_inputs_stays_small(run: Run) -> None:
    assert run.peak_mb < MANY_MB


def test_bad_inputs_make_nobody_print(run: Run) -> None:
    assert run.words == ""
