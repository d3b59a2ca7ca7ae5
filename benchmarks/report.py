"""The measurements as Markdown tables, printed and put between the two marks in README.md."""

import os
import platform
from pathlib import Path
from statistics import median

from benchmarks.measuring import Measured
from benchmarks.nightly import FLOOR, KEYS, MILLION, OURS, PEER, USERS
from benchmarks.startup import EMPTY

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"

Groups = dict[str, list[Measured]]


def machine(rounds: int, load: float) -> str:
    """What it was measured on: size and versions, no names; and how busy it was with other work before."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, Python {platform.python_version()}; "
        f"medians of {rounds} alternating rounds (the peer and the million: one round). "
        f"Load average before the run: {load:.1f}{'' if load < 1 else ' (busy: only the ratios tell something)'}."
    )


def sync_table(groups: Groups, million: Measured) -> str:
    """Each contestant's time and memory, as ratios to the floor of the same run; then where our time goes."""
    floor = _seconds(groups[FLOOR])
    ours, peer = _seconds(groups[OURS]), _seconds(groups[PEER])
    night = f"{USERS:,} members, {KEYS:,} keys"
    names = {
        FLOOR: f"floor: {night}, httpx + orjson + Arrow + Parquet, no checks",
        OURS: f"ours: {night}, observe + derive + publish",
        PEER: f"peer: {night}, dlt `rest_api` into DuckDB",
    }
    rows = [
        [
            label,
            f"{groups[name][0].rows:,}",
            f"{_seconds(groups[name]):.2f} s",
            f"{_seconds(groups[name]) / floor:.2f} ×",
            _memory(groups[name]),
        ]
        for name, label in names.items()
    ]
    parquet = median(one.steps["observe"] + one.steps["derive"] for one in groups[OURS])
    to_parquet = "of it, up to Parquet as the floor: observe + derive"
    rows.insert(2, [to_parquet, "", f"{parquet:.2f} s", f"{parquet / floor:.2f} ×", ""])
    largest = f"ours: {MILLION:,} members, {KEYS:,} keys"
    rows.append([largest, f"{million.rows:,}", f"{million.seconds:.1f} s", "", _memory([million])])
    goals = [
        ["time, to the floor's", "≤ 2 ×", f"{ours / floor:.2f} ×", _met(ours <= 2 * floor)],
        ["faster than the peer", "≥ 5 ×", f"{peer / ours:.1f} ×", _met(peer >= 5 * ours)],
        ["peak memory of a million members", "< 1 GiB", _memory([million]), _met(million.peak < 2**30)],
    ]
    steps = [
        [step, f"{median(one.steps[step] for one in groups[OURS]):.2f} s", f"{million.steps[step]:.1f} s"]
        for step in million.steps
    ]
    return "\n\n".join(
        [
            "### The nightly sync",
            _table(["work", "rows read", "time", "to the floor", "peak memory"], rows),
            _table(["goal", "wanted", "measured", ""], goals),
            "Where our time goes:",
            _table(["step", f"{USERS:,} members", f"{MILLION:,} members"], steps),
        ]
    )


def start_table(groups: Groups) -> str:
    """Start-up, against an empty interpreter."""
    empty = _seconds(groups[EMPTY])
    rows = [
        [name, f"{_seconds(measured) * 1000:.0f} ms", f"{_seconds(measured) / empty:.1f} ×"]
        for name, measured in groups.items()
    ]
    return "\n\n".join(["### Start-up", _table(["command", "time", "to an empty interpreter"], rows)])


def write(parts: list[str]) -> None:
    """Print the parts and replace what stands between the marks."""
    measured = "\n\n".join(parts)
    print(f"\n{measured}\n")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", encoding="utf-8")


def _seconds(measured: list[Measured]) -> float:
    return median(one.seconds for one in measured)


def _memory(measured: list[Measured]) -> str:
    return f"{median(one.peak for one in measured) / 2**20:,.0f} MiB"


def _met(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
