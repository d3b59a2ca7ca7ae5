"""`licenses backfill`: past days, planned first, then filled in one Dagster run."""

from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date

from rich.console import Console

from assets.days import require_not_future
from assets.errors import WrongUse
from assets.extraction.ready import require_ready
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.past.plan import Action, DayPlan, Wish, folded
from assets.snapshots.snapshot import known_facts
from assets.spans import days_between, told_spans
from pipelines import settings as settings_module
from pipelines.cli.progress import watched
from pipelines.cli.snapshot import report_failures
from pipelines.cli.warehouse import BUILT_AGAIN
from pipelines.settings import Settings

out = Console(highlight=False, soft_wrap=True)


def fill_days(
    first: date, last: date, wish: Wish, *, reason: str | None, accept_drop: bool, dry_run: bool, debug: bool
) -> int:
    """Plan, tell, do, tell; returns the exit status: 3 where some days cannot be filled."""
    settings = settings_module.load()
    _check(first, last, settings)
    if not dry_run:
        require_ready(settings.data, settings.now)
    plans = plan_days(settings, first, last, wish)
    _tell_plan(plans, first, last)
    impossible = [one for one in plans if one.action is Action.IMPOSSIBLE]
    to_do = [one for one in plans if one.action in (Action.REPLAY, Action.RECONSTRUCT)]
    partial = 3 if len(impossible) < len(plans) else 1
    if dry_run:
        out.print("Dry run: nothing was done.")
        return partial if impossible else 0
    if not to_do:
        _tell_nothing(settings, impossible)
        return partial if impossible else 0
    from pipelines.execution import run_backfill

    with watched(f"Backfill {first} to {last}", total=len(to_do)):
        outcome = run_backfill(settings, first, last, wish, reason, accept_drop=accept_drop)
    planned = folded(impossible)
    # What no plan can know: the feed, once fetched, tells less than happened; a file of another day cannot be read.
    besides = [sentence for sentence in outcome.failures if sentence not in planned]
    report_failures(besides if outcome.published else outcome.failures, outcome.debug if debug else [])
    if not outcome.published:
        return 1
    done = [one for one in to_do if _is_there(one, settings.data) and not one.is_refused_in(besides)]
    _tell_done(settings, done, len(impossible) + len(to_do) - len(done), outcome.run_id)
    return 3 if impossible or besides else 0


def _tell_nothing(settings: Settings, impossible: list[DayPlan]) -> None:
    """There is nothing to fill; but the warehouse may not show the days, be it that a run was killed."""
    from assets.warehouse.publish import bring_up_to_date
    from pipelines.subjects import SUBJECTS

    out.print("Nothing to do." if not impossible else "Nothing can be done.")
    if bring_up_to_date(SUBJECTS, settings.data, settings.now):
        out.print(BUILT_AGAIN)


def plan_days(settings: Settings, first: date, last: date, wish: Wish) -> list[DayPlan]:
    """The plan for every known organization and day."""
    from assets.snapshots.past.fill import Feeds
    from assets.snapshots.past.plan import plan
    from assets.snapshots.snapshot import organizations_known

    api = settings.api
    organizations = organizations_known(settings.data)
    if not organizations:
        raise WrongUse(f"There is no snapshot yet in {settings.data.root} to start from. Take one: licenses snapshot.")
    with ExitStack() as stack:
        feeds = Feeds(api.credentials, api.base_url, stack, api.patience())
        return plan(settings.data, organizations, days_between(first, last), wish, settings.now, feeds.prove)


def _check(first: date, last: date, settings: Settings) -> None:
    if last < first:
        raise WrongUse(f"--from {first} lies after --to {last}: nothing was done.")
    require_not_future(last, settings.now)
    if first < settings.licenses_first_day:
        raise WrongUse(
            f"{first} lies before {settings.licenses_first_day}, the first day of this warehouse "
            "(LICENSES_FIRST_DAY). Nothing was done."
        )


def _is_there(one: DayPlan, data: DataDirectory) -> bool:
    return known_facts(snapshot_file(data, one.day, one.organization_id)) is not None


def _tell_plan(plans: Iterable[DayPlan], first: date, last: date) -> None:
    """One line for each organization and thing to do, or reason why not, with its days."""
    out.print(f"Plan for {first} to {last}:")
    together: dict[tuple[str, str], list[date]] = {}
    for one in plans:
        together.setdefault((one.organization_id, f"{one.action.value}{_how(one)}"), []).append(one.day)
    for (organization, what), days in together.items():
        out.print(f"  {organization}  {told_spans(days)}: {what}", markup=False)


def _how(one: DayPlan) -> str:
    if one.action is Action.IMPOSSIBLE:
        return f": {one.why}"
    if one.action is Action.RECONSTRUCT and one.base:
        return f", rolled back from the snapshot of {one.base.snapshot_date} through the Activity Feed"
    return " from the landing, no API call" if one.action is Action.REPLAY else ""


def _tell_done(settings: Settings, done: list[DayPlan], impossible: int, run_id: str) -> None:
    counts = Counter(one.action for one in done)
    parts = [
        f"{counts[action]:,} {word}"
        for action, word in ((Action.REPLAY, "replayed"), (Action.RECONSTRUCT, "reconstructed"))
        if counts[action]
    ]
    left = f"; {impossible:,} could not be filled, as told above" if impossible else ""
    out.print(f"Done: {' and '.join(parts) or 'nothing'}{left}.", markup=False)
    out.print(f"Published: {settings.data.warehouse} (Dagster run {run_id}).", markup=False)
