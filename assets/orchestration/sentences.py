"""Errors at Dagster's edge: our own become a `Failure` whose description is the sentence; others stay what they are."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import dagster as dg

from assets.errors import LicenseHistoryError
from assets.files.atomic import because
from assets.orchestration.failures import Failure
from assets.room import ran_out


@contextmanager
def told(so_far: Callable[[], Iterable[Failure]] = tuple) -> Iterator[None]:
    """Within it, what went wrong reaches the UI as a sentence and is not tried again by Dagster. What had failed
    `so_far` is told with it: no later step will."""
    try:
        yield
    except LicenseHistoryError as error:
        raise failure([*(one.sentence for one in so_far()), str(error)]) from error
    except (OSError, MemoryError) as error:
        if not ran_out(error):
            raise
        raise failure([*(one.sentence for one in so_far()), f"{because(error)}."]) from error


def failure(sentences: Iterable[str]) -> dg.Failure:
    """How a step ends of which these sentences are to be told, each once."""
    return dg.Failure("\n".join(dict.fromkeys(sentences)), allow_retries=False)
