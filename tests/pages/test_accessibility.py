"""Report pages in a real browser: no axe violation, no request, no sideways scrolling, A4 when printed.

axe-core checks what of WCAG 2.2 AA can be checked automatically. Source: docs/reports.md 1.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from sample_reports import SAMPLES
from soak import in_soak

from flows.reporting.render import write_not_taken_in, write_site_index
from flows.reporting.render.dictionary.page import write_dictionary
from flows.reporting.words.not_taken_in import FileLeft, NotTakenIn
from flows.reporting.words.site_index import SentFile, SiteIndex

axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: pip install -e '.[test]'")

WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OPTIONS = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
MONEY_PAGES = ("index", "MHT", "WC")
A4 = (595, 842)  # points
WIDEST = "document.documentElement.scrollWidth"
TOO_WIDE = """[...document.querySelectorAll("*")]
    .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display != "inline")
    .map(e => e.outerHTML)"""
# all but the first table of each section, and all but the first rows of each table
REMOVE_ALIKE = """
    document.querySelectorAll("section table ~ *, tbody tr:nth-child(n + 4)").forEach(e => e.remove())"""
PARTS = "['html', 'h1', '.summary h2', '.tag', '.value', 'footer p']"
# Fonts differ between machines, and readers may change letter and word spacing (WCAG 1.4.12). With this spacing, Arial
# is as wide as any system font.
FONTS = {"the system's": "", "a wide one": "* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important }"}
COLOURS = f"{PARTS}.map(part => getComputedStyle(document.querySelector(part)))"


def violations(page) -> list[str]:
    """The axe violations of a page: rule, and the elements that break it."""
    found = axe_playwright.Axe().run(page, options=OPTIONS).response
    assert len(found["passes"]) > 15, "axe did not run"
    return [f"{v['id']}: {[n['html'] for n in v['nodes']]}" for v in found["violations"]]


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_page_has_no_axe_violation_and_fetches_nothing(kind, page, pages) -> None:
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(pages[kind].as_uri())
    assert violations(page) == []
    assert requested == [pages[kind].as_uri()]


def test_the_page_of_files_not_taken_in_has_no_violation_and_fits(page, tmp_path) -> None:
    files_left = (
        FileLeft(
            "(a file of 12 bytes whose name may hold personal data)", "its name says nothing", "MHT-BPL_<dataset>"
        ),
        FileLeft("MHT-BPL_employment_outcomes_201611.xlsx", "its name says no version", "MHT-BPL_contacts_201611_v1"),
        FileLeft("MHT-GM_contacts_201611_v1.csv", "it lies in another folder than its site's, MHT-GM"),
    )
    path = write_not_taken_in(tmp_path, NotTakenIn("MHT-BPL", files_left))
    page.goto(path.as_uri())
    assert violations(page) == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate(WIDEST) == width and page.evaluate(TOO_WIDE) == []
    assert len(path.read_bytes()) < 300_000


def test_the_index_of_a_site_has_no_violation_and_fits(page, tmp_path) -> None:
    received = datetime(2016, 12, 2, 16, 12)
    to_fix = SentFile(
        dataset_title="Contacts",
        period="201611",
        version=2,
        file_name="MHT-BPL_contacts_201611_v2.xlsx",
        received_at=received,
        outcome="9 of 10 rows accepted, 1 held back",
        what_to_do="Fix 1 problem and send the file again by 5pm, Friday 9 December 2016.",
        must_act=True,
        report="MHT-BPL_contacts_201611_v2.html",
        workbook="MHT-BPL_contacts_201611_v2_to_fix.xlsx",
        findings="MHT-BPL_contacts_201611_v2.findings.csv",
    )
    older = [replace(to_fix, dataset_title="Employment outcomes", version=n, must_act=False) for n in range(120)]
    index = SiteIndex(
        site="MHT-BPL",
        latest=(to_fix, older[0]),
        history=(to_fix, *older),
        never_sent=("Participants",),
        overdue=(("201610", "Participants"), ("201610", "Referrals"), ("201609", "Claims")),
        due_period="201611",
        due=datetime(2016, 12, 9, 17),
        due_datasets=("Participants", "Referrals", "Contacts"),
        not_taken_in="MHT-BPL_not_taken_in.html",
        contact="pilots-data@example.org",
    )
    path = write_site_index(tmp_path, index)
    page.goto(path.as_uri())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert violations(page) == []
    for font in FONTS.values():
        page.evaluate(
            "css => document.head.append(Object.assign(document.createElement('style'), {textContent: css}))", font
        )
        for width in (320, 640, 1280):
            page.set_viewport_size({"width": width, "height": 640})
            assert page.evaluate(WIDEST) == width and page.evaluate(TOO_WIDE) == []
    assert len(path.read_bytes()) < 300_000


@pytest.mark.parametrize("name", MONEY_PAGES)
def test_a_page_on_money_has_no_violation_fetches_nothing_and_fits(name, page, money_pages) -> None:
    path = money_pages / f"{name}.html"
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(path.as_uri())
    assert violations(page) == [] and requested == [path.as_uri()]
    page.evaluate(
        "css => document.head.append(Object.assign(document.createElement('style'), {textContent: css}))",
        FONTS["a wide one"],
    )
    for width in (320, 360, 640, 1100, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate(WIDEST) == width
        if width < 721:  # as lists
            assert violations(page) == []
    assert len(path.read_bytes()) <= 200_000 and b"<script" not in path.read_bytes()


@pytest.mark.parametrize("name", MONEY_PAGES)
def test_a_page_on_money_prints_on_a4(name, page, money_pages) -> None:
    page.goto((money_pages / f"{name}.html").as_uri())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 673, "height": 900})  # A4 less its margins, at 96 dots an inch
    assert page.evaluate(WIDEST) == 673
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", page.pdf(prefer_css_page_size=True))
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {A4}


def test_the_data_dictionary_has_no_violation_fetches_nothing_fits_and_prints(page, tmp_path) -> None:
    path = write_dictionary(tmp_path)
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto(path.as_uri())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 673, "height": 900})  # as above
    assert page.evaluate(WIDEST) == 673
    page.emulate_media(media="screen")
    page.evaluate(
        "css => document.head.append(Object.assign(document.createElement('style'), {textContent: css}))",
        FONTS["a wide one"],
    )
    for width in (320, 640, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        assert page.evaluate(WIDEST) == width, width
    page.evaluate(REMOVE_ALIKE)  # of the whole page, axe takes minutes
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 640})
        assert violations(page) == [], width
    assert requested == [path.as_uri()]
    assert len(path.read_bytes()) < 2_000_000 and b"<script" not in path.read_bytes()


def test_axe_catches_a_faulty_page(page, pages) -> None:
    html = pages["one_problem"].read_text()
    for valid, faulty in (
        ("--quiet: #484c50", "--quiet: #a8acb0"),
        ('<html lang="en-GB">', "<html>"),
        ('<th scope="col"', '<th scope="sideways"'),
    ):
        assert valid in html
        html = html.replace(valid, faulty)
    page.set_content(html)
    assert [f.partition(":")[0] for f in violations(page)] == ["color-contrast", "html-has-lang", "scope-attr-valid"]


# what fits in the wide font fits in the other one
@pytest.mark.parametrize("font", ["a wide one", *in_soak("the system's")])
@pytest.mark.parametrize("kind", SAMPLES)
def test_no_page_scrolls_sideways(kind, font, page, pages) -> None:
    page.goto(pages[kind].as_uri())
    page.evaluate(
        "css => document.head.append(Object.assign(document.createElement('style'), {textContent: css}))", FONTS[font]
    )
    for width, text_size in ((320, 100), (640, 200), (1280, 200)):
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate(f"document.documentElement.style.fontSize = '{text_size}%'")
        assert page.evaluate(WIDEST) == width
        assert page.evaluate(TOO_WIDE) == []


def test_the_width_check_catches_an_unbreakable_word(page, pages) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    html = pages["long_and_foreign_text"].read_text()
    page.set_content(html.replace("overflow-wrap: anywhere", "overflow-wrap: normal"))
    assert page.evaluate(WIDEST) > 320


def test_a_page_has_no_violation_in_dark_mode(page, pages) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(pages["resubmission"].as_uri())
    assert violations(page) == []


def test_forced_colours_are_followed(page, pages) -> None:
    """Axe takes the background for white here, so the computed colours are checked directly."""
    page.emulate_media(forced_colors="active", color_scheme="dark")
    page.goto(pages["resubmission"].as_uri())
    white, black = "rgb(255, 255, 255)", "rgb(0, 0, 0)"
    assert set(page.evaluate(f"{COLOURS}.map(c => c.color)")) == {white}
    assert set(page.evaluate(f"{COLOURS}.map(c => c.backgroundColor)")) <= {black, "rgba(0, 0, 0, 0)"}


def test_a_page_prints_on_a4(page, pages) -> None:
    page.goto(pages["many_kinds"].as_uri())
    pdf = page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {A4}
    assert 2 <= len(boxes) <= 6


def test_a_link_moves_keyboard_focus_to_its_problem(page, pages) -> None:
    page.goto(pages["many_kinds"].as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.click("text=Duration is out of range – column G, 1 row")
    page.wait_for_function("document.activeElement.textContent == '7. Duration is out of range'", timeout=10_000)
