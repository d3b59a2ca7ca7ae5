"""`licenses run`, which is `make run`: the main job, on the real organization or, without a key, on the sandbox's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from assets.days import end_of, yesterday
from assets.errors import LicenseHistoryError
from assets.files.preflight import require_room
from assets.layout import SNAPSHOTS, DataDirectory, files_of_day
from assets.snapshots.snapshot import read_facts
from pipelines import settings as settings_module
from pipelines.cli.sandbox import SANDBOX_KEY
from pipelines.settings import KEY, Settings

NIGHTS = 7
DAYS_BEFORE = 56
"""Days before the first night, which are reconstructed from the Activity Feed: with the nights nine weeks, so that the
month before the last night's is there whole, and the day before it."""

AT = timedelta(hours=2)
"""When the schedule runs: so long after the end of the day."""


def main_job(*, debug: bool) -> int:
    """Take the real snapshot where there is a key, else play the sandbox's nights; returns the exit status."""
    settings = settings_module.load()
    if wants_sandbox(settings):
        return play_sandbox(settings)
    from pipelines.cli.snapshot import take

    return take(None, accept_drop=False, again=False, debug=debug)


def wants_sandbox(settings: Settings) -> bool:
    """Whether no real organization is configured."""
    return not os.environ.get(KEY) and settings.licenses_organizations is None


def sandbox_data(settings: Settings) -> DataDirectory:
    """The sandbox's own data directory: pretend data never meets real data."""
    return DataDirectory(settings.data.root / "sandbox")


def play_sandbox(settings: Settings) -> int:
    """The sandbox's last nights as the schedule would have run them, then what a newcomer wants to see."""
    from pipelines.cli.finance import sandbox_reference, sandbox_report
    from pipelines.cli.overview import show

    out = Console(highlight=False)
    data = sandbox_data(settings)
    last = yesterday(datetime.now(UTC))
    out.print(
        "[bold]This is a sandbox:[/bold] a pretend company on this machine, because ANTHROPIC_ADMIN_KEY is not set. "
        f"Its last {NIGHTS} nights are run as the schedule would have run them, {DAYS_BEFORE} days before them are "
        "reconstructed from its Activity Feed, and the last night builds the warehouse of them all."
    )
    require_room(data)
    sandbox_reference(data)
    nights = [last - timedelta(days=ago) for ago in reversed(range(NIGHTS))]
    with _progress(_missing(data, nights)) as parts:
        _run_parts(settings, data, parts)
    show(out, data, nights[0], last, sandbox_report(data, last))
    return 0


class _Part(NamedTuple):
    """One run: a night, or days that are reconstructed by the clock of a night."""

    night: date
    first: date
    last: date
    is_last: bool = False

    @property
    def is_night(self) -> bool:
        return self.first == self.last == self.night

    def __str__(self) -> str:
        return f"night of {self.night}" if self.is_night else f"days before {self.last + timedelta(days=1)}"


def _missing(data: DataDirectory, nights: list[date]) -> list[_Part]:
    """What is not there yet: nights, and after the first of them the days before all nights, rolled back from it."""
    before = [nights[0] - timedelta(days=ago) for ago in range(1, DAYS_BEFORE + 1)]
    past = [day for day in before if not _is_done(data, day)]
    parts = [_Part(night, night, night) for night in nights if not _is_done(data, night)]
    if past:
        night = parts[0].night if parts else nights[-1]
        parts.insert(1, _Part(night, min(past), max(past)))
    return [*parts[:-1], *(part._replace(is_last=True) for part in parts[-1:])]


def _run_parts(settings: Settings, data: DataDirectory, parts: Iterator[_Part]) -> None:
    """Each part on its own clocks, the server's and the pipeline's; the last one builds the warehouse."""
    from assets.extraction.resource import AdminApi
    from assets.resources import PipelineClock
    from pipelines.definitions import build
    from pipelines.execution import days_as_tags, run
    from pipelines.installation.instance import instance
    from pipelines.jobs import BACKFILL, NIGHTLY
    from pipelines.running import end_dead_runs
    from sandbox import Clock, Organization, create_app, serving

    os.environ[KEY] = SANDBOX_KEY  # the variable that `licenses ui` goes on with: these nights are done for it, too
    _do_not_wait_for_the_disk()
    clock = Clock(datetime.now(UTC))

    moved = replace(settings, licenses_data_dir=data.root)
    with serving(create_app(Organization(), clock=clock.now)) as url, instance(data, pretend=True) as opened:
        end_dead_runs(opened, data)
        api = AdminApi(base_url=url, key_envs={"the sandbox organization": KEY})
        together = PipelineClock(clock.now, moved=True, first=settings.licenses_first_day)
        definitions = build(moved, api=api, clock=together)
        for part in parts:
            clock.set(end_of(part.night) + AT)
            if part.is_night:
                what: dict[str, Any] = {"job": NIGHTLY, "partition_key": part.night.isoformat()}
            else:
                what = {"job": BACKFILL, "tags": days_as_tags(part.first, part.last)}
            outcome = run(definitions, opened, moved, warehouse=part.is_last, **what)
            if outcome.failures:
                raise LicenseHistoryError(f"The sandbox's {part} failed: {' '.join(outcome.failures)}")


def _do_not_wait_for_the_disk() -> None:
    """Dagster writes hundreds of events for these nights, a transaction each; pretend ones may die in a power cut."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    @event.listens_for(Engine, "connect")
    def unsynced(connection: Any, _record: object) -> None:
        connection.execute("pragma synchronous = off")


def _is_done(data: DataDirectory, day: date) -> bool:
    """Whether the day's closing snapshot is published already."""
    found = [read_facts(file.path) for file in files_of_day(SNAPSHOTS, day, data)]
    return bool(found) and all(facts is not None and facts.is_final for facts in found)


@contextmanager
def _progress(parts: list[_Part]) -> Iterator[Iterator[_Part]]:
    """The parts one by one: with a bar where a person watches, silently elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("nights", total=len(parts))

        def one_by_one() -> Iterator[_Part]:
            for part in parts:
                bar.update(task, description=str(part))
                yield part
                bar.advance(task)

        yield one_by_one()
