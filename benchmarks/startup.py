"""How long nothing takes: the commands' and Dagster's start, against an interpreter that does nothing; and `make run`,
against Dagster's own import in the same minute.
"""

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measuring import PROJECT, Groups, Measured, command, in_turns
from benchmarks.report import Part, amount, at_most, cpu, failures, table, text, wall
from benchmarks.sizes import Sizes

LICENSES = str(Path(sys.executable).parent / "licenses")
EMPTY = "python, nothing imported"
DAGSTER = "python -c 'import dagster'"
HELP, SQL, RUN = "licenses --help", "licenses sql 'select 1'", "make run, in an empty data directory"


def startup(sizes: Sizes) -> Part:
    """Each command, from its call to its end."""
    with TemporaryDirectory(prefix="license-bench-") as folder:
        environment = _without_keys(Path(folder))
        import_dagster = partial(command, [sys.executable, "-c", "import dagster"], environment)
        groups = in_turns({DAGSTER: import_dagster, RUN: partial(_make_run, environment)}, sizes.rounds)
        commands = {
            EMPTY: [sys.executable, "-c", "pass"],
            DAGSTER: [sys.executable, "-c", "import dagster"],
            HELP: [LICENSES, "--help"],
            SQL: [LICENSES, "--data-dir", str(Path(folder) / "sandbox"), "sql", "select 1"],
            "import pipelines.definitions": [sys.executable, "-c", "import pipelines.definitions"],
            "load the definitions": [sys.executable, "-c", "from pipelines.definitions import defs; defs()"],
        }
        started = in_turns(
            {name: partial(command, words, environment) for name, words in commands.items()}, sizes.rounds
        )
    return startup_part(started, groups)


def startup_part(started: Groups, groups: Groups) -> Part:
    rows = [_row(name, measured, started[EMPTY]) for name, measured in started.items()]
    rows.append(_row(RUN, groups[RUN], started[EMPTY]))
    goals = [
        at_most("make run, to the import of dagster in the same minute", 15, cpu(groups[RUN]) / cpu(groups[DAGSTER])),
        at_most(HELP, 0.3, cpu(started[HELP]), "s"),
        at_most(SQL, 0.3, cpu(started[SQL]), "s"),
    ]
    head = ["command", "CPU", "time", "to an empty interpreter"]
    return Part("Start-up", text(table(head, rows), failures(started | groups)), goals)


def _row(name: str, measured: list[Measured], empty: list[Measured]) -> list[str]:
    return [name, amount(cpu(measured), "s"), amount(wall(measured), "s"), amount(cpu(measured) / cpu(empty), "×")]


def _make_run(environment: dict[str, str]) -> Measured:
    if (PROJECT / ".env").exists():
        return Measured({}, failure="there is a .env: it may name a real organization, which a benchmark must not ask")
    shutil.rmtree(environment["LICENSES_DATA_DIR"], ignore_errors=True)  # of the round before
    return command(["make", "run"], environment)


def _without_keys(data: Path) -> dict[str, str]:
    """An environment in which the sandbox is run, into a data directory that is thrown away."""
    ours = ("ANTHROPIC_", "LICENSES_", "DAGSTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"LICENSES_DATA_DIR": str(data)}
