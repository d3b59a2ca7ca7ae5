"""Whole quarters of made-up companies, in every switch: what the warehouse tells is the truth that could be known."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from assets.layout import DataDirectory, snapshot_file
from sandbox import (
    KeyShape,
    Listing,
    Options,
    Organization,
    Plan,
    Quirks,
    RateLimit,
    RetryAfter,
    Stall,
    UsageGeneration,
)
from sandbox.enterprise import latest_day
from tests.end_to_end.quarters import (
    ONE_DAY,
    Attributes,
    Change,
    Company,
    Event,
    Known,
    Published,
    Scenario,
    VirtualTime,
    backfill,
    end_of,
    live,
    night_after,
)

pytestmark = pytest.mark.slow

FIRST = date(2026, 2, 1)
"""A workspace is renamed in the quarter from here on, and somebody is removed who is a member of a sibling, too."""
SPRING = date(2026, 3, 10)
"""The weeks before it have that removal."""
SUMMER = date(2026, 6, 1)
"""Somebody gets another e-mail address."""

TIME = VirtualTime()


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def stall(first: int, last: int, *reports: Listing, **how: Any) -> Stall:
    """From the morning before the night `first` to the evening before the night `last`, in nights of a scenario."""
    if reports:
        how["reports"] = frozenset(reports)
    return Stall(
        since=at(FIRST) + timedelta(days=first, hours=7),
        until=at(FIRST) + timedelta(days=last, hours=20),
        **how,
    )


def refused(night: int, *lists: Listing, nights: int = 1, status: int = 403) -> Change:
    return Change(night, {"refused": dict.fromkeys(lists, status)}, nights)


QUIRKS = Quirks(
    renamed=(at(FIRST) + timedelta(days=35, hours=10), "Another Name AG"),
    invite_alias_percent=40,
    reinvited_percent=15,
    invite_expiry_lag=timedelta(days=2),
)
STALLED_TWICE = (stall(20, 34), stall(50, 59))

NEWER = Scenario(
    "newer",
    (
        Company(
            Organization("quarter 398", members=70, api_keys=40, quirks=QUIRKS),
            options={
                "page_cap": 25,
                "empty_page_every": 2,
                "key_shape": KeyShape.OLDER,
                "key_shape_from": (at(FIRST) + timedelta(days=30), KeyShape.NEWER),
            },
            changes=(
                Change(60, {"key_shape_from": None, "key_shape": KeyShape.BOTH}),
                *(
                    Change(night, {"rate_limit": RateLimit(requests=5, window_seconds=8, retry_after=form)}, nights=2)
                    for night, form in zip((5, 25, 45, 65, 75), RetryAfter, strict=True)
                ),
            ),
            stopwatch=TIME.now,
        ),
    ),
    FIRST,
    published_after=(29, 62),
)

STALLED = Scenario(
    "stalled",
    (
        Company(
            Organization("quarter 84", members=70, api_keys=40, quirks=replace(QUIRKS, shares_people_with="sister")),
            options={
                "stalls": STALLED_TWICE,
                "sibling": Organization("sister", members=70, api_keys=20),
                "parent_reports": True,
                "key_shape": KeyShape.BOTH,
                "keys_tell_last_use": True,
            },
            changes=(Change(64, {"unattributed_percent": 10}, nights=10),),
            looks=lambda night: night % 2 == 0,
        ),
    ),
    FIRST,
    published_after=(30, 52),
)

OLDER = Scenario(
    "older",
    (
        Company(
            Organization("quarter 321", members=70, api_keys=40, quirks=QUIRKS),
            options={
                "usage": UsageGeneration.REPORTS,
                "key_shape": KeyShape.OLDER,
                "claude_code_missed_percent": 100,
                "stalls": (
                    stall(20, 34, Listing.MESSAGES, days_missing=True),
                    stall(50, 59, Listing.MESSAGES),
                    stall(45, 63, Listing.CLAUDE_CODE),
                ),
            },
            changes=(
                # on nights when something changes in the list, or in one that looks something up in it
                refused(9, Listing.WORKSPACES, nights=2),
                refused(18, Listing.USERS, nights=2),
                refused(21, Listing.API_KEYS, status=404),
                refused(32, Listing.INVITES, nights=2),
                refused(38, Listing.MESSAGES, Listing.CLAUDE_CODE),
                refused(41, Listing.ACTIVITIES),
                refused(69, Listing.USERS, nights=3),
                refused(75, Listing.API_KEYS, Listing.INVITES, nights=2),
            ),
        ),
    ),
    FIRST,
    published_after=(28, 52),
)

POOR = Scenario(
    "poor",
    (
        Company(
            Organization("quarter 259", members=70, api_keys=40, quirks=QUIRKS),
            options={
                "usage": UsageGeneration.REPORTS,
                "keys_tell_last_use": True,
                "knows_include_default": False,
                "key_shape": KeyShape.OLDER,
                "key_shape_from": (at(SUMMER) + timedelta(days=50), KeyShape.NEWER),
                "page_cap": 10,
            },
            changes=(Change(0, {"workspaces_supported": False}, nights=20),),
            looks=lambda night: night % 3 == 0,
        ),
    ),
    SUMMER,
)

ENTERPRISE = Scenario(
    "enterprise",
    (
        Company(
            Organization("quarter 38", members=70, api_keys=0, plan=Plan.ENTERPRISE, quirks=QUIRKS),
            options={"stalls": STALLED_TWICE, "empty_page_every": 2, "page_cap": 20},
            changes=(
                Change(10, {"users_as_summaries": True}, nights=35),
                Change(36, {"tells_last_activity": False}, nights=10),
                refused(62, Listing.INVITES),
                refused(70, Listing.ANALYTICS_USERS, nights=3),
            ),
            looks=lambda night: night % 2 == 0,
        ),
    ),
    FIRST,
    published_after=(32, 56),
)

SISTER = Organization("quarter 65", members=60, api_keys=10)
SISTERS = Scenario(
    "sisters",
    (
        Company(
            Organization("quarter 41", members=60, api_keys=20, quirks=replace(QUIRKS, shares_people_with=SISTER.seed)),
            options={"sibling": SISTER},
            looks=lambda night: night % 3 == 0,
        ),
        Company(
            SISTER,
            looks=lambda night: night % 7 == 0 and night < 80,
        ),
    ),
    SPRING,
)

SCENARIOS = (NEWER, STALLED, OLDER, POOR, ENTERPRISE, SISTERS)


class Told:
    """What one warehouse tells, and what must be known by then."""

    def __init__(self, published: Published) -> None:
        self.published = published
        self.known = [Known(published.scenario, company, published.night) for company in published.scenario.companies]

    def ask(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with closing(duckdb.connect(str(self.published.warehouse), read_only=True)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return connection.execute(query, parameters).fetchall()


@pytest.fixture(scope="module", params=SCENARIOS, ids=lambda scenario: scenario.name)
def quarter(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """The quarter as its last warehouse tells it, and the ones before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)  # nobody pulls the plug here
        TIME.rule(patch)
        return [Told(one) for one in live(request.param, tmp_path_factory.mktemp(request.param.name))]


