"""What a seat costs, and how an organization is billed: prices.csv, billing.csv and exchange_rates.csv."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from assets.reference import Cell, Currency, Dated, Row, decimals, read_rows, refuse_overlaps

PRICES = "prices.csv"
BILLING = "billing.csv"
RATES = "exchange_rates.csv"

Organization = Annotated[str | None, Cell(header="organization", words={"all": None})]
"""Its id; None is every organization that has no line of its own."""


class Convention(StrEnum):
    """Which seats of a month are billed."""

    MONTH_END = "month-end"
    PEAK = "peak"
    AVERAGE = "average"
    SEAT_DAYS = "seat-days"


_CONVENTION = Cell(f"one of {', '.join(Convention)}", Convention, words={"": Convention.MONTH_END})


@dataclass(frozen=True)
class Price(Dated):
    """Per seat and month."""

    license_type: str
    organization_id: Organization
    valid_from: date | None
    valid_to: date | None
    amount: Annotated[Decimal, decimals(4)]
    currency: Currency


@dataclass(frozen=True)
class Billing(Row):
    """`currency` None: the one that all prices of the organization have; `invites_take_seats` None: as for all."""

    organization_id: Organization
    convention: Annotated[Convention, _CONVENTION]
    currency: Currency | None
    invites_take_seats: bool | None = None


@dataclass(frozen=True)
class Rate(Dated):
    """One unit of `from_currency` is `rate` units of `to_currency`."""

    from_currency: Currency
    to_currency: Currency
    valid_from: date | None
    valid_to: date | None
    rate: Annotated[Decimal, decimals(6)]


def read_prices(path: Path, license_types: Iterable[str]) -> list[Price]:
    """Raises BadReference: an unknown type, an overlap, a cell that cannot be meant."""
    known = set(license_types)
    prices = read_rows(path, Price)
    for price in prices:
        if price.license_type not in known:
            raise price.line.refused(
                f"there is no license type {price.license_type}; license_types.csv knows {', '.join(sorted(known))}."
            )
    refuse_overlaps(prices, lambda one: f"the price of {one.license_type} for {_named(one.organization_id)}")
    return prices


def _named(organization: str | None) -> str:
    return organization or "all organizations"


def read_billing(path: Path) -> list[Billing]:
    """Raises BadReference: an organization twice, a convention that does not exist, a word that is no truth."""
    seen: dict[str | None, Billing] = {}
    for one in read_rows(path, Billing):
        first = seen.setdefault(one.organization_id, one)
        if first is not one:
            raise one.line.refused(f"{one.organization_id or 'all'} stands in line {first.line.number} already.")
    return list(seen.values())


def read_rates(path: Path) -> list[Rate]:
    """Raises BadReference: an overlap, a rate that is none."""
    rates = read_rows(path, Rate)
    for one in rates:
        if one.from_currency == one.to_currency or one.rate == 0:
            raise one.line.refused("a rate leads from one currency to another, and is more than zero.")
    refuse_overlaps(rates, lambda one: f"the rate from {one.from_currency} to {one.to_currency}")
    return rates


def refuse_mixed_currencies(prices: list[Price], billing: list[Billing], rates: list[Rate]) -> None:
    """Where an organization's prices have several currencies, each needs a rate into the one that it is billed in.

    Raises:
        BadReference: there is none, or none for a time in which the price holds.
    """
    billed = {one.organization_id: one.currency for one in billing}
    own = {price.organization_id for price in prices} | set(billed)
    for organization in sorted(own, key=lambda name: name or ""):
        applicable = [price for price in prices if price.organization_id in (None, organization)]
        target = billed.get(organization) or billed.get(None)
        for price in applicable:
            _refuse_without_rate(price, applicable[0], target, _named(organization), rates)


def _refuse_without_rate(price: Price, first: Price, target: str | None, organization: str, rates: list[Rate]) -> None:
    if price.currency == (target or first.currency):
        return
    if target is None:
        raise price.line.refused(
            f"two currencies for {organization}: {price.currency} here, {first.currency} in line {first.line.number}. "
            f"Say in {BILLING} which one it is billed in, and the rates in {RATES}."
        )
    day = price.start
    for rate in sorted(rates, key=lambda one: one.start):
        if (rate.from_currency, rate.to_currency) == (price.currency, target) and rate.start <= day:
            day = max(day, rate.end)
    if day < price.end:
        since = price.valid_from if day == price.start else day
        when = f"on {since}" if since else "for all days"
        raise price.line.refused(
            f"the price is in {price.currency}, but {organization} is billed in {target}, and {RATES} has no rate "
            f"from {price.currency} to {target} {when}."
        )
