"""What one run has observed, or found observed, told to the steps of the same run that come after it.

Kept in the run's staging tree, so that a re-execution goes on with it.
"""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec

from assets.extraction.landing import Observation, read_observation
from assets.files.atomic import whole_file
from assets.layout import DataDirectory


def hand_over(staged: DataDirectory, observations: Iterable[Observation]) -> None:
    """Add to what the run hands over; of several observations of one organization and day, the last."""
    fresh = {f"{one.manifest.organization_id}/{one.manifest.day}": one.folder.name for one in observations}
    with whole_file(_file(staged)) as place:
        place.write_bytes(msgspec.json.encode({**(_read(staged) or {}), **fresh}))


def handed_over(data: DataDirectory, staged: DataDirectory) -> list[Observation] | None:
    """What the run has observed or found whole, in the order in which it came; None where it has not observed."""
    if (folders := _read(staged)) is None:
        return None
    found = (read_observation(_folder(data, key, name)) for key, name in folders.items())
    return [one for one in found if one]


def _folder(data: DataDirectory, key: str, name: str) -> Path:
    organization_id, day = key.split("/")
    return data.landing(organization_id, date.fromisoformat(day)) / name


def _read(staged: DataDirectory) -> dict[str, str] | None:
    """By organization and day, the observation's folder: a name, for another machine may know the data elsewhere."""
    try:
        return msgspec.json.decode(_file(staged).read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return None


def _file(staged: DataDirectory) -> Path:
    return staged.root / "observations.json"
