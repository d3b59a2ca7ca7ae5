"""The rules of time: which day may be observed when, and where a day ends.

All days are UTC. The snapshot of day D is the closing state of D, as of D+1 00:00 UTC.
Nothing else in the project decides whether a day may be written (docs/design.md, Time).
"""

from datetime import UTC, date, datetime, time, timedelta

from assets.errors import ImpossibleDay

FIRST_DAY = date(2024, 1, 1)
"""The first day that the warehouse knows, unless LICENSES_FIRST_DAY says otherwise."""

LOOK_BACK_DAYS = 90
"""How far the first run looks back for usage."""

TRAILING_DAYS = 4
"""Usage arrives late, so each night asks for the last days again (docs/design.md, Time)."""

DUE = timedelta(hours=6)
"""After midnight UTC: the night begins at 02:00, and four hours are all that its asking may take."""


def end_of(day: date) -> datetime:
    """The instant at which `day` is over: the next midnight, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def yesterday(now: datetime) -> date:
    """The last day that is over at `now`."""
    return now.astimezone(UTC).date() - timedelta(days=1)


def is_final(day: date, observed_at: datetime) -> bool:
    """Whether an observation at `observed_at` sees the closing state of `day`."""
    return observed_at >= end_of(day)


def require_observable(day: date, now: datetime, first_day: date = FIRST_DAY) -> None:
    """Refuse a day whose state cannot be observed at `now`: only yesterday and today can.

    Raises:
        ImpossibleDay: today's roster must never stand under another date.
    """
    require_not_future(day, now)
    today = now.astimezone(UTC).date()
    if day < first_day:
        raise ImpossibleDay(
            f"{day} lies before {first_day}, the first day of this warehouse (LICENSES_FIRST_DAY). Nothing was written."
        )
    if day < today - timedelta(days=1):
        raise ImpossibleDay(
            f"{day} is over for too long: the API tells only today's state, so on {today} UTC it can be written for "
            f"{yesterday(now)} or, as provisional, for {today}, never for an older day. Nothing was written; {day} "
            "stays a gap until another source fills it."
        )


def require_over(day: date, now: datetime, first_day: date = FIRST_DAY) -> None:
    """Refuse a day of which nobody can have kept the closing state.

    Raises:
        ImpossibleDay: it is not over yet, or lies before the warehouse's first day.
    """
    if day > yesterday(now):
        raise ImpossibleDay(
            f"{day} is not over yet (it is {now.astimezone(UTC):%Y-%m-%d %H:%M} UTC), so no file can hold its closing "
            "state. Nothing was written."
        )
    if day < first_day:
        raise ImpossibleDay(
            f"{day} lies before {first_day}, the first day of this warehouse (LICENSES_FIRST_DAY). Nothing was written."
        )


def require_not_future(day: date, now: datetime) -> None:
    """Refuse a day that has not begun at `now`.

    Raises:
        ImpossibleDay: nobody knows it yet.
    """
    today = now.astimezone(UTC).date()
    if day > today:
        raise ImpossibleDay(
            f"{day} lies in the future (it is {today} UTC): a day can be observed on the day itself, as provisional, "
            "or on the day after. Ask for it again then."
        )


def usage_window(day: date, covered_to: date | None) -> tuple[date, date]:
    """The first and last usage day to fetch for the snapshot of `day`.

    `covered_to` is the last day that the source's data have reached, None before they first did: a source that stands
    still is asked again from there, until it has caught up.
    """
    if covered_to is None:
        return day - timedelta(days=LOOK_BACK_DAYS - 1), day
    return min(day - timedelta(days=TRAILING_DAYS - 1), covered_to + timedelta(days=1)), day
