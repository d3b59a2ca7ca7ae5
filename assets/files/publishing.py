"""Putting what a run has staged into place, all of it or nothing, and clearing up after runs that were killed.

A snapshot that is replaced stays for good, under `superseded/`, and beside it what its replacement changed, under
`restatements/`. Neither may be believed before the new snapshot stands. So both wait where they belong under a hidden
name that holds the hash of the file which makes them true: `.0003.parquet.<sha256>.pending`. Whoever next holds
`writing` finds such a file after a kill, looks whether the hash is that of the file in place, and knows whether the
replacement has happened. A closing's figures wait in the same way for its entry in the log.
"""

import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from assets.engine import OWNER, SPILL
from assets.errors import LicenseHistoryError, NoRoom, PublishFailed
from assets.files.atomic import (
    TEMPORARY,
    because,
    beside,
    locked,
    make_folder,
    prune,
    put,
    remove_abandoned,
    sha256_of,
    sync_folder,
    twin,
)
from assets.layout import (
    CLOSED,
    CLOSINGS,
    FINANCE,
    RESTATEMENTS,
    SUPERSEDED,
    DataDirectory,
    numbered_files,
    organization_folders,
)

log = logging.getLogger(__name__)

PUBLISHED = (".parquet", ".json")
_PENDING = re.compile(r"\.(?P<name>.+)\.(?P<sha256>[0-9a-f]{64})\.pending")


@dataclass
class _Move:
    """A staged file on its way to its place, with what becomes true by it."""

    source: Path
    place: Path
    before: Path | None = None
    """What stood there, kept so that it can come back."""
    is_on_its_way: bool = False
    pending: list[Path] = field(default_factory=list)
    attached: list[Path] = field(default_factory=list)
    """The staged files that are pending with it."""


@contextmanager
def writing(data: DataDirectory) -> Iterator[None]:
    """One writer at a time; the lock ends with its process, however that ends.

    Raises:
        PublishFailed: the directory cannot be locked, which is to say written to.
    """
    with locked(data.root / ".writer.lock"):
        yield


@contextmanager
def publishing(staged: DataDirectory, target: DataDirectory, datasets: Iterable[str]) -> Iterator[list[Path]]:
    """Put the staged files of `datasets` into place, each in one step; yield where they went.

    If the block fails, everything is put back as it was. What it takes along unasked: with snapshots what they replace
    and restate, with an entry of finance's log the figures that were signed.
    """
    moves: list[_Move] = []
    try:
        for dataset in datasets:
            for source in _staged_files(staged.root / _committing(dataset)):
                moves.append(_Move(source, target.root / source.relative_to(staged.root)))
                _place(moves[-1], staged, target)
        yield [move.place for move in moves]
    except BaseException as error:
        if stuck := [sentence for move in reversed(moves) if (sentence := _put_back(move, target))]:
            raise PublishFailed(
                f"Publishing failed ({because(error)}), and not everything could be put back: {'; '.join(stuck)}. Each "
                "file is whole, the old or the new one; mend the cause and run again: the next run brings all in order."
            ) from error
        raise
    for move in moves:
        _finish(move, staged, target)


def _committing(dataset: str) -> str:
    """Where the files lie that the dataset's others wait for."""
    return CLOSINGS if dataset == FINANCE else dataset


def _staged_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in PUBLISHED and not path.name.startswith("."))


def _place(move: _Move, staged: DataDirectory, target: DataDirectory) -> None:
    digest = ""
    for source, final in _attached(move, staged, target):
        digest = digest or sha256_of(move.source)
        pending = final.with_name(f".{final.name}.{digest}.pending")
        move.pending.append(pending)
        if source == move.place:
            move.before = pending
        else:
            move.attached.append(source)
        pending.unlink(missing_ok=True)
        twin(source, pending)
        sync_folder(pending.parent)
    if move.before is None and move.place.exists():
        move.before = beside(move.place, "replaced")
        twin(move.place, move.before)
    move.is_on_its_way = True
    put(move.source, move.place)


def _attached(move: _Move, staged: DataDirectory, target: DataDirectory) -> Iterator[tuple[Path, Path]]:
    """What becomes true when the file is in place, and where it then stands."""
    if move.place.is_relative_to(target.snapshots) and move.place.exists():
        day = move.place.parent.relative_to(target.snapshots)
        # Without a restatement what stood there was damaged: no version of the day that anybody believed.
        for number, path in numbered_files(staged.root / RESTATEMENTS / day, ".parquet"):
            yield move.place, target.root / SUPERSEDED / day / f"{number:04}.parquet"
            yield path, target.root / RESTATEMENTS / day / path.name
    if move.place.is_relative_to(target.root / CLOSINGS):
        figures = (staged.root / CLOSED).glob(f"*/closing={move.place.stem}/*.parquet")
        yield from ((path, target.root / path.relative_to(staged.root)) for path in sorted(figures))


def next_number(data: DataDirectory, day: Path) -> int:
    """What the next version of a day that is replaced is called, by the folders of its day and organization."""
    folders = (data.root / SUPERSEDED / day, data.root / RESTATEMENTS / day)
    return max((number for folder in folders for number, _ in numbered_files(folder, ".parquet")), default=0) + 1


def _put_back(move: _Move, target: DataDirectory) -> str | None:
    """Let what stood there stand there again; why not, where that fails."""
    try:
        if move.is_on_its_way and move.before:
            move.before.replace(move.place)
        elif move.is_on_its_way:
            move.place.unlink(missing_ok=True)
        for kept in (*move.pending, *filter(None, [move.before])):
            kept.unlink(missing_ok=True)
            prune(kept.parent, target.root)
        prune(move.place.parent, target.root)
    except OSError as error:
        return because(error)
    return None


