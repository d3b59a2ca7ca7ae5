"""What an endpoint's answer means, in the words of the setup guide's troubleshooting."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assets.errors import LicenseHistoryError, ListFailed
from assets.extraction import api
from assets.extraction.api import Endpoint
from assets.extraction.client import Rejected
from pipelines.cli.doctor.asking import ACTIVITIES, INVITE_PAGES, Reply
from pipelines.cli.doctor.findings import Finding, listed, note, ok, problem

SHOWN_INVITATIONS = 10

Replies = Mapping[str, Reply]
"""By the endpoint's name."""

_PERMISSION = (
    "The account behind the key may lack the organization-admin permission: only organization admins can create Admin "
    "keys; ask your organization admin. Or give a second key of the organization that can read what this one cannot."
)
_ABSENT = "This organization has not got it."


@dataclass(frozen=True)
class _Lack:
    """What the snapshot is without a list, and what the kinds of refusal mean beyond what holds for all."""

    without: str
    forbidden: str = ""
    absent: str = _ABSENT


_LACKS = {
    api.USERS.name: _Lack(
        "In the snapshot the members are unknown, not zero.",
        absent="Check that the key has organization-level access.",
    ),
    api.API_KEYS.name: _Lack(
        "In the snapshot the API keys are unknown, not zero.",
        forbidden="Listing API keys needs the admin permission, and some keys may belong to a workspace.",
        absent="A Claude Enterprise key reaches the members and no API keys; those belong to a Console organization: "
        "give an Admin key of it (sk-ant-admin) as well.",
    ),
    api.INVITES.name: _Lack("In the snapshot the pending invitations are unknown, not zero."),
    api.WORKSPACES.name: _Lack("In the snapshot the keys' workspaces have no names."),
    ACTIVITIES.name: _Lack(
        "A snapshot does not need it, but nothing else can explain past days.",
        absent="The Compliance API is switched off, and records nothing from before it is switched on: have an "
        "organization admin do so.",
    ),
}


def findings(replies: Replies) -> list[Finding]:
    """One finding for each endpoint that was asked, and what follows from all of them together."""
    return [*(_finding(reply, replies) for reply in replies.values()), *_together(replies)]


def _together(replies: Replies) -> Iterator[Finding]:
    if all(replies[roster.name].refusals for roster in (api.USERS, api.API_KEYS)):
        yield problem("access", f"neither the members nor the API keys can be read. {_PERMISSION}")
    elif any(reply.forbidden and reply.endpoint in (*api.ROSTERS, ACTIVITIES) for reply in replies.values()):
        yield note("permission", f"HTTP 403 is a matter of permission. {_PERMISSION}")
    if all(replies[source.name].refusals for source in api.USAGE):
        yield note("last use", "no usage endpoint answers, so when licenses were last used is unknown, not never.")


def _finding(reply: Reply, replies: Replies) -> Finding:
    subject = reply.endpoint.noun
    if reply.failure:
        return _failed(reply.endpoint, sentence_of(reply.failure), replies)
    if reply.refusals:
        return _usage_refused(reply, replies) if reply.endpoint in api.USAGE else _refused(reply)
    if reply.endpoint is api.INVITES:
        return _invitations(reply)
    if reply.endpoint is api.USERS and not reply.items:
        return note(
            subject,
            "answered, with nobody in it. People appear only once they have accepted their invitation; the key must "
            "have organization-level access.",
        )
    if reply.endpoint is api.API_KEYS and not reply.items:
        return note(
            subject,
            "answered, with none in it. Listing all of them needs the admin permission, and some keys may belong to "
            "a workspace: look through the workspaces in the Console.",
        )
    return ok(subject, "answered.")


def _failed(endpoint: Endpoint, sentence: str, replies: Replies) -> Finding:
    spare = endpoint in api.OLDER_USAGE and replies[api.ANALYTICS_USAGE.name].answered
    if spare or endpoint is ACTIVITIES:
        return note(endpoint.noun, f"{sentence} A snapshot does not ask for it.")
    return problem(endpoint.noun, f"{sentence} A snapshot taken now would fail likewise.")


def sentence_of(error: LicenseHistoryError) -> str:
    """An error's sentence, with what to do next where it does not say so itself."""
    sentence = str(error)
    if isinstance(error, Rejected):
        return f"{sentence.rstrip('.')}. The fault is this program's: update it, or report this with the request id."
    if not isinstance(error, ListFailed) or "ANTHROPIC_BASE_URL" in sentence:
        return sentence
    return f"{sentence.rstrip('.')}. Check the network and ANTHROPIC_BASE_URL, and try again in a few minutes."


def _refused(reply: Reply) -> Finding:
    lack = _LACKS[reply.endpoint.name]
    meaning = lack.forbidden if reply.forbidden else lack.absent
    parts = (f"not available ({reply.reason}).", meaning, lack.without)
    return note(reply.endpoint.noun, " ".join(part for part in parts if part))


def _usage_refused(reply: Reply, replies: Replies) -> Finding:
    """A usage source that is not there is a lack only as far as no other one serves instead."""
    refused = f"not available ({reply.reason})."
    serving = [source.noun for source in api.USAGE if replies[source.name].answered]
    meaning = "" if reply.forbidden else f" {_ABSENT}"
    instead = f" Instead serves: {', '.join(serving)}." if serving else ""
    return (ok if _usage_suffices(replies) else note)(reply.endpoint.noun, f"{refused}{meaning}{instead}")


def _usage_suffices(replies: Replies) -> bool:
    """Whether one generation is there whole: the newer one, both older reports, or Enterprise analytics."""
    generations = ((api.ANALYTICS_USAGE,), api.OLDER_USAGE, (api.ANALYTICS_USERS,))
    return any(all(replies[source.name].answered for source in generation) for generation in generations)


def _invitations(reply: Reply) -> Finding:
    pending = [invite for invite in reply.items or [] if invite.status == "pending"]
    if not pending:
        return ok(reply.endpoint.noun, "answered; none is pending.")
    names = listed((invite.email or invite.id for invite in pending), SHOWN_INVITATIONS)
    bound = INVITE_PAGES * api.PAGE_LIMIT
    among = f" among the first {bound:,}" if len(reply.items or []) >= bound else ""
    return ok(
        reply.endpoint.noun,
        f"answered; {len(pending):,} pending{among}: {names}. People appear among the members only once they have "
        "accepted their invitation.",
    )
