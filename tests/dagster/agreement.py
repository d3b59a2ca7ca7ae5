"""What must hold of a deployment, however its runs were launched and however they ended."""

from datetime import date

from tests.dagster.grids import ASSIGNMENTS, OBSERVATION, Deployment

ROWS = "dagster/partition_row_count"


def expect_agreement(here: Deployment, organizations: frozenset[str] = frozenset({"org_1"})) -> list[date]:
    """Grid, events and files agree; returns the days that they agree to be there."""
    for asset, there in ((ASSIGNMENTS, here.files()), (OBSERVATION, here.landed())):
        whole = {day: sum(rows.values()) for day, rows in sorted(there.items()) if rows.keys() >= organizations}
        assert here.green(asset) == list(whole), f"{asset}: what the UI shows green"
        assert here.believed(asset) == list(whole), f"{asset}: what others' assets are started on"
        assert {day: told[ROWS] for day, told in here.told(asset).items()} == whole, f"{asset}: how many rows it says"
        assert all(told[ROWS] for _, told in here.all_told(asset)), "unknown is not zero"
    return [day for day, rows in sorted(here.files().items()) if rows.keys() >= organizations]