COLUMNS = ", ".join(Attributes._fields)
SHOWN = [column for column in Attributes._fields if column != "takes_seat"]
"""What `license_snapshots` has of them."""


def same(told: Counter[Any] | set[Any], expected: Counter[Any] | set[Any]) -> None:
    """The same elements; else the first of those that only one side has."""
    told, expected = Counter(told), Counter(expected)
    missing, invented = sorted((expected - told), key=str), sorted((told - expected), key=str)
    assert (missing[:3], invented[:3]) == ([], []), f"{len(missing)} missing, {len(invented)} invented"


def test_enough_happens():
    known = [Known(scenario, company, scenario.nights - 1) for scenario in SCENARIOS for company in scenario.companies]
    happened = Counter(event.event for one in known for event in one.events() if event.previous_date)
    assert happened.keys() >= {
        *("joined", "left", "returned", "invited", "accepted", "invite_ended", "role_changed", "license_changed"),
        *("renamed", "email_changed", "assigned_again", "status_changed", "status_word_changed", "seat_rule_changed"),
        *("workspace_moved", "workspace_renamed", "owner_left", "owner_status_changed", "owner_email_changed"),
    }, happened


def test_every_day_shows_the_truth_of_its_night(quarter: list[Told]):
    for told in quarter:
        rows = told.ask(
            f"select organization_id, holder_type, snapshot_date, holder_id, {', '.join(SHOWN)} from license_snapshots"
        )
        same(
            Counter(rows),
            Counter(
                (known.organization.id, kind, day, holder, *(getattr(row, column) for column in SHOWN))
                for known in told.known
                for kind, by_day in known.rosters.items()
                for day, roster in by_day.items()
                for holder, row in roster.items()
            ),
        )


