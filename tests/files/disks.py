"""Disks that fail, and processes that are killed, at the n-th call that changes a file's name or waits for the disk.

A kill is an exception that nobody catches, after which nothing that changes the disk happens any more, whoever tries to
clear up; the locks of the process are gone with it.
"""

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from assets.files import publishing

NAMES = ("link", "mkdir", "rename", "replace", "rmdir", "unlink")
"""The calls that change what lies where; that of a staging tree concerns nobody but its run."""


class Killed(BaseException):
    """The process is no more."""


@contextmanager
def killed_at(turn: int) -> Iterator[list[str]]:
    """Let the process die before its `turn`-th change; yields the changes that there were, the fatal one included."""

    def die(_call: str, number: int) -> None:
        if number >= turn:
            raise Killed

    with _watched(die, NAMES) as calls, suppress(Killed):
        yield calls
    forget_claims()


def forget_claims() -> None:
    """As the kernel does for a process that has ended."""
    for lock in publishing._claims.values():
        lock.release(force=True)
    publishing._claims.clear()


@contextmanager
def failing_at(turn: int, error: int = errno.ENOSPC) -> Iterator[list[str]]:
    """Let the `turn`-th change fail once; what comes after it works."""

    def fail(call: str, number: int) -> None:
        if number == turn:
            raise OSError(error, os.strerror(error), call)

    with _watched(fail, (*NAMES, "fsync")) as calls:
        yield calls


@contextmanager
def without_hard_links(error: int = errno.ENOTSUP) -> Iterator[None]:
    """A share that knows no second name of a file."""

    def link(source: Any, _target: Any, **_options: Any) -> None:
        raise OSError(error, os.strerror(error), str(source))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", link)
        yield


@contextmanager
def _watched(happens: Callable[[str, int], None], names: Iterable[str]) -> Iterator[list[str]]:
    calls: list[str] = []

    def watch(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            if "staging" not in str(arguments[0]) or name == "link":
                calls.append(f"{name} {arguments[0]}")
                happens(calls[-1], len(calls))
            return real(*arguments, **options)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in names:
            patch.setattr(os, name, watch(name))
        yield calls


def leftovers(root: Path) -> list[str]:
    """What lies in a data directory and is neither a lock nor called as our files are."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    ours = (path for path in found if path.suffix != ".lock" or path.parts[0] == "staging")
    return sorted(
        str(path)
        for path in ours
        if path.name.startswith(".") or path.parts[0] == "staging" or path.suffix in (".tmp", ".replaced", ".pending")
    )
