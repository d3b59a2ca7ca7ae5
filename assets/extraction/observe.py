"""Observing one organization: every list whole, side by side, into one folder of the landing; or failing whole.

What a key may not read is recorded as not available and is unknown downstream, never empty. Knows no Dagster.
"""

import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from datetime import date, datetime

from assets.errors import AccessRefused, LicenseHistoryError
from assets.extraction.api import (
    ACTIVITIES,
    ANALYTICS_USAGE,
    ANALYTICS_USERS,
    API_KEYS,
    INVITES,
    OLDER_USAGE,
    USERS,
    WORKSPACES,
    WORKSPACES_LISTED,
)
from assets.extraction.landing import ListOutcome, Manifest, Observation, new_observation, write_manifest
from assets.extraction.lists import Halted, Task, fetch_list
from assets.extraction.organizations import Access, require_complementary
from assets.layout import DataDirectory

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
) -> Observation:
    """Fetch everything that explains one organization's licenses on `day` into a new landing folder.

    `covered_to` and `spoke_to` say, per usage endpoint, how far its data had reached and up to when it told of use.

    Raises:
        ListFailed: a list did not arrive whole; the folder keeps what came and a manifest that says so.
        AccessRefused: 401, or neither members nor API keys can be read.
        WrongUse: two keys can read the same list.
    """
    require_complementary(access)
    folder = new_observation(data, access.organization.id, day, observed_at)
    manifest = Manifest(
        organization_id=access.organization.id,
        organization_name=access.organization.name,
        day=day,
        observation=folder.name,
        observed_at=observed_at,
        run_id=run_id,
        complete=False,
    )
    try:
        task = Task(access, day, observed_at, folder, covered_to, threading.Event(), spoke_to or {})
        manifest.lists = _fetch_all(task)
        _require_a_roster(manifest)
    except LicenseHistoryError as error:
        manifest.failure = str(error)
        write_manifest(folder, manifest)
        raise
    manifest.complete = True
    write_manifest(folder, manifest)
    return Observation(folder, manifest)


def _fetch_all(task: Task) -> dict[str, ListOutcome]:
    """Every list's outcome. The first failure halts the others and is the one that is raised."""
    # What changed since the day began: with it, tomorrow's snapshot can be held against today's.
    since_midnight = {"created_at.gte": f"{task.day}T00:00:00Z"}
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="list") as pool:
        jobs: list[Future[dict[str, ListOutcome]]] = [
            pool.submit(lambda e: {e.name: fetch_list(task, e)}, endpoint) for endpoint in (USERS, API_KEYS, INVITES)
        ]
        jobs.append(pool.submit(_fetch_workspaces, task))
        jobs.append(pool.submit(_fetch_usage, task))
        jobs.append(pool.submit(lambda: {ANALYTICS_USERS.name: fetch_list(task, ANALYTICS_USERS)}))
        jobs.append(pool.submit(lambda: {ACTIVITIES.name: fetch_list(task, ACTIVITIES, since_midnight)}))
        wait(jobs, return_when=FIRST_EXCEPTION)
        task.halted.set()
    errors = [error for job in jobs if (error := job.exception()) and not isinstance(error, Halted)]
    if errors:
        raise errors[0]
    return {name: outcome for job in jobs for name, outcome in job.result().items()}


def _fetch_workspaces(task: Task) -> dict[str, ListOutcome]:
    """With the default workspace, and then without: nothing else tells which one it is.

    In this order, one that is made in between is in the second list alone, and not taken for the default one.
    """
    outcomes = {WORKSPACES.name: fetch_list(task, WORKSPACES)}
    if outcomes[WORKSPACES.name].complete and outcomes[WORKSPACES.name].wished:
        outcomes[WORKSPACES_LISTED.name] = fetch_list(task, WORKSPACES_LISTED)
    return outcomes


def _fetch_usage(task: Task) -> dict[str, ListOutcome]:
    """Use by id from the newer endpoint; where an organization has not got it, from the older reports."""
    outcomes = {ANALYTICS_USAGE.name: fetch_list(task, ANALYTICS_USAGE)}
    if not outcomes[ANALYTICS_USAGE.name].complete:
        outcomes |= {endpoint.name: fetch_list(task, endpoint) for endpoint in OLDER_USAGE}
    return outcomes


def _require_a_roster(manifest: Manifest) -> None:
    if manifest.has(USERS.name) or manifest.has(API_KEYS.name):
        return
    raise AccessRefused(
        "neither its members nor its API keys can be read with the given key: members: "
        f"{manifest.lists[USERS.name].reason}; API keys: {manifest.lists[API_KEYS.name].reason}. The account behind "
        "the key may lack the organization-admin permission: only organization admins can create Admin keys; ask yours."
    )
