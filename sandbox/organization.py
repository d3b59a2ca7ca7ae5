"""The sandbox organization: a company that is a pure function of a seed, asked for its state at any instant.

Lives from 2024-06-01 to the end of 2027, all of it in the Activity Feed but for the names and addresses in
`people.RENAMED`. Nothing is computed before it is asked for.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b
from operator import attrgetter
from uuid import UUID

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
from sandbox.keys import Key, Surroundings, key
from sandbox.people import SHARED, Person, member_activities, member_spans, person, shared_person
from sandbox.places import Account, Place, accounts, default_place, place_activities, places
from sandbox.quirks import Quirks
from sandbox.rows import Activity, ApiKey, Invite, Member, Plan, ServiceAccount, State, Use, Workspace
from sandbox.timeline import FOREVER, Timeline, midnight


class Organization:
    """A company by its seed. `members` and `api_keys` count all that ever exist, not those of one day."""

    def __init__(
        self,
        seed: str = "sandbox",
        members: int = 320,
        api_keys: int = 90,
        *,
        plan: Plan = Plan.CONSOLE,
        name: str = "Sandbox & Söhne Ltd",
        quirks: Quirks | None = None,
    ) -> None:
        if members < 1:
            raise ValueError("an organization needs a member: its first admin")
        self.seed, self.plan, self.name, self.quirks = seed, plan, name, quirks or Quirks()
        self.id = str(UUID(bytes=blake2b(f"{seed}:organization".encode(), digest_size=16).digest(), version=4))
        self.tagged_id = tagged_id("org", seed)
        self._size, self._keys_size = members, api_keys
        self._uses = lru_cache(maxsize=64 if members < 10_000 else 8)(self._uses_on)

    def name_at(self, at: datetime) -> str:
        renamed_at, name = self.quirks.renamed or (FOREVER, self.name)
        return name if at >= renamed_at else self.name

    def members(self, at: datetime) -> tuple[Member, ...]:
        return self.member_timeline.at(at)

    def api_keys(self, at: datetime) -> tuple[ApiKey, ...]:
        return self.key_timeline.at(at)

    def invites(self, at: datetime) -> tuple[Invite, ...]:
        return self.invite_timeline.at(at)

    def workspaces(self, at: datetime) -> tuple[Workspace, ...]:
        """The workspaces, archived ones too, without the default one."""
        return self.workspace_timeline.at(at)

    def service_accounts(self, at: datetime) -> tuple[ServiceAccount, ...]:
        """The service accounts, archived ones too, newest first."""
        return self.account_timeline.at(at)

    def state(self, at: datetime) -> State:
        return State(
            self.members(at), self.api_keys(at), self.invites(at), self.workspaces(at), self.service_accounts(at)
        )

    def truth(self, day: date) -> State:
        """The closing state of a day: as of the next day, 00:00 UTC."""
        return self.state(midnight(day + timedelta(days=1)))

    def activities(self, until: datetime, since: datetime | None = None) -> list[Activity]:
        """The feed after `since` and up to `until`, newest first: what made `state(since)` into `state(until)`."""
        first = bisect_right(self.feed, since, key=_created_at) if since else 0
        return self.feed[first : bisect_right(self.feed, until, key=_created_at)][::-1]

    def usage(self, day: date) -> tuple[Use, ...]:
        """Who and which key used what on a UTC day, in the order of time."""
        return self._uses(day.toordinal())

    def used(self, day: date) -> dict[str, list[Use]]:
        """The uses of a UTC day by their product."""
        uses: dict[str, list[Use]] = {}
        for use in self.usage(day):
            uses.setdefault(use.product, []).append(use)
        return uses

    def invite_links(self, at: datetime) -> dict[str, str]:
        """Which invitations have been accepted, each with the id of the member that it made."""
        return {one.id: one.guest.id for one in self._invitations if one.guest is not None and one.ended_at <= at}

    def last_use_of_key(self, api_key_id: str, until: datetime) -> datetime | None:
        key_and_habit = self._keys_by_id.get(api_key_id)
        return last_use_of_key(*key_and_habit, until, self.default_workspace.id) if key_and_habit else None

    @cached_property
    def default_workspace(self) -> Place:
        return default_place(self.seed)

    @cached_property
    def member_timeline(self) -> Timeline[Member]:
        return Timeline(span for someone in self._people for span in member_spans(someone))

    @cached_property
    def key_timeline(self) -> Timeline[ApiKey]:
        return Timeline(span for one in self._keys for span in one.spans)

    @cached_property
    def invite_timeline(self) -> Timeline[Invite]:
        return Timeline(span for one in self._invitations for span in invite_spans(one, self.quirks))

    @cached_property
    def workspace_timeline(self) -> Timeline[Workspace]:
        return Timeline(span for place in self._places for span in place.spans)

    @cached_property
    def account_timeline(self) -> Timeline[ServiceAccount]:
        return Timeline(span for account in self._accounts for span in account.spans)

    @cached_property
    def feed(self) -> list[Activity]:
        """Every activity there ever is, oldest first."""
        entries = sorted(self._told(), key=lambda entry: (entry.created_at, entry.type))
        whose = {"organization_id": self.tagged_id, "organization_uuid": self.id}
        return [
            replace(entry, id=tagged_id("activity", self.seed, place), **whose) for place, entry in enumerate(entries)
        ]

    @cached_property
    def feed_places(self) -> dict[str, int]:
        """Where each activity's id stands in `feed`."""
        return {entry.id: place for place, entry in enumerate(self.feed)}

    @cached_property
    def _people(self) -> tuple[Person, ...]:
        return tuple(map(self._person, range(self._size)))

    @cached_property
    def _invitations(self) -> tuple[Invitation, ...]:
        guests = (invitation_of(someone, self.seed, self.quirks) for someone in self._people if someone.by_invite)
        strangers = (stranger(self.seed, number) for number in range(self._size // 3))
        again = (one for someone in self._people for one in invitations_of_member(someone, self.seed, self.quirks))
        return (*guests, *strangers, *again)

    @cached_property
    def _places(self) -> tuple[Place, ...]:
        return places(self.seed)

    @cached_property
    def _accounts(self) -> tuple[Account, ...]:
        return accounts(self.seed, self._people[0])

    @cached_property
    def _keys(self) -> tuple[Key, ...]:
        around = Surroundings(self._people, self._places, self._accounts)
        return tuple(key(self.seed, number, around) for number in range(self._keys_size))

    @cached_property
    def _keys_by_id(self) -> dict[str, tuple[Key, Habit]]:
        return {one.spans[0].row.id: (one, habit) for one, habit in zip(self._keys, self._key_habits, strict=True)}

    @cached_property
    def _person_habits(self) -> tuple[Habit, ...]:
        return tuple(person_habit(self.seed, number, self.plan) for number in range(self._size))

    @cached_property
    def _key_habits(self) -> tuple[Habit, ...]:
        return tuple(key_habit(self.seed, number) for number in range(self._keys_size))

    def _person(self, number: int) -> Person:
        someone, other = person(self.seed, number, self.plan), self.quirks.shares_people_with
        return shared_person(someone, other) if other and number in SHARED else someone

    def _told(self) -> Iterator[Activity]:
        admin = self._people[0]
        for someone in self._people:
            yield from member_activities(someone, self.seed, self.plan, admin)
        for invitation in self._invitations:
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
        default = self.default_workspace.id
        by_key = (use_of_key(*pair, ordinal, default) for pair in zip(self._keys, self._key_habits, strict=True))
        uses.extend(use for use in by_key if use)
        uses.sort(key=attrgetter("at"))
        return tuple(uses)


_created_at = attrgetter("created_at")
