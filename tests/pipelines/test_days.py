"""The rules of time: which day may be observed when, and which nights the schedule asks for."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.days import end_of, is_final, require_observable, usage_window, yesterday
from assets.errors import ImpossibleDay
from assets.partitions import daily

NOW = datetime(2026, 6, 2, 2, tzinfo=UTC)


@given(
    day=st.dates(date(2024, 1, 1), date(2027, 12, 31)), now=st.datetimes(datetime(2024, 1, 2), datetime(2027, 12, 31))
)
def test_only_today_and_yesterday_can_be_observed(day: date, now: datetime):
    now = now.replace(tzinfo=UTC)
    if day in (now.date(), now.date() - timedelta(days=1)):
        require_observable(day, now)
        return
    with pytest.raises(ImpossibleDay, match=str(day)):
        require_observable(day, now)


@given(ahead=st.integers(-1, 0), now=st.datetimes(datetime(2024, 1, 2), datetime(2027, 12, 31)))
def test_today_and_yesterday_can_always_be_observed(ahead: int, now: datetime):
    require_observable(now.date() + timedelta(days=ahead), now.replace(tzinfo=UTC))


def test_days_are_utc_whatever_the_clocks_zone():
    evening = datetime.fromisoformat("2026-06-01T20:00:00-06:00")
    assert yesterday(evening) == date(2026, 6, 1)
    require_observable(date(2026, 6, 2), evening)
    assert is_final(date(2026, 6, 1), evening)


def test_a_day_ends_with_the_next_midnight():
    assert end_of(date(2026, 12, 31)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert not is_final(date(2026, 6, 1), datetime(2026, 6, 1, 23, 59, 59, 999999, tzinfo=UTC))
    assert is_final(date(2026, 6, 1), datetime(2026, 6, 2, tzinfo=UTC))


def test_the_first_day_can_be_set():
    with pytest.raises(ImpossibleDay, match=r"lies before 2026-07-01, the first day of this warehouse"):
        require_observable(date(2026, 6, 1), NOW, date(2026, 7, 1))


@given(day=st.dates(date(2024, 6, 1), date(2027, 1, 1)), behind=st.integers(0, 400))
def test_a_window_leaves_no_day_out_and_always_reaches_four_days_back(day: date, behind: int):
    covered_to = day - timedelta(days=behind)
    first, last = usage_window(day, covered_to)
    assert last == day
    assert first <= min(covered_to + timedelta(days=1), day - timedelta(days=3))
    assert first == day - timedelta(days=max(3, behind - 1))
    assert usage_window(day, None) == (day - timedelta(days=89), day)


def test_today_is_a_partition_and_tomorrow_is_not():
    today = datetime.now(UTC)
    keys = daily(date(2026, 1, 1), today).get_partition_keys()
    assert keys[-1] == str(today.date())
    assert keys[0] == "2026-01-01"


def test_a_simulation_ahead_of_this_machine_has_its_own_today():
    ahead = datetime.now(UTC) + timedelta(days=3)
    assert daily(date(2026, 1, 1), ahead).get_partition_keys()[-1] == str(ahead.date())


@pytest.fixture
def schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[datetime], Any]]:
    """The nightly schedule of the real definitions, at a tick."""
    from pipelines import settings
    from pipelines.definitions import build

    monkeypatch.chdir(tmp_path)
    definitions = build(settings.load())

    with dg.DagsterInstance.ephemeral() as instance:

        def tick(at: datetime) -> Any:
            context = dg.build_schedule_context(
                instance=instance, scheduled_execution_time=at, repository_def=definitions.get_repository_def()
            )
            return definitions.resolve_schedule_def("nightly_at_two").evaluate_tick(context)

        yield tick


def test_the_schedule_runs_at_two_for_yesterday(schedule: Callable[[datetime], Any]):
    two = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    (request,) = schedule(two).run_requests
    assert request.partition_key == request.run_key == str(two.date() - timedelta(days=1))


def test_a_tick_made_up_for_after_an_outage_is_skipped_with_a_reason(schedule: Callable[[datetime], Any]):
    late = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) - timedelta(days=3)
    told = schedule(late)
    assert told.run_requests == []
    assert f"{late.date() - timedelta(days=1)} can no longer be observed" in told.skip_message


def test_the_schedule_is_on_unless_somebody_switches_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from pipelines import settings
    from pipelines.definitions import build

    monkeypatch.chdir(tmp_path)
    schedule = build(settings.load()).resolve_schedule_def("nightly_at_two")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 2 * * *", "UTC")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
