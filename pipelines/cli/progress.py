"""Progress for a person who watches; nothing where nobody does."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class _Shown(logging.Handler):
    """Shows what the assets' modules report as they go along; a record that says `done` moves the bar on."""

    def __init__(self, progress: Progress, total: int | None) -> None:
        super().__init__(logging.INFO)
        self._progress = progress
        self._task = progress.add_task("starting", total=total)

    def emit(self, record: logging.LogRecord) -> None:
        advance = 1 if getattr(record, "done", False) else 0
        self._progress.update(self._task, description=record.getMessage(), advance=advance)


@contextmanager
def watched(title: str, total: int | None = None) -> Iterator[None]:
    """Show what the work is at, while the block runs, if standard error is a terminal; a bar where `total` is known."""
    console = Console(stderr=True)
    log = logging.getLogger("assets")
    if not console.is_terminal:
        yield
        return
    bar = (BarColumn(), MofNCompleteColumn()) if total else (SpinnerColumn(),)
    columns = (*bar, TextColumn(f"[bold]{title}[/bold]"), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        handler, level = _Shown(progress, total), log.level
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            yield
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
