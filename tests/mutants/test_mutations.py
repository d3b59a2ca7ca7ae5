"""The tool that breaks rules breaks them: where it finds nothing to change, it would find nothing unguarded."""

import sys
from pathlib import Path

import pytest

from tests.mutants.__main__ import known, main
from tests.mutants.mutations import mutants

PYTHON = b'''def first(day, last):
    """1 > 2 and True"""
    log.info("seen")
    if not day or day <= last + 1:
        raise Late(day)
    return max(day, last)
'''
SQL = b"""-- a < b and c
select coalesce(seats, 0), 'x and y' from days left join seats using (day)
where day between first and last and day >= until - 4
"""


def _changes(name: str, source: bytes) -> set[tuple[int, str, str]]:
    return {(one.line, one.before, one.after) for one in mutants(Path(name), source)}


def test_python_is_broken_by_its_syntax_and_its_docstrings_are_left_alone():
    assert _changes("a.py", PYTHON) == {
        (3, 'log.info("seen")', "pass"),
        (4, "not ", ""),
        (4, "or", "and"),
        (4, "<=", "<"),
        (4, "+", "-"),
        (4, "1", "2"),
        (5, "raise Late(day)", "pass"),
        (6, "max", "min"),
        (6, "max(day, last)", "None"),
    }


def test_sql_is_broken_by_its_words_and_its_comments_and_strings_are_left_alone():
    assert _changes("a.sql", SQL) == {
        (2, "0", "1"),
        (2, "left join", "inner join"),
        (3, "and", "or"),
        (3, ">=", ">"),
        (3, "4", "3"),
        (3, "4", "5"),
    }


def test_a_mutant_is_the_file_with_one_place_changed():
    (one,) = [one for one in mutants(Path("a.sql"), SQL) if one.before == ">="]
    assert one.mutated == SQL.replace(b">=", b">")
    assert str(one) == "a.sql:3: >= -> >"


def test_what_survived_is_tried_again_and_what_was_killed_is_not(tmp_path: Path):
    results = tmp_path / "mutants.jsonl"
    told = (("a", "survived"), ("b", "killed"), ("c", "survived"), ("c", "killed by time"), ("d", "killed"))
    results.write_text("".join(f'{{"key": "{key}", "verdict": "{verdict}"}}\n' for key, verdict in told))
    assert known(results) == {"b": "killed", "c": "killed by time", "d": "killed"}


@pytest.mark.parametrize("path", ["pipelines/settings.py", "assets/gone.py", "/"])
def test_a_path_whose_tests_nobody_knows_is_refused_in_a_sentence(
    path: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["mutants", path])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "is nothing in assets/: only of what lies there is it known which tests to ask" in capsys.readouterr().err
