"""Making a month's report: from the warehouse into one file, whole or not at all."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from assets.finance.reference import reference_hashes
from assets.layout import DataDirectory, whole_file
from assets.reports.content import Report, read_report
from assets.warehouse.publish import publish
from assets.warehouse.reading import opened


class Format(StrEnum):
    HTML = "html"
    XLSX = "xlsx"


def report_file(data: DataDirectory, month: date, form: Format) -> Path:
    """Where a month's report lies, unless another place is named."""
    return data.root / "reports" / f"{month:%Y-%m}" / f"claude-licenses-{month:%Y-%m}.{form.value}"


def refresh(data: DataDirectory, now: datetime) -> bool:
    """Build the warehouse again if a reference file was edited since; says whether that was so.

    Raises:
        BadReference: the edited file cannot be used; the old warehouse stands.
    """
    with opened(data) as warehouse:
        built_with = dict(warehouse.execute("from internal.reference_files").fetchall())
    if built_with == reference_hashes(data):
        return False
    publish(data, data.staging("reference"), now)
    return True


def read(data: DataDirectory, month: date) -> Report:
    """The month as the warehouse tells it.

    Raises:
        LicenseHistoryError: there is no warehouse, or it knows nothing of the month.
    """
    with opened(data) as warehouse:
        return read_report(warehouse, month)


def write(report: Report, form: Format, place: Path, made_at: datetime) -> None:
    """Write the file at `place`, which is replaced only by a whole one."""
    with whole_file(place) as beside:
        if form is Format.HTML:
            from assets.reports.page import page

            beside.write_text(page(report, made_at), encoding="utf-8")
        else:
            from assets.reports.workbook import write_workbook

            write_workbook(report, beside, made_at)
