"""Whether the record is fresh: told by the closing day of each organization, so that publishing something again, or
filling last year, makes nothing fresh. As for the doctor, the night has until 06:00 UTC."""

import dagster as dg

from assets.days import DUE, yesterday
from assets.resources import Installation
from assets.snapshots.whole_days import WholeDays

FRESH = "every_organization_is_fresh"


def fresh_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check, as the snapshots and the warehouse both bear it."""
    told = "From 06:00 UTC on, each organization's closing snapshot of yesterday is there."
    return dg.AssetCheckSpec(FRESH, asset=key, description=told)


def freshness(
    key: dg.AssetKey, given: Installation, there: WholeDays | None = None, *, shown: bool = True
) -> dg.AssetCheckResult | None:
    """What it finds now; nothing where no organization is observed. `there` is what has been looked up already, and
    `shown` is of the warehouse: whether it shows what is published."""
    there = there or WholeDays.of(given)
    closings = there.closing_days()
    if not closings:
        return None
    last = yesterday(given.clock.now() - DUE)
    unread = dict.fromkeys(sorted(there.unread), "read nothing yet, or not when it was last asked")
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=FRESH,
        # One that has just come has no day that is over yet.
        passed=shown and not unread and all(day is None or day >= last for day in closings.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            **unread,
            **{title: day.isoformat() if day else "none" for title, day in closings.items()},
            **({} if shown else {"shown": "not all that is published: the next run builds the warehouse again"}),
        },
    )
