"""How values are written for people: thousands apart, money with its cents, unknown as a dash, never as zero."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from assets.reports.content import Kind

UNKNOWN = "–"


def shown(value: Any, kind: Kind) -> str:
    """A value as the page shows it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, list):
        return ", ".join(shown(one, kind) for one in value) or UNKNOWN
    match kind:
        case Kind.MONEY:
            return money(value)
        case Kind.QUANTITY:
            return trimmed(value, 0)
        case Kind.COUNT:
            return f"{value:,}"
        case Kind.TRUTH:
            return "yes" if value else "no"
        case Kind.INSTANT:
            return f"{value:%Y-%m-%d %H:%M} UTC"
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def money(amount: Decimal) -> str:
    """With cents; further decimals only where there are any."""
    return trimmed(amount, 2)


def trimmed(number: Decimal, decimals: int) -> str:
    """Without the zeros at the end, beyond so many decimals."""
    whole, _, fraction = f"{number:,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


def signed(number: int) -> str:
    """A difference."""
    return f"{number:+,}".replace("-", "−") if number else "±0"
