"""All that happens in the made-up company up to the end of an era: its people, keys, invitations, places and uses.

What one era brings is drawn without looking at the next, and only adds to what was: an instant has the same answer in
every chronicle that reaches it.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from sandbox.draws import tagged_id
from sandbox.habits import Habit, key_habit, last_use_of_key, person_habit, use_of_key, uses_by
from sandbox.invitations import (
    Invitation,
    invitation_of,
    invitations_of_member,
    invite_activities,
    invite_spans,
    stranger,
)
from sandbox.keys import TWINS, Key, Surroundings, key
from sandbox.people import SHARED, SPECIAL, Person, member_activities, member_spans, person, shared_person
from sandbox.places import Account, Place, accounts, default_place, place_activities, places
from sandbox.quirks import Quirks
from sandbox.rows import Activity, ApiKey, Invite, Member, Plan, ServiceAccount, Use, Workspace
from sandbox.timeline import Timeline, begin_of


class Company(NamedTuple):
    """What a company is made from; `members` and `api_keys` are those of the first era."""

    seed: str
    members: int
    api_keys: int
    plan: Plan
    quirks: Quirks
    organization_id: str
    tagged_id: str


class Chronicle:
    """A company's first eras, one or more. Nothing is computed before it is asked for."""

    def __init__(self, company: Company, eras: int) -> None:
        self._company, self._eras = company, eras
        self._seed, self._quirks = company.seed, company.quirks
        self._uses = lru_cache(maxsize=64 if company.members < 10_000 else 8)(self._uses_on)

    @cached_property
    def members(self) -> Timeline[Member]:
        return Timeline(span for someone in self._people for span in member_spans(someone))

    @cached_property
    def keys(self) -> Timeline[ApiKey]:
        return Timeline(span for one in self._keys for span in one.spans)

    @cached_property
    def invites(self) -> Timeline[Invite]:
        return Timeline(span for one in self.invitations for span in invite_spans(one, self._quirks))

    @cached_property
    def workspaces(self) -> Timeline[Workspace]:
        return Timeline(span for place in self._places for span in place.spans)

    @cached_property
    def accounts(self) -> Timeline[ServiceAccount]:
        return Timeline(span for account in self._accounts for span in account.spans)

    @cached_property
    def feed(self) -> list[Activity]:
        """Every activity of these eras, oldest first."""
        end = begin_of(self._eras)
        entries = sorted((one for one in self._told() if one.created_at < end), key=attrgetter("created_at", "type"))
        whose = {"organization_id": self._company.tagged_id, "organization_uuid": self._company.organization_id}
        return [
            replace(entry, id=tagged_id("activity", self._seed, place), **whose) for place, entry in enumerate(entries)
        ]

    @cached_property
    def feed_places(self) -> dict[str, int]:
        """Where each activity's id stands in `feed`."""
        return {entry.id: place for place, entry in enumerate(self.feed)}

    @cached_property
    def invitations(self) -> tuple[Invitation, ...]:
        guests = (invitation_of(someone, self._seed, self._quirks) for someone in self._people if someone.by_invite)
        an_era = self._company.members // 3
        strangers = (stranger(self._seed, number, number // an_era) for number in range(an_era * self._eras))
        again = (
            one
            for someone in self._people
            for one in invitations_of_member(someone, self._seed, self._quirks, self._eras)
        )
        return (*guests, *strangers, *again)

    def usage(self, ordinal: int) -> tuple[Use, ...]:
        """Who and which key used what on the UTC day with this ordinal, in the order of time."""
        return self._uses(ordinal)

    def last_use_of_key(self, api_key_id: str, until: datetime) -> datetime | None:
        key_and_habit = self._keys_by_id.get(api_key_id)
        return last_use_of_key(*key_and_habit, until, self._default) if key_and_habit else None

    @cached_property
    def _people(self) -> tuple[Person, ...]:
        seed, members, plan = self._seed, self._company.members, self._company.plan
        founders = (person(seed, number, plan, 0, self._eras) for number in range(members))
        other = self._quirks.shares_people_with
        shared = (shared_person(one, other) if other and one.number in SHARED else one for one in founders)
        later = (
            person(seed, number, plan, era, self._eras)
            for era in range(1, self._eras)
            for number in _newcomers(max(members, SPECIAL), -(-2 * members // 5), era)
        )
        return (*shared, *later)

    @cached_property
    def _keys(self) -> tuple[Key, ...]:
        return tuple(made for era in range(self._eras) for made in self._keys_of(era))

    def _keys_of(self, era: int) -> Iterator[Key]:
        """Keys are made by who had come by then."""
        there = tuple(someone for someone in self._people if someone.era <= era)
        around = Surroundings(there, self._places, self._accounts)
        size = self._company.api_keys
        numbers = _newcomers(max(size, TWINS), -(-size // 2), era) if era else range(size)
        return (key(self._seed, number, around, era) for number in numbers)

    @cached_property
    def _places(self) -> tuple[Place, ...]:
        return places(self._seed)

    @cached_property
    def _accounts(self) -> tuple[Account, ...]:
        return accounts(self._seed, self._people[0])

    @cached_property
    def _default(self) -> str:
        return default_place(self._seed).id

    @cached_property
    def _keys_by_id(self) -> dict[str, tuple[Key, Habit]]:
        return {one.spans[0].row.id: (one, habit) for one, habit in zip(self._keys, self._key_habits, strict=True)}

    @cached_property
    def _person_habits(self) -> tuple[Habit, ...]:
        return tuple(person_habit(self._seed, one.number, self._company.plan, one.era) for one in self._people)

    @cached_property
    def _key_habits(self) -> tuple[Habit, ...]:
        return tuple(key_habit(self._seed, one.number, one.era) for one in self._keys)

    def _told(self) -> Iterator[Activity]:
        admin = self._people[0]
        for someone in self._people:
            yield from member_activities(someone, self._seed, self._company.plan, admin)
        for invitation in self.invitations:
            yield from invite_activities(invitation, admin)
        for one in self._keys:
            yield from one.activities
        for place in self._places:
            yield from place_activities(place, admin)

    def _uses_on(self, ordinal: int) -> tuple[Use, ...]:
        uses = [
            use
            for someone, habit in zip(self._people, self._person_habits, strict=True)
            for use in uses_by(someone, habit, ordinal)
        ]
        by_key = (use_of_key(*pair, ordinal, self._default) for pair in zip(self._keys, self._key_habits, strict=True))
        uses.extend(use for use in by_key if use)
        uses.sort(key=attrgetter("at"))
        return tuple(uses)


def _newcomers(first: int, an_era: int, era: int) -> range:
    """The numbers of those who come in an era after the first."""
    return range(first + (era - 1) * an_era, first + era * an_era)
