"""Report pages in a real browser: axe finds nothing, nothing is fetched, nothing scrolls sideways, A4 when printed.

WCAG 2.2 AA by axe-core, which finds what a machine can find. Source: docs/reports.md 1.
"""

from __future__ import annotations

import re

import pytest
from sample_reports import SAMPLES

from flows.reporting.render import write_not_taken_in
from flows.reporting.words.not_taken_in import FileLeft, NotTakenIn

axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[test]'")

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OPTIONS = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
A4 = (595, 842)  # points
WIDEST = "document.documentElement.scrollWidth"
TOO_WIDE = """[...document.querySelectorAll("*")]
    .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != "inline")
    .map(e => e.outerHTML)"""
PARTS = "['html', 'h1', '.summary h2', '.tag', '.value', 'footer p']"
# Fonts differ from machine to machine, and readers may space text out (WCAG 1.4.12): spaced so, Arial is as wide as
# any font that a system has.
FONTS = {"the system's": "", "a wide one": "* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }"}
COLOURS = f"{PARTS}.map(part => getComputedStyle(document.querySelector(part)))"


def faults(page) -> list[str]:
    """What axe finds in a page: the rules broken, with the elements that break them."""
    found = axe_playwright.Axe().run(page, options=OPTIONS).response
    assert len(found["passes"]) > 15, "axe did not run"
    return [f"{v['id']}: {[n['html'] for n in v['nodes']]}" for v in found["violations"]]


@pytest.mark.parametrize("kind", SAMPLES)
def test_axe_finds_nothing_and_nothing_is_fetched(kind, page, pages) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(pages[kind].as_uri())
    assert faults(page) == []
    assert asked == [pages[kind].as_uri()]


def test_the_page_of_what_was_not_taken_in_is_as_good(page, tmp_path) -> None:
    left = (
        FileLeft(
            "(a file of 12 bytes whose name may hold personal data)", "its name says nothing", "MHT-BPL_<dataset>"
        ),
        FileLeft("MHT-BPL_employment_outcomes_201611.xlsx", "its name says no version", "MHT-BPL_contacts_201611_v1"),
        FileLeft("MHT-GM_contacts_201611_v1.csv", "it lies in another folder than its site's, MHT-GM"),
    )
    made = write_not_taken_in(tmp_path, NotTakenIn("MHT-BPL", left))
    page.goto(made.as_uri())
    assert faults(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate(WIDEST) == width and page.evaluate(TOO_WIDE) == []
    assert len(made.read_bytes()) < 300_000


def test_axe_catches_a_page_that_is_wrong(page, pages) -> None:
    html = pages["one_problem"].read_text()
    for sound, faulty in (
        ("--quiet: #484c50", "--quiet: #a8acb0"),
        ('<html lang="en-GB">', "<html>"),
        ('<th scope="col"', '<th scope="sideways"'),
    ):
        assert sound in html
        html = html.replace(sound, faulty)
    page.set_content(html)
    assert [f.partition(":")[0] for f in faults(page)] == ["color-contrast", "html-has-lang", "scope-attr-valid"]


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_nothing_scrolls_sideways(kind, font, page, pages) -> None:
    page.goto(pages[kind].as_uri())
    page.evaluate(
        "css => document.head.append(Object.assign(document.createElement('style'), {textContent: css}))", FONTS[font]
    )
    for width, text_size in ((320, 100), (640, 200), (1280, 200)):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate(f"document.documentElement.style.fontSize = '{text_size}%'")
        assert page.evaluate(WIDEST) == width
        assert page.evaluate(TOO_WIDE) == []


def test_a_long_word_that_cannot_break_would_be_caught(page, pages) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    html = pages["long_and_foreign_text"].read_text()
    page.set_content(html.replace("overflow-wrap: anywhere", "overflow-wrap: normal"))
    assert page.evaluate(WIDEST) > 320


def test_it_stays_as_it_is_for_a_reader_who_likes_dark_pages(page, pages) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(pages["resubmission"].as_uri())
    assert faults(page) == []


def test_colours_that_a_system_forces_are_followed(page, pages) -> None:
    """Here axe takes the ground for white, so the colours are looked at themselves."""
    page.emulate_media(forced_colors="active", color_scheme="dark")
    page.goto(pages["resubmission"].as_uri())
    white, black = "rgb(255, 255, 255)", "rgb(0, 0, 0)"
    assert set(page.evaluate(f"{COLOURS}.map(c => c.color)")) == {white}
    assert set(page.evaluate(f"{COLOURS}.map(c => c.backgroundColor)")) <= {black, "rgba(0, 0, 0, 0)"}


def test_it_prints_on_a4(page, pages) -> None:
    page.goto(pages["many_kinds"].as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {A4}
    assert 2 <= len(boxes) <= 6


def test_a_link_leads_to_its_problem_and_the_keyboard_follows(page, pages) -> None:
    page.goto(pages["many_kinds"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.click("text=Duration is out of range – column G, 1 row")
    page.wait_for_function("document.activeElement.textContent == '7. Duration is out of range'", timeout=10_000)
