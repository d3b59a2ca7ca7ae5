"""Whose an item of an answer is: several endpoints can speak of a parent organization and of its other children.

Organizations go by two ids, a UUID and a tagged one (`org_…`); `/me` names one of them, and an entry that bears both
teaches the other. What cannot be told to be ours is left out: a stranger's holders, changes and uses must never stand
under our name.
"""

import re
from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from assets.extraction.api import ACTIVITIES, ANALYTICS_USAGE, CLAUDE_CODE, Endpoint

_UUID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


class Named(NamedTuple):
    """The organization that an item names, by one id or by both; an item may name none."""

    organization_id: str | None
    organization_uuid: str | None = None

    @property
    def ids(self) -> set[str]:
        return {_plain(one) for one in self if one}


_NAMED: dict[str, tuple[str, ...]] = {
    ACTIVITIES.name: ("organization_id", "organization_uuid"),
    ANALYTICS_USAGE.name: ("group.organization_id",),
    CLAUDE_CODE.name: ("organization_id",),
}
"""Where the items of an endpoint's answers name an organization."""


def speaks_of_several(endpoint: Endpoint) -> bool:
    """Whether an answer can hold what is another organization's."""
    return endpoint.name in _NAMED


def named_by(endpoint: Endpoint, items: Sequence[Any]) -> list[Named]:
    """The organization that each item of such an endpoint names."""
    told = list(map(attrgetter(*_NAMED[endpoint.name]), items))
    # A report has 100,000s of rows that name one organization or a few: each is made a `Named` once.
    known = {one: Named(*one) if isinstance(one, tuple) else Named(one) for one in set(told)}
    return list(map(known.__getitem__, told))


def strangers(
    endpoint: Endpoint, named: Collection[Named], ours: Collection[str], *, asked_for_ours: bool
) -> set[Named]:
    """Those of all names of one answer that are none of `ours`; `asked_for_ours` says whether it was filtered."""
    if endpoint.name == ACTIVITIES.name:
        known = own_ids(named, ours)
        if asked_for_ours and not any(one.ids for one in named):
            return set()  # a server that never tells whose an entry is
        return {one for one in named if not one.ids & known}
    return {one for one in named if all(is_anothers(endpoint, one, our) for our in ours)}


def own_ids(named: Collection[Named], ours: Collection[str]) -> set[str]:
    """Our ids as far as the entries tell: who bears one of them beside another tells the other."""
    known, before = {_plain(our) for our in ours}, 0
    while len(known) > before:
        before = len(known)
        known.update(*(one.ids for one in named if one.ids & known))
    return known


def untold(named: Collection[Named], ours: Collection[str]) -> set[str]:
    """The ids that may be ours or not: of the form that none of our own ids has, and never beside another."""
    forms = {_is_uuid(known) for known in own_ids(named, ours)}
    return {next(iter(one.ids)) for one in named if one.ids and not {_is_uuid(id) for id in one.ids} & forms}


def is_anothers(endpoint: Endpoint, named: Named, ours: str) -> bool:
    """Whether a row of a usage report is another organization's; one that names none is ours."""
    if not named.ids or _plain(ours) in named.ids:
        return False
    if endpoint.name == ANALYTICS_USAGE.name:
        return True  # only a parent's report names an organization, and then a child
    return any(_is_uuid(one) == _is_uuid(ours) for one in named.ids)


def _is_uuid(organization_id: str) -> bool:
    return _UUID.fullmatch(organization_id) is not None


def _plain(organization_id: str) -> str:
    """UUIDs are the same in any case; tagged ids are not."""
    return organization_id.replace("-", "").lower() if _is_uuid(organization_id) else organization_id
