"""What the doctor found, and how it is put on the page."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.text import Text

WIDEST = 100


class Mark(StrEnum):
    """How a finding bears on a snapshot taken now."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing or mending; a snapshot can be taken all the same."""
    PROBLEM = "problem"
    """Stands in the way of a whole snapshot."""


@dataclass(frozen=True)
class Finding:
    mark: Mark
    subject: str
    sentence: str


@dataclass(frozen=True)
class Section:
    title: str
    findings: tuple[Finding, ...]


def ok(subject: str, sentence: str) -> Finding:
    return Finding(Mark.OK, subject, sentence)


def note(subject: str, sentence: str) -> Finding:
    return Finding(Mark.NOTE, subject, sentence)


def problem(subject: str, sentence: str) -> Finding:
    return Finding(Mark.PROBLEM, subject, sentence)


def count(findings: Iterable[Finding], mark: Mark) -> int:
    return sum(finding.mark is mark for finding in findings)


def listed(names: Iterable[str], most: int) -> str:
    """The first `most` of the names, and how many more there are."""
    known = list(names)
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more:,} more" if more > 0 else "")


_COLUMN = max(map(len, Mark)) + 4
_STYLES = {Mark.OK: "green", Mark.NOTE: "yellow", Mark.PROBLEM: "bold red"}


def show(out: Console, section: Section) -> None:
    """Print a section, wrapped to the terminal; paths and ids stay whole, so that they can be copied."""
    out.print(Text(_plain(section.title, out), "bold"), soft_wrap=True)
    for finding in section.findings:
        body = textwrap.wrap(
            _plain(f"{finding.subject}: {finding.sentence}", out),
            min(out.width, WIDEST) - _COLUMN,
            break_long_words=False,
            break_on_hyphens=False,
        )
        mark = f"  {finding.mark}".ljust(_COLUMN)
        out.print(Text.assemble((mark, _STYLES[finding.mark]), f"\n{' ' * _COLUMN}".join(body)), soft_wrap=True)
    out.print()


def _plain(text: str, out: Console) -> str:
    """Text on one line that `out` can print: names from elsewhere may hold anything."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line.encode(out.encoding, "replace").decode(out.encoding)
