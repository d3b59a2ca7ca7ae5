"""Silence is evidence on days on which a source that sees all use of that kind of holder watched: the rule itself."""

import duckdb
import pytest

from assets.engine import sql_file
from assets.snapshots import usage
from assets.snapshots.schema import HolderType
from assets.snapshots.usage_sources import Sees, sources, sources_table

Span = tuple[str, str, str | None, str, str]


def watched(*coverage: Span, organization: str = "org_1") -> dict[str, list[tuple[str, str]]]:
    """The runs per `sees` of spans (endpoint, holder_type, sees, from, to), whoever the holders are."""
    with duckdb.connect() as connection:
        connection.register("usage_sources", sources_table())
        connection.execute(
            "create table coverage (organization_id varchar, endpoint varchar, holder_type varchar, sees varchar, "
            "covered_from date, covered_to date)"
        )
        for span in coverage:
            connection.execute("insert into coverage values (?, ?, ?, ?, ?, ?)", [organization, *span])
        rows = connection.sql(f"from ({sql_file(usage.__file__, 'watched')}) order by sees, since").fetchall()
    runs: dict[str, list[tuple[str, str]]] = {"all": [], "some": []}
    for _, _, sees, since, until in rows:
        runs[sees].append((str(since), str(until)))
    return runs


def keys(first: str, last: str, sees: str | None = "all", endpoint: str = "messages_usage") -> Span:
    return endpoint, "api_key", sees, f"2026-05-{first}", f"2026-05-{last}"


def run(first: str, last: str) -> tuple[str, str]:
    return f"2026-05-{first}", f"2026-05-{last}"


@pytest.mark.parametrize(
    ("coverage", "runs"),
    [
        ([keys("01", "10"), keys("08", "12")], [run("01", "12")]),
        ([keys("01", "10"), keys("11", "12")], [run("01", "12")]),
        ([keys("11", "12"), keys("01", "10"), keys("03", "04")], [run("01", "12")]),
        ([keys("01", "10"), keys("12", "14")], [run("01", "10"), run("12", "14")]),
        # two sources take turns
        ([keys("01", "10"), keys("11", "14", endpoint="analytics_usage")], [run("01", "14")]),
        # what one of them does not know on a day the other may
        ([keys("01", "10"), keys("05", "05", "some", "analytics_usage")], [run("01", "10")]),
        # the same report said later that it does not know everybody's use
        ([keys("01", "10"), keys("05", "05", "some")], [run("01", "04"), run("06", "10")]),
        # older coverage does not say: then what the source can see
        ([keys("01", "10", None)], [run("01", "10")]),
        ([keys("01", "10", None, "claude_code")], []),
        ([keys("01", "10", None, "of_a_later_version")], []),
        ([], []),
    ],
)
def test_a_run_of_days_is_unbroken(coverage: list[Span], runs: list[tuple[str, str]]):
    assert watched(*coverage)["all"] == runs


def test_any_source_at_all_has_listened():
    heard = watched(keys("01", "10", "some", "claude_code"), keys("08", "12"))
    assert heard == {"all": [run("08", "12")], "some": [run("01", "12")]}


def test_the_table_of_sources_is_complete_and_says_why():
    assert {one.holder_type for one in sources()} == {HolderType.USER, HolderType.API_KEY}
    assert all(one.because.endswith(".") for one in sources())
    assert len({(one.endpoint, one.holder_type) for one in sources()}) == len(sources())
    seeing_all = {(one.endpoint, str(one.holder_type)) for one in sources() if one.sees is Sees.ALL}
    assert ("claude_code", "user") not in seeing_all
    assert ("messages_usage", "user") not in seeing_all
