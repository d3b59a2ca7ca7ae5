"""A record that cannot be read as it was sent costs itself alone: kept as it came, counted, named; nobody has left."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.errors import LicenseHistoryError, ListFailed
from assets.extraction.landing import read_pages
from sandbox import serving
from tests.commandline import Operator
from tests.scripted import DAY, KEY, Nights, Row, ScriptedApi, api_key, as_app, invite, messages, page, user

Start = Callable[..., Nights]
NEXT = DAY + timedelta(days=1)


def sent(*items: Row | bytes, **envelope: Any) -> httpx.Response:
    """A page of these items; bytes go out as they are."""
    rows = [item if isinstance(item, bytes) else json.dumps(item).encode() for item in items]
    rest = json.dumps({"has_more": False} | envelope).encode()[1:]
    return httpx.Response(
        200, content=b'{"data": [' + b",".join(rows) + b"], " + rest, headers={"content-type": "application/json"}
    )


def many(count: int = 20) -> list[Row]:
    return [user(n) for n in range(100, 100 + count)]


def test_a_page_with_an_odd_item_must_name_its_last_one_all_the_same(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    made.api.says["users"] = lambda _: sent(user(1), user(2, name=7), last_id="user_0001")
    with pytest.raises(ListFailed, match="names user_0001 as its last item, which is user_0002"):
        made.observe()
    made.api.says["users"] = lambda _: sent(*many(), user(1), user(2, id=7), last_id="user_0002")
    made.observe()


HALF = json.dumps(user(2, name="Z\ud800e"))
"""Python writes half a surrogate pair as the escape that it is."""


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (HALF.encode(), "Z\ufffde"),
        (HALF.replace("\\ud800", "\\udc00").encode(), "Z\ufffde"),
        (HALF.replace("\\ud800", "\\\\ud800").encode(), "Z\\ud800e"),
        (HALF.replace("\\ud800", "\\ud83d\\ude00").encode(), "Z😀e"),
        (HALF.encode().replace(b"\\ud800", b"\xff"), "Z\ufffde"),
        (HALF.encode().replace(b"\\ud800", b"\xed\xa0\x80"), "Z\ufffde"),
    ],
)
def test_what_is_no_character_costs_itself_alone(nights: Start, record: bytes, name: str):
    api = ScriptedApi()
    api.says["users"] = lambda _: sent(record, *many())
    made = nights(api)
    observation = made.observe()
    (kept,) = read_pages(observation.pages("users"))
    assert record in kept
    made.derive(observation)
    assert made.rows()["user_0002"]["name"] == name
    assert made.facts().users == 21
    assert [("user_0002" in odd) for odd in observation.manifest.odd] == ([True] if "\ufffd" in name else [])
    assert observation.manifest.whole


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        ({"role": None}, "license_type"),
        ({"role": 5}, "license_type"),
        ({"name": {"first": "Zoë"}}, "name"),
        ({"email": ["z@acme.example"]}, "email"),
        ({"added_at": "yesterday"}, "assigned_at"),
        ({"added_at": "0000-01-01T00:00:00Z"}, "assigned_at"),
        ({"added_at": "9999-12-31T23:59:60Z"}, "assigned_at"),
        ({"added_at": "9999-12-31T23:59:59-01:00"}, "assigned_at"),
        ({"added_at": "0001-01-01T00:00:00+01:00"}, "assigned_at"),
        ({"added_at": 1767225600}, "assigned_at"),
    ],
)
def test_a_member_of_whom_something_cannot_be_read_is_a_member_still(nights: Start, fields: Row, unknown: str):
    api = ScriptedApi(users=[*many(), user(2)])
    made = nights(api)
    before = made.night()["user_0002"]
    api.lists["users"] = [*many(), user(2, **fields)]
    observation = made.observe(NEXT)
    made.derive(observation)
    row = made.rows(NEXT)["user_0002"]
    if unknown == "license_type":
        assert row[unknown] != before[unknown]
    else:
        assert row[unknown] is None
    others = {"name", "email", "assigned_at", "license_type"} - {unknown}
    assert {name: row[name] for name in others} == {name: before[name] for name in others}
    (told,) = observation.manifest.odd
    assert told.startswith("Acme (org_1), 2026-06-02: members: 1 could not be read as sent: user_0002 (`")
    assert f"`{next(iter(fields))}`" in told


@pytest.mark.parametrize(
    ("name", "row"),
    [("api_keys", api_key(2, status=None)), ("invites", invite(2, status=7)), ("api_keys", api_key(2, scope=5))],
)
def test_keys_and_invites_likewise(nights: Start, name: str, row: Row):
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(n) for n in range(10, 20)])
    api.lists["invites"] = [invite(n) for n in range(10, 20)]
    api.lists[name].append(row)
    made = nights(api)
    observation = made.observe()
    made.derive(observation)
    assert row["id"] in made.rows()
    assert row["id"] in observation.manifest.odd[0]


@pytest.mark.parametrize("row", [{"role": "user"}, user(2, id=None), user(2, id=""), [], "user"])
def test_one_without_an_id_is_left_out_and_named_by_its_place(nights: Start, row: Any):
    made = nights(ScriptedApi())
    made.api.says["users"] = lambda _: sent(*many(), row)
    observation = made.observe()
    made.derive(observation)
    assert made.facts().users == 20
    assert "item 21 of page 1" in observation.manifest.odd[0]
    assert observation.manifest.lists["users"].rows == 20


@pytest.mark.parametrize(("bad", "of"), [(3, 3), (12, 40), (30, 2_000)])
def test_more_than_a_few_are_another_shape_and_no_exception(nights: Start, bad: int, of: int):
    api = ScriptedApi(users=[user(n, role=None if n < bad else "user") for n in range(of)])
    with pytest.raises(
        ListFailed, match=f"unexpected shape: {bad} of its {of:,} items cannot be read, such as user_0000"
    ):
        nights(api).observe()


def test_a_roster_of_one_or_two_is_not_lost_for_what_is_odd_about_them(nights: Start):
    made = nights(
        ScriptedApi(users=[user(1, role=None), user(2, added_at="2025-01-01")], api_keys=[api_key(1, status=None)])
    )
    observation = made.observe()
    made.derive(observation)
    assert set(made.rows()) == {"user_0001", "user_0002", "apikey_0001"}
    assert len(observation.manifest.odd) == 2


@pytest.mark.parametrize("rows", [[{"role": "user"}], [user(1, role=None), {"role": "user"}]])
def test_but_who_is_not_even_named_is_missed_and_has_not_left(nights: Start, rows: list[Row]):
    made = nights(ScriptedApi())
    made.api.says["users"] = lambda _: sent(*rows)
    with pytest.raises(ListFailed, match="unexpected shape"):
        made.observe()


@pytest.mark.parametrize(("bad", "of"), [(2, 3), (10, 40), (19, 2_000)])
def test_a_few_are_no_other_shape(nights: Start, bad: int, of: int):
    made = nights(ScriptedApi(users=[user(n, role=None if n < bad else "user") for n in range(of)]))
    observation = made.observe()
    assert observation.manifest.lists["users"].odd == bad
    made.derive(observation)
    assert made.facts().users == of


def test_use_by_whom_nobody_can_read_is_use_of_somebody(nights: Start):
    bucket = messages("2026-05-20", {"api_key_id": 5, "account_id": None}, {"api_key_id": "apikey_0001"})
    made = nights(ScriptedApi(api_keys=[api_key(1)], messages_usage=[bucket], claude_code=[]))
    observation = made.observe()
    made.derive(observation)
    assert str(made.rows()["apikey_0001"]["last_used_at"].date()) == "2026-05-20"
    assert "2026-06-01: message usage: 1 could not be read as sent" in observation.manifest.odd[0]


def test_use_of_which_the_day_cannot_be_read_leaves_no_silence_that_proves_anything(nights: Start):
    buckets = [messages(f"2026-05-{day}") for day in range(10, 31)]
    api = ScriptedApi(api_keys=[api_key(1)], messages_usage=[], claude_code=[])
    api.says["usage_report/messages"] = lambda _: page([*buckets, {"starting_at": None, "results": []}])
    outcome = nights(api).observe().manifest.lists["messages_usage"]
    assert outcome.state.value == "not read"
    assert "an item cannot be read: item 22 of page 3 (`starting_at`" in (outcome.reason or "")


@pytest.mark.parametrize(
    "record",
    [
        b'{"id": "other", "role": "user", "id": "user_0002"}',
        b'{"id": "user_0002", "role": "user", "added_at": "2026-01-05t08:00:00z"}',
        b'{"id": "user_0002", "role": "user", "quota": 1e999, "number": ' + b"9" * 6_000 + b"}",
        b'{"id": "user_0002", "role": "user", "name": "\\u0000"}',
        b'{"id": "user_0002", "role": "user", "added_at": "9999-12-31T23:59:59Z"}',
    ],
)
def test_what_one_reader_takes_for_sound_the_other_does_too(nights: Start, record: bytes):
    api = ScriptedApi()
    api.says["users"] = lambda _: sent(record, *many())
    made = nights(api)
    observation = made.observe()
    assert observation.manifest.odd == []
    made.derive(observation)
    expected = 20 if b"9999-12" in record else 21  # who is added after the day is not of it
    assert made.facts().users == expected


hostile = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(codec=None)),
    st.sampled_from(
        [
            "\ud800",
            "a\udfffb",
            "\x00",
            "2026-01-05t08:00:00z",
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+23:59",
            "",
        ]
    ),
    st.lists(st.none() | st.integers()),
    st.dictionaries(st.text(max_size=3), st.integers()),
)


@pytest.mark.slow
@given(
    members=st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(user(1), hostile)), max_size=6),
    keys=st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys([*api_key(1), "scope", "principal", "expires_at"], hostile)),
        max_size=6,
    ),
)
def test_whatever_is_called_complete_can_be_derived(nights: Start, members: list[Row], keys: list[Row]):
    api = ScriptedApi()
    for name, rows, good in (("users", members, user), ("api_keys", keys, api_key)):
        items = [good(n) | row for n, row in enumerate(rows)] + [good(n) for n in range(100, 104)]
        answer = sent(*items)
        api.says[name] = lambda _, answer=answer: answer  # type: ignore[misc]
    made = nights(api)
    try:
        observation = made.observe()
    except LicenseHistoryError:
        return
    made.derive(observation)
    known = set(pq.ParquetFile(made.file()).read(["holder_id"])["holder_id"].to_pylist())
    assert known >= {"user_0100", "apikey_0103"}


ODD = "sk-ant-admin01-odd"
FILE = """
[[organization]]
name = "Acme"
key_env = "ACME_KEY"

