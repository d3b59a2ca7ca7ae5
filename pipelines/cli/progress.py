"""Progress for a person who watches; nothing where nobody does."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class _Shown(logging.Handler):
    """Shows what the extraction reports as it goes along."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.INFO)
        self._progress = progress
        self._task = progress.add_task("starting")

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.update(self._task, description=record.getMessage())


@contextmanager
def watched(title: str) -> Iterator[None]:
    """Show what the lists are at, while the block runs, if standard error is a terminal."""
    console = Console(stderr=True)
    log = logging.getLogger("assets.extraction")
    if not console.is_terminal:
        yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn(f"[bold]{title}[/bold]"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        handler, level = _Shown(progress), log.level
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
