"""Use, kept as bits, against a slow model that goes through it day by day, in whatever order the nights came in."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.history.snapshots import Row, Snapshot, World, ask, write_coverage, write_usage

pytestmark = pytest.mark.slow

FIRST = date(2026, 3, 31)  # so that a month, a week and an era of bits end in between
SPAN = 8
EMAILS = ["a@example.com", "B@example.com", "c@example.com"]
NAMES = ["ci", "batch"]
ASSIGNED = [None, datetime(2025, 5, 1, tzinfo=UTC), datetime(2026, 4, 3, 15, tzinfo=UTC)]

members = st.fixed_dictionaries(
    {
        "email": st.sampled_from([*EMAILS, None]),
        "role": st.sampled_from(["user", "admin"]),
        "assigned_at": st.sampled_from(ASSIGNED),
    }
)
keys = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "role": st.none(),
        "license_type": st.just("API Key"),
        "assigned_at": st.sampled_from(ASSIGNED),
    }
)
rosters = st.fixed_dictionaries(
    {},
    optional={
        "user": st.dictionaries(st.sampled_from(["user_1", "user_2", "user_3"]), members),
        "api_key": st.dictionaries(st.sampled_from(["key_1", "key_2"]), keys),
    },
)
# How long before the observation: within a week, or so late that it is told apart, or eras before.
ages = st.sampled_from([0, 0, 1, 1, 2, 3, 9, 40, 120, 400])
facts = st.one_of(
    st.tuples(st.just("user"), st.sampled_from(["user_1", "user_2", "gone"]), st.none(), ages),
    st.tuples(st.just("user"), st.none(), st.sampled_from([*EMAILS, "b@example.com", "x@example.com"]), ages),
    st.tuples(st.just("api_key"), st.sampled_from(["key_1", "key_2"]), st.none(), ages),
    st.tuples(st.just("api_key"), st.none(), st.sampled_from([*NAMES, "lost"]), ages),
    # an instant, be it of the morning after
    st.tuples(
        st.just("api_key"),
        st.sampled_from(["key_1", "key_2"]),
        st.integers(0, 23),
        st.sampled_from([-1, 0, 5, 120, 400]),
    ),
)
nights = st.dictionaries(
    st.integers(0, SPAN - 1), st.tuples(rosters, st.lists(facts, max_size=8), st.booleans()), min_size=1, max_size=6
)


def use_of(observed: date, fact: tuple[str, str | None, Any, int], place: int) -> Row:
    kind, holder, told, age = fact
    used = observed - timedelta(days=age)
    row: Row = {"holder_type": kind, "holder_id": holder, "usage_date": used}
    if isinstance(told, int):
        return row | {"source": "api_key", "used_at": datetime(used.year, used.month, used.day, told, tzinfo=UTC)}
    return row | {"subject": told, "source": ("analytics", "claude_code")[place % 2], "matched_by": "id"}


class Model:
    """What the files tell, gone through one by one."""

    def __init__(self, told: Mapping[date, tuple[Mapping[str, Mapping[str, Row]], list[Row]]]) -> None:
        self.days = {
            kind: sorted(day for day, (known, _) in told.items() if kind in known) for kind in ("user", "api_key")
        }
        self.rosters = {day: known for day, (known, _) in told.items()}
        self.reports = [(day, use) for day, (_, uses) in told.items() for use in uses]

    def subject(self, kind: str, row: Row) -> str | None:
        return (row.get("email") or "").lower() or None if kind == "user" else row.get("name")

    def holding(self, kind: str, subject: str, day: date | None) -> set[str]:
        return (
            {who for who, row in self.rosters[day][kind].items() if self.subject(kind, row) == subject}
            if day
            else set()
        )

    def bearers(self, kind: str, subject: str, used: date) -> set[str]:
        """At the day's end or beginning; else who bore it on the next day that is known, and was there already."""
        days = self.days[kind]
        before = max((day for day in days if day <= used), default=None)
        bore = self.holding(kind, subject, before)
        if before == used:
            bore = bore | self.holding(kind, subject, max((day for day in days if day < used), default=None))
        following = min((day for day in days if day >= used), default=None)
        if bore or following is None:
            return bore
        new = self.holding(kind, subject, following) - self.holding(
            kind, subject, max((day for day in days if day < following), default=None)
        )
        assigned = {who: self.rosters[following][kind][who]["assigned_at"] for who in new}
        return {who for who, at in assigned.items() if (at.date() <= used if at else following == days[0])}

    def usage(self) -> set[tuple[Any, ...]]:
        """Day, source, kind, id, name, how it is known, instant, first reported."""
        grouped: dict[tuple[Any, ...], list[tuple[Any, date]]] = defaultdict(list)
        for observed, use in self.reports:
            subject = use.get("subject")
            subject = subject.lower() if subject and use["holder_type"] == "user" else subject
            key = (use["usage_date"], use["source"], use["holder_type"], None if subject else use["holder_id"], subject)
            grouped[key].append((use.get("used_at"), observed))
        return {self._resolved(key, told) for key, told in grouped.items()}

    def _resolved(self, key: tuple[Any, ...], told: list[tuple[Any, date]]) -> tuple[Any, ...]:
        used, source, kind, holder, subject = key
        instant = max((at for at, _ in told if at), default=None)
        first = min(observed for _, observed in told)
        if subject is None:
            return used, source, kind, holder, None, "id", instant, first
        bearers = self.bearers(kind, subject, used)
        how = "unmatched" if not bearers else "ambiguous" if len(bearers) > 1 else "email" if kind == "user" else "name"
        return used, source, kind, min(bearers) if len(bearers) == 1 else None, subject, how, instant, first


