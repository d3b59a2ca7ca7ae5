"""What Dagster is told of columns is what the queries say, leaves hardly anything out, and is read without a parser."""

import subprocess
import sys
import warnings
from collections.abc import Iterable

import dagster as dg
import pytest

from assets.orchestration.names import Names
from assets.warehouse.column_lineage import KEPT, SNAPSHOTS
from assets.warehouse.column_lineage import column_lineage as told_of
from assets.warehouse.lineage import Lineage
from assets.warehouse.relations import Kind, Relation, relations
from pipelines.subjects import SUBJECTS
from tests.warehouse.write_column_lineage import OF_SNAPSHOTS, Schema, column_lineage, described, kept

BY_NAME = {one.name: one for one in relations(SUBJECTS)}
SHOWN = [one for one in relations(SUBJECTS) if not one.is_internal and one.kind != Kind.MACRO]


@pytest.fixture(scope="module")
def schema() -> Schema:
    return described()


@pytest.fixture(scope="module")
def generated(schema: Schema) -> dict[str, dict[str, list[str]]]:
    return column_lineage(schema)


def key_of(place: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", "license_assignments"] if place == SNAPSHOTS else ["warehouse", place])


def made_from(relation: str, column: str) -> set[str]:
    lineage = told_of(BY_NAME[relation], key_of)
    deps = lineage.deps_by_column.get(column, []) if lineage else []
    return {f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps}


def test_what_is_kept_is_what_the_queries_say(generated: dict[str, dict[str, list[str]]]):
    for folder, text in kept(generated).items():
        assert (folder / KEPT).read_text(encoding="utf-8") == text, "make docs writes it anew"


def test_hardly_a_column_is_left_out(generated: dict[str, dict[str, list[str]]], schema: Schema):
    columns = {(one.name, column) for one in SHOWN for column in schema["main"][one.name]}
    followed = {(relation, column) for relation, told in generated.items() for column in told}
    assert followed <= columns
    assert len(followed) >= 0.9 * len(columns), sorted(columns - followed)


def test_every_column_that_is_named_is_there(generated: dict[str, dict[str, list[str]]], schema: Schema):
    there = {f"{one.name}.{column}" for one in SHOWN for column in schema["main"][one.name]}
    there |= {f"{SNAPSHOTS}.{column}" for column in OF_SNAPSHOTS}
    named = {source for told in generated.values() for sources in told.values() for source in sources}
    assert named - there == set()


def test_no_column_is_made_from_a_relation_that_is_not_read(generated: dict[str, dict[str, list[str]]]):
    for relation in SHOWN:
        sources = {one.rpartition(".")[0] for made in generated[relation.name].values() for one in made}
        assert sources <= {*_read_by(relation), SNAPSHOTS}, relation.name


@pytest.mark.parametrize(
    ("column", "sources"),
    [
        # as it is, and from the snapshots that have the name of a relation, too
        ("license_history.email", {"raw/license_assignments.email"}),
        ("license_assignments.email", {"warehouse/license_history.email"}),
        # from several, computed and chosen
        (
            "license_history.license_type",
            {
                "raw/license_assignments.license_type",
                "raw/license_assignments.role",
                "raw/license_assignments.holder_type",
            },
        ),
        ("finance_daily.license_type", {"warehouse/license_history.license_type"}),
        ("finance_restatements.cost_difference", {"warehouse/finance_closed.cost", "warehouse/finance_monthly.cost"}),
        # a union by name, whose sides have their columns in different orders
        ("finance_statement.joiners", {"warehouse/finance_closed.joiners", "warehouse/finance_monthly.joiners"}),
        ("license_events.event_date", {"warehouse/license_history.valid_from", "warehouse/license_history.valid_to"}),
        # a subquery, a lateral join, an alias used beside its definition
        ("seat_counts_daily.snapshot_date", {"warehouse/snapshot_log.snapshot_date"}),
        (
            "license_snapshots.usage_observed_since",
            {"warehouse/license_history.assigned_at", "warehouse/snapshot_log.snapshot_date"},
        ),
        # made of no column of an asset: a word, a figure of the snapshot's metadata, a reference file
        ("license_events.attribute", set()),
        ("snapshot_log.users", set()),
        ("usage_sources.because", set()),
    ],
)
def test_a_column_is_made_from_what_somebody_who_reads_the_query_would_say(column: str, sources: set[str]):
    assert made_from(*column.split(".")) == sources


def test_the_fields_of_structs_are_told_apart():
    before, after = made_from("license_events", "before"), made_from("license_events", "after")
    assert {"warehouse/license_history.role", "warehouse/license_history.key_hint"} <= before & after
    assert before | after <= {f"warehouse/license_history.{name}" for name in OF_SNAPSHOTS | {"takes_seat"}}


def test_a_relation_of_which_no_column_comes_from_an_asset_has_no_lineage():
    assert told_of(BY_NAME["usage_sources"], key_of) is None


def test_it_is_read_without_a_parser_of_sql():
    read = (
        "import sys; import dagster as dg; from assets.warehouse.column_lineage import column_lineage; "
        "from assets.warehouse.relations import relations; from pipelines.subjects import SUBJECTS; "
        "assert any(column_lineage(one, dg.AssetKey) for one in relations(SUBJECTS) if one.name == 'license_history'); "
        "assert 'sqlglot' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", read], check=False).returncode == 0


def test_each_relation_leads_to_its_own_file():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        specs = {spec.key: spec for spec in Lineage(Names(), SUBJECTS).relations}
    for relation in SHOWN:
        spec = specs[Names().key("warehouse", relation.name)]
        (file,) = spec.metadata["dagster/code_references"].code_references
        assert file.source == f"{relation.path}:1"


def _read_by(relation: Relation) -> Iterable[str]:
    for source in relations(SUBJECTS):
        if source.name in relation.reads:
            yield source.name
            yield from _read_by(source) if source.is_internal else ()
