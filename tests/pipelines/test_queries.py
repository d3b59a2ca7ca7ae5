"""What the command line asks the warehouse stands in files, where `tests/test_queries.py` holds it to its header."""

import ast
from pathlib import Path

import pytest

PIPELINES = Path(__file__).parents[2] / "pipelines"


def _asked_in_python(module: str) -> list[str]:
    """The texts that are handed to `execute` or `sql` as they are, and select rows."""
    calls = [one for one in ast.walk(ast.parse(module)) if isinstance(one, ast.Call)]
    asked = [
        one.args[0] for one in calls if isinstance(one.func, ast.Attribute) and one.func.attr in ("execute", "sql")
    ]
    texts = [one.value for one in asked if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    return [text for text in texts if "select" in text.lower() or text.lower().startswith(("from", "with"))]


def test_no_question_to_the_warehouse_stands_in_python():
    found = {path.name: _asked_in_python(path.read_text(encoding="utf-8")) for path in PIPELINES.rglob("*.py")}
    assert len(found) > 20
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.parametrize("module", ['db.execute("select 1")', 'db.sql("""\nSELECT a\nfrom b""")', 'db.sql("from b")'])
def test_such_a_question_would_be_found(module: str):
    assert len(_asked_in_python(module)) == 1
