"""Import: the closing state of a day as a file that somebody kept tells it, matched to the ids that we know.

The weakest source there is: what the file does not say stays unknown, and a file with one bad row is refused whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import duckdb
import pyarrow as pa

from assets.columns import TEXT
from assets.engine import engine, make, parquet_view, sql_file
from assets.errors import WrongUse
from assets.extraction.coverage import usage_files
from assets.files.damaged import files_of_nights, naming, readable
from assets.layout import SNAPSHOTS, SUPERSEDED, DataDirectory, day_files, snapshot_file
from assets.snapshots.ending import Derived, Loading, Parameters, describe, facts_of, make_assignments, stage
from assets.snapshots.imported.mapping import TAKEN, Mapping
from assets.snapshots.imported.sheet import Sheet
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from assets.snapshots.rules import load_rules
from assets.snapshots.schema import LICENSE_ASSIGNMENTS, Provenance
from assets.snapshots.snapshot import SnapshotFacts, known_facts, same_snapshot, snapshots_of
from assets.snapshots.usage import load_usage

FAULTS_SHOWN = 20
BLANK = " \t\r\n\u00a0\u200b\ufeff"
"""What spreadsheets and web pages leave around a cell's text."""


class Target(NamedTuple):
    """Which day of which organization a file is imported for; `kept` names the folder that it is kept in."""

    organization_id: str
    day: date
    kept: str
    imported_at: datetime
    run_id: str


class Tally(NamedTuple):
    """How the file's holders are known, and what was not taken."""

    by_id: int
    by_email: int
    by_address: int
    later: int
    uses_without_zone: int


@dataclass(frozen=True)
class Imported:
    """A file whose every row can be imported: the relation `license_assignments`, and the facts about it."""

    connection: duckdb.DuckDBPyConnection
    facts: SnapshotFacts
    tally: Tally

    def require_right_of_way(self, data: DataDirectory, *, replace: bool) -> None:
        """Refuse to replace what is there, unless asked to by name: there is no weaker source than a file.

        Raises:
            WrongUse: the day has a snapshot that says something else and is not of this very file.
        """
        facts = self.facts
        present = known_facts(snapshot_file(data, facts.snapshot_date, facts.organization_id))
        if replace or present is None or present.observation == facts.observation:
            return
        if same_snapshot(self.connection, facts, data):
            return
        how = "imported from another file" if present.provenance is Provenance.IMPORTED else present.provenance.value
        raise WrongUse(
            f"{facts.title} has a snapshot of {facts.snapshot_date} already ({how}, "
            f"{present.observed_at:%Y-%m-%d %H:%M} UTC), and a file is the weakest source. Nothing was imported; "
            "--replace replaces it, and keeps what it was."
        )

    def stage(self, data: DataDirectory, staged: DataDirectory, loading: Loading) -> Derived:
        """Stage the imported snapshot, unless the same is published already."""
        return stage(self.connection, self.facts, data, staged, loading)

    def first_rows(self, limit: int) -> list[dict[str, object]]:
        """The first rows, in the file's order, as they would be stored."""
        rows = self.connection.sql(sql_file(__file__, "import_first_rows")).limit(limit)
        return [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]


@contextmanager
def importing(sheet: Sheet, mapping: Mapping, target: Target, data: DataDirectory, file: str) -> Iterator[Imported]:
    """Make the snapshot that a file tells, or refuse the file; nothing that stays is written to the data directory.

    Raises:
        WrongUse: bad rows, by their numbers in the spreadsheet; or the file says that it is of another day.
        BadReference: the table of license types cannot be used.
    """
    _require_own_day(sheet, target, file)
    types = license_types(data.reference(LICENSE_TYPES), target.day)
    _require_roles(mapping, types.column("role").to_pylist())
    nearest = nearest_facts(data, target.organization_id, target.day)
    parameters = Parameters(
        target.organization_id,
        nearest.organization_name if nearest else None,
        target.day,
        target.imported_at,
        target.run_id,
        Provenance.IMPORTED,
        known=(),  # so that no owner is said to have left
    )
    nights = files_of_nights(target.organization_id, data)
    with engine(data.root) as connection, naming(nights):
        load_rules(connection)
        connection.register("license_types", types)
        describe(connection, parameters)
        make(connection, __file__, "import_target", organization_id=target.organization_id, day=target.day)
        _load_file(connection, sheet, mapping)
        _load_known(connection, data, target.organization_id)
        for relation in ("import_instants", "import_rows", "import_known_ids", "import_holders", "import_faults"):
            make(connection, __file__, relation)
        _refuse_faults(connection, file)
        make(connection, __file__, "holders", "import_roster")
        make(connection, __file__, "workspaces", "import_workspaces")
        make(connection, __file__, "invite_links", "import_invite_links")
        make_assignments(connection, "license_assignments_derived")
        make(connection, __file__, "license_assignments", "import_assignments")
        tally = _tally(connection)
        facts = _facts(connection, sheet, target, parameters, tally)
        if not any((facts.users, facts.api_keys, facts.invites)):
            raise WrongUse(f"{file}: every row was added only after the end of {target.day}. Nothing was written.")
        yield Imported(connection, facts, tally)


