"""The settings: environment variables, also read from the installation's `.env`, checked before anything is started."""

import os
import re
import tomllib
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
from dotenv import load_dotenv
from msgspec import Meta

from assets.days import FIRST_DAY
from assets.errors import WrongUse
from assets.extraction.address import is_loopback, require_address
from assets.extraction.deadline import LIST_MINUTES, NIGHT_MINUTES
from assets.layout import DataDirectory
from assets.orchestration.names import DEFAULT, Names
from assets.room import set_limit
from pipelines.installation import places

if TYPE_CHECKING:
    from assets.extraction.resource import AdminApi
    from assets.resources import PipelineClock

KEY = "ANTHROPIC_ADMIN_KEY"
_OWNER = re.compile(r"team:[\w-]+|[^@\s]+@[\w-]+(\.[\w-]+)+")
_CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
"""The range of each field: minute, hour, day of the month, month, day of the week."""

MOST_MINUTES = 350
"""How long asking may last: the schedule's runs are ended after six hours (`jobs.py`), and publish after it."""


class FillGaps(StrEnum):
    """What the schedule does about days that nobody observed."""

    FEED = "feed"
    OFF = "off"


class Switch(StrEnum):
    ON = "on"
    OFF = "off"


OnOff = Annotated[Switch, Meta(description="on or off")]
Minutes = Annotated[float, Meta(gt=0, le=MOST_MINUTES, description=f"minutes, more than 0 and at most {MOST_MINUTES}")]


@dataclass(frozen=True)
class Settings:
    """What the environment says, each variable in the field of its name; a type's description says what it wants.

    The keys themselves are not in here, only where they are found.
    """

    anthropic_base_url: str = "https://api.anthropic.com"
    licenses_data_dir: Path = field(default_factory=places.data_directory)
    licenses_organizations: Path | None = None
    licenses_now: Annotated[datetime | None, Meta(description="an instant such as 2026-06-02T02:00:00Z")] = None
    licenses_first_day: Annotated[date, Meta(description="a day such as 2024-01-01")] = FIRST_DAY
    licenses_drop_percent: Annotated[float, Meta(ge=0, le=100, description="a number from 0 to 100")] = 20.0
    licenses_drop_holders: Annotated[int, Meta(ge=0, description="a whole number from 0 on")] = 10
    licenses_list_minutes: Minutes = LIST_MINUTES
    licenses_night_minutes: Minutes = NIGHT_MINUTES
    licenses_fill_gaps: Annotated[FillGaps, Meta(description="feed or off")] = FillGaps.FEED
    licenses_schedule: str = "0 * * * *"
    licenses_schedules: OnOff = Switch.OFF
    licenses_automation: OnOff = Switch.OFF
    licenses_dagster_prefix: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z][A-Za-z0-9_]*$",
            max_length=60,
            description="a name of at most 60 letters, digits and _ that begins with a letter",
        ),
    ] = DEFAULT
    licenses_dagster_group: Annotated[
        str,
        Meta(pattern=r"^[A-Za-z0-9_/]+$", max_length=60, description="a name of at most 60 letters, digits, _ and /"),
    ] = DEFAULT
    licenses_dagster_owners: str = ""

    @property
    def data(self) -> DataDirectory:
        """The record's directory; a relative path begins beside the `.env`, never in the current directory."""
        try:
            place = places.absolute(self.licenses_data_dir)
            for link in (one for one in (place, *place.parents) if one.is_symlink() and not one.exists()):
                raise WrongUse(
                    f"{link} points to {link.readlink()}, which is not there: is that disk mounted? Nothing was asked."
                )
            return DataDirectory(place.resolve())
        except (OSError, RuntimeError, ValueError) as error:
            raise WrongUse(f"LICENSES_DATA_DIR cannot be used: {error}.") from None

    @property
    def now(self) -> datetime:
        """The pipeline's clock, UTC."""
        return (self.licenses_now or datetime.now(UTC)).astimezone(UTC)

    @property
    def clock(self) -> "PipelineClock":
        from assets.resources import PipelineClock

        if self.licenses_now:
            return PipelineClock.standing(self.licenses_now, self.licenses_first_day)
        return PipelineClock(first=self.licenses_first_day)

    @property
    def api(self) -> "AdminApi":
        from assets.extraction.resource import AdminApi

        return AdminApi(self.anthropic_base_url, self.key_envs, self.licenses_list_minutes, self.licenses_night_minutes)

    @property
    def names(self) -> Names:
        """What everything of ours is called in Dagster."""
        owners = tuple(filter(None, re.split(r"[,\s]+", self.licenses_dagster_owners)))
        if wrong := [one for one in owners if not _OWNER.fullmatch(one)]:
            raise WrongUse(f"LICENSES_DAGSTER_OWNERS: {wrong[0]} is neither an e-mail address nor a team:name.")
        return Names(self.licenses_dagster_prefix, self.licenses_dagster_group, owners)

    @cached_property
    def key_envs(self) -> dict[str, str]:
        """For each organization that is to be observed, its label and the variable that holds its key.

        Raises:
            WrongUse: the organizations' file cannot be read as one.
        """
        if self.licenses_organizations is None:
            return {"the organization": KEY}
        return _organizations(places.absolute(self.licenses_organizations))


