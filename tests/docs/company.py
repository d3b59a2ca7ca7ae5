"""The sandbox company's nights that the cookbook tells of: the same people, days and clocks each time it is played."""

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

import sandbox
from sandbox import Clock, Organization, create_app, serving
from tests.commandline import Finished, Operator

FIRST, OBSERVED = date(2026, 2, 22), date(2026, 4, 10)
"""Days from the first to the day before the observed one are reconstructed from the Activity Feed."""

NIGHTS = (date(2026, 4, 11), date(2026, 4, 13), date(2026, 4, 14))
"""The nights after the first one; nobody took that of 12 April."""

KEPT_BEFORE, KEPT_LATER = date(2026, 2, 9), date(2026, 3, 12)
"""Days of which somebody kept a member export, made three days too early; the feed knows the second one better."""


def play(folder: Path, home: Path) -> Operator:
    """Take every night, and return whoever did; the sandbox is gone afterwards, the data stays."""
    organization = Organization()
    clock = Clock(datetime(2026, 4, 11, 2, tzinfo=UTC))
    with serving(create_app(organization, clock=clock.now)) as url, _without_waiting_for_the_disk():
        operator = Operator(folder, url, clock, home=home)
        shutil.copytree(Path(sandbox.__file__).parent / "reference", operator.data / "reference")
        _done(operator.night(OBSERVED))
        _import(operator, 9, organization, KEPT_LATER)
        span = ("--from", str(FIRST), "--to", str(OBSERVED - timedelta(days=1)))
        _at(operator, 12, "backfill", *span, "--reason", "the Activity Feed knows better")
        _import(operator, 15, organization, KEPT_BEFORE)
        for day in NIGHTS:
            _done(operator.night(day))
    return operator


@contextmanager
def _without_waiting_for_the_disk() -> Iterator[None]:
    """Nobody waits for it to have Dagster's events."""

    def unsynced(connection: Any, _record: object) -> None:
        connection.execute("pragma synchronous = off")

    event.listen(Engine, "connect", unsynced)
    try:
        yield
    finally:
        event.remove(Engine, "connect", unsynced)


def _at(operator: Operator, hour: int, *words: str) -> None:
    now = datetime.combine(OBSERVED + timedelta(days=1), time(hour), UTC)
    _done(operator(*words, LICENSES_NOW=now.isoformat()))


def _done(finished: Finished) -> None:
    assert finished.status == 0, finished.err


def _import(operator: Operator, hour: int, organization: Organization, day: date) -> None:
    place = operator.folder / f"members-{day}.csv"
    with place.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["Name", "Email", "Role", "Added"])
        for member in organization.truth(day - timedelta(days=3)).members:
            rows.writerow([member.name, member.email, member.role, member.added_at.isoformat()])
    _at(operator, hour, "import", str(place), "--day", str(day), "--yes", "--reason", "a kept member export")