def test_no_stretch_of_the_history_ends_without_a_difference(quarter: list[Told]):
    for told in quarter:
        rows = told.ask(
            f"select organization_id, holder_type, holder_id, valid_from, valid_to, {COLUMNS} from license_history"
        )
        same(
            Counter((*row[:5], Attributes(*row[5:])) for row in rows),
            Counter((known.organization.id, *stretch) for known in told.known for stretch in known.history()),
        )


def test_the_events_are_the_differences_of_neighbouring_days(quarter: list[Told]):
    for told in quarter:
        rows = told.ask(f"select organization_id, {', '.join(Event._fields)} from license_events")
        same(
            Counter(rows), Counter((known.organization.id, *event) for known in told.known for event in known.events())
        )


def test_the_seats_of_each_day_are_counted(quarter: list[Told]):
    for told in quarter:
        rows = told.ask(
            """select organization_id, snapshot_date, holder_type, license_type, status, takes_seat, seats
            from seat_counts_daily"""
        )
        same(
            Counter(rows),
            Counter(
                (known.organization.id, *which, seats) for known in told.known for which, seats in known.seats().items()
            ),
        )


def test_who_accepts_an_invite_joins_once_and_leaves_nothing(quarter: list[Told]):
    for told in quarter:
        rows = told.ask("select organization_id, event_date, movement, holder_type, holder_id from finance_movements")
        same(
            Counter(rows),
            Counter((known.organization.id, *move) for known in told.known for move in known.movements()),
        )


# Use.


LOOKS_BACK = timedelta(days=89)


def faults_of_use(row: Any, day: date, used: set[date]) -> Iterator[str]:
    """What a row says of use that is not so, or that nobody can know. `used` is the truth."""
    assigned, state = row["assigned_at"].date(), row["last_used_state"]
    since, until = row["usage_observed_since"], row["usage_observed_until"]
    last = row["last_used_at"] and row["last_used_at"].date()
    if (state == "used") != (last is not None):
        yield f"{state} with last use {last}"
    if last and not (last in used and assigned <= last <= day):
        yield f"last use {last} is none"
    if state == "never_seen" and (since is None or until is None or until < assigned):
        yield f"never_seen, watched from {since} to {until}"
    if since and until:
        overlooked = [
            one for one in used if max(since, assigned) <= one <= min(until, day) and (not last or one > last)
        ]
        if overlooked:
            yield f"watched from {since} to {until}, last use {last}, but used on {max(overlooked)}"


USE = "last_used_at, last_used_state, usage_observed_since, usage_observed_until, assigned_at"


def test_nobody_who_used_the_license_is_called_unused(quarter: list[Told]):
    for told in quarter:
        for known in told.known:
            used = known.used_days
            rows = told.ask(
                f"select snapshot_date, holder_type, holder_id, {USE} from license_snapshots "
                "where holder_type <> 'invite' and organization_id = $id",
                id=known.organization.id,
            )
            faults = [
                (day, kind, holder, fault)
                for day, kind, holder, *rest in rows
                for fault in faults_of_use(
                    dict(zip(USE.split(", "), rest, strict=True)), day, used.get((kind, holder), set())
                )
            ]
            assert faults[:3] == [], len(faults)


def test_each_nights_own_rows_call_nobody_unused_who_used_the_license(quarter: list[Told]):
    told = quarter[-1]
    for known in told.known:
        used = known.used_days
        faults = []
        for night in known.nights:
            file = snapshot_file(told.published.data, night.day, known.organization.id)
            rows = pq.ParquetFile(file).read(columns=["holder_type", "holder_id", *USE.split(", ")]).to_pylist()
            faults += [
                (night.day, row["holder_type"], row["holder_id"], fault)
                for row in rows
                if row["holder_type"] != "invite"
                for fault in faults_of_use(row, night.day, used.get((row["holder_type"], row["holder_id"]), set()))
            ]
        assert faults[:3] == [], len(faults)


