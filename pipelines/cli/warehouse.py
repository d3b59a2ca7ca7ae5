"""Asking the warehouse: how it is opened for reading is its own affair; and what is said where it was built again."""

from assets.engine import sql_file
from assets.warehouse.reading import opened

__all__ = ["opened", "query"]

BUILT_AGAIN = "The warehouse did not show what the files say: it was built again."


def query(name: str) -> str:
    """One of the command line's own questions, by its file's name in `sql/`."""
    return sql_file(__file__, name)
