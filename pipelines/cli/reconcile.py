"""`licenses reconcile`: where the Activity Feed does not lead from a later snapshot back to the earlier one."""

import uuid
from contextlib import ExitStack
from datetime import date, timedelta

from rich.console import Console

from assets.days import yesterday
from assets.errors import LicenseHistoryError
from pipelines import settings as settings_module
from pipelines.settings import Settings

out = Console(highlight=False, soft_wrap=True)

LAST_DAYS = 31


def hold_against_feed(first: date | None, last: date | None) -> int:
    """Compare neighbouring observed days; exit status 0 where all agree, 3 where one differs or cannot be told."""
    settings = settings_module.load()
    last = last or yesterday(settings.now)
    first = first or last - timedelta(days=LAST_DAYS)
    compared, differing, untold = _compare(settings, first, last)
    if not compared and not untold:
        raise LicenseHistoryError(
            f"No two observed snapshots lie next to each other between {first} and {last}: there is nothing to compare."
        )
    agree = compared - differing
    out.print(f"Compared {compared} pairs of observed days: {agree} agree with the Activity Feed, {differing} do not.")
    return 3 if differing or untold else 0


def _compare(settings: Settings, first: date, last: date) -> tuple[int, int, int]:
    """Print what differs; how many pairs were compared, how many of them differ, how many could not be compared."""
    from assets.files.publishing import claim, discard
    from assets.snapshots.past.fill import Feeds, Filling
    from assets.snapshots.reconstructed.reconcile import differences, observed_pairs
    from assets.snapshots.snapshot import organizations_known

    api = settings.api
    scratch = claim(settings.data.staging(f"reconcile-{uuid.uuid4()}"))
    how = Filling(settings.data, scratch, settings.now, "reconcile", None)
    compared = differing = untold = 0
    with ExitStack() as stack:
        stack.callback(discard, scratch)
        feeds = Feeds(api.credentials, api.base_url, stack, api.patience())
        for organization in organizations_known(settings.data):
            for earlier, later in observed_pairs(settings.data, organization, first, last):
                day = earlier.snapshot_date
                proof = feeds.prove(organization, [day])
                if why := proof.silence(day):
                    out.print(f"{earlier.title}, {day}: cannot be compared: {why}.", markup=False)
                    untold += 1
                    continue
                feed = feeds.fetch(organization, day, later.observed_at, how)
                found = differences(earlier, later, feed, settings.data, scratch)
                compared, differing = compared + 1, differing + bool(found)
                for one in found:
                    out.print(f"{earlier.title}, {day} (from {later.snapshot_date}): {one}", markup=False)
    return compared, differing, untold
