"""What ends a step in Dagster's UI: a sentence where memory or disk ran out, the traceback where nobody foresaw it."""

import errno
import os

import dagster as dg
import pytest

from assets.errors import NoRoom
from assets.orchestration.failures import Failure
from assets.orchestration.sentences import told


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/d/part.parquet"),
            "/d/part.parquet: the disk is full: make room on it, or let LICENSES_DATA_DIR name another.",
        ),
        (MemoryError(), "memory ran out: LICENSES_MEMORY allows DuckDB 2.0GB; set it to more, such as 4.0GB."),
        (NoRoom("memory ran out."), "memory ran out."),
    ],
)
def test_room_that_ran_out_ends_a_step_with_a_sentence_after_what_had_failed_before(
    error: Exception, sentence: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("LICENSES_MEMORY", "2GB")
    with pytest.raises(dg.Failure) as failed, told(lambda: [Failure("org", "Acme has failed.")]):
        raise error
    assert (failed.value.description, failed.value.allow_retries) == (f"Acme has failed.\n{sentence}", False)


def test_what_nobody_foresaw_stays_what_it_is():
    for error in (OSError(errno.EIO, "x"), KeyError("x")):
        with pytest.raises(type(error)), told():
            raise error
