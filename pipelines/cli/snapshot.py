"""`licenses snapshot`: one night, on demand."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from rich.console import Console

from assets.assignments.snapshot import SnapshotFacts, read_facts
from assets.days import is_final, require_observable, yesterday
from assets.errors import WrongUse
from assets.extraction.organizations import Credential
from assets.layout import snapshot_file
from pipelines import settings as settings_module
from pipelines.cli.progress import watched
from pipelines.settings import Settings

if TYPE_CHECKING:
    from pipelines.execution import Outcome

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def take(day: date | None, *, accept_drop: bool, debug: bool) -> int:
    """Take and publish a snapshot; returns the exit status."""
    settings = settings_module.load()
    day = day or yesterday(settings.now)
    require_observable(day, settings.now, settings.licenses_first_day)
    _require_a_key(settings)
    from pipelines.execution import run_night

    logging.getLogger("httpx").setLevel(logging.WARNING)
    with watched(f"Snapshot of {day}"):
        outcome = run_night(settings, day, accept_drop=accept_drop)
    report_failures(outcome.failures, outcome.debug if debug else [])
    written = [facts for facts in snapshots_of(settings, day) if outcome.published and _is_of(facts, outcome)]
    for facts in written:
        out.print(summary(facts), markup=False)
    if outcome.published and not outcome.failures:
        out.print(f"Published: {settings.data.warehouse} (Dagster run {outcome.run_id}).", markup=False)
    if outcome.success:
        return 0
    return 3 if outcome.published and written else 1


def _require_a_key(settings: Settings) -> None:
    """Refuse before anything starts where no key can be used at all; one of several costs only its own day.

    Raises:
        WrongUse: what the first key lacks.
    """
    refusals = []
    for label, name in settings.key_envs.items():
        try:
            Credential.from_environment(label, name).require_usable()
        except WrongUse as error:
            refusals.append(error)
    if len(refusals) == len(settings.key_envs):
        raise refusals[0]


def _is_of(facts: SnapshotFacts, outcome: "Outcome") -> bool:
    """Whether the run stands behind this snapshot: in a partly failed one, others may be of an earlier run."""
    return outcome.success or outcome.run_id in (facts.run_id, facts.loaded_by)


def report_failures(sentences: Sequence[str], traces: Sequence[str]) -> None:
    """What went wrong, on standard error; tracebacks only where they were asked for."""
    for sentence in sentences:
        err.print(f"licenses: {sentence}", markup=False)
    for trace in traces:
        err.print(trace, markup=False)


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
