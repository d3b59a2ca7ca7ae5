"""What is asked, and with what: where the API is, the keys by the names of their variables, and how long to ask.

A key is never a value here: it is read inside a method, when it is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from assets.extraction.deadline import LIST_MINUTES, NIGHT_MINUTES, Patience
from assets.extraction.organizations import Credential


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
