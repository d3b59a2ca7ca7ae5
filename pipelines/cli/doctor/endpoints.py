"""What became of each list that was asked for, with the advice of README's table of what is missing or refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assets.extraction import api
from assets.extraction.api import ESSENTIAL, Endpoint
from assets.extraction.kept import Outcomes
from assets.extraction.landing import ListOutcome, State, pages_file, read_pages
from assets.extraction.records import read_page
from pipelines.cli.doctor.findings import Finding, listed, note, ok, problem

SHOWN_INVITATIONS = 10

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
    api.WORKSPACES_LISTED.name: _Lack("In the snapshot the default workspace has no name."),
    api.ACTIVITIES.name: _Lack(
        "A snapshot does not need it, but nothing else can explain past days.",
        absent="The Compliance API is switched off, and records nothing from before it is switched on: have an "
        "organization admin do so.",
    ),
}
_LISTS = {**api.ENDPOINTS, api.ACTIVITIES.name: api.ACTIVITIES}


def findings(outcomes: Outcomes, pages: Path) -> Iterator[Finding]:
    """One finding for each list that was asked for, and what follows from all of them together.

    `pages` is where the answers lie.
    """
    for name, outcome in outcomes.items():
        endpoint = _LISTS[name]
        if outcome.complete:
            yield _answered(endpoint, outcome, pages)
        elif outcome.state is State.UNAVAILABLE:
            yield _refused(endpoint, outcome, outcomes)
        else:
            yield _failed(endpoint, outcome)
    yield from _together(outcomes)


def _subject(endpoint: Endpoint) -> str:
    return "Activity Feed" if endpoint is api.ACTIVITIES else endpoint.noun


def _together(outcomes: Outcomes) -> Iterator[Finding]:
    refused = {name for name, outcome in outcomes.items() if outcome.state is State.UNAVAILABLE}
    if refused >= {roster.name for roster in ESSENTIAL}:
        yield problem("access", f"neither the members nor the API keys can be read. {_PERMISSION}")
    elif any(_forbidden(outcomes[name]) for name in refused - {source.name for source in api.USAGE}):
        yield note("permission", f"HTTP 403 is a matter of permission. {_PERMISSION}")
    if refused >= {source.name for source in api.USAGE}:
        yield note("last use", "no usage endpoint answers, so when licenses were last used is unknown, not never.")


def _forbidden(outcome: ListOutcome) -> bool:
    """Whether at least one key was told that it may not, rather than that there is no such thing."""
    return "HTTP 403" in (outcome.reason or "")


def _answered(endpoint: Endpoint, outcome: ListOutcome, pages: Path) -> Finding:
    subject = _subject(endpoint)
    if outcome.odd:
        odd = ", ".join(outcome.odd_ones)
        return problem(
            subject,
            f"answered, but {outcome.odd:,} could not be read as sent: {odd}. A night keeps the rest, and ends with "
            "status 3.",
        )
    if endpoint is api.INVITES:
        return _invitations(pages)
    if endpoint is api.USERS and not outcome.rows:
        return note(
            subject,
            "answered, with nobody in it. People appear only once they have accepted their invitation; the key must "
            "have organization-level access.",
        )
    if endpoint is api.API_KEYS and not outcome.rows:
        return note(
            subject,
            "answered, with none in it. Listing all of them needs the admin permission, and some keys may belong to "
            "a workspace: look through the workspaces in the Console.",
        )
    return ok(subject, "answered.")


def _failed(endpoint: Endpoint, outcome: ListOutcome) -> Finding:
    reason = with_advice(outcome.reason or "it failed without a reason")
    if endpoint in ESSENTIAL:
        return problem(_subject(endpoint), f"{reason} A night would fail likewise, and the day would be missing.")
    return problem(_subject(endpoint), f"{reason} A night would be published without it, and end with status 3.")


def with_advice(sentence: str) -> str:
    """A failure's sentence, with what to do next where it does not say so itself."""
    if "was refused: HTTP" in sentence:
        return f"{sentence.rstrip('.')}. The fault is this program's: update it, or report this with the request id."
    if "ANTHROPIC_BASE_URL" in sentence or "Check" in sentence or "check" in sentence:
        return sentence
    return f"{sentence.rstrip('.')}. Check the network and ANTHROPIC_BASE_URL, and try again in a few minutes."


def _refused(endpoint: Endpoint, outcome: ListOutcome, outcomes: Outcomes) -> Finding:
    if endpoint in api.USAGE:
        return _usage_refused(endpoint, outcome, outcomes)
    lack = _LACKS[endpoint.name]
    meaning = lack.forbidden if _forbidden(outcome) else lack.absent
    return note(_subject(endpoint), " ".join(filter(None, (_not_available(outcome), meaning, lack.without))))


def _not_available(outcome: ListOutcome) -> str:
    return f"not available ({outcome.reason})."


def _usage_refused(endpoint: Endpoint, outcome: ListOutcome, outcomes: Outcomes) -> Finding:
    """A usage source that is not there is a lack only as far as no other one serves instead."""
    serving = [source.noun for source in api.USAGE if _serves(outcomes, source)]
    meaning = "" if _forbidden(outcome) else f" {_ABSENT}"
    instead = f" Instead serves: {', '.join(serving)}." if serving else ""
    mark = ok if _usage_suffices(outcomes) else note
    return mark(_subject(endpoint), f"{_not_available(outcome)}{meaning}{instead}")


def _usage_suffices(outcomes: Outcomes) -> bool:
    """Whether one generation is there whole: the newer one, both older reports, or Enterprise analytics."""
    generations = ((api.ANALYTICS_USAGE,), api.OLDER_USAGE, (api.ANALYTICS_USERS,))
    return any(all(_serves(outcomes, source) for source in generation) for generation in generations)


def _serves(outcomes: Outcomes, source: Endpoint) -> bool:
    return source.name in outcomes and outcomes[source.name].complete


def _invitations(pages: Path) -> Finding:
    """The pending ones of the first page by name, since those people are no members yet."""
    first = next(read_pages(pages_file(pages, api.INVITES.name)), b'{"data": []}')
    pending = [invite for invite in read_page(api.INVITES, first).items if invite.status == "pending"]
    if not pending:
        return ok(_subject(api.INVITES), "answered; none is pending.")
    names = listed((invite.email or invite.id for invite in pending), SHOWN_INVITATIONS)
    return ok(
        _subject(api.INVITES),
        f"answered; {len(pending):,} pending: {names}. People appear among the members only once they have accepted.",
    )
