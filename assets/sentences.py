"""Errors at Dagster's edge: our own become a `Failure` whose description is the sentence; others stay what they are."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from assets.errors import LicenseHistoryError


@contextmanager
def told() -> Iterator[None]:
    """Within it, what went wrong reaches the UI as a sentence and is not tried again by Dagster."""
    try:
        yield
    except LicenseHistoryError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
