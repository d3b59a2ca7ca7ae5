"""How far usage is already known, so that each night asks only for what is missing and for what may still change."""

from datetime import date

import pyarrow.dataset as ds

from assets.layout import DataDirectory, files_before


def covered_to(data: DataDirectory, organization_id: str, day: date) -> dict[str, date]:
    """Per usage endpoint, the last day that published observations of days before `day` covered."""
    files = files_before([data.coverage], organization_id, day)
    if not files:
        return {}
    covered = ds.dataset([str(path) for path in files]).to_table(columns=["endpoint", "covered_to"])
    latest = covered.group_by("endpoint").aggregate([("covered_to", "max")])
    return dict(zip(latest["endpoint"].to_pylist(), latest["covered_to_max"].to_pylist(), strict=True))
