"""Each configured key: whose it is, and what its organization answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from assets.errors import LicenseHistoryError
from assets.extraction.api import Organization
from assets.extraction.organizations import Access, Credential, KeyHolder, require_complementary, who_is
from pipelines.cli.doctor.asking import ASKED, ImpatientClient, ask
from pipelines.cli.doctor.endpoints import findings, sentence_of
from pipelines.cli.doctor.findings import Finding, Section, ok, problem
from pipelines.settings import Settings

SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Examined:
    """What the keys led to. `everyone` says whether each key told its organization."""

    sections: list[Section]
    organizations: dict[str, str]
    """Titles by id."""
    everyone: bool


@dataclass(frozen=True)
class _Key:
    """A variable, the key's kind as far as its beginning tells, and what became of it."""

    label: str
    key_env: str
    kind: str = ""
    client: ImpatientClient | None = None
    owner: Organization | None = None
    trouble: str = ""


def examine_organizations(settings: Settings) -> Examined:
    """Ask every organization for everything that a snapshot would; one's trouble does not stop the others."""
    with ExitStack() as stack, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        keys = list(pool.map(_identified, [_found(settings, stack, *each) for each in settings.key_envs.items()]))
        accesses = {access.organization.id: access for access in _grouped(keys)}
        sections = [_lost(key) for key in keys if key.owner is None]
        for access in accesses.values():
            own = [key for key in keys if key.owner and key.owner.id == access.organization.id]
            sections.append(_section(access, own, pool, settings.now))
        titles = {known: access.title for known, access in accesses.items()}
        return Examined(sections, titles, all(key.owner for key in keys))


def _found(settings: Settings, stack: ExitStack, label: str, key_env: str) -> _Key:
    credential = Credential.from_environment(label, key_env)
    try:
        credential.require_usable()
    except LicenseHistoryError as error:
        return _Key(label, key_env, trouble=str(error))
    client = ImpatientClient(settings.anthropic_base_url, credential.key)
    stack.enter_context(client)
    return _Key(label, key_env, _kind(credential.key), client)


def _kind(key: str) -> str:
    if key.startswith("sk-ant-admin"):
        return "an Admin key"
    return "no Admin key of the Console, as those start with sk-ant-admin; keys of Claude Enterprise look like this"


def _identified(key: _Key) -> _Key:
    if key.client is None:
        return key
    try:
        return _Key(key.label, key.key_env, key.kind, key.client, who_is(key.client))
    except LicenseHistoryError as error:
        return _Key(key.label, key.key_env, key.kind, key.client, trouble=sentence_of(error))


def _grouped(keys: list[_Key]) -> Iterator[Access]:
    """The organizations, each with all the keys that are its."""
    owners = {key.owner.id: key.owner for key in keys if key.owner}
    for known, owner in owners.items():
        own = [key for key in keys if key.owner and key.owner.id == known]
        yield Access(owner, own[0].label, tuple(KeyHolder(key.key_env, key.client) for key in own if key.client))


def _lost(key: _Key) -> Section:
    """A key that led to no organization."""
    title = f"{key.label[:1].upper()}{key.label[1:]}"
    if key.client is None:
        return Section(title, (problem("key", key.trouble),))
    return Section(title, (_key(key), problem("organization", key.trouble)))


def _key(key: _Key) -> Finding:
    return ok("key", f"found in {key.key_env} ({key.kind}).")


def _section(access: Access, keys: list[_Key], pool: ThreadPoolExecutor, now: datetime) -> Section:
    found = [_key(key) for key in keys]
    try:
        require_complementary(access)
    except LicenseHistoryError as error:
        found.append(problem("keys", sentence_of(error)))
    replies = pool.map(lambda endpoint: ask(access, endpoint, now), ASKED)
    return Section(access.title, (*found, *findings({reply.endpoint.name: reply for reply in replies})))
