"""`licenses check`, the doctor: would a night succeed, is the record fresh, and if not, what to do. Writes nothing."""

import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console

from assets.days import require_observable, yesterday
from assets.errors import WrongUse
from assets.extraction.api import ADMIN_KEY_PREFIX
from assets.room import memory
from pipelines import settings as settings_module
from pipelines.cli.doctor.files import examine_files
from pipelines.cli.doctor.findings import (
    Finding,
    Mark,
    Section,
    Verdict,
    as_json,
    count,
    examined,
    note,
    ok,
    problem,
    show,
    trouble,
    without,
)
from pipelines.cli.doctor.folder import examine_folder, examine_memory
from pipelines.cli.doctor.organizations import reached
from pipelines.cli.doctor.record import examine_record
from pipelines.cli.doctor.schedule import examine_schedule
from pipelines.cli.doctor.warehouse import examine_warehouse
from pipelines.settings import Settings


def examine(*, json: bool) -> int:
    """Look at everything and say it, on the page as it is found or as one JSON document. Returns the exit status."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("assets").addHandler(logging.NullHandler())  # what they would log is found here
    page = Console(highlight=False)
    sections: list[Section] = []
    for section in _sections():
        told = without(section, _keys())
        sections.append(told)
        if not json:
            show(page, told)
    if json:
        sys.stdout.write(f"{as_json(sections)}\n")
    else:
        page.print(_conclusion(sections))
    return Verdict.of(sections).exit_status


def _keys() -> list[str]:
    return [value.strip() for value in os.environ.values() if value.strip().startswith(ADMIN_KEY_PREFIX)]


def _sections() -> Iterator[Section]:
    try:
        settings = settings_module.load()
        data, now = settings.data, settings.now
    except Exception as error:
        yield Section("Settings", (trouble("settings", error),))
        return
    yield Section("Settings", tuple(_settings(settings)))
    with reached(settings) as organizations:
        yield from organizations.sections
        yield examined("Data directory", lambda: examine_folder(data, now), lambda: examine_memory(memory()))
        yield examined("Record", lambda: examine_record(data, organizations, now))
    yield examined("Files", lambda: examine_files(data), lambda: examine_warehouse(data))
    yield examined("Nightly schedule", lambda: examine_schedule(settings, datetime.now(UTC)))


def _settings(settings: Settings) -> Iterator[Finding]:
    yield ok("API", f"asked at {settings.anthropic_base_url}.")
    if settings.licenses_now:
        yield note("clock", f"moved to {settings.now:%Y-%m-%d %H:%M} UTC by LICENSES_NOW, for a simulation.")
    try:
        require_observable(yesterday(settings.now), settings.now, settings.licenses_first_day)
    except WrongUse as error:
        yield problem("first day", str(error))


def _conclusion(sections: list[Section]) -> str:
    notes = _number(count(sections, Mark.NOTE), "note")
    match Verdict.of(sections):
        case Verdict.BROKEN:
            return f"A night would not succeed now: {_number(count(sections, Mark.PROBLEM), 'problem')}, {notes}."
        case Verdict.STALE:
            return f"A night would succeed now, but something is stale or failed: see above ({notes})."
    return f"A night would succeed now, and nothing is overdue ({notes})."


def _number(how_many: int, what: str) -> str:
    return f"{how_many} {what}" if how_many == 1 else f"{how_many} {what}s"
