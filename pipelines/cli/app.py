"""The commands and their options; what they do stands in the modules beside this one.

Exit status: 0 done, 1 failed, 2 wrong use, 3 done in part.
"""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assets.errors import LicenseHistoryError, WrongUse

app = typer.Typer(
    name="licenses",
    help="Who held which Claude license on which day, since when, and was it used.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_debug = False

DayOption = Annotated[
    datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The UTC day; default yesterday.")
]


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback behind a failure.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the data lies, instead of LICENSES_DATA_DIR.")
    ] = None,
) -> None:
    """Options for every command."""
    import os

    global _debug
    _debug = debug
    if data_dir is not None:
        os.environ["LICENSES_DATA_DIR"] = str(data_dir)


@app.command()
def snapshot(
    day: DayOption = None,
    accept_drop: Annotated[
        bool, typer.Option("--accept-drop", help="Publish even though far fewer holders are left.")
    ] = False,
) -> None:
    """Take the snapshot of yesterday (closing), or of today (provisional), and publish it."""
    from pipelines.cli.snapshot import take

    raise typer.Exit(take(day.date() if day else None, accept_drop=accept_drop, debug=_debug))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One or more statements; the last one's rows are shown.")] = "",
    list_relations: Annotated[bool, typer.Option("--list", help="List the relations and what they answer.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How the rows are given out.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of the terminal.")] = None,
) -> None:
    """Ask the warehouse, read-only. Works while a run is writing, too."""
    from pipelines.cli.sql import RELATIONS, ask

    if bool(query) == list_relations:
        raise WrongUse("give one query, or --list to see what there is to ask.")
    ask(RELATIONS.read_text(encoding="utf-8") if list_relations else query, form.value, output)


@app.command()
def history(
    who: Annotated[str, typer.Argument(help="An id (user_…, apikey_…, invite_…) or an e-mail address.")],
) -> None:
    """Tell one person's or key's story, stretch by stretch."""
    from pipelines.cli.history import tell

    tell(who)


@app.command()
def check() -> None:
    """The doctor: keys, permissions, data directory, schedule. Writes nothing."""
    from pipelines.cli.check import examine

    raise typer.Exit(examine())


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 8787,
    seed: Annotated[str, typer.Option(help="Another seed is another company.")] = "sandbox",
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ"], help="Where its clock stands; default now.")
    ] = None,
) -> None:
    """Serve the stand-in organization on this machine, until interrupted."""
    from pipelines.cli.sandbox import serve

    serve(port, seed, at)


@app.command()
def run() -> None:
    """What `make run` does: the real organization's snapshot, or, without a key, the sandbox's last nights."""
    from pipelines.cli.run import main_job

    raise typer.Exit(main_job(debug=_debug))


@app.command()
def ui(port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 3000) -> None:
    """Dagster's web UI and daemon: runs, days, checks, and the nightly schedule."""
    from pipelines.cli.ui import serve

    serve(port)


def main() -> None:
    """The console script: errors are sentences, on standard error."""
    try:
        app()
    except LicenseHistoryError as error:
        if _debug:
            raise
        print(f"licenses: {error}", file=sys.stderr)
        raise SystemExit(2 if isinstance(error, WrongUse) else 1) from None
    except Exception as error:
        if _debug:
            raise
        print(
            f"licenses: this should not have happened ({type(error).__name__}: {error}). What was published before "
            "stands; licenses --debug shows where it happened.",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("licenses: interrupted; nothing was half published.", file=sys.stderr)
        raise SystemExit(130) from None
