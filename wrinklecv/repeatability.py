"""A clinic's own noise: several shots of the same faces, and how far their numbers lie apart.

The lines of the first shot and all others are followed over the shots, as follow-up does over visits, so
the noise is that of the very number that follow-up judges. The shots of one subject, day and expression are
one set of repeats; a worker measures a set.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from . import DISCLAIMER
from .agreement import Estimate, Noise, intraclass_correlation, measure_noise
from .changes import own_noise
from .errors import NotComparableError, PhotoError, SettingsError
from .histories import FollowUp, NoiseFigure, VisitPhotos
from .listing import find_photos
from .records import MEASURE_VERSION, Assessment, Expression, Region
from .settings import DEFAULTS, Settings
from .tables import Row, escaped, rounded
from .workers import Failed, at_work

SET_TIMEOUT_S = 600.0
_FIRST = date(2000, 1, 1)
_LEAST_SHARE = 0.2
"""Sets whose mean index is below this share of the median have too little to measure a relative noise on."""
NOISE_COLUMNS = (
    "region",
    "state",
    "subjects",
    "photos",
    "mean_index",
    *(
        f"{name}{end}"
        for name in ("sw", "sem", "mdc95", "relative_sd", "icc")
        for end in ("", "_low", "_high")
    ),
    "lack",
)


@dataclass(frozen=True, slots=True)
class Repeats:
    """The index of one region in repeated shots of one face: one value per shot, at least two."""

    subject: str
    region: Region
    state: Expression
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """The noise of one region and state, in units of the wrinkle index.

    noise: within-subject standard deviation with its interval; `relative`: the same of each value over the
    mean of its repeats. icc: ICC(2,1) over the first shots, as many as each set has.
    """

    region: Region
    state: Expression
    subjects: int
    photos: int
    mean_index: float
    noise: Noise
    relative: Noise
    icc: Estimate


class Repeatability(NamedTuple):
    """Figures by region and state, the one figure for follow-up, and what could not be used and why."""

    figures: tuple[Figure, ...]
    pooled: NoiseFigure | None
    left_out: tuple[tuple[str, str], ...]
    settings_digest: str


Progress = Callable[[int, int], None]
"""(how many sets are done, how many there are)"""


def measure_repeatability(
    folder: str | Path, *, settings: Settings = DEFAULTS, jobs: int = 2, progress: Progress | None = None
) -> Repeatability:
    """Measure the noise on the photos of `folder`: names or manifest tell subject, visit and expression.

    `pooled` is the relative standard deviation over all regions and states (never below the best fixed rig's:
    shots of one visit do not show what differs between visits), None where the repeats are too
    few to tell (10 beyond the first of each set are needed, of two subjects).
    """
    left_out: list[tuple[str, str]] = []
    sets: dict[tuple[str, str, Expression], list[Path]] = {}
    for found in find_photos([folder]):
        subject, visit, expression, _ = found.told()
        if found.refusal is not None:
            left_out.append((found.path, found.refusal.message))
        elif not subject or expression is Expression.UNKNOWN:
            left_out.append((found.path, "Neither its name nor a manifest tells subject and expression."))
        else:
            sets.setdefault((subject, visit, expression), []).append(Path(found.file))
    tasks = []
    for (subject, visit, expression), files in sets.items():
        if len(files) > 1:
            tasks.append(((subject, visit, expression), (subject, expression, tuple(files), settings)))
        else:
            left_out.append((files[0].name, "There is no second shot of it."))
    repeats: list[Repeats] = []
    degrees = 0
    with at_work(jobs) as workers:
        for done, (key, result) in enumerate(
            workers.do(measure_set, tasks, timeout_s=SET_TIMEOUT_S), start=1
        ):
            if isinstance(result, Failed):
                left_out.append((" ".join(key), result.message))
            else:
                repeats += result.repeats
                left_out += result.left_out
                degrees += max([len(r.values) - 1 for r in result.repeats], default=0)
            if progress:
                progress(done, len(tasks))
    return Repeatability(
        tuple(_figures(repeats)), _pooled(repeats, degrees), tuple(left_out), settings.digest
    )


class MeasuredSet(NamedTuple):
    """What a worker brings back of one set: the index of each region in each shot; shots left out."""

    repeats: tuple[Repeats, ...]
    left_out: tuple[tuple[str, str], ...]


def measure_set(subject: str, state: Expression, files: Sequence[Path], settings: Settings) -> MeasuredSet:
    """Assess the shots of one set and follow their lines over them; the same bytes twice count once."""
    from .followup import follow_up

    photos: dict[str, Assessment] = {}
    left_out: list[tuple[str, str]] = []
    for file in files:
        try:
            assessment = _assessed(file, settings)
        except PhotoError as error:
            left_out.append((file.name, str(error)))
            continue
        if assessment.photo_sha256 in photos:
            left_out.append((file.name, "The same bytes as another shot."))
        elif not assessment.regions:
            left_out.append((file.name, assessment.quality[0].advice if assessment.quality else ""))
        else:
            photos[assessment.photo_sha256] = assessment
    days = [VisitPhotos(_FIRST + timedelta(n), ((state, a),)) for n, a in enumerate(photos.values())]
    if len(days) < 2:
        return MeasuredSet((), tuple(left_out))
    try:
        course = follow_up(days, settings=settings)
    except NotComparableError as error:
        return MeasuredSet((), (*left_out, (files[0].name, str(error))))
    return MeasuredSet(tuple(_repeats(subject, state, course)), tuple(left_out))


def _assessed(file: Path, settings: Settings) -> Assessment:
    from .assessment import assess
    from .photo import read_file, read_photo

    return assess(read_photo(read_file(file), name=file.name), settings=settings)


def _repeats(subject: str, state: Expression, course: FollowUp) -> Iterator[Repeats]:
    """Yield the series of each region, without the shots that follow-up would not compare."""
    for series in course.series:
        fit = [point.index for point in series.points if not point.refused]
        if len(fit) > 1:
            yield Repeats(subject, series.region, state, tuple(fit))


# -- figures ---------------------------------------------------------------------------------------


def _figures(repeats: Sequence[Repeats]) -> Iterator[Figure]:
    states = dict.fromkeys(r.state for r in repeats)
    for state in (one for one in Expression if one in states):
        for region in Region:
            here = [r for r in repeats if (r.region, r.state) == (region, state)]
            if here:
                yield _figure(region, state, here)


def _figure(region: Region, state: Expression, here: Sequence[Repeats]) -> Figure:
    rows = [r.values for r in here]
    shots = min(map(len, rows))
    photos = sum(map(len, rows))
    return Figure(
        region,
        state,
        len({r.subject for r in here}),
        photos,
        sum(map(sum, rows)) / photos,
        measure_noise(rows),
        measure_noise(_relative(here)),
        intraclass_correlation([row[:shots] for row in rows]),
    )


def _relative(repeats: Sequence[Repeats]) -> list[list[float]]:
    """Return each value over the mean of its repeats, where there are lines enough to speak of."""
    means = [sum(r.values) / len(r.values) for r in repeats]
    least = _LEAST_SHARE * sorted(means)[len(means) // 2] if means else 0.0
    return [
        [value / mean for value in r.values]
        for r, mean in zip(repeats, means, strict=True)
        if mean > 0 and mean >= least
    ]


def _pooled(repeats: Sequence[Repeats], degrees: int) -> NoiseFigure | None:
    """Return the one relative standard deviation; regions of one photo are not counted as photos."""
    noise = measure_noise(_relative(repeats))
    value, people = noise.own.value, len({r.subject for r in repeats})
    if value is None or degrees < 10 or people < 2:
        return None
    return own_noise(value, f"{degrees} own repeats of {people} people")


# -- rows and a file -------------------------------------------------------------------------------


def noise_rows(found: Repeatability) -> Iterator[Row]:
    """Yield one row per region and state (`NOISE_COLUMNS`), in units of the wrinkle index, 95 % intervals.

    sw: within-subject standard deviation. sem: of one photo, the same. mdc95: of two single photos.
    relative_sd: of a value over the mean of its repeats.
    """
    for figure in found.figures:
        own = figure.noise.own
        estimates = {
            "sw": own,
            "sem": own,
            "mdc95": own.times(1.96 * math.sqrt(2)),
            "relative_sd": figure.relative.own,
            "icc": figure.icc,
        }
        row: Row = {
            "region": str(figure.region),
            "state": str(figure.state),
            "subjects": figure.subjects,
            "photos": figure.photos,
            "mean_index": rounded(figure.mean_index),
            "lack": str(own.lack),
        }
        for name, estimate in estimates.items():
            row[name] = rounded(estimate.value)
            row[f"{name}_low"], row[f"{name}_high"] = rounded(estimate.low), rounded(estimate.high)
        yield {name: row[name] for name in NOISE_COLUMNS}


def repeatability_document(found: Repeatability) -> dict[str, Any]:
    """Return all figures as a tree of plain values, ready for JSON; `noise` is what follow-up can go by."""
    pooled = found.pooled
    return {
        "disclaimer": DISCLAIMER,
        "settings_digest": found.settings_digest,
        "measure_version": MEASURE_VERSION,
        "noise": None
        if pooled is None
        else {"relative_sd": rounded(pooled.relative_sd), "source": pooled.source, "own": True},
        "figures": list(noise_rows(found)),
        "left_out": [{"photo": escaped(name), "reason": escaped(why)} for name, why in found.left_out],
    }


def read_noise(path: Path, *, settings: Settings = DEFAULTS) -> NoiseFigure:
    """Return the figure in a file that `repeatability --out` wrote.

    Raises SettingsError when there is none in it, or it was measured with other settings or another version.
    """
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        told = tree["noise"] if isinstance(tree, Mapping) else {}
        how = (tree["settings_digest"], tree.get("measure_version")) if isinstance(tree, Mapping) else ("", 0)
        value = float(told["relative_sd"]) if told else math.nan
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{path} was not written by `wrinklecv repeatability --out`.") from error
    if not 0 < value < 1:
        raise SettingsError(f"{path} holds no figure of noise: its repeats were too few to tell one.")
    if how != (settings.digest, MEASURE_VERSION):
        raise SettingsError(
            f"{path} was measured with other settings or another version: measure the repeats again."
        )
    return NoiseFigure(value, f"{told.get('source', path.name)}", own=True)
