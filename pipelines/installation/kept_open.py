"""Dagster's own storage in SQLite, its databases kept open for as long as the instance is.

Dagster opens them anew for each event that it writes, which costs more than the writing. The files are the same, and
others (the UI, its daemon) may have them open, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.pool import NullPool

from assets.files.atomic import whole_file


def kept_open(ref: InstanceRef) -> InstanceRef:
    """The same instance; one that does not keep its runs in SQLite is left as it is."""
    kept = ref.storage_data
    if kept is None or kept.class_name != DagsterSqliteStorage.__name__:
        return ref
    return ref._replace(storage_data=ConfigurableClassData(__name__, KeptOpen.__name__, kept.config_yaml))


class KeptOpen(DagsterSqliteStorage):
    """Runs and events by kept connections."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)  # makes the databases where there are none
        self._run_storage = _Runs(self._run_storage._conn_string)
        self._event_log_storage = _Events(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> Self:
        return cls.from_local(inst_data=inst_data, **config_value)


class _Runs(SqliteRunStorage):
    def __init__(self, conn_string: str) -> None:
        super().__init__(conn_string)
        self._kept = _engine(conn_string)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._kept.begin() as connection:
            yield connection

    def dispose(self) -> None:
        self._kept.dispose()


class _Events(SqliteEventLogStorage):
    """Every run has a database of its own: kept are the index of all, and the one that is in use."""

    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self._kept: dict[str, Engine] = {}
        self._tables: set[str] = set()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        engine = self._kept.get(shard) or self._opened(shard)
        with self._db_lock, engine.begin() as connection:
            yield connection

    def _opened(self, shard: str) -> Engine:
        place = Path(self.path_for_shard(shard))
        if not place.exists():
            with whole_file(place) as temporary:
                temporary.write_bytes(self._empty_log)
            self._initialized_dbs.add(shard)
        with super()._connect(shard):  # makes its tables where there are none, and lets one thread in
            for run in self._kept.keys() - {INDEX_SHARD_NAME} if shard != INDEX_SHARD_NAME else ():
                self._kept.pop(run).dispose()
            return self._kept.setdefault(shard, _engine(self.conn_string_for_shard(shard)))

    @cached_property
    def _empty_log(self) -> bytes:
        """What a run's database begins with: Dagster looks through all of its migrations to make one."""
        with TemporaryDirectory() as folder:
            engine = create_engine(create_db_conn_string(folder, "empty"), poolclass=NullPool)
            self._initdb(engine)
            return Path(folder, "empty.db").read_bytes()

    def has_table(self, table_name: str) -> bool:
        """Asked before each event of a check; what is there stays."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    def dispose(self) -> None:
        super().dispose()
        for engine in self._kept.values():
            engine.dispose()


def _engine(conn_string: str) -> Engine:
    return create_engine(conn_string, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
