"""The files that finance edits, read together and as tables for the warehouse."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

import pyarrow as pa

from assets.finance.cost_centres import COST_CENTRES, Rule, read_cost_centres
from assets.finance.prices import (
    BILLING,
    PRICES,
    RATES,
    Billing,
    Price,
    Rate,
    read_billing,
    read_prices,
    read_rates,
    refuse_mixed_currencies,
)
from assets.layout import DataDirectory
from assets.reference import Span
from assets.snapshots.license_types import API_KEY_LICENSE, LICENSE_TYPES

FILES = (LICENSE_TYPES, PRICES, COST_CENTRES, BILLING, RATES)
_SPAN = [("valid_from", pa.date32()), ("valid_to", pa.date32())]
_PRICES = pa.schema(
    [
        ("license_type", pa.string()),
        ("organization_id", pa.string()),
        *_SPAN,
        ("amount", pa.decimal128(18, 4)),
        ("currency", pa.string()),
    ]
)
_RULES = pa.schema([("match", pa.string()), ("holder", pa.string()), ("cost_centre", pa.string()), *_SPAN])
_BILLING = pa.schema(
    [
        ("organization_id", pa.string()),
        ("convention", pa.string()),
        ("currency", pa.string()),
        ("invites_take_seats", pa.bool_()),
    ]
)
_RATES = pa.schema(
    [("from_currency", pa.string()), ("to_currency", pa.string()), *_SPAN, ("rate", pa.decimal128(18, 6))]
)
_FILES = pa.schema([("name", pa.string()), ("sha256", pa.string())])


@dataclass(frozen=True)
class FinanceReference:
    """What the four files say."""

    prices: list[Price]
    rules: list[Rule]
    billing: list[Billing]
    rates: list[Rate]

    def tables(self) -> dict[str, pa.Table]:
        """By the names under which the warehouse reads them."""
        return {
            "prices": _table(
                _PRICES, ((p.license_type, p.organization, *_days(p.span), p.amount, p.currency) for p in self.prices)
            ),
            "cost_centre_rules": _table(
                _RULES, ((r.match.value, r.holder, r.cost_centre, *_days(r.span)) for r in self.rules)
            ),
            "billing": _table(
                _BILLING,
                ((b.organization, b.convention.value, b.currency, b.invites_take_seats) for b in self.billing),
            ),
            "exchange_rates": _table(
                _RATES, ((r.from_currency, r.to_currency, *_days(r.span), r.rate) for r in self.rates)
            ),
        }


def finance_reference(data: DataDirectory, license_types: Iterable[str]) -> FinanceReference:
    """The data directory's own files, else the project's; `license_types` are those that a member can have.

    Raises:
        BadReference: one of them cannot be used; the sentence names file and line.
    """
    prices = read_prices(data.reference(PRICES), {*license_types, API_KEY_LICENSE})
    billing, rates = read_billing(data.reference(BILLING)), read_rates(data.reference(RATES))
    refuse_mixed_currencies(prices, billing, rates)
    return FinanceReference(prices, read_cost_centres(data.reference(COST_CENTRES)), billing, rates)


def reference_hashes(data: DataDirectory) -> dict[str, str]:
    """The contents of each reference file that there is, hashed."""
    paths = {name: data.reference(name) for name in FILES}
    return {name: sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if path.exists()}


def hashes_table(data: DataDirectory) -> pa.Table:
    return _table(_FILES, reference_hashes(data).items())


def _days(span: Span) -> tuple[object, object]:
    return span.valid_from, span.valid_to


def _table(columns: pa.Schema, rows: Iterable[tuple[str | Decimal | object, ...]]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(columns.names, row, strict=True)) for row in rows], columns)
