"""The company is a function of its seed and an instant, and has what makes license histories hard."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sandbox import Organization, Plan
from sandbox.people import RENAMED

NOW = datetime(2026, 11, 24, 2, 15, tzinfo=UTC)
ROOT = Path(__file__).parents[2]

DIGEST = """
import hashlib, msgspec
from datetime import date, datetime, UTC
from sandbox import Organization
company, now = Organization(), datetime(2026, 11, 24, tzinfo=UTC)
everything = [company.state(now), company.activities(now), company.usage(date(2026, 11, 20)), company.id]
print(hashlib.sha256(msgspec.json.encode(everything)).hexdigest())
"""


def test_two_processes_make_the_same_bytes():
    digests = {
        subprocess.run(
            [sys.executable, "-c", DIGEST],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": salt},
            check=True,
            capture_output=True,
        ).stdout
        for salt in ("1", "2")
    }
    assert len(digests) == 1


def test_importing_the_sandbox_leaves_dagster_alone():
    command = "import sys, sandbox; sys.exit('dagster' in sys.modules)"
    subprocess.run([sys.executable, "-c", command], cwd=ROOT, check=True)


def test_another_seed_is_another_company(organization: Organization):
    other = Organization("another")
    assert not {row.id for row in other.members(NOW)} & {row.id for row in organization.members(NOW)}


def test_asking_out_of_order_changes_nothing():
    one, other = Organization(), Organization()
    days = [date(2026, 11, 1), date(2025, 3, 3), date(2026, 2, 2)]
    forwards = {day: one.truth(day) for day in days}
    backwards = {day: other.truth(day) for day in reversed(days)}
    assert forwards == backwards


def test_the_company_begins_in_june_2024_and_goes_on_after_today(organization: Organization):
    assert organization.truth(date(2024, 5, 31)) == ((), (), (), (), ())
    assert organization.truth(date(2024, 6, 1)).members
    later = {row.id for row in organization.truth(date(2027, 11, 1)).members}
    assert later - {row.id for row in organization.members(NOW)}


def test_there_are_a_few_hundred_members_with_distinct_addresses(organization: Organization):
    members = organization.members(NOW)
    assert 200 < len(members) < 320
    assert len({row.email.lower() for row in members}) == len(members)
    assert any(row.email != row.email.lower() for row in members)
    assert Counter(row.role for row in members).keys() == {"admin", "billing", "claude_code_user", "developer", "user"}


def test_names_are_awkward(organization: Organization):
    names = [row.name for rows in (organization.members(NOW), organization.api_keys(NOW)) for row in rows]
    assert any(name.startswith("=") for name in names)
    assert any('"' in name for name in names)
    assert any("," in name for name in names)
    assert any(not name.isascii() for name in names)


def test_returners_keep_their_id_and_address_and_get_a_new_added_at(organization: Organization):
    stays: dict[str, set[tuple[str, datetime]]] = {}
    for span in organization.until(NOW).members.spans:
        if span.row.id not in _renamed_ids(organization):
            stays.setdefault(span.row.id, set()).add((span.row.email, span.row.added_at))
    returners = [stay for stay in stays.values() if len(stay) > 1]
    assert len(returners) > 5
    assert all(len({email for email, _ in stay}) == 1 for stay in returners)


def test_only_the_documented_people_change_name_or_address(organization: Organization):
    faces: dict[str, set[tuple[str, str]]] = {}
    for span in organization.until(NOW).members.spans:
        faces.setdefault(span.row.id, set()).add((span.row.name, span.row.email))
    assert sorted(row_id for row_id, seen in faces.items() if len(seen) > 1) == sorted(_renamed_ids(organization))
    assert len(RENAMED) == 3


def test_some_days_hold_two_changes_of_one_member(organization: Organization):
    starts = Counter((span.row.id, span.since.date()) for span in organization.until(NOW).members.spans)
    assert max(starts.values()) >= 2


def test_keys_have_every_status_and_kind_of_owner(organization: Organization):
    keys, members = organization.api_keys(NOW), {row.id for row in organization.members(NOW)}
    creators = [row.created_by for row in keys]
    assert {row.status for row in keys} == {"active", "inactive", "archived", "expired"}
    assert None in creators
    assert any(by and by.type == "service_account" for by in creators)
    assert any(by and by.type == "user" and by.id not in members for by in creators)
    assert any(row.of_organization for row in keys)
    assert len({row.workspace_id for row in keys}) > 4
    assert max(Counter(row.name for row in keys).values()) == 2


def test_the_archived_workspace_took_its_keys_along(organization: Organization):
    archived = {row.id for row in organization.workspaces(NOW) if row.archived_at}
    inside = [row.status for row in organization.api_keys(NOW) if row.workspace_id in archived]
    assert len(archived) == 1
    assert {*inside} <= {"archived", "expired"}


def test_a_workspace_was_renamed(organization: Organization):
    names = [{row.name for row in organization.workspaces(at)} for at in (datetime(2025, 9, 1, tzinfo=UTC), NOW)]
    assert names[0] - names[1] == {"Growth"}
    assert "Customer Growth" in names[1]


def test_invites_have_every_status_and_pending_ones_become_members(organization: Organization):
    assert {row.status for row in organization.invites(NOW)} == {"pending", "accepted", "expired", "deleted"}
    members = {row.email: row.added_at for at in (NOW, NOW - timedelta(400)) for row in organization.members(at)}
    accepted = [row for row in organization.invites(NOW) if row.status == "accepted" and row.email in members]
    assert len(accepted) > 10
    assert any(members[row.email] == row.accepted_at for row in accepted)


def test_use_follows_the_week_and_some_never_use_what_they_have(organization: Organization):
    monday, sunday = organization.usage(date(2026, 11, 16)), organization.usage(date(2026, 11, 22))
    assert len(monday) > 4 * len(sunday) > 0
    last_uses = {row.id: organization.last_use_of_key(row.id, NOW) for row in organization.api_keys(NOW)}
    assert sum(at is None for at in last_uses.values()) > 3
    assert sum(at is not None and NOW - at > timedelta(100) for at in last_uses.values()) > 3


def test_the_last_use_of_a_key_is_the_last_that_the_days_show(organization: Organization):
    days = [date(2026, 11, 23) - timedelta(number) for number in range(60)]
    seen: dict[str, datetime] = {}
    for use in (use for day in days for use in organization.usage(day)):
        if use.api_key_id:
            seen[use.api_key_id] = max(use.at, seen.get(use.api_key_id, use.at))
    until = datetime(2026, 11, 24, tzinfo=UTC)
    assert seen
    assert {key_id: organization.last_use_of_key(key_id, until) for key_id in seen} == seen


def test_only_members_and_active_keys_use_anything(organization: Organization):
    for day in (date(2025, 6, 3), date(2026, 3, 4), date(2026, 11, 20)):
        for use in organization.usage(day):
            assert use.at.date() == day
            if use.api_key_id:
                keys = {row.id: row.status for row in organization.api_keys(use.at)}
                assert keys[use.api_key_id] == "active"
            else:
                assert use.user_id in {row.id for row in organization.members(use.at)}


def test_some_things_happen_between_midnight_and_two(organization: Organization):
    hours = [entry.created_at.hour for entry in organization.activities(NOW)]
    assert 0.02 < sum(hour < 2 for hour in hours) / len(hours) < 0.1


def test_an_enterprise_knows_other_roles():
    enterprise = Organization(plan=Plan.ENTERPRISE, api_keys=0)
    assert {row.role for row in enterprise.members(NOW)} == {
        *("primary_owner", "owner", "membership_admin", "managed", "user"),
    }


def _renamed_ids(organization: Organization) -> set[str]:
    founders = organization.until(NOW).members.spans
    everyone = list(dict.fromkeys(span.row.id for span in founders))
    return {everyone[number] for number in RENAMED}
