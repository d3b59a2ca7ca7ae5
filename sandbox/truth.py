"""What was true of an organization when a UTC day closed, as one document to hold a pipeline's answer against."""

from datetime import date, datetime, timedelta

import msgspec

from sandbox.organization import Organization
from sandbox.rows import ApiKey, Invite, Member, ServiceAccount, Use, Workspace
from sandbox.timeline import midnight


class Truth(msgspec.Struct, frozen=True):
    """The lists as of the day's end, 24:00 UTC, the uses within the day, and whom accepted invitations brought."""

    day: date
    as_of: datetime
    organization_id: str
    organization_uuid: str
    organization_name: str
    members: tuple[Member, ...]
    api_keys: tuple[ApiKey, ...]
    invites: tuple[Invite, ...]
    workspaces: tuple[Workspace, ...]
    service_accounts: tuple[ServiceAccount, ...]
    used: dict[str, list[Use]]
    """By product; a row for each person and key that used it."""
    invite_links: dict[str, str]
    """The accepted invitations' ids, each with the member's."""


def truth_of(organization: Organization, day: date) -> Truth:
    as_of = midnight(day + timedelta(days=1))
    state = organization.truth(day)
    return Truth(
        day=day,
        as_of=as_of,
        organization_id=organization.tagged_id,
        organization_uuid=organization.id,
        organization_name=organization.name_at(as_of),
        members=state.members,
        api_keys=state.api_keys,
        invites=state.invites,
        workspaces=state.workspaces,
        service_accounts=state.service_accounts,
        used=organization.used(day),
        invite_links=organization.invite_links(as_of),
    )


def as_json(truth: Truth) -> str:
    return msgspec.json.format(msgspec.json.encode(truth), indent=2).decode()
