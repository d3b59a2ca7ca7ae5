"""Whole quarters of made-up companies: their nights as the job would make them, and what must be known of them.

`live` lets a scenario's nights pass over real HTTP. `Known` computes what must come of it from the sandbox's
`Organization` alone: the state of 02:00 less what came into being after midnight, with the invites that ended after it;
and, of lists that were refused for a night, what was known last. It reads nothing that the pipeline has made.
"""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from assets.extraction import deadline, patience
from assets.extraction.client import Client
from assets.extraction.coverage import covered_to, spoke_to
from assets.extraction.observe import observe
from assets.extraction.organizations import Access, Credential, KeyHolder, who_is
from assets.files.publishing import discard, publishing
from assets.layout import COVERAGE, SNAPSHOTS, USAGE, DataDirectory
from assets.resources import DropGuard
from assets.snapshots.ending import Loading
from assets.snapshots.observed.derive import derive
from assets.snapshots.past.fill import Feeds, Filling, fill
from assets.snapshots.past.plan import Wish, plan
from assets.warehouse.publish import publish
from pipelines.subjects import SUBJECTS
from sandbox import Clock, KeyShape, Listing, Options, Organization, Plan, Switches, create_app, serving
from sandbox.rows import ApiKey, HolderKind, Invite, Member
from sandbox.timeline import FIRST_DAY

ONE_DAY = timedelta(days=1)
ADMIN_KEY, ENTERPRISE_KEY = "sk-ant-admin01-quarters", "sk-ant-api01-quarters-enterprise"
LICENSE_TYPES = {
    "admin": "Admin",
    "developer": "Developer",
    "billing": "Billing",
    "user": "User",
    "claude_code_user": "Claude Code User",
    "managed": "Managed User",
    "membership_admin": "Membership Admin",
    "owner": "Owner",
    "primary_owner": "Primary Owner",
}

Holder = tuple[str, str]
"""A kind of holder and an id."""


def end_of(day: date) -> datetime:
    return datetime.combine(day + ONE_DAY, time(), UTC)


def night_after(day: date) -> datetime:
    return end_of(day) + timedelta(hours=2)


@dataclass(frozen=True)
class Change:
    """Options of the server that hold from one night on, or for that night only."""

    night: int
    options: Mapping[str, Any]
    nights: int | None = None

    def holds(self, night: int) -> bool:
        return self.night <= night and (self.nights is None or night < self.night + self.nights)


@dataclass(frozen=True)
class Company:
    """One organization, how its server behaves, and the nights on which somebody looked at it."""

    organization: Organization
    options: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    looks: Callable[[int], bool] = lambda night: True
    stopwatch: Callable[[], float] | None = None

    def options_of(self, night: int) -> Options:
        merged = dict(self.options)
        for change in self.changes:
            if change.holds(night):
                merged |= change.options
        return Options(**merged)

    @property
    def key(self) -> str:
        return ENTERPRISE_KEY if self.organization.plan is Plan.ENTERPRISE else ADMIN_KEY


class VirtualTime:
    """Seconds that also pass by waiting, which takes no time: the same ones for the pipeline and a sandbox's limit."""

    def __init__(self) -> None:
        self._lock, self._waited = threading.Lock(), 0.0

    def now(self) -> float:
        return monotonic() + self._waited

    def wait(self, seconds: float) -> None:
        with self._lock:
            self._waited += seconds

    def rule(self, patch: pytest.MonkeyPatch) -> None:
        """Let the pipeline's patience go by this time."""
        patch.setattr(patience, "sleep", self.wait)
        patch.setattr(patience, "monotonic", self.now)
        patch.setattr(deadline, "time", SimpleNamespace(monotonic=self.now))


@dataclass(frozen=True)
class Scenario:
    name: str
    companies: tuple[Company, ...]
    first: date
    nights: int = 91
    published_after: tuple[int, ...] = (40,)
    """After which nights, besides the last, the warehouse is published."""

    def day(self, night: int) -> date:
        return self.first + timedelta(days=night)

    @property
    def checkpoints(self) -> tuple[int, ...]:
        return (*self.published_after, self.nights - 1)


class Published(NamedTuple):
    """A warehouse as it stood after a night."""

    scenario: Scenario
    night: int
    data: DataDirectory
    warehouse: Path


def live(scenario: Scenario, root: Path) -> list[Published]:
    """Let the quarter pass; the warehouses of its checkpoints."""
    data, published = DataDirectory(root), []
    with ExitStack() as stack:
        servers = [_Server(company, scenario, stack) for company in scenario.companies]
        for night in range(scenario.nights):
            for server in servers:
                if server.company.looks(night):
                    server.look(night, data)
            if night in scenario.checkpoints:
                publish(SUBJECTS, data, data.staging("publish"), night_after(scenario.day(night)))
                kept = root / f"after-{night}.duckdb"
                shutil.copyfile(data.warehouse, kept)
                published.append(Published(scenario, night, data, kept))
    return published


