"""The closed list of reason codes: why a photo or a region was refused, or is in doubt.

Codes are short and stable: they stand in CSV files and databases. What was wrong in words, and what
the photographer can do, stands in each finding or error that carries a code.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """One reason; the value is what stands in tables."""

    # the file
    EMPTY_FILE = "empty_file"
    NOT_AN_IMAGE = "not_an_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    FILE_TOO_BIG = "file_too_big"
    METADATA_TOO_BIG = "metadata_too_big"
    ANIMATED = "animated"
    LOW_COLOUR = "low_colour"
    MISSING = "missing"
    NOT_A_REGULAR_FILE = "not_a_regular_file"
    PERMISSION_DENIED = "permission_denied"
    READ_FAILED = "read_failed"
    CHANGED_WHILE_READING = "changed_while_reading"
    SYMLINK = "symlink"
    MARKING_PHOTO = "marking_photo"
    DUPLICATE_OF = "duplicate_of"
    # the manifest
    OUTSIDE_ROOT = "outside_root"
    CONFLICTING_SUBJECT = "conflicting_subject"
    MANIFEST_FAULT = "manifest_fault"
    # the file, in doubt only
    TRAILING_DATA = "trailing_data"
    EXTENSION_MISMATCH = "extension_mismatch"
    GRAY = "gray"
    CMYK = "cmyk"
    ALPHA = "alpha"
    ICC_IGNORED = "icc_ignored"
    MULTI_PICTURE = "multi_picture"
    # the face
    NO_FACE = "no_face"
    MANY_FACES = "many_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_ROTATED = "face_rotated"
    FACE_CUT = "face_cut"
    STRETCHED = "stretched"
    HEAD_TURNED = "head_turned"
    HEAD_TILTED = "head_tilted"
    LANDMARKS_UNSTEADY = "landmarks_unsteady"
    # the photo, region by region
    LOW_RESOLUTION = "low_resolution"
    BLURRED = "blurred"
    OVER_EXPOSED = "over_exposed"
    UNDER_EXPOSED = "under_exposed"
    NOISY = "noisy"
    SHINE = "shine"
    UNEVEN_LIGHT = "uneven_light"
    SMOOTHED = "smoothed"
    HAIR_OVER_FOREHEAD = "hair_over_forehead"
    HAIR_OR_FRAME = "hair_or_frame"
    LITTLE_SKIN = "little_skin"
    EYES_CLOSED = "eyes_closed"
    # the pair
    POSE_DIFFERS = "pose_differs"
    SCALE_DIFFERS = "scale_differs"
    LIGHT_DIFFERS = "light_differs"
    EXPOSURE_DIFFERS = "exposure_differs"
    REST_SOFTER = "rest_softer"
    EXPRESSION_SOFTER = "expression_softer"
    SHARPNESS_DIFFERS = "sharpness_differs"
    NOT_LAID_TOGETHER = "not_laid_together"
    COVERAGE_DIFFERS = "coverage_differs"
    EXPRESSION_DIFFERS = "expression_differs"
    WEAK_EXPRESSION = "weak_expression"
    REST_SHOWS_EXPRESSION = "rest_shows_expression"
    OTHER_REGION = "other_region"
    # the machine
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
