"""Several organizations, and several keys of one: each on its own, and what is missing is said."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox import serving
from tests.commandline import Finished, Operator
from tests.scripted import DAY, ScriptedApi, api_key, as_app, error, page, user

pytestmark = pytest.mark.slow

BERLIN, PORTO_MEMBERS, PORTO_KEYS = "sk-ant-admin01-berlin", "sk-ant-admin01-porto-m", "sk-ant-admin01-porto-k"
KEYS: dict[str, Any] = {"BERLIN_KEY": BERLIN, "PORTO_MEMBERS_KEY": PORTO_MEMBERS, "PORTO_KEYS_KEY": PORTO_KEYS}
FILE = """
[[organization]]
name = "Berlin"
key_env = "BERLIN_KEY"

[[organization]]
name = "Porto, members"
key_env = "PORTO_MEMBERS_KEY"

[[organization]]
name = "Porto, keys"
key_env = "PORTO_KEYS_KEY"
"""


class Group(Operator):
    apis: dict[str, ScriptedApi]

    def mend(self) -> None:
        self.apis[BERLIN].says.clear()
        self.apis[PORTO_MEMBERS].says = {name: lambda _: error(403) for name in ("api_keys", "workspaces")}
        self.apis[PORTO_KEYS].says = {name: lambda _: error(403) for name in ("users", "invites")}

    def night_then_mended(self, day: date) -> Finished:
        try:
            return self.night(day)
        finally:
            self.mend()

    def holders(self) -> list[tuple]:
        return self.ask(
            "select organization_id, snapshot_date, holder_type, count(*) from license_assignments "
            "group by all order by all"
        )


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Group]:
    """Berlin with one key; Porto, whose members and keys are read with a key each."""
    apis = {
        BERLIN: ScriptedApi(users=[user(1)], api_keys=[api_key(1)]),
        PORTO_MEMBERS: ScriptedApi(users=[user(2), user(3)], api_keys=[api_key(2)]),
        PORTO_KEYS: ScriptedApi(users=[user(2), user(3)], api_keys=[api_key(2)]),
    }
    apis[BERLIN].me = {"id": "org_berlin", "name": "Berlin GmbH"}
    apis[PORTO_MEMBERS].me = apis[PORTO_KEYS].me = {"id": "org_porto", "name": "Porto Lda"}

    def answer(request: httpx.Request) -> httpx.Response:
        return apis[request.headers["x-api-key"]](request)

    folder = tmp_path_factory.mktemp("group")
    (folder / "organizations.toml").write_text(FILE)
    with serving(as_app(answer)) as url:
        made = Group(folder, url, home=home, LICENSES_ORGANIZATIONS="organizations.toml", **KEYS)
        made.apis = apis
        made.mend()
        yield made


def test_each_organization_is_a_snapshot_and_keys_that_complete_each_other_are_merged(group: Group):
    finished = group.night(DAY)
    assert (finished.status, finished.err) == (0, "")
    assert finished.out.splitlines()[1:3] == [
        "Berlin GmbH (org_berlin), closing snapshot of 2026-06-01: 1 members, 1 API keys, 0 pending invites.",
        "Porto Lda (org_porto), closing snapshot of 2026-06-01: 2 members, 1 API keys, 0 pending invites.",
    ]
    assert group.holders() == [
        ("org_berlin", DAY, "api_key", 1),
        ("org_berlin", DAY, "user", 1),
        ("org_porto", DAY, "api_key", 1),
        ("org_porto", DAY, "user", 2),
    ]


def test_one_organizations_failing_list_fails_its_day_alone(group: Group):
    day = DAY + timedelta(days=1)
    group.apis[BERLIN].says["users"] = lambda _: page([user(1)], has_more=True)
    finished = group.night_then_mended(day)
    assert finished.status == 3
    assert finished.err.startswith(
        f"licenses: Berlin GmbH (org_berlin), {day}: the list of members contradicts itself: it says has_more"
    )
    assert f"The snapshot of {day} was not written for this organization" in finished.err
    assert finished.out.splitlines()[0].startswith(f"Porto Lda (org_porto), closing snapshot of {day}")
    assert {(row[0], row[1]) for row in group.holders()} == {("org_berlin", DAY), ("org_porto", day)}


def test_one_organizations_refused_key_fails_its_day_alone(group: Group):
    day = DAY + timedelta(days=2)
    group.apis[BERLIN].says["me"] = lambda _: error(401)
    finished = group.night_then_mended(day)
    assert finished.status == 3
    assert finished.err.startswith("licenses: Berlin (BERLIN_KEY): the API refused the key (HTTP 401")
    assert {(row[0], row[1]) for row in group.holders()} == {("org_berlin", DAY), ("org_porto", day)}


def test_two_keys_that_read_the_same_list_are_an_error_that_names_both(group: Group):
    day = DAY + timedelta(days=3)
    group.apis[PORTO_KEYS].says.pop("users")
    finished = group.night_then_mended(day)
    assert finished.status == 3
    assert (
        "PORTO_MEMBERS_KEY and PORTO_KEYS_KEY are keys of the same organization, Porto Lda (org_porto), and each of "
        "them can list its members: name only one of them, or keys that complete each other." in finished.err
    )
    assert ("org_berlin", day, "user", 1) in group.holders()


def test_one_organizations_drop_is_refused_and_the_others_are_published(group: Group):
    day, next_day = DAY + timedelta(days=4), DAY + timedelta(days=5)
    group.apis[BERLIN].lists["users"] = [user(n) for n in range(1, 30)]
    assert group.night(day).status == 0
    group.apis[BERLIN].lists["users"] = [user(1)]
    finished = group.night(next_day)
    assert finished.status == 3
    assert "Berlin GmbH (org_berlin): on 2026-06-06 there are 1 members, after 29" in finished.err
    assert {(row[0], row[1]) for row in group.holders()} == {("org_berlin", day), ("org_porto", next_day)}
