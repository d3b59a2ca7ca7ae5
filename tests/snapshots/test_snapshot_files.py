"""The Parquet record: the same night gives the same bytes, and any tool reads the folder as it is."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from assets.snapshots.ending import Loading
from tests.scripted import DAY, NEXT_NIGHT, Nights, ScriptedApi, api_key, invite, person, used, user

Start = Callable[..., Nights]


def company() -> ScriptedApi:
    return ScriptedApi(
        users=[user(n) for n in range(1, 40)],
        api_keys=[api_key(n) for n in range(1, 20)],
        invites=[invite(1)],
        analytics_usage=[used("2026-05-20", actor=person(f"user_{n:04}"), key="apikey_0003") for n in range(1, 40, 3)],
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for part in ("snapshots", "usage")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def test_the_same_night_again_leaves_the_same_bytes(nights: Start):
    made = nights(company())
    made.night()
    before = digests(made.data.root)
    again = made.derive(made.observe(at=NEXT_NIGHT + timedelta(hours=3)))
    assert again.unchanged
    assert digests(made.data.root) == before
    assert len(before) == 4


def test_a_version_is_believed_since_it_was_loaded_however_long_before_it_was_observed(nights: Start):
    made = nights(company())
    loaded_at = NEXT_NIGHT + timedelta(days=12)
    derived = made.derive(made.observe(), loading=Loading(loaded_at, "run_9", "observed again"))
    assert (derived.facts.loaded_at, derived.facts.loaded_by, derived.facts.reason) == (loaded_at, "run_9", None)
    assert (made.facts().loaded_at, made.facts().observed_at) == (loaded_at, NEXT_NIGHT)


def test_deriving_the_same_again_later_leaves_the_version_that_stands(nights: Start):
    made = nights(company())
    observation = made.observe()
    made.derive(observation)
    before = digests(made.data.root)
    again = made.derive(observation, loading=Loading(NEXT_NIGHT + timedelta(days=12), "run_9", "replayed"))
    assert again.unchanged
    assert again.facts.loaded_at == NEXT_NIGHT
    assert digests(made.data.root) == before


def test_a_version_that_replaces_another_says_since_when_and_why(nights: Start):
    api = company()
    made = nights(api)
    made.night()
    api.lists["users"].append(user(99))
    loaded_at = NEXT_NIGHT + timedelta(hours=1)
    facts = made.derive(made.observe(), loading=Loading(loaded_at, "run_9", "observed again")).facts
    assert (facts.loaded_at, facts.loaded_by, facts.reason) == (loaded_at, "run_9", "observed again")


def test_the_order_and_paging_of_the_answers_do_not_matter_to_the_bytes(nights: Start):
    api = company()
    made = nights(api)
    made.night()
    before = digests(made.data.root)
    api.page_size = 7
    for rows in api.lists.values():
        rows.reverse()
    made.night()
    assert digests(made.data.root) == before


def test_deriving_an_observation_again_needs_no_answers_and_gives_the_same_bytes(nights: Start):
    made = nights(company())
    observation = made.observe()
    made.derive(observation)
    before = digests(made.data.root)
    made.file().unlink()
    made.api = None
    made.derive(observation)
    assert digests(made.data.root) == before


def test_a_night_that_says_something_else_replaces_the_snapshot(nights: Start):
    api = company()
    made = nights(api)
    made.night()
    api.lists["users"].append(user(99))
    api.me["name"] = "Acme & Sons"
    assert "user_0099" in made.night(at=NEXT_NIGHT + timedelta(hours=1))
    assert made.facts().organization_name == "Acme & Sons"


def test_a_changed_name_of_the_organization_alone_is_a_change(nights: Start):
    api = company()
    made = nights(api)
    made.night()
    api.me["name"] = None
    assert {row["organization_name"] for row in made.night().values()} == {None}


def test_pandas_pyarrow_and_duckdb_read_the_folder_with_its_two_partition_columns(nights: Start):
    made = nights(company())
    made.night()
    made.night(DAY + timedelta(days=1))
    folder = made.data.snapshots
    frame = pd.read_parquet(folder)
    assert set(frame["snapshot_date"].astype(str)) == {"2026-06-01", "2026-06-02"}
    assert set(frame["organization_id"].astype(str)) == {"org_1"}
    table = ds.dataset(folder, partitioning="hive").to_table()
    rows = duckdb.read_parquet(f"{folder}/**/*.parquet", hive_partitioning=True)
    assert len(frame) == table.num_rows == rows.count("*").fetchall()[0][0] == 2 * 59
    assert len(table.column_names) == len(rows.columns) == len(frame.columns) == 31
    days = duckdb.sql("select distinct snapshot_date from rows order by all").fetchall()
    assert days == [(date(2026, 6, 1),), (date(2026, 6, 2),)]


def test_the_file_is_compressed_commented_and_says_how_it_came_to_be(nights: Start):
    made = nights(company())
    made.night()
    file = pq.ParquetFile(made.file())
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert all(field.metadata[b"comment"] for field in file.schema_arrow)
    facts = made.facts()
    assert (facts.users, facts.api_keys, facts.invites, facts.usage_sources) == (39, 19, 1, ["analytics"])
    assert (facts.provenance, facts.is_final, facts.run_id) == ("observed", True, "run_1")
    assert made.manifest()["observation"] == facts.observation


def test_the_manifests_counts_are_the_snapshots(nights: Start):
    api = company()
    api.page_size = 10
    made = nights(api)
    snapshot = made.night()
    lists = made.manifest()["lists"]
    for holder, name in (("user", "users"), ("api_key", "api_keys"), ("invite", "invites")):
        assert sum(row["holder_type"] == holder for row in snapshot.values()) == lists[name]["rows"]
