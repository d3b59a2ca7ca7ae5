"""A calendar month as people write it: 2026-10."""

import re
from calendar import monthrange
from datetime import date

from assets.errors import WrongUse


def month_of(text: str) -> date:
    """The month's first day.

    Raises:
        WrongUse: it is no month.
    """
    try:
        if not re.fullmatch(r"\d{4}-\d{2}", text):
            raise ValueError(text)
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        raise WrongUse(f"{text} is no month: write it as 2026-10.") from None


def last_day(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


def month_before(day: date) -> date:
    """The month that has ended when `day` begins."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
