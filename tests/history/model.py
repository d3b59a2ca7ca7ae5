"""The slow, obvious model of the history: every relation, by looking at the snapshots day by day."""

from calendar import monthrange
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from assets.snapshots.schema import LICENSE_ASSIGNMENTS, NOT_ATTRIBUTES
from tests.history.snapshots import Row, Snapshot

KEY = ("organization_id", "holder_type", "holder_id")
ATTRIBUTES = (
    *(name for name in LICENSE_ASSIGNMENTS.names if name not in {*KEY, *NOT_ATTRIBUTES, "organization_name"}),
    "takes_seat",
)
NULL_IS_A_VALUE = {"license_type", "takes_seat", "status", "workspace_id", "owner_user_id", "expires_at"}
EVENTS = {
    "license_type": "license_changed",
    "takes_seat": "seat_rule_changed",
    "role": "role_changed",
    "status": "status_changed",
    "status_raw": "status_word_changed",
    "name": "renamed",
    "email": "email_changed",
    "workspace_id": "workspace_moved",
    "owner_user_id": "owner_changed",
    "owner_status": "owner_status_changed",
    "owner_email": "owner_email_changed",
    "workspace_name": "workspace_renamed",
    "assigned_at": "assigned_again",
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
    def told(self) -> dict[tuple[str, str], dict[date, dict[str, Row]]]:
        """For each organization and kind of holder: the known days, and on each the holders' rows as they were told."""
        found: dict[tuple[str, str], dict[date, dict[str, Row]]] = {}
        for (organization, day), snapshot in sorted(self.snapshots.items()):
            for kind in snapshot.rosters:
                rows = {row["holder_id"]: row for row in snapshot.rows() if row["holder_type"] == kind}
                found.setdefault((organization, kind), {})[day] = rows
        return found

    @cached_property
    def rosters(self) -> dict[tuple[str, str], dict[date, dict[str, Row]]]:
        """The same, with what is looked up: not knowing is no change."""
        return {
            (organization, kind): {
                day: {who: self._known(organization, day, row) for who, row in rows.items()}
                for day, rows in by_day.items()
            }
            for (organization, kind), by_day in self.told.items()
        }

    def _known(self, organization: str, day: date, row: Row) -> Row:
        row = row | {"takes_seat": row["holder_type"] != "api_key" and row["status"] != "Disabled"}
        members, looked = self._as_of(organization, "user", day)
        if row["holder_type"] == "invite" and self._is_member(organization, day, row, members):
            row["takes_seat"] = False
        if row["owner_status"] == "unknown" and row["owner_user_id"]:
            owner = members.get(row["owner_user_id"])
            if looked is None:  # the first list that was read at all: who had been added by then was there
                owner = next(iter(self.told.get((organization, "user"), {}).values()), {}).get(row["owner_user_id"])
                owner = owner if owner and owner["assigned_at"] and owner["assigned_at"].date() <= day else None
            there = looked and row["assigned_at"] and row["assigned_at"].date() <= looked
            row["owner_status"] = "member" if owner else "left" if there else "unknown"
            row["owner_email"] = owner["email"] if owner else None
        if row["workspace_id"] and not row["workspace_name"]:
            names = [
                other["workspace_name"]
                for told_on, rows in self.told[organization, "api_key"].items()
                for other in rows.values()
                if told_on <= day and other["workspace_id"] == row["workspace_id"] and other["workspace_name"]
            ]
            later = [
                other["workspace_name"]
                for rows in self.told[organization, "api_key"].values()
                for other in rows.values()
                if other["workspace_id"] == row["workspace_id"] and other["workspace_name"]
            ]
            row["workspace_name"] = (names[-1] if names else later[0]) if later else None
        row["key_scope"] = "workspace" if row["workspace_id"] else row["key_scope"]
        return row

    def _is_member(self, organization: str, day: date, invite: Row, members: dict[str, Row]) -> bool:
        """Somebody has accepted it by then, though they may have left since; or has its address now."""
        address = (invite["email"] or "").lower()
        linked = self._links(organization).get(invite["holder_id"])
        by_day = self.told.get((organization, "user"), {})
        accepted = any(
            linked in rows and rows[linked]["assigned_at"] == linked_at
            for known, rows in by_day.items()
            for linked_at in [self._accepted(organization).get(invite["holder_id"])]
            if known <= day
        )
        return accepted or any(address == (row["email"] or "-").lower() for row in members.values())

    def _links(self, organization: str) -> dict[str, str]:
        return {invite: who for invite, (_, who) in self._accepting(organization).items()}

    def _accepted(self, organization: str) -> dict[str, datetime]:
        return {invite: at for invite, (at, _) in self._accepting(organization).items()}

    def _accepting(self, organization: str) -> dict[str, tuple[datetime, str]]:
        """Invites that somebody accepted: the first member with the address who was added while it stood."""
        members = {
            (row["assigned_at"], who, row["email"].lower())
            for rows in self.told.get((organization, "user"), {}).values()
            for who, row in rows.items()
            if row["assigned_at"] and row["email"]
        }
        by_day = self.told.get((organization, "invite"), {})
        invites: dict[tuple[str, str], list[date]] = {}
        sent: dict[tuple[str, str], datetime] = {}
        for day, rows in by_day.items():
            for who, row in rows.items():
                if row["email"] and row["assigned_at"]:
                    invites.setdefault((who, row["email"].lower()), []).append(day)
                    sent[who, row["email"].lower()] = row["assigned_at"]
        pairs = []
        for (invite, address), days in invites.items():
            end = next((day for day in by_day if day > days[-1]), date.max)
            pairs += [
                (sent[invite, address], invite, at, who)
                for at, who, email in members
                if email == address and at >= sent[invite, address] and at.date() <= end
            ]
        last_for = {(at, who): max(p for p in pairs if p[2:] == (at, who))[0] for _, _, at, who in pairs}
        best = {
            (at, who): min(p[1] for p in pairs if p[2:] == (at, who) and p[0] == last_for[at, who])
            for _, _, at, who in pairs
        }
        first = {invite: min(p[2:] for p in pairs if p[1] == invite) for _, invite, _, _ in pairs}
        return {invite: (at, who) for (at, who), invite in best.items() if first[invite] == (at, who)}

    def _as_of(self, organization: str, kind: str, day: date) -> tuple[dict[str, Row], date | None]:
        by_day = self.told.get((organization, kind), {})
        known = [one for one in by_day if one <= day]
        return (by_day[known[-1]], known[-1]) if known else ({}, None)

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
                    links = self._links(organization)
                    for event, attribute, old, new in _events(earlier.get(who), rows.get(who), who in seen, links):
                        yield day, before, organization, kind, who, event, attribute, old, new
                seen |= rows.keys()
                before = day

    def seat_counts_daily(self) -> Iterator[Answer]:
        end = max(day for _, day in self.snapshots)
        for (organization, kind), by_day in self.rosters.items():
            met: set[Combination] = set()
            first = min(by_day)
            for day in (first + timedelta(days=i) for i in range((end - first).days + 1)):
                as_of = max(known for known in by_day if known <= day)
                counts = Counter(_combination(kind, row) for row in by_day[as_of].values())
                met |= counts.keys()
                for combination in met:
                    yield day, day == as_of, as_of, organization, *combination, counts[combination]

    def seat_counts_monthly(self) -> Iterator[Answer]:
        for (organization, kind), by_day in self.rosters.items():
            met: set[Combination] = set()
            end, day, months = max(day for _, day in self.snapshots), min(by_day), []
            while day <= end:
                months.append(day := day.replace(day=1))
                day += timedelta(days=monthrange(day.year, day.month)[1])
            for month in months:
                observed = [day for day in by_day if day.replace(day=1) == month]
                before = [day for day in by_day if day < month]
                # nobody looked: what was known before, on each of its days
                days = observed or before[-1:]
                met |= {_combination(kind, row) for day in days for row in by_day[day].values()}
                length = monthrange(month.year, month.month)[1]
                for combination in met:
                    counts = {
                        day: sum(_combination(kind, row) == combination for row in by_day[day].values()) for day in days
                    }
                    if not observed:
                        last = min(end, month.replace(day=length))
                        counts = {month + timedelta(days=i): counts[days[0]] for i in range((last - month).days + 1)}
                    moves = self._moves(by_day, observed, combination, organization)
                    known = (len(observed), length, bool(observed) and self._final(organization, by_day, observed))
                    yield month, organization, *combination, *_month(counts), *moves, *known

    def _moves(
        self, by_day: dict[date, dict[str, Row]], days: list[date], combination: Combination, organization: str
    ) -> list[int]:
        known = list(by_day)
        moves: Counter[str] = Counter()
        for day in days:
            earlier = by_day[known[known.index(day) - 1]] if day != known[0] else {}
            for who in earlier.keys() | by_day[day].keys():
                was, now = (
                    _combination(combination[0], rows[who]) if who in rows else None for rows in (earlier, by_day[day])
                )
                moves["joiners"] += was is None and now == combination
                accepted = combination[0] == "invite" and who in self._links(organization)
                moves["leavers"] += now is None and was == combination and not accepted
                moves["changed_in"] += was is not None and was != now and now == combination
                moves["changed_out"] += (now is not None or accepted) and was != now and was == combination
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
        for (organization, kind), by_day in self.rosters.items():
            for day, rows in by_day.items():
                for who, row in rows.items():
                    state = _attributes(row)
                    assert state is not None
                    how = (row["provenance"], row["observed_at"], row["run_id"])
                    yield day, organization, kind, who, *state[:-1], *how

    def licenses_on(self, day: date) -> Iterator[Answer]:
        for (organization, kind), by_day in self.rosters.items():
            until = [known for known in by_day if known <= day]
            if until:
                for who, row in by_day[until[-1]].items():
                    state = _attributes(row)
                    assert state is not None
                    yield organization, kind, who, *state[:-1], until[-1], until[-1] == day


def _attributes(row: Row | None) -> Answer | None:
    return None if row is None else tuple(row[name] for name in ATTRIBUTES)


def _combination(kind: str, row: Row) -> Combination:
    return kind, row["license_type"], row["status"], row["takes_seat"]


def _events(
    old: Row | None, new: Row | None, seen: bool, links: dict[str, str]
) -> Iterator[tuple[str, str, object, object]]:
    if old is None or new is None:
        row = old or new
        assert row is not None
        if row["holder_type"] == "invite":
            gone = "accepted" if row["holder_id"] in links else "invite_ended"
            event = gone if new is None else "invited"
        else:
            event = "left" if new is None else "returned" if seen else "joined"
        yield event, "license_type", old and old["license_type"], new and new["license_type"]
        return
    for attribute, event in EVENTS.items():
        before, after = old[attribute], new[attribute]
        if attribute in ("owner_status", "owner_email") and "unknown" in (old["owner_status"], new["owner_status"]):
            continue
        if attribute == "owner_email" and old["owner_user_id"] != new["owner_user_id"]:
            continue
        if attribute == "workspace_name" and old["workspace_id"] != new["workspace_id"]:
            continue
        if attribute == "takes_seat" and (old["status"], old["role"]) != (new["status"], new["role"]):
            continue
        told = attribute in NULL_IS_A_VALUE or attribute == "owner_email" or None not in (before, after)
        if before != after and told:
            left = attribute == "owner_status" and after == "left"
            yield "owner_left" if left else event, attribute, _shown(before), _shown(after)


def _shown(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
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
