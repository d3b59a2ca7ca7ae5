"""What one run has observed, or found observed, told to the steps of the same run that come after it.

Kept in the run's staging tree, so that a re-execution goes on with it.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from assets.extraction.landing import Observation, read_observation
from assets.files import whole_file
from assets.layout import DataDirectory


def hand_over(staged: DataDirectory, observations: Iterable[Observation]) -> None:
    """Add to what the run hands over; of several observations of one organization and day, the last."""
    known = {_key(one): one for one in (*handed_over(staged), *observations)}
    with whole_file(_file(staged)) as place:
        place.write_bytes(msgspec.json.encode([str(one.folder.resolve()) for one in known.values()]))


def handed_over(staged: DataDirectory) -> list[Observation]:
    """What the run has observed or found whole, in the order in which it was handed over."""
    try:
        folders = msgspec.json.decode(_file(staged).read_bytes(), type=list[str])
    except FileNotFoundError:
        return []
    return [found for folder in folders if (found := read_observation(Path(folder)))]


def _key(observation: Observation) -> tuple[str, object]:
    return observation.manifest.organization_id, observation.manifest.day


def _file(staged: DataDirectory) -> Path:
    return staged.root / "observations.json"
