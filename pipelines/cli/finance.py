"""`licenses close`, `reopen` and `report`: a month as finance signs it, and what it looks at."""

import getpass
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from assets.errors import LicenseHistoryError, WrongUse
from assets.files.atomic import whole_file
from assets.files.preflight import require_room
from assets.layout import DataDirectory
from assets.spans import days_between
from pipelines import settings as settings_module
from pipelines.cli.warehouse import BUILT_AGAIN

out = Console(highlight=False, soft_wrap=True)
SAMPLES = Path(__file__).parents[2] / "sandbox" / "reference"


def close(month: str, *, acknowledged: Iterable[str], by: str | None) -> None:
    """Freeze a month as signed, and say what was signed."""
    from assets.finance.closing import close_month
    from assets.finance.month import month_of
    from pipelines.subjects import SUBJECTS

    settings = settings_module.load()
    require_room(settings.data)
    gaps = [day for text in acknowledged for day in _days(text)]
    first = month_of(month)
    entry = close_month(SUBJECTS, settings.data, first, by=by or _me(), now=settings.now, acknowledged=gaps)
    out.print(f"{month} is closed, signed by {entry.recorded_by}: {_figures(settings.data, first)}.", markup=False)
    out.print(f"Computed from {len(entry.inputs):,} files, together {entry.inputs_sha256}.", markup=False)
    out.print(
        f"What comes to light later: from finance_restatements. Log: {settings.data.root / 'finance' / 'log'}",
        markup=False,
    )


def reopen(month: str, *, reason: str, by: str | None) -> None:
    """Let a closed month follow the history again."""
    from assets.finance.closing import reopen_month
    from assets.finance.month import month_of
    from pipelines.subjects import SUBJECTS

    settings = settings_module.load()
    require_room(settings.data)
    entry = reopen_month(SUBJECTS, settings.data, month_of(month), by=by or _me(), now=settings.now, reason=reason)
    out.print(f"{month} is open again, by {entry.recorded_by}: {entry.reason}", markup=False)


def report(month: str, *, form: str, output: Path | None) -> Path:
    """Make a month's report; returns and prints where it lies."""
    from assets.finance.month import month_of
    from assets.reports.make import Format, read, report_file, write
    from assets.warehouse.publish import refresh
    from pipelines.subjects import SUBJECTS

    settings = settings_module.load()
    first = month_of(month)
    if refresh(SUBJECTS, settings.data, settings.now):
        out.print(BUILT_AGAIN)
    found = read(settings.data, first)
    place = output or report_file(settings.data, first, Format(form))
    write(found, Format(form), place, settings.now)
    out.print(str(place), markup=False)
    return place


def sandbox_reference(data: DataDirectory) -> None:
    """Put example prices and cost centres into the sandbox's own directory, where it has none."""
    for sample in sorted(SAMPLES.glob("*.csv")):
        place = data.root / "reference" / sample.name
        if not place.exists():
            with whole_file(place) as beside:
                beside.write_bytes(sample.read_bytes())


def sandbox_report(data: DataDirectory, day: date) -> Path:
    """The report, for `make run`: of the month that ended before `day`, or else of its own; returns the page's path."""
    from assets.finance.month import month_before
    from assets.reports.make import Format, read, report_file, write
    from assets.warehouse.publish import refresh
    from pipelines.subjects import SUBJECTS

    refresh(SUBJECTS, data, datetime.now(UTC))
    try:
        found = read(data, month_before(day))
    except LicenseHistoryError:
        found = read(data, day.replace(day=1))
    for form in Format:
        write(found, form, report_file(data, found.month, form), datetime.now(UTC))
    return report_file(data, found.month, Format.HTML)


def _days(text: str) -> list[date]:
    """One day, or all from one to another: 2026-10-05 or 2026-10-05..2026-10-07."""
    try:
        first, _, last = text.partition("..")
        start, end = date.fromisoformat(first), date.fromisoformat(last or first)
    except ValueError:
        raise WrongUse(
            f"--acknowledge-gap wants a day such as 2026-10-05, or 2026-10-05..2026-10-07, not {text}."
        ) from None
    return days_between(start, end)


def _figures(data: DataDirectory, month: date) -> str:
    from assets.reports.make import read

    found = read(data, month)
    seats = found["walk_total"].rows[0]["seats_month_end"]
    costs = [f"{row['cost_to_book']:,} {row['currency']}" for row in found["totals"].rows]
    return f"{seats:,} seats" + (f", {' and '.join(costs)}" if costs else ", no prices")


def _me() -> str:
    """Who is at the keyboard.

    Raises:
        WrongUse: the system does not know.
    """
    if name := os.environ.get("USER"):
        return name
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    raise WrongUse("who signs? Say it with --by.")
