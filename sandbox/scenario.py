"""Options and quirks from a TOML file, for the command line; a name that nobody knows is refused."""

import tomllib
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from sandbox.options import FaultPlan, Options, RateLimit, Stall
from sandbox.organization import Organization
from sandbox.quirks import Quirks


class Scenario(NamedTuple):
    options: Options
    quirks: Quirks


@dataclass(frozen=True, kw_only=True)
class _Sibling:
    seed: str
    members: int = 320
    api_keys: int = 90
    name: str = "Sandbox Sister GmbH"
    quirks: Quirks = field(default_factory=Quirks)


@dataclass(frozen=True, kw_only=True)
class _File:
    options: Options = field(default_factory=Options)
    quirks: Quirks = field(default_factory=Quirks)


_TABLES: dict[str, Any] = {
    "options": Options,
    "quirks": Quirks,
    "sibling": _Sibling,
    "stalls": Stall,
    "rate_limit": RateLimit,
    "fault_plan": FaultPlan,
}


def scenario_of(text: str) -> Scenario:
    """What a file's tables `[options]` and `[quirks]` say. A ValueError says what is wrong with it."""
    tables = tomllib.loads(text)
    _check(tables, _File)
    try:
        file = msgspec.convert(tables, _File, dec_hook=_organization)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    return Scenario(file.options, file.quirks)


def _check(table: dict[str, Any], kind: Any) -> None:
    unknown = table.keys() - {one.name for one in fields(kind)}
    if unknown:
        raise ValueError(f"there is no switch {', '.join(sorted(unknown))}")
    for name, value in table.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, datetime) and one.tzinfo is None:
                raise ValueError(f"{name} needs a time zone, as in 2026-06-01T00:00:00Z")
            if isinstance(one, dict) and name in _TABLES:
                _check(one, _TABLES[name])


def _organization(kind: type, table: Any) -> Any:
    """The sibling, which is a table in the file."""
    if kind is not Organization:
        raise NotImplementedError(kind)
    sibling = msgspec.convert(table, _Sibling)
    return Organization(sibling.seed, sibling.members, sibling.api_keys, name=sibling.name, quirks=sibling.quirks)
