"""A complete answer that holds far fewer holders than the last snapshot is not published unasked."""

from assets.errors import TooManyGone
from assets.layout import DataDirectory
from assets.resources import DropGuard
from assets.snapshots.snapshot import SnapshotFacts, last_known, next_known


def require_no_drop(guard: DropGuard, facts: SnapshotFacts, data: DataDirectory) -> bool:
    """Compare each roster that is known with the last snapshot in which it was; whether there was one.

    Nor may there be far fewer than in a later one, unless that has as few: what somebody has accepted since is no drop
    any more.

    Raises:
        TooManyGone: more are gone than the guard allows.
    """
    compared = False
    if guard.accepted:
        return compared
    for noun, roster, now in (("members", "users", facts.users), ("API keys", "api_keys", facts.api_keys)):
        if now is None or not (before := last_known(data, facts.organization_id, facts.snapshot_date, roster)):
            continue
        compared = True
        then: int = getattr(before, roster)
        later = next_known(data, facts.organization_id, facts.snapshot_date, roster)
        if not guard.is_drop(then, now) or (later and not guard.is_drop(getattr(later, roster), now)):
            continue
        raise TooManyGone(
            f"{facts.title}: on {facts.snapshot_date} there are {now:,} {noun}, after {then:,} in the snapshot of "
            f"{before.snapshot_date}: {then - now:,} gone at once (the guard allows {guard.percent:g} % or "
            f"{guard.holders}). The snapshot was not published and the last one stands. If so many have really "
            "gone, run again with --accept-drop."
        )
    return compared
