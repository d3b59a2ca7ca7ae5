"""How long one list may take in all, retries and waits included."""

import time

LIST_SECONDS = 1800.0


def list_deadline() -> float:
    """The moment, in seconds of `time.monotonic`, at which patience with a list that starts now ends."""
    return time.monotonic() + LIST_SECONDS