class _Organization(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    key_env: str


class _Organizations(msgspec.Struct, forbid_unknown_fields=True):
    organization: list[_Organization]


def load() -> Settings:
    """The settings as they are now.

    Raises:
        WrongUse: a value that cannot be used, with its variable's name.
    """
    _forget_empty_variables()
    _read_env_file()
    _forget_empty_variables()
    named = {one.name.upper(): one for one in fields(Settings)}
    settings = Settings(**{one.name: _read(name, one.type) for name, one in named.items() if name in os.environ})
    _ = settings.data
    set_limit()
    require_address(settings.anthropic_base_url)
    _check_schedule(settings.licenses_schedule)
    _ = settings.names
    if settings.licenses_now is not None:
        _check_clock(settings)
    return settings


def _forget_empty_variables() -> None:
    """An empty variable is one that is not set: so it is in most shells' and schedulers' files."""
    for name in [
        name
        for name in os.environ
        if name.startswith(("LICENSES_", "ANTHROPIC_", "DAGSTER_HOME")) and not os.environ[name]
    ]:
        del os.environ[name]


def _read_env_file() -> None:
    try:
        load_dotenv(places.env_file())
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{places.env_file()} cannot be read: {error}. Mend it, or its owner and mode.") from None


def _read(name: str, kind: Any) -> Any:
    """A variable as its field's type."""
    text = os.environ[name].strip()
    try:
        return msgspec.convert(text, kind, strict=False, dec_hook=lambda kind, text: kind(text))
    except msgspec.ValidationError:
        wanted = next(one.description for one in get_args(kind) if isinstance(one, Meta))
        raise WrongUse(f"{name} wants {wanted}, not {text!r}.") from None


def _check_schedule(cron: str) -> None:
    fields = cron.split()
    if len(fields) != len(_CRON) or not all(map(_is_cron_field, fields, _CRON)):
        raise WrongUse(
            f"LICENSES_SCHEDULE wants the five fields of cron, in UTC, as in 0 * * * * (every hour), not {cron!r}."
        )


def _is_cron_field(text: str, bounds: tuple[int, int]) -> bool:
    numbers = [int(found) for found in re.findall(r"(?<![/\d])\d+", text)]
    return bool(re.fullmatch(r"[\w*/,-]+", text, re.ASCII)) and all(bounds[0] <= one <= bounds[1] for one in numbers)


def _check_clock(settings: Settings) -> None:
    if not is_loopback(settings.anthropic_base_url):
        raise WrongUse(
            "LICENSES_NOW moves the clock for simulations, so it is refused unless ANTHROPIC_BASE_URL is on this "
            "machine: with a real organization, today's state would be written under another day."
        )
    if settings.licenses_now is not None and settings.licenses_now.tzinfo is None:
        raise WrongUse("LICENSES_NOW needs a time zone, as in 2026-06-02T02:00:00Z.")


def _organizations(path: Path) -> dict[str, str]:
    try:
        listed = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _Organizations).organization
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise WrongUse(
            f"LICENSES_ORGANIZATIONS: {path} cannot be used: {error}. It wants, for each organization, "
            "[[organization]] with name and key_env (the name of the variable that holds the key)."
        ) from None
    names = [one.name for one in listed]
    if not listed or len(set(names)) < len(names):
        raise WrongUse(f"LICENSES_ORGANIZATIONS: {path} must list at least one organization, each name once.")
    return {one.name: one.key_env for one in listed}
