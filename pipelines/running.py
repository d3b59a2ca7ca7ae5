"""Which runs are at work, as the kernel knows it: each holds a lock on a file of its own while it is.

A run that was killed cannot say so: in Dagster it stays started, and holds the others up. Its lock is free, however it
ended (kill -9, power, a process id that somebody else bears now), so whoever comes next ends it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from filelock import FileLock, Timeout

from assets.layout import DataDirectory
from assets.resources import Installation

if TYPE_CHECKING:
    from dagster import InitResourceContext

ENDED = "Its process is gone (killed, or the machine went down): nothing is half published. The next run goes on."


_held: set[str] = set()
"""The runs that this process holds: the kernel would make it wait for itself."""


@contextmanager
def at_work(data: DataDirectory, run_id: str) -> Iterator[None]:
    """Hold the run's lock; a run that this process holds already stays held."""
    if run_id in _held:
        yield
        return
    place = _locks(data) / f"{run_id}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    _held.add(run_id)
    try:
        with FileLock(place):
            yield
            place.unlink(missing_ok=True)
    finally:
        _held.discard(run_id)


def end_dead_runs(opened: dg.DagsterInstance, data: DataDirectory) -> list[str]:
    """End the runs whose process is gone; returns their ids."""
    ended = []
    for place in sorted(_locks(data).glob("*.lock")):
        with suppress(Timeout), FileLock(place).acquire(blocking=False):
            run = opened.get_run_by_id(place.stem)
            if run is None:
                continue  # another instance's, which ends it
            if not run.is_finished:
                opened.report_run_failed(run, ENDED)
                ended.append(run.run_id)
            place.unlink(missing_ok=True)
    return ended


def are_at_work(data: DataDirectory) -> bool:
    """Whether any run is at work on this data directory, be it of another instance."""
    return any(map(_is_held, _locks(data).glob("*.lock")))


def _is_held(place: Path) -> bool:
    try:
        with FileLock(place).acquire(blocking=False):
            return False
    except Timeout:
        return True


def _locks(data: DataDirectory) -> Path:
    return data.dagster_home / "running"


def held_by_runs(given: Installation) -> dg.ResourceDefinition:
    """What the assets are given, as a resource without any config, whose runs can be seen to be alive: also those that
    Dagster's daemon starts."""

    told = f"The data directory {given.data.root}, the API and the clock, as the settings say them."

    @dg.resource(config_schema={}, description=told)
    def claude_licenses(context: "InitResourceContext") -> Iterator[Installation]:
        """Hold the run's lock as long as its steps are executed."""
        if context.run is None:
            yield given
            return
        with at_work(given.data, context.run.run_id):
            yield given

    return claude_licenses
