"""The command line as a person meets it: real processes, real files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from benchmarks.served import free_port
from wrinklecv import DISCLAIMER

ROOT = Path(__file__).parent.parent
SAMPLES = sorted(path for path in (ROOT / "sample_images").glob("**/*") if path.suffix in (".jpg", ".png"))

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX system")


def wrinklecv(
    *words: str | bytes | Path, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "wrinklecv", *words],
        capture_output=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **env},
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("words", [("--help",), ("score", "--help"), ("compare", "--help"), ("app", "-h")])
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    done = wrinklecv(*words)
    assert done.returncode == 0
    assert "Example: wrinklecv" in done.stdout


def test_the_version_comes_with_the_disclaimer() -> None:
    done = wrinklecv("--version")
    assert re.match(r"wrinklecv \d+\.\d+\.\d+\n", done.stdout)
    assert DISCLAIMER in done.stdout


def test_help_waits_for_no_heavy_package() -> None:
    code = (
        "import sys, wrinklecv, wrinklecv.__main__\n"
        "print([m for m in ('numpy', 'cv2', 'scipy', 'PIL', 'mediapipe', 'streamlit', 'pandas', 'pebble')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_failed_photos_are_data_on_stdout_and_words_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "page.jpg").write_text("<html>not found</html>")
    (tmp_path / "in" / "notes.txt").write_text("hello")
    done = wrinklecv("score", tmp_path / "in", "--out", tmp_path / "out", "--jobs", "1")
    assert done.stdout == "page.jpg\trejected\tnot_an_image\n"
    assert "1 left out: not a photo file." in done.stderr
    assert "1 file: 1 rejected.\nResults are in" in done.stderr
    assert done.returncode == 1
    run = json.loads((tmp_path / "out" / "run.json").read_text())
    assert run["command"][1:3] == ["score", str(tmp_path / "in")]


def test_skipped_photos_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "sub-1_expr-marking.jpg").write_bytes(b"x")
    done = wrinklecv("score", tmp_path / "in", "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (0, "sub-1_expr-marking.jpg\tskipped\tmarking_photo\n")


def test_a_folder_without_photos_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    done = wrinklecv("score", tmp_path / "in", "--out", tmp_path / "out")
    assert (done.returncode, done.stdout) == (1, "")
    assert "No photo was found." in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("score",), "Missing argument"),
        (("score", "in"), "--out"),
        (("score", "nowhere", "--out", "out"), "nowhere does not exist"),
        (("score", "in", "--out", "out", "--jobs", "0"), "--jobs"),
        (("score", "in", "--out", "in"), "choose another folder"),
        (("score", "in", "--out", "in/a.jpg/out"), "Cannot write results"),
        (("score", "in", "--out", "out", "--settings", "bad.toml"), "Did you mean max_pose_deg?"),
        (("score", "in", "--out", "out", "--settings", "none.toml"), "cannot be read"),
        (("scoer", "in"), "No such command"),
        (("compare", "in/a.jpg"), "Missing argument"),
        (("compare", "in/a.jpg", "in/b.jpg"), "in/b.jpg does not exist"),
        (("compare", "in/a.jpg", "in/a.jpg"), "each once"),
        (("compare", "in", "in/a.jpg"), "no folders"),
        (("compare", "in/a.jpg", "bad.toml", "--as", "pout"), "brow_raise"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_to_do(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_text("no photo")
    (tmp_path / "bad.toml").write_text("max_pose_dg = 3")
    done = wrinklecv(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@posix
def test_odd_names_work_and_are_printed_escaped(tmp_path: Path) -> None:
    names = (b"-x.jpg", b"caf\xe9.jpg", b"tab\t\x1b[31m.jpg")
    for name in names:
        (tmp_path / os.fsdecode(name)).write_text("no photo")
    done = wrinklecv("score", "--out", "out", "--", *names, cwd=tmp_path)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [
        "-x.jpg",
        r"caf\xe9.jpg",
        r"tab\t\x1b[31m.jpg",
    ]
    assert done.returncode == 1


@posix
def test_a_terminal_that_knows_no_unicode_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "写真.jpg").write_text("no photo")
    done = wrinklecv("score", "写真.jpg", "--out", "out", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert done.stdout.startswith(r"\u5199\u771f.jpg")


# rest and expression

REST, FROWN, SMILE = (
    ROOT / "sample_images" / f"sub-001_ses-20250110_expr-{word}_run-1.jpg"
    for word in ("rest", "frown", "smile")
)


def table(text: str) -> list[dict[str, str]]:
    head, *rows = (line.split("\t") for line in text.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_compare_prints_regions_and_lines_on_stdout_and_words_on_stderr() -> None:
    done = wrinklecv("compare", REST, FROWN, "--lines")
    assert done.returncode == 0, done.stderr
    regions, lines = map(table, done.stdout.split("\n\n"))
    glabella = next(row for row in regions if row["region"] == "glabella")
    assert (glabella["own"], glabella["deepened_count"], glabella["dynamic_count"]) == ("true", "2", "0")
    assert float(glabella["static_share_low"]) < 0.35 < float(glabella["static_share_high"])
    assert {row["kind"] for row in lines if row["own"] == "true"} == {"deepened"}
    assert f"{FROWN.name}: frown.\n  Moved, mm (± 0.5): " in done.stderr


def test_without_a_telling_name_the_expression_is_guessed_and_said_so(tmp_path: Path) -> None:
    for source, name in ((REST, "one.jpg"), (SMILE, "two.jpg"), (SMILE, "three.jpg")):
        shutil.copy(source, tmp_path / name)
    with (tmp_path / "three.jpg").open("ab") as stream:
        stream.write(b"other bytes, the same picture")
    done = wrinklecv(
        *("compare", "one.jpg", "two.jpg", "three.jpg", "--out", "out"),
        cwd=tmp_path,
        PYTHONIOENCODING="ascii",
    )
    assert done.returncode == 0, done.stderr
    assert "two.jpg: smile, guessed from the movement" in done.stderr
    rows = table(done.stdout)
    assert [row["run"] for row in rows if row["region"] == "forehead"] == ["", "", "mean of 2"]
    left = next(row for row in rows if (row["region"], row["run"]) == ("crows_feet_left", "mean of 2"))
    assert (left["own"], float(left["dynamic_gap_sd"])) == ("true", 0.0)
    assert {path.name for path in (tmp_path / "out").glob("*.csv")} == {
        *("photos.csv", "measures_long.csv", "lines.csv", "pairs.csv", "pair_lines.csv"),
        *("changes.csv", "line_histories.csv", "measures_wide.csv", "columns.csv"),
    }


def test_swapped_photos_are_said_so() -> None:
    done = wrinklecv("compare", SMILE, REST, "--as", "smile")
    assert done.returncode == 1
    assert "The rest photo shows expression" in done.stderr
    assert "The name of the rest photo says smile: are the photos swapped?" in done.stderr
    left = next(row for row in table(done.stdout) if row["region"] == "crows_feet_left")
    assert (left["verdict"], left["codes"], left["dynamic_gap"]) == ("refuse", "rest_shows_expression", "")


def test_a_photo_that_cannot_be_read_costs_its_own_pair_only(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(SMILE.read_bytes()[:100_000])
    done = wrinklecv("compare", REST, tmp_path / "broken.jpg", FROWN)
    assert done.returncode == 1
    assert {row["expression"] for row in table(done.stdout)} == {"frown"}
    assert "broken.jpg: " in done.stderr


def test_scoring_a_visit_says_how_its_pairs_went(tmp_path: Path) -> None:
    done = wrinklecv("score", REST, FROWN, SMILE, "--out", tmp_path / "out", "--no-overlays")
    assert done.returncode == 0, done.stderr
    assert "3 files: 3 scored.\n2 pairs: 2 compared.\nResults are in" in done.stderr
    assert len(done.stdout.splitlines()) == 3


# the app


def listening_addresses(port: int) -> set[str]:
    """Return the hexadecimal addresses something listens on at `port` (Linux)."""
    found = set()
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            address, _, number = line.split()[1].partition(":")
            if int(number, 16) == port and line.split()[3] == "0A":
                found.add(address)
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
def test_the_app_listens_on_this_machine_only_whatever_other_configuration_says(tmp_path: Path) -> None:
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "0.0.0.0"\n')
    (tmp_path / "streamlit.py").write_text("raise SystemExit('a stranger in the current folder')")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-P", "-m", "wrinklecv", "app", "--port", str(port)],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path), "STREAMLIT_SERVER_ADDRESS": "0.0.0.0"},  # noqa: S104
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not listening_addresses(port) and time.monotonic() < deadline and server.poll() is None:
            time.sleep(0.1)
        assert listening_addresses(port) == {"0100007F"}
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=10) as answer:
            assert answer.status == 200
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=20)
    assert not listening_addresses(port), said


# nothing leaves the machine

HOOK = """
import os, sys
def hook(event, args):
    if event.startswith("socket.") and event != "socket.__new__" or event.startswith("urllib"):
        with open(os.environ["SOCKET_LOG"], "a") as log:
            print(event, args, file=log)
