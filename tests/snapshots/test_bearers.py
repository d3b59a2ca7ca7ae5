"""A use told by a name belongs to who bore the name on that day, as far as history knows, and to nobody else."""

from collections.abc import Callable
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.layout import usage_file
from assets.resources import DropGuard
from assets.snapshots.ending import Loading
from assets.snapshots.observed.derive import derive
from tests.scripted import DAY, NEXT_NIGHT, Nights, Row, ScriptedApi, api_key, claude_code, user

Start = Callable[..., Nights]
TEAM = "team@acme.example"
NEXT = DAY + timedelta(days=1)


def by_email(day: date | str, email: str = TEAM) -> Row:
    return claude_code(str(day), type="user_actor", email_address=email)


def by_name(day: date | str, name: str = "CI") -> Row:
    return claude_code(str(day), type="api_actor", api_key_name=name)


def told(made: Nights, day: date) -> dict[str, tuple[str | None, str]]:
    """By the day of use: whose it is said to be by the observation of `day`, and how it was matched."""
    return {str(row["usage_date"]): (row["holder_id"], row["matched_by"]) for row in made.usage(day)}


def test_an_address_that_passed_to_somebody_else_is_the_earlier_ones_until_then(nights: Start):
    api = ScriptedApi(users=[user(1, email=TEAM), user(2)], claude_code=[by_email(DAY)])
    made = nights(api)
    made.night()
    made.night(NEXT)
    api.lists["users"] = [user(1), user(2, email=TEAM)]
    api.lists["claude_code"] = [by_email(DAY), by_email(DAY + timedelta(days=3))]
    later = DAY + timedelta(days=3)
    made.night(later)
    assert told(made, DAY) == {"2026-06-01": ("user_0001", "email")}
    assert told(made, later) == {"2026-06-04": ("user_0002", "email")}
    assert {id: str(row["last_used_at"])[:10] for id, row in made.rows(later).items()} == {
        "user_0001": "2026-06-01",
        "user_0002": "2026-06-04",
    }


def test_on_the_day_on_which_a_name_passes_on_nobody_can_tell_whose_use_it_was(nights: Start):
    api = ScriptedApi(api_keys=[api_key(1, name="CI"), api_key(2)], claude_code=[by_name(NEXT)])
    made = nights(api)
    made.night()
    api.lists["api_keys"] = [api_key(1, name="Old CI"), api_key(2, name="CI")]
    made.night(NEXT)
    assert told(made, NEXT) == {"2026-06-02": (None, "ambiguous")}
    assert made.facts(NEXT).uses_ambiguous == 1


def test_somebody_who_has_left_keeps_their_use(nights: Start):
    api = ScriptedApi(users=[user(1), user(2)], claude_code=[])
    made = nights(api)
    made.night()
    api.lists["users"] = [user(2)]
    api.lists["claude_code"] = [by_email(NEXT, "user1@acme.example")]
    made.night(NEXT)
    assert told(made, NEXT) == {"2026-06-02": ("user_0001", "email")}


def test_between_snapshots_the_nearest_earlier_one_tells(nights: Start):
    api = ScriptedApi(users=[user(1, email=TEAM), user(2)], claude_code=[])
    made, later = nights(api), DAY + timedelta(days=20)
    made.night()
    api.lists["users"] = [user(1), user(2, email=TEAM)]
    api.lists["claude_code"] = [by_email(DAY + timedelta(days=10))]
    made.night(later)
    assert told(made, later) == {"2026-06-11": ("user_0001", "email")}


@pytest.mark.parametrize(
    ("added_at", "expected"),
    [
        ("2026-05-10T08:00:00Z", ("user_0001", "email")),
        ("2026-05-20T23:59:59Z", ("user_0001", "email")),
        ("2026-05-21T00:00:00Z", (None, "unmatched")),
        (None, ("user_0001", "email")),
    ],
)
def test_before_all_snapshots_tonights_roster_tells_of_those_who_were_there(
    nights: Start, added_at: str | None, expected: tuple[str | None, str]
):
    made = nights(
        ScriptedApi(users=[user(1, added_at=added_at)], claude_code=[by_email("2026-05-20", "USER1@acme.example")])
    )
    made.night()
    assert told(made, DAY) == {"2026-05-20": expected}


