"""The files that finance edits, read together and as tables for the warehouse."""

from collections.abc import Iterable
from dataclasses import dataclass
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
from assets.reference import table
from assets.snapshots.license_types import API_KEY_LICENSE, LICENSE_TYPES

FILES = (LICENSE_TYPES, PRICES, COST_CENTRES, BILLING, RATES)
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
            "prices": table(Price, self.prices),
            "cost_centre_rules": table(Rule, self.rules),
            "billing": table(Billing, self.billing),
            "exchange_rates": table(Rate, self.rates),
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
    return pa.Table.from_pylist(
        [{"name": name, "sha256": digest} for name, digest in reference_hashes(data).items()], _FILES
    )
