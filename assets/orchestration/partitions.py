"""The days as Dagster's partitions."""

from datetime import UTC, date, datetime

import dagster as dg


def daily(first_day: date, now: datetime) -> dg.DailyPartitionsDefinition:
    """One partition per UTC day from `first_day` to today, today (provisional) included.

    `now` is the pipeline's clock: where a simulation runs ahead of the machine's, its today is included too.
    """
    ahead = max((now.date() - datetime.now(UTC).date()).days, 0)
    return dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone="UTC", end_offset=1 + ahead)
