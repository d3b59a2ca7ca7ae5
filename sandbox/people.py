"""The sandbox's people: who joins, changes role, leaves and comes back, and what the Activity Feed says of it.

Name and e-mail changes leave no trace in the feed, as in the real one. They are few and known: `RENAMED`.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sandbox.draws import Draws, tagged_id
from sandbox.feed_entries import directory_actor, role_updated, user_actor
from sandbox.names import married_email, person_email, person_name
from sandbox.rows import Activity, Member, Plan
from sandbox.timeline import ERA, FOREVER, Span, later_that_day, moment

# Roles as often as they are listed.
_ROLES = {
    Plan.CONSOLE: ["user"] * 10 + ["developer"] * 7 + ["claude_code_user"] * 3 + ["admin", "billing"],
    Plan.ENTERPRISE: ["user"] * 14 + ["managed"] * 5 + ["membership_admin"] * 2 + ["owner"],
}
_FIRST_ROLE = {Plan.CONSOLE: "admin", Plan.ENTERPRISE: "primary_owner"}
_FOUNDING_DAYS = 30
# Who comes in a later era by invitation was invited in that era, too.
_DAYS_TO_ANSWER = 20
_ALMOST_AT_ONCE = timedelta(milliseconds=37)


class Renaming(NamedTuple):
    day: int
    name: str | None
    email: str | None


# By place in the list of people. They join at the start and stay, so that the change can be seen.
RENAMED = {
    5: Renaming(700, "Amélie Laurent-Costa", None),
    17: Renaming(560, None, married_email(17)),
    33: Renaming(800, "Smith, Jordan", married_email(33)),
}


# Who belongs to a sibling organization as well, by place, and on which day they are removed from it. They are among
# those above, who stay in every organization, so they go on where they are.
SHARED = {5: 900, 17: 850, 33: 640}

SPECIAL = 1 + max(*RENAMED, *SHARED)
"""Whoever comes after the first era has a number from here on: what is said above is said of the first people."""


class RoleStep(NamedTuple):
    """From `at` on a person has this role; none: is no member."""

    at: datetime
    role: str | None


class Person(NamedTuple):
    number: int
    id: str
    email: str
    steps: tuple[RoleStep, ...]
    by_invite: bool
    """Whether the first arrival answers an invitation."""
    era: int
    """In which the first arrival lies."""

    def role_at(self, instant: datetime) -> str | None:
        role = None
        for at, next_role in self.steps:
            if at > instant:
                break
            role = next_role
        return role


def person(seed: str, number: int, plan: Plan, era: int, eras: int) -> Person:
    """Somebody who first joins in one era, and what becomes of them up to the end of so many eras."""
    draws = Draws(seed, "person", number)
    founder = draws.chance(60) and not era
    stays = number == 0 or number in RENAMED
    day = 0 if number == 0 else draws.below(_FOUNDING_DAYS)
    if not founder and not stays:
        day = draws.between(era * ERA or _FOUNDING_DAYS, (era + 1) * ERA - 1)
    role = _FIRST_ROLE[plan] if number == 0 else draws.pick(_ROLES[plan])
    steps = [RoleStep(moment(day, draws), role)]
    if not stays:
        steps.extend(_career(draws, plan, day, role, (era + 1) * ERA))
    by_invite = not founder and draws.chance(55) and (not era or day % ERA >= _DAYS_TO_ANSWER)
    for later in range(era + 1, eras):
        if not stays and (role_then := steps[-1].role):
            draws = Draws(seed, "person", number, "era", later)
            steps.extend(_career(draws, plan, later * ERA, role_then, (later + 1) * ERA))
    return Person(number, tagged_id("user", seed, number), person_email(number), tuple(steps), by_invite, era)


def shared_person(someone: Person, other_seed: str) -> Person:
    """The same person as in another organization, by id and address, and removed from this one."""
    removed_at = moment(SHARED[someone.number], Draws("shared", someone.number))
    return someone._replace(
        id=tagged_id("user", other_seed, someone.number), steps=(*someone.steps, RoleStep(removed_at, None))
    )


def member_spans(someone: Person) -> Iterator[Span[Member]]:
    """The rows of the members' list that one person has over time."""
    renaming = RENAMED.get(someone.number)
    renamed_at = moment(renaming.day, Draws("renaming", someone.number)) if renaming else FOREVER
    name, email, added_at, role_before = person_name(someone.number), someone.email, FOREVER, None
    until = [step.at for step in someone.steps[1:]] + [FOREVER]
    for (since, role), end in zip(someone.steps, until, strict=True):
        if role is not None:
            added_at = since if role_before is None else added_at
            row = Member(someone.id, email, name, role, added_at)
            yield Span(since, min(end, renamed_at), row)
            if renaming:
                row = Member(someone.id, renaming.email or email, renaming.name or name, role, added_at)
                yield Span(max(since, renamed_at), end, row)
        role_before = role


