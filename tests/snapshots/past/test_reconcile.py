"""Tonight's snapshot, held against last night's by the Activity Feed."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from assets.errors import DamagedFile
from assets.extraction.feed import feed_of_last_night
from assets.extraction.landing import newest_observation
from assets.layout import usage_file
from assets.snapshots.reconstructed.reconcile import Difference, against_last_night, differences
from tests.scripted import DAY, Nights, ScriptedApi, activity, user

Start = Callable[..., Nights]
LAST_WEEK, TONIGHT = DAY - timedelta(days=6), DAY + timedelta(days=1)
LEFT = activity(1, "2026-06-02T09:00:00Z", "org_user_deleted", deleted_user_id="user_0002")
"""The feed does not tell which role they had."""


def three_nights(nights: Start, *told: dict[str, object]) -> Nights:
    """Last week and last night with two members, tonight with one."""
    api = ScriptedApi(users=[user(1), user(2)], activities=[])
    made = nights(api)
    made.night(LAST_WEEK)
    made.night(DAY)
    api.lists |= {"users": [user(1)], "activities": list(told)}
    made.night(TONIGHT)
    return made


def found(made: Nights) -> list[Difference] | None:
    return against_last_night(made.facts(TONIGHT), made.data, made.data.staging("run_2"))


def test_a_feed_that_tells_what_happened_leads_back_to_last_night(nights: Start):
    assert found(three_nights(nights, LEFT)) == []


def test_what_the_feed_has_not_told_is_a_difference(nights: Start):
    assert found(three_nights(nights)) == [Difference("user", "user_0002", "holder", "there", "absent")]


def test_without_last_nights_snapshot_nothing_is_compared(nights: Start):
    made = three_nights(nights, LEFT)
    made.file(DAY).unlink()
    assert found(made) is None


def test_of_all_nights_only_the_two_are_read(nights: Start):
    """Else the check would cost more with every day that the history grows."""
    made = three_nights(nights, LEFT)
    for file in (made.file(LAST_WEEK), *usage_files_of(made, LAST_WEEK), *usage_files_of(made, DAY)):
        spoil(file)
    assert found(made) == []
    observation = newest_observation(made.data, "org_1", TONIGHT)
    feed = feed_of_last_night(observation) if observation else None
    assert feed
    with pytest.raises(DamagedFile):  # what a reconstruction needs, it still reads
        differences(made.facts(DAY), made.facts(TONIGHT), feed, made.data, made.data.staging("run_3"))


def usage_files_of(made: Nights, day: date) -> list[Path]:
    return [usage_file(folder, day, "org_1") for folder in (made.data.usage, made.data.coverage)]


def spoil(file: Path) -> None:
    """Leave the footer as it is, so that only who reads the rows notices."""
    content = file.read_bytes()
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    content = content[:4] + b"\0" * (footer - 4) + content[footer:]
    file.chmod(0o644)
    file.write_bytes(content)