def test_days_unused_are_days_without_use(quarter: list[Told]):
    for told in quarter:
        for known in told.known:
            used = known.used_days
            rows = told.ask(
                """select holder_type, holder_id, as_of, usage_observed_until, days_unused_proven, certainty,
                days_since_last_use from unused_licenses where holder_type <> 'invite' and organization_id = $id""",
                id=known.organization.id,
            )
            assert rows
            for kind, holder, as_of, until, proven, certainty, since_last in rows:
                days = {day for day in used.get((kind, holder), set()) if day <= as_of}
                if proven:
                    assert not {until - timedelta(days=n) for n in range(proven)} & days, (kind, holder)
                if certainty == "exact":
                    assert since_last == (as_of - max(days)).days, (kind, holder)
                if certainty == "at most":
                    assert since_last >= (as_of - max(days)).days, (kind, holder)


def test_where_a_source_sees_all_the_last_use_is_the_truths_once_it_has_caught_up(quarter: list[Told]):
    told = quarter[-1]
    for known in told.known:
        kinds = sees_all(known)
        used, until = known.used_days, reached(known)
        rows = told.ask(
            f"select snapshot_date, holder_type, holder_id, {USE} from license_snapshots "
            "where list_contains($kinds, holder_type) and organization_id = $id and snapshot_date <= $until",
            id=known.organization.id,
            kinds=list(kinds),
            until=until,
        )
        faults = []
        for day, kind, holder, last, state, since, to, assigned in rows:
            first = date.min if known.nights[0].options.keys_tell_last_use and kind == "api_key" else kinds[kind]
            days = [one for one in used.get((kind, holder), set()) if max(first, assigned.date()) <= one <= day]
            expected = (max(days, default=None), "used" if days else "never_seen", kinds[kind], day)
            if (last and last.date(), state, since, to) != expected:
                faults.append((day, kind, holder, (last, state, since, to), expected))
        assert faults[:3] == [], len(faults)
        assert not kinds or {state for *_, state, _, _, _ in rows} == {"used", "never_seen"}


def sees_all(known: Known) -> dict[str, date]:
    """The kinds of holders all of whose use some report tells, and since when it has been asked."""
    usage = known.nights[0].options.usage
    analytics = date(2026, 1, 1)
    if known.organization.plan is Plan.ENTERPRISE:  # which is asked day by day, for a month at first
        return {"user": max(analytics, known.nights[0].day - timedelta(days=30))}
    if usage is UsageGeneration.REPORTS:
        return {"api_key": known.nights[0].day - LOOKS_BACK}
    if any(night.options.unattributed_percent for night in known.nights):
        return {"api_key": analytics}
    return {"user": analytics, "api_key": analytics}


def reached(known: Known) -> date:
    """The last day of which the reports had told all, and could be known to have, by the last night."""
    if known.organization.plan is Plan.ENTERPRISE:
        return max(latest_day(night_after(night.day).date()) for night in known.nights)
    # The older reports do not say how far they are: a later day has to tell it.
    older = known.nights[0].options.usage is UsageGeneration.REPORTS
    return known.nights[-1].day - (ONE_DAY if older else timedelta(0))


def test_whom_only_the_claude_code_report_sees_is_never_called_never_seen(quarter: list[Told]):
    for told in quarter:
        for known in told.known:
            if known.nights[0].options.usage is UsageGeneration.REPORTS:
                assert told.ask(
                    "select distinct usage_observed_since, last_used_state = 'never_seen' from license_snapshots "
                    "where holder_type = 'user'"
                ) == [(None, False)]


# The weeks before, out of the feed.

FEEDS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "does not filter": {"feed_ignores_organization_ids": True},
    "tells no uuid": {"feed_tells_uuid": False, "empty_feed_page_every": 2},
}
UNTOLD = {"feed_ignores_organization_ids": True, "feed_tells_uuid": False}
"""`/me` answers a UUID: then nothing tells which of two organizations an entry is about."""
WEEKS_BEFORE = [SPRING - timedelta(days=ago) for ago in range(24, 0, -1)]


def closing_state(organization: Organization, day: date) -> Counter[tuple[str, str, str | None, str]]:
    """Everybody at the close of a day: kind, id, role, status."""
    state = organization.truth(day)
    users = [("user", row.id, row.role, "Active") for row in state.members]
    keys = [("api_key", row.id, None, "Active" if row.status == "active" else "Disabled") for row in state.api_keys]
    invites = [
        ("invite", row.id, row.role, "Pending")
        for row in state.invites
        if row.status == "pending" and row.expires_at >= end_of(day)
    ]
    return Counter([*users, *keys, *invites])


