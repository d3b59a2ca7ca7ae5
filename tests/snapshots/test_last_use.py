"""Last use: the latest that any source says up to the end of the day, by whoever holds the license now."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.scripted import (
    DAY,
    Nights,
    Row,
    ScriptedApi,
    api_key,
    claude_code,
    invite,
    messages,
    page,
    person,
    used,
    user,
)

Start = Callable[..., Nights]


def use(row: Row) -> tuple[str | None, str | None, str | None, str, str | None]:
    when, since = row["last_used_at"], row["usage_observed_since"]
    return (
        when and f"{when:%Y-%m-%d %H:%M}",
        row["last_used_precision"],
        row["last_used_source"],
        row["last_used_state"],
        since and str(since),
    )


def test_the_latest_of_a_sources_days_counts(nights: Start):
    days = [used(day, actor=person("user_0001")) for day in ("2026-05-01", "2026-05-20", "2026-04-03")]
    row = nights(ScriptedApi(users=[user(1)], analytics_usage=days)).night()["user_0001"]
    assert use(row) == ("2026-05-20 00:00", "day", "analytics", "used", "2026-03-04")


def test_a_time_from_the_api_is_more_precise_than_the_same_day_from_a_report(nights: Start):
    api = ScriptedApi(
        api_keys=[api_key(1, last_used_at="2026-05-20T17:45:00Z")],
        analytics_usage=[used("2026-05-20", key="apikey_0001")],
    )
    assert use(nights(api).night()["apikey_0001"])[:3] == ("2026-05-20 17:45", "second", "api_key")


def test_a_time_wins_over_any_report_of_its_day_and_reports_are_named_in_a_fixed_order(nights: Start):
    keys = [{"api_key_id": f"apikey_{n:04}", "account_id": None} for n in (1, 2)]
    api = ScriptedApi(
        users=[user(1)],
        api_keys=[api_key(1, last_used_at="2026-05-20T17:45:00Z"), api_key(2)],
        messages_usage=[{"starting_at": "2026-05-20T00:00:00Z", "results": keys}],
        claude_code=[
            claude_code("2026-05-20", type="user_actor", email_address="user1@acme.example"),
            claude_code("2026-05-20", type="api_actor", api_key_name="Key 2"),
        ],
        analytics_users=[{"user": {"id": "user_0001"}, "last_activity_date": "2026-05-20"}],
    )
    snapshot = nights(api).night()
    assert use(snapshot["apikey_0001"])[:3] == ("2026-05-20 17:45", "second", "api_key")
    assert use(snapshot["apikey_0002"])[:3] == ("2026-05-20 00:00", "day", "claude_code")
    assert use(snapshot["user_0001"])[:3] == ("2026-05-20 00:00", "day", "claude_code")


def test_a_later_day_from_a_report_beats_an_earlier_time(nights: Start):
    api = ScriptedApi(
        api_keys=[api_key(1, last_used_at="2026-05-20T17:45:00Z")],
        analytics_usage=[used("2026-05-21", key="apikey_0001")],
    )
    assert use(nights(api).night()["apikey_0001"])[:3] == ("2026-05-21 00:00", "day", "analytics")


def test_use_after_the_end_of_the_day_is_not_yet_known_to_it(nights: Start):
    api = ScriptedApi(
        users=[user(1)],
        api_keys=[api_key(1, last_used_at="2026-06-02T00:00:00Z"), api_key(2, last_used_at="2026-06-01T23:59:59Z")],
        analytics_usage=[used("2026-06-01", key="apikey_0001"), used("2026-06-02", actor=person("user_0001"))],
    )
    api.says["analytics/usage"] = lambda _: page(api.lists["analytics_usage"])  # more days than it was asked for
    made = nights(api)
    snapshot = made.night()
    assert use(snapshot["apikey_0001"])[0] == "2026-06-01 00:00"
    assert use(snapshot["apikey_0002"])[0] == "2026-06-01 23:59"
    assert use(snapshot["user_0001"])[3] == "never_seen"
    assert use(made.night(DAY + timedelta(days=1))["user_0001"])[0] == "2026-06-02 00:00"


def test_a_key_is_used_by_whoever_authenticates_with_it_and_the_person_is_too(nights: Start):
    api = ScriptedApi(
        users=[user(1)],
        api_keys=[api_key(1), api_key(2), api_key(3)],
        analytics_usage=[
            used("2026-05-20", actor=person("user_0001"), key="apikey_0001"),
            used("2026-05-21", actor={"type": "api_actor", "api_key_id": "apikey_0002"}),
        ],
    )
    snapshot = nights(api).night()
    assert {id: use(row)[0] for id, row in snapshot.items()} == {
        "user_0001": "2026-05-20 00:00",
        "apikey_0001": "2026-05-20 00:00",
        "apikey_0002": "2026-05-21 00:00",
        "apikey_0003": None,
    }


def test_messages_name_keys_and_accounts_and_their_silence_is_no_evidence_about_people(nights: Start):
    results = [{"api_key_id": "apikey_0001", "account_id": None}, {"api_key_id": None, "account_id": "user_0001"}]
    api = ScriptedApi(
        users=[user(1), user(2)], api_keys=[api_key(1), api_key(2)], messages_usage=[messages("2026-05-31", *results)]
    )
    snapshot = nights(api).night()
    assert {id: use(row)[1:4] for id, row in snapshot.items()} == {
        "user_0001": ("day", "messages_usage", "used"),
        "user_0002": (None, None, "not_seen"),
        "apikey_0001": ("day", "messages_usage", "used"),
        "apikey_0002": (None, None, "never_seen"),
    }


def test_nobody_can_see_an_invite_use_anything(nights: Start):
    row = nights(ScriptedApi(users=[user(1)], invites=[invite(1)], analytics_usage=[])).night()["invite_0001"]
    assert use(row) == (None, None, None, "unknown", None)


def test_emails_match_whatever_their_case(nights: Start):
    api = ScriptedApi(
        users=[user(1, email="Zoë.Müller@Acme.Example")],
        claude_code=[claude_code("2026-05-20", type="user_actor", email_address="ZOË.MÜLLER@ACME.EXAMPLE")],
    )
    made = nights(api)
    assert use(made.night()["user_0001"])[:3] == ("2026-05-20 00:00", "day", "claude_code")
    assert made.facts().uses_unmatched == 0


def test_an_email_that_two_members_bear_is_given_to_neither(nights: Start):
    api = ScriptedApi(
        users=[user(1, email="team@acme.example"), user(2, email="TEAM@acme.example")],
        claude_code=[claude_code("2026-05-20", type="user_actor", email_address="team@acme.example")],
    )
    made = nights(api)
    assert {use(row)[3] for row in made.night().values()} == {"not_seen"}
    assert made.facts().uses_ambiguous == 1


def test_a_name_that_several_keys_bear_is_given_to_none_of_them_and_counted(nights: Start):
    api = ScriptedApi(
        api_keys=[api_key(1, name="CI"), api_key(2, name="CI", status="archived"), api_key(3, name="Own")],
        claude_code=[
            claude_code("2026-05-20", type="api_actor", api_key_name="CI"),
            claude_code("2026-05-20", type="api_actor", api_key_name="CI"),
            claude_code("2026-05-21", type="api_actor", api_key_name="CI"),
            claude_code("2026-05-20", type="api_actor", api_key_name="Own"),
            claude_code("2026-05-20", type="api_actor", api_key_name="own"),
        ],
        messages_usage=[],
    )
    made = nights(api)
    assert {id: use(row)[3] for id, row in made.night().items()} == {
        "apikey_0001": "never_seen",
        "apikey_0002": "never_seen",
        "apikey_0003": "used",
    }
    facts = made.facts()
    assert (facts.uses_ambiguous, facts.uses_unmatched) == (2, 1), "distinct days and names, not records"


def test_use_by_whom_nobody_knows_is_kept_and_counted(nights: Start):
    api = ScriptedApi(
        users=[user(1)],
        claude_code=[claude_code("2026-05-20", type="user_actor", email_address="left@acme.example")],
    )
    made = nights(api)
    made.night()
    assert made.facts().uses_unmatched == 1
    (row,) = made.usage()
    assert (row["holder_id"], row["subject"], row["matched_by"]) == (None, "left@acme.example", "unmatched")


def test_use_from_before_the_holder_was_assigned_was_somebody_elses_and_is_counted(nights: Start):
    api = ScriptedApi(
        users=[*(user(n, added_at="2026-05-20T12:00:00Z") for n in (1, 2)), user(3, added_at="2026-05-01T12:00:00Z")],
        api_keys=[api_key(1, created_at="2026-05-20T12:00:00Z", last_used_at="2026-05-20T11:59:59Z")],
        analytics_usage=[
            used("2026-05-19", actor=person("user_0001")),
            used("2026-05-18", actor=person("user_0001")),
            used("2026-05-20", actor=person("user_0002")),
            used("2026-05-21", actor=person("user_0003")),
        ],
    )
    made = nights(api)
    snapshot = made.night()
    assert use(snapshot["user_0001"])[:4] == (None, None, None, "never_seen")
    assert use(snapshot["user_0002"])[0] == "2026-05-20 00:00", "the day of the assignment may be after its hour"
    assert use(snapshot["apikey_0001"])[3] == "never_seen"
    assert made.facts().uses_before_assignment == 3


def test_never_seen_needs_a_source_that_sees_all_use_of_that_kind_of_holder(nights: Start):
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(1)], claude_code=[])
    made, later = nights(api), DAY + timedelta(days=2)
    # People who sign in by subscription are absent from the Claude Code report, and a key works without it.
    assert {id: use(row)[3:] for id, row in made.night().items()} == {
        "user_0001": ("not_seen", None),
        "apikey_0001": ("not_seen", None),
    }
    api.lists["messages_usage"] = []
    assert {id: use(row)[3:] for id, row in made.night(later).items()} == {
        "user_0001": ("not_seen", None),
        "apikey_0001": ("never_seen", "2026-03-06"),
    }
    assert made.rows(later)["apikey_0001"]["usage_observed_until"] == later


def test_unknown_is_who_no_source_can_see(nights: Start):
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(1)], invites=[invite(1)], analytics_users=[])
    assert {id: use(row)[3] for id, row in nights(api).night().items()} == {
        "user_0001": "never_seen",
        "apikey_0001": "unknown",
        "invite_0001": "unknown",
    }


def test_nobody_is_never_seen_where_nobody_watches_any_more(nights: Start):
    api = ScriptedApi(users=[user(1), user(2)], analytics_usage=[used("2026-05-20", actor=person("user_0002"))])
    made, later = nights(api), DAY + timedelta(days=10)
    made.night()
    del api.lists["analytics_usage"]
    snapshot = made.night(later)
    assert use(snapshot["user_0001"])[3:] == ("not_seen", None)
    assert use(snapshot["user_0002"])[:4] == ("2026-05-20 00:00", "day", "analytics", "used")


def test_a_day_on_which_a_row_names_nobody_tells_nothing_about_who_was_silent(nights: Start):
    nobody = [used("2026-05-15", key=None), used("2026-05-15", key=None, api_key_id="apikey_0009"), used("2026-06-01")]
    api = ScriptedApi(users=[user(1)], api_keys=[api_key(1)], analytics_usage=nobody)
    made = nights(api)
    snapshot = made.night()
    watched = ("last_used_state", "usage_observed_since", "usage_observed_until")
    assert {id: tuple(str(row[name]) for name in watched) for id, row in snapshot.items()} == {
        "user_0001": ("never_seen", "2026-05-16", "2026-05-31"),
        "apikey_0001": ("never_seen", "2026-03-04", "2026-06-01"),
    }
    assert made.facts().uses_unattributed == 3
    assert {row[1:] for row in made.coverage() if row[1] == "user"} == {
        ("user", "all", "2026-03-04", "2026-05-14"),
        ("user", "some", "2026-05-15", "2026-05-15"),
        ("user", "all", "2026-05-16", "2026-05-31"),
        ("user", "some", "2026-06-01", "2026-06-01"),
    }
    assert {row[1:] for row in made.coverage() if row[1] == "api_key"} == {
        ("api_key", "all", "2026-03-04", "2026-06-01")
    }


def test_a_day_that_names_nobody_once_is_no_evidence_whatever_was_said_before(nights: Start):
    api = ScriptedApi(users=[user(1)], analytics_usage=[])
    made, later = nights(api), DAY + timedelta(days=1)
    assert use(made.night()["user_0001"])[3:] == ("never_seen", "2026-03-04")
    api.lists["analytics_usage"] = [used("2026-05-31")]
    assert use(made.night(later)["user_0001"])[3:] == ("never_seen", "2026-06-01")


def test_a_claude_code_record_without_an_actor_is_counted_and_nobodys(nights: Start):
    records = [claude_code("2026-05-20") | {"actor": None}, claude_code("2026-05-20", type="user_actor")]
    made = nights(ScriptedApi(users=[user(1)], claude_code=records))
    assert use(made.night()["user_0001"])[3] == "not_seen"
    assert (made.facts().uses_unattributed, made.facts().uses_unmatched) == (2, 0)


def test_an_identity_of_a_cloud_platform_is_somebody(nights: Start):
    federated = {"type": "federated_actor", "provider": "aws", "subject": "arn:1"}
    made = nights(ScriptedApi(users=[user(1)], analytics_usage=[used("2026-05-20", actor=federated)]))
    assert use(made.night()["user_0001"])[3:] == ("never_seen", "2026-03-04")
    assert made.facts().uses_unattributed == 0


def test_a_list_of_keys_that_tells_of_use_has_looked_at_all_of_them(nights: Start):
    keys = [api_key(1, last_used_at="2026-05-20T17:45:00Z"), api_key(2, last_used_at=None)]
    made = nights(ScriptedApi(api_keys=keys))
    assert use(made.night()["apikey_0002"]) == (None, None, None, "not_seen", None)
    assert made.coverage() == {("api_keys", "api_key", "some", "2026-06-01", "2026-06-01")}


@pytest.mark.parametrize(("late", "state"), [(0, "never_seen"), (4, "never_seen"), (5, "not_seen")])
def test_watching_up_to_four_days_ago_is_watching(nights: Start, late: int, state: str):
    api = ScriptedApi(users=[user(1)], analytics_usage=[])
    reached = DAY - timedelta(days=late)
    api.refreshed_at = f"{reached + timedelta(days=1)}T00:00:00Z"
    row = nights(api).night()["user_0001"]
    assert (row["last_used_state"], row["usage_observed_until"]) == (state, reached if state == "never_seen" else None)


def test_what_a_later_day_learned_does_not_leak_into_an_earlier_days_snapshot(nights: Start):
    api = ScriptedApi(users=[user(1)], analytics_usage=[used("2026-05-20", actor=person("user_0001"))])
    made = nights(api)
    observation = made.observe()
    api.lists["analytics_usage"].append(used("2026-06-01", actor=person("user_0001")))
    made.night(DAY + timedelta(days=1))
    made.derive(observation)
    assert use(made.rows()["user_0001"])[0] == "2026-05-20 00:00"
