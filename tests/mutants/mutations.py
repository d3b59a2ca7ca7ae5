"""Where the code can be broken, one rule at a time: Python by its syntax tree, SQL by its words.

A mutant is a place in a file and what stands there instead. Which of them the tests notice is `__main__`'s to find out.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A change of one place, `start` and `end` in bytes of the file, which lies at `path` below the project."""

    path: Path
    source: bytes
    start: int
    end: int
    after: str

    @property
    def before(self) -> str:
        return self.source[self.start : self.end].decode()

    @property
    def line(self) -> int:
        return 1 + self.source.count(b"\n", 0, self.start)

    @property
    def mutated(self) -> bytes:
        return self.source[: self.start] + self.after.encode() + self.source[self.end :]

    @property
    def key(self) -> str:
        """The same until the file changes."""
        return sha256(str(self.path).encode() + self.mutated).hexdigest()[:16]

    def __str__(self) -> str:
        before = " ".join(self.before.split())
        return f"{self.path}:{self.line}: {before[:60]} -> {self.after or 'nothing'}"


def mutants(path: Path, source: bytes) -> list[Mutant]:
    """All mutants of a file, in their order in it."""
    places = _of_sql(source) if path.suffix == ".sql" else _of_python(source)
    found = {Mutant(path, source, *place) for place in places}
    return sorted((one for one in found if one.mutated != source), key=lambda one: (one.start, one.after))


Place = tuple[int, int, str]

_SWAPS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in",
    "and": "or", "or": "and", "+": "-", "-": "+",
}  # fmt: skip
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _of_python(source: bytes) -> Iterator[Place]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.expr | ast.stmt) -> tuple[int, int]:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column

    def between(left: ast.expr, right: ast.expr) -> Iterator[Place]:
        begin, end = span(left)[1], span(right)[0]
        if found := re.search(rb"is\s+not|not\s+in|[<>=!]=|[<>+-]|\b(?:is|in|and|or)\b", source[begin:end]):
            word = " ".join(found[0].decode().split())
            yield begin + found.start(), begin + found.end(), _SWAPS[word]

    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare():
                for left, right in zip([node.left, *node.comparators], node.comparators, strict=False):
                    yield from between(left, right)
            case ast.BoolOp():
                for left, right in zip(node.values, node.values[1:], strict=False):
                    yield from between(left, right)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                yield from between(node.left, node.right)
            case ast.UnaryOp(op=ast.Not()):
                yield span(node)[0], span(node.operand)[0], ""
            case ast.Constant(value=bool() as truth):
                yield *span(node), str(not truth)
            case ast.Constant(value=int() as number):
                yield *span(node), str(number + 1)
            case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
                yield *span(node.func), _NAMES[name]
            case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
                yield *span(value), "None"
            case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue():
                yield *span(node), "pass"


# What stands for what, in queries without their comments and strings.
_WORDS = [
    (r"(?<= )<(?= )", "<="), (r"<=", "<"), (r"(?<= )>(?= )", ">="), (r">=", ">"), (r"(?<= )=(?= )", "<>"), (r"<>", "="),
    (r"\band\b", "or"), (r"\bor\b(?! replace)", "and"), (r"\bmin\b(?=\()", "max"), (r"\bmax\b(?=\()", "min"),
    (r"\barg_min\b", "arg_max"), (r"\barg_max\b", "arg_min"), (r"\blag\b(?=\()", "lead"), (r"\blead\b(?=\()", "lag"),
    (r"\bsum\b(?=\()", "max"), (r"\bleft join\b", "inner join"), (r"\binner join\b", "left join"),
    (r"\banti join\b", "semi join"), (r"\bunion all\b", "union"), (r"\bis null\b", "is not null"),
    (r"\bis not null\b", "is null"), (r"\bis distinct from\b", "is not distinct from"),
    (r"\bnot (?!null|distinct|exists)", ""),
    (r"\bgreatest\b", "least"), (r"\bleast\b", "greatest"), (r" desc\b", ""), (r"(?<=[-+] )1\b", "2"),
    (r"(?<=- )4\b", "3"), (r"(?<=- )4\b", "5"), (r"(?<=, )true(?=\))", "false"), (r"(?<=, )false(?=\))", "true"),
    (r"(?<=, )0(?=\))", "1"), (r"\bround\b(?=\()", "trunc"),
]  # fmt: skip
_OPEN_BETWEEN = re.compile(r"\bbetween\b(?:(?!\band\b)[^\n])*\Z")
_HIDDEN = re.compile(r"--[^\n]*|'(?:[^']|'')*'")


def _of_sql(source: bytes) -> Iterator[Place]:
    text = source.decode("latin-1")  # a character a byte
    code = _HIDDEN.sub(lambda found: " " * len(found[0]), text)
    for pattern, after in _WORDS:
        for found in re.finditer(pattern, code):
            if found[0] == "and" and _OPEN_BETWEEN.search(code, 0, found.start()):
                continue
            yield *found.span(), after
