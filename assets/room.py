"""How much memory DuckDB may take, and the words for memory or disk that ran out, with the setting to change.

It takes a little, and only where that is not enough a share of all that there is: of this machine's memory or, where
that is less, of what its container may take (cgroups of version 1 and 2, those around them included).
"""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from assets.errors import WrongUse

SETTING = "LICENSES_MEMORY"
LITTLE = 400_000_000
"""Bytes, beyond which DuckDB spills to disk: so a million holders pass within 1 GiB of process memory."""
SHARE = 0.5
"""Of all that there is: the rest is Python's, Arrow's and the other processes'."""

DISK = "make room on it, or let LICENSES_DATA_DIR name another"
FULL = {errno.ENOSPC: f"the disk is full: {DISK}", errno.EDQUOT: f"the disk quota is used up: {DISK}"}

ROOT = Path("/")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([KMGT])(i?)B", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}


class Memory(NamedTuple):
    """Bytes: what this process and its neighbours may take in all, and how much of it is free; None where the system
    does not say."""

    total: int | None
    free: int | None


def set_limit() -> int | None:
    """What the setting gives DuckDB, in bytes; None where nobody has set it.

    Raises:
        WrongUse: it is no size.
    """
    text = os.environ.get(SETTING, "").strip()
    if not text:
        return None
    found = _SIZE.fullmatch(text)
    size = int(float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2].upper()]) if found else 0
    if not size:
        raise WrongUse(f"{SETTING} wants a size such as 2GB or 512MiB, not {text!r}.")
    return size


class Limits(NamedTuple):
    """Bytes that DuckDB begins with, and that it gets where it needs them."""

    first: int
    last: int


def limits(there: Memory) -> Limits:
    """What DuckDB may take of what there is."""
    if wanted := set_limit():
        return Limits(wanted, wanted)
    share = int(there.total * SHARE) if there.total else LITTLE
    return Limits(min(LITTLE, share), share)


def told(size: float) -> str:
    """A size as people write it, and as the setting takes it."""
    return f"{size / 1e9:.1f}GB" if size >= 1e9 else f"{size / 1e6:.0f}MB"


def ran_out(error: OSError | MemoryError) -> bool:
    """Whether it is memory or disk that did not suffice."""
    return isinstance(error, MemoryError) or error.errno in FULL


def out_of_memory() -> str:
    """That memory ran out, and what gives more."""
    if wanted := set_limit():
        return f"memory ran out: {SETTING} allows DuckDB {told(wanted)}; set it to more, such as {told(2 * wanted)}"
    share = limits(memory()).last
    return (
        f"memory ran out: DuckDB may take {told(share)}, half of what is here; {SETTING} allows it more, as "
        f"{SETTING}={told(1.5 * share)}"
    )


def out_of_spill() -> str:
    """That neither memory nor disk could hold what DuckDB works on."""
    limit = told(limits(memory()).last)
    return (
        f"neither memory nor disk has room: DuckDB may take {limit} of memory, and the disk of the data directory has "
        f"no place for the rest; {DISK}, or set {SETTING} to more"
    )


def memory(root: Path = ROOT) -> Memory:
    """What there is; `root` is above `proc` and `sys`."""
    there = [_of_machine(root), *_of_groups(root)]
    totals, free = ([size for size in sizes if size is not None] for sizes in zip(*there, strict=True))
    return Memory(min(totals, default=None), min(free, default=None))


def _of_machine(root: Path) -> Memory:
    found = _numbers(root / "proc/meminfo")
    if "MemTotal:" not in found:
        with suppress(ValueError, OSError):  # no Linux
            return Memory(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), None)
        return Memory(None, None)
    free = found.get("MemAvailable:")
    return Memory(found["MemTotal:"] * 1024, None if free is None else free * 1024)


def _of_groups(root: Path) -> Iterator[Memory]:
    """The groups that this process is in, from the inner to the outer; where a container sees only its own, that one.

    One that has no bound, "max" or more than any machine has, changes nothing: the smallest counts.
    """
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mount, names = root / "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            mount = root / "sys/fs/cgroup/memory"
            names = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
        else:
            continue
        inner = Path(path.lstrip("/"))
        for group in (inner, *inner.parents):
            yield _of_group(mount / group, *names)


def _of_group(folder: Path, limit: str, used: str, cached: str) -> Memory:
    """What a group may take; what it keeps of files only to be quick is as good as free."""
    total, taken = (_number(folder / name) for name in (limit, used))
    if total is None or taken is None:
        return Memory(total, None)
    return Memory(total, max(0, total - taken + _numbers(folder / "memory.stat").get(cached, 0)))


def _number(path: Path) -> int | None:
    return next((int(line) for line in _lines(path) if line.isdigit()), None)


def _numbers(path: Path) -> dict[str, int]:
    """The second word of each line, by the first."""
    words = (line.split() for line in _lines(path))
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdigit()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
