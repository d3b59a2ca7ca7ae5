"""An answer's body, taken in bounded pieces: unpacked here, as HTTP libraries unpack any number of bytes at once.

One encoding is asked for (`ACCEPTED`); an answer in another was not meant for us.
"""

import zlib
from collections.abc import Iterator
from io import BytesIO

import httpx

from assets.extraction.patience import Passing

ACCEPTED = "gzip"
BOUND = 256 * 1024 * 1024
"""Bytes of one answer. A page of 1,000 members has a third of a million, a large company's month of use 100 million."""
EXCERPT = 64 * 1024
"""Bytes of an error's body: a sentence is in the first of them."""
_PIECE = 1024 * 1024
_AUTOMATIC_HEADER = zlib.MAX_WBITS | 32


class Unreadable(Exception):
    """A body that cannot be taken in, and asking again would bring the same."""


def whole_body(response: httpx.Response) -> bytes:
    """The body, unpacked.

    Raises:
        Passing: it is damaged. One that is cut short is found out by its reader.
        Unreadable: it is too large, or in an encoding that was not asked for.
    """
    body = BytesIO()
    for piece in _pieces(response):
        if body.tell() + len(piece) > BOUND:
            raise Unreadable(f"its body has more than {BOUND // 1024**2} MiB")
        body.write(piece)
    return body.getvalue()


def excerpt(response: httpx.Response) -> bytes:
    """The beginning of an error's body, as far as it can be read."""
    body = b""
    try:
        for piece in _pieces(response):
            body += piece
            if len(body) >= EXCERPT:
                break
    except (Passing, Unreadable):
        return b""
    return body[:EXCERPT]


def _pieces(response: httpx.Response) -> Iterator[bytes]:
    named = response.headers.get("content-encoding", "").lower()
    encodings = [word for word in named.replace(" ", "").split(",") if word not in ("", "identity")]
    if not encodings:
        yield from _raw(response)
    elif len(encodings) > 1 or encodings[0] not in ("gzip", "x-gzip", "deflate"):
        raise Unreadable(f"its body is encoded as {named[:50]}, which was not asked for")
    else:
        yield from _unpacked(_raw(response))


def _raw(response: httpx.Response) -> Iterator[bytes]:
    assert isinstance(response.stream, httpx.SyncByteStream)
    yield from response.stream


def _unpacked(packed: Iterator[bytes]) -> Iterator[bytes]:
    """Of one member or several (RFC 1952), as servers that stream may send them; zeros may follow the last."""
    unpacking = zlib.decompressobj(_AUTOMATIC_HEADER)
    try:
        for chunk in packed:
            left = chunk
            while left:
                if unpacking.eof:
                    if not (left := left.lstrip(b"\0")):
                        break
                    unpacking = zlib.decompressobj(_AUTOMATIC_HEADER)
                yield unpacking.decompress(left, _PIECE)
                left = unpacking.unconsumed_tail or unpacking.unused_data
        yield unpacking.flush()
    except zlib.error as error:
        raise Passing(f"a packed body that is damaged: {error}") from None
