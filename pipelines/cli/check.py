"""`licenses check`, the doctor: could a snapshot be taken now, and if not, what to do. Writes nothing."""

import logging
from datetime import UTC, datetime

from rich.console import Console

from assets.days import require_observable, yesterday
from assets.errors import WrongUse
from pipelines import settings as settings_module
from pipelines.cli.doctor.findings import Finding, Mark, Section, count, note, ok, problem, show
from pipelines.cli.doctor.folder import Expected, examine_folder
from pipelines.cli.doctor.organizations import Examined, examine_organizations
from pipelines.cli.doctor.schedule import examine_schedule
from pipelines.settings import Settings


def examine() -> int:
    """Look at everything and say it. Returns the exit status: 0 if a snapshot could be taken now, else 1."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    out = Console(highlight=False)
    found: list[Finding] = []

    def tell(section: Section) -> None:
        show(out, section)
        found.extend(section.findings)

    try:
        settings = settings_module.load()
    except WrongUse as error:
        tell(Section("Settings", (problem("settings", str(error)),)))
    else:
        tell(Section("Settings", tuple(_settings(settings))))
        examined = _organizations(settings)
        for section in examined.sections:
            tell(section)
        expected = Expected(examined.organizations, examined.everyone)
        tell(Section("Data directory", tuple(examine_folder(settings.data, expected, settings.now))))
        tell(Section("Nightly schedule", tuple(examine_schedule(settings.data, datetime.now(UTC)))))
    return _conclude(out, found)


def _settings(settings: Settings) -> list[Finding]:
    found = [ok("API", f"asked at {settings.anthropic_base_url}.")]
    if settings.licenses_now:
        found.append(note("clock", f"moved to {settings.now:%Y-%m-%d %H:%M} UTC by LICENSES_NOW, for a simulation."))
    try:
        require_observable(yesterday(settings.now), settings.now, settings.licenses_first_day)
    except WrongUse as error:
        found.append(problem("first day", str(error)))
    return found


def _organizations(settings: Settings) -> Examined:
    try:
        return examine_organizations(settings)
    except WrongUse as error:
        return Examined([Section("Organizations", (problem("settings", str(error)),))], {}, everyone=False)


def _conclude(out: Console, found: list[Finding]) -> int:
    problems, notes = count(found, Mark.PROBLEM), count(found, Mark.NOTE)
    if problems:
        out.print(f"A whole snapshot cannot be taken now: {_number(problems, 'problem')}, {_number(notes, 'note')}.")
        return 1
    out.print(f"A snapshot can be taken now ({_number(notes, 'note')}): licenses snapshot")
    return 0


def _number(how_many: int, what: str) -> str:
    return f"{how_many} {what}" if how_many == 1 else f"{how_many} {what}s"
