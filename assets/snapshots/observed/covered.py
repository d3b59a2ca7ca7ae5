"""Coverage: which days each source of usage could see in one night's answers, and how much of the use on them."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from assets.days import yesterday
from assets.extraction.api import ANALYTICS_USAGE, API_KEYS
from assets.extraction.landing import ListOutcome, Observation
from assets.extraction.usage_calls import Span
from assets.snapshots.schema import COVERAGE, HolderType
from assets.snapshots.usage_sources import Sees, UsageSource, sources


def coverage(connection: duckdb.DuckDBPyConnection, observation: Observation) -> pa.Table:
    """One row per source, kind of holder and span that its data reached. Reads `unattributed` and `raw_api_keys`."""
    told = connection.table("unattributed").fetchall()
    unattributed = sorted({day for endpoint, day, _ in told if endpoint == ANALYTICS_USAGE.name})
    rows = [
        {
            "source": one.source,
            "endpoint": one.endpoint,
            "holder_type": one.holder_type.value,
            "sees": sees.value,
            "covered_from": span.first,
            "covered_to": span.last,
        }
        for one in sources()
        if (reached := _reached(connection, observation, one.endpoint))
        for span, sees in _seen(one, reached, unattributed)
    ]
    return pa.Table.from_pylist(rows, COVERAGE)


def _reached(connection: duckdb.DuckDBPyConnection, observation: Observation, endpoint: str) -> Span | None:
    """The days that a source's data reached; the list of API keys speaks of its own day where it tells of use."""
    manifest = observation.manifest
    if not manifest.has(endpoint):
        return None
    last = min(manifest.day, yesterday(manifest.observed_at))
    if endpoint == API_KEYS.name:
        tells = connection.table("raw_api_keys").count("last_used_at").fetchall()[0][0] > 0
        return Span(last, last) if tells and last == manifest.day else None
    return _span_reached(manifest.lists[endpoint], last)


def _span_reached(outcome: ListOutcome, last_over: date) -> Span | None:
    if outcome.covers_from is None or outcome.covers_to is None:
        return None
    # An older landing does not say how far it reached: what was asked stands for it.
    reached = min(outcome.covers_to, last_over) if outcome.calls is None else outcome.reached
    return Span(outcome.covers_from, reached) if reached and reached >= outcome.covers_from else None


def _seen(one: UsageSource, reached: Span, unattributed: list[date]) -> Iterator[tuple[Span, Sees]]:
    """The days, cut where a row of the newer report names nobody: there anybody may be meant, but no other key."""
    cuts = unattributed if (one.endpoint, one.holder_type) == (ANALYTICS_USAGE.name, HolderType.USER) else []
    first, one_day = reached.first, timedelta(days=1)
    for day in (day for day in cuts if reached.first <= day <= reached.last):
        if first < day:
            yield Span(first, day - one_day), one.sees
        yield Span(day, day), Sees.SOME
        first = day + one_day
    if first <= reached.last:
        yield Span(first, reached.last), one.sees
