"""What is attacked: one company, where it stands before each story, and the command that the story is about."""

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from assets.layout import PROJECT_REFERENCE
from sandbox import serving
from tests.attack.shim import UNATTACKED, Attack, Ended, Warm
from tests.scripted import DAY, KEY, ScriptedApi, activity, api_key, as_app, invite, person, used, user

NEXT = DAY + timedelta(days=1)
SETTLED, NOON, NIGHT = f"{NEXT}T02:00:00Z", f"{NEXT}T12:00:00Z", f"{NEXT + timedelta(days=1)}T02:00:00Z"


@dataclass(frozen=True)
class Story:
    """A command, at an instant, in a data directory where `before` has been done."""

    name: str
    words: tuple[str, ...]
    now: str
    before: str = "one night"
    prepare: Callable[[Path], None] | None = None


def new_rules(folder: Path) -> None:
    """The owner calls a license by another name: deriving a day again restates it."""
    rules = (PROJECT_REFERENCE / "license_types.csv").read_text()
    changed = rules.replace("admin,Admin,", "admin,Owner,")
    assert changed != rules
    (folder / "data" / "reference").mkdir()
    (folder / "data" / "reference" / "license_types.csv").write_text(changed)


def kept_file(folder: Path) -> None:
    """An export that tells the observed day differently."""
    (folder / "members.csv").write_text("Email,Role,Status\nuser1@acme.example,Admin,Active\n")


STORIES = (
    Story("first night", ("snapshot", "--day", str(DAY)), SETTLED, before="nothing"),
    Story("night", ("snapshot", "--day", str(NEXT)), NIGHT),
    Story("restating night", ("snapshot", "--day", str(NEXT)), NIGHT, before="a provisional day"),
    Story("backfill", ("backfill", "--from", str(DAY - timedelta(days=3)), "--to", str(DAY)), NIGHT),
    Story(
        "replay",
        ("backfill", "--from", str(DAY), "--to", str(DAY), "--source", "replay", "--replace", "--reason", "renamed"),
        NIGHT,
        prepare=new_rules,
    ),
    Story(
        "import",
        ("import", "members.csv", "--day", str(DAY), "--replace", "--reason", "kept", "--yes"),
        NIGHT,
        prepare=kept_file,
    ),
    Story(
        "close",
        ("close", "2026-06", "--by", "Ada", "--acknowledge-gap", f"{NEXT}..2026-06-30"),
        "2026-07-01T05:00:00Z",
    ),
)


class Company:
    """An organization that can be asked, a warm command line, and a template of each place where a story begins."""

    def __init__(self, warm: Warm, url: str, folder: Path, api: ScriptedApi, stories: Collection[Story]) -> None:
        self._warm, self._folder = warm, folder
        self._environment = {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_ADMIN_KEY": KEY, "USER": "ada"}
        self._templates = folder / "templates"
        for name in ("nothing", "one night"):
            (self._templates / name).mkdir(parents=True)
        self._night("one night", DAY, SETTLED)
        if any(story.before == "a provisional day" for story in stories):
            shutil.copytree(self._templates / "one night", self._templates / "a provisional day")
            self._night("a provisional day", NEXT, NOON)
        _time_passes(api)

    def fresh(self, story: Story) -> Path:
        """A copy of the place where the story begins; the one before is gone."""
        folder = self._folder / "under attack"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self._templates / story.before, folder)
        if story.prepare:
            story.prepare(folder)
        return folder / "data"

    def run(self, story: Story, data: Path, attack: Attack = UNATTACKED) -> Ended:
        return self._run(story.words, story.now, data, attack)

    def _run(self, words: tuple[str, ...], now: str, data: Path, attack: Attack = UNATTACKED) -> Ended:
        environment: Mapping[str, str] = {"LICENSES_DATA_DIR": str(data), "LICENSES_NOW": now}
        return self._warm.run(words, data, {**self._environment, **environment}, attack)

    def _night(self, template: str, day: object, now: str) -> None:
        ended = self._run(("snapshot", "--day", str(day)), now, self._templates / template / "data")
        assert ended.status == 0, ended.err


@contextmanager
def company(warm: Warm, folder: Path, stories: Collection[Story] = STORIES) -> Iterator[Company]:
    """The company, ready for these stories, served over loopback for as long as the block runs."""
    api = ScriptedApi(
        users=[user(1, role="admin"), user(2), user(3, role="billing")],
        api_keys=[api_key(1), api_key(2)],
        invites=[invite(1)],
        activities=[
            _role_change(2, "2026-05-30T09:00:00Z", 2, "admin", "user"),
            _role_change(1, "2026-05-20T09:00:00Z", 3, "user", "billing"),
        ],
        analytics_usage=[used("2026-05-30", actor=person("user_0001")), used(f"{DAY}", key="apikey_0001")],
    )
    with serving(as_app(api)) as url:
        yield Company(warm, url, folder, api, stories)


def _time_passes(api: ScriptedApi) -> None:
    """What every story finds: a role changed, somebody came, somebody went."""
    api.lists["users"] = [user(1, role="admin"), user(2, role="admin"), user(4, added_at=f"{NEXT}T15:00:00Z")]
    api.lists["activities"] = [
        activity(5, f"{NEXT}T23:30:00Z", "claude_user_settings_updated"),
        _role_change(4, f"{NEXT}T16:00:00Z", 2, "user", "admin"),
        _role_change(3, f"{NEXT}T14:00:00Z", 3, "billing", None),
        *api.lists["activities"],
    ]
    api.lists["analytics_usage"].append(used(f"{NEXT}", actor=person("user_0002")))


def _role_change(number: int, at: str, who: int, before: str | None, after: str | None) -> dict[str, object]:
    told = {"user_id": f"user_{who:04}", "previous_role": before, "current_role": after}
    return activity(number, at, "claude_user_role_updated", **told)
