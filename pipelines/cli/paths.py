"""Paths as people read them."""

from pathlib import Path


def short(path: Path) -> str:
    """A path as short as can be: relative to where the person stands."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
