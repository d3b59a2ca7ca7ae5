"""Asking the warehouse: how it is opened for reading is its own affair; and what is said where it was built again."""

from pathlib import Path

from assets.warehouse.reading import opened

__all__ = ["opened", "query"]

BUILT_AGAIN = "The warehouse did not show what the files say: it was built again."


def query(name: str) -> str:
    """One of the command line's own questions, by its file's name in `sql/`."""
    return (Path(__file__).parent / "sql" / f"{name}.sql").read_text(encoding="utf-8")
