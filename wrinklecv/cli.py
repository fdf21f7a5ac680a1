"""The command line: each command parses, makes one library call and prints.

Data go to stdout, words and progress to stderr. Exit 0: all good; 1: some photos failed; 2: wrong usage.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from . import DISCLAIMER, cli_casebook, cli_followup, cli_plan
from .cli_parts import (
    EveryCoreOption,
    NoiseOption,
    SettingsOption,
    every_core,
    measured_by,
    must_exist,
    noise_in,
    print_table,
    say,
)
from .cli_score import say_failed, show_progress, sum_up
from .errors import OutputError, SettingsError, TableError, WrinkleError

if TYPE_CHECKING:
    from .batch import Visit
    from .listing import PairOutcome
    from .pairs import Comparison

STREAMLIT_OPTIONS: dict[str, str | int | bool | list[str]] = {
    "server.address": "127.0.0.1",
    "server.allowedHosts": ["localhost", "127.0.0.1"],
    "server.maxUploadSize": 40,
    "server.maxMessageSize": 50,
    "server.enableXsrfProtection": True,
    "server.enableCORS": True,
    "server.fileWatcherType": "none",
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.disconnectedSessionTTL": 30,
    "server.headless": True,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.disableDataExport": True,
    "client.toolbarMode": "minimal",
    "runner.magicEnabled": False,
    "runner.postScriptGC": False,  # Python's own collection is enough; a whole one takes as long as a look
    "logger.level": "warning",
    "theme.baseRadius": "6px",
    "theme.metricValueFontSize": "1.6rem",
    "theme.paddingTop": "3rem",
    "theme.light.textColor": "#111111",
    "theme.light.primaryColor": "#2f6f9f",
    "theme.dark.primaryColor": "#7fb3d9",
}
"""Local only, no telemetry, no details to strangers, calm; the same as in `.streamlit/config.toml`."""


class _Commands(TyperGroup):
    """The one place of the command line where expected errors become words."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; print a WrinkleError as one sentence."""
        try:
            return super().invoke(ctx)
        except WrinkleError as error:
            say(f"Error: {error}")
            raise typer.Exit(
                2 if isinstance(error, SettingsError | OutputError | TableError) else 1
            ) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its traceback shows values, and values may be names
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Measure facial wrinkle lines in photographs. Everything stays on this machine.",
    epilog=f"Example: wrinklecv score photos --out results\n\n{DISCLAIMER}",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"wrinklecv {__version__}\n{DISCLAIMER}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Measure facial wrinkle lines in photographs. Everything stays on this machine."""


class Written(StrEnum):
    """In which formats tables can be written."""

    CSV = "csv"
    PARQUET = "parquet"
    XLSX = "xlsx"


@app.command("score", epilog="Example: wrinklecv score photos --out results --jobs 4")
def score_photos(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Photos, folders, quoted patterns ('photos/**/*.jpg'), manifests (….csv), s3:// addresses.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; made when missing.", show_default=False)
    ] = None,
    jobs: EveryCoreOption = None,
    settings: SettingsOption = None,
    noise: NoiseOption = None,
    overlays: Annotated[bool, typer.Option(help="Write each photo with its lines drawn.")] = True,
    formats: Annotated[
        list[Written] | None,
        typer.Option(
            "--format", help="Of the tables; repeatable. CSV always; default: all.", show_default=False
        ),
    ] = None,
    cluster: Annotated[
        str,
        typer.Option(help="Address of a Dask scheduler (tcp://host:8786) whose machines measure; or local."),
    ] = "",
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--anew",
            help="Take over what a run before finished, or measure all again, even what this option did.",
        ),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be done with each file; needs no --out.")
    ] = False,
) -> None:
    """Measure photos, compare rest with expression, follow subjects; write tables and JSON into a folder.

    Prints path, status and code of each photo. Photos whose names, or rows of manifest.csv, give the same
    subject and visit make pairs; subjects with several visits are followed. After Ctrl-C or a crash the same
    command goes on where it was: what is finished is known by the photos' content and the settings,
    whatever the files are called.
    """
    from .walking import expand

    must_exist(expand(paths), "PATH")
    if dry_run:
        raise typer.Exit(cli_plan.show_plan(paths))
    if out is None:
        raise typer.BadParameter("Say where the results go.", param_hint="--out")
    from .batch import score
    from .changes import PRIOR_NOISE
    from .exports import Format
    from .tables import escaped

    how = measured_by(settings)
    figure = noise_in(noise, how)
    try:
        with ExitStack() as stack:
            summary = score(
                paths,
                out,
                settings=how,
                noise=figure or PRIOR_NOISE,
                jobs=every_core(jobs),
                apart=True,
                cluster=cluster,
                anew=not resume,
                overlays=overlays,
                formats=tuple(Format(word) for word in formats or Written),
                progress=show_progress(stack),
                command=sys.argv,
            )
    except KeyboardInterrupt:
        say(f"Stopped. What is finished is kept in {escaped(str(out))}: the same command goes on from there.")
        raise typer.Exit(130) from None
    raise typer.Exit(sum_up(summary, out))


