"""Each configured key: whose it is, and what its organization answers to the very questions that a night asks."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assets.days import yesterday
from assets.errors import DamagedFile, LicenseHistoryError, ListFailed, WrongUse
from assets.extraction.answers import Answer
from assets.extraction.api import Organization
from assets.extraction.assets import require_right_clock
from assets.extraction.client import Client
from assets.extraction.coverage import covered_to, spoke_to
from assets.extraction.kept import Outcomes
from assets.extraction.landing import Manifest, State, last_before
from assets.extraction.lists import Task
from assets.extraction.missing import what_is_missing
from assets.extraction.observe import probe
from assets.extraction.organizations import Access, Credential, KeyHolder, grouped, require_complementary, who_is
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.past.fill import Feeds
from assets.snapshots.snapshot import known_facts, snapshot_days
from pipelines.cli.doctor.endpoints import findings, with_advice
from pipelines.cli.doctor.findings import Finding, Section, examined, note, ok, problem, trouble
from pipelines.settings import Settings

SIDE_BY_SIDE = 8
PATIENCE_SECONDS = 20.0
"""With one question; a night has minutes for each list."""

SKEW = timedelta(seconds=60)


class ImpatientClient(Client):
    """A client that has an answer soon, or says that there is none."""

    def get(self, path: str, params: Mapping[str, Any], headers: Mapping[str, str], *, deadline: float) -> Answer:
        soon = time.monotonic() + PATIENCE_SECONDS
        return super().get(path, params, headers, deadline=min(deadline, soon))


class _OpenFeeds(Feeds):
    """The Activity Feeds of the organizations that the doctor has reached, asked over the connections that it has."""

    def __init__(self, accesses: Mapping[str, Access]) -> None:
        self._accesses = dict(accesses)

    @cached_property
    def _opened(self) -> tuple[dict[str, Access], str]:
        return self._accesses, "none of the keys told that it belongs to it"


@dataclass(frozen=True)
class Reached:
    """What the keys led to. `everyone` says whether each key told its organization."""

    sections: list[Section]
    accesses: Mapping[str, Access] = field(default_factory=dict)
    """By the organization's id; open as long as the doctor looks."""
    everyone: bool = False

    @cached_property
    def feeds(self) -> Feeds:
        return _OpenFeeds(self.accesses)


@dataclass(frozen=True)
class _Key:
    """A variable, the key's kind as far as its beginning tells, and what became of it."""

    label: str
    key_env: str
    kind: str = ""
    client: ImpatientClient | None = None
    owner: Organization | None = None
    skew: timedelta | None = None
    """By how much this machine's clock is ahead of the API's."""
    trouble: Finding | None = None


@contextmanager
def reached(settings: Settings) -> Iterator[Reached]:
    """Ask every organization what a night would; one's trouble does not stop the others."""
    try:
        key_envs = settings.key_envs
    except WrongUse as error:
        yield Reached([Section("Organizations", (problem("settings", str(error)),))])
        return
    with ExitStack() as stack, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = [_found(settings, stack, label, key_env) for label, key_env in key_envs.items()]
        keys = list(pool.map(_identified, found))
        owned = [(key.owner, key.label, KeyHolder(key.key_env, key.client)) for key in keys if key.owner and key.client]
        accesses = {access.organization.id: access for access in grouped(owned)}
        asked = pool.map(lambda access: _section(access, keys, settings), accesses.values())
        sections = [*(_lost(key) for key in keys if key.owner is None), *asked]
        yield Reached(sections, accesses, all(key.owner for key in keys))


def _found(settings: Settings, stack: ExitStack, label: str, key_env: str) -> _Key:
    credential = Credential.from_environment(label, key_env)
    try:
        credential.require_usable()
        client = ImpatientClient(settings.anthropic_base_url, credential.key)
    except Exception as error:
        return _Key(label, key_env, trouble=trouble("key", error))
    stack.enter_context(client)
    return _Key(label, key_env, _kind(credential.key), client)


