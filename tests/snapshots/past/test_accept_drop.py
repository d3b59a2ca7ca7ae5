"""A day that the drop guard refused lies in the landing: it is filled once somebody says that so many are gone."""

from datetime import timedelta
from pathlib import Path

import pytest

from sandbox import serving
from tests.commandline import Operator
from tests.scripted import DAY, ScriptedApi, as_app, user

pytestmark = pytest.mark.slow

NEXT = DAY + timedelta(days=1)
AFTER = "2026-06-10T09:00:00Z"


def test_a_day_that_lost_most_holders_is_filled_from_the_landing_only_with_accept_drop(tmp_path: Path, home: Path):
    api = ScriptedApi(users=[user(number) for number in range(30)])
    with serving(as_app(api)) as url:
        operator = Operator(tmp_path, url, home=home)
        assert operator.night(DAY).status == 0
        api.lists["users"] = [user(1)]
        assert operator.night(NEXT).status == 1
        words = ("backfill", "--from", str(NEXT), "--to", str(NEXT))
        refused = operator(*words, LICENSES_NOW=AFTER)
        assert (refused.status, "--accept-drop" in refused.err) == (1, True), refused.err
        assert not list((operator.data / "snapshots").rglob(f"snapshot_date={NEXT}/*/part.parquet"))
        accepted = operator(*words, "--accept-drop", LICENSES_NOW=AFTER)
    assert (accepted.status, accepted.err) == (0, "")
    seats = operator.ask("select snapshot_date, count(*) from license_snapshots group by 1 order by 1")
    assert seats == [(DAY, 30), (NEXT, 1)]
