"""The settings: environment variables, also read from `.env`, checked before anything is started."""

import os
import tomllib
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from dotenv import load_dotenv
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from assets.days import FIRST_DAY
from assets.errors import WrongUse
from assets.extraction.client import is_loopback
from assets.layout import DataDirectory

KEY = "ANTHROPIC_ADMIN_KEY"


class Settings(BaseSettings):
    """What the environment says. The keys themselves are not in here, only where they are found."""

    model_config = SettingsConfigDict(frozen=True)

    anthropic_base_url: str = "https://api.anthropic.com"
    licenses_data_dir: Path = Path("data")
    licenses_organizations: Path | None = None
    licenses_now: datetime | None = None
    licenses_first_day: date = FIRST_DAY
    licenses_drop_percent: Annotated[float, Field(ge=0, le=100)] = 20.0
    licenses_drop_holders: Annotated[int, Field(ge=0)] = 10

    @property
    def data(self) -> DataDirectory:
        return DataDirectory(self.licenses_data_dir.resolve())

    @property
    def now(self) -> datetime:
        """The pipeline's clock, UTC."""
        return (self.licenses_now or datetime.now(UTC)).astimezone(UTC)

    @cached_property
    def key_envs(self) -> dict[str, str]:
        """For each organization that is to be observed, its label and the variable that holds its key.

        Raises:
            WrongUse: the organizations' file cannot be read as one.
        """
        if self.licenses_organizations is None:
            return {"the organization": KEY}
        return _organizations(self.licenses_organizations)


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
    load_dotenv(Path(".env"))
    _forget_empty_variables()
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = error.errors()[0]
        name = str(wrong["loc"][0]).upper()
        raise WrongUse(f"{name} cannot be used: {wrong['msg']}.") from None
    _check_url(settings.anthropic_base_url)
    if settings.licenses_now is not None:
        _check_clock(settings)
    return settings


def _forget_empty_variables() -> None:
    """An empty variable is one that is not set: so it is in most shells' and schedulers' files."""
    for name in [name for name in os.environ if name.startswith(("LICENSES_", "ANTHROPIC_")) and not os.environ[name]]:
        del os.environ[name]


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongUse("ANTHROPIC_BASE_URL must be a web address such as https://api.anthropic.com (without /v1).")
    if parts.username or parts.password or parts.query:
        raise WrongUse("ANTHROPIC_BASE_URL must hold no user name, password or query: an address goes into logs.")
    if parts.scheme == "http" and not is_loopback(url):
        raise WrongUse("ANTHROPIC_BASE_URL must begin with https://: the key would travel readable by all otherwise.")


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
