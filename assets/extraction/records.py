"""The one reader of pages: what checks an answer as it arrives, and what derives from it later, read the same.

An item that cannot be read as it was sent costs itself alone. A character that is none (half of a surrogate pair, a
byte that is no UTF-8) is read as U+FFFD; a field of another shape than it should have is unknown; only an item without
what it cannot be without (its id, the day of a use) is left out. Each is told with its id or place, and the page stays
in the landing as it came.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Raw, Struct

from assets.errors import ListFailed
from assets.extraction.answers import named
from assets.extraction.api import Endpoint, Instant

One = TypeVar("One", bound=Struct)

UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
UNKNOWN_WORD = "unreadable"
WORDS = ("role", "status")
"""Mandatory words without which an item still tells of somebody: in their place stands one that nobody maps to a
license, for a holder of unknown role is no leaver."""

_AT_THE_EDGE = (b'"9999-12-31', b'"0001-01-01')
"""How instants begin that may lie, in UTC, before or after all time that can be told."""
_MARK = "\ufdd0"
"""Stands for what is no character until it is known in which item it lies; by itself no character either."""
_NO_CHARACTER = "it holds what is no character, read as \ufffd"
_NO_UTF_8 = re.compile("[\udc80-\udcff]+")
_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)


class Page(Struct):
    """The envelope of both ways of paging; the items stay typed by their endpoint."""

    has_more: bool | None = None
    last_id: str | None = None
    next_page: str | None = None
    data_refreshed_at: Instant | None = None


class Odd(NamedTuple):
    """An item that could not be read as it was sent: its id, or its place on the page, and what is wrong with it."""

    id: str | None
    place: int
    why: str
    unknown: bool
    """Whether something that it says is unknown, or (`left_out`) all of it; not where only a character is."""
    left_out: bool


class Read(NamedTuple):
    page: Page
    items: list[Any]
    odd: list[Odd]


def read_page(endpoint: Endpoint, body: bytes, request_id: str | None = None) -> Read:
    """What one page says.

    Raises:
        ListFailed: it is no page of this list.
    """
    if not _at_the_edge(body):
        try:
            page = _page_decoder(endpoint.item, endpoint.names).decode(body)
        except UNREADABLE:
            pass
        else:
            return Read(page, _items(endpoint, page, request_id), [])
    try:
        page = _page_decoder(Raw, endpoint.names).decode(_marked(body))
    except UNREADABLE as error:
        raise unexpected(endpoint, str(error), request_id) from None
    items, odd = [], []
    for place, raw in enumerate(_items(endpoint, page, request_id), start=1):
        item, faults = _read_item(endpoint.item, bytes(raw))
        if item is not None:
            items.append(item)
        if faults:
            unknown = faults != [_NO_CHARACTER]
            odd.append(Odd(getattr(item, "id", None), place, "; ".join(faults), unknown, left_out=item is None))
    return Read(page, items, odd)


def read_one(shape: type[One], body: bytes) -> tuple[One | None, list[str]]:
    """An answer that is one item: it as far as it can be read, None where it cannot, and what is wrong with it."""
    return _read_item(shape, _marked(body))


def unexpected(endpoint: Endpoint, what: str, request_id: str | None = None) -> ListFailed:
    return ListFailed(
        f"the list of {endpoint.noun} has an unexpected shape: {what}{named(request_id)}. Nothing was taken for data."
    )


def _items(endpoint: Endpoint, page: Page, request_id: str | None) -> list[Any]:
    for name in endpoint.names:
        items: list[Any] | None = getattr(page, name)
        if items is not None:
            return items
    raise unexpected(endpoint, f"it has no {' or '.join(endpoint.names)}", request_id)


def _at_the_edge(body: bytes) -> bool:
    return any(instant in body for instant in _AT_THE_EDGE)


def _marked(body: bytes) -> bytes:
    text = _NO_UTF_8.sub(_MARK, body.decode("utf-8", "surrogateescape"))
    return _ESCAPES.sub(lambda found: _MARK if found["half"] else found[0], text).encode()


def _read_item(shape: type[Struct], raw: bytes) -> tuple[Any, list[str]]:
    """The item as far as it can be read, None where nothing can be made of it, and what is wrong with it."""
    clean = raw.replace(_MARK.encode(), "\ufffd".encode())
    faults = [] if clean == raw else [_NO_CHARACTER]
    try:
        if not _at_the_edge(raw):
            return _decoder(shape).decode(clean), faults
    except UNREADABLE:
        pass
    try:
        item, found = _salvage(shape, clean)
    except UNREADABLE as error:
        return None, [*faults, str(error)]
    missing = any(getattr(item, field.name) is None for field in msgspec.structs.fields(shape) if field.required)
    return None if missing else item, [*faults, *found]


def _salvage(shape: type[Struct], raw: bytes) -> tuple[Any, list[str]]:
    """An item with each field that can be read by itself; the others are None, whatever its shape says of them."""
    told = _decoder(_raw_fields(shape)).decode(raw)
    values, faults = {}, []
    for field in msgspec.structs.fields(shape):
        sent = bytes(getattr(told, field.name))
        try:
            values[field.name], found = _value(field.type, sent) if sent else (_unsent(field), [])
        except UNREADABLE as error:
            unknown = UNKNOWN_WORD if field.required and field.name in WORDS else _nothing(field.type)
            values[field.name], found = unknown, [str(error)]
        faults += [f"`{field.encode_name}`: {one}" for one in found]
    return shape(**values), faults


def _value(kind: Any, raw: bytes) -> tuple[Any, list[str]]:
    try:
        value = _decoder(kind).decode(raw)
        if isinstance(value, datetime):
            value.astimezone(UTC)  # or it lies outside all time
        return value, []
    except UNREADABLE:
        if shape := _shape_in(kind):
            return _salvage(shape, raw)
        if (inner := _list_in(kind)) is None:
            raise
    values, faults = [], []
    for one in _decoder(list[Raw]).decode(raw):
        try:
            value, found = _value(inner, bytes(one))
        except UNREADABLE as error:
            value, found = _nothing(inner), [str(error)]
        values.append(value)
        faults += found
    return values, faults


def _unsent(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        raise ValueError("it is missing")
    return field.default


def _nothing(kind: Any) -> Any:
    """Unknown, in a form that can be looked into."""
    shape = _shape_in(kind)
    return shape(**dict.fromkeys(shape.__struct_fields__)) if shape else None


def _shape_in(kind: Any) -> type[Struct] | None:
    return next((one.cls for one in _alternatives(kind) if isinstance(one, msgspec.inspect.StructType)), None)


def _list_in(kind: Any) -> type[Struct] | None:
    lists = (one.item_type for one in _alternatives(kind) if isinstance(one, msgspec.inspect.ListType))
    return next((one.cls for one in lists if isinstance(one, msgspec.inspect.StructType)), None)


def _alternatives(kind: Any) -> Iterator[msgspec.inspect.Type]:
    info = msgspec.inspect.type_info(kind)
    yield from info.types if isinstance(info, msgspec.inspect.UnionType) else (info,)


@cache
def _raw_fields(shape: type[Struct]) -> type[Struct]:
    fields = [(field.encode_name, Raw, Raw(b"")) for field in msgspec.structs.fields(shape)]
    return msgspec.defstruct(f"{shape.__name__}Sent", fields)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@cache
def _page_decoder(item: Any, names: tuple[str, ...]) -> msgspec.json.Decoder[Any]:
    items: Any = list.__class_getitem__(item)
    fields: list[Any] = [(names[0], items)] if len(names) == 1 else [(name, items | None, None) for name in names]
    name = getattr(item, "__name__", "Item")
    return msgspec.json.Decoder(msgspec.defstruct(f"{name}Page", fields, bases=(Page,), kw_only=True))