class Shown(StrEnum):
    """What an expression photo can show."""

    BROW_RAISE = "brow_raise"
    FROWN = "frown"
    SMILE = "smile"


@app.command("compare", epilog="Example: wrinklecv compare rest.jpg frown.jpg --as frown --lines")
def compare_pair(
    rest: Annotated[Path, typer.Argument(metavar="REST", help="Photo of the relaxed face.")],
    expressions: Annotated[
        list[Path], typer.Argument(metavar="EXPRESSION", help="Photos of the same face with an expression.")
    ],
    shown: Annotated[
        Shown | None, typer.Option("--as", help="Which expression; else the names tell, else the movement.")
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Print a row per line too.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the files that score writes.")] = None,
    settings: SettingsOption = None,
) -> None:
    """Tell which lines are static, deepened or dynamic. Prints a row per region, words go to stderr."""
    paths = [rest, *expressions]
    must_exist(paths, "REST EXPRESSION")
    if any(path.is_dir() for path in paths) or len({path.resolve() for path in paths}) < len(paths):
        raise typer.BadParameter("Name photos, no folders, each once.", param_hint="REST EXPRESSION")
    from .batch import compare_photos
    from .records import Expression

    visit = compare_photos(
        rest,
        expressions,
        name=Expression(shown) if shown else Expression.UNKNOWN,
        settings=measured_by(settings),
        out=out,
        command=sys.argv,
    )
    _print_pairs(visit, lines=lines)
    raise typer.Exit(_say_visit(visit))


def _print_pairs(visit: Visit, *, lines: bool) -> None:
    """Print a row per pair and region, the means over runs below; a row per line after a blank line."""
    from .pair_tables import LINE_VIEW, REGION_VIEW, average_rows, pair_line_rows, pair_rows

    regions = [row for pair in visit.pairs for row in pair_rows(pair)]
    regions += [row for runs in visit.runs() for row in average_rows(runs)]
    print_table(REGION_VIEW, regions)
    if lines:
        print()
        print_table(LINE_VIEW, [row for pair in visit.pairs for row in pair_line_rows(pair)])


def _say_visit(visit: Visit) -> int:
    """Say what is in doubt, what moved, and what could not be told and why; return the exit code."""
    from .listing import PairStatus
    from .records import Expression, Status
    from .tables import escaped

    for photo in visit.photos:
        if photo.message:
            say(f"{escaped(photo.path)}: {photo.message}")
    if visit.photos[0].expression not in (Expression.REST, Expression.UNKNOWN):
        say(f"The name of the rest photo says {visit.photos[0].expression}: are the photos swapped?")
    for photo in visit.photos[1:]:
        if photo.expression is Expression.REST:
            say(f"The name of {escaped(photo.path)} says rest: are the photos swapped?")
    for pair in visit.pairs:
        say_failed(pair)
        if pair.comparison:
            _say_comparison(pair, pair.comparison)
    told = (PairStatus.COMPARED, PairStatus.COMPARED_FLAGGED)
    scored = (Status.SCORED, Status.SCORED_FLAGGED)
    good = all(p.status in scored for p in visit.photos) and all(p.status in told for p in visit.pairs)
    return 0 if good else 1


def _say_comparison(pair: PairOutcome, found: Comparison) -> None:
    from .records import Region
    from .tables import escaped
    from .totals import reasons_of

    words = found.name.replace("_", " ")
    guessed = (
        "" if pair.pair.name is found.name else ", guessed from the movement (say --as if it is another)"
    )
    say(f"{escaped(pair.pair.expression.path)}: {words}{guessed}.")
    far = [t for t in found.travels if max(abs(t.up_mm), abs(t.in_mm)) > 2 * found.travel_se_mm]
    moved = ", ".join(f"{t.side} {t.part} {t.up_mm:+.1f} up {t.in_mm:+.1f} inwards" for t in far)
    say(f"  Moved, mm (± {found.travel_se_mm:g}): {moved or 'nothing'}.")
    said = {pair.message}
    for region in Region:
        for finding in reasons_of(found, region):
            if finding.advice not in said:
                say(f"  {_place(finding.region)}{finding.advice}")
            said.add(finding.advice)
    for number, line in enumerate(found.lines, start=1):
        if line.reason and line.reason not in said:
            say(f"  {_place(line.region)}line {number} ({line.length_mm:.0f} mm): {line.reason}")


def _place(region: str | None) -> str:
    return f"{region.replace('_', ' ')}: " if region else ""


_NO_REMOTE = (
    "The app answers to this machine only: it has no login, and whoever reached it would see every face in "
    "the store. From another machine, take a tunnel that asks who you are: ssh -L 8501:localhost:8501 HOST, "
    "then open http://localhost:8501 there."
)

_SMALL_MEMORY = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "262144",
    "MALLOC_TRIM_THRESHOLD_": "262144",
}
"""For glibc, whose default keeps an arena per thread (each run of a page is one) and freed pictures in it."""


