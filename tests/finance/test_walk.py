"""Whatever happens, in whatever order: the walk closes, lines add up, and what was signed does not change."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.finance.closing import close_month
from pipelines.subjects import SUBJECTS
from tests.finance.worlds import ADMIN, Finance
from tests.history.snapshots import Row, Snapshot

pytestmark = pytest.mark.slow

FIRST = date(2026, 1, 29)
JANUARY = date(2026, 1, 1)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
UNKNOWN = [JANUARY + timedelta(days=offset) for offset in range(28)]
STATES: list[Row] = [
    {"email": "a@x.org"},
    {"email": "a@x.org", **ADMIN},
    {"email": "b@y.org"},
    {"email": "a@x.org", "status": "Disabled"},
    {"email": "new@x.org", "assigned_at": datetime(2026, 1, 30, 8, tzinfo=UTC)},
    {"email": "new@x.org", "assigned_at": datetime(2026, 2, 1, 1, tzinfo=UTC)},
    {"email": "private@y.org", "invite_id": "invite_2"},
]
INVITE: Row = {"status": "Pending", "email": "new@x.org", "assigned_at": datetime(2026, 1, 29, 8, tzinfo=UTC)}
PRICES = "User,all,,2026-01-31,10.01,USD\nUser,all,2026-01-31,,7.33,USD\nAdmin,all,,,13.37,USD"
BILLING = "organization,convention,currency,invites_take_seats"
CENTRES = "domain,x.org,X,,\nemail,a@x.org,A,2026-01-30,2026-02-01"

members = st.dictionaries(st.sampled_from(["user_1", "user_2", "user_3"]), st.sampled_from(STATES))
conventions = st.sampled_from(["month-end", "peak", "average", "seat-days"])


def snapshots() -> st.SearchStrategy[list[Snapshot]]:
    """Any of six days around a month's end, with any members and invites, each known or not; or a day of another
    organization two months later, so that none of its months between is known."""
    invites = st.dictionaries(st.sampled_from(["invite_1", "invite_2"]), st.just(INVITE))
    rosters = st.fixed_dictionaries({}, optional={"user": members, "invite": invites})
    day = st.integers(0, 5).map(lambda offset: FIRST + timedelta(days=offset))
    org = st.builds(Snapshot, organization=st.just("org"), day=day, rosters=rosters)
    other = st.builds(Snapshot, organization=st.just("other"), day=st.just(date(2026, 3, 2)), rosters=rosters)
    return st.lists(st.one_of(org, org, other), min_size=1, max_size=6)


@given(snapshots(), snapshots(), conventions, st.sampled_from(["", "true", "false"]))
def test_the_walk_closes_totals_add_up_and_what_was_signed_stays(
    before: list[Snapshot], after: list[Snapshot], convention: str, seated: str
):
    with TemporaryDirectory() as folder:
        world = Finance(Path(folder))
        world.reference(prices=PRICES, cost_centres=CENTRES, billing=f"{BILLING}\nall,{convention},,{seated}")
        world.publish(*before, Snapshot("org", FIRST, {"user": {"user_1": STATES[0]}}))
        _expect_sums(world, convention)
        close_month(SUBJECTS, world.tree, JANUARY, by="ada", now=NOW, acknowledged=_open_days(world))
        signed = world.ask("from finance_closed")
        total = world.ask("select sum(cost) from finance_closed")
        world.publish(*after)
        assert world.ask("from finance_closed") == signed
        assert world.ask("select sum(cost) from finance_statement where month = ?", JANUARY) == total
        _expect_sums(world, convention)
        _expect_adjustments_lead_to_what_is_known(world)


def _open_days(world: Finance) -> list[date]:
    found = world.ask("select day from finance_days where month = ? and state <> 'final'", JANUARY)
    return [day for (day,) in found]


def _expect_sums(world: Finance, convention: str) -> None:
    """The checks in the warehouse hold by publishing; here the same is asked in other words."""
    walk = world.ask(
        """select seats_before + joiners - leavers + changed_in - changed_out + restated - seats_month_end, is_closed
        from finance_statement"""
    )
    assert {difference for difference, _ in walk} <= {0}
    seats = Counter(dict(world.ask("select month, sum(seats_month_end)::bigint from finance_monthly group by month")))
    counted = world.ask(
        """select month, sum(seats)::bigint from finance_daily
        join internal.finance_months as months using (organization_id)
        where months.as_of = snapshot_date group by month"""
    )
    assert seats == Counter(dict(counted))
    if not world.ask("from finance_movements where movement in ('leaver', 'changed_out')"):
        assert [seats[month] for month in sorted(seats)] == sorted(seats.values())
    if convention == "month-end":
        assert world.ask("select * from finance_monthly where cost <> round(price * seats_month_end, 2)") == []


def _expect_adjustments_lead_to_what_is_known(world: Finance) -> None:
    """What was signed and its adjustments together are what is known now."""
    (signed,), (adjusted,), (known,) = (
        world.row(query, JANUARY)
        for query in (
            "select coalesce(sum(cost), 0) from finance_closed where month = ?",
            "select coalesce(sum(cost), 0) from finance_adjustments where restated_month = ?",
            "select coalesce(sum(cost), 0) from finance_monthly where month = ?",
        )
    )
    assert signed + adjusted == known