def test_of_two_who_bear_an_address_now_the_one_who_was_there_then_is_meant(nights: Start):
    people = [
        user(1, email=TEAM, added_at="2026-05-10T08:00:00Z"),
        user(2, email=TEAM, added_at="2026-05-25T08:00:00Z"),
    ]
    made = nights(ScriptedApi(users=people, claude_code=[by_email("2026-05-20"), by_email("2026-05-26")]))
    made.night()
    assert told(made, DAY) == {"2026-05-20": ("user_0001", "email"), "2026-05-26": (None, "ambiguous")}


def test_who_came_after_the_close_of_the_day_did_not_use_anything_on_it(nights: Start):
    late = user(1, added_at="2026-06-02T00:30:00Z")
    made = nights(ScriptedApi(users=[user(2), late], claude_code=[by_email(DAY, "user1@acme.example")]))
    made.night()
    assert told(made, DAY) == {"2026-06-01": (None, "unmatched")}


def test_one_use_told_with_two_spellings_of_an_address_is_one(nights: Start):
    records = [by_email("2026-05-20", "Gone@Acme.Example"), by_email("2026-05-20", "gone@acme.example")]
    made = nights(ScriptedApi(users=[user(1)], claude_code=records))
    made.night()
    assert [(row["subject"], row["matched_by"]) for row in made.usage()] == [("gone@acme.example", "unmatched")]
    assert made.facts().uses_unmatched == 1


def test_the_days_before_are_read_from_what_the_same_run_has_staged_too(nights: Start):
    """Two days of one run: the second sees the first, though it is not published yet."""
    api = ScriptedApi(users=[user(1, email=TEAM), user(2)], claude_code=[])
    made = nights(api)
    first = made.observe()
    api.lists["users"] = [user(1), user(2, email=TEAM)]
    api.lists["claude_code"] = [by_email(DAY)]
    second = made.observe(NEXT)
    staged = made.data.staging("run_1")
    for observation in (first, second):
        derive(observation, made.data, staged, DropGuard(), Loading(observation.manifest.observed_at, "run_1"))
    (row,) = pq.ParquetFile(usage_file(staged.usage, NEXT, "org_1")).read().to_pylist()
    assert (row["holder_id"], row["matched_by"]) == ("user_0001", "email")


def test_a_version_of_the_day_that_is_being_replaced_says_nothing_of_its_close(nights: Start):
    api = ScriptedApi(users=[user(1, email=TEAM), user(2)], claude_code=[by_email(DAY)])
    made = nights(api)
    made.night(at=NEXT_NIGHT - timedelta(hours=10))
    api.lists["users"] = [user(1), user(2, email=TEAM)]
    made.night()
    assert told(made, DAY) == {"2026-06-01": ("user_0002", "email")}


def test_what_an_import_made_up_from_an_address_is_nobody(nights: Start):
    """An earlier day told by a file without ids: whoever bears the address at the close of the day itself is meant."""
    api = ScriptedApi(users=[user(1)], claude_code=[])
    made = nights(api)
    made.night()
    table = pq.ParquetFile(made.file()).read()
    made_up = pa.array(["email:user1@acme.example"], table["holder_id"].type)
    file = table.set_column(table.column_names.index("holder_id"), table.schema.field("holder_id"), made_up)
    pq.write_table(file.replace_schema_metadata(table.schema.metadata), made.file())
    api.lists["claude_code"] = [by_email(NEXT, "user1@acme.example")]
    made.night(NEXT)
    assert told(made, NEXT) == {"2026-06-02": ("user_0001", "email")}
