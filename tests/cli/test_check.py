"""`licenses check`: what the doctor says of keys and lists, over real HTTP; how it ends, and that it only reads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assets.layout import DataDirectory
from pipelines.cli.doctor import files
from sandbox import UsageGeneration, serving
from tests.cli.conftest import COMPANY, DAY, KEY, Check, serve
from tests.scripted import ScriptedApi, as_app, error, invite, user


def test_a_healthy_organization_has_no_problem(check: Check, data: DataDirectory):
    said = check()
    assert said.status == 0
    assert said.subjects("problem") == []
    assert f"Sandbox & Söhne Ltd ({COMPANY.id})" in said.lines
    assert "found in ANTHROPIC_ADMIN_KEY (an Admin key)" in said.about("ok", "key")
    for answered in ("members", "API keys", "workspaces", "usage by actor and key"):
        assert said.about("ok", answered) == f"ok {answered}: answered."
    assert said.about("ok", "Activity Feed") == "ok Activity Feed: answered."
    assert "request id req_" in said.about("ok", "Enterprise analytics")
    assert "Instead serves: usage by actor and key." in said.about("ok", "Enterprise analytics")


def test_it_reads_at_80_columns(check: Check, data: DataDirectory):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-members")
    assert all(len(line) <= 80 for line in said.lines if str(data.root) not in line)


def test_a_missing_key_names_its_variable_and_where_to_get_one(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="")
    assert said.status == 1
    assert "ANTHROPIC_ADMIN_KEY is not set" in said.about("problem", "key")
    assert "Console (Settings, Admin keys)" in said.about("problem", "key")


def test_what_is_no_key_is_not_sent_anywhere(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="hunter2", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert said.status == 1
    assert "is no Anthropic key" in said.about("problem", "key")
    assert "Nothing was asked" in said.about("problem", "key")


def test_a_key_with_a_line_break_in_it_names_its_variable(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-two\nlines")
    assert said.status == 1
    assert "in ANTHROPIC_ADMIN_KEY, holds a line break" in said.about("problem", "key")


def test_401_says_to_check_that_it_is_an_admin_key(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-api03-regular")
    assert said.status == 1
    assert "no Admin key of the Console" in said.about("ok", "key")
    finding = said.about("problem", "organization")
    assert "HTTP 401" in finding
    assert "request id req_" in finding
    assert "Check that it is an Admin key (they start with sk-ant-admin), not a regular API key" in finding


def test_403_says_that_the_organization_admin_permission_may_lack(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-forbidden")
    assert said.status == 1
    finding = said.about("problem", "organization")
    assert "HTTP 403" in finding
    assert "request id req_" in finding
    assert "only organization admins can create Admin keys" in finding


def test_keys_that_may_not_be_listed_are_unknown_and_no_obstacle(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-members")
    assert said.status == 0
    finding = said.about("note", "API keys")
    assert "Listing API keys needs the admin permission, and some keys may belong to a workspace" in finding
    assert "unknown, not zero" in finding
    assert "ask your organization admin" in said.about("note", "permission")
    assert "when licenses were last used is unknown, not never" in said.about("note", "last use")


def test_members_that_may_not_be_listed_are_unknown_and_no_obstacle(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-keys")
    assert said.status == 0
    assert "the members are unknown, not zero" in said.about("note", "members")
    assert said.about("ok", "API keys") == "ok API keys: answered."


def test_an_enterprise_key_reaches_members_and_analytics(check: Check):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-api01-x-enterprise")
    assert said.status == 0
    assert "keys of Claude Enterprise look like this" in said.about("ok", "key")
    assert "give an Admin key of it (sk-ant-admin) as well" in said.about("note", "API keys")
    assert said.about("ok", "Enterprise analytics") == "ok Enterprise analytics: answered."
    assert "Instead serves: Enterprise analytics." in said.about("ok", "usage by actor and key")


def test_an_organization_of_the_older_generation_is_told_what_serves_instead(check: Check):
    with serve(usage=UsageGeneration.REPORTS, feed=False) as older:
        said = check(ANTHROPIC_BASE_URL=older)
    assert said.status == 0
    newer = said.about("ok", "usage by actor and key")
    assert "This organization has not got it. Instead serves: message usage, Claude Code usage." in newer
    assert said.about("ok", "message usage") == "ok message usage: answered."
    feed = said.about("note", "Activity Feed")
    assert "HTTP 404" in feed
    assert "Compliance API is switched off" in feed


def test_half_a_generation_of_usage_does_not_suffice(check: Check):
    api = ScriptedApi(users=[user(1)], messages_usage=[])
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.about("ok", "message usage") == "ok message usage: answered."
    assert "Instead serves: message usage." in said.about("note", "Claude Code usage")


def test_a_name_from_elsewhere_prints_as_plain_text(check: Check):
    api = ScriptedApi(users=[user(1)])
    api.me["name"] = "Acme [bold]\x1b[2J\nLtd"
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert "Acme [bold] [2J Ltd (org_1)" in said.lines


def test_pending_invitations_are_named_since_those_people_are_no_members_yet(check: Check):
    invites = [invite(number) for number in range(12)] + [invite(99, status="accepted")]
    with serving(as_app(ScriptedApi(users=[user(1)], invites=invites))) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    finding = said.about("ok", "invites")
    assert "12 pending: guest0@acme.example, guest1@acme.example" in finding
    assert "and 2 more" in finding
    assert "guest99" not in finding
    assert "People appear among the members only once they have accepted" in finding


def test_empty_lists_are_explained(check: Check):
    with serving(as_app(ScriptedApi())) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert "only once they have accepted their invitation" in said.about("note", "members")
    assert "some keys may belong to a workspace" in said.about("note", "API keys")


def test_an_organization_of_which_nothing_can_be_read_is_a_problem(check: Check):
    api = ScriptedApi()
    api.says = {name: lambda _: error(403) for name in ("users", "api_keys")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    assert "neither the members nor the API keys can be read" in said.about("problem", "access")


def test_a_list_that_fails_is_a_problem_and_the_rest_is_still_told(check: Check):
    api = ScriptedApi(users=[user(1)])
    api.says = {"invites": lambda _: error(400, f"no such thing, {KEY}")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 1
    finding = said.about("problem", "invites")
    assert "HTTP 400" in finding
    assert "request id req_42" in finding
    assert "report this with the request id" in finding
    assert "A night would be published without it, and end with status 3." in finding
    assert said.about("ok", "members") == "ok members: answered."


def test_an_organization_without_workspaces_lacks_their_names_and_nothing_else(check: Check):
    api = ScriptedApi(users=[user(1)])
    api.says = {"workspaces": lambda _: error(400, "organization_type_not_supported")}
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.status == 0
    assert "the keys' workspaces have no names" in said.about("note", "workspaces")


def test_a_report_that_is_too_recent_has_answered_all_the_same(check: Check):
    api = ScriptedApi(users=[user(1)], analytics_users=[])
    api.says = {
        "analytics/users": lambda request: (
            error(400, "The latest available day is 2026-11-10.")
            if request.url.params["starting_date"] > "2026-11-10"
            else api.answer(request)
        )
    }
    with serving(as_app(api)) as url:
        said = check(ANTHROPIC_BASE_URL=url)
    assert said.about("ok", "Enterprise analytics") == "ok Enterprise analytics: answered."


def organizations(tmp_path: Path, **key_envs: str) -> str:
    file = tmp_path / "organizations.toml"
    file.write_text("".join(f'[[organization]]\nname = "{n}"\nkey_env = "{v}"\n' for n, v in key_envs.items()))
    return str(file)


def test_one_organizations_trouble_does_not_stop_the_others(check: Check, data: DataDirectory, tmp_path: Path):
    file = organizations(tmp_path, lost="LOST_KEY", whole="WHOLE_KEY", refused="REFUSED_KEY")
    said = check(LICENSES_ORGANIZATIONS=file, LOST_KEY="", WHOLE_KEY=KEY, REFUSED_KEY="sk-ant-api03-regular")
    assert said.status == 1
    assert {"Lost", "Refused"} <= set(said.lines)
    assert "LOST_KEY is not set" in said.about("problem", "key")
    assert "HTTP 401" in said.about("problem", "organization")
    assert said.about("ok", "members") == "ok members: answered."
    assert f"closing snapshot of {DAY}" in said.about("ok", "last snapshot")


def test_keys_that_complete_each_other_make_one_organization(check: Check, tmp_path: Path):
    file = organizations(tmp_path, people="PEOPLE_KEY", robots="ROBOTS_KEY")
    said = check(LICENSES_ORGANIZATIONS=file, PEOPLE_KEY="sk-ant-admin01-members", ROBOTS_KEY="sk-ant-admin01-keys")
    assert said.status == 0
    assert said.lines.count(f"Sandbox & Söhne Ltd ({COMPANY.id})") == 1
    assert "found in PEOPLE_KEY" in said.text
    assert "found in ROBOTS_KEY" in said.text
    assert said.about("ok", "members") == "ok members: answered."
    assert said.about("ok", "API keys") == "ok API keys: answered."


def test_two_keys_that_read_the_same_list_are_a_problem(check: Check, tmp_path: Path):
    file = organizations(tmp_path, one="ONE_KEY", two="TWO_KEY")
    said = check(LICENSES_ORGANIZATIONS=file, ONE_KEY=KEY, TWO_KEY=f"{KEY}-2")
    assert said.status == 1
    assert "ONE_KEY and TWO_KEY are keys of the same organization" in said.about("problem", "keys")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"ANTHROPIC_BASE_URL": "http://api.example.com"}, "ANTHROPIC_BASE_URL must begin with https://"),
        ({"LICENSES_DROP_PERCENT": "many"}, "LICENSES_DROP_PERCENT wants a number from 0 to 100"),
        ({"LICENSES_ORGANIZATIONS": "nowhere.toml"}, "nowhere.toml cannot be used"),
        ({"LICENSES_FIRST_DAY": "2027-01-01"}, "the first day of this warehouse (LICENSES_FIRST_DAY)"),
    ],
)
def test_a_setting_that_cannot_be_used_is_a_sentence(check: Check, environment: dict[str, str], sentence: str):
    said = check(**environment)
    assert said.status == 1
    assert sentence in said.text


def test_one_json_document_tells_the_same_as_the_page(check: Check, data: DataDirectory):
    said, told = check(COLUMNS="9999"), check("--json").document
    assert (told["status"], told["exit_status"], said.status) == ("ok", 0, 0)
    assert [section["title"] for section in told["sections"]] == [
        "Settings",
        f"Sandbox & Söhne Ltd ({COMPANY.id})",
        "Data directory",
        "Record",
        "Files",
        "Nightly schedule",
    ]
    findings = [finding for section in told["sections"] for finding in section["findings"]]
    assert {tuple(finding) for finding in findings} == {("mark", "subject", "text")}
    assert {finding["mark"] for finding in findings} == {"ok", "note"}
    page = {text.partition(": ")[2] for text in said.findings()}
    changing = ("space", "memory", "Enterprise analytics")  # free bytes of both, and an id for each request
    assert {" ".join(one["text"].split()) for one in findings if one["subject"] not in changing} <= page


@pytest.mark.parametrize(
    ("environment", "status"),
    [
        ({"LICENSES_NOW": "2026-11-25T07:00:00Z"}, ("stale", 3)),
        ({"ANTHROPIC_ADMIN_KEY": ""}, ("broken", 1)),
        ({"ANTHROPIC_BASE_URL": "http://api.example.com"}, ("broken", 1)),
    ],
)
def test_json_and_exit_status_agree(
    check: Check, data: DataDirectory, environment: dict[str, str], status: tuple[str, int]
):
    said = check("--json", **environment)
    assert (said.document["status"], said.document["exit_status"], said.status) == (*status, status[1])


def test_json_bears_names_that_may_hold_anything(check: Check):
    api = ScriptedApi(users=[user(1)], invites=[invite(1, email='a"b\\\x1b[2J\u202e@x.example')])
    api.me["name"] = "Acme [bold]\x1b[2J\nÄ\u0000"
    with serving(as_app(api)) as url:
        said = check("--json", ANTHROPIC_BASE_URL=url)
    assert said.finished.raw.isascii()
    assert [section["title"] for section in said.document["sections"]][1] == "Acme [bold] [2J Ä  (org_1)"
    assert "\x1b" not in str(said.document)


@pytest.mark.slow
def test_a_check_reads_where_the_terminal_is_not_utf_8(tmp_path: Path):
    api = ScriptedApi(users=[user(1)])
    api.me["name"] = "Söhne 会社"
    with serving(as_app(api)) as url:
        for words in (["check"], ["check", "--json"]):
            finished = subprocess.run(
                [sys.executable, "-c", "from pipelines.cli import main; main()", *words],
                cwd=Path(__file__).parents[2],
                env={
                    "LANG": "C",
                    "LC_ALL": "C",
                    "PYTHONUTF8": "0",
                    "PYTHONIOENCODING": "ascii",
                    "PATH": os.environ["PATH"],
                    "HOME": str(tmp_path),
                    "ANTHROPIC_BASE_URL": url,
                    "ANTHROPIC_ADMIN_KEY": KEY,
                    "LICENSES_DATA_DIR": str(tmp_path / "data"),
                },
                capture_output=True,
                check=False,
            )
            assert finished.returncode == 0, finished.stderr
            assert b"(org_1)" in finished.stdout
            assert finished.stdout.isascii()


def test_what_nobody_foresaw_costs_its_own_section_alone(
    check: Check, data: DataDirectory, monkeypatch: pytest.MonkeyPatch
):
    def fails(*_: object) -> None:
        raise RuntimeError(f"odd, with {KEY} in it")

    monkeypatch.setattr(files, "day_files", fails)
    said = check()
    assert said.status == 1
    assert said.about("problem", "files") == (
        "problem files: could not be examined: RuntimeError: odd, with [key] in it"
    )
    assert "last nightly run" in said.subjects("ok")
    assert "last snapshot" in said.subjects("ok")


def test_a_roster_that_could_be_read_and_is_refused_now_is_a_problem(check: Check, data: DataDirectory):
    said = check(ANTHROPIC_ADMIN_KEY="sk-ant-admin01-members", LICENSES_NOW="2026-11-25T03:30:00Z")
    assert said.status == 1
    assert f"API keys: could be read on {DAY}, and the key is refused now" in said.text


def test_a_member_that_cannot_be_read_as_sent_is_a_problem_and_named(check: Check):
    odd = [user(number) for number in range(20)] + [user(99, added_at="some day")]
    with serving(as_app(ScriptedApi(users=odd))) as url:
        said = check(ANTHROPIC_BASE_URL=url, COLUMNS="400")
    assert said.status == 1
    assert "user_0099" in said.about("problem", "members")
