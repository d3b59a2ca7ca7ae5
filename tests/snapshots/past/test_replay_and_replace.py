"""Replay from the landing, and the past that does not change silently."""

from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from assets.snapshots.snapshot import read_facts
from tests.commandline import Operator
from tests.snapshots.past.conftest import LAST, TWO, Company
from tests.snapshots.past.test_reconstruction import backfill

pytestmark = pytest.mark.slow

DAY = LAST - timedelta(days=3)


@pytest.fixture
def observed(company: Company) -> Operator:
    return company()


def rules(operator: Operator, old: str, new: str) -> None:
    """Overrides one line of the project's license types."""
    from assets.layout import PROJECT_REFERENCE

    own = operator.data / "reference"
    own.mkdir(exist_ok=True)
    text = (PROJECT_REFERENCE / "license_types.csv").read_text()
    assert old in text
    (own / "license_types.csv").write_text(text.replace(old, new))


def later(operator: Operator, now: datetime) -> str:
    """The feed goes on, so that it proves what it says of the days before; what the pipeline's clock then shows."""
    assert operator.clock
    operator.clock.set(now)
    return now.isoformat()


def test_a_replay_with_the_same_rules_gives_the_same_bytes_without_an_api_call(observed: Operator):
    before = observed.published()
    told = backfill(observed, LAST, LAST, "--source", "replay", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert told.status == 0, told.err
    assert "replay from the landing, no API call" in told.out
    snapshots = {name: bytes_ for name, bytes_ in before.items() if name.startswith("snapshots/")}
    assert {name: observed.published()[name] for name in snapshots} == snapshots


def test_a_lost_snapshot_file_comes_back_from_the_landing_row_for_row(observed: Operator):
    """What it says is the same; since when it is believed is when it was loaded again."""
    (file,) = (observed.data / "snapshots").rglob("part.parquet")
    before, facts = pq.ParquetFile(file).read(), read_facts(file)
    file.unlink()
    told = observed(
        *("backfill", "--from", str(LAST), "--to", str(LAST)),
        LICENSES_NOW=(TWO + timedelta(days=3)).isoformat(),
        ANTHROPIC_BASE_URL="http://127.0.0.1:9",
    )
    assert told.status == 0, told.err
    assert pq.ParquetFile(file).read().equals(before)
    again = read_facts(file)
    assert facts
    assert again
    assert (facts.loaded_at, again.loaded_at) == (TWO, TWO + timedelta(days=3))
    assert again.observed_at == facts.observed_at


def test_a_new_rule_restates_the_day_and_keeps_what_was_believed(observed: Operator):
    believed = observed.ask(f"select license_type, count(*) from licenses_on(date '{LAST}') group by all order by all")
    billing = dict(believed)["Billing"]
    rules(observed, "billing,Billing,true", "billing,Finance,true")
    told = backfill(observed, LAST, LAST, "--source", "replay", "--reason", "billing is called Finance now")
    assert told.status == 0, told.err
    ((day, reason, source, changed, added, removed, seats_before, seats_after),) = observed.ask(
        "select snapshot_date, reason, provenance_after, rows_changed, rows_added, rows_removed, seats_before, "
        "seats_after from restatements"
    )
    assert (day, reason, source) == (LAST, "billing is called Finance now", "observed")
    assert changed >= billing
    assert (added, removed, seats_before - seats_after) == (0, 0, 0)
    now = dict(observed.ask(f"select license_type, count(*) from licenses_on(date '{LAST}') group by all"))
    assert now["Finance"] == billing
    assert "Billing" not in now
    before = (TWO + timedelta(seconds=-1)).isoformat()
    at_the_time = TWO.isoformat()
    assert observed.ask(f"from licenses_on(date '{LAST}', known_at := timestamptz '{before}')") == []
    later = (datetime.now(UTC) + timedelta(days=9999)).isoformat()
    for known_at, expected in ((later, now), (at_the_time, now)):
        asked = f"select license_type, count(*) from licenses_on(date '{LAST}', known_at := timestamptz '{known_at}')"
        assert dict(observed.ask(f"{asked} group by all")) == expected
    (kept,) = (observed.data / "superseded").rglob("*.parquet")
    assert kept.stat().st_size


def test_what_was_believed_earlier_can_be_asked(observed: Operator):
    believed = dict(observed.ask(f"select license_type, count(*) from licenses_on(date '{LAST}') group by all"))
    rules(observed, "billing,Billing,true", "billing,Finance,true")
    later = TWO + timedelta(hours=5)
    told = observed(
        *("backfill", "--from", str(LAST), "--to", str(LAST), "--source", "replay"), LICENSES_NOW=later.isoformat()
    )
    assert told.status == 0, told.err
    asked = (
        f"select license_type, count(*) from licenses_on(date '{LAST}', known_at := timestamptz '{{}}') group by all"
    )
    assert dict(observed.ask(asked.format((later - timedelta(minutes=1)).isoformat()))) == believed
    assert "Finance" in dict(observed.ask(asked.format(later.isoformat())))


def test_a_weaker_source_replaces_a_stronger_one_only_when_asked_for_by_name(observed: Operator):
    assert observed.night(LAST + timedelta(days=1)).status == 0
    now = later(observed, TWO + timedelta(days=30))
    fill = ("backfill", "--from", str(LAST), "--to", str(LAST))
    for words in ([], ["--replace"], ["--source", "reconstruct"]):
        told = observed(*fill, *words, LICENSES_NOW=now)
        assert told.status == 0, told.err
        assert observed.ask(f"select provenance from snapshot_log where snapshot_date = date '{LAST}'") == [
            ("observed",)
        ]
    told = observed(*fill, "--source", "reconstruct", "--replace", "--reason", "lag", LICENSES_NOW=now)
    assert told.status == 0, told.err
    assert observed.ask(f"select provenance from snapshot_log where snapshot_date = date '{LAST}'") == [
        ("reconstructed",)
    ]
    restated = f"select provenance_before, provenance_after, reason from restatements where snapshot_date = '{LAST}'"
    assert observed.ask(restated) == [("observed", "reconstructed", "lag")]


def test_a_provisional_landing_never_replaces_a_final_snapshot(observed: Operator):
    today = LAST + timedelta(days=1)
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)
    assert observed.at(noon, today).status == 0
    after = LAST + timedelta(days=3)
    assert observed.night(after).status == 0
    now = later(observed, TWO + timedelta(days=8))
    told = observed("backfill", "--from", str(today), "--to", str(today), LICENSES_NOW=now)
    assert told.status == 0, told.err
    assert observed.ask(f"select provenance, is_final from snapshot_log where snapshot_date = date '{today}'") == [
        ("observed", False)
    ]
    told = observed(
        *("backfill", "--from", str(today), "--to", str(today), "--source", "reconstruct", "--replace"),
        LICENSES_NOW=now,
    )
    assert observed.ask(f"select provenance, is_final from snapshot_log where snapshot_date = date '{today}'") == [
        ("reconstructed", True)
    ]
    observed("backfill", "--from", str(today), "--to", str(today), "--source", "replay", "--replace")
    assert observed.ask(f"select provenance from snapshot_log where snapshot_date = date '{today}'") == [
        ("reconstructed",)
    ]


def test_reconcile_names_what_changed_between_midnight_and_the_look(observed: Operator):
    days = [LAST + timedelta(days=later) for later in range(4)]
    for day in days[1:]:
        assert observed.night(day).status == 0
    told = observed(
        "reconcile", "--from", str(days[0]), "--to", str(days[-1]), LICENSES_NOW=(TWO + timedelta(days=4)).isoformat()
    )
    assert "Compared 3 pairs of observed days" in told.out
    assert told.status in (0, 3)
    assert (told.status == 3) == ("by the feed" in told.out)


def test_reconcile_without_neighbours_says_so(observed: Operator):
    told = observed("reconcile", "--from", str(DAY), "--to", str(DAY), LICENSES_NOW=TWO.isoformat())
    assert told.status == 1
    assert "there is nothing to compare" in told.err
