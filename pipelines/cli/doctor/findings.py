"""What the doctor found, how it is put on the page or into JSON, and what it all comes to."""

import json
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.text import Text

from assets.errors import LicenseHistoryError

WIDEST = 100


class Mark(StrEnum):
    """How a finding bears on the next night and on the record."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing or mending; nights succeed all the same."""
    STALE = "stale"
    """A night would succeed, but the record is behind, or the last night failed."""
    PROBLEM = "problem"
    """A night would not succeed."""


@dataclass(frozen=True)
class Finding:
    mark: Mark
    subject: str
    sentence: str


@dataclass(frozen=True)
class Section:
    title: str
    findings: tuple[Finding, ...]


class Verdict(StrEnum):
    """What all findings come to."""

    OK = "ok"
    STALE = "stale"
    BROKEN = "broken"

    @property
    def exit_status(self) -> int:
        """2 is left to wrong use of the command line itself, as everywhere."""
        return {Verdict.OK: 0, Verdict.BROKEN: 1, Verdict.STALE: 3}[self]

    @classmethod
    def of(cls, sections: Iterable[Section]) -> "Verdict":
        marks = {finding.mark for section in sections for finding in section.findings}
        return cls.BROKEN if Mark.PROBLEM in marks else cls.STALE if Mark.STALE in marks else cls.OK


def ok(subject: str, sentence: str) -> Finding:
    return Finding(Mark.OK, subject, sentence)


def note(subject: str, sentence: str) -> Finding:
    return Finding(Mark.NOTE, subject, sentence)


def stale(subject: str, sentence: str) -> Finding:
    return Finding(Mark.STALE, subject, sentence)


def problem(subject: str, sentence: str) -> Finding:
    return Finding(Mark.PROBLEM, subject, sentence)


def trouble(subject: str, error: Exception) -> Finding:
    """Why a subject could not be looked at: our own sentence, or whatever it was."""
    if isinstance(error, LicenseHistoryError):
        return problem(subject, str(error))
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return problem(subject, f"could not be examined: {what}")


def examined(title: str, *looks: Callable[[], Iterable[Finding]]) -> Section:
    """A section of what each look finds; one that fails is a finding itself, and the others go on."""
    found: list[Finding] = []
    for look in looks:
        try:
            found.extend(look())
        except Exception as error:
            found.append(trouble(title.lower(), error))
    return Section(title, tuple(found))


def count(sections: Iterable[Section], mark: Mark) -> int:
    return sum(finding.mark is mark for section in sections for finding in section.findings)


def listed(names: Iterable[str], most: int) -> str:
    """The first `most` of the names, and how many more there are."""
    known = list(names)
    more = len(known) - most
    return ", ".join(known[:most]) + (f" and {more:,} more" if more > 0 else "")


_COLUMN = max(map(len, Mark)) + 4
_STYLES = {Mark.OK: "green", Mark.NOTE: "yellow", Mark.STALE: "bold yellow", Mark.PROBLEM: "bold red"}


def show(out: Console, section: Section) -> None:
    """Print a section, wrapped to the terminal; paths and ids stay whole, so that they can be copied."""
    out.print(Text(_printable(section.title, out), "bold"), soft_wrap=True)
    for finding in section.findings:
        body = textwrap.wrap(
            _printable(f"{finding.subject}: {finding.sentence}", out),
            min(out.width, WIDEST) - _COLUMN,
            break_long_words=False,
            break_on_hyphens=False,
        )
        mark = f"  {finding.mark}".ljust(_COLUMN)
        out.print(Text.assemble((mark, _STYLES[finding.mark]), f"\n{' ' * _COLUMN}".join(body)), soft_wrap=True)
    out.print()


def as_json(sections: Iterable[Section]) -> str:
    """One document, in ASCII, so that it passes through any terminal and pipe."""
    sections = list(sections)
    verdict = Verdict.of(sections)
    told = {
        "status": verdict.value,
        "exit_status": verdict.exit_status,
        "sections": [
            {
                "title": one_line(section.title),
                "findings": [
                    {
                        "mark": finding.mark.value,
                        "subject": one_line(finding.subject),
                        "text": one_line(finding.sentence),
                    }
                    for finding in section.findings
                ],
            }
            for section in sections
        ],
    }
    return json.dumps(told, indent=2)


def one_line(text: str) -> str:
    """Names from elsewhere may hold anything, even what no terminal and no UTF-8 can take."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _printable(text: str, out: Console) -> str:
    return one_line(text).encode(out.encoding, "replace").decode(out.encoding)


def without(section: Section, secrets: Iterable[str]) -> Section:
    """The section without what must not be told, should somebody's error have repeated it."""

    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, "[key]")
        return text

    told = tuple(Finding(one.mark, one.subject, clean(one.sentence)) for one in section.findings)
    return Section(clean(section.title), told)