class _Server:
    def __init__(self, company: Company, scenario: Scenario, stack: ExitStack) -> None:
        self.company, self.scenario = company, scenario
        self.clock, self.switches = Clock(night_after(scenario.first)), Switches()
        app = create_app(company.organization, clock=self.clock.now, options=self.switches, stopwatch=company.stopwatch)
        self.url = stack.enter_context(serving(app))
        self.client = stack.enter_context(Client(self.url, company.key))

    def look(self, night: int, data: DataDirectory) -> None:
        """One night: observed, derived and put in place, as the job does it."""
        day = self.scenario.day(night)
        at, run = night_after(day), f"night {night}"
        self.clock.set(at)
        self.switches.options = self.company.options_of(night)
        organization = who_is(self.client)
        access = Access(organization, "company", (KeyHolder("KEY", self.client),))
        observation = observe(
            access,
            day,
            data=data,
            observed_at=at,
            run_id=run,
            covered_to=covered_to(data, organization.id, day),
            spoke_to=spoke_to(data, organization.id, day),
        )
        staged = data.staging("night")
        try:
            derive(observation, data, staged, DropGuard(), Loading(at, run))
            with publishing(staged, data, (USAGE, COVERAGE, SNAPSHOTS)):
                pass
        finally:
            discard(staged)


def backfill(
    organization: Organization, options: Options, days: list[date], data: DataDirectory, now: datetime
) -> dict[str, int]:
    """Fill past days from the feed as `licenses backfill` does; how many days each action got."""
    clock = Clock(now)
    done: dict[str, int] = {}
    with ExitStack() as stack:
        url = stack.enter_context(serving(create_app(organization, clock=clock.now, options=options)))
        feeds = Feeds(lambda: [Credential("company", "KEY", ADMIN_KEY)], url, stack)
        how = Filling(data, data.staging("backfill"), now, "backfill", None)
        plans = plan(data, [organization.id], days, Wish(), now, feeds.prove)
        for one, _ in fill(plans, feeds, how):
            done[one.action.value] = done.get(one.action.value, 0) + 1
        discard(data.staging("backfill"))
        publish(SUBJECTS, data, data.staging("publish"), now)
    return done


# What must be known.


class Attributes(NamedTuple):
    license_type: str
    takes_seat: bool
    role: str | None
    status: str
    status_raw: str | None
    name: str | None
    email: str | None
    owner_user_id: str | None
    owner_email: str | None
    owner_type: str | None
    owner_status: str | None
    workspace_id: str | None
    workspace_name: str | None
    key_scope: str | None
    key_hint: str | None
    expires_at: datetime | None
    assigned_at: datetime


class Event(NamedTuple):
    event_date: date
    previous_date: date | None
    holder_type: str
    holder_id: str
    event: str
    attribute: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Night:
    """A night on which somebody looked: what the server let them see."""

    number: int
    day: date
    options: Options

    def reads(self, listing: Listing) -> bool:
        return listing not in self.options.refused

    @property
    def shape(self) -> KeyShape:
        shape = self.options.key_shape_at(night_after(self.day))
        return KeyShape.OLDER if shape is KeyShape.BY_VERSION else shape  # the pipeline asks for the older version

    @property
    def lists_workspaces(self) -> bool:
        return self.options.workspaces_supported and self.reads(Listing.WORKSPACES)

    @property
    def tells_default(self) -> bool:
        return self.lists_workspaces and self.options.knows_include_default


ROSTERS = {"user": Listing.USERS, "api_key": Listing.API_KEYS, "invite": Listing.INVITES}


