"""Every query stands in a file, says its grain, its question and what it reads first, and reads just that, by DuckDB's
own parser."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from assets.warehouse.header import header
from assets.warehouse.relations import relations
from pipelines.subjects import SUBJECTS

ROOT = Path(__file__).parents[1]
RULES = ROOT / "assets" / "snapshots" / "sql" / "rules"
"""Scalar macros: they read no rows, and answer for a value."""
QUERIES = [
    path
    for folder in ("assets", "pipelines")
    for path in sorted((ROOT / folder).rglob("*.sql"))
    if path.parent != RULES
]
OURS = {path.stem for path in QUERIES if path.parent.name == "macros"}
"""Table functions that are read as relations are; DuckDB's own are not."""
CREATED = re.compile(
    r"^(?:create (?:macro \w+\(.*?\) as table|view [\w.]+ as|or replace temp table \w+ as)|set variable \w+ =)\s",
    re.MULTILINE | re.DOTALL,
)
PASSING = {path.stem for path in QUERIES if path.parent.name == "temp"}
"""Some are variables."""

IN_PYTHON = {
    "assets/engine.py": "makes a relation of the query or the files that it is given",
    "assets/files/damaged.py": "reads every column of any file, only to find damage",
    "assets/warehouse/amending.py": "makes the rows of a relation's query that have changed",
    "assets/warehouse/attached.py": "makes views and macros anew under other names",
    "assets/warehouse/checks.py": "makes a relation of the check that it is given",
    "assets/warehouse/relations.py": "makes a relation of the query that it is given",
}
"""Modules whose SQL no file could hold, and why."""
ASKS = re.compile(
    r"\s*(select|insert\s+into|delete\s+from|create\s+(or\s+replace\s+)?(temp\s+)?(table|view|macro))\s", re.I
)
HANDED = re.compile(r"\s*(from|with)\s", re.I)
"""What begins so may be prose, unless it is handed to DuckDB."""


def read_by(query: str) -> set[str]:
    """The relations that a query selects from, apart from its own CTEs."""
    told = _parser().execute("select json_serialize_sql(?::varchar)", [CREATED.sub("", query, count=1)]).fetchall()
    parsed = json.loads(told[0][0])
    assert not parsed["error"], parsed
    return set(_read(parsed["statements"], frozenset()))


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    """One for all queries: to open one takes longer than to parse."""
    return duckdb.connect(":memory:")


def _read(node: Any, ctes: frozenset[str]) -> Iterator[str]:
    """A CTE is known to those after it, and to the query that it stands before."""
    if isinstance(node, list):
        for one in node:
            yield from _read(one, ctes)
    elif isinstance(node, dict):
        for entry in node.get("cte_map", {}).get("map", []):
            yield from _read(entry["value"], ctes)
            ctes |= {entry["key"]}
        match node.get("type"):
            case "BASE_TABLE" if node["schema_name"] or node["table_name"] not in ctes:
                yield ".".join(name for name in (node["schema_name"], node["table_name"]) if name)
            case "FUNCTION" if node["function_name"] == "getvariable":
                name = node["arguments"][0]["expression"]["literal"]["text"]
                if name in PASSING:
                    yield f"temp.{name}"
            case "TABLE_FUNCTION" if node["function"]["function_name"] in OURS:
                yield node["function"]["function_name"]
        yield from _read([value for name, value in node.items() if name != "cte_map"], ctes)


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_query_says_its_grain_its_question_and_what_it_reads(path: Path) -> None:
    query = path.read_text(encoding="utf-8")
    told = header(query)
    assert told.words.startswith("One row"), "the grain stands first"
    asked = "Assumes: " if path.parent.name == "checks" else "Answers: "
    assert asked in told.words, "then the question"
    assert told.reads == read_by(query)


def test_a_subjects_queries_read_its_own_relations_and_those_of_the_subjects_that_it_stands_on() -> None:
    subject_of = {one.name: SUBJECTS.index(one.subject) for one in relations(SUBJECTS)}
    upwards = [
        f"{one.name} reads {read}"
        for one in relations(SUBJECTS)
        for read in one.reads & subject_of.keys()
        if subject_of[read] > subject_of[one.name]
    ]
    assert upwards == []


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("select (select max(a) from x) from inputs.y as y asof join z on y.a >= z.a", {"x", "inputs.y", "z"}),
        ("with x as (select * from x), y as (select * from x) select * from y", {"x"}),
        (
            "create view v as\nselect * from w semi join (from u) using (a) where b in (select b from t)",
            {"w", "u", "t"},
        ),
        ("create macro m(day, at := null) as table\nselect day from range(3), licenses_on(day)", {"licenses_on"}),
        ("select * from read_parquet('x') where a = $a and getvariable('b')", set()),
    ],
)
def test_what_a_query_reads_is_found_wherever_it_stands(query: str, reads: set[str]) -> None:
    assert read_by(query) == reads


def test_names_that_a_header_carries_on_to_the_next_line_are_read_too() -> None:
    told = header("-- One row. Answers: what?\n-- reads: a, internal.b,\n--     c\n-- \nselect 1")
    assert told.words == "One row. Answers: what?"
    assert told.reads == {"a", "internal.b", "c"}


def _asked_in_python(module: str) -> list[str]:
    """The texts that select, make or change rows, wherever they stand in a module."""
    nodes = list(ast.walk(ast.parse(module)))
    handed = [text for one in nodes if HANDED.match(text := _handed(one))]
    return handed + [text for one in nodes if ASKS.match(text := _text(one))]


def _handed(node: ast.AST) -> str:
    """What is handed to DuckDB."""
    match node:
        case ast.Call(func=ast.Attribute(attr="execute" | "sql"), args=[asked, *_]):
            return _text(asked)
    return ""


def _text(node: ast.AST) -> str:
    """A text, with a mark where something is put into it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) or "_" for part in parts)
    return ""


def test_no_query_stands_in_python_but_where_it_must() -> None:
    modules = [path for folder in ("assets", "pipelines") for path in (ROOT / folder).rglob("*.py")]
    found = {path.relative_to(ROOT).as_posix(): _asked_in_python(path.read_text(encoding="utf-8")) for path in modules}
    assert {name for name, texts in found.items() if texts} == IN_PYTHON.keys()


@pytest.mark.parametrize(
    "module",
    [
        'db.execute("select 1")',
        'db.sql("""\nSELECT a\nfrom b""")',
        'db.sql("from b")',
        'db.execute(f"with a as (from {b}) from a")',
        'queries = ("select 1",)',
        'db.execute(f"create or replace table {a} as from b" if a else c)',
    ],
)
def test_such_a_query_would_be_found(module: str) -> None:
    assert _asked_in_python(module)
