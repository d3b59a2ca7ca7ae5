"""The benchmark's organization: any day's usage at the price of one, and the same questions for all contestants."""

import json
from collections import Counter
from datetime import date, timedelta

from assets.days import LOOK_BACK_DAYS, TRAILING_DAYS, usage_window
from assets.extraction.api import ANALYTICS_USAGE
from assets.extraction.usage_calls import Span, parameters, parts
from benchmarks.contestants.questions import ROOT, usage
from benchmarks.organization import ACTIVE_SHARE, Pages
from benchmarks.server import Lists

DAY = date(2026, 6, 1)
USERS, KEYS = 5_000, 2_000
LISTS = Lists(Pages(USERS, KEYS))


def asked(day: date, days: int) -> list[dict]:
    """Every usage row of so many days up to one, page by page as a client walks."""
    rows: list[dict] = []
    for question in usage(day, days):
        page: str | None = "0"
        while page:
            query = f"starting_at={question['starting_at']}&ending_at={question['ending_at']}&page={page}"
            _, body = LISTS.answer(f"{ROOT}/analytics/usage?{query}")
            answer = json.loads(b"".join(body))
            rows += answer["data"]
            page = answer["next_page"]
    return rows


def holder(row: dict) -> str:
    return row["group"]["api_key_id"] or row["group"]["actor"]["user_id"]


def test_each_of_ninety_days_tells_of_a_third_of_the_holders_once_and_of_all_in_the_end():
    rows = asked(DAY, LOOK_BACK_DAYS)
    days = Counter(row["starting_at"][:10] for row in rows)
    assert days == {
        (DAY - timedelta(days=ago)).isoformat(): int((USERS + KEYS) * ACTIVE_SHARE) for ago in range(LOOK_BACK_DAYS)
    }
    assert len({(row["starting_at"], holder(row)) for row in rows}) == len(rows)
    assert len({holder(row) for row in rows}) == USERS + KEYS
    assert all(row["ending_at"] > row["starting_at"] for row in rows)


def test_other_holders_use_it_on_another_day_and_the_same_ones_whenever_that_day_is_asked_for():
    first, again, earlier = asked(DAY, 1), asked(DAY, 1), asked(DAY - timedelta(days=1), 1)
    assert first == again
    assert {holder(row) for row in first} != {holder(row) for row in earlier}


def test_floor_and_peer_ask_for_usage_as_ours_does():
    for known, days in ((None, LOOK_BACK_DAYS), (DAY - timedelta(days=1), TRAILING_DAYS)):
        span = Span(*usage_window(DAY, known))
        wishes = ANALYTICS_USAGE.asked("org", wishing=True)
        assert list(usage(DAY, days)) == [
            wishes | parameters(ANALYTICS_USAGE, part) for part in parts(ANALYTICS_USAGE, span)
        ]
