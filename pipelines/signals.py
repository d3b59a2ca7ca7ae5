"""Whether somebody wants this process to end: known even where Dagster or DuckDB takes the signal for itself.

Ctrl-C, `systemctl stop`, `docker stop` and `timeout` send SIGINT or SIGTERM. Dagster answers with its own exception
inside a step and goes on; DuckDB ends its query with an error that does not say why. Python notes each signal's number
in a pipe before any handler runs, so what came is read there.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

ENDING = (signal.SIGINT, signal.SIGTERM)

_came: list[signal.Signals] = []
_notes: list[int] = []


@contextmanager
def listening() -> Iterator[None]:
    """Within it both signals unwind what is under way, as KeyboardInterrupt, and `ended_by` tells which one came."""
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    _notes.append(reader)
    try:
        yield
    finally:
        _notes.pop()
        _came.clear()
        signal.signal(signal.SIGTERM, handler)
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


def ended_by() -> signal.Signals | None:
    """The first signal that came and ends a process; None where none did."""
    with suppress(BlockingIOError, IndexError):
        _came.extend(one for number in os.read(_notes[-1], 4096) if (one := signal.Signals(number)) in ENDING)
    return _came[0] if _came else None
