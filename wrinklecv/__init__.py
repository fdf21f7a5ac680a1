"""Measure facial wrinkle lines in photographs.

Everything public is named here and fetched on first use, so that `import wrinklecv` and
`wrinklecv --help` do not wait for numpy, cv2 or the landmark model.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .assessment import assess as assess
    from .batch import assess_many as assess_many
    from .casebook import NewShot as NewShot
    from .casebook import follow_subject as follow_subject
    from .casebook import measure_visit as measure_visit
    from .casebook import save_visit as save_visit
    from .codes import Code as Code
    from .comparison import compare as compare
    from .draw import draw_lines as draw_lines
    from .errors import ManyFacesError as ManyFacesError
    from .errors import ModelError as ModelError
    from .errors import NoFaceError as NoFaceError
    from .errors import NotComparableError as NotComparableError
    from .errors import OutputError as OutputError
    from .errors import PhotoError as PhotoError
    from .errors import SettingsError as SettingsError
    from .errors import StoreError as StoreError
    from .errors import UnreadablePhotoError as UnreadablePhotoError
    from .errors import WrinkleError as WrinkleError
    from .followup import follow_up as follow_up
    from .histories import Change as Change
    from .histories import ChangeVerdict as ChangeVerdict
    from .histories import FollowUp as FollowUp
    from .histories import NoiseFigure as NoiseFigure
    from .histories import VisitPhotos as VisitPhotos
    from .intake import import_folder as import_folder
    from .pairs import ComparedLine as ComparedLine
    from .pairs import Comparison as Comparison
    from .pairs import RegionComparison as RegionComparison
    from .photo import read_photo as read_photo
    from .records import MEASURE_VERSION as MEASURE_VERSION
    from .records import Assessment as Assessment
    from .records import Chart as Chart
    from .records import Expression as Expression
    from .records import Face as Face
    from .records import Finding as Finding
    from .records import Line as Line
    from .records import LineKind as LineKind
    from .records import Outcome as Outcome
    from .records import Photo as Photo
    from .records import Region as Region
    from .records import RegionMeasures as RegionMeasures
    from .records import Scale as Scale
    from .records import Status as Status
    from .records import Verdict as Verdict
    from .settings import DEFAULTS as DEFAULTS
    from .settings import Settings as Settings
    from .settings import load_settings as load_settings
    from .store import Store as Store
    from .store import open_store as open_store
    from .tables import read_csv as read_csv
    from .tables import to_rows as to_rows
    from .visits import Subject as Subject
    from .visits import Treatment as Treatment

    __version__: str

DISCLAIMER = (
    "Research and documentation aid. Not a medical device. Does not diagnose or recommend treatment, "
    "dose, product or interval. Values depend on light, pose and effort."
)
"""Stands on every page and in every report, JSON file and `--version`."""

_ROOMS = {
    "assessment": "assess",
    "batch": "assess_many",
    "casebook": "NewShot follow_subject measure_visit save_visit",
    "codes": "Code",
    "comparison": "compare",
    "draw": "draw_lines",
    "errors": "ManyFacesError ModelError NoFaceError NotComparableError OutputError PhotoError "
    "SettingsError StoreError UnreadablePhotoError WrinkleError",
    "followup": "follow_up",
    "histories": "Change ChangeVerdict FollowUp NoiseFigure VisitPhotos",
    "intake": "import_folder",
    "pairs": "ComparedLine Comparison RegionComparison",
    "photo": "read_photo",
    "records": "MEASURE_VERSION Assessment Chart Expression Face Finding Line LineKind Outcome Photo Region "
    "RegionMeasures Scale Status Verdict",
    "settings": "DEFAULTS Settings load_settings",
    "store": "Store open_store",
    "tables": "read_csv to_rows",
    "visits": "Subject Treatment",
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names.split()}

__all__ = ["DISCLAIMER", "__version__", *_ROOM_OF]


def __getattr__(name: str) -> Any:
    """Fetch a public name from its room (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("wrinklecv")
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_ROOM_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
