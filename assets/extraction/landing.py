"""The raw landing: what the API said, kept as it came, and the manifest that says whether it is whole.

One folder per observation: a file of pages per list (one page a line, as sent, zstd) and `manifest.json`, which is
written last. No manifest that says complete, no snapshot. People and programs leave other things beside ours: only a
folder whose name is of our making, and whose manifest says that it belongs there, is an observation.
"""

import io
import logging
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import count, takewhile
from pathlib import Path

import msgspec
import pyarrow as pa
from msgspec import Struct, field

from assets.days import is_final, yesterday
from assets.errors import ImpossibleDay
from assets.extraction.api import API_VERSION
from assets.files.atomic import sync, whole_file
from assets.layout import DataDirectory, observation_folders, organization_folders

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
FEED = "activities"
"""The folder, beside an organization's days, of what the Activity Feed said."""

_STAMP = "%Y%m%dT%H%M%SZ"


class State(StrEnum):
    COMPLETE = "complete"
    UNAVAILABLE = "not available"
    """The key may not read it, or the organization has not got it."""
    FAILED = "not read"
    """It did not arrive whole: unknown like the above, and asked for again."""


class Call(Struct, kw_only=True):
    """One question about a span of days, both included, and how many pages answered it, in the order of the file."""

    first: date
    last: date
    pages: int


class ListOutcome(Struct, kw_only=True):
    """What became of one list. `rows` counts distinct items, `repeated` the equal copies that came again.

    `foreign` counts the items that cannot be told to be this organization's.
    """

    state: State
    reason: str | None = None
    refused: bool = False
    """Whether the key may not, or no longer, read it (403, 404); not where the API has nothing to tell of."""
    key: str | None = None
    observed_at: datetime | None = None
    """The pipeline's clock when the attempt began that heard it; an earlier one's where its pages were taken over."""
    pages: int = 0
    rows: int = 0
    repeated: int = 0
    foreign: int = 0
    odd: int = 0
    """How many items could not be read as they were sent: some of what they say is unknown, or they are left out."""
    odd_ones: list[str] = field(default_factory=list)
    """The first few of them, each with what is wrong with it."""
    wished: bool = False
    """Whether it was asked with what a server may refuse: the organization's filter, the default workspace."""
    own_ids: list[str] = field(default_factory=list)
    """Under which other ids the answer speaks of this organization, where only a filter that holds tells it."""
    restarts: int = 0
    first_id: str | None = None
    last_id: str | None = None
    request_ids: list[str] = field(default_factory=list)
    covers_from: date | None = None
    covers_to: date | None = None
    """The days asked for, as far as the endpoint accepted them."""
    reached: date | None = None
    """The last of them that its data reached; None where none, or where no `calls` were recorded."""
    refreshed_at: datetime | None = None
    calls: list[Call] | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def complete(self) -> bool:
        return self.state is State.COMPLETE


class Manifest(Struct, kw_only=True):
    """What one observation heard. `observed_at` is the pipeline's clock when the attempt began that heard the roster.

    `missing` holds a sentence for each list that was not read and could have been, `odd` one for each list with items
    that could not be read as they were sent.
    """

    organization_id: str
    organization_name: str | None
    day: date
    observation: str
    observed_at: datetime
    run_id: str
    complete: bool
    failure: str | None = None
    api_version: str = API_VERSION
    lists: dict[str, ListOutcome] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    """The variables of all keys that could have been asked; none in a manifest of before this was recorded."""
    missing: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether nothing is left to ask for."""
        return self.complete and not self.missing

    @property
    def asked_with(self) -> set[str]:
        """The variables of the keys that asked; older manifests name only those that read a list."""
        return set(self.keys) or {outcome.key for outcome in self.lists.values() if outcome.key}

    @property
    def closes_its_day(self) -> bool:
        return is_final(self.day, self.observed_at)

    def has(self, name: str) -> bool:
        """Whether the list was read whole: one that is not available or was not read is unknown, not empty."""
        outcome = self.lists.get(name)
        return outcome is not None and outcome.complete


class Observation(Struct, frozen=True):
    """A complete observation on disk: the only thing that a snapshot can be derived from."""

    folder: Path
    manifest: Manifest

    def pages(self, name: str) -> Path:
        return pages_file(self.folder, name)


def new_observation(data: DataDirectory, organization_id: str, day: date, observed_at: datetime) -> Path:
    """Make a fresh folder for an observation of a day."""
    return new_folder(data.landing(organization_id, day), observed_at)


def new_folder(parent: Path, observed_at: datetime) -> Path:
    """Make a fresh folder; names sort by time, then by turn, and are never used twice."""
    for turn in count(1):
        folder = parent / f"{observed_at.astimezone(UTC):{_STAMP}}-{turn:03}"
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("counting does not end")


def pages_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.jsonl.zst"


class PageWriter:
    """Appends pages to one list's file as they arrive. Opening it again starts the list over."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(b"")
        self._path = path
        self._begin()

    def write(self, body: bytes) -> None:
        if b"\n" in body or b"\r" in body:
            # JSON has no raw line break inside a string, so this changes white space only.
            body = body.translate(_ONE_LINE)
        self._pages.write(body)
        self._pages.write(b"\n")

    def add(self, written: Path) -> None:
        """Append the pages that another has written, packed as they are: one zstd frame may follow another."""
        self._end()
        with written.open("rb") as pages, self._path.open("ab") as file:
            shutil.copyfileobj(pages, file, _AT_ONCE)
        self._begin()

    def __enter__(self) -> "PageWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _begin(self) -> None:
        self._pages = pa.CompressedOutputStream(pa.PythonFile(self._path.open("ab"), "w"), "zstd")

    def _end(self) -> None:
        self._pages.flush()
        self._pages.close()


