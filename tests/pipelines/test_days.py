"""The rules of time: which day may be observed when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.days import end_of, is_final, require_observable, usage_window, yesterday
from assets.errors import ImpossibleDay
from assets.orchestration.partitions import daily
from tests.examples import cheap

NOW = datetime(2026, 6, 2, 2, tzinfo=UTC)


@cheap()
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


@cheap()
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


@cheap()
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
