"""What the Dagster assets are given: where data lies, what the clock says, which keys to ask with, and where.

None of it can be said in a run's config, so that no launchpad walks past the rules of time and address, and Dagster
stores none of it. A key is never a value here either: the resource holds the name of the environment variable, and
reads it inside a method.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Self

from assets.days import FIRST_DAY
from assets.files.publishing import claim
from assets.layout import DataDirectory
from assets.orchestration.names import Names

if TYPE_CHECKING:
    import dagster as dg

    from assets.extraction.resource import AdminApi


def _of_this_machine() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class PipelineClock:
    """The clock that decides which day may be observed.

    One that was `moved` is not the world's, so that nobody else's can contradict it: it is for stand-ins on this
    machine alone (`require_right_clock`). `first` is the first day of the warehouse.
    """

    tell: Callable[[], datetime] = _of_this_machine
    moved: bool = False
    first: date = FIRST_DAY

    def now(self) -> datetime:
        return self.tell().astimezone(UTC)

    @classmethod
    def standing(cls, at: datetime, first: date = FIRST_DAY) -> "PipelineClock":
        """One that stands still, for simulations."""
        return cls(lambda: at, moved=True, first=first)


@dataclass(frozen=True)
class DropGuard:
    """How many holders may be gone at once: both, a share and a number, must be exceeded before a day is refused."""

    percent: float = 20.0
    holders: int = 10
    accepted: bool = False

    def is_drop(self, before: int, now: int) -> bool:
        return before - now > max(self.holders, before * self.percent / 100)


@dataclass(frozen=True)
class Installation:
    """All that the assets are given, as the settings say it."""

    data: DataDirectory
    api: "AdminApi"
    clock: PipelineClock = field(default_factory=PipelineClock)
    guard: DropGuard = field(default_factory=DropGuard)

    @classmethod
    def given_to(cls, context: "dg.AssetExecutionContext | dg.AssetCheckExecutionContext", names: Names) -> Self:
        """What a step or a check of ours was given."""
        given = getattr(context.resources, names.resource)
        assert isinstance(given, cls)
        return given

    def staged(self, run: "dg.DagsterRun") -> DataDirectory:
        """What a run has made and not yet published; a re-execution goes on with what its first run staged.

        It lasts until the next publishing after the end of its process: what is asked for later is derived again.
        """
        return claim(self.data.staging(run.root_run_id or run.run_id))
