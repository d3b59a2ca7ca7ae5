"""The real command line, warm: a process that has imported everything, and is forked for each attack.

Run with the shim preloaded. Each line of standard input is one command line (see `Warm.run` in shim.py); the child
arms the shim and calls the same `main` as the console script; the exit status is the line that is answered.
"""

import atexit
import ctypes
import gc
import json
import os
import pkgutil
import signal
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Never

PATIENCE_SECONDS = 120
"""After which a command that hangs is ended, by the kernel."""


def main() -> None:
    os.environ.pop("LD_PRELOAD", None)
    prepare_once()
    warm_up()
    assert len([*Path("/proc/self/task").iterdir()]) == 1, "a process with threads must not be forked"
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            be_the_command_line(**command)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def warm_up() -> None:
    """Import everything, and let Dagster think once what it would think in every child."""
    for package in ("assets", "pipelines", "sandbox"):
        for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
            import_module(module.name)
    import_module("pandas")  # a run imports it late
    from assets.layout import DataDirectory
    from pipelines.definitions import build
    from pipelines.installation.instance import instance
    from pipelines.jobs import BACKFILL, NIGHTLY
    from pipelines.settings import Settings

    with TemporaryDirectory(prefix="attack-") as folder:
        settings = Settings(licenses_data_dir=Path(folder))
        definitions = build(settings)
        for job in (NIGHTLY, BACKFILL):
            definitions.resolve_job_def(settings.names.name(job))
        with instance(DataDirectory(Path(folder))) as opened:
            opened.get_runs()


def prepare_once() -> None:
    """Dagster makes a new engine, and compiles its SQL anew, for each of a night's 600 looks at its databases, and
    reads the list of their versions five times.

    The connections and what they write stay as they are.
    """
    from alembic.script import ScriptDirectory
    from dagster._core.storage.event_log.sqlite import sqlite_event_log
    from dagster._core.storage.runs.sqlite import sqlite_run_storage

    versions: dict[str, Any] = {}
    read = ScriptDirectory.from_config

    def from_config(config: Any) -> Any:
        place = config.get_main_option("script_location")
        if place not in versions:
            versions[place] = read(config)
        return versions[place]

    ScriptDirectory.from_config = from_config  # type: ignore[method-assign]

    engines: dict[str, Any] = {}
    make = sqlite_event_log.create_engine  # type: ignore[attr-defined]

    def engine(url: str, **options: Any) -> Any:
        if url not in engines:
            engines[url] = make(url, **options)
        return engines[url]

    for module in (sqlite_event_log, sqlite_run_storage):
        vars(module)["create_engine"] = engine


def be_the_command_line(
    words: list[str], folder: str, environment: dict[str, str], output: str, errors: str, arm: list[Any]
) -> Never:
    """Arm the shim, then do what the console script does."""
    signal.alarm(PATIENCE_SECONDS)
    for stream, place in ((1, output), (2, errors)):
        os.dup2(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.update(environment)
    sys.argv = ["licenses", *words]
    arguments = [argument.encode() if isinstance(argument, str) else ctypes.c_longlong(argument) for argument in arm]
    assert ctypes.CDLL(None).attack_arm(*arguments) == 0
    from pipelines.cli import main as licenses

    status = 0
    try:
        licenses()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    # Everything but taking the interpreter apart, which takes as long as a night.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
