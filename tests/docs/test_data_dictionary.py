"""The committed dictionary is what would be generated now, and leaves nothing out."""

import pytest

from assets.warehouse.relations import Kind, relations
from pipelines.subjects import SUBJECTS
from tests.docs.dictionary import DATASETS, PAGE, dictionary


@pytest.fixture(scope="module")
def generated() -> str:
    return dictionary()


def test_the_committed_dictionary_is_what_is_generated(generated: str):
    assert PAGE.read_text(encoding="utf-8") == generated, "make docs writes it anew"


def test_nothing_is_without_a_meaning(generated: str):
    rows = [line for line in generated.splitlines() if line.startswith("| `")]
    assert len(rows) > 200
    assert [row for row in rows if len(row.rstrip(" |").split(" | ")) < 2 or row.endswith("|  |")] == []


def test_every_relation_and_every_file_is_in_it(generated: str):
    published = [one.name for one in relations(SUBJECTS) if one.kind != Kind.PASSING]
    missing = [name for name in published if f"`{name}`" not in generated and f"`{name}(" not in generated]
    assert missing == []
    assert [one.path for one in DATASETS if f"### `{one.path}`" not in generated] == []