sys.addaudithook(hook)
"""


def test_the_socket_hook_of_the_next_test_works(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    log = tmp_path / "log"
    subprocess.run(
        [sys.executable, "-c", "import socket; socket.socket().bind(('127.0.0.1', 0))"],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SOCKET_LOG": str(log)},
        check=True,
    )
    assert "socket.bind" in log.read_text()


@pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_scoring_opens_no_socket(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    log = tmp_path / "log"
    done = wrinklecv(
        *("score", SAMPLES[0], "--out", tmp_path / "out", "--jobs", jobs),
        PYTHONPATH=str(tmp_path),
        SOCKET_LOG=str(log),
    )
    assert done.returncode == 0, done.stderr
    assert not log.exists(), log.read_text()


@pytest.mark.skipif(not SAMPLES, reason="no sample photos are drawn yet")
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_scoring_makes_no_network_call_below_python_either(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "wrinklecv", "score", str(SAMPLES[0]), "--out", str(tmp_path / "out")]
    traced = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,bind", "-o", str(log), *command]
    done = subprocess.run(traced, capture_output=True, text=True, check=False, timeout=300)
    if "ptrace" in done.stderr:
        pytest.skip("tracing is not allowed here")
    assert done.returncode == 0, done.stderr
    assert "AF_INET" not in log.read_text()


def test_the_app_is_not_opened_to_other_machines() -> None:
    done = wrinklecv("app", "--allow-remote")
    assert done.returncode == 2
    assert "answers to this machine only" in done.stderr
