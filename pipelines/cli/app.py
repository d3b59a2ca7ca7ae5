"""The commands and their options; what they do stands in the modules beside this one."""

import gc
import os
import sys
import traceback
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from assets.errors import LicenseHistoryError, WrongUse
from pipelines.cli.streams import print_whatever_comes, stop_writing, told_in_vain, work_goes_on
from pipelines.signals import ended_by, listening

app = typer.Typer(
    name="licenses",
    help="Who held which Claude license on which day, since when, and was it used.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong use, 3 done in part, 130 and 143 ended by Ctrl-C and SIGTERM.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_debug = False
OBJECTS_UNTIL_COLLECTED = 10_000
"""Python looks for garbage in cycles after every 700 new objects: a thousand times while Dagster is loaded and keeps
all of them, which takes a tenth of `licenses run`."""
DOING = ("snapshot", "backfill", "import", "close", "reopen", "run", "rebuild", "register", "ui")
"""The commands that are called for what they do; the others are called for what they print."""

DayOption = Annotated[
    datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="The UTC day; default yesterday.")
]


class FillFrom(StrEnum):
    REPLAY = "replay"
    RECONSTRUCT = "reconstruct"


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


class ReportFormat(StrEnum):
    HTML = "html"
    XLSX = "xlsx"


@app.callback()
def options(
    context: typer.Context,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback behind a failure.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the data lies, instead of LICENSES_DATA_DIR.")
    ] = None,
) -> None:
    """Options for every command."""
    global _debug
    _debug = debug
    if data_dir is not None:
        os.environ["LICENSES_DATA_DIR"] = str(data_dir.expanduser().absolute())
    if context.invoked_subcommand in DOING:
        work_goes_on()


@app.command()
def snapshot(
    day: DayOption = None,
    accept_drop: Annotated[
        bool, typer.Option("--accept-drop", help="Publish even though far fewer holders are left.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Ask anew, though the day is done.")] = False,
) -> None:
    """Take the snapshot of yesterday (closing), or of today (provisional), and publish it; a day that is done stays."""
    from pipelines.cli.snapshot import take

    raise typer.Exit(take(day.date() if day else None, accept_drop=accept_drop, again=again, debug=_debug))


@app.command()
def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first UTC day.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="The last UTC day.")],
    source: Annotated[
        FillFrom | None, typer.Option(help="Only from this source; replay derives again with today's rules.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is there, too; what it was is kept.")
    ] = False,
    accept_drop: Annotated[
        bool, typer.Option("--accept-drop", help="Publish even though far fewer holders are left.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why the past changes, for the restatements.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan.")] = False,
) -> None:
    """Fill past days from the landing or the Activity Feed. Shows its plan first; nothing is ever made up."""
    from assets.snapshots.past.plan import Source, Wish
    from pipelines.cli.backfill import fill_days

    wish = Wish(Source(source.value) if source else None, replace)
    status = fill_days(
        first.date(), last.date(), wish, reason=reason, accept_drop=accept_drop, dry_run=dry_run, debug=_debug
    )
    raise typer.Exit(status)


@app.command()
def reconcile(
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first UTC day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last UTC day.")] = None,
) -> None:
    """Hold observed days against the Activity Feed: where does it not lead from the later to the earlier?"""
    from pipelines.cli.reconcile import hold_against_feed

    raise typer.Exit(hold_against_feed(first.date() if first else None, last.date() if last else None))


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV, XLSX, XLS or Parquet file that somebody kept.")],
    day: Annotated[
        datetime, typer.Option("--day", formats=["%Y-%m-%d"], help="The UTC day whose closing state it holds.")
    ],
    organization: Annotated[
        str | None, typer.Option(help="Whose members they are: its id or name; not needed where there is only one.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that says what its columns and words mean.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is there, too; what it was is kept.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why the past changes, for the restatements.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before importing.")] = False,
) -> None:
    """Make a kept file the snapshot of a past day. Shows first what would be stored; a bad row refuses the file."""
    from pipelines.cli.importing import Request, import_file

    request = Request(file, day.date(), organization, mapping, replace, reason)
    raise typer.Exit(import_file(request, yes=yes, debug=_debug))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One or more statements; the last one's rows are shown.")] = "",
    list_relations: Annotated[bool, typer.Option("--list", help="List the relations and what they answer.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How the rows are given out.")] = Format.TABLE,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file instead of the terminal.")] = None,
) -> None:
    """Ask the warehouse, read-only. Works while a run is writing, too."""
    from pipelines.cli.sql import ask
    from pipelines.cli.warehouse import query as own_query

    if bool(query) == list_relations:
        raise WrongUse("give one query, or --list to see what there is to ask.")
    ask(own_query("relations") if list_relations else query, form.value, output)


@app.command()
def history(
    who: Annotated[str, typer.Argument(help="An id (user_…, apikey_…, invite_…) or an e-mail address.")],
) -> None:
    """Tell one person's or key's story, stretch by stretch."""
    from pipelines.cli.history import tell

    tell(who)


