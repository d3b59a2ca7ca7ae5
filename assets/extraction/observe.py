"""Observing one organization: the roster first, and then everything that can still be asked tomorrow.

Members and API keys are what no later day can ask for: if one of them does not arrive whole, the observation fails. Of
the other lists, what fails is recorded as not read, and what a key may not read as not available; both are unknown
downstream, never empty. Knows no Dagster.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import date, datetime

from assets.errors import AccessRefused
from assets.extraction.api import (
    ACTIVITIES,
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    API_KEYS,
    ESSENTIAL,
    HOLDERS,
    INVITES,
    OLDER_USAGE,
    USERS,
    WORKSPACES,
    WORKSPACES_LISTED,
    Endpoint,
)
from assets.extraction.deadline import Patience
from assets.extraction.kept import Calls, Outcomes, drop_outcomes, taken_over
from assets.extraction.landing import (
    ListOutcome,
    Manifest,
    Observation,
    State,
    last_before,
    new_observation,
    pages_file,
    write_manifest,
)
from assets.extraction.lists import Halted, Task, fetch_list
from assets.extraction.missing import what_is_missing, what_is_odd
from assets.extraction.organizations import Access, require_complementary
from assets.extraction.unforeseen import sentence_of
from assets.files.atomic import is_disk_trouble
from assets.layout import DataDirectory

__all__ = ["ESSENTIAL", "Outcomes", "observe", "probe"]

SIDE_BY_SIDE = 8


def observe(
    access: Access,
    day: date,
    *,
    data: DataDirectory,
    observed_at: datetime,
    run_id: str,
    covered_to: Mapping[str, date],
    spoke_to: Mapping[str, date] | None = None,
    patience: Patience | None = None,
    in_time: Callable[[], None] = lambda: None,
    again: bool = False,
) -> Observation:
    """Fetch everything that explains one organization's licenses on `day` into a new landing folder.

    What earlier attempts at the day have heard is taken over, unless `again`. `covered_to` and `spoke_to` say, per
    usage endpoint, how far its data had reached and up to when it told of use. `in_time` raises once the day cannot be
    observed any more: what came until then but not whole is not taken for the day's.

    Raises:
        ImpossibleDay: `in_time` said so before members and API keys had come.
        ListFailed: members or API keys did not arrive whole; the folder keeps what came and a manifest that says so.
        AccessRefused: 401, or neither members nor API keys can be read.
        WrongUse: two keys can read the same list.
    """
    organization = access.organization
    patience = patience or Patience.of()
    require_complementary(access, patience)
    folder = new_observation(data, organization.id, day, observed_at)
    calls = Calls.of(data, organization.id, day, observed_at, anew=again)
    heard = {} if again else taken_over(data, organization.id, day, observed_at, folder)
    task = Task(access, day, observed_at, folder, covered_to, spoke_to or {}, patience, in_time, heard, calls)
    manifest = Manifest(
        organization_id=organization.id,
        organization_name=organization.name,
        day=day,
        observation=folder.name,
        observed_at=observed_at,
        run_id=run_id,
        complete=False,
        keys=[holder.key_env for holder in access.keys],
    )
    try:
        manifest.lists = _essentials(task)
        holders = sum(outcome.rows for outcome in manifest.lists.values())
        manifest.lists |= _others(replace(task, holders=holders))
    except Exception as error:
        manifest.failure = sentence_of(error)
        write_manifest(folder, manifest)
        raise
    manifest.complete = True
    manifest.observed_at = min(read_at for one in HOLDERS if (read_at := manifest.lists[one.name].observed_at))
    manifest.missing = what_is_missing(manifest, access.title, last_before(data, organization.id, day))
    manifest.odd = what_is_odd(manifest, access.title)
    write_manifest(folder, manifest)
    drop_outcomes(folder)
    calls.drop(manifest.lists)
    return Observation(folder, manifest)


def probe(task: Task) -> Outcomes:
    """What a night would hear of each list, tried with the first page of its first question; nothing is raised."""
    tried = replace(task, first_page_only=True, heard={}, calls=None)
    return {endpoint.name: _attempt(tried, endpoint) for endpoint in ESSENTIAL} | _others(tried)


def _essentials(task: Task) -> Outcomes:
    """Members and API keys. The first failure halts the other and is the one that is raised."""
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="list") as pool:
        jobs = {endpoint.name: pool.submit(fetch_list, task, endpoint) for endpoint in ESSENTIAL}
        wait(jobs.values(), return_when=FIRST_EXCEPTION)
        task.halted.set()
    errors = [error for job in jobs.values() if (error := job.exception()) and not isinstance(error, Halted)]
    if errors:
        raise errors[0]
    task.halted.clear()
    outcomes = {name: job.result() for name, job in jobs.items()}
    _require_a_roster(outcomes)
    return outcomes


def _others(task: Task) -> Outcomes:
    """Every other list, each on its own: what became of it, be it that it failed."""
    # What changed since the day began: with it, tomorrow's snapshot can be held against today's.
    since_midnight = {"created_at.gte": f"{task.day}T00:00:00Z"}
    return _side_by_side(
        [
            lambda: {INVITES.name: _attempt(task, INVITES)},
            lambda: _workspaces(task),
            lambda: _usage(task),
            lambda: {ANALYTICS_USERS.name: _attempt(task, ANALYTICS_USERS)},
            lambda: {ACTIVITIES.name: _attempt(task, ACTIVITIES, since_midnight)},
        ]
    )


def _side_by_side(jobs: Iterable[Callable[[], Outcomes]]) -> Outcomes:
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="list") as pool:
        started = [pool.submit(job) for job in jobs]
    return {name: outcome for job in started for name, outcome in job.result().items()}


def _attempt(task: Task, endpoint: Endpoint, bounds: Mapping[str, str] | None = None) -> ListOutcome:
    """A list without which the others still tell something: whatever goes wrong with it stays with it.

    A disk that fails is no fault of the list's: then the night fails, and the next attempt goes on from what landed.
    """
    try:
        return fetch_list(task, endpoint, bounds)
    except Exception as error:
        if is_disk_trouble(error) and not task.first_page_only:
            raise
        pages_file(task.folder, endpoint.name).unlink(missing_ok=True)
        return ListOutcome(state=State.FAILED, reason=sentence_of(error))


def _workspaces(task: Task) -> Outcomes:
    """With the default workspace, and then without: nothing else tells which one it is.

    In this order, one that is made in between is in the second list alone, and not taken for the default one.
    """
    outcomes = {WORKSPACES.name: _attempt(task, WORKSPACES)}
    if outcomes[WORKSPACES.name].complete and outcomes[WORKSPACES.name].wished:
        outcomes[WORKSPACES_LISTED.name] = _attempt(task, WORKSPACES_LISTED)
    return outcomes


def _usage(task: Task) -> Outcomes:
    """Use by id from the newer endpoint; where an organization has not got it, from the older reports.

    One that failed is asked again by the next run: the older reports tell less, and are no substitute.
    """
    outcomes = {ANALYTICS_USAGE.name: _attempt(task, ANALYTICS_USAGE)}
    if outcomes[ANALYTICS_USAGE.name].state is State.UNAVAILABLE:
        outcomes |= {endpoint.name: _attempt(task, endpoint) for endpoint in OLDER_USAGE}
    return outcomes


def _require_a_roster(outcomes: Outcomes) -> None:
    if any(outcome.complete for outcome in outcomes.values()):
        return
    raise AccessRefused(
        "neither its members nor its API keys can be read with the given key: members: "
        f"{outcomes[USERS.name].reason}; API keys: {outcomes[API_KEYS.name].reason}. The account behind "
        "the key may lack the organization-admin permission: only organization admins can create Admin keys; ask yours."
    )
