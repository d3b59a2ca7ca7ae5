"""Dagster's instance: the one that DAGSTER_HOME names, else a home of its own under the data directory.

Command line, UI and schedule share it. Nothing is written into a home that somebody else keeps but what Dagster itself
writes there; and pretend data never meets it (`pretend`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from assets.errors import LicenseHistoryError, WrongUse
from assets.files.atomic import whole_file
from assets.layout import DataDirectory
from pipelines.installation.plain import plain_name

if TYPE_CHECKING:
    import dagster as dg

VARIABLE = "DAGSTER_HOME"


@dataclass(frozen=True)
class Home:
    """Where an instance has its `dagster.yaml`; `ours` is the one under the data directory."""

    place: Path
    ours: bool


def dagster_home(data: DataDirectory, *, pretend: bool = False) -> Home:
    """The home that DAGSTER_HOME names (the environment's or the `.env`'s), else the data directory's own.

    Raises:
        WrongUse: DAGSTER_HOME names no directory.
    """
    own = Home(data.dagster_home, ours=True)
    named = os.environ.get(VARIABLE, "").strip()
    if pretend or not named:
        return own
    place = Path(os.path.expanduser(named))  # noqa: PTH111 (as Dagster reads it: an unknown ~user stays as it is)
    instead = f"or leave it out: runs and days are then kept in {own.place}"
    if not place.is_absolute():
        raise WrongUse(f"{VARIABLE} must be an absolute path, not {named}: name one, {instead}.")
    if place.resolve() == own.place.resolve():
        return own
    if not place.is_dir():
        raise WrongUse(f"{VARIABLE} names {place}, where no directory is: make it (is its disk mounted?), {instead}.")
    return Home(place, ours=False)


def prepare_home(data: DataDirectory, *, pretend: bool = False) -> Path:
    """The home's path as Dagster can read it; our own is made with its `dagster.yaml`, another is left as it is.

    Raises:
        WrongUse: as for `dagster_home`.
    """
    home = dagster_home(data, pretend=pretend)
    if not home.ours:
        return home.place
    if not (home.place / "dagster.yaml").exists():
        with whole_file(home.place / "dagster.yaml") as place:
            place.write_bytes((Path(__file__).parent / "dagster.yaml").read_bytes())
    return plain_name(home.place)


@contextmanager
def instance(data: DataDirectory, *, pretend: bool = False) -> "Iterator[dg.DagsterInstance]":
    """The instance for this data directory; for pretend data always its own.

    Raises:
        RunLogFailed: what Dagster keeps there cannot be opened.
        LicenseHistoryError: its `dagster.yaml` cannot be used.
    """
    import dagster as dg
    import yaml
    from dagster._core.instance.ref import InstanceRef
    from dagster_shared.check import CheckError

    from pipelines.installation.kept_open import kept_open

    home = dagster_home(data, pretend=pretend)
    place = prepare_home(data, pretend=pretend)
    try:
        # Dagster makes its tables at the first opening, and in SQLite fails where two do so at once.
        with FileLock(place / ".opening.lock") if home.ours else nullcontext():
            opened = dg.DagsterInstance.from_ref(kept_open(InstanceRef.from_dir(str(place))))
            _ = opened.run_storage, opened.schedule_storage, opened.event_log_storage.get_maximum_record_id()
    except (dg.DagsterError, CheckError, yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        raise settings_failed(home, error) from error
    except Exception as error:  # each storage has errors of its own
        if home.ours and not _of_the_database(error):
            raise
        raise _storage_failed(home, error) from error
    with opened:
        yield opened


class RunLogFailed(LicenseHistoryError):
    """Dagster's own databases fail; the record does not depend on them."""


def settings_failed(home: Home, error: Exception) -> LicenseHistoryError:
    """What to do where Dagster does not understand its `dagster.yaml`, or cannot import what it names."""
    faults = " ".join(one.message for one in getattr(error, "errors", ()))  # without the whole schema before them
    told = " ".join((faults or str(error)).split())[:300] or type(error).__name__
    place = home.place / "dagster.yaml"
    if home.ours:
        return LicenseHistoryError(f"{place} cannot be used ({told}). Mend it, or remove it: it is written anew.")
    hint = " PostgreSQL wants the extra postgres (docs/dagster.md)." if "dagster_postgres" in told else ""
    return LicenseHistoryError(f"{place}, which {VARIABLE} names, cannot be used ({told}): mend it.{hint}")


def storage_failed(data: DataDirectory, error: Exception) -> RunLogFailed:
    """What to do where Dagster's own databases fail."""
    return _storage_failed(dagster_home(data), error)


def _storage_failed(home: Home, error: Exception) -> RunLogFailed:
    said = (str(getattr(error, "orig", None) or error) or type(error).__name__).splitlines()[0]
    if not home.ours:
        return RunLogFailed(
            f"Dagster's instance of {VARIABLE} ({home.place}) cannot be used ({said}): see that its database can be "
            "reached, and that its dagster.yaml names the right one. Only the log of runs is kept there, nothing of "
            "the record."
        )
    return RunLogFailed(
        f"Dagster's own files in {home.place} cannot be used ({said}): see that the disk is neither full nor "
        f"broken and that the files belong to this user; if they are damaged, move {home.place} aside. Only the "
        "log of runs is lost with it, nothing of the record."
    )


def _of_the_database(error: Exception) -> bool:
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(error, SQLAlchemyError)