def nearest_facts(data: DataDirectory, organization_id: str, day: date) -> SnapshotFacts | None:
    """The facts of the organization's snapshot nearest to a day: what it was called about then."""
    every = (facts for _, facts in snapshots_of(organization_id, data))
    return min(every, key=lambda facts: abs((facts.snapshot_date - day).days), default=None)


def _require_own_day(sheet: Sheet, target: Target, file: str) -> None:
    """A snapshot of our own knows what it is of."""
    facts = sheet.facts
    if facts and (facts.organization_id, facts.snapshot_date) != (target.organization_id, target.day):
        raise WrongUse(
            f"{file} is the snapshot of {facts.title} of {facts.snapshot_date}; it cannot be imported as that of "
            f"{target.organization_id} of {target.day}."
        )


def _require_roles(mapping: Mapping, roles: list[str]) -> None:
    for word, role in mapping.roles.items():
        if role not in roles:
            raise WrongUse(
                f"The mapping file: [roles] “{word}” means {role}, which is not a role in {LICENSE_TYPES}; there are "
                f"{', '.join(roles)}."
            )


def _load_file(connection: duckdb.DuckDBPyConnection, sheet: Sheet, mapping: Mapping) -> None:
    """Make `import_cells`: row_number and each of our columns as trimmed text, null where the file has nothing."""
    places = {ours: f"c{sheet.headers.index(theirs)}" for ours, theirs in mapping.columns.items()}
    nothing = pa.nulls(sheet.rows.num_rows, TEXT)
    columns = {ours: sheet.rows.column(places[ours]) if ours in places else nothing for ours in TAKEN}
    connection.register("sheet", pa.table({"row_number": sheet.rows.column("row_number"), **columns}))
    connection.register("sheet_values", pa.table({ours: pa.array([mapping.values.get(ours)], TEXT) for ours in TAKEN}))
    make(connection, __file__, "import_cells", blank=BLANK)
    connection.register("import_ragged", sheet.faults)
    for relation, words, kind in (
        ("import_role_words", mapping.roles, "role"),
        ("import_status_words", mapping.statuses, "status"),
    ):
        connection.register(relation, pa.table({"word": pa.array(words, TEXT), kind: pa.array(words.values(), TEXT)}))


def _load_known(connection: duckdb.DuckDBPyConnection, data: DataDirectory, organization_id: str) -> None:
    """What is known of use, and every snapshot, those that were replaced too: in both, ids stand beside addresses."""
    load_usage(connection, usage_files([data], organization_id, date.max), organization_id)
    for relation, dataset in (("standing", SNAPSHOTS), ("superseded", SUPERSEDED)):
        files, _ = readable(file.path for file in day_files(dataset, data, organization_id=organization_id))
        parquet_view(connection, relation, files, LICENSE_ASSIGNMENTS)


def _refuse_faults(connection: duckdb.DuckDBPyConnection, file: str) -> None:
    faults = connection.table("import_faults").order("row_number")
    bad = faults.count("*").fetchall()[0][0]
    if not bad:
        return
    lines = [f"  row {number}: {reason}" for number, reason in faults.limit(FAULTS_SHOWN).fetchall()]
    if bad > FAULTS_SHOWN:
        lines.append(f"  and {bad - FAULTS_SHOWN:,} more rows")
    noun = "1 row" if bad == 1 else f"{bad:,} rows"
    raise WrongUse(f"{file} was refused for {noun}, and nothing was written:\n" + "\n".join(lines))


def _facts(
    connection: duckdb.DuckDBPyConnection, sheet: Sheet, target: Target, parameters: Parameters, tally: Tally
) -> SnapshotFacts:
    """A kind of holder that the file does not hold is unknown, unless it says itself that it was known."""
    own = sheet.facts
    return facts_of(
        connection,
        parameters._replace(known=own.known if own else ()),
        target.kept,
        is_final=own.is_final if own else True,
        left_out=tally.later,
    )


def _tally(connection: duckdb.DuckDBPyConnection) -> Tally:
    return Tally(*connection.execute(sql_file(__file__, "import_tally")).fetchall()[0])
