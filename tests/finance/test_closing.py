"""A month is signed once, and what was signed never changes."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from assets.finance.closing import close_month
from assets.finance.frozen import INVITES
from assets.layout import snapshot_file
from pipelines.subjects import SUBJECTS
from tests.files.disks import killed_at, leftovers
from tests.finance.worlds import ADMIN, NOVEMBER, OCTOBER, Finance, days, observed, signed_by_an_older_version
from tests.history.snapshots import Row, Snapshot

LAST = date(2026, 10, 31)
TWO: dict[str, Row] = {"user_1": {"email": "a@x.org"}, "user_2": {"email": "b@x.org"}}


@pytest.fixture(scope="module")
def october(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two Users on every day of October, published."""
    world = Finance(tmp_path_factory.mktemp("october"))
    world.reference(prices="User,all,,,30.00,USD\nAdmin,all,,,50.00,USD")
    world.publish(*(observed(day, TWO) for day in days(OCTOBER, LAST)))
    return world.root


@pytest.fixture
def world(october: Path, tmp_path: Path) -> Finance:
    """A copy of it: whatever is done to it, the next test begins with October as it was."""
    return Finance(shutil.copytree(october, tmp_path / "world"))


@pytest.mark.slow
def test_a_month_that_is_not_final_is_refused_until_its_gaps_are_acknowledged_by_name(world: Finance):
    gap, unread = date(2026, 10, 5), date(2026, 10, 7)
    snapshot_file(world.tree, gap, "org").unlink()
    world.publish(Snapshot("org", unread, {"user": TWO, "api_key": {}}))
    refused = world("close", "2026-10")
    assert refused.status == 1
    assert "2026-10 is not final: 2026-10-05 (no snapshot); 2026-10-07 (invites unknown)" in refused.err
    assert "--acknowledge-gap 2026-10-05 --acknowledge-gap 2026-10-07" in refused.err
    assert world("close", "2026-10", "--acknowledge-gap", "2026-10-05").status == 1
    wrong = world("close", "2026-10", "--acknowledge-gap", "2026-10-06")
    assert (wrong.status, "2026-10-06 cannot be acknowledged" in wrong.err) == (2, True)
    assert world("close", "2026-10", "--acknowledge-gap", "5.10.").status == 2
    assert not (world.root / "finance").exists()
    assert world.row("select bool_or(is_final) from finance_monthly") == (False,)
    closed = world("close", "2026-10", "--acknowledge-gap", "2026-10-05", "--acknowledge-gap", "2026-10-07..2026-10-07")
    assert closed.status == 0, closed.err
    assert world.row("select bool_and(is_final) from finance_monthly") == (True,)
    assert world.row("select acknowledged_gaps, recorded_by from finance_closings") == ([gap, unread], "ada")


def test_what_cannot_be_signed_is_refused_with_a_sentence(world: Finance):
    for words, status, sentence in (
        (("close", "2026-11"), 1, "2026-11 is not over yet (it is 2026-11-24 UTC)"),
        (("close", "2026-09"), 1, "Nothing is known of 2026-09"),
        (("close", "October"), 2, "October is no month: write it as 2026-10."),
        (("reopen", "2026-10", "--reason", "x"), 1, "2026-10 is not closed"),
        (("reopen", "2026-10", "--reason", " "), 2, "only with a reason"),
        (("report", "--month", "2027-01"), 1, "knows nothing of 2027-01"),
    ):
        refused = world(*words)
        assert (refused.status, sentence in refused.err) == (status, True), refused.err


@pytest.mark.slow
def test_closing_reopening_and_closing_again_are_logged_and_what_was_signed_stays(world: Finance):
    assert world("close", "2026-10", "--by", "Ada").status == 0
    again = world("close", "2026-10")
    assert (again.status, "was closed on 2026-11-24 by Ada" in again.err) == (1, True)
    first = _files(world.root)
    world.publish(observed(LAST, TWO | {"user_3": ADMIN}))
    assert world.row("select sum(cost) from finance_closed") == (Decimal("60.00"),)
    assert world.row("select sum(cost) from finance_statement") == (Decimal("60.00"),)
    assert world.row("select sum(cost) from finance_monthly") == (Decimal("110.00"),)
    assert world("reopen", "2026-10", "--reason", "an Admin was missing", "--by", "Bo").status == 0
    assert world.ask("from finance_closed") == []
    assert world.row("select sum(cost) from finance_statement") == (Decimal("110.00"),)
    assert world("close", "2026-10", "--by", "Cy").status == 0
    assert world.ask("select event, recorded_by, reason, is_in_force from finance_closings order by number") == [
        ("closed", "Ada", None, False),
        ("reopened", "Bo", "an Admin was missing", False),
        ("closed", "Cy", None, True),
    ]
    now = _files(world.root)
    assert {path: now[path] for path in first} == first
    one, two = (msgspec.json.decode(now[f"log/000{number}.json"]) for number in (1, 3))
    changed = {path for path in one["inputs"] if one["inputs"][path] != two["inputs"][path]}
    assert changed == {"snapshots/license_assignments/snapshot_date=2026-10-31/organization_id=org/part.parquet"}


