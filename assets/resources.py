"""What the Dagster assets are given: where data lies, what the clock says, and which keys to ask with.

A key is never a resource's value: Dagster stores those and shows them. The resource holds the name of the
environment variable, and reads it inside a method.
"""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from assets.assignments.derive import DropGuard
from assets.days import FIRST_DAY
from assets.errors import WrongUse
from assets.extraction.api import ADMIN_KEY_PREFIX
from assets.extraction.organizations import Credential
from assets.layout import DataDirectory


class DataFolder(dg.ConfigurableResource):  # type: ignore[type-arg]
    """LICENSES_DATA_DIR."""

    path: str

    @property
    def tree(self) -> DataDirectory:
        return DataDirectory(Path(self.path))

    def staged(self, run: dg.DagsterRun) -> DataDirectory:
        """What a run has made and not yet published; a re-execution goes on with what its first run staged."""
        return self.tree.staging(run.root_run_id or run.run_id)


class PipelineClock(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The clock that decides which day may be observed; `fixed` (RFC 3339) moves it for simulations."""

    fixed: str = ""
    first_day: str = FIRST_DAY.isoformat()

    def now(self) -> datetime:
        return datetime.fromisoformat(self.fixed).astimezone(UTC) if self.fixed else datetime.now(UTC)

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
    """Where the API is, and for each organization a name and the variable that holds its key."""

    base_url: str
    key_envs: dict[str, str]

    def credentials(self) -> list[Credential]:
        """The keys, read now.

        Raises:
            WrongUse: a variable is not set, or holds no Anthropic key.
        """
        return [Credential(label, name, admin_key(label, name)) for label, name in self.key_envs.items()]


def admin_key(label: str, name: str) -> str:
    """The key in the environment variable `name`.

    Raises:
        WrongUse: it is not set, or cannot be a key. What it holds is never told.
    """
    key = os.environ.get(name, "").strip()
    if not key:
        raise WrongUse(
            f"No key for {label}: the environment variable {name} is not set. An organization admin can create an "
            "Admin key in the Console (Settings, Admin keys); put it there or into .env."
        )
    if not key.startswith(ADMIN_KEY_PREFIX):
        raise WrongUse(
            f"The key for {label}, in {name}, is no Anthropic key: those start with {ADMIN_KEY_PREFIX}, Admin keys "
            "with sk-ant-admin. Nothing was asked."
        )
    return key
