"""Every document and section cited in code, SQL, code lists and documents exists.

`docs/domain.md 4.2` cites a section by its number; the sections of the domain are on the pages of `docs/domain/`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DOMAIN_PAGES = sorted(ROOT.glob("docs/domain/*.md"))
PAGES_WITH_SECTIONS = {
    "docs/domain.md": (ROOT / "docs/domain.md", *DOMAIN_PAGES),
    "docs/reports.md": (ROOT / "docs/reports.md",),
}
# A citation names one or more sections, each optionally with the rules or codes meant: '4.2 (SUST_13) and 4.6'.
NUMBER = r"\d+(?:\.\d+)?"
ITEM = rf"{NUMBER}(?: \([^()]*\))?"
CITATION = re.compile(rf"({'|'.join(map(re.escape, PAGES_WITH_SECTIONS))}) ({ITEM}(?:(?:, | and | to ){ITEM})*)")
# Planning documents that are not part of the project.
PLANNING_DOCUMENT = re.compile(rf"\b(?:{'|'.join(('DOMAIN', 'DESIGN', 'REPORTS', 'HOUSE', 'STYLE', 'INDEX'))})\.md\b")
ANCHOR = re.compile(r'<a id="([^"]+)">')
LINK = re.compile(r"\]\(([^()\s:]*?)(?:#([^()\s]+))?\)")


@lru_cache(None)
def texts() -> dict[str, str]:
    """Every text file under version control, or new and not ignored, by name."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    found = {}
    for name in filter(None, names):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if b"\0" not in content:
                found[name] = content.decode("utf-8", errors="replace")
    return found


def anchors(path: Path) -> list[str]:
    """Link targets within a page: explicit anchors, and headings as GitHub slugs them."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return ANCHOR.findall(text) + [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]


def sections(document: str) -> list[str]:
    return [a for page in PAGES_WITH_SECTIONS[document] for a in ANCHOR.findall(page.read_text(encoding="utf-8"))]


def citations() -> Iterator[tuple[str, str, str]]:
    """Yield each citation: the citing file, the document and the section number."""
    for name, text in texts().items():
        for document, items in CITATION.findall(text):
            for number in re.findall(NUMBER, re.sub(r"\([^()]*\)", "", items)):
                yield name, document, number


@pytest.mark.parametrize("document", PAGES_WITH_SECTIONS)
def test_section_numbers_are_unique(document: str) -> None:
    numbers = sections(document)
    assert numbers
    assert sorted(numbers) == sorted(set(numbers))


def test_every_cited_section_exists() -> None:
    existing = {document: set(sections(document)) for document in PAGES_WITH_SECTIONS}
    missing = {c for c in citations() if c[2] not in existing[c[1]]}
    assert not missing


def test_code_cites_sections_and_not_whole_documents() -> None:
    without_section = re.compile(rf"(?:{'|'.join(map(re.escape, PAGES_WITH_SECTIONS))})(?! \d)")
    own = Path(__file__).relative_to(ROOT).as_posix()
    found = {n for n, text in texts().items() if not n.endswith(".md") and n != own and without_section.search(text)}
    assert not found


def test_every_named_document_exists() -> None:
    named = {(n, d) for n, text in texts().items() for d in re.findall(r"(?<![\w/.])docs/[\w/-]+\.md\b", text)}
    assert not {(n, d) for n, d in named if not (ROOT / d).is_file()}


def test_no_file_cites_a_planning_document() -> None:
    assert not {(n, found) for n, text in texts().items() for found in PLANNING_DOCUMENT.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_of_a_page_have_targets(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_every_source_of_the_domain_is_listed_and_cited() -> None:
    pages = "\n".join(p.read_text(encoding="utf-8") for p in PAGES_WITH_SECTIONS["docs/domain.md"])
    listed_on = (ROOT / "docs/domain/sources.md").read_text(encoding="utf-8").partition('<a id="9">')[2]
    rows = re.findall(r"^\| ([A-Z0-9][^|]*?) \|", listed_on, re.MULTILINE)
    listed = {name for row in rows for name in row.split(", ")}
    without_code = re.sub(r"`[^`]*`", "", pages)
    groups = re.findall(r"\[([A-Z0-9][^\[\]]*)\](?!\()", without_code)
    assert {name for group in groups for name in group.split(", ")} == listed
