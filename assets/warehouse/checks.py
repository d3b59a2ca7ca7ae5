"""What must hold of a warehouse before it is published: one query a check under `sql/checks/`, a row for each fault."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from assets.errors import PublishFailed

EXAMPLES = 3
ROWS_TO_COMPARE = 500_000
"""Row by row, as many days are compared as have so many rows, the newest of each organization among them; beyond
that, all days are compared by their counts alone."""

_DAYS_TO_CHECK = """
create or replace table inputs.days_to_check as
select organization_id, snapshot_date
from (
    select
        organization_id,
        snapshot_date,
        newest,
        sum(rows) over (order by newest desc, hash(organization_id, snapshot_date), snapshot_date) as rows_so_far
    from (
        select
            facts.*,
            coalesce(users, 0) + coalesce(api_keys, 0) + coalesce(invites, 0) as rows,
            snapshot_date = max(snapshot_date) over (partition by organization_id) as newest
        from inputs.facts
        semi join inputs.days_to_read using (organization_id, snapshot_date)
    )
)
where newest or rows_so_far <= ?
"""


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
def checks() -> dict[str, str]:
    """Each check's query, by name."""
    folder = Path(__file__).parent / "sql" / "checks"
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}


def assumption(check: str) -> str:
    """The sentence that a check guards."""
    lines = [line.removeprefix("-- ") for line in checks()[check].splitlines() if line.startswith("--")]
    return " ".join(lines).removeprefix("Assumes: ")


def verify(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    """Check the warehouse that `build` has just left attached, beside the inputs that it was made from."""
    connection.execute(_DAYS_TO_CHECK, [ROWS_TO_COMPARE])
    days = [day for (day,) in connection.execute("select distinct snapshot_date from inputs.days_to_check").fetchall()]
    connection.execute("set variable days_to_check = $days", {"days": days})
    connection.execute("use warehouse")
    return [finding for check, query in checks().items() if (finding := _finding(connection, check, query))]


def _finding(connection: duckdb.DuckDBPyConnection, check: str, query: str) -> Finding | None:
    connection.execute(f"create or replace temp table findings as {query}")
    ((count,),) = connection.execute("select count(*) from findings").fetchall()
    examples = connection.execute("select finding from findings order by finding limit ?", [EXAMPLES]).fetchall()
    return Finding(check, count, tuple(example for (example,) in examples)) if count else None