_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def read_pages(path: Path) -> Iterator[bytes]:
    """The pages of a list, one after another, as they came."""
    with pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd") as stream:
        yield from io.BufferedReader(stream, _AT_ONCE)


_AT_ONCE = 2**20
"""Bytes: a page has some hundred thousand."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Seal an observation: its pages are on the disk, and from here on nothing in its folder changes."""
    for pages in folder.iterdir():
        sync(pages)
    with whole_file(folder / MANIFEST) as place:
        place.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))


def read_observation(folder: Path) -> Observation | None:
    """The observation in `folder`, None where it was not completed."""
    manifest = read_manifest(folder)
    return Observation(folder, manifest) if manifest and manifest.complete else None


def read_manifest(folder: Path) -> Manifest | None:
    """What was sealed in `folder`; None where nothing was, where it cannot be read, or where it belongs elsewhere."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # cut by a kill or a full disk; or nobody may read it
        log.warning("%s cannot be read and is passed over: %s", folder / MANIFEST, error)
        return None
    belongs = (manifest.observation, manifest.organization_id) == (folder.name, folder.parent.parent.name)
    return manifest if belongs and folder.parent.name in (FEED, manifest.day.isoformat()) else None


def newest_observation(data: DataDirectory, organization_id: str, day: date) -> Observation | None:
    """The latest complete observation of an organization for a day."""
    return next(complete_observations(data, organization_id, day), None)


def whole_observation(data: DataDirectory, organization_id: str, day: date) -> Observation | None:
    """The latest observation of a day that was over, from which nothing is missing: there is nothing left to ask."""
    found = complete_observations(data, organization_id, day)
    return next((one for one in found if one.manifest.whole and one.manifest.closes_its_day), None)


def last_before(data: DataDirectory, organization_id: str, day: date) -> Iterator[Observation]:
    """The latest complete observation of each earlier day, newest day first."""
    days = [found for found in days_observed(data, organization_id) if found < day]
    return (found for one in days if (found := newest_observation(data, organization_id, one)))


def require_not_behind(data: DataDirectory, now: datetime) -> None:
    """Refuse to write with a clock that the record contradicts: today's roster would stand under a past day, and what
    replaces something would be older than that.

    Raises:
        ImpossibleDay: an observation of any organization was made later than `now`.
    """
    stamp = f"{now.astimezone(UTC):{_STAMP}}"
    for folder in _attempts_not_before(data, yesterday(now)):
        if folder.name.partition("-")[0] > stamp and (later := read_observation(folder)):
            raise ImpossibleDay(
                f"the clock stands at {now:%Y-%m-%d %H:%M:%S} UTC, but an observation of {later.manifest.day} made at "
                f"{made_at(later.folder):%Y-%m-%d %H:%M:%S} UTC lies in the record: the clock is behind. Set it right "
                "and run again; nothing was written."
            )


def _attempts_not_before(data: DataDirectory, first: date) -> Iterator[Path]:
    """The folders of everything that was asked of any organization for `first` or a later day."""
    for organization_id in (folder.name for folder in organization_folders(data.landings)):
        for day in takewhile(lambda day: day >= first, days_observed(data, organization_id)):
            yield from attempts(data, organization_id, day)


def complete_observations(data: DataDirectory, organization_id: str, day: date) -> Iterator[Observation]:
    """All complete observations of an organization for a day, latest first."""
    return (found for folder in attempts(data, organization_id, day) if (found := read_observation(folder)))


def attempts(data: DataDirectory, organization_id: str, day: date) -> list[Path]:
    """The folders of everything that was asked for a day, complete or not, latest first."""
    return observation_folders(data.landing(organization_id, day))[::-1]


def made_at(folder: Path) -> datetime:
    """When an attempt began, as its folder's name tells."""
    return datetime.strptime(folder.name.partition("-")[0], _STAMP).replace(tzinfo=UTC)


def organizations_observed(data: DataDirectory) -> list[str]:
    """The ids of all organizations of which the landing holds something sealed."""
    return [path.name for path in organization_folders(data.landings) if _is_ours(path)]


def _is_ours(organization: Path) -> bool:
    return any(read_manifest(folder) for part in _inside(organization) for folder in observation_folders(part))


def days_observed(data: DataDirectory, organization_id: str) -> list[date]:
    """The days for which the landing has a folder of the organization, newest first; whether anything in it is whole
    is not looked at."""
    return [day for path in _inside(data.landings / organization_id) if (day := _day(path.name))]


def _day(name: str) -> date | None:
    with suppress(ValueError):
        day = date.fromisoformat(name)
        return day if day.isoformat() == name else None
    return None


def _inside(folder: Path) -> list[Path]:
    """The folders in a folder, last name first; none where there is no such folder."""
    try:
        return sorted((path for path in folder.iterdir() if path.is_dir()), reverse=True)
    except (FileNotFoundError, NotADirectoryError):
        return []
