"""`licenses rebuild`: the warehouse made anew from all files, whatever the old one knows."""

from rich.console import Console

from assets.files.preflight import require_room
from assets.layout import DataDirectory
from pipelines import settings as settings_module
from pipelines.cli.progress import watched
from pipelines.cli.snapshot import report_failures
from pipelines.cli.warehouse import opened, query

out = Console(highlight=False, soft_wrap=True)


def rebuild() -> int:
    """Build, check and publish it, and say from what; returns the exit status: 3 where a file could not be read."""
    from assets.warehouse.publish import rebuild
    from pipelines.subjects import SUBJECTS

    settings = settings_module.load()
    require_room(settings.data)
    with watched("Building the warehouse"):
        damaged = rebuild(SUBJECTS, settings.data, settings.now)
    out.print(_told(settings.data), markup=False)
    out.print(f"Published: {settings.data.warehouse}", markup=False)
    report_failures([str(one) for one in damaged], [])
    return 3 if damaged else 0


def _told(data: DataDirectory) -> str:
    with opened(data) as warehouse:
        days, organizations, first, last = warehouse.execute(query("days_held")).fetchall()[0]
        relations = len(warehouse.execute(query("relations")).fetchall())
    whose = "1 organization" if organizations == 1 else f"{organizations:,} organizations"
    span = f"1 day ({first})" if days == 1 else f"{days:,} days ({first} to {last})"
    return f"Built anew from the snapshots of {span} and {whose}: {relations} relations, all checks hold."
