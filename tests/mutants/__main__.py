"""Break one rule at a time and see whether a test notices: `python -m tests.mutants [PATH…] [--sample 50]`.

Each mutant lives in a copy of the project, and only the tests of its folder are asked, in a child of a process that
has loaded the libraries already. What was found stays in `.pytest_cache/mutants.jsonl`, so that it can be stopped
at any time: what was killed is not tried again until the file changes; what survived is, as a test may have been
written since. Exits 1 where a mutant survives, 2 where tests fail on good code or a path is not in assets/.
"""

import argparse
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.mutations import Mutant, mutants

PROJECT = Path(__file__).resolve().parents[2]
RESULTS = PROJECT / ".pytest_cache" / "mutants.jsonl"
SAID = RESULTS.with_suffix(".log")
"""What the tests of the last mutant have said."""
NONE_ASKED = 5
"""How pytest ends where no test is of the kind that is asked."""
COPIED = ("assets", "pipelines", "sandbox", "tests", "docs", "data/reference", "pyproject.toml", "workspace.yaml")
RULES = ("tests/guards/test_rules.py",)
TESTS = {
    "assets/extraction": ("tests/extraction", *RULES),
    "assets/snapshots": ("tests/snapshots", *RULES),
    "assets/history": ("tests/history", *RULES, "tests/warehouse"),
    "assets/finance": ("tests/finance", *RULES, "tests/warehouse/test_checks.py"),
    "assets/warehouse": ("tests/warehouse", "tests/history/test_days.py"),
    "assets/files": ("tests/files", *RULES),
    "assets/reports": ("tests/reports",),
    "assets/orchestration": ("tests/pipelines", "tests/dagster"),
    "assets": ("tests/pipelines/test_days.py", "tests/finance/test_reference_files.py", "tests/files", *RULES),
}
"""Which tests are asked, by the nearest folder that is named."""


def tests_of(path: Path) -> tuple[str, ...]:
    return next(TESTS[str(folder)] for folder in path.parents if str(folder) in TESTS)


def found_in(paths: Iterable[Path]) -> Iterator[Mutant]:
    for given in paths:
        files = [given] if given.is_file() else sorted([*given.rglob("*.py"), *given.rglob("*.sql")])
        for file in files:
            yield from mutants(file.relative_to(PROJECT), file.read_bytes())


def passes(project: Path, tests: Iterable[str], seconds: float) -> bool | None:
    """Whether the tests pass in that copy, the slow ones asked last; None where either take longer than `seconds`."""
    quick = _passes(project, [*tests, "-m", "not slow"], seconds)
    return _passes(project, [*tests, "-m", "slow"], seconds) if quick else quick


def _passes(project: Path, tests: Iterable[str], seconds: float) -> bool | None:
    child = os.fork()
    if not child:
        os.setsid()
        _run(project, tests)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                child = 0
                return os.waitstatus_to_exitcode(status) in (0, NONE_ASKED)
            time.sleep(0.1)
        return None
    finally:  # also where this program is ended: a child that has a session of its own would go on
        if child:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _run(project: Path, tests: Iterable[str]) -> None:
    """Never returns: this is a child."""
    status = 70
    try:
        os.chdir(project)
        said = os.open(SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        for name in [name for name in sys.modules if name.split(".")[0] in ("tests", "assets", "pipelines", "sandbox")]:
            del sys.modules[name]
        sys.path[:] = [str(project), *(place for place in sys.path if Path(place or ".").resolve() != PROJECT)]
        import pytest

        status = int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(project), *tests]))
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def copy_of_project(place: Path) -> Path:
    for name in COPIED:
        source, target = PROJECT / name, place / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    return place


def try_one(one: Mutant, project: Path, seconds: float) -> str:
    file = project / one.path
    file.write_bytes(one.mutated)
    try:
        passed = passes(project, tests_of(one.path), seconds)
    finally:
        file.write_bytes(one.source)
    return {None: "killed by time", True: "survived", False: "killed"}[passed]


def known(results: Path = RESULTS) -> dict[str, str]:
    """What was killed before, by its mutant's key."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    last = {told["key"]: told["verdict"] for told in map(json.loads, lines)}
    return {key: verdict for key, verdict in last.items() if verdict != "survived"}


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("paths", nargs="*", type=Path, default=[Path("assets")], help="files or folders (assets)")
    asked.add_argument("--sample", type=int, default=0, metavar="N", help="so many of them, by chance (all)")
    asked.add_argument("--seed", type=int, default=0, help="of the sample")
    asked.add_argument("--limit", type=float, default=240, metavar="SECONDS", help="for the tests of one (240)")
    given = asked.parse_args()
    paths = [path.resolve() for path in given.paths]
    if strange := [path for path in paths if not (path.exists() and path.is_relative_to(PROJECT / "assets"))]:
        asked.error(f"{strange[0]} is nothing in assets/: only of what lies there is it known which tests to ask")
    every = list(found_in(paths))
    chosen = random.Random(given.seed).sample(every, min(given.sample, len(every))) if given.sample else every
    before, verdicts = known(), Counter[str]()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _load_libraries()
    RESULTS.parent.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, RESULTS.open("a", encoding="utf-8") as results:
        project = copy_of_project(Path(folder).resolve())
        sound = cache(lambda tests: passes(project, tests, 4 * given.limit))
        for one in chosen:
            if one.key not in before and not sound(tests_of(one.path)):
                print(f"The tests of {one.path.parent} do not pass on what is not broken; see {SAID}")
                return 2
            verdict = before.get(one.key) or try_one(one, project, given.limit)
            verdicts[verdict] += 1
            print(f"{verdict:15} {one}", flush=True)
            if one.key not in before:  # what survived is written again: the last line counts
                print(json.dumps({"key": one.key, "verdict": verdict, "mutant": str(one)}), file=results, flush=True)
    print(f"{len(every):,} mutants, {sum(verdicts.values()):,} tried: {dict(verdicts)}")
    return 1 if verdicts["survived"] else 0


def _load_libraries() -> None:
    """What takes long to load and is not ours: each child has it already."""
    import dagster  # noqa: F401
    import duckdb  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401


if __name__ == "__main__":
    sys.exit(main())
