"""When finance's report is made: on the third of each month, for the month that has ended."""

import dagster as dg

from assets.finance.month import month_before
from assets.orchestration.names import Names
from assets.reports.assets import REPORT

MONTHLY_REPORT = "monthly_report"


def report_job(names: Names) -> "dg.UnresolvedAssetJobDefinition":
    """Make one month's page and workbook; their paths stand in the run."""
    return dg.define_asset_job(
        names.name(MONTHLY_REPORT),
        selection=[names.key(REPORT)],
        description="Seats and their cost in a month, for finance: page and workbook.",
    )


def report_schedule(
    job: "dg.UnresolvedAssetJobDefinition", names: Names, status: dg.DefaultScheduleStatus
) -> dg.ScheduleDefinition:
    """The third at 06:00 UTC: by then the month's last usage has arrived, and two nights could mend its last day."""

    @dg.schedule(
        name=names.name("report_on_the_third"),
        job=job,
        cron_schedule="0 6 3 * *",
        execution_timezone="UTC",
        default_status=status,
        description="On the third of each month at 06:00 UTC, for the month that has ended.",
    )
    def report_on_the_third(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        month = month_before(context.scheduled_execution_time.date()).isoformat()
        return dg.RunRequest(run_key=month, partition_key=month)

    return report_on_the_third
