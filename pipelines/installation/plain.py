"""Plain names for folders whose paths Dagster would take for something else.

It looks for `dagster.yaml` by a pattern, and misses it where the path holds brackets: its telemetry would be on. And
in the addresses of its databases, %41 is an A. Where needed, the plain name is a link, always the same one, in a folder
that this user alone can write to.
"""

import glob
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from assets.errors import WrongUse

_NAME = "license-history"


def plain_name(folder: Path) -> Path:
    """The folder itself, or a link to it without [ ] * ? % in its path.

    Raises:
        WrongUse: there is no place for such a link.
    """
    if _is_plain(folder):
        return folder
    link = _links() / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    if not (link.is_symlink() and link.readlink() == folder):
        beside = link.with_name(f"{link.name}.{os.getpid()}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(folder)
        beside.replace(link)
    return link


def _is_plain(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return not glob.has_magic(str(path)) and "%" not in str(path)


def _links() -> Path:
    for folder in _candidates():
        if _is_plain(folder) and _ours(folder):
            return folder
    raise WrongUse(
        "The data directory's path holds one of [ ] * ? %, which Dagster takes for something else, and there "
        "is no place for a link to it with a plain name: set XDG_CACHE_HOME to one, or choose another "
        "LICENSES_DATA_DIR. Nothing was asked."
    )


def _candidates() -> Iterator[Path]:
    """Where a link lasts as long as a daemon that goes by it: first the user's cache, then the temporary folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(RuntimeError):
        yield (cache if cache.is_absolute() else Path.home() / ".cache") / _NAME / "links"
    user = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"{_NAME}-{user}"


def _ours(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and mine and not found.st_mode & 0o022 and os.access(folder, os.W_OK)
