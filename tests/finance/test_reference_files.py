"""A bad reference file is refused with its line; what is not written is known to be not known."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from assets.errors import BadReference
from assets.finance.reference import FILES, FinanceReference, finance_reference
from assets.layout import PROJECT_REFERENCE, DataDirectory
from assets.snapshots.license_types import LICENSE_TYPES, license_types
from tests.finance.worlds import ADMIN, Finance, observed
from tests.history.snapshots import Snapshot

KNOWN = ["User", "Admin"]
INVITES = "organization,convention,currency,invites_take_seats"


def _read(folder: Path, **files: str) -> FinanceReference:
    world = Finance(folder)
    world.reference(**files)
    return finance_reference(DataDirectory(folder), KNOWN)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"prices": "Wizard,all,,,1,USD"}, "prices.csv, line 2: there is no license type Wizard; license_types.csv"),
        ({"prices": "# mine\n\nUser,all,2026-02-30,,1,USD"}, "prices.csv, line 4: valid_from must be a date such as"),
        ({"prices": "User,all,20260201,,1,USD"}, "prices.csv, line 2: valid_from must be a date such as 2026-10-01"),
        ({"prices": "User,all,2026-02-01,2026-02-01,1,USD"}, "line 2: valid_to (2026-02-01) must lie after"),
        ({"prices": "User,all,,,1.23456,USD"}, "line 2: amount must be a number such as 20.50"),
        ({"prices": "User,all,,,-1,USD"}, "line 2: amount must be a number"),
        ({"prices": "User,all,,,1e3,USD"}, "line 2: amount must be a number"),
        ({"prices": "User,all,,,1,usd"}, "line 2: currency must be three capital letters"),
        ({"prices": "User,all,,,1"}, "line 2: 6 cells are wanted"),
        ({"prices": "User,,,,1,USD"}, "line 2: organization is empty."),
        (
            {"prices": "User,all,2026-01-01,2026-03-01,1,USD\nUser,all,2026-02-01,,2,USD"},
            "prices.csv, line 3: the price of User for all organizations overlaps with line 2: both hold on 2026-02-01",
        ),
        (
            {"prices": "User,all,,,1,USD\nAdmin,org,,,1,EUR"},
            "prices.csv, line 3: two currencies for org: EUR here, USD in line 2.",
        ),
        (
            {"prices": "User,all,,,1,USD\nAdmin,all,,,1,EUR", "billing": "all,,USD"},
            "line 3: the price is in EUR, but all organizations is billed in USD, and exchange_rates.csv has no rate",
        ),
        (
            {
                "prices": "Admin,org,2026-01-01,,1,EUR",
                "billing": "org,,USD",
                "exchange_rates": "EUR,USD,2026-01-01,2026-06-01,1.1",
            },
            "has no rate from EUR to USD on 2026-06-01",
        ),
        (
            {"billing": "org,sometimes,"},
            "billing.csv, line 2: convention must be one of month-end, peak, average, seat",
        ),
        ({"billing": "org,peak,\norg,average,"}, "billing.csv, line 3: org stands in line 2 already."),
        (
            {"billing": f"{INVITES}\norg,peak,,maybe"},
            "billing.csv, line 2: invites_take_seats must be true or false, not",
        ),
        ({"billing": f"{INVITES}\norg,peak,"}, "billing.csv, line 2: 4 cells are wanted"),
        ({"billing": "org,peak,,true"}, "billing.csv, line 2: 3 cells are wanted"),
        ({"cost_centres": "name,Ada,Research,,"}, "cost_centres.csv, line 2: match must be one of id, email"),
        ({"cost_centres": "email,Ada,Research,,"}, "line 2: Ada is no e-mail address."),
        ({"cost_centres": "domain,a@b.c,Research,,"}, "line 2: a@b.c is no e-mail domain; write example.com."),
        (
            {"cost_centres": "email,ada@b.c,Research,,\nemail,Ada@B.c,Sales,2026-01-01,"},
            "cost_centres.csv, line 3: the cost centre of email ada@b.c overlaps with line 2",
        ),
        ({"cost_centres": "id,user_1,,,"}, "line 2: cost_centre is empty."),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_the_reason(tmp_path: Path, files: dict[str, str], sentence: str):
    with pytest.raises(BadReference) as refused:
        _read(tmp_path, **files)
    assert sentence in str(refused.value)


def test_columns_that_are_others_are_refused(tmp_path: Path):
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "prices.csv").write_text("# prices\ntype,amount\n")
    with pytest.raises(BadReference, match=r"prices\.csv, line 2: the columns must be license_type,organization"):
        finance_reference(DataDirectory(tmp_path), KNOWN)


def test_the_shipped_files_are_empty_and_their_examples_can_be_used(tmp_path: Path):
    types = license_types(PROJECT_REFERENCE / LICENSE_TYPES).column("license_type").to_pylist()
    assert finance_reference(DataDirectory(PROJECT_REFERENCE.parent), types) == FinanceReference([], [], [], [])
    (tmp_path / "reference").mkdir()
    for name in FILES[1:]:
        lines = (PROJECT_REFERENCE / name).read_text().splitlines()
        commented = [line.removeprefix("# ") for line in lines if line.startswith("# ")]
        written = [line for line in commented if line.count(",") == lines[-1].count(",") and ", " not in line]
        (tmp_path / "reference" / name).write_text("\n".join([lines[-1], *written]))
    found = finance_reference(DataDirectory(tmp_path), types)
    assert (len(found.prices), len(found.rules), len(found.billing), len(found.rates)) == (3, 4, 2, 1)


@pytest.mark.slow
def test_a_bad_file_leaves_the_last_good_warehouse(tmp_path: Path):
    world = Finance(tmp_path)
    day = date(2026, 10, 1)
    members = {"user_1": {"email": "a@x.org"}, "user_2": {"email": "b@y.org", **ADMIN}}
    world.reference(
        prices="User,all,,,30.00,USD\nUser,org,,,10.00,EUR\nAdmin,all,,,50.00,USD",
        billing="org,,USD",
        exchange_rates="EUR,USD,,,1.085",
        cost_centres="domain,x.org,X,,\nemail,A@x.org,A,2026-10-01,\nid,user_1,One,2026-10-02,",
    )
    world.publish(observed(day, members), observed(date(2026, 10, 2), members))
    prices = world.ask("select license_type, cost_centre, price, cost, currency from finance_monthly order by all")
    assert prices == [
        ("Admin", "Unassigned", Decimal("50.0000000000"), Decimal("50.00"), "USD"),
        ("User", "A", Decimal("10.8500000000"), Decimal("0.00"), "USD"),
        ("User", "One", Decimal("10.8500000000"), Decimal("10.85"), "USD"),
    ]
    before = world.tree.warehouse.read_bytes()
    world.reference(prices="User,all,,,thirty,USD")
    refused = world("report", "--month", "2026-10")
    assert refused.status == 1
    assert "prices.csv, line 2: amount must be a number" in refused.err
    assert world.tree.warehouse.read_bytes() == before


@pytest.mark.slow
def test_keys_are_free_unless_priced_and_seats_without_price_cost_what_is_not_known(tmp_path: Path):
    world = Finance(tmp_path)
    key = {"license_type": "API Key", "role": None, "owner_email": "a@x.org", "workspace_name": "Lab"}
    day = Snapshot("org", date(2026, 10, 1), {"user": {"user_1": {}}, "api_key": {"apikey_1": key}, "invite": {}})
    world.publish(day)
    assert world.ask("select license_type, price, cost, currency from finance_monthly") == [("User", None, None, None)]
    world.reference(prices="API Key,all,,,1.005,USD", cost_centres="workspace,Lab,Lab,,\ndomain,x.org,X,,")
    world.publish()
    assert world.ask("select license_type, cost_centre, cost from finance_monthly order by all") == [
        ("API Key", "Lab", Decimal("1.01")),
        ("User", "Unassigned", None),
    ]


@pytest.mark.slow
def test_whether_invitations_take_seats_is_the_organizations_own_word_then_that_for_all_then_yes(tmp_path: Path):
    world = Finance(tmp_path)
    world.reference(billing=f"{INVITES}\nall,,,false\nasked,,,\nown,peak,,TRUE\n")
    day = date(2026, 10, 1)
    rosters = {"user": {}, "api_key": {}, "invite": {"invite_1": {"email": "a@x.org", "status": "Pending"}}}
    world.publish(*(Snapshot(name, day, rosters) for name in ("asked", "other", "own")))
    seats = "select organization_id, seats_month_end from finance_monthly order by all"
    assert world.ask(seats) == [("own", 1)]
    world.reference(billing="own,peak,")
    world.publish()
    assert world.ask(seats) == [("asked", 1), ("other", 1), ("own", 1)]


def test_every_file_may_have_comments_and_blank_lines_anywhere_and_counts_them(tmp_path: Path):
    place = tmp_path / LICENSE_TYPES
    place.write_text("# ours\n\nrole,license_type,takes_seat\n  # the usual\nuser,User,TRUE\n,,\nadmin,Admin,no\n")
    with pytest.raises(BadReference, match=r"^license_types\.csv, line 7: takes_seat must be true or false, not no\.$"):
        license_types(place)
    place.write_text(place.read_text().replace(",no", ",false"))
    assert license_types(place).column("takes_seat").to_pylist() == [True, False]
