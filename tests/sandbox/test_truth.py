"""What was true on a day can be asked of the organization and of the command line; a file chooses the switches."""

import json
import re
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import sandbox
from sandbox import KeyShape, Listing, Options, Organization, Quirks
from sandbox.scenario import scenario_of
from sandbox.truth import truth_of
from tests.commandline import licenses

DAY = date(2026, 6, 1)
README = Path(sandbox.__file__).with_name("README.md")
SCENARIO = """
[options]
key_shape_from = [2026-05-01T00:00:00Z, "both"]
refused = { "analytics/usage" = 400 }
rate_limit = { requests = 20, retry_after = "absent" }

[options.sibling]
seed = "sister"
quirks = { shares_people_with = "sandbox" }

[[options.stalls]]
since = 2026-11-01T00:00:00Z
until = 2026-11-09T00:00:00Z
reports = ["usage_report/messages"]

[quirks]
renamed = [2026-05-05T00:00:00Z, "New Name AG"]
invite_expiry_lag = "P2D"
"""


def test_the_truth_of_a_day_is_its_close_and_what_was_used_within_it(organization: Organization):
    truth, close = truth_of(organization, DAY), datetime(2026, 6, 2, tzinfo=UTC)
    assert truth.as_of == close
    assert (truth.members, truth.invites) == (organization.members(close), organization.invites(close))
    uses = [use for product in truth.used.values() for use in product]
    assert sorted(uses, key=lambda use: use.at) == [*organization.usage(DAY)]
    assert all(use.product == product for product, rows in truth.used.items() for use in rows)
    assert truth.invite_links == organization.invite_links(close)
    later = organization.invite_links(close + timedelta(days=120))
    assert truth.invite_links.items() < later.items()


def test_the_command_line_prints_the_truth_as_json(tmp_path: Path, organization: Organization):
    asked = licenses("sandbox", "--dump-truth", str(DAY), environment={}, folder=tmp_path)
    assert asked.status == 0
    told, truth = json.loads(asked.out), truth_of(organization, DAY)
    for name in ("members", "api_keys", "invites", "workspaces", "service_accounts"):
        assert [row["id"] for row in told[name]] == [row.id for row in getattr(truth, name)]
    assert told["invite_links"] == truth.invite_links
    assert {product: len(rows) for product, rows in told["used"].items()} == {
        product: len(rows) for product, rows in truth.used.items()
    }
    other = licenses("sandbox", "--dump-truth", str(DAY), "--seed", "other", environment={}, folder=tmp_path)
    assert json.loads(other.out)["organization_id"] == Organization("other").tagged_id


def test_a_file_chooses_options_and_quirks(tmp_path: Path):
    options, quirks = scenario_of(SCENARIO)
    assert options.key_shape_at(datetime(2026, 6, 1, tzinfo=UTC)) is KeyShape.BOTH
    assert options.refused == {Listing.ANALYTICS_USAGE: 400}
    assert options.rate_limit
    assert options.rate_limit.requests == 20
    assert options.stalls[0].reports == {Listing.MESSAGES}
    assert options.sibling
    assert options.sibling.quirks == Quirks(shares_people_with="sandbox")
    assert quirks.invite_expiry_lag == timedelta(days=2)
    (tmp_path / "hard.toml").write_text(SCENARIO)
    asked = licenses(*("sandbox", "--dump-truth", str(DAY), "--scenario", "hard.toml"), environment={}, folder=tmp_path)
    assert json.loads(asked.out)["organization_name"] == "New Name AG"


def test_the_readme_tells_every_switch_and_its_example_is_a_scenario():
    text = README.read_text(encoding="utf-8")
    told = {*re.findall(r"`([a-z_]+)", text)}
    assert {one.name for kind in (Options, Quirks) for one in fields(kind)} <= told
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert scenario_of(example).quirks.renamed


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[options]\nfeeed = false", "feeed"),
        ("[option]\nfeed = false", "option"),
        ("[options]\nsibling = { seeed = 'x' }", "seeed"),
        ("[options]\nrefused = { planets = 404 }", "planets"),
        ("[options]\nfeed_since = 2026-05-01T00:00:00", "time zone"),
        ("[quirks]\nrenamed = [2026-05-01T00:00:00, 'x']", "time zone"),
        ("[options]\nfeed = 'no'", "bool"),
        ("[options", "at the end of a table"),
    ],
)
def test_a_file_with_a_switch_that_nobody_knows_is_refused(tmp_path: Path, text: str, complaint: str):
    (tmp_path / "wrong.toml").write_text(text)
    asked = licenses(
        *("sandbox", "--dump-truth", str(DAY), "--scenario", "wrong.toml"), environment={}, folder=tmp_path
    )
    assert asked.status == 2
    assert complaint in asked.err
    assert "wrong.toml cannot be used" in asked.err
