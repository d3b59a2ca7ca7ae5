"""What makes a company itself hard to follow. It changes the truth, so it belongs to the organization, not to a server.

None of it by default.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Quirks:
    renamed: tuple[datetime, str] | None = None
    """From an instant on, the organization has another name."""
    shares_people_with: str | None = None
    """The seed of another organization that the people in `people.SHARED` belong to as well, with the same ids."""
    invite_alias_percent: int = 0
    """The share of accepted invitations that went to another address than the member has."""
    reinvited_percent: int = 0
    """The share of people whom somebody keeps inviting although they are members; nobody answers."""
    invite_expiry_lag: timedelta = timedelta(0)
    """How long after its `expires_at` an invitation is still called pending."""
