"""The installation: could the data directory and the memory take a night, are the reference files usable, is the `.env`
private."""

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime

from assets.errors import BadReference, ImpossibleDay, WrongUse
from assets.extraction.landing import require_not_behind
from assets.files.preflight import require_room
from assets.finance.reference import finance_reference
from assets.layout import DataDirectory
from assets.room import SETTING, Memory, limits, told
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from pipelines.cli.doctor.findings import Finding, note, ok, problem
from pipelines.installation import places


def examine_folder(data: DataDirectory, now: datetime) -> Iterator[Finding]:
    """What the night looks at before it begins, and the files that people edit."""
    yield from _place(data)
    yield from _clock(data, now)
    yield from _reference(data)
    yield from _env_file()


def _place(data: DataDirectory) -> Iterator[Finding]:
    try:
        require_room(data)
    except WrongUse as error:
        yield problem("place", str(error))
        return
    there = next(place for place in (data.root, *data.root.parents) if place.exists())
    if there != data.root:
        yield note("place", f"{data.root} is not there yet; the first snapshot makes it: licenses snapshot")
    else:
        yield ok("place", f"{data.root} is there and can be written.")
    yield ok("space", f"{shutil.disk_usage(there).free / 1e6:,.0f} MB free.")


def examine_memory(there: Memory) -> Iterator[Finding]:
    """Whom the kernel ends for the memory that they took, nobody can tell why: so it is said beforehand."""
    first, last = limits(there)
    takes = f"DuckDB takes up to {told(first)}" + (
        f", and {told(last)} where that is not enough" if last > first else ""
    )
    if there.total and last > there.total:
        yield note(
            "memory",
            f"{takes}, but there are only {told(there.total)} here: the kernel would end a run that takes more. Set "
            f"{SETTING} to less.",
        )
    elif there.free is not None and last > there.free:
        yield note(
            "memory",
            f"{takes}, but only {told(there.free)} are free now: the kernel may end a run that needs more. Free some, "
            f"or set {SETTING} to less.",
        )
    else:
        yield ok("memory", f"{takes}{f'; {told(there.free)} are free' if there.free else ''}.")


def _clock(data: DataDirectory, now: datetime) -> Iterator[Finding]:
    """Nothing is written by a clock that the record contradicts."""
    try:
        require_not_behind(data, now)
    except ImpossibleDay as error:
        yield problem("clock", str(error))


def _reference(data: DataDirectory) -> Iterator[Finding]:
    """A mistake in a file that people edit stops the warehouse."""
    path = data.reference(LICENSE_TYPES)
    try:
        roles = license_types(path)
        finance_reference(data, roles.column("license_type").to_pylist())
    except BadReference as error:
        yield problem("reference files", f"{error} Until it is mended, no night is published.")
    except (OSError, UnicodeDecodeError) as error:
        yield problem("reference files", f"one cannot be read ({error}). Until it is mended, no night is published.")
    else:
        yield ok("reference files", f"usable; {roles.num_rows} roles in {path}.")


def _env_file() -> Iterator[Finding]:
    """Keys stand in it."""
    path = places.env_file()
    if os.name == "posix" and path.exists() and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield note("keys", f"{path} can be read by other users of this machine: chmod 600 {path}")
