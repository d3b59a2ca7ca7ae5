"""The report as one HTML file: no script, no request, light and dark, on a screen and on A4."""

from collections.abc import Sequence
from datetime import date, datetime

import jinja2
from markupsafe import Markup

from assets.reports import charts
from assets.reports.content import Column, Kind, Report, Table
from assets.reports.shown import UNKNOWN, shown, signed

MOST_ROWS = {"lines": 300, "cost_centres": 200, "unused": 50, "movements": 200, "walk": 100, "days": 100} | {
    "restatements": 200,
    "adjustments": 200,
}
"""What the page shows of long tables; the workbook holds every row. So the page stays below 3 MB."""

NUMBERS = (Kind.COUNT, Kind.QUANTITY, Kind.MONEY)
_LINE = "organization_id cost_centre license_type"
LINE_COSTS = (
    f"{_LINE} convention seats_month_end billed_seats price cost currency unused_month_end unused_unknown cost_unused"
).split()
LINE_SEATS = (
    f"{_LINE} seats_before joiners leavers changed_in changed_out restated seats_month_end invite_joiners "
    "invite_leavers invites_month_end seats_peak peak_date seats_average seat_days"
).split()
CONVENTIONS = {
    "month-end": "the seats at the end of the month",
    "peak": "the seats on the day of the license type's peak",
    "average": "the average of the days that count",
    "seat-days": "each seat by the days that it was held",
}


def page(report: Report, made_at: datetime) -> str:
    """The whole file."""
    organizations = report["organizations"].rows
    ids = [row["organization_id"] for row in organizations]
    return (
        _environment(several=len(ids) > 1)
        .get_template("page.html.jinja")
        .render(
            report=report,
            made_at=made_at,
            names={row["organization_id"]: row["organization_name"] or row["organization_id"] for row in organizations},
            by_day={one: _by_day(report, one) for one in ids},
            charts={
                "walk": Markup(charts.walk(report)),
                "seats": {one: Markup(charts.seats_over_time(report, one)) for one in ids},
                "cost": {one: Markup(charts.cost_by_centre(report, one)) for one in ids},
            },
        )
    )


def _environment(*, several: bool) -> jinja2.Environment:
    """What the template can call; everything that it prints is escaped, but for the drawings."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assets.reports", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"shown": shown, "signed": signed}
    environment.globals |= {
        "most": MOST_ROWS,
        "shape": _shape,
        "line_costs": LINE_COSTS,
        "line_seats": LINE_SEATS,
        "Kind": Kind,
        "visible": _visible,
        "several": several,
        "conventions": CONVENTIONS,
        "unknown": UNKNOWN,
    }
    return environment


def _by_day(report: Report, organization_id: str) -> tuple[list[str], dict[date, dict[str, int]]]:
    """The license types, and for each day that counts the seats of each."""
    days: dict[date, dict[str, int]] = {}
    for row in report["seats_by_day"].rows:
        if row["organization_id"] == organization_id:
            days.setdefault(row["snapshot_date"], {})[row["license_type"]] = row["seats"]
    return sorted({name for seats in days.values() for name in seats}), days


def _visible(table: Table, several: bool, only: Sequence[str] | None) -> list[Column]:
    """Those of `only`, in its order, or all; without the organization where there is but one."""
    named = {column.name: column for column in table.columns}
    return [named[name] for name in only or named if several or name != "organization_id"]


def _shape(column: Column) -> str:
    """Numbers stand to the right, dates in one piece."""
    return "n" if column.kind in NUMBERS else "d" if column.kind is Kind.DAY else "t"
