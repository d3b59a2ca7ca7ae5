"""One sandbox organization, and clients that talk to it over real HTTP."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox import Clock, Organization, Switches, create_app, serving
from tests.sandbox.clients import NOW, Api, Serve


@pytest.fixture(scope="session")
def organization() -> Organization:
    return Organization()


@pytest.fixture(scope="module")
def serve(organization: Organization) -> Iterator[Serve]:
    """Serves an organization with these options until the module's tests are done."""
    with ExitStack() as stack:

        def start(
            served: Organization = organization, *, stopwatch: Callable[[], float] | None = None, **options: Any
        ) -> Api:
            clock, switches = Clock(NOW), Switches(**options)
            app = create_app(served, clock=clock.now, options=switches, stopwatch=stopwatch)
            api = Api(stack.enter_context(serving(app)), clock, switches)
            stack.enter_context(api.client)
            return api

        yield start


@pytest.fixture(scope="module")
def api(serve: Serve) -> Api:
    return serve()
