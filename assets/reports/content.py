"""What a month's report says: one table a file under `sql/`, asked of the warehouse, with each column explained."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any

import duckdb

from assets.engine import sql_file
from assets.errors import LicenseHistoryError
from assets.snapshots.rules import load_rules
from assets.warehouse.header import header


class Kind(StrEnum):
    """How a column's values are shown."""

    TEXT = "text"
    COUNT = "count"
    QUANTITY = "quantity"
    MONEY = "money"
    DAY = "day"
    INSTANT = "instant"
    TRUTH = "truth"


MONEY = {"price", "cost", "cost_unused", "cost_to_book", "adjustments", "closed_cost", "current_cost"} | {
    "cost_difference",
    "cost_made_good",
    "cost_open",
}
OWN_COMMENTS = {
    "accepted": "Invitations that were accepted: their seats go over to the people.",
    "carried_from": "The day whose seats the month shows, as nothing was read of the organization in all of it.",
    "keys_month_end": "Of the seats at the month's end, API keys.",
    "kind": "Whether it is a person, an API key or a pending invitation.",
    "organization_name": "The organization's name, as the last snapshot that knows it tells it.",
    "otherwise": "Changed in less changed out, and what was restated.",
    "cost_to_book": "The month's cost and the adjustments of earlier months together.",
    "adjustments": "Sum of the adjustment lines of earlier, closed months.",
    "seats_without_price": "Seats at the month's end for which no price holds: what they cost is not known.",
}


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    explanation: str

    @property
    def title(self) -> str:
        words = self.name.replace("_id", "").replace("_", " ")
        return words[:1].upper() + words[1:]


@dataclass(frozen=True)
class Table:
    """One query's answer; `source` is the relation whose comments explain its columns."""

    name: str
    title: str
    answers: str
    columns: tuple[Column, ...]
    rows: tuple[dict[str, Any], ...]

    def values(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]


TABLES = {
    "organizations": ("Overview", "finance_statement"),
    "totals": ("Totals", "finance_statement"),
    "walk_total": ("Walk total", "finance_statement"),
    "kinds": ("Walk by kind", "finance_statement"),
    "walk": ("Walk", "finance_statement"),
    "cost_centres": ("Cost centres", "finance_statement"),
    "lines": ("Lines", "finance_statement"),
    "adjustments": ("Adjustments", "finance_adjustments"),
    "restatements": ("Restatements", "finance_restatements"),
    "seats_by_day": ("Seats by day", "finance_daily"),
    "unused": ("Unused", "finance_unused"),
    "movements": ("Joiners and leavers", "finance_movements"),
    "beginnings": ("Beginnings", "finance_monthly"),
    "days": ("Days not final", "finance_days"),
    "closings": ("Closings", "finance_closings"),
}


@dataclass(frozen=True)
class Report:
    """A month in tables."""

    month: date
    tables: dict[str, Table]

    def __getitem__(self, name: str) -> Table:
        return self.tables[name]

    @cached_property
    def is_closed(self) -> bool:
        return all(self["organizations"].values("is_closed"))

    @cached_property
    def is_final(self) -> bool:
        return all(self["organizations"].values("is_final"))

    @cached_property
    def closing(self) -> dict[str, Any] | None:
        return next((row for row in self["closings"].rows if row["is_in_force"]), None)


def read_report(warehouse: duckdb.DuckDBPyConnection, month: date) -> Report:
    """All tables of a month.

    Raises:
        LicenseHistoryError: nothing is known of the month.
    """
    load_rules(warehouse)
    report = Report(month, {name: _table(warehouse, name, month) for name in TABLES})
    if not report["organizations"].rows:
        (first, last) = warehouse.execute(sql_file(__file__, "known_months")).fetchall()[0]
        span = f" It knows {first:%Y-%m} to {last:%Y-%m}." if first else ""
        raise LicenseHistoryError(f"The warehouse knows nothing of {month:%Y-%m}, so there is nothing to report.{span}")
    return report


def _table(warehouse: duckdb.DuckDBPyConnection, name: str, month: date) -> Table:
    title, source = TABLES[name]
    query = sql_file(__file__, name)
    explained = _explained(warehouse, source)
    found = warehouse.execute(query, {"month": month})
    columns = tuple(
        Column(label, _kind(label, str(kind)), OWN_COMMENTS.get(label) or explained.get(label, ""))
        for label, kind, *_ in found.description or ()
    )
    names = [column.name for column in columns]
    rows = tuple(dict(zip(names, row, strict=True)) for row in found.fetchall())
    return Table(name, title, header(query).words, columns, rows)


def _kind(name: str, duckdb_type: str) -> Kind:
    if name in MONEY:
        return Kind.MONEY
    if duckdb_type.startswith("DECIMAL"):
        return Kind.QUANTITY
    words = {"DATE": Kind.DAY, "BOOLEAN": Kind.TRUTH, "VARCHAR": Kind.TEXT}
    if duckdb_type.startswith("TIMESTAMP"):
        return Kind.INSTANT
    return words.get(duckdb_type, Kind.COUNT if "INT" in duckdb_type else Kind.TEXT)


def _explained(warehouse: duckdb.DuckDBPyConnection, source: str) -> dict[str, str]:
    """What the warehouse says of a relation's columns, and of those that it shares with `finance_monthly`."""
    found = warehouse.execute(sql_file(__file__, "explained"), {"source": source})
    return dict(found.fetchall())
