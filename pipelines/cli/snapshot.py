"""`licenses snapshot`: one night, on demand."""

import logging
from datetime import date

from rich.console import Console

from assets.assignments.snapshot import SnapshotFacts, read_facts
from assets.days import is_final, require_observable, yesterday
from assets.layout import snapshot_file
from pipelines import settings as settings_module
from pipelines.cli.progress import watched
from pipelines.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def take(day: date | None, *, accept_drop: bool, debug: bool) -> int:
    """Take and publish a snapshot; returns the exit status."""
    from assets.resources import admin_key

    settings = settings_module.load()
    day = day or yesterday(settings.now)
    require_observable(day, settings.now, settings.licenses_first_day)
    for label, name in settings.key_envs.items():
        admin_key(label, name)
    from pipelines.execution import run_night

    logging.getLogger("httpx").setLevel(logging.WARNING)
    with watched(f"Snapshot of {day}"):
        outcome = run_night(settings, day, accept_drop=accept_drop)
    for sentence in outcome.failures:
        err.print(f"licenses: {sentence}", markup=False)
    if debug:
        for trace in outcome.debug:
            err.print(trace, markup=False)
    written = [facts for facts in snapshots_of(settings, day) if outcome.published]
    for facts in written:
        out.print(summary(facts), markup=False)
    if outcome.published and not outcome.failures:
        out.print(f"Published: {settings.data.warehouse} (Dagster run {outcome.run_id}).", markup=False)
    if outcome.success:
        return 0
    return 3 if outcome.published and written else 1


def snapshots_of(settings: Settings, day: date) -> list[SnapshotFacts]:
    """The facts of each organization's snapshot of a day."""
    folders = sorted(snapshot_file(settings.data, day, "any").parent.parent.glob("organization_id=*"))
    return [facts for folder in folders if (facts := read_facts(folder / "part.parquet"))]


def summary(facts: SnapshotFacts) -> str:
    """One snapshot in a line or two; what is unknown is said, never shown as zero."""
    parts = [
        f"{count:,} {noun}"
        for count, noun in (
            (facts.users, "members"),
            (facts.api_keys, "API keys"),
            (facts.invites, "pending invites"),
        )
        if count is not None
    ]
    kind = "closing snapshot" if is_final(facts.snapshot_date, facts.observed_at) else "provisional snapshot"
    lines = [f"{facts.title}, {kind} of {facts.snapshot_date}: {', '.join(parts)}."]
    if facts.unknown:
        lines.append(f"  Unknown, not zero: {', '.join(facts.unknown)} (not available to this key).")
    if facts.unmapped:
        lines.append(f"  Unmapped, kept as they are: {', '.join(facts.unmapped)}; add them to license_types.csv.")
    return "\n".join(lines)
