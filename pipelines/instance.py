"""Dagster's instance, kept under the data directory so that command line, UI and schedule share it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assets.layout import DataDirectory, whole_file

if TYPE_CHECKING:
    import dagster as dg


def prepare_home(data: DataDirectory) -> Path:
    """Make DAGSTER_HOME with its `dagster.yaml`, and name it in the environment for whatever is started next."""
    home = data.dagster_home
    if not (home / "dagster.yaml").exists():
        with whole_file(home / "dagster.yaml") as place:
            place.write_bytes((Path(__file__).parent / "dagster.yaml").read_bytes())
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def instance(data: DataDirectory) -> "Iterator[dg.DagsterInstance]":
    """The instance of this data directory."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(prepare_home(data))) as opened:
        yield opened