class Known:
    """What must be known of one company after the nights up to `until`, computed from its truth alone."""

    def __init__(self, scenario: Scenario, company: Company, until: int) -> None:
        self.company, self.organization = company, company.organization
        self.nights = [
            Night(number, scenario.day(number), company.options_of(number))
            for number in range(until + 1)
            if company.looks(number)
        ]
        self.last_day = max(scenario.day(n) for n in range(until + 1) for one in scenario.companies if one.looks(n))

    def days(self, holder_type: str) -> list[date]:
        """The days on which that roster was read."""
        if holder_type == "api_key" and self.organization.plan is Plan.ENTERPRISE:
            return []
        return [night.day for night in self.nights if night.reads(ROSTERS[holder_type])]

    def last_read(self, holder_type: str, day: date) -> date | None:
        return max((one for one in self.days(holder_type) if one <= day), default=None)

    @cached_property
    def rosters(self) -> dict[str, dict[date, dict[str, Attributes]]]:
        """By kind of holder and day on which it was read: everybody by id."""
        makers = {"user": self._users, "api_key": self._keys, "invite": self._invites}
        return {kind: {day: make(day) for day in self.days(kind)} for kind, make in makers.items()}

    # The rosters of a day

    def _members(self, day: date) -> dict[str, Member]:
        state = self.organization.members(night_after(day))
        return {row.id: row for row in state if row.added_at < end_of(day)}

    def _users(self, day: date) -> dict[str, Attributes]:
        return {
            row.id: _attributes(
                license_type=LICENSE_TYPES[row.role],
                takes_seat=True,
                role=row.role,
                status="Active",
                name=row.name,
                email=row.email,
                assigned_at=row.added_at,
            )
            for row in self._members(day).values()
        }

    def _keys(self, day: date) -> dict[str, Attributes]:
        state = self.organization.api_keys(night_after(day))
        return {row.id: self._key(row, day) for row in state if row.created_at < end_of(day)}

    def _key(self, row: ApiKey, day: date) -> Attributes:
        owner = row.principal or row.created_by
        owner_status, owner_email = self._owner(row, day)
        workspace_id, key_scope = self._place(row)
        return _attributes(
            license_type="API Key",
            takes_seat=False,
            status="Active" if row.status == "active" else "Disabled",
            status_raw=row.status,
            name=row.name,
            owner_user_id=owner and owner.id,
            owner_email=owner_email,
            owner_type=owner and owner.type.value,
            owner_status=owner_status,
            workspace_id=workspace_id,
            workspace_name=self._workspace_name(workspace_id, day),
            key_scope=key_scope,
            key_hint=row.partial_key_hint,
            expires_at=row.expires_at,
            assigned_at=row.created_at,
        )

    def _owner(self, row: ApiKey, day: date) -> tuple[str, str | None]:
        """Whether the owner was a member when the members were last read, and the address."""
        owner = row.principal or row.created_by
        if owner is None:
            return "unknown", None
        if owner.type is HolderKind.SERVICE_ACCOUNT:
            return "service_account", None
        read = self.last_read("user", day)
        if read is None:
            return "unknown", None
        if member := self._members(read).get(owner.id):
            return "member", member.email
        return ("left" if row.created_at < end_of(read) else "unknown"), None

    @cached_property
    def _default(self) -> str | None:
        """The default workspace's id, if any answer told which one it is."""
        key_nights = [night for night in self.nights if night.reads(Listing.API_KEYS) and night.lists_workspaces]
        told = any(night.tells_default for night in self.nights) or any(
            night.shape is not KeyShape.OLDER for night in key_nights
        )
        return self.organization.default_workspace.id if told else None

    def _place(self, row: ApiKey) -> tuple[str | None, str | None]:
        """The workspace and the scope, in one form whatever shape the keys had."""
        scoped = any(
            night.shape is not KeyShape.OLDER and night.reads(Listing.API_KEYS) and row.created_at < end_of(night.day)
            for night in self.nights
        )
        if row.workspace_id:
            return row.workspace_id, "workspace"
        if row.of_organization and scoped:
            return None, "organization"
        if self._default:
            return self._default, "workspace"
        return None, None

    def _workspace_name(self, workspace_id: str | None, day: date) -> str | None:
        if workspace_id is None:
            return None
        listed = [night for night in self.nights if night.lists_workspaces]
        if workspace_id == self.organization.default_workspace.id:
            return "Default" if any(n.tells_default and n.shape is not KeyShape.OLDER for n in listed) else None
        read = [night.day for night in listed if night.day <= day]
        # before any list was read, the first that was
        told = read[-1] if read else min((night.day for night in listed), default=None)
        if told is None:
            return None
        names = {one.id: one.name for one in self.organization.workspaces(night_after(told))}
        return names.get(workspace_id)

    def _pending(self, day: date) -> dict[str, Invite]:
        """The invites that were open at the close; of one that ended in the two hours since, what can be told."""
        end = end_of(day)
        return {
            row.id: row
            for row in self.organization.invites(night_after(day))
            if row.invited_at < end <= row.expires_at
            and (row.status == "pending" or (row.id in self._open_at(end) and self._hears_its_end(row, day)))
        }

    def _open_at(self, end: datetime) -> set[str]:
        return {row.id for row in self.organization.invites(end) if row.status == "pending"}

    def _hears_its_end(self, row: Invite, day: date) -> bool:
        """Whether the feed tells when it ended, or a member with its address who was added since."""
        night = next(one for one in self.nights if one.day == day)
        if row.status in ("accepted", "deleted") and night.options.feed and night.reads(Listing.ACTIVITIES):
            return True
        members = self.organization.members(night_after(day)) if night.reads(Listing.USERS) else ()
        return row.status == "accepted" and any(
            one.added_at >= end_of(day) and one.email.lower() == row.email.lower() for one in members
        )

    def _invites(self, day: date) -> dict[str, Attributes]:
        return {
            row.id: _attributes(
                license_type=LICENSE_TYPES[row.role],
                takes_seat=not self._is_seated(row, day),
                role=row.role,
                status="Pending",
                status_raw="pending",
                email=row.email,
                assigned_at=row.invited_at,
            )
            for row in self._pending(day).values()
        }

    def _is_seated(self, row: Invite, day: date) -> bool:
        """Whether the invited person is a member by what was last read."""
        read = self.last_read("user", day)
        members = self._members(read) if read else {}
        return self.links.get(row.id) in members or any(
            one.email.lower() == row.email.lower() for one in members.values()
        )

    @cached_property
    def links(self) -> dict[str, str]:
        """The accepted invites whose member can be told: by the address, or by the feed of that night."""
        now = night_after(self.nights[-1].day)
        rows = {row.id: row for row in self.organization.invites(now)}
        told = {}
        for invite_id, member_id in self.organization.invite_links(now).items():
            invite, joined = rows[invite_id], self._joined(member_id)
            heard = any(
                end_of(night.day) - ONE_DAY <= invite.accepted_at <= night_after(night.day)
                and night.reads(Listing.ACTIVITIES)
                and night.options.feed
                and night.reads(Listing.USERS)
                and member_id in self._members(night.day)
                for night in self.nights
                if invite.accepted_at is not None
            )
            if heard or (joined and joined.email.lower() == invite.email.lower()):
                told[invite_id] = member_id
        return told

    def _joined(self, member_id: str) -> Member | None:
        return next((found for day in self.days("user") if (found := self._members(day).get(member_id))), None)

    # What follows from the rosters

    def history(self) -> set[tuple[str, str, date, date | None, Attributes]]:
        """The unbroken stretches of equal attributes."""
        stretches = set()
        for kind, by_day in self.rosters.items():
            days = list(by_day)
            for holder in {holder for roster in by_day.values() for holder in roster}:
                since: date | None = None
                for day, next_day in zip(days, [*days[1:], None], strict=True):
                    now = by_day[day].get(holder)
                    later = by_day[next_day].get(holder) if next_day else None
                    if now is None:
                        continue
                    since = since or day
                    if now != later:
                        stretches.add((kind, holder, since, next_day, now))
                        since = None
        return stretches

    def events(self) -> list[Event]:
        return sorted(event for kind, by_day in self.rosters.items() for event in self._events(kind, by_day))

    def _events(self, kind: str, by_day: Mapping[date, Mapping[str, Attributes]]) -> Iterator[Event]:
        seen: set[str] = set()
        before: Mapping[str, Attributes] = {}
        previous: date | None = None
        for day, now in by_day.items():
            for holder in before.keys() | now.keys():
                old, new = before.get(holder), now.get(holder)
                for event, attribute, was, becomes in self._differences(kind, holder, old, new, holder in seen):
                    yield Event(day, previous, kind, holder, event, attribute, was, becomes)
            seen |= now.keys()
            before, previous = now, day

    def _differences(
        self, kind: str, holder: str, old: Attributes | None, new: Attributes | None, known: bool
    ) -> Iterator[tuple[str, str, str | None, str | None]]:
        if old is None and new is not None:
            came = "invited" if kind == "invite" else "returned" if known else "joined"
            yield came, "license_type", None, new.license_type
        elif new is None and old is not None:
            ended = "accepted" if holder in self.links else "invite_ended"
            yield ended if kind == "invite" else "left", "license_type", old.license_type, None
        elif old is not None and new is not None:
            yield from _changes(old, new)

    def seats(self) -> dict[tuple[date, str, str, str, bool], int]:
        """Per calendar day: how many of each; what was not read stays as it was, and nobody is nobody."""
        counts: dict[tuple[date, str, str, str, bool], int] = {}
        for kind, by_day in self.rosters.items():
            if not by_day:
                continue
            kinds: set[tuple[str, str, bool]] = set()
            day = min(by_day)
            while day <= self.last_day:
                read = self.last_read(kind, day)
                assert read is not None
                roster = by_day[read]
                now = [(one.license_type, one.status, one.takes_seat) for one in roster.values()]
                kinds |= set(now)
                for which in kinds:
                    counts[(day, kind, *which)] = now.count(which)
                day += ONE_DAY
        return counts

    def movements(self) -> list[tuple[date, str, str, str]]:
        """Finance's: day, movement, the holder's kind and id. Who was invited and became a member is one person."""
        told: list[tuple[date, str, str, str]] = []
        before: dict[Holder, tuple[str, Holder]] = {}
        days = self.days("user")
        seats = {day: self._seats(day) for day in days}
        were_invites = {seat for now in seats.values() for seat, (_, holder) in now.items() if holder[0] == "invite"}
        for day in days:
            now = seats[day]
            for seat in before.keys() - now.keys():
                _, holder = before[seat]
                is_accepted = holder[0] == "invite" and any(
                    seats[later].get(seat, ("", ("", "")))[1][0] == "user" for later in days if later > day
                )
                told.append((day, "changed_out" if is_accepted else "leaver", *holder))
            for seat in now.keys() - before.keys():
                _, holder = now[seat]
                accepts = (
                    holder[0] == "user"
                    and seat in were_invites
                    and not any(
                        seats[earlier].get(seat, ("", ("", "")))[1][0] == "user" for earlier in days if earlier < day
                    )
                )
                told.append((day, "changed_in" if accepts else "joiner", *holder))
            for seat in before.keys() & now.keys():
                if before[seat][0] != now[seat][0]:
                    told += [(day, "changed_out", *before[seat][1]), (day, "changed_in", *now[seat][1])]
            before = now
        return sorted(told)

    def _seats(self, day: date) -> dict[Holder, tuple[str, Holder]]:
        """Whose seat finance counts: its license type and who holds it."""
        users = {("user", one): (row.license_type, ("user", one)) for one, row in self.rosters["user"][day].items()}
        read = self.last_read("invite", day)
        pending = self._pending(read).values() if read else ()
        invites = {
            ("user", self.links[row.id]) if row.id in self.links else ("invite", row.id): (
                LICENSE_TYPES[row.role],
                ("invite", row.id),
            )
            for row in pending
            if not self._is_seated(row, day)
        }
        return invites | users

    # Use

    @cached_property
    def used_days(self) -> dict[Holder, set[date]]:
        """On which days each person and key used anything, in truth, since the company began."""
        days: dict[Holder, set[date]] = {}
        for ordinal in range(FIRST_DAY.toordinal(), self.last_day.toordinal() + 1):
            day = date.fromordinal(ordinal)
            for use in self.organization.usage(day):
                if use.user_id:
                    days.setdefault(("user", use.user_id), set()).add(day)
                if use.api_key_id:
                    days.setdefault(("api_key", use.api_key_id), set()).add(day)
        return days


