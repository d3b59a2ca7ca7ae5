"""The raw landing: what the API said, kept as it came, and the manifest that says whether it is whole.

One folder per observation: a file of pages per list (one page a line, as sent, zstd) and `manifest.json`, which is
written last. No manifest that says complete, no snapshot.
"""

import io
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from enum import StrEnum
from itertools import count
from pathlib import Path

import msgspec
import pyarrow as pa
from msgspec import Struct, field

from assets.extraction.api import API_VERSION
from assets.layout import DataDirectory, sync, whole_file

MANIFEST = "manifest.json"
FEED = "activities"
"""The folder, beside an organization's days, of what the Activity Feed said."""


class State(StrEnum):
    COMPLETE = "complete"
    UNAVAILABLE = "not available"


class Call(Struct, kw_only=True):
    """One question about a span of days, both included, and how many pages answered it, in the order of the file."""

    first: date
    last: date
    pages: int


class ListOutcome(Struct, kw_only=True):
    """What became of one list. `rows` counts distinct items, `repeated` the equal copies that came again.

    `longest_page` is in bytes. `foreign` counts the items that cannot be told to be this organization's.
    """

    state: State
    reason: str | None = None
    key: str | None = None
    pages: int = 0
    rows: int = 0
    repeated: int = 0
    foreign: int = 0
    wished: bool = False
    """Whether it was asked with what a server may refuse: the organization's filter, the default workspace."""
    own_ids: list[str] = field(default_factory=list)
    """Under which other ids the answer speaks of this organization, where only a filter that holds tells it."""
    restarts: int = 0
    longest_page: int = 0
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
    """What one observation heard. `observed_at` is the pipeline's clock when it began."""

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

    def has(self, name: str) -> bool:
        """Whether the list was read whole: an unavailable list is unknown, not empty."""
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
        folder = parent / f"{observed_at:%Y%m%dT%H%M%SZ}-{turn:03}"
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError("counting does not end")


def pages_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.jsonl.zst"


class PageWriter:
    """Appends pages to one list's file as they arrive. Opening it again starts the list over."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._pages = pa.CompressedOutputStream(pa.PythonFile(self._file, "w"), "zstd")

    def write(self, body: bytes) -> None:
        # JSON has no raw line break inside a string, so this changes white space only.
        self._pages.write(body.translate(_ONE_LINE) + b"\n")

    def __enter__(self) -> "PageWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._pages.flush()
        self._pages.close()


_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


def read_pages(path: Path) -> Iterator[bytes]:
    """The pages of a list, one after another, as they came."""
    with pa.CompressedInputStream(pa.OSFile(str(path), "rb"), "zstd") as stream:
        yield from io.BufferedReader(stream)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Seal an observation: its pages are on the disk, and from here on nothing in its folder changes."""
    for pages in folder.iterdir():
        sync(pages)
    with whole_file(folder / MANIFEST) as place:
        place.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))


def read_observation(folder: Path) -> Observation | None:
    """The observation in `folder`, None where it was not completed."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    return Observation(folder, manifest) if manifest.complete else None


def newest_observation(data: DataDirectory, organization_id: str, day: date) -> Observation | None:
    """The latest complete observation of an organization for a day."""
    return next(complete_observations(data, organization_id, day), None)


def complete_observations(data: DataDirectory, organization_id: str, day: date) -> Iterator[Observation]:
    """All complete observations of an organization for a day, latest first."""
    folders = sorted(data.landing(organization_id, day).glob("*"), reverse=True)
    return (found for folder in folders if (found := read_observation(folder)))


def organizations_observed(data: DataDirectory) -> list[str]:
    """The ids of all organizations that the landing knows."""
    return sorted(path.name for path in (data.root / "landing").glob("*") if path.is_dir())
