"""The sandbox's workspaces and service accounts, which are few and the same for every seed but for their ids."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from sandbox.draws import Draws, tagged_id
from sandbox.feed_entries import user_actor
from sandbox.people import Person
from sandbox.rows import Activity, ServiceAccount, Workspace
from sandbox.timeline import FOREVER, Span, moment


class _Plot(NamedTuple):
    """A workspace's life, in days after the first one."""

    name: str
    color: str
    created: int
    renamed: tuple[int, str] | None = None
    archived: int | None = None


_DEFAULT = _Plot("Default", "#6C5BB9", 0)
_PLOTS = (
    _Plot("Research", "#D97757", 0),
    _Plot("Production", "#3B82F6", 0),
    _Plot("Data Platform", "#10B981", 40),
    _Plot("Übersetzung, Lokalisierung", "#F59E0B", 200),
    _Plot("Growth", "#EC4899", 90, renamed=(620, "Customer Growth")),
    _Plot("Hackathon 2025", "#8B5CF6", 300, archived=480),
    _Plot("Robotics", "#64748B", 1_000),
)
# Name, role, day created, day archived.
_ACCOUNTS = (
    ("ci-runner", "developer", 10, None),
    ("nightly-etl", "developer", 15, None),
    ("terraform", "admin", 120, None),
    ("old-gateway", "developer", 150, 640),
    ("support-bot", "developer", 400, None),
    ("evals", "developer", 950, None),
)


class Place(NamedTuple):
    id: str
    created_at: datetime
    archived_at: datetime | None
    spans: tuple[Span[Workspace], ...]


class Account(NamedTuple):
    id: str
    created_at: datetime
    archived_at: datetime | None
    spans: tuple[Span[ServiceAccount], ...]


def default_place(seed: str) -> Place:
    return _place(seed, _DEFAULT)


def places(seed: str) -> tuple[Place, ...]:
    """The workspaces apart from the default one."""
    return tuple(_place(seed, plot) for plot in _PLOTS)


def place_activities(place: Place, admin: Person) -> Iterator[Activity]:
    """Entries that say nothing about licenses: a reader of the feed passes over them."""
    boss = user_actor(admin.id, admin.email)
    for number, (since, _, row) in enumerate(place.spans):
        event = "created" if number == 0 else "archived" if row.archived_at else "updated"
        yield Activity(since, f"platform_workspace_{event}", boss, {"workspace_id": place.id})


def accounts(seed: str, admin: Person) -> tuple[Account, ...]:
    """The service accounts, newest first as their list gives them."""
    return tuple(_account(seed, admin, *facts) for facts in reversed(_ACCOUNTS))


def _place(seed: str, plot: _Plot) -> Place:
    draws, place_id = Draws(seed, "workspace", plot.name), tagged_id("wrkspc", seed, plot.name)
    created_at = moment(plot.created, draws)
    row = Workspace(place_id, plot.name, created_at, None, plot.color)
    rows, starts = [row], [created_at]
    if plot.renamed:
        day, name = plot.renamed
        rows.append(replace(rows[-1], name=name))
        starts.append(moment(day, draws))
    archived_at = moment(plot.archived, draws) if plot.archived is not None else None
    if archived_at:
        rows.append(replace(rows[-1], archived_at=archived_at))
        starts.append(archived_at)
    spans = tuple(map(Span, starts, [*starts[1:], FOREVER], rows))
    return Place(place_id, created_at, archived_at, spans)


def _account(seed: str, admin: Person, name: str, role: str, created: int, archived: int | None) -> Account:
    draws, account_id = Draws(seed, "account", name), tagged_id("svac", seed, name)
    created_at = moment(created, draws)
    row = ServiceAccount(account_id, name, role, created_at, created_at, None, admin.id, None, None)
    if archived is None:
        return Account(account_id, created_at, None, (Span(created_at, FOREVER, row),))
    end = moment(archived, draws)
    late = replace(row, archived_at=end, updated_at=end, updated_by_actor_id=admin.id, archived_by_actor_id=admin.id)
    spans = (Span(created_at, end, row), Span(end, FOREVER, late))
    return Account(account_id, created_at, end, spans)
