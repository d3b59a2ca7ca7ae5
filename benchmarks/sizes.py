"""How large the pretend organizations are, and how often a thing is measured: `make bench`, `make bench-quick`."""

from dataclasses import dataclass
from typing import NamedTuple


class Organization(NamedTuple):
    """How many members and API keys."""

    users: int
    keys: int

    def __str__(self) -> str:
        return f"{self.users:,} members, {self.keys:,} keys"


@dataclass(frozen=True)
class Sizes:
    """`marks` are the days after which one more night is measured; one of them is the `history`'s length."""

    rounds: int
    night: Organization
    memory: Organization
    """For the memory of the first night."""
    million: Organization
    landings: int
    holders: int
    history: int
    marks: tuple[int, ...]


FULL = Sizes(
    rounds=3,
    night=Organization(89_000, 29_000),
    memory=Organization(100_000, 32_000),
    million=Organization(1_000_000, 29_000),
    landings=30,
    holders=100_000,
    history=365,
    marks=(30, 365, 1095),
)
QUICK = Sizes(
    rounds=1,
    night=Organization(7_500, 2_500),
    memory=Organization(3_000, 1_000),
    million=Organization(15_000, 500),
    landings=4,
    holders=10_000,
    history=120,
    marks=(30, 120),
)
