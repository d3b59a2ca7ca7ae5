"""The sandbox's invitations: those that people accepted by joining, and those that lapsed or were taken back.

An invitation that expires leaves no entry in the feed: its `expires_at` says it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sandbox.draws import Draws, tagged_id
from sandbox.feed_entries import user_actor
from sandbox.names import alias_email, stranger_email
from sandbox.people import Person
from sandbox.quirks import Quirks
from sandbox.rows import Activity, Invite
from sandbox.timeline import ERA, FOREVER, Span, begin_of, moment

_VALID = timedelta(days=21)
_INVITED_AGAIN_EVERY = timedelta(days=40)
_TURNS = ERA // _INVITED_AGAIN_EVERY.days


class Invitation(NamedTuple):
    """One invitation and its end: at `ended_at` it is accepted (by `guest`), deleted or expired (`outcome`)."""

    id: str
    email: str
    role: str
    invited_at: datetime
    ended_at: datetime
    outcome: str
    guest: Person | None


def invitation_of(guest: Person, seed: str, quirks: Quirks) -> Invitation:
    """The invitation that somebody accepted by joining."""
    draws = Draws(seed, "invited", guest.number)
    joined_at, role = guest.steps[0]
    wait = timedelta(days=draws.between(0, 19), seconds=draws.between(60, 80_000), microseconds=draws.below(1_000_000))
    invite_id = tagged_id("invite", seed, "guest", guest.number)
    by_alias = Draws(seed, "invited by alias", guest.number).chance(quirks.invite_alias_percent)
    email = alias_email(guest.number) if by_alias else guest.email
    return Invitation(invite_id, email, str(role), joined_at - wait, joined_at, "accepted", guest)


def invitations_of_member(member: Person, seed: str, quirks: Quirks, eras: int) -> Iterator[Invitation]:
    """Invitations of somebody who is a member already, one after the other; they all expire."""
    if not Draws(seed, "invited again", member.number).chance(quirks.reinvited_percent):
        return
    for turn, invited_at in enumerate(_while_member(member, eras)):
        invite_id = tagged_id("invite", seed, "member", member.number, turn)
        yield Invitation(invite_id, member.email, "user", invited_at, invited_at + _VALID, "expired", None)


def _while_member(member: Person, eras: int) -> Iterator[datetime]:
    """Within the first era it happens so many times at most."""
    first = member.steps[0].at + timedelta(days=member.number % 17, hours=1)
    for turn in range((_TURNS + 1) * eras):
        instant = first + turn * _INVITED_AGAIN_EVERY
        if (turn < _TURNS or instant >= begin_of(1)) and member.role_at(instant):
            yield instant


def stranger(seed: str, number: int, era: int) -> Invitation:
    """An invitation that nobody accepted."""
    draws = Draws(seed, "stranger", number)
    invited_at = moment(era * ERA + draws.below(ERA), draws)
    invite_id, role = tagged_id("invite", seed, "stranger", number), "user"
    if draws.chance(40):
        deleted_at = invited_at + timedelta(days=draws.between(0, 19), seconds=draws.between(60, 80_000))
        return Invitation(invite_id, stranger_email(number), role, invited_at, deleted_at, "deleted", None)
    return Invitation(invite_id, stranger_email(number), role, invited_at, invited_at + _VALID, "expired", None)


def invite_spans(invitation: Invitation, quirks: Quirks) -> Iterator[Span[Invite]]:
    ended_at = invitation.ended_at
    if invitation.outcome == "expired":
        ended_at += quirks.invite_expiry_lag
    identity = (invitation.id, invitation.email, invitation.role)
    dates = (invitation.invited_at, invitation.invited_at + _VALID)
    accepted_at = invitation.ended_at if invitation.outcome == "accepted" else None
    yield Span(invitation.invited_at, ended_at, Invite(*identity, "pending", *dates, None))
    yield Span(ended_at, FOREVER, Invite(*identity, invitation.outcome, *dates, accepted_at))


def invite_activities(invitation: Invitation, admin: Person) -> Iterator[Activity]:
    boss = user_actor(admin.id, admin.email)
    sent = {"invited_email": invitation.email, "invited_role": invitation.role}
    yield Activity(invitation.invited_at, "org_user_invite_sent", boss, sent)
    ended: dict[str, Any] = {"invite_id": invitation.id}
    if invitation.guest:
        guest = user_actor(invitation.guest.id, invitation.guest.email)
        yield Activity(invitation.ended_at, "org_user_invite_accepted", guest, ended)
    elif invitation.outcome == "deleted":
        yield Activity(invitation.ended_at, "org_user_invite_deleted", boss, ended)
