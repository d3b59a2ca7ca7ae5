"""Dagster's instance, kept under the data directory so that command line, UI and schedule share it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from assets.errors import LicenseHistoryError
from assets.files import whole_file
from assets.layout import DataDirectory
from pipelines.plain import plain_name

if TYPE_CHECKING:
    import dagster as dg


def prepare_home(data: DataDirectory) -> Path:
    """Make DAGSTER_HOME with its `dagster.yaml`, and name it in the environment for whatever is started next."""
    home = data.dagster_home
    if not (home / "dagster.yaml").exists():
        with whole_file(home / "dagster.yaml") as place:
            place.write_bytes((Path(__file__).parent / "dagster.yaml").read_bytes())
    plain = plain_name(home)
    os.environ["DAGSTER_HOME"] = str(plain)
    return plain


@contextmanager
def instance(data: DataDirectory) -> "Iterator[dg.DagsterInstance]":
    """The instance of this data directory.

    Raises:
        RunLogFailed: what Dagster keeps there cannot be opened.
    """
    import dagster as dg
    import yaml  # type: ignore[import-untyped]
    from dagster_shared.check import CheckError
    from sqlalchemy.exc import SQLAlchemyError

    home = prepare_home(data)
    try:
        # Dagster makes its tables at the first opening, and fails where two do so at once.
        with FileLock(home / ".opening.lock"):
            opened = dg.DagsterInstance.from_config(str(home))
            _ = opened.run_storage, opened.schedule_storage, opened.event_log_storage.get_maximum_record_id()
    except SQLAlchemyError as error:
        raise storage_failed(data, error) from error
    except (dg.DagsterError, CheckError, yaml.YAMLError, UnicodeDecodeError, IsADirectoryError) as error:
        told = " ".join(str(error).split())
        raise LicenseHistoryError(
            f"{data.dagster_home / 'dagster.yaml'} cannot be used ({told}). Mend it, or remove it: it is written anew."
        ) from error
    with opened:
        yield opened


class RunLogFailed(LicenseHistoryError):
    """Dagster's own databases fail; the record does not depend on them."""


def storage_failed(data: DataDirectory, error: Exception) -> RunLogFailed:
    """What to do where Dagster's own databases fail."""
    said = str(getattr(error, "orig", None) or error).splitlines()[0]
    return RunLogFailed(
        f"Dagster's own files in {data.dagster_home} cannot be used ({said}): see that the disk is neither full nor "
        f"broken and that the files belong to this user; if they are damaged, move {data.dagster_home} aside. Only the "
        "log of runs is lost with it, nothing of the record."
    )
