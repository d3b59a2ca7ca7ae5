"""The report as a workbook: one sheet a table, real numbers, dates and currencies, one that explains columns."""

from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from assets.reports.content import Column, Kind, Report, Table
from assets.reports.shown import shown

MOST_ROWS = 1_048_000
"""Excel has room for 1,048,576."""

NUMBERS = {
    Kind.COUNT: "#,##0",
    Kind.QUANTITY: "#,##0.####",
    Kind.DAY: "yyyy-mm-dd",
    Kind.INSTANT: "yyyy-mm-dd hh:mm",
}
WIDTHS = {Kind.TEXT: 22, Kind.INSTANT: 17}


def write_workbook(report: Report, place: Path, made_at: datetime) -> None:
    """Write the file; text is always written as text, so that none of it becomes a formula."""
    options = {
        "constant_memory": False,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(str(place), options) as book:
        book.set_properties(
            {"title": f"Claude licenses, {report.month:%Y-%m}", "created": made_at.replace(tzinfo=None)}
        )
        writer = _Writer(book)
        for table in report.tables.values():
            if table.rows:
                writer.sheet(table)
        _explain(writer, report)


class _Writer:
    """A workbook and the formats that have been made for it."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self.head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        self.formats: dict[str, Format] = {}

    def format(self, number: str) -> Format:
        if number not in self.formats:
            self.formats[number] = self.book.add_format({"num_format": number})
        return self.formats[number]

    def sheet(self, table: Table) -> None:
        sheet = self.book.add_worksheet(table.title)
        self._head(sheet, [column.title for column in table.columns])
        rows = table.rows[:MOST_ROWS]
        for number, column in enumerate(table.columns):
            sheet.set_column(number, number, WIDTHS.get(column.kind, max(11, len(column.title) * 0.8)))
        for line, row in enumerate(rows, start=1):
            for number, column in enumerate(table.columns):
                self._cell(sheet, line, number, column, row)
        sheet.autofilter(0, 0, len(rows), len(table.columns) - 1)

    def explanation(self, rows: list[tuple[str, str, str]]) -> None:
        sheet = self.book.add_worksheet("Columns")
        self._head(sheet, ["Sheet", "Column", "What it means"])
        for width, number in ((20, 0), (24, 1), (120, 2)):
            sheet.set_column(number, number, width)
        for line, cells in enumerate(rows, start=1):
            for number, text in enumerate(cells):
                sheet.write_string(line, number, text)
        sheet.autofilter(0, 0, len(rows), 2)

    def _head(self, sheet: Worksheet, titles: list[str]) -> None:
        sheet.freeze_panes(1, 0)
        for number, title in enumerate(titles):
            sheet.write_string(0, number, title, self.head)

    def _cell(self, sheet: Worksheet, line: int, number: int, column: Column, row: dict[str, Any]) -> None:
        value = row[column.name]
        if value is None:
            return
        if column.kind is Kind.MONEY:
            decimals = "#,##0.00########" if column.name == "price" else "#,##0.00"
            sheet.write_number(line, number, value, self.format(_money(decimals, row.get("currency"))))
        elif column.kind in (Kind.COUNT, Kind.QUANTITY):
            sheet.write_number(line, number, value, self.format(NUMBERS[column.kind]))
        elif column.kind in (Kind.DAY, Kind.INSTANT) and not isinstance(value, list):
            sheet.write_datetime(line, number, value, self.format(NUMBERS[column.kind]))
        elif column.kind is Kind.TRUTH:
            sheet.write_boolean(line, number, value)
        else:
            sheet.write_string(line, number, shown(value, column.kind))


def _money(decimals: str, currency: str | None) -> str:
    return f'{decimals} "{currency}"' if currency else decimals


def _explain(writer: _Writer, report: Report) -> None:
    rows = []
    for table in report.tables.values():
        if table.rows:
            rows.append((table.title, "", table.answers))
            rows += [(table.title, column.title, column.explanation) for column in table.columns]
    writer.explanation(rows)
