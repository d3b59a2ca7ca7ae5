"""What everything of ours is called in Dagster, so that it clashes with nobody else's in the same deployment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import dagster as dg

DEFAULT = "claude_licenses"


class Attributes(TypedDict):
    """What every asset of ours is given."""

    group_name: str
    owners: Sequence[str]
    tags: dict[str, str]


@dataclass(frozen=True)
class Names:
    """The prefix of all keys, and of every name that is no key; the group and the owners that the assets show."""

    prefix: str = DEFAULT
    group: str = DEFAULT
    owners: tuple[str, ...] = ()

    def key(self, *parts: str) -> "dg.AssetKey":
        """An asset's key, as in `claude_licenses/warehouse/license_history`."""
        import dagster as dg

        return dg.AssetKey([self.prefix, *parts])

    def name(self, what: str) -> str:
        """A job's, schedule's, step's or pool's name, as in `claude_licenses_nightly`."""
        return f"{self.prefix}_{what}"

    def step(self, asset: str) -> str:
        """The name of the step that makes an asset, as Dagster makes it from the key."""
        return f"{self.prefix}__{asset}"

    @property
    def resource(self) -> str:
        """The one resource of ours, under which the assets are given their `Installation`."""
        return self.prefix

    @property
    def pool(self) -> str:
        """The pool of what asks the API: give it a limit in Dagster, and so many ask at once."""
        return self.name("api")

    @property
    def attributes(self) -> Attributes:
        return {"group_name": self.group, "owners": self.owners, "tags": {"source": "anthropic_admin_api"}}
