"""Rules that queries of several folders follow, each written once: scalar macros, one a file in `sql/rules/`.

They are temporary: only tables may be made with them, never a view or a macro that a warehouse is published with.
"""

from pathlib import Path

import duckdb

RULES = Path(__file__).parent / "sql" / "rules"


def load_rules(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every rule a macro of this connection, whichever database is in use."""
    for path in sorted(RULES.glob("*.sql")):
        connection.execute(path.read_text(encoding="utf-8"))