[[organization]]
name = "Odd"
key_env = "ODD_KEY"
"""


class Two(Operator):
    odd: ScriptedApi


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Two]:
    """Two organizations, the second of which says odd things."""
    acme, odd = ScriptedApi(users=[user(1)], api_keys=[api_key(1)]), ScriptedApi()
    odd.me = {"id": "org_odd", "name": "Odd"}

    def answer(request: httpx.Request) -> httpx.Response:
        return (odd if request.headers["x-api-key"] == ODD else acme)(request)

    folder = tmp_path_factory.mktemp("two")
    (folder / "organizations.toml").write_text(FILE)
    keys: dict[str, Any] = {"ACME_KEY": KEY, "ODD_KEY": ODD}
    with serving(as_app(answer)) as url:
        made = Two(folder, url, home=home, LICENSES_ORGANIZATIONS="organizations.toml", **keys)
        made.odd = odd
        yield made


@pytest.mark.slow
def test_one_odd_record_is_status_3_and_a_sentence_and_everybody_else_is_there(two: Two):
    two.odd.says["users"] = lambda _: sent(HALF.encode(), *many())
    finished = two.night(DAY)
    assert finished.status == 3
    assert (
        "Odd (org_odd), 2026-06-01: members: 1 could not be read as sent: user_0002 (it holds what is no"
        in finished.err
    )
    counted = "select organization_id, count(*) from license_assignments group by all order by all"
    assert two.ask(counted) == [("org_1", 2), ("org_odd", 21)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "says"),
    [
        (1, {"me": lambda _: httpx.Response(200, json={"id": "x" * 300, "name": "Odd"})}),
        (2, {"users": lambda _: httpx.Response(200, content=b'{"data": ' + b"[" * 10_000 + b"]" * 10_000 + b"}")}),
        (3, {"users": lambda _: httpx.Response(200, json={"data": [{"id": "u"}] * 50, "has_more": False})}),
    ],
)
def test_an_organization_that_cannot_be_read_costs_itself_alone(two: Two, number: int, says: Row):
    day = DAY + timedelta(days=number)
    two.odd.says = {
        name: lambda request, answer=answer: httpx.Response(  # type: ignore[misc]
            200, content=answer(request).content, headers={"content-type": "application/json"}
        )
        for name, answer in says.items()
    }
    finished = two.night(day)
    assert finished.status == 3
    assert "Odd" in finished.err
    assert "Traceback" not in finished.err
    assert two.ask(f"select organization_id from snapshot_log where snapshot_date = '{day}'") == [("org_1",)]


@pytest.mark.slow
def test_a_key_that_belongs_to_another_organization_now_is_told_once(two: Two):
    day = DAY + timedelta(days=10)
    two.odd.says["users"] = lambda _: sent(*many())
    assert two.night(day).status == 0
    first, two.odd.me = two.odd.me, {"id": "org_third", "name": "Third"}
    changed = two.night(day + timedelta(days=1))
    assert changed.status == 3
    assert (
        f"Odd (org_odd) is observed no more: ODD_KEY, by which it was observed up to {day}, holds a key of Third "
        "(org_third) now" in changed.err
    )
    assert two.night(day + timedelta(days=2)).status == 0
    two.odd.me = first
    assert "Third (org_third) is observed no more" in two.night(day + timedelta(days=3)).err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_costs_its_own_organization_alone(two: Two):
    day = DAY + timedelta(days=4)
    two.odd.says["users"] = lambda _: sent(*many())
    folder = two.data / "landing" / "org_odd"
    folder.chmod(0o500)
    try:
        finished = two.night(day)
    finally:
        folder.chmod(0o700)
    assert finished.status == 3
    assert "Odd (org_odd), 2026-06-05: " in finished.err
    assert two.ask(f"select organization_id from snapshot_log where snapshot_date = '{day}'") == [("org_1",)]
