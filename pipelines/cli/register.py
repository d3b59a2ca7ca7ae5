"""`licenses register`: tell Dagster's instance what lies in the data directory and it does not know."""

from datetime import date

from filelock import FileLock
from rich.console import Console

from assets.days import yesterday
from assets.errors import LicenseHistoryError
from assets.layout import SNAPSHOTS, day_files
from assets.orchestration.steps import DayEvent
from assets.resources import Installation
from assets.spans import told_spans
from pipelines import settings as settings_module
from pipelines.cli.progress import watched
from pipelines.execution import at_hand
from pipelines.settings import Settings
from pipelines.telling.register import AtWork, Looked, in_words

out = Console(highlight=False, soft_wrap=True)


def register() -> None:
    """Report each day and file that is not known, and say how many there were.

    Raises:
        LicenseHistoryError: a run is at work, or the instance cannot be used.
    """
    settings = settings_module.load()
    if not day_files(SNAPSHOTS, settings.data):
        out.print(f"There is no snapshot in {settings.data.root} to tell Dagster of.", markup=False)
        return
    with watched("Telling Dagster"):
        told, left = _report(settings)
    for words in in_words(told):
        out.print(f"Told Dagster of {words}.", markup=False)
    if left:
        out.print(f"{told_spans(left)}: left to its night, which can still observe it: not all of it is there.")
    elif not told:
        out.print(f"Dagster knows all that lies whole in {settings.data.root}: nothing was told.", markup=False)


def _report(settings: Settings) -> tuple[list[DayEvent], list[date]]:
    """What was told, and the days that were not because they are their night's."""
    given = Installation(settings.data, settings.api, settings.clock)
    told: list[DayEvent] = []
    # A second command waits for the first, and then finds its work done.
    with at_hand(settings) as opened, FileLock(settings.data.dagster_home / ".telling.lock"):
        try:
            looked = Looked.at(opened, given, settings.names)
        except AtWork:
            raise LicenseHistoryError(
                "A run is at work on this data directory: what it publishes, it tells Dagster itself. Nothing was "
                "told; call this again when it has ended."
            ) from None
        for event in looked.untold(opened):
            opened.report_runless_asset_event(event)
            told.append(event)
    over = (day for day in looked.there.every_day if day <= yesterday(given.clock.now()))
    return told, [day for day in over if looked.is_left_to_its_night(day)]
