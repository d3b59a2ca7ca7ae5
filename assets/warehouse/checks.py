"""What must hold of a warehouse before it is published: one query a check in the subjects' `checks/`,
a row for each fault."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import duckdb

from assets.engine import roomily
from assets.errors import PublishFailed
from assets.warehouse.header import header
from assets.warehouse.subject import Subjects

EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """A check that failed: how often, and some examples."""

    check: str
    count: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        more = f", and {self.count - len(self.examples):,} more" if self.count > len(self.examples) else ""
        return f"{self.check.replace('_', ' ')}: {'; '.join(self.examples)}{more}"


class ChecksFailed(PublishFailed):
    """The new warehouse contradicts itself or its snapshots; the old one stands."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        lines = "\n".join(f"- {finding}" for finding in self.findings)
        super().__init__(
            "The new warehouse contradicts itself or its snapshots, so it was not put in place; the old one stands. "
            f"What does not hold:\n{lines}"
        )


@cache
def checks(subjects: Subjects) -> dict[str, str]:
    """Each check's query, by name."""
    paths = (path for one in subjects for path in (one.folder / "checks").glob("*.sql"))
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(paths, key=lambda path: path.stem)}


def assumption(query: str) -> str:
    """The sentence that a check's query guards."""
    return header(query).words.partition("Assumes: ")[2]


def verify(connection: duckdb.DuckDBPyConnection, subjects: Subjects) -> list[Finding]:
    """Check the warehouse that `build` has just left attached, beside the inputs that it was made from."""
    for one in subjects:
        one.before_checks(connection)
    connection.execute("use warehouse")
    queries = checks(subjects).items()
    return [finding for check, query in queries if (finding := _finding(connection, check, query))]


def _finding(connection: duckdb.DuckDBPyConnection, check: str, query: str) -> Finding | None:
    roomily(connection, f"create or replace temp table findings as {query}")
    findings = connection.table("findings")
    count = len(findings)
    examples = findings.order("finding").limit(EXAMPLES).fetchall()
    return Finding(check, count, tuple(example for (example,) in examples)) if count else None
