"""What DuckDB may take: of the machine, of the container, of what somebody has set."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assets.errors import WrongUse
from assets.room import LITTLE, Limits, Memory, limits, memory

GIB = 2**30
UNBOUND_V1 = 9_223_372_036_854_771_712
MEMINFO = "MemTotal:       25165824 kB\nMemFree:         1000000 kB\nMemAvailable:   12582912 kB\n"
Machine = Callable[[Mapping[str, object]], Path]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """The folder above `proc` and `sys` of a machine with 24 GiB, 12 of them free, and with these files."""

    def of(files: Mapping[str, object]) -> Path:
        for name, content in {"proc/meminfo": MEMINFO, **files}.items():
            place = tmp_path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(f"{content}\n")
        return tmp_path

    return of


V1 = {"proc/self/cgroup": "5:cpu:/\n4:cpuset,memory:/docker/0815\n0::/init"}
V2 = {"proc/self/cgroup": "0::/slice/pod/box"}


@pytest.mark.parametrize(
    ("files", "total"),
    [
        pytest.param({}, 24 * GIB, id="no groups"),
        pytest.param(V2, 24 * GIB, id="groups that say nothing"),
        pytest.param(
            V2 | {"sys/fs/cgroup/slice/pod/box/memory.max": "max", "sys/fs/cgroup/slice/memory.max": "max"},
            24 * GIB,
            id="v2, unbound",
        ),
        pytest.param(V2 | {"sys/fs/cgroup/slice/pod/box/memory.max": 2 * GIB}, 2 * GIB, id="v2, the own"),
        pytest.param(
            V2
            | {
                "sys/fs/cgroup/slice/pod/box/memory.max": "max",
                "sys/fs/cgroup/slice/pod/memory.max": 1 * GIB,
                "sys/fs/cgroup/slice/memory.max": 8 * GIB,
            },
            1 * GIB,
            id="v2, the smallest on the way up",
        ),
        pytest.param(
            V2 | {"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": 3 * GIB},
            3 * GIB,
            id="v2, a container that sees only its own group",
        ),
        pytest.param(
            V1 | {"sys/fs/cgroup/memory/docker/0815/memory.limit_in_bytes": UNBOUND_V1}, 24 * GIB, id="v1, unbound"
        ),
        pytest.param(V1 | {"sys/fs/cgroup/memory/docker/memory.limit_in_bytes": 4 * GIB}, 4 * GIB, id="v1, around it"),
        pytest.param(
            V1 | {"sys/fs/cgroup/memory/memory.limit_in_bytes": 5 * GIB},
            5 * GIB,
            id="v1, a container whose path is the host's",
        ),
        pytest.param(V2 | {"sys/fs/cgroup/slice/memory.max": 99 * GIB}, 24 * GIB, id="more than there is"),
    ],
)
def test_there_is_the_machines_memory_or_the_smallest_bound_around_this_process(
    machine: Machine, files: dict[str, object], total: int
):
    assert memory(machine(files)).total == total


def test_free_is_what_the_container_has_left_and_what_it_keeps_of_files_counts_as_free(machine: Machine):
    box = "sys/fs/cgroup/slice/pod/box"
    files = {f"{box}/memory.max": 2 * GIB, f"{box}/memory.current": GIB, f"{box}/memory.stat": f"inactive_file {GIB}"}
    assert memory(machine({})).free == 12 * GIB
    assert memory(machine(V2 | files)).free == 2 * GIB
    assert memory(machine(V2 | files | {f"{box}/memory.stat": "anon 5"})).free == GIB


def test_what_the_system_does_not_say_is_not_known(machine: Machine):
    root = machine({"proc/meminfo": "MemTotal:       25165824 kB"})
    assert memory(root) == Memory(24 * GIB, None)


def test_duckdb_begins_with_little_and_gets_half_of_what_there_is_or_what_somebody_has_set(
    monkeypatch: pytest.MonkeyPatch,
):
    large, small = Memory(24 * GIB, None), Memory(512 * 2**20, None)
    assert limits(large) == Limits(LITTLE, 12 * GIB)
    assert limits(small) == Limits(256 * 2**20, 256 * 2**20)
    assert limits(Memory(None, None)) == Limits(LITTLE, LITTLE)
    for text, size in (("2GB", 2_000_000_000), ("512 MiB", 2**29), ("1.5gib", 3 * 2**29)):
        monkeypatch.setenv("LICENSES_MEMORY", text)
        assert limits(large) == limits(small) == Limits(size, size)


@pytest.mark.parametrize("text", ["much", "2", "GB", "0GB", "-1GB", "50%", "2GB 3GB"])
def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("LICENSES_MEMORY", text)
    with pytest.raises(WrongUse, match=r"LICENSES_MEMORY wants a size such as 2GB or 512MiB, not '.*'\."):
        limits(Memory(None, None))
