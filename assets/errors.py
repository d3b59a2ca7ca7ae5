"""What can go wrong, in one tree; each error's text is the sentence that a person reads.

LicenseHistoryError
├── WrongUse             the call or a setting is off: nothing was started (exit status 2)
│   └── ImpossibleDay    nothing can observe that day, now or any more
├── AccessRefused        the key was refused (401, or an organization of which nothing can be read)
├── ListFailed           a list could not be fetched whole, or contradicts itself
├── SnapshotRefused      the answers are whole, but must not be published
│   ├── TooManyGone      the drop guard: far fewer holders than is plausible
│   └── HolderTwice      a key that is not unique, by a fault of ours
├── BadReference         a reference file that users edit is wrong
├── DamagedFile          a stored file of ours cannot be read; the rest goes on without it
│   └── CopiedFile       it is another day's or organization's: nobody takes it for ours
├── NoRoom               memory or disk did not suffice; which setting gives more
├── CloseRefused         a month that cannot be signed, or whose signature cannot be taken back
└── PublishFailed        the warehouse could not be built or put in place
    └── ChecksFailed     (assets/warehouse/checks.py) it was built, and something in it does not hold

What is worth trying again is decided beside the HTTP client and never leaves it.
"""

from pathlib import Path


class LicenseHistoryError(Exception):
    """Something that the operator can read, understand and act upon."""


class WrongUse(LicenseHistoryError):
    """A command, option or setting that cannot be meant."""


class ImpossibleDay(WrongUse):
    """A day that no source can answer for."""


class AccessRefused(LicenseHistoryError):
    """The organization refused the key."""


class ListFailed(LicenseHistoryError):
    """A list that did not arrive whole."""


class SnapshotRefused(LicenseHistoryError):
    """A snapshot that must not be published."""


class TooManyGone(SnapshotRefused):
    """A snapshot that lost far more holders than is plausible."""


class HolderTwice(SnapshotRefused):
    """A snapshot in which a holder stands twice."""


class BadReference(LicenseHistoryError):
    """A reference file that cannot be used, with file, line and reason."""


class DamagedFile(LicenseHistoryError):
    """A stored file of ours that is there and cannot be read: which, what that costs, and the command that mends it."""

    def __init__(self, path: Path, costs: str, mended_by: str, *, why: str = "") -> None:
        self.path = path
        super().__init__(f"{path} cannot be read{f' ({why})' if why else ''}: {costs}. {mended_by}")


class CopiedFile(DamagedFile):
    """A file that lies where another day's or organization's belongs: somebody's copy of a folder, and not ours."""


class NoRoom(LicenseHistoryError):
    """Memory or disk ran out, and which setting gives more; whoever knows it says for what it was wanted."""


class CloseRefused(LicenseHistoryError):
    """A month that cannot be closed or reopened now."""


class PublishFailed(LicenseHistoryError):
    """The new warehouse could not be made or put in place; the old one stands."""
