"""What earlier attempts at the same day have heard: it is not asked for again.

Two things are kept as they come whole: each list's outcome, beside its pages in the attempt's folder, and, for a report
that takes many calls, the pages of each call about days that no longer change. Only what came whole has its name here,
so a kill leaves nothing that could be taken for more than it is.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec

from assets.days import TRAILING_DAYS, end_of
from assets.extraction.api import ACTIVITIES, ESSENTIAL, INVITES, WORKSPACES, WORKSPACES_LISTED, Endpoint
from assets.extraction.landing import ListOutcome, PageWriter, attempts, pages_file, read_manifest, read_pages
from assets.extraction.usage_calls import Span
from assets.files.atomic import sync, twin, whole_file
from assets.layout import DataDirectory, listed

log = logging.getLogger(__name__)

OUTCOME = ".outcome.json"
UNFINISHED = "unfinished"
"""The folder, beside an organization's days, of the calls of reports that have not yet come to their end."""
MOST_DAYS = 3
"""How long a call's answer is good for; and a day can be observed no longer than until the end of the next one."""
_STAMP = "%Y%m%dT%H%M%SZ"

Outcomes = dict[str, ListOutcome]
DAWN = datetime.min.replace(tzinfo=UTC)


def keep_outcome(folder: Path, name: str, outcome: ListOutcome) -> None:
    """Note that a list has come whole, so that a later attempt need not ask for it."""
    sync(pages_file(folder, name))
    with whole_file(folder / f"{name}{OUTCOME}") as place:
        place.write_bytes(msgspec.json.encode(outcome))


def drop_outcomes(folder: Path) -> None:
    """The manifest says all of it by now."""
    for path in folder.glob(f"*{OUTCOME}"):
        path.unlink()


def taken_over(
    data: DataDirectory, organization_id: str, day: date, now: datetime, folder: Path
) -> dict[str, ListOutcome]:
    """Put into `folder` the newest whole answer to each list among the attempts at a day made when it was over.

    Members and API keys are taken over together or not at all, since an observation is of one moment; invites only
    beside them, and the feed only beside all of these and not older: else it would lack what has happened in between.
    The two lists of workspaces tell the default one by their difference, so they belong together, too.
    """
    heard: dict[str, ListOutcome] = {}
    said = [(attempt, _good_for(attempt, day, now)) for attempt in attempts(data, organization_id, day)]
    chained = {endpoint.name for chain in _CHAINS for together in chain for endpoint in together}
    for name in {name for _, outcomes in said for name in outcomes} - chained:
        heard |= _newest([name], said, folder)
    for chain in _CHAINS:
        not_before = DAWN
        for together in chain:
            found = _newest([endpoint.name for endpoint in together], said, folder, not_before)
            if not found:
                break
            heard |= found
            not_before = max(_heard_at(outcome) for outcome in found.values())
    return heard


_CHAINS = (ESSENTIAL, (INVITES,), (ACTIVITIES,)), ((WORKSPACES, WORKSPACES_LISTED),)


def _newest(
    names: Sequence[str], said: Iterable[tuple[Path, Outcomes]], folder: Path, not_before: datetime = DAWN
) -> Outcomes:
    """The lists as the latest attempt heard them that heard all of them; empty where none did."""
    for attempt, outcomes in said:
        found = {name: outcomes[name] for name in names if name in outcomes}
        if len(found) < len(names) or any(_heard_at(outcome) < not_before for outcome in found.values()):
            continue
        if all(_link(attempt, name, outcome, folder) for name, outcome in found.items()):
            return found
        for name in found:
            pages_file(folder, name).unlink(missing_ok=True)
    return {}


def _link(attempt: Path, name: str, outcome: ListOutcome, folder: Path) -> bool:
    """Give a list's pages a second name in `folder`; whether they are what they were."""
    place = pages_file(folder, name)
    try:
        twin(pages_file(attempt, name), place)
        return sum(1 for _ in read_pages(place)) == outcome.pages
    except OSError as error:
        log.debug("%s of %s cannot be taken over: %s", name, attempt, error)
        return False


def _good_for(attempt: Path, day: date, now: datetime) -> Outcomes:
    """The lists that came whole, when the day was over and not so long ago that they tell of another one."""
    return {
        name: outcome
        for name, outcome in _outcomes(attempt).items()
        if outcome.complete and end_of(day) <= _heard_at(outcome) <= now <= _heard_at(outcome) + timedelta(days=1)
    }


def _heard_at(outcome: ListOutcome) -> datetime:
    return outcome.observed_at or DAWN


@dataclass(frozen=True)
class Calls:
    """The kept answers to one report's calls; `asked` tells apart the forms in which a call can be asked."""

    root: Path
    day: date
    now: datetime
    anew: bool = False
    """Whether to ask even for what is kept."""

    @classmethod
    def of(cls, data: DataDirectory, organization_id: str, day: date, now: datetime, *, anew: bool) -> "Calls":
        return cls(data.landings / organization_id / UNFINISHED, day, now, anew)

    def recall(self, endpoint: Endpoint, part: Span, asked: str) -> Path | None:
        """Where the pages lie that answered this call before, None where it has to be asked.

        They are read through once, since a call cannot be answered in half; a month of a big organization's is too much
        to be held in memory.
        """
        for path in sorted((self.root / endpoint.name).glob(f"{_name(part, asked)}_*"), reverse=True):
            if self._is_good(path) and not self.anew:
                try:
                    for _ in read_pages(path):
                        pass
                    return path
                except OSError as error:
                    log.debug("%s cannot be read: %s", path, error)
        return None

    @contextmanager
    def keeping(self, endpoint: Endpoint, part: Span, asked: str, pages: PageWriter) -> Iterator[PageWriter]:
        """Where to write the call's pages to: a file that is kept if the block succeeds, and then added to the list's
        `pages`; these themselves where the call's days may still change."""
        if part.last >= self.day - timedelta(days=TRAILING_DAYS):
            yield pages
            return
        stamp = self.now.astimezone(UTC).strftime(_STAMP)
        place = self.root / endpoint.name / f"{_name(part, asked)}_{stamp}.jsonl.zst"
        with whole_file(place) as temporary, PageWriter(temporary) as kept:
            yield kept
        pages.add(place)

    def drop(self, outcomes: Mapping[str, ListOutcome]) -> None:
        """Remove the calls of reports that have come to their end, and whatever is too old to be of use."""
        for folder in listed(self.root):
            ended = folder.name in outcomes and outcomes[folder.name].complete
            for path in listed(folder):
                if ended or not self._is_good(path):
                    path.unlink(missing_ok=True)

    def _is_good(self, path: Path) -> bool:
        try:
            heard = datetime.strptime(path.name.partition(".")[0].rpartition("_")[2], _STAMP).replace(tzinfo=UTC)
        except ValueError:
            return False
        return heard <= self.now <= heard + timedelta(days=MOST_DAYS)


def _name(part: Span, asked: str) -> str:
    return f"{part.first}_{part.last}_{asked}"


def _outcomes(folder: Path) -> Outcomes:
    """What an attempt says of its lists: sealed, or as far as it came."""
    manifest = read_manifest(folder)
    if manifest and manifest.complete:
        return manifest.lists
    found = {}
    for path in folder.glob(f"*{OUTCOME}"):
        try:
            found[path.name.removesuffix(OUTCOME)] = msgspec.json.decode(path.read_bytes(), type=ListOutcome)
        except (OSError, ValueError) as error:
            log.debug("%s cannot be read: %s", path, error)
    return found
