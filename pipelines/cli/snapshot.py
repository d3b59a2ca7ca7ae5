"""`licenses snapshot`: one night, on demand."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from filelock import FileLock, Timeout
from rich.console import Console

from assets.days import is_final, require_observable, yesterday
from assets.errors import DamagedFile, LicenseHistoryError, WrongUse
from assets.extraction.landing import Manifest, State, read_manifest
from assets.extraction.organizations import Credential
from assets.files.preflight import is_new, require_room
from assets.layout import SNAPSHOTS, DataDirectory, files_of_day
from assets.snapshots.snapshot import SnapshotFacts, known_facts
from pipelines import settings as settings_module
from pipelines.cli.progress import watched
from pipelines.cli.warehouse import BUILT_AGAIN
from pipelines.due import done
from pipelines.installation.instance import dagster_home
from pipelines.settings import Settings

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
ROSTERS = {"members": "users", "API keys": "api_keys", "invites": "invites"}


def take(day: date | None, *, accept_drop: bool, again: bool, debug: bool) -> int:
    """Take and publish a snapshot, unless the day is done already; returns the exit status."""
    settings = settings_module.load()
    day = day or yesterday(settings.now)
    require_observable(day, settings.now, settings.licenses_first_day)
    _require_a_key(settings)
    dagster_home(settings.data)
    require_place(settings.data)
    with _one_night_at_a_time(settings.data):
        if not again and (taken := done(settings.data, settings.key_envs.values(), day)):
            return _tell_done(settings, taken)
        return _run(settings, day, accept_drop=accept_drop, again=again, debug=debug)


def require_place(data: DataDirectory) -> None:
    """Refuse a place that cannot hold what is to come, and say where a record is begun: never in silence.

    Raises:
        WrongUse: what is wrong with the place.
    """
    require_room(data)
    if is_new(data):
        out.print(f"A new record is begun in {data.root}.", markup=False)


@contextmanager
def _one_night_at_a_time(data: DataDirectory) -> Iterator[None]:
    """A second command waits for the first, and then finds its work done."""
    data.root.mkdir(parents=True, exist_ok=True)
    lock = FileLock(data.root / ".night.lock")
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        if err.is_terminal:
            err.print("Another snapshot is being taken here: waiting for it to end.")
        held = lock.acquire()
    with held:
        yield


def _tell_done(settings: Settings, taken: list[SnapshotFacts]) -> int:
    """What stands, and what of the record or of what was sent cannot be read: the status is that of a run."""
    from assets.warehouse.publish import bring_up_to_date
    from pipelines.subjects import SUBJECTS

    amiss = []
    try:
        if bring_up_to_date(SUBJECTS, settings.data, settings.now):
            out.print(BUILT_AGAIN)
    except LicenseHistoryError as error:
        amiss.append(str(error))
    for facts in taken:
        out.print(
            f"{facts.title}, {facts.snapshot_date}: done already, observed {facts.observed_at:%Y-%m-%d %H:%M} UTC "
            "(--again asks anew).",
            markup=False,
        )
    odd = [sentence for facts in taken if (manifest := _manifest(settings.data, facts)) for sentence in manifest.odd]
    amiss += [*odd, *map(str, _damaged(settings.data, taken))]
    report_failures(amiss, [])
    return 3 if amiss else 0


def _damaged(data: DataDirectory, taken: list[SnapshotFacts]) -> list[DamagedFile]:
    """The stored files that a night would name, by their footers."""
    from assets.files.damaged import damaged_files
    from assets.history.past import past_files

    of_nights = [one for facts in taken for one in damaged_files(facts.organization_id, data)]
    return [*of_nights, *past_files(data).damaged]


def _manifest(data: DataDirectory, facts: SnapshotFacts) -> Manifest | None:
    """Of the observation that a snapshot was derived from."""
    return read_manifest(data.landing(facts.organization_id, facts.snapshot_date) / facts.observation)


def _run(settings: Settings, day: date, *, accept_drop: bool, again: bool, debug: bool) -> int:
    from pipelines.execution import Outcome, run_night
    from pipelines.installation.instance import RunLogFailed

    logging.getLogger("httpx").setLevel(logging.WARNING)
    with watched(f"Snapshot of {day}"):
        try:
            outcome = run_night(settings, day, accept_drop=accept_drop, again=again)
        except RunLogFailed as error:  # on the way, perhaps after everything was published
            outcome = Outcome(run_id="", success=False, published=False, failures=[str(error)])
    report_failures(outcome.failures, outcome.debug if debug else [])
    stands = [facts for facts in snapshots_of(settings, day) if facts.is_final or day > yesterday(settings.now)]
    if outcome.published:
        for facts in stands:
            out.print(summary(facts, settings.data), markup=False)
    if outcome.success:
        out.print(f"Published: {settings.data.warehouse} (Dagster run {outcome.run_id}).", markup=False)
        return 0
    return 3 if stands else 1


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


def report_failures(sentences: Sequence[str], traces: Sequence[str]) -> None:
    """What went wrong, on standard error; tracebacks only where they were asked for."""
    for sentence in sentences:
        err.print(f"licenses: {sentence}", markup=False)
    for trace in traces:
        err.print(trace, markup=False)


def snapshots_of(settings: Settings, day: date) -> list[SnapshotFacts]:
    """The facts of each organization's snapshot of a day; a damaged one tells none, and the run has said so."""
    found = (known_facts(file.path) for file in files_of_day(SNAPSHOTS, day, settings.data))
    return [facts for facts in found if facts]


def summary(facts: SnapshotFacts, data: DataDirectory | None = None) -> str:
    """One snapshot in a line or two; what is unknown is said, never shown as zero: why so, where `data` can tell."""
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
        told = ", ".join(name + (f" ({_why_unknown(facts, name, data)})" if data else "") for name in facts.unknown)
        lines.append(f"  Unknown, not zero: {told}.")
    if facts.unmapped:
        lines.append(f"  Unmapped, kept as they are: {', '.join(facts.unmapped)}; add them to license_types.csv.")
    return "\n".join(lines)


def _why_unknown(facts: SnapshotFacts, name: str, data: DataDirectory) -> str:
    manifest = _manifest(data, facts)
    outcome = manifest.lists.get(ROSTERS[name]) if manifest else None
    return "not read tonight" if outcome and outcome.state is State.FAILED else "not available to this key"
