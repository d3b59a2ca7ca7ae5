"""Chance without chance: numbers and ids that depend on their name alone, equal in every process and version."""

import base64
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")
_WORD = 4
_BLOCK = 64


class Draws:
    """A reproducible stream of draws named by what it is for, as in `Draws(seed, "member", 7)`."""

    __slots__ = ("_block", "_blocks", "_name", "_offset")

    def __init__(self, *name: object) -> None:
        self._name = ":".join(map(str, name)).encode()
        self._blocks = 0
        self._refill()

    def below(self, bound: int) -> int:
        """A whole number from 0 up to, not including, `bound`."""
        if self._offset == _BLOCK:
            self._refill()
        word = self._block[self._offset : self._offset + _WORD]
        self._offset += _WORD
        return int.from_bytes(word, "big") * bound >> 8 * _WORD

    def between(self, first: int, last: int) -> int:
        """A whole number from `first` to `last`, both possible."""
        return first + self.below(last - first + 1)

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.below(len(choices))]

    def _refill(self) -> None:
        salt = self._blocks.to_bytes(8, "big")
        self._block = blake2b(self._name, digest_size=_BLOCK, salt=salt).digest()
        self._blocks += 1
        self._offset = 0


def tagged_id(prefix: str, *name: object) -> str:
    """An id in the API's form, `user_01` and 22 letters and digits, from what it names."""
    digest = blake2b(":".join(map(str, name)).encode(), digest_size=17, person=prefix[:16].encode()).digest()
    return f"{prefix}_01{base64.b64encode(digest, altchars=b'xY').decode()[:22]}"
