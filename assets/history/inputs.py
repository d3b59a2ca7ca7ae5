"""What a warehouse is made from: the files of a data directory, and what the warehouse before it knows already.

In the attached database `inputs` stand only the files that are new or replaced since; everything else comes from the
old warehouse, as long as it was made by this very code and nobody has changed it. Else all files are read. A file that
cannot be read costs only what it alone could tell: nobody else's night.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow as pa

from assets.columns import DAY, TEXT, columns_of
from assets.engine import make, parquet_view, quoted
from assets.errors import CopiedFile, DamagedFile
from assets.extraction.coverage import uncounted
from assets.files.damaged import footer
from assets.layout import COVERAGE, SNAPSHOTS, USAGE, DataDirectory, day_files, organization_folders
from assets.snapshots import schema
from assets.snapshots.rules import load_rules
from assets.snapshots.snapshot import SnapshotFacts, read_facts, workspaces_known
from assets.snapshots.usage import make_watched
from assets.snapshots.usage_sources import sources_table
from assets.warehouse.seal import is_ours

FACTS = pa.schema(
    field.with_name("items_of_others") if field.name == "foreign" else field
    for field in columns_of(SnapshotFacts, without=("format",))
)
"""What `snapshot_log` shows of each snapshot."""
TOLD_STRETCHES = pa.schema(
    [
        schema.ORGANIZATION_ID,
        ("license_told", TEXT),
        *(field for field in schema.LICENSE_ASSIGNMENTS if field.name in schema.ATTRIBUTES_TOLD),
        ("invite_id", TEXT),
        ("valid_from", DAY),
        ("valid_to", DAY),
    ]
)
KNOWN_COVERAGE = pa.schema([schema.ORGANIZATION_ID, *schema.COVERAGE])
INVITE_CONVENTIONS = pa.schema([schema.ORGANIZATION_ID.with_nullable(True), ("take_seats", pa.bool_())])
"""Whether pending invites take seats: one row per organization, and one without an id for all others. Whoever bills
them may add to it before the relations are made."""
Mark = tuple[str, str, date, int, int]


class InputFile(NamedTuple):
    """A Parquet file; whoever replaces it leaves another size or time of writing."""

    dataset: str
    organization_id: str
    day: date
    bytes: int
    modified_ns: int
    place: str

    @property
    def mark(self) -> "Mark":
        return self[:-1]

    @property
    def path(self) -> Path:
        return Path(self.place)


FILES = columns_of(InputFile, without=("place",))


@dataclass(frozen=True)
class Inputs:
    """All files, those of them that must be read, and the datasets for which the old warehouse answers for the rest.

    A `damaged` file is among them as the old warehouse knew it, or not at all.
    """

    files: tuple[InputFile, ...]
    to_read: tuple[InputFile, ...]
    known: frozenset[str]
    damaged: tuple[DamagedFile, ...]
    adds_only: bool = False
    """Whether the files to read are later than all that the old warehouse was made from, and those are as they were."""
    uncounted: Mapping[tuple[str, date], date] = field(default_factory=dict)
    """Of nights, by organization, the last day for which their coverage does not count."""

    def paths(self, dataset: str) -> list[Path]:
        return [file.path for file in self.to_read if file.dataset == dataset]

    @property
    def snapshots(self) -> list[InputFile]:
        return [file for file in self.files if file.dataset == SNAPSHOTS]

    @property
    def days_to_read(self) -> list[InputFile]:
        return [file for file in self.to_read if file.dataset == SNAPSHOTS]


def files_of(dataset: str, *trees: DataDirectory) -> list[InputFile]:
    """The dataset's files by day; where two trees have the same, the later tree's."""
    return [
        InputFile(dataset, file.organization_id, file.day, file.bytes, file.modified_ns, file.place)
        for file in day_files(dataset, *trees)
    ]


def gather(
    connection: duckdb.DuckDBPyConnection,
    published: DataDirectory,
    staged: DataDirectory,
    without: Iterable[DamagedFile] = (),
) -> Inputs:
    """List the files, and attach the old warehouse as `known` where it can be started from."""
    return choose(_known_marks(connection, published.warehouse), published, staged, without=without)


def choose(marks: set[Mark], *trees: DataDirectory, without: Iterable[DamagedFile] = ()) -> Inputs:
    """What to make a warehouse from, after one that was made from the files with these `marks`.

    Files are damaged whose footers cannot be read, and those that are given.
    """
    inside = {one.path: one for one in without}
    snapshots = _choose(SNAPSHOTS, files_of(SNAPSHOTS, *trees), marks, inside)
    organizations = {file.organization_id for file in snapshots.files}
    organizations |= {folder.name for folder in organization_folders(trees[0].landings)}
    # What is of no organization is somebody's copy of a folder.
    told, heard = (
        [file for file in files_of(dataset, *trees) if file.organization_id in organizations]
        for dataset in (USAGE, COVERAGE)
    )
    usage = _choose(USAGE, told, marks, inside)
    # A night of which some is lost has told nothing: its silence would prove that nobody used anything.
    lost = {(file.organization_id, file.day) for file in told} - {(one.organization_id, one.day) for one in usage.files}
    answered = [file for file in heard if (file.organization_id, file.day) not in lost]
    # What the old warehouse knows of coverage holds as long as the nights that it was told by tell of use, too.
    coverage = _choose(COVERAGE, answered, marks if usage.is_known else set(), inside)
    chosen = (usage, coverage, snapshots)
    return Inputs(
        files=tuple(file for one in chosen for file in one.files),
        to_read=tuple(file for one in chosen for file in one.to_read),
        known=frozenset(one.dataset for one in chosen if one.is_known),
        damaged=tuple(bad for one in chosen for bad in one.damaged if not isinstance(bad, CopiedFile)),
        adds_only=all(one.is_known for one in chosen) and snapshots.adds_only,
        uncounted=_uncounted(coverage, usage),
    )


def _uncounted(coverage: "_Choice", usage: "_Choice") -> Mapping[tuple[str, date], date]:
    """Up to which day the coverage of nights does not count because they leave out what a lost night told of."""
    bad = {one.path for one in usage.damaged}
    to_read = {(file.organization_id, file.day) for file in coverage.to_read}
    found: dict[tuple[str, date], date] = {}
    for organization_id in {organization_id for organization_id, _ in to_read}:
        nights = {file.day: file for file in usage.files if file.organization_id == organization_id}
        read = (file for day, file in nights.items() if (organization_id, day) in to_read)
        told = {file.day: file.path for file in read if file.path not in bad}
        found |= {(organization_id, day): until for day, until in uncounted(told, nights).items()}
    return found


class _Choice(NamedTuple):
    """Which of a dataset's files a warehouse is made from, and whether the old one answers for those not to be read;
    `adds_only`: these are as they were, and the others are later."""

    dataset: str
    files: list[InputFile]
    to_read: list[InputFile]
    is_known: bool
    damaged: list[DamagedFile]
    adds_only: bool = False


def _choose(dataset: str, there: list[InputFile], marks: set[Mark], inside: Mapping[Path, DamagedFile]) -> _Choice:
    """Instead of a damaged file, the old warehouse answers, if it can: what it says is what the file once said."""
    new = [file for file in there if file.mark not in marks]
    bad = _damaged(new, inside)
    before = {mark[:3]: mark for mark in marks}
    files = [
        file._replace(bytes=known[3], modified_ns=known[4]) if file in bad else file
        for file in there
        if (known := before.get(file.mark[:3], file.mark)) in marks or file not in bad
    ]
    then, now = {mark for mark in marks if mark[0] == dataset}, {file.mark for file in files}
    adds_only = then <= now and _all_later(now - then, then)
    answers = {
        # for stretches, that is worth while as long as most of the days need not be cut out of them
        SNAPSHOTS: 2 * len(then & now) >= len(now),
        # what is in it cannot be taken out again
        USAGE: then <= now,
        # what a night leaves out of its coverage may be what one tells that comes later, though it is earlier
        COVERAGE: adds_only,
    }
    if marks and answers[dataset]:
        to_read = [file for file in new if file not in bad]
        return _Choice(dataset, files, to_read, True, list(bad.values()), adds_only)
    bad |= _damaged([file for file in there if file.mark in marks], inside)
    files = [file for file in there if file not in bad]
    return _Choice(dataset, files, files, False, list(bad.values()))


def _damaged(files: Iterable[InputFile], inside: Mapping[Path, DamagedFile]) -> dict[InputFile, DamagedFile]:
    found: dict[InputFile, DamagedFile] = {}
    for file in files:
        try:
            if file.path in inside:
                raise inside[file.path]
            read_facts(file.path) if file.dataset == SNAPSHOTS else footer(file.path)
        except DamagedFile as one:
            found[file] = one
    return found


def _all_later(new: set[Mark], before: set[Mark]) -> bool:
    last = {mark[1]: mark[2] for mark in sorted(before)}
    return all(mark[2] > last.get(mark[1], date.min) for mark in new)


def _known_marks(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> set[Mark]:
    """The files that the old warehouse was made from; none where it cannot be trusted, whatever the reason."""
    if not warehouse.exists():
        return set()
    try:
        connection.execute(f"attach if not exists '{quoted(warehouse)}' as known (read_only)")
        connection.execute("use known")
        if is_ours(connection, warehouse):
            return set(connection.table("internal.input_files").fetchall())
    except (duckdb.Error, OSError):
        pass  # missing tables, another format, damaged, or open elsewhere for writing: built anew
    finally:
        connection.execute("use memory")
    return set()


def load(connection: duckdb.DuckDBPyConnection, inputs: Inputs, license_types: pa.Table) -> None:
    """Make what the relations read in the current database, and the rules that they follow."""
    load_rules(connection)
    _set_variables(connection, inputs)
    for name, paths, columns, day in (
        ("snapshots", inputs.paths(SNAPSHOTS), schema.LICENSE_ASSIGNMENTS, "snapshot_date"),
        ("usage", inputs.paths(USAGE), schema.USAGE, "observed_day"),
        ("coverage_to_read", inputs.paths(COVERAGE), schema.COVERAGE, "observed_day"),
    ):
        everything = pa.schema([pa.field(day, DAY), schema.ORGANIZATION_ID, *columns])
        parquet_view(connection, name, paths, everything, day=day)
    for name, dataset, table, columns in (
        ("known_stretches", SNAPSHOTS, "known.internal.told_stretches", TOLD_STRETCHES),
        ("known_log", SNAPSHOTS, "known.snapshot_log", FACTS),
        ("known_coverage", COVERAGE, "known.internal.usage_coverage", KNOWN_COVERAGE),
    ):
        if dataset in inputs.known:
            connection.table(table).select(*columns.names).create_view(name)
        else:
            connection.from_arrow(columns.empty_table()).create(name)
    for name, table, nothing in (
        ("known_usage", "known.internal.usage_told", "inputs/no_usage"),  # bits have no type in Arrow
        ("known_uses", "known.internal.holder_uses", "inputs/no_uses"),
    ):
        if USAGE in inputs.known:
            connection.table(table).create_view(name)
        else:
            make(connection, __file__, name, nothing)
    for name, rows in (
        ("days", _days(inputs.snapshots)),
        ("days_to_read", _days(inputs.days_to_read)),
        ("facts_read", pa.Table.from_pylist([_row(file.path) for file in inputs.days_to_read], FACTS)),
        ("files", _file_table(inputs.files)),
        ("uncounted", _uncounted_table(inputs)),
        ("license_types", license_types),
        ("usage_sources", sources_table()),
        ("invite_conventions", INVITE_CONVENTIONS.empty_table()),
    ):
        connection.from_arrow(rows).create(name)
    make(connection, __file__, "facts", "inputs/facts")
    make(connection, __file__, "coverage", "inputs/coverage")
    # On which days silence is evidence is one rule, for a night's own record and for the warehouse.
    make_watched(connection)


def adds_only(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> bool:
    """Whether all that is loaded leaves what the old warehouse, attached as `known`, tells of days before as it is."""
    if not inputs.adds_only:
        return False
    old, new = (connection.table(f"{name}license_types") for name in ("known.internal.", "inputs."))
    return set(old.fetchall()) == set(new.select(", ".join(old.columns)).fetchall())


def _set_variables(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    days = [file.day for file in inputs.days_to_read] or [date.min]
    for name, value in {"first_day": min(days), "last_day": max(days)}.items():
        connection.execute(f"set variable {name} = $value", {"value": value})


def _days(files: Iterable[InputFile]) -> pa.Table:
    rows = [{"organization_id": file.organization_id, "snapshot_date": file.day} for file in files]
    return pa.Table.from_pylist(rows, pa.schema([schema.ORGANIZATION_ID, schema.SNAPSHOT_DATE]))


def _uncounted_table(inputs: Inputs) -> pa.Table:
    columns = pa.schema([schema.ORGANIZATION_ID, ("observed_day", DAY), ("until", DAY)])
    rows = ((organization_id, day, until) for (organization_id, day), until in inputs.uncounted.items())
    return pa.Table.from_pylist([dict(zip(columns.names, row, strict=True)) for row in rows], columns)


def _row(path: Path) -> dict[str, object]:
    facts = read_facts(path)
    assert facts is not None
    row = msgspec.structs.asdict(facts)
    return row | {
        "provenance": facts.provenance.value,
        "items_of_others": facts.foreign,
        "workspaces_known": workspaces_known(path, facts),
    }


def _file_table(files: tuple[InputFile, ...]) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(FILES.names, file.mark, strict=True)) for file in files], FILES)