def _kind(key: str) -> str:
    if key.startswith("sk-ant-admin"):
        return "an Admin key"
    return "no Admin key of the Console, as those start with sk-ant-admin; keys of Claude Enterprise look like this"


def _identified(key: _Key) -> _Key:
    if key.client is None:
        return key
    try:
        owner = who_is(key.client)
    except ListFailed as error:
        return replace(key, trouble=problem("organization", with_advice(str(error))))
    except Exception as error:
        return replace(key, trouble=trouble("organization", error))
    told = key.client.server_time
    return replace(key, owner=owner, skew=datetime.now(UTC) - told if told else None)


def _lost(key: _Key) -> Section:
    """A key that led to no organization."""
    title = f"{key.label[:1].upper()}{key.label[1:]}"
    told = [_key(key)] if key.client else []
    return Section(title, (*told, key.trouble) if key.trouble else tuple(told))


def _key(key: _Key) -> Finding:
    return ok("key", f"found in {key.key_env} ({key.kind}).")


def _section(access: Access, keys: list[_Key], settings: Settings) -> Section:
    own = [key for key in keys if key.owner and key.owner.id == access.organization.id]
    return examined(
        access.title,
        lambda: map(_key, own),
        lambda: _clock(access, own[0].skew, settings),
        lambda: _keys(access),
        lambda: _lists(access, settings.data, settings.now),
    )


def _clock(access: Access, skew: timedelta | None, settings: Settings) -> Iterator[Finding]:
    """This machine's clock decides which day today's roster is written for: held against the record and the API's."""
    try:
        require_right_clock(access, yesterday(settings.now), settings.clock)
    except LicenseHistoryError as error:
        yield problem("clock", f"{error}.")
        return
    if skew and abs(skew) > SKEW and not settings.clock.moved:
        differs = f"{abs(skew).total_seconds():,.0f} seconds {'ahead of' if skew > timedelta() else 'behind'}"
        yield note(
            "clock", f"this machine's is {differs} the API's. Set it (NTP), or a night near midnight may be refused."
        )


def _keys(access: Access) -> Iterator[Finding]:
    try:
        require_complementary(access)
    except LicenseHistoryError as error:
        yield problem("keys", str(error))


def _lists(access: Access, data: DataDirectory, now: datetime) -> Iterator[Finding]:
    """Every list that a night asks for, by the night's own questions, into a folder that is removed."""
    known, day = access.organization.id, yesterday(now)
    reached: dict[str, date] = {}
    spoke: dict[str, date] = {}
    with suppress(DamagedFile):  # told among the files; a night asks without it, too
        reached = covered_to(data, known, day)
    with suppress(DamagedFile):
        spoke = spoke_to(data, known, day)
    with TemporaryDirectory(prefix="licenses-check-") as scratch:
        task = Task(access, day, now, Path(scratch), reached, spoke_to=spoke, holders=_holders(data, known))
        outcomes = probe(task)
        yield from findings(outcomes, Path(scratch))
    for sentence in _no_longer_readable(access, day, now, outcomes, data):
        yield problem("access", f"{sentence} A night would be done in part, and end with status 3.")


def _holders(data: DataDirectory, organization_id: str) -> int:
    """Members and API keys of the newest snapshot: by how many there are a night asks for the message report."""
    latest_first = reversed(list(snapshot_days(data, organization_id)))
    known = (known_facts(snapshot_file(data, day, organization_id)) for day in latest_first)
    newest = next(filter(None, known), None)
    return (newest.users or 0) + (newest.api_keys or 0) if newest else 0


def _no_longer_readable(access: Access, day: date, now: datetime, outcomes: Outcomes, data: DataDirectory) -> list[str]:
    """What the last observation had read and the key is refused now, in the night's own sentences."""
    refused = {name: outcome for name, outcome in outcomes.items() if outcome.state is not State.FAILED}
    tonight = Manifest(
        organization_id=access.organization.id,
        organization_name=access.organization.name,
        day=day,
        observation="",
        observed_at=now,
        run_id="",
        complete=True,
        lists=refused,
    )
    return what_is_missing(tonight, access.title, last_before(data, access.organization.id, day))
