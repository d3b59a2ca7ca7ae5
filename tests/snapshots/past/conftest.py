"""An operator with a sandbox organization whose Activity Feed can be asked."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sandbox import Clock, Options, Organization, create_app, serving
from tests.commandline import Operator

LAST = date(2026, 11, 20)
TWO = datetime(2026, 11, 21, 2, tzinfo=UTC)

Company = Callable[..., Operator]


@pytest.fixture(scope="session")
def organization() -> Organization:
    return Organization("backfill", members=120, api_keys=40)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory, home: Path, organization: Organization) -> Iterator[Company]:
    """Somebody whose pipeline has observed `LAST`, and nothing before it."""
    with ExitStack() as stack:

        def start(options: Options | None = None, **environment: str) -> Operator:
            clock = Clock(TWO)
            url = stack.enter_context(serving(create_app(organization, clock=clock.now, options=options)))
            operator = Operator(tmp_path_factory.mktemp("company"), url, clock, home=home, **environment)
            finished = operator.night(LAST)
            assert finished.status == 0, finished.err
            return operator

        yield start
