"""What is pointed to is there: links and paths in prose, documents in code, a README in each folder of `assets/`."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SOURCES = ("assets", "pipelines", "sandbox", "benchmarks", "tests")
PROSE = sorted(
    path.relative_to(PROJECT)
    for folder in (".", "docs", *SOURCES)
    for path in (PROJECT / folder).glob("*.md" if folder in (".", "docs") else "**/*.md")
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(r"`((?:docs|data/reference|" + "|".join(SOURCES) + r")/[\w./*-]*)`")
DOCUMENT = re.compile(r"[\w./-]+\.md\b")
SECTION = re.compile(r"docs/design\.md, ([A-Z][\w ]+?)[):]")


@pytest.mark.parametrize("document", PROSE, ids=str)
def test_every_link_and_path_in_the_prose_leads_somewhere(document: Path):
    text = (PROJECT / document).read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if "://" not in link and not _leads(document, link)]
    if document.name != "CHANGELOG.md":  # it names what was
        missing += [path for path in PATH.findall(text) if not list(PROJECT.glob(path.rstrip("/")))]
    assert missing == []


def _leads(document: Path, link: str) -> bool:
    file, _, section = link.partition("#")
    place = PROJECT / document.parent / file if file else PROJECT / document
    return place.exists() and (not section or section in _sections(place))


def _sections(place: Path) -> set[str]:
    """A document's headings as their links are written."""
    headings = re.findall(r"^#+ (.+)$", place.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_code_names_no_document_that_is_not_here():
    known = {path.name for path in PROSE}
    assert {name for text in _code() for name in DOCUMENT.findall(text) if Path(name).name not in known} == set()


def test_every_section_of_the_design_that_code_names_is_there():
    named = {section for text in _code() for section in SECTION.findall(text)}
    assert named
    assert {re.sub(" ", "-", one.lower()) for one in named} <= _sections(PROJECT / "docs/design.md")


def _code() -> Iterator[str]:
    here = Path(__file__)
    for folder in SOURCES:
        for path in (PROJECT / folder).rglob("*"):
            if path.suffix in (".py", ".sql", ".toml") and path != here and "kept" not in path.parts:
                yield path.read_text(encoding="utf-8")


def test_each_folder_of_assets_that_holds_code_tells_what_comes_in_and_goes_out():
    folders = {path.parent for path in (PROJECT / "assets").rglob("__init__.py")} - {PROJECT / "assets"}
    told = {folder: (folder / "README.md").read_text(encoding="utf-8") for folder in folders}
    words = ("**In**", "**Out**", "**Grain**", "**Always holds**", "Begin with")
    assert {str(folder) for folder, text in told.items() for word in words if word not in text} == set()
