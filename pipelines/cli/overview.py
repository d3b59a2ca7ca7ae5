"""What `make run` ends with: the seats, how they moved, who does not use theirs, and where to go from here."""

from datetime import date
from pathlib import Path

import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assets.layout import SNAPSHOTS, DataDirectory
from pipelines.cli.paths import short
from pipelines.cli.warehouse import opened, query

LAST_CHANGES = 8
KINDS = {"user": "People", "api_key": "API keys", "invite": "Invitations"}


def show(out: Console, data: DataDirectory, first: date, last: date, report: Path) -> None:
    """Print the overview of the days from `first` to `last`, and where to find the rest."""
    with opened(data) as warehouse:
        out.print(_seats(warehouse, first, last))
        out.print(seats_over_time(warehouse, min(out.width, 100)))
        out.print(_last_changes(warehouse, first))
        out.print(_unused(warehouse))
    _where_and_what_next(out, data, report)


def _seats(warehouse: duckdb.DuckDBPyConnection, first: date, last: date) -> Table:
    table = Table(
        "Kind",
        *("License type", "Status"),
        title=f"Seats on {last}",
        title_justify="left",
        box=None,
        title_style="bold",
    )
    table.add_column("Seats", justify="right")
    table.add_column(f"Since {first}", justify="right")
    rows = warehouse.execute(query("seats"), {"first": first, "last": last}).fetchall()
    before = None
    for kind, license_type, status, seats, change in rows:
        told = KINDS[kind] if kind != before else ""
        table.add_row(told, escape(license_type), escape(status), f"{seats:,}", f"{change:+,}" if change else "=")
        before = kind
    return table


def seats_over_time(warehouse: duckdb.DuckDBPyConnection, width: int) -> str:
    """A chart of the active members of each license type, over all days of the warehouse."""
    import plotext

    rows = warehouse.execute(query("active_members")).fetchall()
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, 14)
    plotext.title("Active members by license type")
    plotext.date_form("Y-m-d")
    for kind in dict.fromkeys(row[0] for row in rows):
        points = [(day.isoformat(), seats) for name, day, seats in rows if name == kind]
        plotext.plot([day for day, _ in points], [seats for _, seats in points], label=kind)
    chart: str = plotext.uncolorize(plotext.build())
    return "\n" + escape(chart)


def _last_changes(warehouse: duckdb.DuckDBPyConnection, first: date) -> Table:
    table = Table("Day", "Who", "What", title="The last changes", title_justify="left", box=None, title_style="bold")
    rows = warehouse.execute(query("last_changes"), {"first": first, "most": LAST_CHANGES}).fetchall()
    for day, who, event, before, after in rows:
        change = " → ".join(part for part in (before, after) if part)
        table.add_row(str(day), escape(who), escape(f"{event.replace('_', ' ')}: {change}" if change else event))
    return table


def _unused(warehouse: duckdb.DuckDBPyConnection) -> Table:
    table = Table(
        "License type",
        title="Active, without known use in the last 30 days",
        title_justify="left",
        box=None,
        title_style="bold",
        caption="Unused is only what is proven: a source that sees all use has watched for 30 days. Not seen: by "
        "sources that do not see everything. Unknown: no source can see these holders.",
        caption_justify="left",
    )
    for heading in ("unused", "watched for less", "used before that", "not seen", "unknown"):
        table.add_column(heading, justify="right")
    rows = warehouse.execute(query("unused")).fetchall()
    for license_type, *counts in rows:
        table.add_row(escape(license_type), *(f"{count:,}" for count in counts))
    return table


def _where_and_what_next(out: Console, data: DataDirectory, report: Path) -> None:
    where = short(data.root)
    for what, place in (
        ("\nThe record, one Parquet file per day:", data.root / SNAPSHOTS),
        ("The warehouse, for any SQL client:", data.warehouse),
        ("The month's report, for finance:", report),
    ):
        out.print(f"{what}  {short(place)}", highlight=False, soft_wrap=True)
    out.print("\nTry next:", style="bold")
    for command in (
        f".venv/bin/licenses --data-dir {where} sql --list",
        f'.venv/bin/licenses --data-dir {where} sql "select * from license_events order by event_date desc limit 10"',
        ".venv/bin/licenses check",
    ):
        out.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)
