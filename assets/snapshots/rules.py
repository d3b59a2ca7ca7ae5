"""Rules that several queries follow, each written once: scalar macros, one a file in `sql/rules/`.

They are temporary: only tables may be made with them, and questions asked, never a view or a macro that a warehouse is
published with. So these repeat a rule, and a test binds them to it:

- `license_snapshots` looks the last use up as `license_assignments` does (`tests/history/test_use_on_days.py`);
- `license_snapshots` and `finance_unused` say the last use's state, the latter also how long a license is proven unused
  and how sure that is, as `license_assignments` and `unused_licenses` do (`tests/finance/test_unused.py`);
- `licenses_known_at` says the license types of API keys and of unmapped roles (`tests/history/test_known_at.py`).
"""

from functools import cache
from pathlib import Path

import duckdb

from assets.days import TRAILING_DAYS
from assets.snapshots.license_types import API_KEY_LICENSE

RULES = Path(__file__).parent / "sql" / "rules"
VARIABLES = {"api_key_license": API_KEY_LICENSE, "trailing_days": TRAILING_DAYS}
"""What rules and Python's code have in common."""


def load_rules(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every rule a macro of this connection, whichever database is in use."""
    for name, value in VARIABLES.items():
        connection.execute(f"set variable {name} = $value", {"value": value})
    connection.execute(_macros())


@cache
def _macros() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(RULES.glob("*.sql")))
