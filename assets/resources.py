"""What the Dagster assets are given: where data lies, what the clock says, and which keys to ask with.

A key is never a resource's value: Dagster stores those and shows them. The resource holds the name of the
environment variable, and reads it inside a method.
"""

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from assets.assignments.derive import DropGuard
from assets.days import FIRST_DAY
from assets.extraction.deadline import LIST_MINUTES, NIGHT_MINUTES, Patience
from assets.extraction.organizations import Credential
from assets.layout import DataDirectory
from assets.publishing import claim


class DataFolder(dg.ConfigurableResource):  # type: ignore[type-arg]
    """LICENSES_DATA_DIR."""

    path: str

    @property
    def tree(self) -> DataDirectory:
        return DataDirectory(Path(self.path))

    def staged(self, run: dg.DagsterRun) -> DataDirectory:
        """What a run has made and not yet published; a re-execution goes on with what its first run staged.

        It lasts until the next publishing after the end of its process: what is asked for later is derived again.
        """
        return claim(self.tree.staging(run.root_run_id or run.run_id))


class PipelineClock(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The clock that decides which day may be observed; `fixed` (RFC 3339) moves it for simulations."""

    fixed: str = ""
    first_day: str = FIRST_DAY.isoformat()

    def now(self) -> datetime:
        return datetime.fromisoformat(self.fixed).astimezone(UTC) if self.fixed else datetime.now(UTC)

    @property
    def moved(self) -> bool:
        """Whether it is not the world's clock, so that nobody else's can contradict it."""
        return bool(self.fixed)

    @property
    def first(self) -> date:
        return date.fromisoformat(self.first_day)


class Guard(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The drop guard's limits."""

    percent: float = DropGuard.percent
    holders: int = DropGuard.holders

    def limits(self, accepted: bool) -> DropGuard:
        return DropGuard(self.percent, self.holders, accepted)


class AdminApi(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the API is, for each organization a name and the variable that holds its key, and how long to ask."""

    base_url: str
    key_envs: dict[str, str]
    list_minutes: float = LIST_MINUTES
    night_minutes: float = NIGHT_MINUTES

    def patience(self) -> Patience:
        """For a night that begins now."""
        return Patience.of(self.list_minutes, self.night_minutes)

    def credentials(self) -> list[Credential]:
        """The keys, read now; one that cannot be used is refused when it is, so that it costs only its own day."""
        return [Credential.from_environment(label, name) for label, name in self.key_envs.items()]
