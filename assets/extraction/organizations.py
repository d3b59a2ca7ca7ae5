"""From keys to organizations: whom a key belongs to, and several keys that make up one organization."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import msgspec

from assets.errors import AccessRefused, ListFailed, WrongUse
from assets.extraction.api import ADMIN_KEY_PREFIX, API_KEYS, ME, USERS, Endpoint, Organization
from assets.extraction.client import Client, NotAvailable
from assets.extraction.deadline import Patience
from assets.extraction.records import UNREADABLE, mended
from assets.extraction.unforeseen import sentence_of
from assets.failures import Failure


@dataclass(frozen=True)
class Credential:
    """A key and where it came from. Only the variable's name is ever shown."""

    label: str
    key_env: str
    key: str = field(repr=False)

    @classmethod
    def from_environment(cls, label: str, key_env: str) -> "Credential":
        """The key that the variable holds now, usable or not."""
        return cls(label, key_env, os.environ.get(key_env, "").strip())

    def require_usable(self) -> None:
        """Refuse a key that cannot be one before anything is asked with it.

        Raises:
            WrongUse: it is not set, or no Anthropic key. What the variable holds is never told.
        """
        if not self.key:
            raise WrongUse(
                f"No key for {self.label}: the environment variable {self.key_env} is not set. An organization admin "
                "can create an Admin key in the Console (Settings, Admin keys); put it there or into .env."
            )
        if not self.key.startswith(ADMIN_KEY_PREFIX):
            raise WrongUse(
                f"The key for {self.label}, in {self.key_env}, is no Anthropic key: those start with "
                f"{ADMIN_KEY_PREFIX}, Admin keys with sk-ant-admin. Nothing was asked."
            )
        if not (self.key.isascii() and self.key.isprintable()):
            raise WrongUse(
                f"The key for {self.label}, in {self.key_env}, holds a line break or another character that no key "
                "has: copy it anew. Nothing was asked."
            )


@dataclass(frozen=True)
class KeyHolder:
    """An open connection and the name of the variable that its key came from."""

    key_env: str
    client: Client


@dataclass(frozen=True)
class Access:
    """One organization and every key that was given for it."""

    organization: Organization
    label: str
    keys: tuple[KeyHolder, ...]

    @property
    def title(self) -> str:
        """The organization as people know it, with its id."""
        return f"{self.organization.name or self.label} ({self.organization.id})"


@contextmanager
def opened(
    credentials: Iterable[Credential], base_url: str, patience: Patience | None = None
) -> Iterator[tuple[list[Access], list[Failure]]]:
    """Ask each key whose it is, and group them by organization.

    Yields the organizations that can be asked and, apart, what failed: one key's failure is not the others'.
    """
    with ExitStack() as stack:
        found: dict[str, Access] = {}
        failures: list[Failure] = []
        for credential in credentials:
            try:
                credential.require_usable()
            except WrongUse as error:  # says which variable by itself
                failures.append(Failure(credential.label, str(error)))
                continue
            try:
                client = stack.enter_context(Client(base_url, credential.key))
                organization = who_is(client, patience)
            except Exception as error:
                told = f"{credential.label} ({credential.key_env}): {sentence_of(error)}"
                failures.append(Failure(credential.label, told))
                continue
            holder = KeyHolder(credential.key_env, client)
            known = found.get(organization.id)
            found[organization.id] = Access(
                organization, known.label if known else credential.label, (*known.keys, holder) if known else (holder,)
            )
        yield list(found.values()), failures


def who_is(client: Client, patience: Patience | None = None) -> Organization:
    """The organization that a key belongs to.

    Raises:
        AccessRefused: the key is not valid, or may not even say whose it is.
        ListFailed: no answer, or one of an unexpected shape.
    """
    try:
        answer = client.get(ME, {}, {}, deadline=(patience or Patience.of()).question())
    except NotAvailable as refusal:
        raise AccessRefused(
            f"the key may not read its own organization ({refusal}). The account behind it may lack the "
            "organization-admin permission: only organization admins can create Admin keys; ask yours."
        ) from None
    try:
        return msgspec.json.decode(mended(answer.body), type=Organization)
    except UNREADABLE as error:
        raise ListFailed(f"GET {ME} has an unexpected shape: {error}. Nothing was taken for data.") from None


def require_complementary(access: Access, patience: Patience | None = None) -> None:
    """Several keys of one organization must complete each other: two that read the same roster are a mistake.

    Raises:
        WrongUse: two keys can list the same members or API keys.
    """
    if len(access.keys) == 1:
        return
    for endpoint in (USERS, API_KEYS):
        readers = [holder.key_env for holder in access.keys if can_list(holder.client, endpoint, patience)]
        if len(readers) > 1:
            raise WrongUse(
                f"{' and '.join(readers)} are keys of the same organization, {access.title}, and each of them can "
                f"list its {endpoint.noun}: name only one of them, or keys that complete each other."
            )


def can_list(client: Client, endpoint: Endpoint, patience: Patience | None = None) -> bool:
    """Whether the key may read a list, asked with the smallest page."""
    try:
        client.get(endpoint.path, {"limit": 1}, endpoint.headers, deadline=(patience or Patience.of()).question())
    except NotAvailable:
        return False
    return True
