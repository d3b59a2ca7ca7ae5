"""The sandbox organization: a company that is a pure function of a seed, asked for its state at any instant.

Lives from 2024-06-01 on, all of it in the Activity Feed but for the names and addresses in `people.RENAMED`. Nothing
is computed before it is asked for.
"""

from bisect import bisect_right
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b
from operator import attrgetter
from uuid import UUID

from sandbox.chronicle import Chronicle, Company
from sandbox.draws import tagged_id
from sandbox.places import Place, default_place
from sandbox.quirks import Quirks
from sandbox.rows import Activity, ApiKey, Invite, Member, Plan, ServiceAccount, State, Use, Workspace
from sandbox.timeline import FOREVER, era_of, midnight


class Organization:
    """A company by its seed. `members` and `api_keys` count all that there are up to the end of 2027, not those of one
    day; after it, newcomers go on at the same pace."""

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
        company = Company(seed, members, api_keys, plan, self.quirks, self.id, self.tagged_id)
        # Two, since what is asked around the end of an era lies on either side of it.
        self._of_eras = lru_cache(maxsize=2)(lambda eras: Chronicle(company, eras))

    def until(self, at: datetime) -> Chronicle:
        """All that has happened up to this instant, and more: each of its lists and its feed is to be asked for it."""
        return self._of_eras(era_of(at) + 1)

    def name_at(self, at: datetime) -> str:
        renamed_at, name = self.quirks.renamed or (FOREVER, self.name)
        return name if at >= renamed_at else self.name

    def members(self, at: datetime) -> tuple[Member, ...]:
        return self.until(at).members.at(at)

    def api_keys(self, at: datetime) -> tuple[ApiKey, ...]:
        return self.until(at).keys.at(at)

    def invites(self, at: datetime) -> tuple[Invite, ...]:
        return self.until(at).invites.at(at)

    def workspaces(self, at: datetime) -> tuple[Workspace, ...]:
        """The workspaces, archived ones too, without the default one."""
        return self.until(at).workspaces.at(at)

    def service_accounts(self, at: datetime) -> tuple[ServiceAccount, ...]:
        """The service accounts, archived ones too, newest first."""
        return self.until(at).accounts.at(at)

    def state(self, at: datetime) -> State:
        return State(
            self.members(at), self.api_keys(at), self.invites(at), self.workspaces(at), self.service_accounts(at)
        )

    def truth(self, day: date) -> State:
        """The closing state of a day: as of the next day, 00:00 UTC."""
        return self.state(midnight(day + timedelta(days=1)))

    def activities(self, until: datetime, since: datetime | None = None) -> list[Activity]:
        """The feed after `since` and up to `until`, newest first: what made `state(since)` into `state(until)`."""
        feed = self.until(until).feed
        first = bisect_right(feed, since, key=_created_at) if since else 0
        return feed[first : bisect_right(feed, until, key=_created_at)][::-1]

    def usage(self, day: date) -> tuple[Use, ...]:
        """Who and which key used what on a UTC day, in the order of time."""
        return self.until(midnight(day)).usage(day.toordinal())

    def used(self, day: date) -> dict[str, list[Use]]:
        """The uses of a UTC day by their product."""
        uses: dict[str, list[Use]] = {}
        for use in self.usage(day):
            uses.setdefault(use.product, []).append(use)
        return uses

    def invite_links(self, at: datetime) -> dict[str, str]:
        """Which invitations have been accepted, each with the id of the member that it made."""
        invitations = self.until(at).invitations
        return {one.id: one.guest.id for one in invitations if one.guest is not None and one.ended_at <= at}

    def last_use_of_key(self, api_key_id: str, until: datetime) -> datetime | None:
        return self.until(until).last_use_of_key(api_key_id, until)

    @cached_property
    def default_workspace(self) -> Place:
        return default_place(self.seed)


_created_at = attrgetter("created_at")
