"""Who pays for whom: cost_centres.csv."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path

from assets.reference import Dated, read_rows, refuse_overlaps

COST_CENTRES = "cost_centres.csv"


class Match(StrEnum):
    """By what a rule knows its holders, the most specific first."""

    ID = "id"
    EMAIL = "email"
    WORKSPACE = "workspace"
    DOMAIN = "domain"


@dataclass(frozen=True)
class Rule(Dated):
    """E-mails and domains are kept in small letters: they are compared so."""

    match: Match
    holder: str
    cost_centre: str
    valid_from: date | None
    valid_to: date | None


def read_cost_centres(path: Path) -> list[Rule]:
    """Raises BadReference: two rules for the same holder on one day, a match that does not exist."""
    rules = [_comparable(rule) for rule in read_rows(path, Rule)]
    refuse_overlaps(rules, lambda rule: f"the cost centre of {rule.match} {rule.holder}")
    return rules


def _comparable(rule: Rule) -> Rule:
    match rule.match:
        case Match.EMAIL:
            if "@" not in rule.holder:
                raise rule.line.refused(f"{rule.holder} is no e-mail address.")
            return replace(rule, holder=rule.holder.lower())
        case Match.DOMAIN:
            domain = rule.holder.removeprefix("@").lower()
            if not domain or "@" in domain:
                raise rule.line.refused(f"{rule.holder} is no e-mail domain; write example.com.")
            return replace(rule, holder=domain)
    return rule
