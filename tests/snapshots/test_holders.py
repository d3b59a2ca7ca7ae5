"""One row per holder, as the closing state of its day, in the words of the reference table."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
import pytest

from assets.errors import BadReference
from tests.scripted import DAY, NEXT_NIGHT, Nights, Row, ScriptedApi, api_key, invite, user

Start = Callable[..., Nights]
DESIGN_COLUMNS = [
    *("snapshot_date", "organization_id", "organization_name", "holder_type", "holder_id", "license_type", "role"),
    *("status", "status_raw", "name", "email", "owner_user_id", "owner_email", "owner_type", "owner_status"),
    *(
        "workspace_id",
        "workspace_name",
        "key_scope",
        "key_hint",
        "expires_at",
        "assigned_at",
        "invite_id",
        "last_used_at",
        "last_used_precision",
        "last_used_source",
    ),
    *("last_used_state", "usage_observed_since", "usage_observed_until", "provenance", "observed_at", "run_id"),
]


def picked(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_the_columns_are_exactly_the_designs(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    made.night()
    assert ["snapshot_date", "organization_id", *pq.read_schema(made.file()).names] == DESIGN_COLUMNS


def test_a_member_a_key_and_a_pending_invite_are_a_row_each(nights: Start):
    api = ScriptedApi(users=[user(1, role="admin")], api_keys=[api_key(1)], invites=[invite(1)])
    snapshot = nights(api).night()
    who = ("holder_type", "license_type", "role", "status", "status_raw", "name", "email")
    assert {id: picked(row, *who) for id, row in snapshot.items()} == {
        "user_0001": ("user", "Admin", "admin", "Active", None, "User 1", "user1@acme.example"),
        "apikey_0001": ("api_key", "API Key", None, "Active", "active", "Key 1", None),
        "invite_0001": ("invite", "Developer", "developer", "Pending", "pending", None, "guest1@acme.example"),
    }
    assert {id: row["assigned_at"].isoformat() for id, row in snapshot.items()} == {
        "user_0001": "2026-01-05T08:00:00.123456+00:00",
        "apikey_0001": "2026-01-06T08:00:00+00:00",
        "invite_0001": "2026-05-20T08:00:00+00:00",
    }
    assert {picked(row, "organization_name", "provenance", "run_id", "observed_at") for row in snapshot.values()} == {
        ("Acme", "observed", "run_1", NEXT_NIGHT)
    }


def test_rows_stand_in_the_order_of_their_key(nights: Start):
    made = nights(ScriptedApi(users=[user(3), user(1)], api_keys=[api_key(2)], invites=[invite(9)]))
    assert list(made.night()) == ["apikey_0002", "invite_0009", "user_0001", "user_0003"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "license_type"),
    [
        ("admin", "Admin"),
        ("developer", "Developer"),
        ("billing", "Billing"),
        ("user", "User"),
        ("claude_code_user", "Claude Code User"),
        ("managed", "Managed User"),
        ("membership_admin", "Membership Admin"),
        ("owner", "Owner"),
        ("primary_owner", "Primary Owner"),
    ],
)
def test_every_role_of_the_design_has_its_license_type(nights: Start, role: str, license_type: str):
    made = nights(ScriptedApi(users=[user(1, role=role)], invites=[invite(1, role=role)]))
    assert {row["license_type"] for row in made.night().values()} == {license_type}
    assert made.facts().unmapped == []


def test_an_unknown_role_is_kept_named_and_never_a_user(nights: Start):
    made = nights(
        ScriptedApi(users=[user(1, role="quantum_admin"), user(2, role="User")], invites=[invite(1, role=None)])
    )
    snapshot = made.night()
    assert {id: picked(row, "license_type", "role") for id, row in snapshot.items()} == {
        "user_0001": ("Unmapped (quantum_admin)", "quantum_admin"),
        "user_0002": ("Unmapped (User)", "User"),
        "invite_0001": ("Unmapped (no role)", None),
    }
    assert made.facts().unmapped == ["Unmapped (User)", "Unmapped (no role)", "Unmapped (quantum_admin)"]
    assert made.facts().users == 2


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("active", "Active"),
        ("inactive", "Disabled"),
        ("archived", "Disabled"),
        ("expired", "Disabled"),
        ("suspended", "Unmapped (suspended)"),
        ("Active", "Unmapped (Active)"),
    ],
)
def test_a_keys_status_is_active_disabled_or_loudly_unknown(nights: Start, word: str, status: str):
    made = nights(ScriptedApi(api_keys=[api_key(1, status=word)]))
    assert picked(made.night()["apikey_0001"], "status", "status_raw") == (status, word)
    assert made.facts().unmapped == ([status] if status.startswith("Unmapped") else [])


def test_only_invites_that_are_still_open_hold_a_seat(nights: Start):
    invites = [invite(n, status=word) for n, word in enumerate(("pending", "accepted", "expired", "deleted", "parked"))]
    made = nights(ScriptedApi(users=[user(1)], invites=invites))
    snapshot = made.night()
    assert {id: row["status"] for id, row in snapshot.items() if row["holder_type"] == "invite"} == {
        "invite_0000": "Pending",
        "invite_0004": "Unmapped (parked)",
    }
    assert (made.facts().invites, made.facts().unmapped) == (2, ["Unmapped (parked)"])


OLDER = {
    "created_by": {"id": "user_0002", "type": "user"},
    "principal": {"id": "user_0001", "type": "user"},
    "workspace_id": "wrkspc_1",
    "partial_key_hint": "sk-ant-api03-abc...xyz",
    "expires_at": "2027-01-01T00:00:00Z",
}
NEWER = {
    **OLDER,
    "principal": {"type": "user_actor", "user_id": "user_0001"},
    "scope": {"type": "workspace", "workspace_id": "wrkspc_1"},
}
del NEWER["workspace_id"]
KEY_COLUMNS = ("owner_user_id", "owner_email", "owner_type", "owner_status", "workspace_id", "workspace_name")


@pytest.mark.parametrize("shape", [OLDER, NEWER], ids=["older", "newer"])
def test_both_shapes_of_a_key_give_the_same_row(nights: Start, shape: Row):
    workspaces = [{"id": "wrkspc_1", "name": "Research", "created_at": "2026-01-01T00:00:00Z"}]
    api = ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1, **shape)], workspaces=workspaces)
    row = nights(api).night()["apikey_0001"]
    assert picked(row, *KEY_COLUMNS) == ("user_0001", "user1@acme.example", "user", "member", "wrkspc_1", "Research")
    assert picked(row, "key_hint", "expires_at") == (
        "sk-ant-api03-abc...xyz",
        datetime.fromisoformat("2027-01-01T00:00:00+00:00"),
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"created_by": {"id": "user_0002", "type": "user"}}, ("user_0002", "user", "member")),
        ({"created_by": {"id": "user_0009", "type": "user"}}, ("user_0009", "user", "left")),
        ({"principal": {"type": "user_actor", "user_id": "user_0009"}}, ("user_0009", "user", "left")),
        ({"created_by": {"id": "svac_1", "type": "service_account"}}, ("svac_1", "service_account", "service_account")),
        (
            {
                "created_by": {"id": "user_0002", "type": "user"},
                "principal": {"type": "service_account_actor", "service_account_id": "svac_1"},
            },
            ("svac_1", "service_account", "service_account"),
        ),
        ({"created_by": None}, (None, None, "unknown")),
    ],
)
def test_a_keys_owner_is_its_principal_else_its_creator(nights: Start, fields: Row, expected: tuple[Any, ...]):
    made = nights(ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1, **fields)]))
    assert picked(made.night()["apikey_0001"], "owner_user_id", "owner_type", "owner_status") == expected


@pytest.mark.parametrize("place", [{"workspace_id": None}, {"scope": {"type": "organization"}}, {}])
def test_a_key_without_a_workspace_has_none(nights: Start, place: Row):
    made = nights(ScriptedApi(api_keys=[api_key(1, **place)]))
    assert picked(made.night()["apikey_0001"], "workspace_id", "workspace_name") == (None, None)


def test_members_and_invites_have_nothing_of_a_keys(nights: Start):
    rows = nights(ScriptedApi(users=[user(1)], invites=[invite(1)])).night().values()
    assert {picked(row, *KEY_COLUMNS, "key_hint", "expires_at") for row in rows} == {(None,) * 8}


def test_what_came_after_the_day_was_over_is_left_out_and_counted(nights: Start):
    midnight, before = "2026-06-02T00:00:00Z", "2026-06-01T23:59:59.999999Z"
    api = ScriptedApi(
        users=[user(1, added_at=before), user(2, added_at=midnight)],
        api_keys=[api_key(1, created_at=before), api_key(2, created_at=midnight)],
        invites=[
            invite(1, invited_at=before),
            invite(2, invited_at=midnight),
            invite(3, invited_at=midnight, status="deleted"),
        ],
    )
    made = nights(api)
    assert set(made.night()) == {"user_0001", "apikey_0001", "invite_0001"}
    assert made.facts().left_out == 3
    assert set(made.night(DAY + timedelta(days=1))) >= {"user_0002", "apikey_0002", "invite_0002"}


def test_a_holder_without_a_date_is_kept(nights: Start):
    api = ScriptedApi(users=[user(1, added_at=None)], api_keys=[api_key(1, created_at=None)])
    assert set(nights(api).night()) == {"user_0001", "apikey_0001"}


def test_today_is_provisional_until_the_closing_state_replaces_it(nights: Start):
    api = ScriptedApi(users=[user(1)])
    made = nights(api)
    made.night(at=NEXT_NIGHT - timedelta(hours=10))
    assert not made.facts().is_final
    api.lists["users"] = [user(1), user(2, added_at="2026-06-01T20:00:00Z")]
    assert set(made.night()) == {"user_0001", "user_0002"}
    assert made.facts().is_final


def test_the_instant_at_which_a_day_ends_sees_its_closing_state(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    made.night(at=NEXT_NIGHT.replace(hour=0))
    assert made.facts().is_final


HEADER = "role,license_type,takes_seat\n"


def test_a_data_directorys_own_table_of_license_types_is_used_instead(nights: Start):
    made = nights(ScriptedApi(users=[user(1, role="quantum_admin"), user(2)]))
    own = made.data.root / "reference" / "license_types.csv"
    own.parent.mkdir(parents=True)
    own.write_text(HEADER + "quantum_admin, Quantum , TRUE\n\n", encoding="utf-8-sig")
    assert {id: row["license_type"] for id, row in made.night().items()} == {
        "user_0001": "Quantum",
        "user_0002": "Unmapped (user)",
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "",
            "license_types.csv, line 1: it names no role; the columns must be role,license_type,takes_seat.",
        ),
        (
            "role,license_type\n",
            "license_types.csv, line 1: the columns must be role,license_type,takes_seat, and may be followed by "
            "valid_from,valid_to.",
        ),
        (HEADER + "user,User,true\nadmin,,true\n", "license_types.csv, line 3: license_type is empty."),
        (
            HEADER + "user,User,true,more\n",
            "license_types.csv, line 2: 3 cells are wanted (role,license_type,takes_seat), not 4.",
        ),
        (HEADER + "user,User,yes\n", "license_types.csv, line 2: takes_seat must be true or false, not yes."),
        (
            HEADER + "user,User,true\nuser,Other,true\n",
            "license_types.csv, line 3: the meaning of the role user overlaps with line 2",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_line(nights: Start, text: str, sentence: str):
    made = nights(ScriptedApi(users=[user(1)]))
    own = made.data.root / "reference" / "license_types.csv"
    own.parent.mkdir(parents=True)
    own.write_text(text)
    with pytest.raises(BadReference) as caught:
        made.night()
    assert str(caught.value).startswith(sentence)
    assert not made.file().exists()


def test_a_role_means_what_the_table_says_of_the_snapshots_day(nights: Start):
    made = nights(ScriptedApi(users=[user(1)]))
    own = made.data.root / "reference" / "license_types.csv"
    own.parent.mkdir(parents=True)
    own.write_text(f"{HEADER.strip()},valid_from,valid_to\nuser,User,true,,{DAY}\nuser,Person,true,{DAY},\n")
    assert made.night(DAY - timedelta(days=1))["user_0001"]["license_type"] == "User"
    assert made.night()["user_0001"]["license_type"] == "Person"
