"""Dagster's own storage in SQLite, its databases kept open for as long as the instance is.

Dagster opens them anew for each event that it writes, which costs more than the writing. The files are the same, and
others (the UI, its daemon) may have them open, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine

PATIENCE_SECONDS = 20
"""How long one waits for another process that writes."""


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
    def __init__(self, base_dir: str) -> None:
        super().__init__(base_dir)
        self._kept: dict[str, Engine] = {}

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        if shard not in self._kept:
            with super()._connect(shard):  # makes its tables where there are none
                self._kept[shard] = _engine(self.conn_string_for_shard(shard))
        with self._db_lock, self._kept[shard].begin() as connection:
            yield connection

    def dispose(self) -> None:
        super().dispose()
        for engine in self._kept.values():
            engine.dispose()


def _engine(conn_string: str) -> Engine:
    return create_engine(conn_string, connect_args={"timeout": PATIENCE_SECONDS})
