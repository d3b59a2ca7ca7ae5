"""What made a warehouse, besides the files: the code, whichever part of it, and the version of DuckDB."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import duckdb

CODE = Path(__file__).parents[1]
_SUFFIXES = (".py", ".sql", ".toml", ".csv")


@cache
def made_by() -> str:
    """A hash over all of `assets/`: a table may depend on any part of it, and a build from nothing is the lesser loss.

    Files are taken by their names below the folder, so that a moved query counts as another one.
    """
    code = sha256(duckdb.__version__.encode())
    for path in sorted(CODE.rglob("*")):
        if path.suffix in _SUFFIXES:
            code.update(str(path.relative_to(CODE)).encode())
            code.update(path.read_bytes())
    return code.hexdigest()
