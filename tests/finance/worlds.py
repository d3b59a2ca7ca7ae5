"""Small worlds for finance: the reference files as text, members day by day, and the real command line."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from tests.commandline import Finished, licenses
from tests.history.snapshots import Row, Snapshot, World

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
HEADERS = {
    "prices": "license_type,organization,valid_from,valid_to,amount,currency",
    "cost_centres": "match,holder,cost_centre,valid_from,valid_to",
    "billing": "organization,convention,currency",
    "exchange_rates": "from_currency,to_currency,valid_from,valid_to,rate",
}
ADMIN: Row = {"license_type": "Admin", "role": "admin"}


def days(first: date, last: date, *, without: Iterable[date] = ()) -> list[date]:
    every = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return [day for day in every if day not in set(without)]


def observed(day: date, members: Mapping[str, Row], organization: str = "org") -> Snapshot:
    """A day on which members, keys and invites are known; of the latter two there are none."""
    return Snapshot(organization, day, {"user": members, "api_key": {}, "invite": {}})


@dataclass
class Finance(World):
    """A data directory with finance's reference files, and an operator at its command line."""

    now: datetime = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def reference(self, **files: str) -> None:
        """Write files by name; text without a header gets one."""
        for name, text in files.items():
            place = self.root / "reference" / f"{name}.csv"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text if text.startswith(HEADERS[name]) else f"{HEADERS[name]}\n{text}")

    def __call__(self, *words: str) -> Finished:
        environment = {
            "LICENSES_DATA_DIR": str(self.root),
            "LICENSES_NOW": self.now.isoformat(),
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
            "USER": "ada",
        }
        return licenses(*words, environment=environment, folder=self.root)

    def row(self, query: str, *parameters: object) -> tuple[Any, ...]:
        (found,) = self.ask(query, *parameters)
        return found

    def copy(self, folder: Path) -> "Finance":
        """The same files without the warehouse: what is built there is built anew."""
        folder.mkdir()
        for name in ("snapshots", "usage", "reference", "finance"):
            if (self.root / name).exists():
                (folder / name).symlink_to(self.root / name)
        return Finance(folder, now=self.now)


def signed_by_an_older_version(world: Finance, number: int, keep: str = "true", without: Iterable[str] = ()) -> None:
    """Make the figures of a closing those of a version that had no such columns, or had only the lines to `keep`."""
    entry = world.root / "finance" / "log" / f"{number:04}.json"
    told = json.loads(entry.read_text())
    (place,) = world.root.glob(f"finance/closed/*/closing={number:04}/lines.parquet")
    with duckdb.connect(":memory:") as connection:
        lines = connection.read_parquet(str(place), hive_partitioning=False).filter(keep).to_arrow_table()
    place.chmod(0o600)
    pq.write_table(lines.drop_columns(list(without)), place)
    told["figures"]["lines"] = sha256(place.read_bytes()).hexdigest()
    entry.chmod(0o600)
    entry.write_text(json.dumps(told))