@app.command()
def close(
    month: Annotated[str, typer.Argument(help="The month, as 2026-10.")],
    acknowledged: Annotated[
        list[str] | None,
        typer.Option("--acknowledge-gap", help="A day (or days, A..B) that may stay unknown or not final; repeatable."),
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who signs; default $USER.")] = None,
) -> None:
    """Freeze a month as finance signs it: later corrections become adjustments of the next one."""
    from pipelines.cli.finance import close

    close(month, acknowledged=acknowledged or [], by=by)


@app.command()
def reopen(
    month: Annotated[str, typer.Argument(help="The month, as 2026-10.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the log.")],
    by: Annotated[str | None, typer.Option("--by", help="Who; default $USER.")] = None,
) -> None:
    """Let a closed month follow the history again; what was signed is kept, and both are logged."""
    from pipelines.cli.finance import reopen

    reopen(month, reason=reason, by=by)


@app.command()
def report(
    month: Annotated[str, typer.Option("--month", help="The month, as 2026-10.")],
    form: Annotated[ReportFormat, typer.Option("--format", help="A page or a workbook.")] = ReportFormat.HTML,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where, instead of the data directory.")] = None,
) -> None:
    """Make finance's report of a month, one self-contained file, and print its path."""
    from pipelines.cli.finance import report

    report(month, form=form.value, output=output)


@app.command()
def check(json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False) -> None:
    """The doctor: would a night succeed, and is the record fresh? Asks what a night asks, and writes nothing.

    Exit status: 0 a night would succeed and the record is fresh, 1 broken (a night would not succeed, or a setting is
    wrong), 3 a night would succeed, but the record is stale or the last night failed.
    """
    from pipelines.cli.check import examine

    raise typer.Exit(examine(json=json))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 8787,
    seed: Annotated[str, typer.Option(help="Another seed is another company.")] = "sandbox",
    at: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ"], help="Where its clock stands; default now.")
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="A TOML file of what is hard about it; sandbox/README.md lists it.")
    ] = None,
    dump_truth: Annotated[
        datetime | None,
        typer.Option("--dump-truth", formats=["%Y-%m-%d"], help="Print its truth when this UTC day closed, as JSON."),
    ] = None,
) -> None:
    """Serve the stand-in organization on this machine, until interrupted."""
    from pipelines.cli import sandbox

    if dump_truth:
        sandbox.dump_truth(dump_truth.date(), seed, scenario)
    else:
        sandbox.serve(port, seed, at, scenario)


@app.command()
def run() -> None:
    """What `make run` does: the real organization's snapshot, or, without a key, the sandbox's last nights."""
    from pipelines.cli.run import main_job

    raise typer.Exit(main_job(debug=_debug))


@app.command()
def rebuild() -> None:
    """Build the warehouse anew from all files, whatever the old one knows, check it, and put it in place."""
    from pipelines.cli.rebuild import rebuild

    raise typer.Exit(rebuild())


@app.command()
def register() -> None:
    """Tell Dagster of every day that lies in the data directory whole and that its instance does not know."""
    from pipelines.cli.register import register

    register()


@app.command()
def ui(port: Annotated[int, typer.Option(help="The port on 127.0.0.1.")] = 3000) -> None:
    """Dagster's web UI and daemon: runs, days, checks, and the nightly schedule."""
    from pipelines.cli.ui import serve

    serve(port)


def main() -> None:
    """The console script: errors are sentences, on standard error."""
    gc.set_threshold(OBJECTS_UNTIL_COLLECTED)
    print_whatever_comes()
    with listening():
        try:
            _run()
        except SystemExit as end:
            if end.code and ended_by():
                _end("", 1)
            raise
        finally:
            if unheard := told_in_vain():
                print(f"licenses: what there was to say could not be written ({unheard.strerror}).", file=sys.stderr)
            stop_writing()


def _run() -> None:
    try:
        app()
    except LicenseHistoryError as error:
        _end(str(error), 2 if isinstance(error, WrongUse) else 1)
    except BrokenPipeError:  # whoever read our output has gone: licenses sql … | head
        raise SystemExit(1) from None
    except MemoryError:
        from assets.room import out_of_memory

        _end(f"{out_of_memory()}. What was published before stands.", 1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _end(
            f"the system refused it: {where}{error.strerror or error}. What was published before stands; mend it (a "
            "full disk, an owner, a mode) and run again.",
            1,
        )
    except Exception as error:
        told = " ".join(f"{type(error).__name__}: {error}".split())
        _end(
            f"this should not have happened ({told}). What was published before stands; licenses --debug shows where "
            "it happened.",
            1,
        )


def _end(sentence: str, status: int) -> NoReturn:
    """Say what happened where that can still be said, and end: where a signal wanted it, everything else follows."""
    with suppress(OSError, ValueError):
        if _debug:
            traceback.print_exc()
        if came := ended_by():
            status = 128 + came
            sentence = (
                f"ended by {came.name}. Nothing is half published: what was put in place before stands, and the same "
                "command goes on from there."
            )
        print(f"licenses: {sentence}", file=sys.stderr)
    raise SystemExit(status) from None