@app.command("app", epilog="Example: wrinklecv app --port 8600")
def open_app(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Default: 8501, or the next free one.")
    ] = None,
    allow_remote: Annotated[
        bool,
        typer.Option("--allow-remote", help="Refused: there is no login yet. Says what to do."),
    ] = False,
) -> None:
    """Serve the app to the browser of this machine only; stop with Ctrl-C."""
    if allow_remote:
        raise SettingsError(_NO_REMOTE)
    options = dict(STREAMLIT_OPTIONS) | ({"server.port": port} if port else {})
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(_app_file()), *_flags(options)]
    environment = _SMALL_MEMORY | os.environ
    if os.name == "posix":
        # One process, so that signals reach the server.
        os.execve(sys.executable, command, environment)  # noqa: S606
    raise typer.Exit(subprocess.call(command, env=environment))  # noqa: S603 - our own interpreter and file


@app.command("selftest", epilog="Example: wrinklecv selftest --seed 7")
def self_test(
    seed: Annotated[int, typer.Option(min=0, help="Which drawn face: the same number, the same face.")] = 1,
) -> None:
    """Draw a face with known lines, measure it, and print truth against measurement."""
    from .selftest import run_selftest

    check = run_selftest(seed=seed)
    print(
        "region", "pieces", "length mm: drawn", "measured", "width mm: drawn", "measured", sep="\t", end="\t"
    )
    print("contrast: drawn", "measured", "direction off", sep="\t")
    for line in check.lines:
        lengths = f"{line.true_length_mm:.1f}\t{line.length_mm:.1f}"
        widths = f"{line.true_width_mm:.2f}\t{line.width_mm:.2f}"
        contrasts = f"{line.true_contrast:.3f}\t{line.contrast:.3f}\t{line.turn_deg:+.1f}°"
        print(line.region, line.pieces, lengths, widths, contrasts, sep="\t")
    say(
        f"{check.found_once} of {len(check.lines)} drawn lines found once; "
        f"{len(check.extra)} lines that nobody drew; scale from the iris {check.scale_ratio - 1:+.1%}."
    )
    say("Passed." if check.passed else "NOT passed: do not trust measurements of this installation.")
    raise typer.Exit(0 if check.passed else 1)


@app.command("phantom", epilog="Example: wrinklecv phantom --out drawn")
def draw_samples(
    out: Annotated[Path, typer.Option(help="Folder for the pictures; made when missing.")],
) -> None:
    """Draw the sample subjects: faces with known lines, and their truth in truth.json."""
    from .phantom import write_samples

    for path in write_samples(out):
        print(path)


cli_casebook.add_commands(app)
cli_followup.add_commands(app)
cli_plan.add_commands(app)


def _app_file() -> Path:
    """Return app.py: inside the wheel, else at the repository's top."""
    inside = Path(__file__).parent / "app.py"
    return inside if inside.exists() else Path(__file__).parent.parent / "app.py"


def _flags(options: dict[str, str | int | bool | list[str]]) -> list[str]:
    """Return Streamlit options as command-line flags; a list gives its flag once per item."""
    return [
        f"--{name}={str(item).lower() if isinstance(item, bool) else item}"
        for name, value in options.items()
        for item in (value if isinstance(value, list) else [value])
    ]
