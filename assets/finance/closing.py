"""Closing and reopening a month: what is signed is frozen, and published together with the warehouse that shows it.

The warehouse is brought up to date first, so that what is signed follows from the files as they are at that moment.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from hashlib import sha256

import duckdb
import msgspec
import pyarrow.parquet as pq

from assets.days import end_of
from assets.engine import sql_file
from assets.errors import CloseRefused, WrongUse
from assets.extraction.landing import require_not_behind
from assets.files.atomic import locked, sha256_of, whole_file
from assets.files.damaged import unreadable
from assets.files.publishing import claim, discard, told_in_words
from assets.finance.closings import Entry, Event, Log, entry_file, figures_file, read_log
from assets.finance.frozen import FIGURES
from assets.finance.month import last_day, month_before
from assets.finance.reference import reference_hashes
from assets.history.inputs import files_of
from assets.layout import COVERAGE, SNAPSHOTS, USAGE, DataDirectory
from assets.spans import ranges
from assets.warehouse.publish import bring_up_to_date, publish
from assets.warehouse.reading import opened
from assets.warehouse.subject import Subjects


def close_month(
    subjects: Subjects,
    data: DataDirectory,
    month: date,
    *,
    by: str,
    now: datetime,
    acknowledged: Iterable[date] = (),
) -> Entry:
    """Freeze the month as the warehouse tells it now; `acknowledged` are days that finance accepts as gaps.

    Raises:
        WrongUse: a day that is no gap was acknowledged.
        CloseRefused: the month is not over, not final, not known, or closed already.
    """
    gaps = sorted(set(acknowledged))
    with _signing(subjects, data, by, now) as staged:
        log = read_log(data)
        _require_closable(log, month, now)
        number = len(log.entries) + 1
        with opened(data) as warehouse:
            _require_final(warehouse, month, gaps)
            figures = _freeze(warehouse, staged, month, number)
            inputs = _inputs(data, warehouse, month)
        entry = Entry(
            number=number,
            event=Event.CLOSED,
            month=month,
            recorded_at=now,
            recorded_by=by,
            acknowledged_gaps=gaps,
            inputs=inputs,
            inputs_sha256=_hash_of(inputs),
            figures=figures,
            previous_sha256=log.sha256,
        )
        return _publish(subjects, data, staged, entry)


def reopen_month(subjects: Subjects, data: DataDirectory, month: date, *, by: str, now: datetime, reason: str) -> Entry:
    """Let the month follow the history again; what was signed stays on disk and in the log.

    Raises:
        WrongUse: no reason.
        CloseRefused: the month is not closed.
    """
    if not reason.strip():
        raise WrongUse("a month is reopened only with a reason: it stands in the log for whoever signed it.")
    with _signing(subjects, data, by, now) as staged:
        log = read_log(data)
        if month not in log.in_force():
            raise CloseRefused(f"{month:%Y-%m} is not closed, so there is nothing to reopen.")
        entry = Entry(
            number=len(log.entries) + 1,
            event=Event.REOPENED,
            month=month,
            recorded_at=now,
            recorded_by=by,
            reason=reason.strip(),
            previous_sha256=log.sha256,
        )
        return _publish(subjects, data, staged, entry)


@contextmanager
def _signing(subjects: Subjects, data: DataDirectory, by: str, now: datetime) -> Iterator[DataDirectory]:
    """One at a time; the staging tree is gone afterwards, whatever happens."""
    if not by.strip():
        raise WrongUse("nobody signs: say who with --by.")
    staged = data.staging(f"finance-{uuid.uuid4().hex}")
    with locked(data.root / ".finance.lock"), told_in_words("Nothing was signed"):
        require_not_behind(data, now)
        try:
            bring_up_to_date(subjects, data, now)
            yield claim(staged)
        finally:
            discard(staged)


def _publish(subjects: Subjects, data: DataDirectory, staged: DataDirectory, entry: Entry) -> Entry:
    with whole_file(entry_file(staged, entry.number)) as place:
        place.write_bytes(msgspec.json.format(msgspec.json.encode(entry), indent=2))
    publish(subjects, data, staged, entry.recorded_at)
    return entry


def _require_closable(log: Log, month: date, now: datetime) -> None:
    if now < end_of(last_day(month)):
        raise CloseRefused(
            f"{month:%Y-%m} is not over yet (it is {now:%Y-%m-%d} UTC): only a month that is over can be closed."
        )
    if (closing := log.in_force().get(month)) is not None:
        raise CloseRefused(
            f"{month:%Y-%m} was closed on {closing.recorded_at:%Y-%m-%d} by {closing.recorded_by}. What came to light "
            f'since stands in finance_restatements; to sign it anew: licenses reopen {month:%Y-%m} --reason "…"'
        )


def _require_final(warehouse: duckdb.DuckDBPyConnection, month: date, gaps: list[date]) -> None:
    rows = _ask(warehouse, "open_days", month=month).fetchall()
    open_days = {day for _, day, _, _ in rows}
    if wrong := [day for day in gaps if day not in open_days]:
        raise WrongUse(
            f"{', '.join(map(str, wrong))} cannot be acknowledged: no day of {month:%Y-%m} that is missing or "
            "not final. Nothing was closed."
        )
    ((known,),) = _ask(warehouse, "is_known", month=month).fetchall()
    if not known:
        raise CloseRefused(f"Nothing is known of {month:%Y-%m}: there is no snapshot of any of its days to sign.")
    if left := [(day, state) for _, day, state, accepted in rows if not accepted and day not in gaps]:
        raise CloseRefused(_not_final(month, left))


def _not_final(month: date, left: list[tuple[date, str]]) -> str:
    """Which days stand in the way, and what can be done about them."""
    by_state: dict[str, list[date]] = {}
    for day, state in left:
        by_state.setdefault(state, []).append(day)
    named = [f"{', '.join(ranges(days, to='..'))} ({state})" for state, days in by_state.items()]
    days = sorted({day for day, _ in left})
    options = " ".join(f"--acknowledge-gap {span}" for span in ranges(days, to=".."))
    return (
        f"{month:%Y-%m} is not final: {'; '.join(named)}. Fill these days (licenses backfill --from {days[0]} --to "
        f"{days[-1]}, or licenses import), or accept them as gaps by name: {options}"
    )


def _freeze(warehouse: duckdb.DuckDBPyConnection, staged: DataDirectory, month: date, number: int) -> dict[str, str]:
    """Write the month's lines and adjustments; returns each file's hash."""
    hashes = {}
    for name, columns in FIGURES.items():
        path = figures_file(staged, month, number, name)
        with whole_file(path) as place:
            rows = _ask(warehouse, name, month=month).to_arrow_table()
            pq.write_table(rows.cast(columns), place, compression="zstd")
        hashes[name] = sha256_of(path)
    return hashes


def _ask(warehouse: duckdb.DuckDBPyConnection, query: str, **values: date) -> duckdb.DuckDBPyRelation:
    return warehouse.sql(sql_file(__file__, f"closing/{query}"), params=values)


def _inputs(data: DataDirectory, warehouse: duckdb.DuckDBPyConnection, month: date) -> dict[str, str]:
    """The contents' hash of each file that the month stands on: its snapshots and those of the month before (of an
    organization whose seats are carried forward, all since the day that they are of), what is known of usage, and the
    reference files.

    Raises:
        CloseRefused: a file has changed since the warehouse was built.
        DamagedFile: one of them cannot be read.
    """
    built_from = set(warehouse.table("internal.input_files").fetchall())
    since, until = month_before(month), last_day(month)
    carried = dict(_ask(warehouse, "last_counted", until=until).fetchall())
    hashes = {f"reference/{name}": digest for name, digest in reference_hashes(data).items()}
    for dataset in (SNAPSHOTS, USAGE, COVERAGE):
        for file in files_of(dataset, data):
            first = min(since, carried.get(file.organization_id, since))
            if dataset == SNAPSHOTS and not first <= file.day <= until:
                continue
            if file.mark not in built_from:
                for damaged in unreadable([file.path]):
                    raise damaged
                raise CloseRefused(
                    f"{file.path} has changed while {month:%Y-%m} was being closed. Nothing was closed: close it again."
                )
            hashes[str(file.path.relative_to(data.root))] = sha256_of(file.path)
    if reference_hashes(data) != dict(warehouse.table("internal.reference_files").fetchall()):
        raise CloseRefused(
            f"A reference file has changed while {month:%Y-%m} was being closed. Nothing was closed: close it again."
        )
    return hashes


def _hash_of(inputs: dict[str, str]) -> str:
    """As `sha256sum` would print the files, sorted by path."""
    return sha256("".join(f"{digest}  {path}\n" for path, digest in sorted(inputs.items())).encode()).hexdigest()
