"""From keys to organizations: whom a key belongs to, and several keys that make up one organization."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from assets.errors import AccessRefused, ListFailed, WrongUse
from assets.extraction.answers import NotAvailable
from assets.extraction.api import ADMIN_KEY_PREFIX, API_KEYS, FOLDER_SAFE, ME, USERS, Endpoint, Organization
from assets.extraction.client import Client
from assets.extraction.deadline import Patience
from assets.extraction.records import read_one
from assets.extraction.unforeseen import sentence_of
from assets.orchestration.failures import Failure


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
        found: list[tuple[Organization, str, KeyHolder]] = []
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
            found.append((organization, credential.label, KeyHolder(credential.key_env, client)))
        yield grouped(found), failures


def grouped(found: Iterable[tuple[Organization, str, KeyHolder]]) -> list[Access]:
    """Each organization as its first key tells and labels it, with all its keys, which share its limit."""
    known: dict[str, Access] = {}
    for organization, label, holder in found:
        if first := known.get(organization.id):
            holder.client.take_turns_with(first.keys[0].client)
            known[organization.id] = replace(first, keys=(*first.keys, holder))
        else:
            known[organization.id] = Access(organization, label, (holder,))
    return list(known.values())


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
    organization, faults = read_one(Organization, answer.body)
    if organization is None:
        raise ListFailed(f"GET {ME} does not tell whose the key is: {'; '.join(faults)}. Nothing was taken for data.")
    if not FOLDER_SAFE.match(organization.id):
        raise ListFailed(
            f"GET {ME} tells an id that cannot name a folder: {ascii(organization.id)[:120]}. The API's are one plain "
            "word. Nothing was taken for data."
        )
    return organization


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
