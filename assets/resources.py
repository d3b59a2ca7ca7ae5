"""What the Dagster assets are given: where data lies, what the clock says, which keys to ask with, and where.

None of it can be said in a run's config, so that no launchpad walks past the rules of time and address, and Dagster
stores none of it. A key is never a value here either: the resource holds the name of the environment variable, and
reads it inside a method.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Self

from assets.assignments.derive import DropGuard
from assets.days import FIRST_DAY
from assets.extraction.deadline import LIST_MINUTES, NIGHT_MINUTES, Patience
from assets.extraction.organizations import Credential
from assets.layout import DataDirectory
from assets.names import Names
from assets.publishing import claim

if TYPE_CHECKING:
    import dagster as dg


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
class AdminApi:
    """Where the API is, for each organization a name and the variable that holds its key, and how long to ask."""

    base_url: str
    key_envs: Mapping[str, str]
    list_minutes: float = LIST_MINUTES
    night_minutes: float = NIGHT_MINUTES

    def patience(self) -> Patience:
        """For a night that begins now."""
        return Patience.of(self.list_minutes, self.night_minutes)

    def credentials(self) -> list[Credential]:
        """The keys, read now; one that cannot be used is refused when it is, so that it costs only its own day."""
        return [Credential.from_environment(label, name) for label, name in self.key_envs.items()]


@dataclass(frozen=True)
class Installation:
    """All that the assets are given, as the settings say it."""

    data: DataDirectory
    api: AdminApi
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
