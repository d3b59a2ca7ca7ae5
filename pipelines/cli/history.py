"""`licenses history WHO`: one person's or key's story, as a timeline in the terminal."""

from rich.console import Console
from rich.markup import escape

from assets.errors import WrongUse
from pipelines import settings as settings_module
from pipelines.cli.warehouse import opened, query

SHOWN = ("license_type", "status", "name", "email", "workspace_name", "owner_email", "owner_status")


def tell(who: str) -> None:
    """Print every stretch of the holders that an id or e-mail names.

    Raises:
        WrongUse: no snapshot has ever known anybody of that name.
    """
    out = Console(highlight=False, soft_wrap=True)
    with opened(settings_module.load().data) as warehouse:
        found = warehouse.execute(query("stretches"), {"who": who})
        columns = [column[0] for column in found.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    if not rows:
        raise WrongUse(
            f"No snapshot knows {who}: give an id (user_…, apikey_…, invite_…) or an e-mail address, as in "
            "license_history."
        )
    holder = None
    before: dict[str, object] = {}
    for row in rows:
        if (row["organization_id"], row["holder_id"]) != holder:
            holder, before = (row["organization_id"], row["holder_id"]), {}
            out.print(f"\n[bold]{escape(str(row['name'] or row['email'] or row['holder_id']))}[/bold]", end="")
            out.print(f"  {row['holder_type']} {row['holder_id']} in {row['organization_name']}", markup=False)
        out.print(f"  {_stretch(row)}  {escape(_changes(row, before))}")
        before = row


def _stretch(row: dict[str, object]) -> str:
    until = "          now" if row["valid_to"] is None else f"until {row['valid_to']}"
    observed = "1 day" if row["days_observed"] == 1 else f"{row['days_observed']} days"
    return f"{row['valid_from']} {until}  ({observed} observed)"


def _changes(row: dict[str, object], before: dict[str, object]) -> str:
    """What the stretch is about: everything at first, then what differs from the stretch before."""
    parts = [
        f"{name.replace('_', ' ')}: {before[name]} → {row[name]}" if before else str(row[name])
        for name in SHOWN
        if (row[name] is not None if not before else row[name] != before[name])
    ]
    if before and row["valid_from"] != before["valid_to"]:
        parts.insert(0, f"came back, gone since {before['valid_to']}")
    return ", ".join(parts)
