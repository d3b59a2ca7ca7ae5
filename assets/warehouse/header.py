"""What a query says of itself: it begins with comments that tell its grain and its question, and name what it reads."""

from typing import NamedTuple

READS = "reads: "


class Header(NamedTuple):
    """`words` say one row of what it gives, and which question it answers; `reads` are the names after `from`."""

    words: str
    reads: frozenset[str]


def header(query: str) -> Header:
    """The comments before the first line of SQL; the last of them name its inputs, own CTEs and variables not."""
    lines = []
    for line in query.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    words, _, reads = " ".join(filter(None, lines)).partition(READS)
    return Header(words.strip(), frozenset(reads.split(", ")) if reads else frozenset())
