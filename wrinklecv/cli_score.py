"""How `wrinklecv score` shows how far it is, and says at the end how it went."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli_parts import say

if TYPE_CHECKING:
    from .batch import Summary
    from .followed import Course
    from .listing import PairOutcome
    from .records import Outcome


def show_progress(stack: ExitStack) -> Callable[[Outcome | PairOutcome | Course, int, int], None]:
    """Return what prints a line per photo to stdout and moves a bar on stderr, if that is a terminal.

    Of pairs and subjects only those that failed are named, on stderr: stdout has a line per file.
    """
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    from .followed import Course
    from .records import Outcome
    from .tables import escaped

    console = Console(stderr=True)
    bar = Progress(
        *Progress.get_default_columns()[:-1],
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # else rich would send our data to stderr
    )
    stack.enter_context(bar)
    tasks: dict[str, TaskID] = {}

    def move(words: str, done: int, total: int) -> None:
        if words not in tasks:
            tasks[words] = bar.add_task(words, total=None, rate="")
        speed = bar.tasks[-1].speed
        rate = f"{speed:.1f} per s" if speed else ""
        bar.update(tasks[words], completed=done, total=total, rate=rate)

    def show(outcome: Outcome | PairOutcome | Course, done: int, total: int) -> None:
        if isinstance(outcome, Outcome):
            print(escaped(outcome.path), outcome.status, outcome.code or "", sep="\t")
            move("Measuring", done, total)
        elif isinstance(outcome, Course):
            if outcome.message:
                say(f"Subject {escaped(outcome.subject)} was not followed: {escaped(outcome.message)}")
            move("Following", done, total)
        else:
            say_failed(outcome)
            move("Comparing", done, total)

    return show


def say_failed(pair: PairOutcome) -> None:
    """Say why a pair was not compared."""
    from .tables import escaped

    if pair.message:
        say(f"{escaped(pair.pair.rest.path)} and {escaped(pair.pair.expression.path)}: {pair.message}")


def sum_up(summary: Summary, out: Path) -> int:
    """Say how the batch went; return the exit code."""
    from .followed import CourseStatus
    from .listing import PairStatus
    from .records import Status
    from .tables import escaped

    for reason, count in sorted(summary.ignored.items()):
        say(f"{count} left out: {reason.replace('_', ' ')}.")
    total, pairs = summary.statuses.total(), summary.pairs.total()
    say(f"{_counted(total, 'file', summary.statuses)}." if total else "No photo was found.")
    if pairs:
        say(f"{_counted(pairs, 'pair', summary.pairs)}.")
    if courses := summary.courses.total():
        say(f"{_counted(courses, 'subject', summary.courses)}.")
    before = (f"{n} {what if n > 1 else what[:-1]}" for what, n in summary.taken_over.items() if n)
    if said := ", ".join(before):
        say(f"Finished before and taken over: {said}.")
    say(f"Results are in {escaped(str(out))}.")
    failed = (Status.REJECTED, Status.CRASHED, Status.TIMED_OUT)
    apart = (PairStatus.REJECTED, PairStatus.CRASHED, PairStatus.TIMED_OUT)
    lost = summary.courses.total() - summary.courses[CourseStatus.FOLLOWED]
    untold = any("treatments.csv" in reason for reason in summary.ignored)  # verdicts may rest on them
    bad = any(summary.statuses[s] for s in failed) or any(summary.pairs[s] for s in apart) or lost or untold
    return 1 if not total or bad else 0


def _counted(total: int, what: str, statuses: Counter[Any]) -> str:
    parts = ", ".join(f"{n} {status.replace('_', ' ')}" for status, n in sorted(statuses.items()))
    return f"{total} {what}{'s' if total != 1 else ''}: {parts}"
