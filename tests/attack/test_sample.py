"""A few calls of each story, killed and failing at them; all of them by `make attack` (docs/reliability.md)."""

import errno
import math
from collections.abc import Iterator

import pytest

from tests.attack.shim import COMPILER, Attack, How, Kind, warm
from tests.attack.siege import Siege, survey
from tests.attack.stories import STORIES, Company, company

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(COMPILER is None, reason="the attacks need a C compiler (cc) for their shim"),
]
STORY = {story.name: story for story in STORIES}
SAMPLE = {
    "night": [(Kind.RENAME, 0.9, How.KILL_AFTER, 0), (Kind.WRITE, 0.05, How.FAIL_ONCE, errno.ENOSPC)],
    "backfill": [(Kind.RENAME, 0.5, How.KILL_BEFORE, 0), (Kind.MKDIR, 0.5, How.FAIL_ONCE, errno.EROFS)],
    "replay": [(Kind.LINK, 0.5, How.KILL_AFTER, 0), (Kind.RENAME, 1.0, How.KILL_BEFORE, 0)],
    "import": [(Kind.WRITE, 0.5, How.KILL_HALFWAY, 0)],
    "close": [(Kind.FSYNC, 0.6, How.FAIL_ONCE, errno.EIO), (Kind.RENAME, 1.0, How.KILL_BEFORE, 0)],
}
"""For each story, what happens at which call: the one that is so far along all of its kind."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with warm() as process, company(process, tmp_path_factory.mktemp("attack"), [STORY[name] for name in SAMPLE]) as it:
        yield it


@pytest.mark.parametrize("story", SAMPLE)
def test_whatever_happens_at_a_call_the_next_run_makes_good(place: Company, story: str):
    ground = survey(place, STORY[story])
    siege = Siege(place, ground)
    for kind, along, how, error in SAMPLE[story]:
        ended = siege.attack(Attack(kind, math.ceil(along * ground.ended.calls[kind]), how, error))
        assert ended.struck, f"{story} makes no such {kind.name.lower()} any more"
    siege.relieve()
