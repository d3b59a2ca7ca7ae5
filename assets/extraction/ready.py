"""What the data directory and the clock must be before anything is asked for or written."""

from datetime import datetime

from assets.extraction.landing import require_not_behind
from assets.files.preflight import require_room
from assets.layout import DataDirectory


def require_ready(data: DataDirectory, now: datetime) -> None:
    """Refuse a place that could not take what is to come, and a clock that the record contradicts.

    Raises:
        WrongUse: what is wrong with the place.
        ImpossibleDay: the clock is behind the record.
    """
    require_room(data)
    require_not_behind(data, now)
