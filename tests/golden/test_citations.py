"""What code, SQL, code lists and documents cite is there: the document, and the section in it.

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
SECTIONS_ARE_ON = {
    "docs/domain.md": (ROOT / "docs/domain.md", *DOMAIN_PAGES),
    "docs/reports.md": (ROOT / "docs/reports.md",),
}
# A citation names one section or several, each perhaps with the rules or codes that are meant: '4.2 (SUST_13) and 4.6'.
NUMBER = r"\d+(?:\.\d+)?"
ITEM = rf"{NUMBER}(?: \([^()]*\))?"
CITATION = re.compile(rf"({'|'.join(map(re.escape, SECTIONS_ARE_ON))}) ({ITEM}(?:(?:, | and | to ){ITEM})*)")
# Documents of planning, which nobody who reads the code has.
ELSEWHERE = re.compile(rf"\b(?:{'|'.join(('DOMAIN', 'DESIGN', 'REPORTS', 'HOUSE', 'STYLE', 'INDEX'))})\.md\b")
ANCHOR = re.compile(r'<a id="([^"]+)">')
LINK = re.compile(r"\]\(([^()\s:]*?)(?:#([^()\s]+))?\)")


@lru_cache(None)
def texts() -> dict[str, str]:
    """Every text file that is, or is about to be, under version control."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    found = {}
    for name in filter(None, names):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if b"\0" not in content:
                found[name] = content.decode("utf-8", errors="replace")
    return found


def anchors(path: Path) -> list[str]:
    """What a link may name in a page: its explicit anchors, and its headings in the form that GitHub gives them."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return ANCHOR.findall(text) + [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]


def sections(document: str) -> list[str]:
    return [a for page in SECTIONS_ARE_ON[document] for a in ANCHOR.findall(page.read_text(encoding="utf-8"))]


def citations() -> Iterator[tuple[str, str, str]]:
    """Each section that is cited: by which file, of which document, and its number."""
    for name, text in texts().items():
        for document, items in CITATION.findall(text):
            for number in re.findall(NUMBER, re.sub(r"\([^()]*\)", "", items)):
                yield name, document, number


@pytest.mark.parametrize("document", SECTIONS_ARE_ON)
def test_each_section_has_one_place(document: str) -> None:
    numbers = sections(document)
    assert numbers
    assert sorted(numbers) == sorted(set(numbers))


def test_every_section_that_is_cited_exists() -> None:
    known = {document: set(sections(document)) for document in SECTIONS_ARE_ON}
    missing = {c for c in citations() if c[2] not in known[c[1]]}
    assert not missing


def test_code_cites_a_section_and_not_a_whole_document() -> None:
    bare = re.compile(rf"(?:{'|'.join(map(re.escape, SECTIONS_ARE_ON))})(?! \d)")
    own = Path(__file__).relative_to(ROOT).as_posix()
    found = {n for n, text in texts().items() if not n.endswith(".md") and n != own and bare.search(text)}
    assert not found


def test_every_document_that_is_named_exists() -> None:
    named = {(n, d) for n, text in texts().items() for d in re.findall(r"(?<![\w/.])docs/[\w/-]+\.md\b", text)}
    assert not {(n, d) for n, d in named if not (ROOT / d).is_file()}


def test_nothing_cites_a_document_that_is_elsewhere() -> None:
    assert not {(n, found) for n, text in texts().items() for found in ELSEWHERE.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), f"{target}#{anchor}"


def test_every_source_of_the_domain_is_listed_and_used() -> None:
    pages = "\n".join(p.read_text(encoding="utf-8") for p in SECTIONS_ARE_ON["docs/domain.md"])
    listed_on = (ROOT / "docs/domain/sources.md").read_text(encoding="utf-8").partition('<a id="9">')[2]
    rows = re.findall(r"^\| ([A-Z0-9][^|]*?) \|", listed_on, re.MULTILINE)
    listed = {name for row in rows for name in row.split(", ")}
    without_code = re.sub(r"`[^`]*`", "", pages)
    groups = re.findall(r"\[([A-Z0-9][^\[\]]*)\](?!\()", without_code)
    assert {name for group in groups for name in group.split(", ")} == listed
