"""assess(): one photo. The order of the steps, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

from .chart import make_chart
from .codes import Code
from .face import find_face
from .lines import USUAL_LINE_MM, Detected, find_lines, sight_of
from .measures import measure_region
from .model import MODEL_SHA256
from .quality import judge_photo, judge_strands
from .records import MEASURE_VERSION, Assessment, Face, Photo, Region, Verdict
from .regions import measure_coverage, with_lines
from .settings import DEFAULTS, Settings
from .sharpness import edge_blur_mm
from .skin import find_skin


def assess(
    photo: Photo, *, settings: Settings = DEFAULTS, find: Callable[[Photo], Face] = find_face
) -> Assessment:
    """Measure the lines of one photo.

    find: takes a Photo, returns its Face; the landmark model unless another is given.
    Regions that cannot be told are absent from the result and have a finding that says why.
    Raises NoFaceError, ManyFacesError; ModelError when the landmark model is missing or damaged.
    """
    face = find(photo)
    chart = make_chart(photo, face)
    skin = find_skin(chart, settings=settings)
    coverage = measure_coverage(chart, skin.usable)
    blur_mm = edge_blur_mm(chart)
    quality = judge_photo(photo, face, chart, skin, coverage, edge_blur_mm=blur_mm, settings=settings)
    refused = {f.region for f in quality if f.verdict is Verdict.REFUSE}
    measured = () if None in refused else tuple(r for r in Region if r not in refused)
    found: dict[Region, Detected] = {}
    for region in measured:
        sight = sight_of(coverage[region], blur_mm, settings=settings)
        found[region] = find_lines(chart, region, skin, face.scale, sight, settings=settings)
    quality += judge_strands(
        {region: detected.strands for region, detected in found.items()},
        hair_over_forehead=Code.HAIR_OVER_FOREHEAD in {f.code for f in quality},
        settings=settings,
    )
    lines = tuple(line for detected in found.values() for line in detected.lines)
    seen = measure_coverage(chart, with_lines(skin.usable, skin.visible, [line.path_mm for line in lines]))
    regions = tuple(
        measure_region(
            region,
            detected.lines,
            coverage=seen[region].share,
            area_mm2=seen[region].area_mm2,
            detection_limit=detected.detection_limit,
            undecided_mm=detected.undecided_mm,
            undecided_depth_mm=detected.undecided_depth_mm,
            scale_relative_sd=face.scale.relative_sd,
            least_length_mm=USUAL_LINE_MM,
        )
        for region, detected in found.items()
    )
    return Assessment(
        photo_name=photo.name,
        photo_sha256=photo.sha256,
        settings_digest=settings.digest,
        model_sha256=MODEL_SHA256,
        measure_version=MEASURE_VERSION,
        width_px=photo.width_px,
        height_px=photo.height_px,
        face=face,
        quality=quality,
        lines=lines,
        regions=regions,
        chart=chart,
    )
