"""Dagster makes the report of the month that has ended, and its run links to it."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import build
from pipelines.settings import Settings
from tests.finance.worlds import Finance


def _definitions(root: Path) -> dg.Definitions:
    return build(
        Settings(
            licenses_data_dir=root,
            licenses_now=datetime(2026, 12, 3, 6, tzinfo=UTC),
            anthropic_base_url="http://127.0.0.1:9",
        )
    )


@pytest.mark.slow
def test_the_run_makes_both_files_and_links_to_them(month: Finance):
    job = _definitions(month.root).resolve_job_def("claude_licenses_monthly_report")
    result = job.execute_in_process(partition_key="2026-11-01", instance=dg.DagsterInstance.ephemeral())
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    for form in ("html", "xlsx"):
        path = Path(str(metadata[form].value))
        assert path == month.root / "reports" / "2026-11" / f"claude-licenses-2026-11.{form}"
        assert path.stat().st_size > 5_000
    assert (
        metadata["seats_month_end"].value
        == month.row("select sum(seats_month_end)::int from finance_statement where month = date '2026-11-01'")[0]
    )


def test_the_schedule_is_for_the_month_that_has_ended(tmp_path: Path):
    schedule = _definitions(tmp_path).resolve_schedule_def("claude_licenses_report_on_the_third")
    assert (schedule.cron_schedule, schedule.default_status) == ("0 6 3 * *", dg.DefaultScheduleStatus.STOPPED)
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2027, 1, 3, 6, tzinfo=UTC))
    request = schedule(context)
    assert isinstance(request, dg.RunRequest)
    assert (request.partition_key, request.run_key) == ("2026-12-01", "2026-12-01")
