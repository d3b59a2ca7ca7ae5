"""Every relation against the slow model, whatever happened, in whatever order its days came in."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.model import ATTRIBUTES, KEY, Answer, Model
from tests.history.snapshots import Row, Snapshot, World, ask

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 29)
SPAN = 6
KEY_OF_ADA: Row = {
    "license_type": "API Key",
    "role": None,
    "name": "ci",
    "owner_type": "user",
    "owner_user_id": "user_1",
    "assigned_at": datetime(2026, 1, 30, 9, tzinfo=UTC),
}
STATES: dict[str, list[Row]] = {
    "user": [
        {"name": "Ada", "email": "ada@example.com"},
        {"name": None, "email": "ada@example.com"},
        {"name": "Ada", "license_type": "Admin", "role": "admin", "assigned_at": datetime(2026, 1, 30, 7, tzinfo=UTC)},
        {"name": "Eve", "email": "New@example.com", "assigned_at": datetime(2026, 1, 31, 9, tzinfo=UTC)},
        {"license_type": "Unmapped (wizard)", "role": "wizard"},
    ],
    "api_key": [
        {"license_type": "API Key", "role": None, "name": "ci", "owner_user_id": "user_1", "owner_status": "member"},
        {"license_type": "API Key", "role": None, "name": "ci", "owner_user_id": "user_1", "owner_status": "left"},
        {"license_type": "API Key", "role": None, "status": "Disabled", "status_raw": "archived", "workspace_id": "w"},
        {"license_type": "API Key", "role": None, "expires_at": datetime(2027, 1, 1, tzinfo=UTC)},
        # the lists of members and workspaces could not be read
        KEY_OF_ADA | {"owner_status": "unknown", "workspace_id": "w"},
        KEY_OF_ADA | {"owner_status": "member", "owner_email": "ada@example.com", "workspace_id": "w"},
        KEY_OF_ADA | {"owner_status": "left", "workspace_id": "w", "workspace_name": "Research"},
    ],
    "invite": [
        {"status": "Pending", "email": "new@example.com"},
        {"status": "Pending", "email": None, "license_type": "Admin", "role": "admin"},
        {"status": "Pending", "email": "new@example.com", "assigned_at": datetime(2026, 1, 28, tzinfo=UTC)},
        {"status": "Pending", "email": "ADA@example.com"},
    ],
}
COLUMNS = ", ".join((*KEY, *ATTRIBUTES))
TOLD = ", ".join((*KEY, *ATTRIBUTES[:-1]))
ASKED = {
    "license_history": f"{COLUMNS}, valid_from, valid_to, is_current, days_observed",
    "license_events": "*",
    "seat_counts_daily": "* exclude (seats), seats",
    "seat_counts_monthly": "*",
    "snapshot_gaps": "*",
    "license_snapshots": f"snapshot_date, {TOLD}, provenance, observed_at, run_id",
}


def rosters() -> st.SearchStrategy[dict[str, dict[str, Row]]]:
    """Any of the three rosters, known or unknown, with some of three holders in any of their states."""
    return st.fixed_dictionaries(
        {},
        optional={
            kind: st.dictionaries(st.sampled_from([f"{kind}_1", f"{kind}_2", f"{kind}_3"]), st.sampled_from(states))
            for kind, states in STATES.items()
        },
    )


def snapshots() -> st.SearchStrategy[Snapshot]:
    return st.builds(
        Snapshot,
        organization=st.sampled_from(["a", "007"]),
        day=st.integers(0, SPAN - 1).map(lambda offset: FIRST + timedelta(days=offset)),
        rosters=rosters(),
        is_final=st.sampled_from([True, True, False]),
    )


@given(st.lists(st.lists(snapshots(), min_size=1, max_size=5), min_size=1, max_size=3))
def test_every_relation_is_what_the_model_says_in_whatever_order_days_arrive_or_are_replaced(
    nights: list[list[Snapshot]],
) -> None:
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        for night in nights:
            world.publish(*night)
        model = Model([snapshot for night in nights for snapshot in night])
        expect(world.tree.warehouse, model)
        assert everything(world.tree.warehouse) == everything(world.anew())


def expect(warehouse: Path, model: Model) -> None:
    for relation, columns in ASKED.items():
        assert same(ask(warehouse, f"select {columns} from {relation}"), list(getattr(model, relation)())), relation
    for offset in range(-1, SPAN + 1):
        day = FIRST + timedelta(days=offset)
        got = ask(warehouse, f"select {TOLD}, as_of, is_observed from licenses_on(?)", day)
        assert same(got, list(model.licenses_on(day))), day


def same(got: list[Answer], wanted: list[Answer]) -> bool:
    """Equal as bags: what differs stands in the failure."""
    missing, extra = list(wanted), []
    for row in got:
        if row in missing:
            missing.remove(row)
        else:
            extra.append(row)
    assert (missing, extra) == ([], []), "missing, extra"
    return True


def everything(warehouse: Path) -> dict[str, list[Answer]]:
    """Every table's rows; but for what made it, and when."""
    names = ask(warehouse, "select schema_name || '.' || table_name from duckdb_tables() order by all")
    return {name: ask(warehouse, f"from {name} order by all") for (name,) in names if name != "internal.build_info"}
