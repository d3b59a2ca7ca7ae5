"""Making a month's report: from the warehouse into one file, whole or not at all."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from assets.errors import LicenseHistoryError
from assets.files.atomic import because, whole_file
from assets.layout import DataDirectory
from assets.reports.content import Report, read_report
from assets.warehouse.reading import opened


class Format(StrEnum):
    HTML = "html"
    XLSX = "xlsx"


def report_file(data: DataDirectory, month: date, form: Format) -> Path:
    """Where a month's report lies, unless another place is named."""
    return data.root / "reports" / f"{month:%Y-%m}" / f"claude-licenses-{month:%Y-%m}.{form.value}"


def read(data: DataDirectory, month: date) -> Report:
    """The month as the warehouse tells it.

    Raises:
        LicenseHistoryError: there is no warehouse, or it knows nothing of the month.
    """
    with opened(data) as warehouse:
        return read_report(warehouse, month)


def write(report: Report, form: Format, place: Path, made_at: datetime) -> None:
    """Write the file at `place`, which is replaced only by a whole one.

    Raises:
        LicenseHistoryError: it cannot be written there; what was there stays.
    """
    try:
        with whole_file(place) as beside:
            _write(report, form, beside, made_at)
    except OSError as error:
        raise LicenseHistoryError(f"The report could not be written ({because(error)}): no report was made.") from error


def _write(report: Report, form: Format, place: Path, made_at: datetime) -> None:
    if form is Format.HTML:
        from assets.reports.page import page

        place.write_text(page(report, made_at), encoding="utf-8")
    else:
        from assets.reports.workbook import write_workbook

        write_workbook(report, place, made_at)
