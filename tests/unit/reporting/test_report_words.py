"""Templates contain layout only, and every form of a report uses the texts of `flows/reporting/words`."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from sample_reports import SAMPLES

from flows.reporting.render import files, render_html, report_lines
from flows.reporting.words import items, page
from flows.reporting.words.pieces import in_pieces, plain
from flows.runtime.wording import shortened

_CODE = re.compile(r"\{[{%#].*?[#%}]\}", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SENTENCE = re.compile(r"""(["'])[^"'<>]*[A-Za-z]{2,} [A-Za-z]{2,}[^"'<>]*\1""")


@pytest.mark.parametrize("template", sorted(files.TEMPLATES.glob("*.j2")), ids=lambda path: path.name)
def test_a_template_contains_no_text(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.findall(r"[A-Za-z]+", _TAG.sub(" ", _CODE.sub("", text)))
    assert not [code for code in _CODE.findall(text) if not code.startswith("{#") and _SENTENCE.search(code)]


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_page_and_terminal_report_have_the_same_texts(kind: str) -> None:
    report = SAMPLES[kind].report
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", "", render_html(report))))
    lines = "\n".join(report_lines(report))
    assert page.instruction(report) in text
    for item in report.must_fix[:5]:
        assert item.title in text and item.title in lines
        if items.where(item).isprintable():
            assert re.sub(r"\s+", " ", items.where(item)) in text and items.where(item) in lines
        assert re.sub(r"\s+", " ", item.fix) in text and item.fix in lines


def test_markup_in_the_text_of_a_sender_is_not_interpreted() -> None:
    pieces = in_pieces("**None** of {file} was read.", {"file": "{other} **bold**.csv"})
    assert pieces == (("None", "b"), (" of ", ""), ("{other} **bold**.csv", "bdi"), (" was read.", ""))
    assert plain(pieces) == "None of {other} **bold**.csv was read."


@pytest.mark.parametrize(
    ("text", "limit", "shorter"),
    [
        ("four words are here", 19, "four words are here"),
        ("four words are here", 18, "four words are…"),
        ("four words are here", 12, "four words…"),
        ("unbreakable", 6, "unbre…"),
    ],
)
def test_a_long_text_ends_with_a_whole_word(text: str, limit: int, shorter: str) -> None:
    assert shortened(text, limit) == shorter and len(shorter) <= limit
