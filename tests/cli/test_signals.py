"""Ctrl-C and SIGTERM (systemd, docker, timeout): one sentence, the signal's own status, nothing half published."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

import assets.warehouse.publish
from assets.warehouse.lineage import Lineage
from sandbox import serving
from tests.commandline import Operator
from tests.scripted import DAY, ScriptedApi, api_key, as_app, page, user

SIGNALS = pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT], ids=lambda sent: sent.name)


@pytest.fixture
def api() -> ScriptedApi:
    return ScriptedApi(users=[user(1), user(2)], api_keys=[api_key(1)])


@pytest.fixture
def operator(api: ScriptedApi, tmp_path: Path, home: Path) -> Iterator[Operator]:
    with serving(as_app(api)) as url:
        yield Operator(tmp_path, url, home=home)


def ended(operator: Operator, sent: signal.Signals) -> None:
    """A night that somebody ends says so in one sentence; afterwards everything is as it was before, in its place."""
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    told = operator.night(DAY)
    assert told.err == (
        f"licenses: ended by {sent.name}. Nothing is half published: what was put in place before stands, and the same "
        "command goes on from there.\n"
    )
    assert told.status == 128 + sent
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers


# It may come between a connection's being made and being anybody's to close.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.slow
@SIGNALS
def test_it_may_come_while_the_api_is_asked(operator: Operator, api: ScriptedApi, sent: signal.Signals):
    def asked(request: httpx.Request) -> httpx.Response:
        os.kill(os.getpid(), sent)
        return page([user(1), user(2)])

    api.says["users"] = asked
    ended(operator, sent)
    assert not (operator.data / "warehouse.duckdb").exists()
    del api.says["users"]
    assert operator.night(DAY).status == 0
    assert operator.ask("select count(*) from license_snapshots") == [(3,)]


@pytest.mark.slow
@SIGNALS
def test_it_may_come_in_the_middle_of_a_query(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
):
    def endless(connection: duckdb.DuckDBPyConnection, *_: Any, **__: Any) -> None:
        sender.start()
        connection.execute("select count(*) from range(1000000000) a, range(1000000000) b where a.range % 7 = b.range")

    sender = threading.Timer(0.2, os.kill, (os.getpid(), sent))
    with monkeypatch.context() as patch:
        patch.setattr(assets.warehouse.publish, "build", endless)
        ended(operator, sent)
    assert not (operator.data / "warehouse.duckdb").exists()
    assert operator.night(DAY).status == 0


@pytest.mark.slow
@SIGNALS
def test_it_may_come_when_everything_is_published(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, sent: signal.Signals
):
    with monkeypatch.context() as patch:
        patch.setattr(Lineage, "told", and_then(sent, Lineage.told))
        ended(operator, sent)
    assert operator.ask("select count(*) from license_snapshots") == [(3,)]
    again = operator.night(DAY)
    assert (again.status, "done already" in again.out) == (0, True)


@pytest.mark.slow
def test_what_is_done_when_it_comes_is_done(operator: Operator, monkeypatch: pytest.MonkeyPatch):
    import pipelines.cli.snapshot

    monkeypatch.setattr(
        pipelines.cli.snapshot, "summary", and_then(signal.SIGTERM, pipelines.cli.snapshot.summary, quietly=True)
    )
    assert operator.night(DAY).status == 0


def and_then(sent: signal.Signals, what: Callable[..., Any], *, quietly: bool = False) -> Callable[..., Any]:
    def done(*given: Any) -> Any:
        found = what(*given)
        try:
            os.kill(os.getpid(), sent)
        except KeyboardInterrupt:
            if not quietly:
                raise
        return found

    return done
