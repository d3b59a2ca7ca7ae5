"""A report passes part by part, and its days are written some at a time: the same comes out however it is divided."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.layout import usage_file
from assets.snapshots import raw
from assets.snapshots.observed import uses
from tests.scripted import DAY, Nights, Row, ScriptedApi, api_key, person, used, user

Told = tuple[bytes, bytes, tuple[int, int, int]]
"""What a night's files of use and of coverage hold, and what it counted."""

DAYS = [str(DAY - timedelta(days=back)) for back in range(4)]


def rows() -> Iterator[Row]:
    """Members by id and by address, with and without keys, some of another organization, several rows of one use."""
    for number, day in enumerate(DAYS * 3):
        yield used(day, actor=person(f"user_{number % 3:04}"), key=f"apikey_{number % 2:04}")
        yield used(day, actor=person(None, f"User{number % 2 * 7}@acme.example"))
        yield used(day, actor=person("user_0009"), organization_id="org_2")
        if number % 5 == 0:
            yield used(day)


def night(root: Path, page_size: int) -> Nights:
    api = ScriptedApi(
        users=[user(n) for n in range(4)],
        api_keys=[api_key(n, last_used_at=f"{day}T17:00:00Z") for n, day in enumerate(DAYS)],
        analytics_usage=list(rows()),
    )
    api.page_size = page_size
    made = Nights(root, api)
    made.night(DAY - timedelta(days=1))
    made.night()
    return made


def told(page_size: int, part_bytes: int, rows_at_once: int, row_group: int = 7) -> Told:
    with TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw, "PART_BYTES", part_bytes)
        patch.setattr(uses, "ROWS_AT_ONCE", rows_at_once)
        patch.setattr("assets.snapshots.snapshot.ROW_GROUP", row_group)
        made = night(Path(scratch), page_size)
        counted = made.facts()
        files = [usage_file(folder, DAY, "org_1") for folder in (made.data.usage, made.data.coverage)]
        usage, coverage = (file.read_bytes() for file in files)
        return usage, coverage, (counted.foreign, counted.uses_unmatched, counted.uses_unattributed)


@pytest.fixture(scope="module")
def undivided() -> Told:
    usage, coverage, counted = told(1000, 2**20, 1000)
    assert counted == (12, 2, 3)
    return usage, coverage, counted


@pytest.mark.slow
@given(page_size=st.integers(1, 20), part_bytes=st.integers(1, 4000), rows_at_once=st.integers(1, 30))
def test_however_a_report_is_divided_the_same_comes_out(
    undivided: Told, page_size: int, part_bytes: int, rows_at_once: int
):
    assert told(page_size, part_bytes, rows_at_once) == undivided


def test_a_row_without_a_day_tells_of_the_day_that_its_own_page_was_asked_for(tmp_path: Path):
    """Each page bears the day of its own question, however many of them are looked at together."""
    api = ScriptedApi(users=[user(1)], analytics_users=[{"user": {"id": "user_0001"}}])
    made = Nights(tmp_path, api)
    made.night()
    assert [row["usage_date"] for row in made.usage()] == [DAY - timedelta(days=back) for back in reversed(range(31))]
