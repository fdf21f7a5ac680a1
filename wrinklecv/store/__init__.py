"""Keep subjects, visits, treatments, photos and what was measured: one folder, or a PostgreSQL database.

A folder holds the database (SQLite), `photos/` by sha256, byte for byte as they came, and `backups/`. With
PostgreSQL the folder holds the photos only. Saving is all or nothing, and saving a form twice is saving it
once. Nothing is deleted but by `remove_…` and `purge`, and then for good.
"""

from .numbers import METRICS, Method, method_of
from .opening import open_store
from .store import Store

__all__ = ["METRICS", "Method", "Store", "method_of", "open_store"]
