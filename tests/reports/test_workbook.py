"""The workbook, read by another library: the figures of SQL, as numbers, dates and plain text."""

from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.finance.worlds import NOVEMBER, Finance
from tests.reports.conftest import FORMULAS


@pytest.fixture(scope="module")
def book(month: Finance, tmp_path_factory: pytest.TempPathFactory) -> Any:
    place = tmp_path_factory.mktemp("book") / "november.xlsx"
    finished = month("report", "--month", "2026-11", "--format", "xlsx", "--output", str(place))
    assert (finished.status, finished.out.strip()) == (0, str(place))
    return openpyxl.load_workbook(place)


def _rows(sheet: Any) -> list[dict[str, Any]]:
    titles, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(titles, row, strict=True)) for row in rows]


def test_every_line_is_what_sql_says(book: Any, month: Finance):
    written = {
        (row["Cost centre"], row["License type"]): (
            row["Seats month end"],
            row["Billed seats"],
            row["Price"],
            row["Cost"],
            row["Invites month end"],
            row["Invite joiners"],
        )
        for row in _rows(book["Lines"])
    }
    query = """select cost_centre, license_type, seats_month_end, billed_seats, price, cost, invites_month_end,
        invite_joiners from finance_statement where month = ?"""
    wanted = {row[:2]: tuple(float(value) for value in row[2:]) for row in month.ask(query, NOVEMBER)}
    assert {key: wanted[key] for key in written} == written
    costs, invites, joiners = (sum(row[place] for row in wanted.values()) for place in (3, 4, 5))
    assert sum(row[3] for row in written.values()) == pytest.approx(costs)
    assert (invites, joiners) == tuple(sum(row[place] for row in written.values()) for place in (4, 5))
    assert 0 not in (invites, joiners)


def test_dates_are_dates_and_money_has_its_currency(book: Any):
    cells = {cell.value: column for column, cell in enumerate(book["Lines"][1])}
    first = book["Lines"][2]
    assert isinstance(first[cells["Peak date"]].value, datetime)
    assert first[cells["Peak date"]].number_format == "yyyy-mm-dd"
    assert first[cells["Cost"]].number_format == '#,##0.00 "USD"'
    assert isinstance(first[cells["Seats month end"]].value, int)


def test_no_text_ever_becomes_a_formula(book: Any):
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    names = {row["Name"] for row in _rows(book["Unused"])} | {row["Name"] for row in _rows(book["Joiners and leavers"])}
    assert names & set(FORMULAS)
    assert "=cmd" in {row["Cost centre"] for row in _rows(book["Lines"])}


def test_each_sheet_has_filters_and_a_frozen_head_and_each_column_is_explained(book: Any):
    explained = {(row["Sheet"], row["Column"]): row["What it means"] for row in _rows(book["Columns"])}
    for sheet in book:
        assert sheet.freeze_panes == "A2", sheet.title
        assert sheet.auto_filter.ref, sheet.title
        if sheet.title != "Columns":
            assert [cell.value for cell in sheet[1] if not explained[sheet.title, cell.value]] == [], sheet.title


def test_each_sheet_says_what_it_answers_and_not_what_it_was_made_from(book: Any):
    answers = {row["Sheet"]: row["What it means"] for row in _rows(book["Columns"]) if not row["Column"]}
    assert all(answers[sheet.title] for sheet in book if sheet.title != "Columns")
    assert [told for told in answers.values() if "reads:" in told] == []


def test_a_report_replaces_the_one_before_only_as_a_whole(month: Finance, tmp_path: Path):
    place = tmp_path / "report.html"
    place.write_text("before")
    assert month("report", "--month", "2027-01", "--output", str(place)).status == 1
    assert place.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
