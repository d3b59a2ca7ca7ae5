"""Every block of the cookbook prints what the cookbook says."""

from pathlib import Path

import pytest

from tests.commandline import Operator
from tests.docs.company import play
from tests.docs.recipes import COOKBOOK, WIDTH, Recipe, recipes, run
from tests.warehouse.keys import broken

pytestmark = pytest.mark.slow

TEXT = COOKBOOK.read_text(encoding="utf-8")
RECIPES = recipes(TEXT)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Operator:
    return play(tmp_path_factory.mktemp("company"), home)


@pytest.mark.parametrize("recipe", RECIPES, ids=[f"{place}: {one.question}" for place, one in enumerate(RECIPES)])
def test_the_cookbook_prints_what_it_says(recipe: Recipe, operator: Operator):
    assert run(recipe, operator) == recipe.printed, "python -m tests.docs.write_cookbook writes it anew"


def test_what_each_relation_says_of_its_key_and_of_what_it_refers_to_holds(operator: Operator):
    assert broken(operator.data / "warehouse.duckdb") == []


def test_every_question_is_answered():
    questions = [line.removeprefix("### ") for line in TEXT.splitlines() if line.startswith("### ")]
    assert {one.question for one in RECIPES} == set(questions)
    assert len(questions) == len(set(questions)) >= 20


def test_nothing_is_too_wide_for_the_page():
    assert [line for recipe in RECIPES for line in recipe.printed.splitlines() if len(line) > WIDTH] == []
