"""The page in a real browser: drawn, quiet, alone, and equal to SQL."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.finance.worlds import NOVEMBER, Finance
from tests.reports.browser import CHROMIUM, Page, browser

pytestmark = pytest.mark.slow

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
CELLS = """Object.fromEntries([...document.querySelectorAll('table[data-table]')].map(table => [table.dataset.table,
    [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent))]))"""

FOOT = "[...document.querySelector('table[data-table={}]').tFoot.rows[0].cells].map(cell => cell.textContent)"


@pytest.fixture(scope="module")
def file(month: Finance) -> Path:
    finished = month("report", "--month", "2026-11")
    assert finished.status == 0, finished.err
    return Path(finished.out.strip())


@pytest.fixture(scope="module")
def opened(file: Path) -> Iterator[Page]:
    with browser() as page:
        page.open(file)
        yield page


@needs_browser
def test_nothing_is_asked_of_any_network_and_nothing_is_complained_about(opened: Page, file: Path):
    asked = {event["request"]["url"] for event in opened.told("Network.requestWillBeSent")}
    assert {url for url in asked if not url.startswith("data:")} == {file.as_uri()}
    assert opened.told("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded") == []
    assert opened.value("document.scripts.length") == 0


@needs_browser
def test_the_charts_are_drawn_and_named_for_those_who_cannot_see_them(opened: Page):
    charts = opened.value(
        """[...document.querySelectorAll('figure svg[role=img]')].map(svg => [svg.getAttribute('aria-label'),
        [...svg.querySelectorAll('path, line, rect')].filter(one => one.getBoundingClientRect().width > 0).length,
        svg.getBoundingClientRect().width])"""
    )
    assert [label.split(" ")[0] for label, _, _ in charts] == ["Seats", "The", "Cost"]
    assert all(marks > 8 and width > 400 for _, marks, width in charts)
    assert opened.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@needs_browser
def test_light_and_dark_are_both_readable(opened: Page):
    shades = {}
    for scheme in ("light", "dark"):
        opened.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        shades[scheme] = opened.value(
            """[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
            getComputedStyle(document.querySelector('figure svg text')).fill]"""
        )
    assert shades["light"] == ["rgb(255, 255, 255)", "rgb(28, 28, 26)", "rgb(28, 28, 26)"]
    assert shades["dark"] == ["rgb(26, 26, 24)", "rgb(236, 235, 230)", "rgb(236, 235, 230)"]


@needs_browser
def test_the_figures_on_the_page_are_those_of_sql(opened: Page, month: Finance):
    cells = opened.value(CELLS)
    (cost, seats) = month.row(
        "select sum(cost), sum(seats_month_end)::int from finance_statement where month = ?", NOVEMBER
    )
    figure = "document.querySelector('[data-figure={}]').textContent"
    assert opened.value(figure.format("seats_month_end")) == f"{seats:,}"
    assert opened.value(figure.format("cost")) == f"{cost:,} USD"
    walk = month.ask(
        """select license_type, sum(seats_before)::int, sum(joiners)::int, sum(leavers)::int, sum(changed_in)::int,
        sum(changed_out)::int, sum(restated)::int, sum(seats_month_end)::int, sum(invite_joiners)::int,
        sum(invite_leavers)::int, sum(invites_accepted)::int, sum(invites_month_end)::int
        from finance_statement where month = ? group by 1 order by 1""",
        NOVEMBER,
    )
    assert cells["walk"] == [[str(value) for value in row] for row in walk]
    assert any(int(invites) for *_, invites in cells["walk"])
    people, invitations = cells["kinds"]
    total = [sum(int(cell) for cell in cells) for cells in zip(people[1:], invitations[1:], strict=True)]
    assert [str(figure) for figure in total] == opened.value(FOOT.format("kinds"))[1:]
    assert total[-1] == seats
    assert opened.value(figure.format("kinds")) == f"People {people[-1]} · Invitations {invitations[-1]}"
    lines = month.ask(
        """select cost_centre, license_type, cost from finance_statement where month = ? and seats_peak > 0
        order by cost desc, seats_month_end desc, cost_centre, license_type""",
        NOVEMBER,
    )
    shown = {(row[0], row[1]): row[6] for row in cells["lines_cost"]}
    assert shown == {(centre, kind): f"{cost:,}" for centre, kind, cost in lines}
    assert sum(Decimal(row[5].replace(",", "")) for row in cells["cost_centres"]) == cost
    assert len(cells["seats_by_day"]) == 29


def test_gaps_adjustments_and_names_stand_where_they_belong(file: Path):
    text = file.read_text()
    assert "2026-11-05" in text
    assert "no snapshot" in text
    assert "Adjustments of closed months" in text
    assert "29 of 30 days known (observed 29)" in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script" not in text
    assert len(text) < 500_000


def test_a_closed_month_is_shown_as_signed_and_says_what_is_known_since(month: Finance):
    text = Path(month("report", "--month", "2026-10").out.strip()).read_text()
    assert "<strong>Closed</strong> on 2026-12-24 by ada" in text
    assert "Known otherwise since" in text