@pytest.mark.slow
def test_a_correction_is_made_good_once(world: Finance):
    """October is corrected after it was closed: November shows it; once November is closed, December does not."""
    world.publish(*(observed(day, TWO) for day in days(NOVEMBER, date(2026, 12, 2))))
    world.now = world.now.replace(month=12)
    assert world("close", "2026-10").status == 0
    world.publish(observed(LAST, TWO | {"user_3": ADMIN}))
    adjustments = "select month, restated_month, license_type, seats, cost from finance_adjustments"
    assert world.ask(adjustments) == [(NOVEMBER, OCTOBER, "Admin", 1, Decimal("50.00"))]
    assert world("close", "2026-11").status == 0
    assert world.ask(adjustments) == [(NOVEMBER, OCTOBER, "Admin", 1, Decimal("50.00"))]
    assert world.row("select cost_made_good, cost_open from finance_restatements") == (Decimal("50.00"), 0)
    world.publish(observed(LAST, TWO))
    assert (date(2026, 12, 1), OCTOBER, "Admin", 0, Decimal("-50.00")) in world.ask(adjustments)


@pytest.mark.slow
def test_what_was_signed_before_invitations_were_told_apart_is_read_and_says_that_it_is_not_known(world: Finance):
    invite: Row = {"email": "c@x.org", "status": "Pending"}
    rosters = {"user": TWO, "api_key": {}, "invite": {"invite_1": invite}}
    world.publish(*(Snapshot("org", day, rosters) for day in days(date(2026, 10, 31), NOVEMBER)))
    assert world("close", "2026-10").status == 0
    assert world.row("select invites_month_end, invite_joiners from finance_closed") == (1, 1)
    signed_by_an_older_version(world, 1, without=INVITES)
    world.publish()
    names = ", ".join(INVITES)
    assert world.row(f"select {names} from finance_closed") == (None,) * 5
    assert world.ask(f"select seats_before, seats_month_end, {names} from finance_statement order by month") == [
        (0, 3, 0, None, None, None, None),
        (3, 3, None, 0, 0, 0, 1),
    ]
    text = Path(world("report", "--month", "2026-10").out.strip()).read_text()
    assert "People – · Invitations –" in text
    assert world("reopen", "2026-10", "--reason", "to tell them apart").status == 0
    assert world.row("select sum(invites_month_end)::int, sum(invites_before)::int from finance_statement") == (2, 1)


@pytest.mark.slow
def test_figures_and_log_that_were_changed_by_hand_are_found(world: Finance):
    assert world("close", "2026-10").status == 0
    lines = next(world.root.glob("finance/closed/*/*/lines.parquet"))
    signed, before = lines.read_bytes(), world.tree.warehouse.read_bytes()
    lines.write_bytes(signed[:-1] + b"x")
    refused = world("reopen", "2026-10", "--reason", "x")
    assert (refused.status, "it is not what ada signed on 2026-11-24" in refused.err) == (1, True)
    lines.write_bytes(signed)
    log = world.root / "finance/log/0001.json"
    assert world("reopen", "2026-10", "--reason", "x").status == 0
    log.write_bytes(log.read_bytes().replace(b'"ada"', b'"bob"'))
    refused = world("close", "2026-10")
    assert (refused.status, "does not follow upon the entry before it" in refused.err) == (1, True)
    assert before != b""


@pytest.mark.slow
@pytest.mark.parametrize("turn", [15, 26, 28])
def test_a_closing_that_was_killed_is_signed_or_not_and_the_next_one_goes_on(world: Finance, turn: int):
    with killed_at(turn) as calls:
        close_month(SUBJECTS, world.tree, OCTOBER, by="ada", now=world.now)
    assert len(calls) >= turn, "it was killed before its end"
    signed = (world.root / "finance/log/0001.json").exists()
    again = world("close", "2026-10")
    assert (again.status, "was closed on 2026-11-24 by ada" in again.err) == ((1, True) if signed else (0, False))
    assert world.ask("select number, event, is_in_force from finance_closings") == [(1, "closed", True)]
    assert sorted(_files(world.root)) == [
        "closed/month=2026-10/closing=0001/adjustments.parquet",
        "closed/month=2026-10/closing=0001/lines.parquet",
        "log/0001.json",
    ]
    assert leftovers(world.root) == []


@pytest.mark.slow
def test_a_warehouse_built_anew_says_the_same_as_one_that_grew(world: Finance, tmp_path: Path):
    world.reference(cost_centres="email,a@x.org,A,2026-10-12,")
    assert world("close", "2026-10").status == 0
    world.publish(observed(LAST, TWO | {"user_3": ADMIN}), observed(NOVEMBER, TWO))
    anew = world.copy(tmp_path / "anew")
    anew.publish()
    for relation in ("monthly", "statement", "closed", "closings", "restatements", "adjustments", "daily", "days"):
        assert world.ask(f"from finance_{relation}") == anew.ask(f"from finance_{relation}"), relation


def _files(folder: Path) -> dict[str, bytes]:
    finance = folder / "finance"
    return {str(path.relative_to(finance)): path.read_bytes() for path in finance.rglob("*") if path.is_file()}