def member_activities(someone: Person, seed: str, plan: Plan, admin: Person) -> Iterator[Activity]:
    """What the feed says about one person's joining, roles and leaving; invitations are told elsewhere."""
    draws = Draws(seed, "told", someone.number)
    boss = user_actor(admin.id, admin.email)
    before = None
    for at, role in someone.steps:
        if before is None:
            yield from _arrival(at, someone, role, boss, draws)
            if plan is Plan.ENTERPRISE:
                yield _seated(at + _ALMOST_AT_ONCE, someone, boss)
        elif role is not None:
            yield role_updated(at, boss, (someone.id, someone.email), before, role)
        else:
            yield from _departure(at, someone, before, boss, draws)
        before = role


def _career(draws: Draws, plan: Plan, day: int, role: str, end: int) -> Iterator[RoleStep]:
    """What happens to a member after a day: nothing to most, changes of role, leaving, coming back."""
    for _ in range(5):
        fate, day = draws.below(100), day + draws.between(15, 420)
        if fate < 60 or day >= end:
            return
        at, leaves = moment(day, draws), fate >= 80
        if not leaves:
            role = _another_role(draws, plan, role)
            yield RoleStep(at, role)
            if draws.chance(10):  # corrected on the same day
                role = _another_role(draws, plan, role)
                yield RoleStep(later_that_day(at, draws), role)
            continue
        yield RoleStep(at, None)
        if not draws.chance(35):
            return
        role = draws.pick(_ROLES[plan])
        if draws.chance(12):  # removed by mistake
            yield RoleStep(later_that_day(at, draws), role)
            continue
        day += draws.between(1, 160)
        if day >= end:
            return
        yield RoleStep(moment(day, draws), role)


def _another_role(draws: Draws, plan: Plan, role: str) -> str:
    return draws.pick([other for other in _ROLES[plan] if other != role])


def _arrival(at: datetime, someone: Person, role: str | None, boss: dict[str, Any], draws: Draws) -> Iterator[Activity]:
    member = (someone.id, someone.email)
    if at == someone.steps[0].at and someone.by_invite:
        yield role_updated(at, user_actor(*member), member, None, role)
    elif draws.chance(30):
        directory = directory_actor(someone.id, at)
        yield Activity(at, "scim_user_created", directory, {"user_id": someone.id})
        yield role_updated(at, directory, member, None, role)
    else:
        yield role_updated(at, boss, member, None, role)


def _seated(at: datetime, someone: Person, boss: dict[str, Any]) -> Activity:
    tiers = {"previous_seat_tier": None, "current_seat_tier": "premium" if someone.number % 4 == 0 else "standard"}
    member = {"user_id": someone.id, "user_email": someone.email}
    return Activity(at, "claude_user_seat_tier_updated", boss, member | tiers)


def _departure(at: datetime, someone: Person, role: str, boss: dict[str, Any], draws: Draws) -> Iterator[Activity]:
    """One removal, told in one of the ways of the real feed: once or twice, by an admin, the directory or oneself."""
    member, way, shortly_after = (someone.id, someone.email), draws.below(100), at + _ALMOST_AT_ONCE
    if way < 45:
        gone = {"deleted_user_id": someone.id, "deleted_user_email": someone.email}
        role_at, deleted_at = (at, shortly_after) if draws.chance(50) else (shortly_after, at)
        yield role_updated(role_at, boss, member, role, None)
        yield Activity(deleted_at, "org_user_deleted", boss, gone)
    elif way < 60:
        yield role_updated(at, boss, member, role, None)
    elif way < 75:
        directory = directory_actor(someone.id, at)
        yield role_updated(at, directory, member, role, None)
        yield Activity(shortly_after, "scim_user_deleted", directory, {"user_id": someone.id})
    else:
        yield Activity(at, "org_user_left", user_actor(*member), {"previous_role": role})
        if way >= 87:
            yield role_updated(shortly_after, user_actor(*member), member, role, None)
