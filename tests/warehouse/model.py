"""The slow, obvious model of the history: every relation, by looking at the snapshots day by day."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from assets.warehouse.inputs import HISTORY
from tests.warehouse.snapshots import ROSTERS, Row, Snapshot

KEY = ("organization_id", "holder_type", "holder_id")
WHEN = ("valid_from", "valid_to", "is_current", "days_observed")
ATTRIBUTES = tuple(name for name in HISTORY.names if name not in (*KEY, *WHEN))
SEATS = {"User": True, "Admin": True, "Billing": False}
EVENTS = {
    "license_type": "license_changed",
    "role": "role_changed",
    "status": "status_changed",
    "status_raw": "status_word_changed",
    "name": "renamed",
    "email": "email_changed",
    "workspace_id": "workspace_moved",
    "owner_user_id": "owner_changed",
    "owner_status": "owner_status_changed",
    "expires_at": "expiry_changed",
}
Answer = tuple[object, ...]
Combination = tuple[str, str, str, bool]


class Model:
    """What the last version of each snapshot says."""

    def __init__(self, snapshots: list[Snapshot]) -> None:
        self.snapshots = {(one.organization, one.day): one for one in snapshots}
        self.organizations = sorted({organization for organization, _ in self.snapshots})

    def days(self, organization: str) -> list[date]:
        return sorted(day for name, day in self.snapshots if name == organization)

    @cached_property
    def rosters(self) -> dict[tuple[str, str], dict[date, dict[str, Row]]]:
        """For each organization and kind of holder: the known days, and on each the holders' whole rows."""
        found: dict[tuple[str, str], dict[date, dict[str, Row]]] = {}
        for (organization, day), snapshot in sorted(self.snapshots.items()):
            for kind in snapshot.rosters:
                rows = {row["holder_id"]: row for row in snapshot.rows() if row["holder_type"] == kind}
                found.setdefault((organization, kind), {})[day] = rows
        return found

    def license_history(self) -> Iterator[Answer]:
        for (organization, kind), by_day in self.rosters.items():
            days = list(by_day)
            for who in {who for rows in by_day.values() for who in rows}:
                states = [_attributes(by_day[day].get(who)) for day in days]
                starts = [i for i in range(len(days)) if i == 0 or states[i] != states[i - 1]]
                for start, end in zip(starts, [*starts[1:], len(days)], strict=True):
                    if (state := states[start]) is not None:
                        until = days[end] if end < len(days) else None
                        yield organization, kind, who, *state, days[start], until, until is None, end - start

    def license_events(self) -> Iterator[Answer]:
        for (organization, kind), by_day in self.rosters.items():
            seen: set[str] = set()
            before: date | None = None
            for day, rows in by_day.items():
                earlier = by_day[before] if before else {}
                for who in earlier.keys() | rows.keys():
                    for event, attribute, old, new in _events(earlier.get(who), rows.get(who), who in seen):
                        yield day, before, organization, kind, who, event, attribute, old, new
                seen |= rows.keys()
                before = day

    def seat_counts_daily(self) -> Iterator[Answer]:
        for (organization, kind), by_day in self.rosters.items():
            met: set[Combination] = set()
            for day, rows in by_day.items():
                counts = Counter(_combination(kind, row) for row in rows.values())
                met |= counts.keys()
                yield from ((day, organization, *combination, counts[combination]) for combination in met)

    def seat_counts_monthly(self) -> Iterator[Answer]:
        for (organization, kind), by_day in self.rosters.items():
            met: set[Combination] = set()
            for month in sorted({day.replace(day=1) for day in by_day}):
                days = [day for day in by_day if day.replace(day=1) == month]
                met |= {_combination(kind, row) for day in days for row in by_day[day].values()}
                for combination in met:
                    counts = {
                        day: sum(_combination(kind, row) == combination for row in by_day[day].values()) for day in days
                    }
                    moves = self._moves(by_day, days, combination)
                    known = (len(days), monthrange(month.year, month.month)[1], self._final(organization, by_day, days))
                    yield month, organization, *combination, *_month(counts), *moves, *known

    def _moves(self, by_day: dict[date, dict[str, Row]], days: list[date], combination: Combination) -> list[int]:
        known = list(by_day)
        moves: Counter[str] = Counter()
        for day in days:
            earlier = by_day[known[known.index(day) - 1]] if day != known[0] else {}
            for who in earlier.keys() | by_day[day].keys():
                was, now = (
                    _combination(combination[0], rows[who]) if who in rows else None for rows in (earlier, by_day[day])
                )
                moves["joiners"] += was is None and now == combination
                moves["leavers"] += now is None and was == combination
                moves["changed_in"] += was is not None and was != now and now == combination
                moves["changed_out"] += now is not None and was != now and was == combination
        return [moves[name] for name in ("joiners", "leavers", "changed_in", "changed_out")]

    def _final(self, organization: str, by_day: dict[date, dict[str, Row]], days: list[date]) -> bool:
        month_end = days[0].replace(day=monthrange(days[0].year, days[0].month)[1])
        first = max(days[0].replace(day=1), min(by_day))
        wanted = [first + timedelta(days=i) for i in range((month_end - first).days + 1)]
        return self.days(organization)[-1] >= month_end and all(
            day in by_day and self.snapshots[organization, day].is_final for day in wanted
        )

    def snapshot_gaps(self) -> Iterator[Answer]:
        for organization in self.organizations:
            days = self.days(organization)
            for i in range((days[-1] - days[0]).days):
                if (day := days[0] + timedelta(days=i)) not in days:
                    yield organization, day

    def license_snapshots(self) -> Iterator[Answer]:
        for snapshot in self.snapshots.values():
            for row in snapshot.rows():
                state = _attributes(row)
                assert state is not None
                how = (row["provenance"], row["observed_at"], row["run_id"])
                yield snapshot.day, snapshot.organization, row["holder_type"], row["holder_id"], *state, *how

    def licenses_on(self, day: date) -> Iterator[Answer]:
        for (organization, kind), by_day in self.rosters.items():
            until = [known for known in by_day if known <= day]
            if until and day <= self.days(organization)[-1]:
                for who, row in by_day[until[-1]].items():
                    state = _attributes(row)
                    assert state is not None
                    yield organization, kind, who, *state, until[-1], until[-1] == day


def _attributes(row: Row | None) -> Answer | None:
    return None if row is None else tuple(row[name] for name in ATTRIBUTES)


def _combination(kind: str, row: Row) -> Combination:
    takes = (
        kind in ROSTERS and kind != "api_key" and row["status"] != "Disabled" and SEATS.get(row["license_type"], True)
    )
    return kind, row["license_type"], row["status"], takes


def _events(old: Row | None, new: Row | None, seen: bool) -> Iterator[tuple[str, str, object, object]]:
    if old is None or new is None:
        event = "left" if new is None else "returned" if seen else "joined"
        yield event, "license_type", old and old["license_type"], new and new["license_type"]
        return
    for attribute, event in EVENTS.items():
        if old[attribute] != new[attribute]:
            gone = attribute == "owner_status" and new[attribute] == "left"
            yield "owner_left" if gone else event, attribute, _shown(old[attribute]), _shown(new[attribute])


def _shown(value: object) -> object:
    return f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value


def _month(counts: dict[date, int]) -> Answer:
    peak = max(counts.values())
    average = Decimal(sum(counts.values())) / len(counts)
    return (
        list(counts.values())[-1],
        peak,
        next(day for day, count in counts.items() if count == peak),
        average.quantize(Decimal("0.0001"), ROUND_HALF_UP),
        sum(counts.values()),
    )