@pytest.fixture(scope="module")
def sisters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with both sisters' quarter, of which the feed of one is to be asked."""
    folder = tmp_path_factory.mktemp("with-feed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        live(replace(SISTERS, nights=4, published_after=()), folder)
    return folder


def weeks_before(sisters: Path, root: Path, **feed: Any) -> tuple[dict[str, int], Told]:
    """What becomes of the weeks before, in a copy of the data directory, and what is told then."""
    shutil.copytree(sisters, root)
    data, now = DataDirectory(root), night_after(SPRING + timedelta(days=3))
    company = SISTERS.companies[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        done = backfill(company.organization, Options(**(dict(company.options) | feed)), WEEKS_BEFORE, data, now)
    return done, Told(Published(replace(SISTERS, nights=4), 3, data, data.warehouse))


@pytest.fixture(scope="module", params=FEEDS, ids=str)
def reconstructed(request: pytest.FixtureRequest, sisters: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    done, told = weeks_before(sisters, tmp_path_factory.mktemp("reconstructed") / "data", **FEEDS[request.param])
    assert done == {"reconstruct": len(WEEKS_BEFORE)}
    return told


def test_of_a_feed_that_does_not_tell_whose_its_entries_are_nothing_is_made(sisters: Path, tmp_path: Path):
    done, told = weeks_before(sisters, tmp_path / "data", **UNTOLD)
    assert done == {}
    assert told.ask("select min(snapshot_date) from snapshot_log") == [(SPRING,)]


def test_each_reconstructed_day_is_the_truth_and_holds_nobody_of_the_sibling(reconstructed: Told):
    organization = reconstructed.known[0].organization
    rows = reconstructed.ask(
        """select snapshot_date, holder_type, holder_id, role, status from license_snapshots
        where provenance = 'reconstructed' and organization_id = $id""",
        id=organization.id,
    )
    same(
        Counter(rows),
        Counter({(day, *row): n for day in WEEKS_BEFORE for row, n in closing_state(organization, day).items()}),
    )
    assert reconstructed.ask("select count(*) from reconstruction_conflicts") == [(0,)]
    assert reconstructed.ask("select count(*) from snapshot_log where conflicts > 0") == [(0,)]


def test_the_events_of_reconstructed_days_are_their_differences(reconstructed: Told):
    known = reconstructed.known[0]
    days = [*WEEKS_BEFORE, SPRING]
    states = {day: {row[:2]: row for row in closing_state(known.organization, day)} for day in WEEKS_BEFORE}
    states[SPRING] = {
        (kind, holder): (kind, holder, row.role, row.status)
        for kind, by_day in known.rosters.items()
        for holder, row in by_day[SPRING].items()
    }
    expected, seen = Counter[Any](), set(states[days[0]])
    for before, day in pairwise(days):
        old, new = states[before], states[day]
        for holder in new.keys() - old.keys():
            came = "invited" if holder[0] == "invite" else "returned" if holder in seen else "joined"
            expected[(day, *holder, came)] += 1
        for holder in old.keys() - new.keys():
            expected[(day, *holder, "left" if holder[0] != "invite" else "invite gone")] += 1
        for holder in old.keys() & new.keys():
            expected[(day, *holder, "role_changed")] += old[holder][2] != new[holder][2]
            expected[(day, *holder, "status_changed")] += old[holder][3] != new[holder][3]
        seen |= new.keys()
    rows = reconstructed.ask(
        """select event_date, holder_type, holder_id,
            case when event in ('accepted', 'invite_ended') then 'invite gone' else event end
        from license_events where organization_id = $id and event_date > $first and event_date <= $last
            and event in ('joined', 'left', 'returned', 'role_changed', 'status_changed', 'invited', 'accepted',
                'invite_ended')""",
        id=known.organization.id,
        first=days[0],
        last=SPRING,
    )
    same(Counter(rows), +expected)
    unsure = reconstructed.ask(
        """select * from license_events where organization_id = $id and event_date <= $last
            and event in ('assigned_again', 'renamed', 'email_changed') and holder_type = 'user'""",
        id=known.organization.id,
        last=SPRING,
    )
    assert unsure == []


def test_what_one_sister_was_not_asked_does_not_make_the_sum_fall(quarter: list[Told]):
    """Of organizations that are looked at on different days, every day has both."""
    for told in quarter:
        if len(told.known) == 1:
            continue
        sums = dict(
            told.ask("select snapshot_date, count(distinct organization_id) from seat_counts_daily group by all")
        )
        day = SPRING
        while day <= told.known[0].last_day:
            assert sums[day] == len(told.known)
            day += ONE_DAY
