"""Putting one file on a disk, whole or not at all, whatever disk it is: none of its names is ever seen half-written.

A share may know no hard links and no fsync of folders, and one folder of a tree may lie on another disk.
"""

import errno
import fcntl
import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock

from assets.errors import PublishFailed
from assets.room import FULL, out_of_memory

log = logging.getLogger(__name__)

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.(tmp|replaced)")
"""What `beside` calls a file that is on its way, or that was kept in case it must come back."""


@contextmanager
def whole_file(path: Path, *, vacant: bool = False) -> Iterator[Path]:
    """Yield a place beside `path` to write to; it becomes `path`, fsynced, only when the block succeeds.

    As long as it is written it is locked, so that a sweep can tell it from what a killed process left. With `vacant`
    there is nothing at the place, for DuckDB, which makes its files itself: then only who holds `writing` may write.
    """
    make_folder(path.parent)
    temporary = beside(path, "tmp")
    with _gone_afterwards(temporary), nullcontext() if vacant else _held(temporary):
        yield temporary
        sync(temporary)
        temporary.replace(path)
    sync_folder(path.parent)


@contextmanager
def _gone_afterwards(temporary: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):  # it is swept later, and hides no reason why the block failed
            temporary.unlink(missing_ok=True)


@contextmanager
def _held(temporary: Path) -> Iterator[None]:
    """Make the file, locked until the end of the block."""
    descriptor = _made_and_locked(temporary)
    while not temporary.exists():  # a sweep found it before it was locked
        os.close(descriptor)
        descriptor = _made_and_locked(temporary)
    try:
        yield
    finally:
        os.close(descriptor)


def _made_and_locked(temporary: Path) -> int:
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT, 0o666)
    with suppress(OSError):  # a report may be written to a disk without locks; nobody sweeps there
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def beside(path: Path, kind: str) -> Path:
    """A hidden name for a file that is not yet, or no longer, at `path`; nobody else has the same."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.{kind}")


def put(source: Path, path: Path) -> None:
    """Make `path` the same file as `source`, in one step for whoever reads it; `source` stays."""
    make_folder(path.parent)
    temporary = beside(path, "tmp")
    with _gone_afterwards(temporary):
        twin(source, temporary)
        temporary.replace(path)
    sync_folder(path.parent)


def twin(source: Path, path: Path) -> None:
    """A second name for a file: a hard link, or a copy where the disk has none or is another one."""
    make_folder(path.parent)
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)
        with suppress(
            OSError
        ):  # the warehouse knows a file by its time; where a disk keeps no such one, it reads again
            stat = source.stat()
            os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        sync(path)


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the disk can tell.

    What was renamed has its new name by now: a failure here must not be taken for one of the renaming.
    """
    try:
        sync(folder)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            log.warning("%s: whether its names are on the disk is not known: %s", folder, because(error))


_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF, errno.EACCES)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, for good."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def prune(folder: Path, above: Path) -> None:
    """Remove a folder and those above it, up to but without `above`, as far as they are empty."""
    with suppress(OSError):
        while folder != above and folder.is_relative_to(above):
            folder.rmdir()
            folder = folder.parent


def sha256_of(path: Path) -> str:
    """The hash of a file's contents, in hexadecimal."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file; the lock is the kernel's, so it ends with its process, however that ends.

    Raises:
        PublishFailed: it cannot be locked at all.
    """
    lock = FileLock(path)
    try:
        make_folder(path.parent)
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        raise PublishFailed(
            f"{path.parent} cannot be written to: {because(error)}. Nothing was changed. The data directory must lie "
            "on a disk that can lock files, and belong to whoever runs licenses."
        ) from error
    try:
        yield
    finally:
        lock.release()


def remove_abandoned(temporary: Path) -> None:
    """Remove a file that `whole_file` has made, unless somebody is still writing it."""
    with suppress(OSError):
        descriptor = os.open(temporary, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def because(error: BaseException) -> str:
    """What went wrong with which file, in words."""
    if isinstance(error, MemoryError):
        return out_of_memory()
    if not isinstance(error, OSError) or error.errno is None:
        return " ".join(str(error).split()) or type(error).__name__
    words = _WORDS.get(error.errno) or (error.strerror or type(error).__name__).lower()
    name = error.filename2 or error.filename
    if not isinstance(name, str | os.PathLike):
        return words
    return f"{name}: {words}{_owner(Path(name)) if error.errno in (errno.EACCES, errno.EPERM) else ''}"


def is_disk_trouble(error: BaseException) -> bool:
    """Whether it is this machine's disk that failed, and nothing that was asked over the network."""
    return isinstance(error, OSError) and error.errno in _DISK_TROUBLE


_DISK_TROUBLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ESTALE,
    errno.EMFILE,
    errno.ENFILE,
)
_WORDS = {
    **FULL,
    errno.EIO: "the disk reports an error",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "permission is missing",
    errno.EPERM: "it is not permitted",
    errno.ENOLCK: "the disk cannot lock files",
    errno.ENOENT: "it is not there",
    errno.EMFILE: "too many files are open",
    errno.ENAMETOOLONG: "the name is too long for the disk",
}


def _owner(path: Path) -> str:
    """Whose it is, where that is somebody else: after one `sudo`, files belong to root."""
    with suppress(OSError, KeyError):
        place = next(one for one in (path, *path.parents) if one.exists())
        if place.stat().st_uid != os.geteuid():
            return f" ({place} belongs to {place.owner()})"
    return ""
