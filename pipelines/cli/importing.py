"""`licenses import`: a file that somebody kept, shown first as it would be stored, then imported in one Dagster run."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import typer
from rich.console import Console

from assets.days import require_over
from assets.errors import WrongUse
from assets.extraction.ready import require_ready
from assets.layout import DataDirectory, snapshot_file
from assets.snapshots.imported.importing import Imported, Target, importing, nearest_facts
from assets.snapshots.imported.kept import keep, target_of
from assets.snapshots.imported.mapping import MapFile, Mapping, map_columns, read_map_file
from assets.snapshots.imported.sheet import Sheet, read_sheet
from assets.snapshots.snapshot import SnapshotFacts, organizations_known, read_facts
from pipelines import settings as settings_module
from pipelines.cli.progress import watched
from pipelines.cli.snapshot import report_failures
from pipelines.settings import Settings

out = Console(highlight=False, soft_wrap=True)
ROWS_SHOWN = 5
SHOWN = ("license_type", "status", "name", "email", "assigned_at", "last_used_at")


class Request(NamedTuple):
    """What the operator asked for."""

    file: Path
    day: date
    organization: str | None
    map_file: Path | None
    replace: bool
    reason: str | None


def import_file(request: Request, *, yes: bool, debug: bool) -> int:
    """Read, tell, ask where a person watches, import, tell; returns the exit status."""
    settings = settings_module.load()
    require_over(request.day, settings.now, settings.licenses_first_day)
    require_ready(settings.data, settings.now)
    organization_id = _organization(settings.data, request.organization, request.day)
    said = read_map_file(request.map_file) if request.map_file else MapFile()
    sheet = read_sheet(request.file)
    mapping = map_columns(sheet.headers, said, request.file.name)
    target = target_of(request.file, organization_id, request.day, settings.now, str(uuid4()))
    with importing(sheet, mapping, target, settings.data, request.file.name) as imported:
        _preview(sheet, mapping, imported, request)
        imported.require_right_of_way(settings.data, replace=request.replace)
    if not yes and _somebody_watches() and not typer.confirm(f"Import it as the snapshot of {request.day}?"):
        out.print("Nothing was imported.")
        return 1
    return _run(request, target, mapping, settings, debug=debug)


def _run(request: Request, target: Target, mapping: Mapping, settings: Settings, *, debug: bool) -> int:
    from pipelines.execution import run_import

    kept = keep(request.file, target, mapping, request.reason, settings.data)
    with watched(f"Import for {request.day}"):
        outcome = run_import(settings, kept, replace=request.replace, reason=request.reason)
    report_failures(outcome.failures, outcome.debug if debug else [])
    if not outcome.published:
        return 1
    facts = read_facts(snapshot_file(settings.data, request.day, target.organization_id))
    if facts and facts.loaded_by == outcome.run_id:
        out.print(f"Imported: {facts.title}, {request.day}: {_counted(facts)}.", markup=False)
    else:
        out.print(f"Unchanged: the snapshot of {request.day} says this already, word for word.")
    out.print(f"Kept: {kept.file}", markup=False)
    out.print(f"Published: {settings.data.warehouse} (Dagster run {outcome.run_id}).", markup=False)
    # What failed besides is of another day: this one stands.
    return 0 if outcome.success else 3


def _organization(data: DataDirectory, wanted: str | None, day: date) -> str:
    """The organization by id or by its name nearest to the day; the only one where none is named."""
    known = organizations_known(data)
    if not known:
        raise WrongUse(
            f"No organization is known yet in {data.root}, so a file cannot be matched to one. Take a snapshot first: "
            "licenses snapshot."
        )
    facts = {one: nearest_facts(data, one, day) for one in known}
    names = {one: found.organization_name if found else None for one, found in facts.items()}
    told = ", ".join(f"{name or 'organization'} ({one})" for one, name in names.items())
    if wanted is None and len(known) > 1:
        raise WrongUse(f"Which organization is it for? Say --organization with one of: {told}.")
    fitting = [one for one, name in names.items() if wanted in (None, one, name)]
    if len(fitting) > 1:
        raise WrongUse(f"Several organizations are called {wanted}: give the id. There are {told}.")
    if not fitting:
        raise WrongUse(f"No organization {wanted} is known here; there are {told}.")
    return fitting[0]


def _preview(sheet: Sheet, mapping: Mapping, imported: Imported, request: Request) -> None:
    """What would be stored: which header feeds which column, how holders are known, and the first rows."""
    out.print(f"{request.file.name}: {sheet.kind}, {sheet.rows.num_rows:,} rows.", markup=False)
    width = max(map(len, (*mapping.columns, *mapping.values)))
    for ours, header in mapping.columns.items():
        out.print(f"  {ours:{width}} from “{header}”", markup=False)
    for ours, value in mapping.values.items():
        out.print(f"  {ours:{width}} is “{value}” in every row", markup=False)
    if mapping.ignored:
        out.print(f"  ignored: {', '.join(mapping.ignored)}", markup=False)
    _tell_tally(imported, request.day)
    out.print(
        f"As it would be stored for {imported.facts.title}, {request.day}: {_counted(imported.facts)}.", markup=False
    )
    rows = imported.first_rows(ROWS_SHOWN)
    for row in rows:
        out.print(f"  row {row['row_number']}: {_told(row)}", markup=False)
    if sheet.rows.num_rows > len(rows):
        out.print("  …")


def _tell_tally(imported: Imported, day: date) -> None:
    tally = imported.tally
    for count, sentence in (
        (tally.by_id, "by the id that the file gives"),
        (tally.by_email, "by an e-mail address that one id bears in the snapshots"),
        (tally.by_address, "by no id that is known: the e-mail address itself is the identity (email:…)"),
        (tally.later, f"left out, because they were added only after the end of {day}"),
        (tally.uses_without_zone, "with a last use that is not taken, because it has no time zone"),
    ):
        if count:
            out.print(f"  {count:,} {'row' if count == 1 else 'rows'} {sentence}", markup=False)


def _counted(facts: SnapshotFacts) -> str:
    rosters = {"members": facts.users, "API keys": facts.api_keys, "pending invites": facts.invites}
    known = ", ".join(f"{count:,} {noun}" for noun, count in rosters.items() if count is not None)
    unknown = " and ".join(noun for noun, count in rosters.items() if count is None)
    return f"{known}; {unknown} unknown, not in the file" if unknown else known


def _told(row: dict[str, object]) -> str:
    """A stored row in a line; what is unknown is a dash."""
    cells = [f"{row['holder_type']} {row['holder_id']}", *(_cell(row[name]) for name in SHOWN)]
    return " | ".join(cells)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value)


def _somebody_watches() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()
