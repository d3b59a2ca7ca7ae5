"""What one observation said of usage, and with it the last uses up to its day, as files beside the snapshot."""

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import msgspec
import pyarrow as pa
from msgspec import Struct

from assets.engine import engine, make, parquet_view, sql_file
from assets.errors import DamagedFile
from assets.extraction.api import ACTIVITIES, API_KEYS, INVITES, USERS
from assets.extraction.carried import Covered, digest
from assets.extraction.coverage import UsageFacts, UsageFiles, facts_of_usage, usage_carried
from assets.extraction.landing import Manifest, Observation, newest_observation, read_observation
from assets.files.damaged import readable, unreadable
from assets.layout import COVERAGE, LAST_USE, USAGE, DataDirectory, day_files, snapshot_file, usage_file
from assets.snapshots import schema
from assets.snapshots.ending import Parameters, describe
from assets.snapshots.observed.covered import coverage
from assets.snapshots.observed.uses import first_day_told, load_uses, write_uses
from assets.snapshots.raw import load_list, load_rosters
from assets.snapshots.rules import load_rules
from assets.snapshots.schema import HolderType, Provenance
from assets.snapshots.snapshot import known_facts, unless_standing, write_table
from assets.snapshots.usage import Bearers, carry_forward, load_told_before


class Night(NamedTuple):
    """One observation, and where the files of all nights lie; what is in `without` is not read."""

    observation: Observation
    data: DataDirectory
    staged: DataDirectory
    without: Collection[Path] = ()

    @property
    def trees(self) -> tuple[DataDirectory, DataDirectory]:
        return self.data, self.staged

    @property
    def day(self) -> date:
        return self.observation.manifest.day

    @property
    def organization_id(self) -> str:
        return self.observation.manifest.organization_id

    def place(self, tree: DataDirectory, dataset: str) -> Path:
        return usage_file(tree.root / dataset, self.day, self.organization_id)

    def stage(
        self, dataset: str, rows: duckdb.DuckDBPyRelation, columns: pa.Schema, facts: Struct | None = None
    ) -> None:
        write_table(self.place(self.staged, dataset), rows, columns, facts)
        self.settle(dataset)

    def settle(self, dataset: str) -> Path:
        """Where a dataset's file of the night lies: what is published already is not staged."""
        return unless_standing(self.place(self.staged, dataset), self.place(self.data, dataset))


def load_night(connection: duckdb.DuckDBPyConnection, observation: Observation) -> int:
    """Make `uses`, and all that they are matched and counted with; returns how many items were left out as others'."""
    load_rules(connection)
    load_rosters(connection, observation)
    foreign = load_list(connection, "activities", ACTIVITIES, observation)
    foreign += load_uses(connection, observation)
    describe(connection, parameters_of(observation.manifest))
    make(connection, __file__, "holders")
    return foreign


def stage_usage(connection: duckdb.DuckDBPyConnection, night: Night) -> tuple[dict[str, int], tuple[DamagedFile, ...]]:
    """Stage it; then `usage` holds the last uses, and `coverage` and `watched` all that was heard of by then.

    Returns what was counted of tonight's uses, and what of other nights cannot be read.
    """
    files = usage_carried(night.trees, night.organization_id, night.day, night.without)
    counted = _write_new(connection, night, files)
    damaged = _tell_again(night)
    told = night.settle(USAGE)
    heard = coverage(connection, night.observation)
    night.stage(COVERAGE, connection.from_arrow(heard), schema.COVERAGE)
    covered = msgspec.convert(heard.to_pylist(), list[Covered])
    known = carry_forward(connection, files, told, covered, night.organization_id)
    known = msgspec.structs.replace(known, digest=digest(night.trees, night.organization_id, night.day))
    rows = connection.table("usage").order("holder_type, holder_id, source, usage_date, used_at")
    night.stage(LAST_USE, rows, schema.LAST_USE, known)
    return counted, (*files.damaged, *damaged)


