"""The committed command-line reference is what would be generated now, whatever terminal asks, and lacks nothing."""

import re

import pytest

from pipelines.cli.app import DOING
from tests.docs.command_line import PAGE, reference


def test_the_committed_reference_is_what_is_generated():
    assert PAGE.read_text(encoding="utf-8") == reference(), "make docs writes it anew"


@pytest.mark.parametrize("terminal", [{"COLUMNS": "20"}, {"COLUMNS": "300", "FORCE_COLOR": "1", "LINES": "5"}])
def test_it_does_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch, terminal: dict[str, str]):
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    assert PAGE.read_text(encoding="utf-8") == reference()


def test_every_command_and_every_parameter_says_what_it_is_for():
    page = reference()
    sections = re.findall(r"^## licenses (\S+)$", page, re.M)
    assert set(DOING) < set(sections)
    assert [f"[`{name}`](#licenses-{name})" for name in sections] == re.findall(r"^\| (\[`.*?\))", page, re.M)
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) > 30
    assert [row for row in rows if not row[1].strip()] == []
    assert "0 done" in page