USAGE = (
    "select usage_date, source, holder_type, holder_id, subject, matched_by, used_at, first_reported from license_usage"
)
CARRIED = (
    *("license_usage", "internal.usage_told", "internal.usage_named", "internal.holder_uses", "internal.active_counts"),
    *("license_assignments", "license_snapshots", "unused_licenses", "active_daily", "active_weekly", "active_monthly"),
)
USE = "organization_id, holder_type, holder_id, last_used_at, last_used_precision, last_used_source, last_used_state"
LAST_DAYS = f"""
    select {USE}, usage_observed_since, usage_observed_until, as_of from license_assignments
    {{}} select {USE}, usage_observed_since, usage_observed_until, snapshot_date from license_snapshots
"""


def stage(world: World, number: int, told: tuple[Any, list[Any], bool]) -> tuple[Snapshot, list[Row]]:
    observed = FIRST + timedelta(days=number)
    known, reported, watched = told
    uses = [use_of(observed, fact, place) for place, fact in enumerate(reported)]
    staged = world.tree.staging(f"run {world.nights + 1}")
    write_usage(staged, "org", observed, uses)
    if watched:
        write_coverage(staged, "org", observed, observed - timedelta(days=3))
    return Snapshot("org", observed, known), uses


@given(nights=nights, data=st.data())
def test_use_is_what_the_reports_tell_whatever_the_order_in_which_they_come(
    nights: dict[int, Any], data: st.DataObject
):
    order = data.draw(st.permutations(sorted(nights)))
    again = data.draw(st.lists(st.sampled_from(sorted(nights)), max_size=2))
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        told: dict[date, tuple[Any, list[Row]]] = {}
        for number in [*order, *again]:
            snapshot, uses = stage(world, number, nights[number])
            world.publish(snapshot)
            told[snapshot.day] = (snapshot.rosters, uses)
        found = world.ask(USAGE)
        assert len(found) == len(set(found))
        assert set(found) == Model(told).usage()
        anew = world.anew()
        for relation in CARRIED:
            assert counted(world.ask(f"from {relation}")) == counted(ask(anew, f"from {relation}")), relation
        assert world.ask(LAST_DAYS.format("except")) == []
        assert_active(world)


def counted(rows: Iterable[tuple[Any, ...]]) -> list[str]:
    return sorted(map(repr, rows))


def assert_active(world: World) -> None:
    """DAU, WAU and MAU, one holder after another."""
    stretches = world.ask("select holder_type, holder_id, license_type, valid_from, valid_to from license_history")
    last = max(day for (day,) in world.ask("select max(snapshot_date) from seat_counts_daily"))
    uses = world.ask(
        "select distinct holder_type, holder_id, usage_date from license_usage where holder_id is not null"
    )
    first = world.ask("select holder_type, min(snapshot_date) from seat_counts_daily group by all")
    shown = {
        (kind, who, used, license_type)
        for kind, who, used in uses
        for of_kind, of_whom, license_type, since, until in stretches
        if (kind, who) == (of_kind, of_whom) and since <= used <= last and (until is None or used < until)
    }
    begins = {
        "active_daily": ("day", lambda day: day),
        "active_weekly": ("week", lambda day: day - timedelta(days=day.weekday())),
        "active_monthly": ("month", lambda day: day.replace(day=1)),
    }
    for relation, (unit, begin) in begins.items():
        latest: dict[tuple[Any, ...], tuple[date, str]] = {}
        for kind, who, used, license_type in shown:
            place = (kind, who, begin(used))
            latest[place] = max(latest.get(place, (date.min, "")), (used, license_type))
        expected: dict[tuple[Any, ...], int] = defaultdict(int)
        for (kind, _, period), (_, license_type) in latest.items():
            expected[period, kind, license_type] += 1
        found = world.ask(f"select {unit}, holder_type, license_type, active from {relation}")
        assert {(period, kind, held): active for period, kind, held, active in found if active} == expected, relation
        assert {kind for _, kind, _, _ in found} <= {kind for kind, _ in first}
