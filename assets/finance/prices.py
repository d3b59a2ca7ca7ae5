"""What a seat costs, and how an organization is billed: prices.csv, billing.csv and exchange_rates.csv."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from assets.reference import Line, Span, read_lines, refuse_overlaps

PRICES = "prices.csv"
BILLING = "billing.csv"
RATES = "exchange_rates.csv"
ALL = "all"
"""Stands for every organization that has no line of its own."""

PRICE_COLUMNS = ("license_type", "organization", "valid_from", "valid_to", "amount", "currency")
BILLING_COLUMNS = ("organization", "convention", "currency")
INVITES_TAKE_SEATS = "invites_take_seats"
RATE_COLUMNS = ("from_currency", "to_currency", "valid_from", "valid_to", "rate")


class Convention(StrEnum):
    """Which seats of a month are billed."""

    MONTH_END = "month-end"
    PEAK = "peak"
    AVERAGE = "average"
    SEAT_DAYS = "seat-days"


@dataclass(frozen=True)
class Price:
    """Per seat and month; `organization` None is all."""

    line: Line
    license_type: str
    organization: str | None
    span: Span
    amount: Decimal
    currency: str


@dataclass(frozen=True)
class Billing:
    """`currency` None: the one that all prices of the organization have; `invites_take_seats` None: as for all."""

    line: Line
    organization: str | None
    convention: Convention
    currency: str | None
    invites_take_seats: bool | None


@dataclass(frozen=True)
class Rate:
    """One unit of `from_currency` is `rate` units of `to_currency`."""

    line: Line
    from_currency: str
    to_currency: str
    span: Span
    rate: Decimal


def read_prices(path: Path, license_types: Iterable[str]) -> list[Price]:
    """Raises BadReference: an unknown type, an overlap, a cell that cannot be meant."""
    known = set(license_types)
    prices = [_price(line, known) for line in read_lines(path, PRICE_COLUMNS)]
    groups: dict[tuple[str, str | None], list[Price]] = defaultdict(list)
    for price in prices:
        groups[price.license_type, price.organization].append(price)
    for (license_type, organization), same in groups.items():
        refuse_overlaps(f"the price of {license_type} for {organization or 'all organizations'}", same)
    return prices


def _price(line: Line, known: set[str]) -> Price:
    license_type = line.text("license_type")
    if license_type not in known:
        raise line.refused(
            f"there is no license type {license_type}; license_types.csv knows {', '.join(sorted(known))}."
        )
    return Price(
        line,
        license_type,
        _organization(line),
        line.span(),
        line.number_of("amount", 4),
        line.currency("currency"),
    )


def _organization(line: Line) -> str | None:
    cell = line.text("organization")
    return None if cell == ALL else cell


def read_billing(path: Path) -> list[Billing]:
    """Raises BadReference: an organization twice, a convention that does not exist, a word that is no truth."""
    seen: dict[str | None, Billing] = {}
    for line in read_lines(path, BILLING_COLUMNS, (INVITES_TAKE_SEATS,)):
        organization = _organization(line)
        if organization in seen:
            first = seen[organization].line.number
            raise line.refused(f"{organization or 'all'} stands in line {first} already.")
        word = line.cells["convention"] or Convention.MONTH_END
        if word not in list(Convention):
            raise line.refused(f"convention must be one of {', '.join(Convention)}, not {word}.")
        currency = line.currency("currency") if line.cells["currency"] else None
        invites = line.truth(INVITES_TAKE_SEATS) if line.cells[INVITES_TAKE_SEATS] else None
        seen[organization] = Billing(line, organization, Convention(word), currency, invites)
    return list(seen.values())


def read_rates(path: Path) -> list[Rate]:
    """Raises BadReference: an overlap, a rate that is none."""
    rates = [_rate(line) for line in read_lines(path, RATE_COLUMNS)]
    groups: dict[tuple[str, str], list[Rate]] = defaultdict(list)
    for rate in rates:
        groups[rate.from_currency, rate.to_currency].append(rate)
    for (source, target), same in groups.items():
        refuse_overlaps(f"the rate from {source} to {target}", same)
    return rates


def _rate(line: Line) -> Rate:
    source, target, rate = line.currency("from_currency"), line.currency("to_currency"), line.number_of("rate", 6)
    if source == target or rate == 0:
        raise line.refused("a rate leads from one currency to another, and is more than zero.")
    return Rate(line, source, target, line.span(), rate)


def refuse_mixed_currencies(prices: list[Price], billing: list[Billing], rates: list[Rate]) -> None:
    """Where an organization's prices have several currencies, each needs a rate into the one that it is billed in.

    Raises:
        BadReference: there is none, or none for a time in which the price holds.
    """
    billed = {one.organization: one.currency for one in billing}
    own = {price.organization for price in prices} | set(billed)
    for organization in sorted(own, key=lambda name: name or ""):
        applicable = [price for price in prices if price.organization in (None, organization)]
        target = billed.get(organization) or billed.get(None)
        for price in applicable:
            _refuse_without_rate(price, applicable[0], target, organization or "all organizations", rates)


def _refuse_without_rate(price: Price, first: Price, target: str | None, organization: str, rates: list[Rate]) -> None:
    if price.currency == (target or first.currency):
        return
    if target is None:
        raise price.line.refused(
            f"two currencies for {organization}: {price.currency} here, {first.currency} in line {first.line.number}. "
            f"Say in {BILLING} which one it is billed in, and the rates in {RATES}."
        )
    day = price.span.start
    for rate in sorted(rates, key=lambda one: one.span.start):
        if (rate.from_currency, rate.to_currency) == (price.currency, target) and rate.span.start <= day:
            day = max(day, rate.span.end)
    if day < price.span.end:
        since = price.span.valid_from if day == price.span.start else day
        when = f"on {since}" if since else "for all days"
        raise price.line.refused(
            f"the price is in {price.currency}, but {organization} is billed in {target}, and {RATES} has no rate "
            f"from {price.currency} to {target} {when}."
        )