def _finish(move: _Move, staged: DataDirectory, target: DataDirectory) -> None:
    """What waited for the file becomes true. Should that fail, the next `sweep` does it: it is true by now.

    Nothing of it stays staged, no empty folder either: who publishes many days looks through them for each.
    """
    try:
        for pending in move.pending:
            _settle(pending, target)
        if move.before and move.before not in move.pending:
            move.before.unlink(missing_ok=True)
        for source in (move.source, *move.attached):
            source.unlink(missing_ok=True)
            prune(source.parent, staged.root)
    except OSError as error:
        log.warning("%s; the next run will do it", because(error))


def _settle(pending: Path, data: DataDirectory) -> None:
    """Give a pending file its name if what it waits for has come, else remove it."""
    named = _PENDING.fullmatch(pending.name)
    assert named is not None
    final, cause = pending.with_name(named["name"]), _cause(pending, data)
    if cause.exists() and sha256_of(cause) == named["sha256"]:
        pending.replace(final)
        sync_folder(final.parent)
    else:
        pending.unlink(missing_ok=True)
        prune(pending.parent, data.root)


def _cause(pending: Path, data: DataDirectory) -> Path:
    """The file that makes a pending one true."""
    for dataset in (SUPERSEDED, RESTATEMENTS):
        if pending.is_relative_to(data.root / dataset):
            return data.snapshots / pending.parent.relative_to(data.root / dataset) / "part.parquet"
    return data.root / CLOSINGS / f"{pending.parent.name.removeprefix('closing=')}.json"


def settle(data: DataDirectory, day: Path) -> None:
    """Decide what waits for the snapshot of one day and organization. Only for who holds `writing`."""
    for dataset in (SUPERSEDED, RESTATEMENTS):
        for path in (data.root / dataset / day).glob(".*.pending"):
            _settle(path, data)


def sweep(data: DataDirectory, keep: DataDirectory) -> None:
    """Finish or remove whatever killed runs left behind, wherever it lies. Only for who holds `writing`.

    `keep` is the staging tree of the run at work. Of observations that were cut short, what they heard stays: it is the
    record, and the next attempt goes on from it.
    """
    for path in (*data.root.glob(f".{data.warehouse.name}.*"), *hidden_files(data)):
        try:
            _clear(path, data)
        except OSError as error:  # somebody else's, perhaps: no reason to publish nothing
            log.warning("A killed run's file cannot be cleared away: %s", because(error))
    for tree in (*data.root.glob(f"{SPILL}*"), *(data.root / "staging").glob("*")):
        if tree != keep.root:
            _remove_if_dead(tree)


def _clear(path: Path, data: DataDirectory) -> None:
    if _PENDING.fullmatch(path.name):
        _settle(path, data)
    elif path.parent == data.root:
        path.unlink(missing_ok=True)
    elif found := TEMPORARY.fullmatch(path.name):
        remove_abandoned(path) if found[1] == "tmp" else path.unlink(missing_ok=True)


def hidden_files(data: DataDirectory) -> Iterator[Path]:
    """Every hidden file outside the staging trees and Dagster's storage; a link may lead to one of our own folders, but
    what is linked within them is somebody else's."""
    places = ("snapshots", "usage", "superseded", "restatements", "mappings", "finance", "reports", "reference")
    for top in (*(data.root / place for place in places), *organization_folders(data.landings)):
        yield from map(Path, _hidden_below(top))
    yield from data.dagster_home.glob(".*")


def _hidden_below(folder: Path | str) -> Iterator[str]:
    """`os.walk` would first make lists of all that lies there, and there lie the days of years, each night."""
    with suppress(OSError), os.scandir(folder) as entries:  # gone meanwhile, or somebody else's
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _hidden_below(entry.path)
            elif entry.name.startswith(".") and not Path(entry).is_dir():
                yield entry.path


def _remove_if_dead(tree: Path) -> None:
    with suppress(OSError, Timeout), FileLock(tree / OWNER, timeout=0):
        shutil.rmtree(tree, ignore_errors=True)


_claims: dict[Path, FileLock] = {}


def claim(tree: DataDirectory) -> DataDirectory:
    """Say that a staging tree is this process's, until it is discarded or the process ends, however it ends."""
    lock = _claims.setdefault(tree.root, FileLock(tree.root / OWNER, thread_local=False))
    try:
        while not lock.is_locked:
            make_folder(tree.root)
            with suppress(FileNotFoundError):  # a sweep found it before it was locked
                lock.acquire(timeout=10)
    except Timeout:
        pass  # the run that this one goes on with is still there
    except OSError as error:
        raise PublishFailed(f"A run cannot begin: {because(error)}. Nothing was changed.") from error
    return tree


def discard(tree: DataDirectory) -> None:
    """Remove a staging tree; nothing in it is needed any more."""
    shutil.rmtree(tree.root, ignore_errors=True)
    if lock := _claims.pop(tree.root, None):
        lock.release()


@contextmanager
def told_in_words(what: str, stands: str = "Nothing was published: what was there stands.") -> Iterator[None]:
    """Whatever ends the block as one sentence, unless it is one: what failed, why, and what `stands`.

    Raises:
        PublishFailed: nothing was published.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, LicenseHistoryError) and not isinstance(error, NoRoom):
            raise
        raise PublishFailed(f"{what} ({because(error).rstrip('.')}). {stands} Mend the cause and run again.") from error
