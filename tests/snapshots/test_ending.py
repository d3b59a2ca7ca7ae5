"""What every snapshot's facts say of its rows, whatever its source."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pytest

from assets.errors import HolderTwice
from assets.snapshots.ending import Parameters, facts_of
from assets.snapshots.rules import load_rules
from assets.snapshots.schema import HolderType, Provenance

USER, KEY, INVITE = HolderType.USER, HolderType.API_KEY, HolderType.INVITE
OF = Parameters(
    "org_1", "Acme", date(2026, 6, 1), datetime(2026, 6, 2, 2, tzinfo=UTC), "run_1", Provenance.OBSERVED, {USER, INVITE}
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:") as connection:
        load_rules(connection)
        connection.execute(
            "create table license_assignments (holder_type text, holder_id text, license_type text, status text)"
        )
        yield connection


def insert(connection: duckdb.DuckDBPyConnection, kind: HolderType, holder: str, *words: str) -> None:
    connection.execute("insert into license_assignments values (?, ?, ?, ?)", [kind.value, holder, *words])


def test_a_kind_of_holder_that_was_asked_for_in_vain_is_none_and_one_that_was_not_is_unknown(
    connection: duckdb.DuckDBPyConnection,
):
    insert(connection, USER, "user_1", "User", "Active")
    facts = facts_of(connection, OF, "observation_1")
    assert (facts.users, facts.api_keys, facts.invites) == (1, None, 0)
    assert (facts.known, facts.unknown) == ({USER, INVITE}, ["API keys"])


def test_a_kind_that_a_file_holds_is_known_by_it(connection: duckdb.DuckDBPyConnection):
    insert(connection, KEY, "apikey_1", "API Key", "Active")
    assert facts_of(connection, OF._replace(known=()), "observation_1").known == {KEY}


def test_words_that_our_tables_lack_are_named_once_each(connection: duckdb.DuckDBPyConnection):
    insert(connection, USER, "user_1", "Unmapped (wizard)", "Active")
    insert(connection, USER, "user_2", "Unmapped (wizard)", "Unmapped (frozen)")
    insert(connection, USER, "user_3", "User", "Active")
    assert facts_of(connection, OF, "observation_1").unmapped == ["Unmapped (frozen)", "Unmapped (wizard)"]


@pytest.mark.parametrize("provenance", Provenance)
def test_a_snapshot_that_holds_a_holder_twice_is_refused_whatever_its_source(
    connection: duckdb.DuckDBPyConnection, provenance: Provenance
):
    insert(connection, USER, "user_1", "User", "Active")
    insert(connection, USER, "user_1", "Admin", "Active")
    with pytest.raises(HolderTwice, match=r"Acme \(org_1\): the snapshot of 2026-06-01 holds a holder twice"):
        facts_of(connection, OF._replace(provenance=provenance), "observation_1")


def test_one_id_may_be_borne_by_holders_of_two_kinds(connection: duckdb.DuckDBPyConnection):
    insert(connection, USER, "one", "User", "Active")
    insert(connection, KEY, "one", "API Key", "Active")
    assert facts_of(connection, OF, "observation_1").known == {USER, KEY, INVITE}
