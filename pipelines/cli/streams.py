"""Standard output and error as cron, pipes and odd terminals give them: closed, full, gone, unable to show a name."""

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Any


class Unheard:
    """A stream that takes what it is given even where it cannot be written: its disk is full, its reader has gone.

    What a command does must not depend on whether anybody can be told of it.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.failed: OSError | None = None

    def write(self, text: str) -> int:
        try:
            return int(self.stream.write(text))
        except OSError as error:
            self.failed = error
            return len(text)

    def flush(self) -> None:
        try:
            self.stream.flush()
        except OSError as error:
            self.failed = error

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def print_whatever_comes() -> None:
    """Names may hold what the terminal cannot show (LANG=C, latin-1, lone surrogates): shown escaped, never a crash."""
    if sys.stdout is None:  # a scheduler closed it: nobody listens
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.stderr = Unheard(sys.stderr)


def work_goes_on() -> None:
    """From here on what cannot be said on standard output is lost, and changes nothing else."""
    sys.stdout = Unheard(sys.stdout)


def told_in_vain() -> OSError | None:
    """Why standard output could not be written, though the work went on; who has gone wants to know nothing."""
    if not isinstance(sys.stdout, Unheard):
        return None
    sys.stdout.flush()
    failed = sys.stdout.failed
    return None if isinstance(failed, BrokenPipeError) else failed


def stop_writing() -> None:
    """What is still buffered would fail once more when the interpreter ends, and change the exit status."""
    for stream in (sys.stdout, sys.stderr):
        try:
            (stream.stream if isinstance(stream, Unheard) else stream).flush()
        except (OSError, ValueError):
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