def _write_new(connection: duckdb.DuckDBPyConnection, night: Night, files: UsageFiles) -> dict[str, int]:
    """Stage what no earlier night tells; what was counted of all that this one does."""
    first = first_day_told(connection)
    within_reach = [
        file.path
        for file in day_files(USAGE, *night.trees, organization_id=night.organization_id)
        if first <= file.day < night.day and file.day not in files.known.lost and file.path not in night.without
    ]
    load_told_before(connection, files, within_reach)
    bearers = Bearers(night.trees, night.organization_id, night.day, night.without)
    return write_uses(connection, night.place(night.staged, USAGE), bearers)


def _tell_again(night: Night) -> list[DamagedFile]:
    """Where a night's usage is replaced by less, let the nights after it tell again what they left out because of it.

    Returns what is to be said of landings that cannot be read: for these nights the replaced file's uses are kept.
    """
    published, staged = night.place(night.data, USAGE), night.place(night.staged, USAGE)
    if unless_standing(staged, published) == published or not (later := _relying_on(night)):
        return []
    unread: list[DamagedFile] = []
    with engine(night.staged.root) as connection:
        parquet_view(connection, "told_anew", [staged], schema.USAGE)
        is_known = not unreadable([published]) and published.is_file()
        parquet_view(connection, "told_then", [published] if is_known else [], schema.USAGE)
        if is_known and not connection.sql(sql_file(__file__, "told_no_more")).limit(1).fetchall():
            return []
        for day in later:
            try:
                _retell(night, day)
            except DamagedFile as error:
                unread.append(error)
        if unread and is_known:
            _write_together(connection, staged, facts_of_usage(staged))
    return unread


def _relying_on(night: Night) -> list[date]:
    """The nights that leave out uses which this one tells, oldest first; with them the one right after it, which had
    the same list of keys."""
    files = day_files(USAGE, night.data, organization_id=night.organization_id)
    there, _ = readable(file.path for file in files if file.day > night.day and file.path not in night.without)
    later = [file for file in files if file.path in there]
    is_replaced = night.place(night.data, USAGE).exists()
    return [
        file.day
        for file in later
        if (is_replaced and file is later[0]) or night.day in facts_of_usage(file.path).left_out
    ]


def _retell(night: Night, day: date) -> None:
    """Stage a later night's file with all that it told, and what its own landing tells and no file before it any more.

    Raises:
        DamagedFile: its landing cannot be read.
    """
    observation = _derived_from(night, day)
    published = usage_file(night.data.usage, day, night.organization_id)
    if observation is None:
        raise DamagedFile(
            night.data.landing(night.organization_id, day),
            f"what was left out of the usage of {day} of {night.organization_id} cannot be told again, and stays in "
            f"that of {night.day}",
            "Restore the folder.",
            why="no complete observation lies there",
        )
    again = night._replace(observation=observation)
    staged = again.place(night.staged, USAGE)
    with engine(night.staged.root, alone=True) as connection:
        load_night(connection, observation)
        _write_new(connection, again, usage_carried(night.trees, night.organization_id, day, night.without))
        parquet_view(connection, "told_anew", [staged], schema.USAGE)
        parquet_view(connection, "told_then", [published], schema.USAGE)
        relied_on = {*facts_of_usage(staged).left_out, *facts_of_usage(published).left_out}
        _write_together(connection, staged, UsageFacts(left_out=sorted(relied_on)))
    unless_standing(staged, published)


def _derived_from(night: Night, day: date) -> Observation | None:
    """The observation that a night's published files were made of."""
    landing = night.data.landing(night.organization_id, day)
    facts = known_facts(snapshot_file(night.data, day, night.organization_id))
    told = read_observation(landing / facts.observation) if facts and facts.provenance is Provenance.OBSERVED else None
    return told or newest_observation(night.data, night.organization_id, day)


def _write_together(connection: duckdb.DuckDBPyConnection, place: Path, facts: UsageFacts) -> None:
    make(connection, __file__, "told_together")
    write_table(place, connection.table("told_together"), schema.USAGE, facts)


def parameters_of(manifest: Manifest) -> Parameters:
    rosters = {HolderType.USER: USERS, HolderType.API_KEY: API_KEYS, HolderType.INVITE: INVITES}
    return Parameters(
        manifest.organization_id,
        manifest.organization_name,
        manifest.day,
        manifest.observed_at,
        manifest.run_id,
        Provenance.OBSERVED,
        {kind for kind, roster in rosters.items() if manifest.has(roster.name)},
    )
