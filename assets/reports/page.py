"""The report as one HTML file: no script, no request, light and dark, on a screen and on A4."""

from datetime import date, datetime

import jinja2
from markupsafe import Markup

from assets.reports import charts
from assets.reports.content import Column, Kind, Report, Table
from assets.reports.shown import UNKNOWN, shown, signed, trimmed

MOST_ROWS = {"lines": 300, "cost_centres": 200, "unused": 50, "movements": 200, "walk": 100, "days": 100} | {
    "restatements": 200,
    "adjustments": 200,
}
"""What the page shows of long tables; the workbook holds every row. So the page stays below 3 MB."""

NUMBERS = (Kind.COUNT, Kind.QUANTITY, Kind.MONEY)
CONVENTIONS = {
    "month-end": "the seats at the end of the month",
    "peak": "the seats on the day of the license type's peak",
    "average": "the average of the days that count",
    "seat-days": "each seat by the days that it was held",
}


def page(report: Report, made_at: datetime) -> str:
    """The whole file."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("assets.reports", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"shown": shown, "signed": signed, "trimmed": trimmed}
    environment.globals |= {
        "most": MOST_ROWS,
        "numbers": NUMBERS,
        "Kind": Kind,
        "visible": _visible,
        "several": len(report["organizations"].rows) > 1,
        "conventions": CONVENTIONS,
        "unknown": UNKNOWN,
    }
    organizations = report["organizations"].values("organization_id")
    drawings = {
        "walk": Markup(charts.walk(report)),
        "seats": {one: Markup(charts.seats_over_time(report, one)) for one in organizations},
        "cost": {one: Markup(charts.cost_by_centre(report, one)) for one in organizations},
    }
    by_day = {one: _by_day(report, one) for one in organizations}
    names = {
        row["organization_id"]: row["organization_name"] or row["organization_id"]
        for row in report["organizations"].rows
    }
    return environment.get_template("page.html.jinja").render(
        report=report, charts=drawings, by_day=by_day, names=names, made_at=made_at
    )


def _by_day(report: Report, organization_id: str) -> tuple[list[str], dict[date, dict[str, int]]]:
    """The license types, and for each day that counts the seats of each."""
    days: dict[date, dict[str, int]] = {}
    for row in report["seats_by_day"].rows:
        if row["organization_id"] == organization_id:
            days.setdefault(row["snapshot_date"], {})[row["license_type"]] = row["seats"]
    return sorted({name for seats in days.values() for name in seats}), days


def _visible(table: Table, several: bool) -> list[Column]:
    """Without the organization where there is but one."""
    return [column for column in table.columns if several or column.name != "organization_id"]
