"""The Dagster asset of the reports: a month's pages and workbook for finance, as files."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from assets.layout import DataDirectory
from assets.orchestration.names import Names
from assets.orchestration.sentences import told
from assets.orchestration.steps import WAREHOUSE
from assets.reports.content import Report
from assets.reports.make import Format, read, report_file, write
from assets.resources import Installation
from assets.warehouse.publish import refresh
from assets.warehouse.subject import Subjects

REPORT = "finance_report"


def months(first_day: date, now: datetime) -> dg.MonthlyPartitionsDefinition:
    """One partition per calendar month that is over, UTC, by the pipeline's clock or the machine's."""
    today = datetime.now(UTC)
    ahead = max(12 * (now.year - today.year) + now.month - today.month, 0)
    return dg.MonthlyPartitionsDefinition(
        start_date=first_day.replace(day=1).isoformat(), timezone="UTC", end_offset=ahead
    )


def report_assets(subjects: Subjects, first_day: date, now: datetime, names: Names) -> list[dg.AssetsDefinition]:
    """The assets of this folder."""

    @dg.asset(
        key=names.key(REPORT),
        deps=[names.key(WAREHOUSE)],
        partitions_def=months(first_day, now),
        kinds={"html", "excel"},
        required_resource_keys={names.resource},
        **names.attributes,
    )
    def finance_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        """Seats and their cost in a month, for finance: a page and a workbook, as licenses report makes them."""
        month = date.fromisoformat(context.partition_key)
        given = Installation.given_to(context, names)
        data, clock = given.data, given.clock
        with told():
            refresh(subjects, data, clock.now())
            report = read(data, month)
            made = _write_both(data, report, clock.now())
        return dg.MaterializeResult(metadata=made | _facts(report))

    return [finance_report]


def _write_both(tree: DataDirectory, report: Report, now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for form in Format:
        place = report_file(tree, report.month, form)
        write(report, form, place, now)
        found[form.value] = dg.MetadataValue.path(str(place))
    found["open_in_browser"] = dg.MetadataValue.url(report_file(tree, report.month, Format.HTML).as_uri())
    return found


def _facts(report: Report) -> dict[str, Any]:
    total = report["walk_total"].rows[0]
    costs = ", ".join(f"{row['cost']} {row['currency']}" for row in report["totals"].rows)
    return {
        "seats_month_end": dg.MetadataValue.int(total["seats_month_end"]),
        "cost": dg.MetadataValue.text(costs or "no prices"),
        "is_final": dg.MetadataValue.bool(report.is_final),
        "is_closed": dg.MetadataValue.bool(report.is_closed),
    }
