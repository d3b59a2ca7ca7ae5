"""Nights one after another, and the last one's warehouse twice: amended from that before it, and made from nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from assets.engine import engine
from assets.layout import DataDirectory
from assets.warehouse.build import build
from assets.warehouse.publish import publish
from pipelines.subjects import SUBJECTS
from tests.finance.worlds import Finance
from tests.history.snapshots import Row, Snapshot, write, write_coverage, write_usage

FIRST = date(2026, 1, 26)
NOW = datetime(2027, 1, 1, tzinfo=UTC)
SHOWN = (
    "active_daily",
    "active_weekly",
    "active_monthly",
    "license_history",
    "license_usage",
    "license_snapshots",
    "unused_licenses",
    "finance_unused",
    "finance_seats",
)
"""Views that read what is amended; tables are compared all."""
PEOPLE = frozenset({"user", "api_key", "invite"})


def after(days: int) -> date:
    return FIRST + timedelta(days=days)


def at(days: int) -> datetime:
    """An instant on a day, by its number; negative before the first night."""
    return datetime.combine(after(days), datetime.min.time(), UTC)


@dataclass(frozen=True)
class Night:
    """What a night of one organization brings: lists (none: nobody was read), uses, and how far reports reached."""

    snapshot: Snapshot
    is_read: bool = True
    uses: Sequence[Row] = ()
    watched_since: date | None = None
    reference: Mapping[str, str] = field(default_factory=dict)
    """Finance's files as they have been edited before the night."""

    def stage(self, world: Finance, staged: DataDirectory) -> None:
        organization, day = self.snapshot.organization, self.snapshot.day
        if self.is_read:
            write(staged, self.snapshot, loaded_at=NOW)
        if self.uses:
            write_usage(staged, organization, day, self.uses)
        if self.watched_since:
            write_coverage(staged, organization, day, self.watched_since)
        world.reference(**self.reference)


def night(number: int, organization: str = "org", *, is_read: bool = True, **brings: Any) -> Night:
    """The night of a day by its number; lists by their names (`user`, `api_key`, `invite`), and what a night has."""
    rosters = {kind: brings.pop(kind) for kind in PEOPLE & brings.keys()}
    own = {name: brings.pop(name) for name in Night.__dataclass_fields__ if name in brings}
    return Night(Snapshot(organization, after(number), rosters, **brings), is_read, **own)


def differing_after(root: Path, before: Iterable[Night], *last: Night) -> list[tuple[str, list[Any], list[Any]]]:
    """What an amended warehouse tells otherwise than one from nothing, when the last night comes after the others; or
    several nights at once."""
    world = Finance(root)
    world.reference(prices="User,all,,,30.00,EUR\n")
    for place, nights in (("before", before), ("last", last)):
        staged = world.tree.staging(place)
        for one in nights:
            one.stage(world, staged)
        if place == "before":
            publish(SUBJECTS, world.tree, staged, NOW)
    amended, anew = (_built(world, staged, root / name, anew=name == "anew") for name in ("amended", "anew"))
    return differing(amended, anew)


def _built(world: Finance, staged: DataDirectory, place: Path, *, anew: bool) -> Path:
    with engine(world.root) as connection:
        build(connection, SUBJECTS, world.tree, staged, place, anew=anew)
        ((amends,),) = connection.execute("select getvariable('amends')").fetchall()
        assert amends is not anew, "a night that is to be amended must only add to what there is"
        connection.execute("use memory")
        connection.execute("detach warehouse")
    return place


def differing(amended: Path, anew: Path) -> list[tuple[str, list[Any], list[Any]]]:
    """The relations that are not the same in both, and some rows that only the one or the other has."""
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        for name, place in (("amended", amended), ("anew", anew)):
            connection.execute(f"attach '{place}' as {name} (read_only)")
        tables = connection.table_function("duckdb_tables").filter("database_name = 'anew'")
        names = {".".join(row) for row in tables.select("schema_name, table_name").fetchall()} | set(SHOWN)
        rows = {
            name: {side: connection.sql(f"from {side}.{name} order by all").fetchall() for side in ("amended", "anew")}
            for name in sorted(names - {"internal.build_info"})
        }
    return [
        (name, [row for row in one if row not in two][:2], [row for row in two if row not in one][:2])
        for name, (one, two) in ((name, tuple(sides.values())) for name, sides in rows.items())
        if one != two
    ]
