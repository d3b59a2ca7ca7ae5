"""What an observation lacks that it could have had, in sentences for the operator.

A list that the API never gave to this key is a fact and no lack. One that failed, or that was readable the day before
and is refused now, is: the night is done in part, and the next run asks again.
"""

from collections.abc import Iterator

from assets.extraction.api import (
    ACTIVITIES,
    ANALYTICS_USAGE,
    API_KEYS,
    ENDPOINTS,
    INVITES,
    OLDER_USAGE,
    USERS,
    WORKSPACES,
    WORKSPACES_LISTED,
)
from assets.extraction.landing import Manifest, Observation, State

_MEANING = {
    USERS.name: "The members of this day are unknown, not none",
    API_KEYS.name: "The API keys of this day are unknown, not none",
    INVITES.name: "The pending invites of this day are unknown, not none",
    WORKSPACES.name: "The workspaces' names of this day are unknown",
    WORKSPACES_LISTED.name: "Which workspace is the default one is unknown",
    ACTIVITIES.name: "Invites that were ended after the day are judged without the Activity Feed",
}
_LAST_USE = "Last use is as it was known before"
_NOUNS = {endpoint.name: endpoint.noun for endpoint in (*ENDPOINTS.values(), ACTIVITIES)}
_OLDER = tuple(endpoint.name for endpoint in OLDER_USAGE)


def what_is_missing(manifest: Manifest, title: str, before: Iterator[Observation]) -> list[str]:
    """A sentence for each list that was not read, or is refused though the last observation that asked had read it.

    `before` are the observations of earlier days, newest first.
    """
    earlier = _Earlier(before)
    told = []
    for name, outcome in manifest.lists.items():
        noun, meaning = _NOUNS[name], _MEANING.get(name, _LAST_USE)
        start = f"{title}, {manifest.day}: {noun}"
        if outcome.state is State.FAILED:
            told.append(f"{start}: not read: {_plain(outcome.reason)}. {meaning}; the next run asks again.")
        elif outcome.refused and not _told_by_others(manifest, name) and (last := earlier.read(name)):
            told.append(
                f"{start}: could be read on {last.day}, and the key is refused now: {_plain(outcome.reason)}. "
                f"{meaning}; the next run asks again."
            )
    return told


def what_is_odd(manifest: Manifest, title: str) -> list[str]:
    """A sentence for each list with items that could not be read as they were sent."""
    return [
        f"{title}, {manifest.day}: {_NOUNS[name]}: {outcome.odd:,} could not be read as sent: "
        f"{', '.join(outcome.odd_ones)}{', …' if outcome.odd > len(outcome.odd_ones) else ''}. What cannot be read of "
        "them is unknown, one without an id is left out, and all that came is kept in the landing folder "
        f"{manifest.observation}."
        for name, outcome in manifest.lists.items()
        if outcome.odd
    ]


class _Earlier:
    """Observations of earlier days, looked at only as far back as a question needs."""

    def __init__(self, observations: Iterator[Observation]) -> None:
        self._coming, self._seen = observations, list[Manifest]()

    def read(self, name: str) -> Manifest | None:
        """The last that knew whether the list can be read, if it had read it."""
        for manifest in self._all():
            outcome = manifest.lists.get(name)
            if outcome and outcome.state is not State.FAILED:
                return manifest if outcome.complete else None
        return None

    def _all(self) -> Iterator[Manifest]:
        yield from self._seen
        for observation in self._coming:
            self._seen.append(observation.manifest)
            yield observation.manifest


def _told_by_others(manifest: Manifest, name: str) -> bool:
    """Whether the use that a report would tell of is told by what an organization has in its place."""
    if name == ANALYTICS_USAGE.name:
        return all(manifest.has(older) for older in _OLDER)
    return name in _OLDER and manifest.has(ANALYTICS_USAGE.name)


def _plain(reason: str | None) -> str:
    return (reason or "no reason given").rstrip(".")