def _attributes(**given: Any) -> Attributes:
    nothing: dict[str, Any] = dict.fromkeys(Attributes._fields)
    return Attributes(**(nothing | given))


def _changes(old: Attributes, new: Attributes) -> Iterator[tuple[str, str, str | None, str | None]]:
    """What a reader must hear of two states of one holder; what one of them does not know is no change."""
    plain = {
        "license_changed": "license_type",
        "role_changed": "role",
        "status_changed": "status",
        "status_word_changed": "status_raw",
        "renamed": "name",
        "email_changed": "email",
        "workspace_moved": "workspace_id",
    }
    for event, attribute in plain.items():
        was, becomes = getattr(old, attribute), getattr(new, attribute)
        if was != becomes:
            yield event, attribute, was, becomes
    if old.takes_seat != new.takes_seat:
        yield "seat_rule_changed", "takes_seat", str(old.takes_seat).lower(), str(new.takes_seat).lower()
    names = (old.workspace_name, new.workspace_name)
    if old.workspace_id == new.workspace_id and None not in names and names[0] != names[1]:
        yield "workspace_renamed", "workspace_name", *names
    if "unknown" not in (old.owner_status, new.owner_status):
        if old.owner_status != new.owner_status:
            event = "owner_left" if new.owner_status == "left" else "owner_status_changed"
            yield event, "owner_status", old.owner_status, new.owner_status
        if old.owner_email != new.owner_email:
            yield "owner_email_changed", "owner_email", old.owner_email, new.owner_email
    if old.assigned_at != new.assigned_at:
        yield "assigned_again", "assigned_at", _plain(old.assigned_at), _plain(new.assigned_at)


def _plain(instant: datetime) -> str:
    text = instant.replace(tzinfo=None).isoformat(" ")
    return text.rstrip("0") if instant.microsecond else text
