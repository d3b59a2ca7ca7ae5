"""Past days out of the Activity Feed: each equals the truth, and what cannot be proved is refused."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from assets.spans import is_in
from sandbox import Options, Organization
from tests.commandline import Finished, Operator
from tests.snapshots.past.conftest import LAST, TWO, Company

pytestmark = pytest.mark.slow

DAYS = [LAST - timedelta(days=ago) for ago in range(90, 0, -1)]


def backfill(operator: Operator, first: date, last: date, *words: str, **environment: str) -> Finished:
    return operator(
        "backfill", "--from", str(first), "--to", str(last), *words, LICENSES_NOW=TWO.isoformat(), **environment
    )


Row = tuple[str, str, str | None, str]


def truth(organization: Organization, day: date) -> dict[Row, datetime]:
    """Everybody at the close of the day, with when they were assigned."""
    state = organization.truth(day)
    holders: dict[Row, datetime] = {}
    for member in state.members:
        holders["user", member.id, member.role, "Active"] = member.added_at
    for key in state.api_keys:
        holders["api_key", key.id, None, "Active" if key.status == "active" else "Disabled"] = key.created_at
    for invite in state.invites:
        if invite.status == "pending":
            holders["invite", invite.id, invite.role, "Pending"] = invite.invited_at
    return holders


@pytest.fixture(scope="module")
def filled(company: Company) -> Operator:
    operator = company()
    finished = backfill(operator, DAYS[0], DAYS[-1])
    assert finished.status == 0, finished.err
    assert f"{DAYS[0]} to {DAYS[-1]} (90 days): reconstruct, rolled back from the snapshot of {LAST}" in finished.out
    assert "Done: 90 reconstructed." in finished.out
    return operator


@pytest.mark.parametrize("day", DAYS)
def test_each_of_90_reconstructed_days_equals_the_truth(filled: Operator, organization: Organization, day: date):
    rows = filled.ask(
        "select holder_type, holder_id, role, status, assigned_at from license_snapshots "
        f"where snapshot_date = date '{day}'"
    )
    expected = truth(organization, day)
    assert Counter(row[:4] for row in rows) == Counter(expected.keys())
    # when somebody who has left was added may lie before what the feed was asked for: then it is not known
    assert all(assigned_at in (None, expected[tuple(row)]) for *row, assigned_at in rows)


def test_a_reconstructed_day_says_so(filled: Operator):
    assert filled.ask("select provenance, is_final, count(*) from snapshot_log group by all order by all") == [
        ("observed", True, 1),
        ("reconstructed", True, 90),
    ]
    assert filled.ask("select count(*) from snapshot_log where conflicts > 0") == [(0,)]
    assert filled.ask("select count(*) from reconstruction_conflicts") == [(0,)]


def test_not_knowing_is_no_change_however_the_span_is_cut(company: Company, filled: Operator):
    """When somebody who has left was added must not hang on how far back one backfill asked."""
    operator = company()
    assert backfill(operator, DAYS[60], DAYS[-1]).status == 0
    assert backfill(operator, DAYS[30], DAYS[59]).status == 0
    unsure = "event in ('assigned_again', 'renamed', 'email_changed') and event_date < date '2026-11-20'"
    assert operator.ask(f"select * from license_events where {unsure}") == []
    rows = (
        "select * exclude (organization_id, days_observed, valid_from) from license_history where valid_to is not null"
    )
    cut = operator.ask(f"{rows} and valid_to > date '{DAYS[31]}' order by all")
    assert cut == filled.ask(f"{rows} and valid_to > date '{DAYS[31]}' order by all")


def test_one_walk_through_the_feed_serves_the_whole_span_and_stays_in_the_landing(filled: Operator):
    (pages,) = (filled.data / "landing").glob("*/activities/*/activities.jsonl.zst")
    assert pages.stat().st_size
    assert (pages.parent / "manifest.json").exists()


def test_filling_again_finds_nothing_to_do(filled: Operator):
    before = filled.published()
    again = backfill(filled, DAYS[0], DAYS[-1])
    assert (again.status, again.out.splitlines()[-1]) == (0, "Nothing to do.")
    assert filled.published() == before


def test_a_dry_run_shows_the_plan_and_does_nothing(company: Company):
    operator = company()
    before = operator.published()
    told = backfill(operator, DAYS[-3], DAYS[-1], "--dry-run")
    assert told.status == 0
    assert "(3 days): reconstruct" in told.out
    assert "Dry run: nothing was done." in told.out
    assert operator.published() == before


def test_days_before_the_feed_begins_are_refused_and_the_others_done(company: Company, organization: Organization):
    since = datetime(2026, 11, 15, 9, tzinfo=UTC)
    operator = company(Options(feed_since=since))
    told = backfill(operator, date(2026, 11, 10), date(2026, 11, 19))
    assert told.status == 3
    first = organization.activities(TWO, since=since)[-1].created_at.date()
    assert operator.ask("select min(snapshot_date) from snapshot_log") == [(first,)]
    assert f"the Activity Feed proves nothing before {first}" in told.out
    assert "its silence there means nothing" in told.out
    assert "could not be filled, as told above" in told.out
    assert operator.ask("select count(*) from snapshot_log") == [((LAST - first).days + 1,)]


@pytest.mark.parametrize("behind", [10, 30])
def test_a_feed_that_has_not_got_to_the_snapshot_leads_back_from_it_to_nothing(company: Company, behind: int):
    operator = company(Options(feed_days_behind=behind))
    before = operator.published()
    told = backfill(operator, DAYS[-8], DAYS[-1])
    assert told.status == 1
    assert f"the Activity Feed has not got to the snapshot of {LAST}" in told.out
    assert "observed at 2026-11-21 02:00 UTC: its newest activity is of 2026-" in told.out
    assert "Run again when it has gone on" in told.out
    assert operator.published() == before


def test_before_additions_that_the_feed_has_missed_it_proves_nothing(company: Company, organization: Organization):
    """While the Compliance API was off, people and keys came; who left then is told by nobody."""
    off = (datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 11, 10, tzinfo=UTC))
    operator = company(Options(feed_outage=off))
    told = backfill(operator, date(2026, 10, 22), DAYS[-1])
    assert told.status == 3, told.err
    base = organization.truth(LAST)
    came = [one.added_at for one in base.members] + [one.created_at for one in base.api_keys]
    missed = max(at for at in came if off[0] <= at < off[1])
    (first,) = operator.ask("select min(snapshot_date) from snapshot_log")[0]
    assert first == missed.date()
    before = first - timedelta(days=1)
    refused = [line for line in told.err.splitlines() if "the Activity Feed tells less than happened" in line]
    assert any(is_in(before, one.partition(" cannot be filled: ")[0]) for one in refused)
    assert f"Done: {(LAST - first).days} reconstructed; {(first - date(2026, 10, 22)).days} could not be" in told.out


def test_without_a_feed_every_day_is_refused_with_what_would_make_it_possible(company: Company):
    operator = company(Options(feed=False))
    before = operator.published()
    told = backfill(operator, DAYS[-2], DAYS[-1])
    assert told.status == 1
    assert "the Activity Feed is not available" in told.out
    assert "switch the Compliance API on" in told.out
    assert "import a file that somebody kept" in told.out
    assert operator.published() == before


def test_a_day_after_the_last_observed_one_has_nothing_to_be_rolled_back_from(company: Company):
    operator = company()
    told = operator("backfill", "--from", "2026-11-21", "--to", "2026-11-23", LICENSES_NOW="2026-11-24T02:00:00+00:00")
    assert told.status == 1
    assert "no observed snapshot lies after it to roll back from" in told.out
    assert "2026-11-23 can still be observed: licenses snapshot --day 2026-11-23" in told.out


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2026-11-19", "2026-11-10", "--from 2026-11-19 lies after --to 2026-11-10: nothing was done."),
        ("2026-11-10", "2026-11-25", "2026-11-25 lies in the future"),
        ("2023-12-31", "2026-11-10", "2023-12-31 lies before 2024-01-01, the first day of this warehouse"),
    ],
)
def test_days_that_cannot_be_meant_are_refused(filled: Operator, first: str, last: str, sentence: str):
    told = filled("backfill", "--from", first, "--to", last, LICENSES_NOW=TWO.isoformat())
    assert told.status == 2
    assert sentence in told.err


def test_without_any_snapshot_there_is_nothing_to_start_from(tmp_path, home):
    operator = Operator(tmp_path, "http://127.0.0.1:9", home=home)
    told = operator("backfill", "--from", "2026-11-01", "--to", "2026-11-02", LICENSES_NOW=TWO.isoformat())
    assert told.status == 2
    assert "There is no snapshot yet" in told.err
