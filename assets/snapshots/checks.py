"""The checks of `license_assignments`: what each found in a run, or nothing where it had nothing to look at."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg

from assets.days import yesterday
from assets.errors import HolderTwice, SnapshotRefused, TooManyGone
from assets.extraction.unforeseen import sentence_of
from assets.orchestration.steps import without_result
from assets.snapshots.ending import Derived
from assets.snapshots.freshness import FRESH, fresh_spec, freshness
from assets.snapshots.past.fill import Filling
from assets.snapshots.reconstructed.reconcile import against_last_night
from assets.snapshots.run import Run
from assets.snapshots.schema import Provenance

UNIQUE, GUARDED, MAPPED = "one_row_per_holder", "drop_guard", "every_role_is_mapped"
RECONCILED = "last_night_reconciles"
MOST_EXAMPLES = 20


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """Blocking are those that stop publishing; they are enforced before anything is put in place."""
    return [
        dg.AssetCheckSpec(UNIQUE, asset=key, blocking=True, description="No holder stands twice in a snapshot."),
        dg.AssetCheckSpec(
            GUARDED,
            asset=key,
            blocking=True,
            description="No snapshot lost far more holders than is plausible; a warning where only some "
            "organizations' were refused.",
        ),
        dg.AssetCheckSpec(
            RECONCILED,
            asset=key,
            description="From tonight's snapshot, the Activity Feed leads back to last night's.",
        ),
        dg.AssetCheckSpec(MAPPED, asset=key, description="license_types.csv knows every role, and we every status."),
        fresh_spec(key),
    ]


def check_results(run: Run) -> Iterator[dg.AssetCheckResult | dg.Output[None]]:
    """What the checks found; one that had nothing to compare says nothing."""
    found = {
        UNIQUE: _refusals(run, UNIQUE, HolderTwice, looked=bool(run.derived)),
        GUARDED: _refusals(run, GUARDED, TooManyGone, looked=any(one.guarded for one in run.derived)),
        RECONCILED: _reconciled(run),
        MAPPED: _mapped(run),
        FRESH: freshness(run.key, run.given, run.there),
    }
    yield from (result or without_result(run.key, check) for check, result in found.items())


def _refusals(run: Run, check: str, kind: type[SnapshotRefused], *, looked: bool) -> dg.AssetCheckResult | None:
    refused = [str(error) for error in run.refused if isinstance(error, kind)]
    if not refused and not looked:
        return None
    # An error would hold up the warehouse, too, and with it what is published.
    goes_on = run.derived or run.kept
    severity = dg.AssetCheckSeverity.WARN if refused and goes_on else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(check_name=check, passed=not refused, severity=severity, metadata={"refused": refused})


def _reconciled(run: Run) -> dg.AssetCheckResult | None:
    compared, found = _reconcile_last_night(run.derived, run.how)
    if not compared:
        return None
    if found:
        run.context.log.warning(f"The feed does not lead back to last night's snapshot: {'; '.join(found[:5])}")
    told: dict[str, Any] = {"compared": compared, "differences": len(found), "examples": found[:MOST_EXAMPLES]}
    severity = dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(check_name=RECONCILED, passed=not found, severity=severity, metadata=told)


def _reconcile_last_night(derived: list[Derived], how: Filling) -> tuple[int, list[str]]:
    """How many of tonight's snapshots could be held against last night's by the feed, as tonight's observation heard
    it, and where it does not lead back to them. Of older days it says nothing: that would stand for the night's."""
    compared = 0
    found: list[str] = []
    nights = (one.facts for one in derived if one.facts.provenance is Provenance.OBSERVED)
    for tonight in (facts for facts in nights if facts.snapshot_date >= yesterday(how.now)):
        try:
            differing = against_last_night(tonight, how.data, how.staged)
            told = None if differing is None else [str(one) for one in differing]
        except Exception as error:  # a check that warns must not cost a night
            told = [f"it could not be held against the feed: {sentence_of(error)}"]
        if told is not None:
            compared += 1
            found += [f"{tonight.title}, {tonight.snapshot_date - timedelta(days=1)}: {one}" for one in told]
    return compared, found


def _mapped(run: Run) -> dg.AssetCheckResult | None:
    if not run.derived:
        return None
    unmapped = sorted({word for one in run.derived for word in one.facts.unmapped})
    if unmapped:
        run.context.log.warning(f"Unknown words, kept as they are: {', '.join(unmapped)}")
    severity = dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(
        check_name=MAPPED, passed=not unmapped, severity=severity, metadata={"unmapped": unmapped}
    )
