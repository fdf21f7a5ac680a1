"""Everything that can go wrong that is not a bug.

::

    WrinkleError
    ├── PhotoError              the photo cannot be measured; carries a stable `code`
    │   ├── UnreadablePhotoError    the file is not a photo we can decode
    │   ├── NoFaceError             no face was found
    │   └── ManyFacesError          more than one face, and the choice is not clear
    ├── NotComparableError      two results cannot be compared
    ├── SettingsError           a setting is unknown or out of range
    ├── TableError              a CSV file, such as a manifest, is no table that can be read
    ├── ModelError              the landmark model is missing or damaged
    ├── StoreError              the store cannot be used, or will not take what it was given
    ├── OutputError             a result cannot be written where it was asked for
    └── WorkersError            the processes that measure cannot work

A message says what was wrong, its value, and what to do. They are caught in exactly three
places: the command line, `ui/parts` and `batch`.
"""

from __future__ import annotations

from .codes import Code


class WrinkleError(Exception):
    """Base of every expected failure."""


class PhotoError(WrinkleError):
    """Say why one photo cannot be measured; `code` is stable, the message is for people."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[PhotoError], tuple[Code, str], dict[str, object]]:
        # Exceptions travel between worker processes; the default forgets the second argument.
        return type(self), (self.code, str(self)), self.__dict__  # with notes on which photo it is


class UnreadablePhotoError(PhotoError):
    """The file is not a photo that can be decoded without loss."""


class NoFaceError(PhotoError):
    """No face, or none that can be used, was found in the photo."""


class ManyFacesError(PhotoError):
    """More than one face was found and it is not clear which one is meant."""


class NotComparableError(WrinkleError):
    """Two results were made in ways that forbid comparing them."""


class SettingsError(WrinkleError):
    """A setting is unknown, has the wrong type or is out of range."""


class TableError(WrinkleError):
    """A CSV file, such as a manifest, cannot be read as the table that it should be; `line` 0: all of it."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class ModelError(WrinkleError):
    """The landmark model is missing, damaged or refused."""


class StoreError(WrinkleError):
    """The store of subjects and visits cannot be used, or will not take what it was given."""


class OutputError(WrinkleError):
    """A result cannot be written where it was asked for."""


class WorkersError(WrinkleError):
    """The processes that measure cannot work on this machine, or the cluster is gone."""
