"""What is kept of a list's pages as they go by: which ids may have come twice, whose the items are, what was odd."""

from collections import Counter
from dataclasses import dataclass, field

from assets.extraction.api import ROSTERS, WORKSPACES_LISTED, Endpoint
from assets.extraction.landing import ListOutcome
from assets.extraction.paging import Fetched
from assets.extraction.records import unexpected
from assets.extraction.whose import Named, named_by, speaks_of_several

MOST_ODD, MOST_ODD_SHARE = 10, 0.01
"""Beyond both, items that cannot be read are no exception any more but another shape."""
A_LIST = 3
"""Of so many items not all are exceptions by chance; of one or two it cannot be told, and a holder must not be lost."""
EXAMPLES = 5


@dataclass
class Tally:
    """The count of one walk through a list."""

    answered: int = 0
    """Pages that came from the API now."""
    unread: int = 0
    """Items of which something is unknown, and among them those that are left out."""
    left_out: int = 0
    worst: str = ""
    worst_request: str | None = None
    seen: set[int] = field(default_factory=set)
    suspects: set[str] = field(default_factory=set)
    named: Counter[Named] = field(default_factory=Counter)

    def count(self, endpoint: Endpoint, outcome: ListOutcome, page: Fetched) -> None:
        """Take one more page, and tell `outcome` of it."""
        outcome.pages += 1
        outcome.rows += len(page.items)
        if page.answer.request_id:
            outcome.request_ids.append(page.answer.request_id)
        self._count_odd(outcome, page)
        if speaks_of_several(endpoint):
            self.named.update(named_by(endpoint, page.items))
        if not page.items or not hasattr(page.items[0], "id"):
            return
        outcome.first_id = outcome.first_id or page.items[0].id
        outcome.last_id = page.items[-1].id
        # Hashes, not ids: a million members fit in memory; whatever looks seen is compared in full afterwards.
        marks = [hash(item.id) for item in page.items]
        fresh = set(marks) - self.seen
        if len(fresh) < len(marks):
            times = Counter(marks)
            self.suspects.update(
                item.id for item, mark in zip(page.items, marks, strict=True) if times[mark] > 1 or mark in self.seen
            )
        self.seen |= fresh

    def require_few_odd(self, endpoint: Endpoint, outcome: ListOutcome) -> None:
        """Refuse a list of which more than single items cannot be read, or that has lost what no other list tells.

        Raises:
            ListFailed: with the worst of them.
        """
        items = outcome.rows + self.left_out
        few = max(MOST_ODD, items * MOST_ODD_SHARE)
        none_is_plain = self.unread == items and (items >= A_LIST or self.left_out > 0)
        if self.unread and (self.unread > few or none_is_plain):
            raise unexpected(
                endpoint,
                f"{self.unread:,} of its {items:,} items cannot be read, such as {self.worst}",
                self.worst_request,
            )
        if self.left_out and endpoint not in ROSTERS and endpoint is not WORKSPACES_LISTED:
            # A use or a change that is not known to which day it belongs leaves no silence that proves anything.
            raise unexpected(endpoint, f"an item cannot be read: {self.worst}", self.worst_request)

    def _count_odd(self, outcome: ListOutcome, page: Fetched) -> None:
        for odd in page.odd:
            told = f"{odd.id or f'item {odd.place} of page {outcome.pages}'} ({odd.why[:200]})"
            outcome.odd += 1
            if len(outcome.odd_ones) < EXAMPLES:
                outcome.odd_ones.append(told)
            self.unread += odd.unknown
            self.left_out += odd.left_out
            if odd.left_out or (odd.unknown and not self.worst):
                self.worst, self.worst_request = told, page.answer.request_id
