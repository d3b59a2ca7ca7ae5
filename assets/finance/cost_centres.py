"""Who pays for whom: cost_centres.csv."""

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assets.reference import Line, Span, read_lines, refuse_overlaps

COST_CENTRES = "cost_centres.csv"
COLUMNS = ("match", "holder", "cost_centre", "valid_from", "valid_to")
UNASSIGNED = "Unassigned"


class Match(StrEnum):
    """By what a rule knows its holders, the most specific first."""

    ID = "id"
    EMAIL = "email"
    WORKSPACE = "workspace"
    DOMAIN = "domain"


@dataclass(frozen=True)
class Rule:
    """E-mails and domains are kept in small letters: they are compared so."""

    line: Line
    match: Match
    holder: str
    cost_centre: str
    span: Span


def read_cost_centres(path: Path) -> list[Rule]:
    """Raises BadReference: two rules for the same holder on one day, a match that does not exist."""
    rules = [_rule(line) for line in read_lines(path, COLUMNS)]
    groups: dict[tuple[Match, str], list[Rule]] = defaultdict(list)
    for rule in rules:
        groups[rule.match, rule.holder].append(rule)
    for (match, holder), same in groups.items():
        refuse_overlaps(f"the cost centre of {match} {holder}", same)
    return rules


def _rule(line: Line) -> Rule:
    word = line.text("match")
    if word not in list(Match):
        raise line.refused(f"match must be one of {', '.join(Match)}, not {word}.")
    match, holder = Match(word), line.text("holder")
    if match is Match.EMAIL and "@" not in holder:
        raise line.refused(f"{holder} is no e-mail address.")
    if match is Match.DOMAIN:
        holder = holder.removeprefix("@")
        if not holder or "@" in holder:
            raise line.refused(f"{line.cells['holder']} is no e-mail domain; write example.com.")
    if match in (Match.EMAIL, Match.DOMAIN):
        holder = holder.lower()
    return Rule(line, match, holder, line.text("cost_centre"), line.span())
