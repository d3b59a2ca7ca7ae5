"""What a subject hands the warehouse: its folder of queries, what they read, and whether the file shows it.

The engine of this folder builds, checks and publishes any subjects, in the order in which they are given, and knows
none of them. `pipelines/subjects.py` names them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import duckdb

from assets.errors import DamagedFile
from assets.layout import DataDirectory


class Material(Protocol):
    """What a subject's relations are made from: files that were listed, and nothing read of them yet."""

    @property
    def paths(self) -> Iterable[Path]:
        """The files that `load` lets the relations read."""

    @property
    def damaged(self) -> Sequence[DamagedFile]:
        """The files that are left out because they cannot be read."""

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Add the tables and views that the relations read to the connection's current database, `inputs`."""

    def adds_only(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Whether what was loaded only adds to what the old warehouse, attached as `known`, was made from: then the new
        one may be a copy of it in which only what has changed is made again."""


class Subject(ABC):
    """One subject; its folder holds `sql/`, `sql/internal/`, `macros/` and `checks/`, any of which may be missing."""

    folder: Path
    datasets: Sequence[str] = ()
    """What a run stages of it, which is put in place together with the warehouse."""

    @property
    def columns(self) -> Mapping[str, str]:
        """Comments of columns that several relations share and `sql/columns.toml` does not explain."""
        return {}

    def require_sound(self, data: DataDirectory) -> None:  # noqa: B027 -- what most subjects have none of
        """Refuse files from which no warehouse may be made.

        Raises:
            PublishFailed: what must never change has changed.
        """

    def stage(self, data: DataDirectory, staged: DataDirectory, at: datetime) -> None:  # noqa: B027
        """Stage what must be kept once what is staged replaces what is published; only for who holds `writing`."""

    @abstractmethod
    def gather(
        self,
        connection: duckdb.DuckDBPyConnection,
        published: DataDirectory,
        staged: DataDirectory,
        without: Iterable[DamagedFile] = (),
    ) -> Material:
        """List what a new warehouse is made from; it may start from the one that is there, attached as `known`."""

    @abstractmethod
    def gather_all(self, published: DataDirectory) -> Material:
        """List all that is published, whatever a warehouse knows of it already."""

    def has_anything(self, data: DataDirectory) -> bool:
        """Whether there is something that asks for a warehouse to show it."""
        return False

    @abstractmethod
    def is_shown(self, warehouse: duckdb.DuckDBPyConnection, data: DataDirectory) -> bool:
        """Whether an opened warehouse shows what the files say; it reads no rows of theirs."""

    def before_checks(self, connection: duckdb.DuckDBPyConnection) -> None:  # noqa: B027
        """Add to `inputs` what the checks read beside what the relations do."""


Subjects = tuple[Subject, ...]
