"""Serves a sandbox app on a loopback port: from a thread for tests, or for good for the command line."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import uvicorn
from starlette.types import ASGIApp

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 10


class Clock:
    """A clock that stands still until it is set: `Clock(...).now` is what `create_app` takes."""

    def __init__(self, instant: datetime) -> None:
        self.set(instant)

    def now(self) -> datetime:
        return self._instant

    def set(self, instant: datetime) -> None:
        if instant.tzinfo is None:
            raise ValueError("the clock needs a time zone")
        self._instant = instant.astimezone(UTC)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve the app from a thread for as long as the block runs; gives the base URL."""
    with _listener() as listener:
        port = listener.getsockname()[1]
        server = _ThreadServer(_config(app, port))
        thread = threading.Thread(target=server.run, args=([listener],), name=f"sandbox-{port}", daemon=True)
        thread.start()
        try:
            if not server.ready.wait(_PATIENCE_SECONDS):
                raise RuntimeError("the sandbox server did not start")
            yield f"http://{_HOST}:{port}"
        finally:
            server.stop()
            thread.join(_PATIENCE_SECONDS)


def run(app: ASGIApp, port: int) -> None:
    """Serve the app on this loopback port until interrupted."""
    uvicorn.Server(_config(app, port)).run()


class _ThreadServer(uvicorn.Server):
    """A server that tells when it listens, and that stops at once instead of at its next look at the clock."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stopped.wait()

    def stop(self) -> None:
        self.should_exit = self.force_exit = True
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopped.set)


def _listener() -> socket.socket:
    # With its protocol named, asyncio switches Nagle's algorithm off; without, each small answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((_HOST, 0))
    return listener


def _config(app: ASGIApp, port: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=_HOST,
        port=port,
        log_config=None,
        log_level=100,  # nothing at all: cut connections are on purpose here
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=1,
        loop="asyncio",
    )
