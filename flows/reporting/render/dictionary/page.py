"""The data dictionary as a page beside the reports."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flows.reporting.render.dictionary import joins, words
from flows.reporting.render.dictionary.content import Dictionary, dictionary
from flows.reporting.render.files import template, write_if_changed

if TYPE_CHECKING:
    from markupsafe import Markup

PAGE = "dictionary.html"


@lru_cache
def dictionary_html() -> str:
    """The whole dictionary as one self-contained page."""
    content = dictionary()
    return template("dictionary").render(
        content=content,
        says=words,
        joining=joins,
        linked=lambda text, own="": _linked(content, text, own),
    )


def write_dictionary(reports: Path) -> Path:
    """Write the page into the folder of reports, if its text changed."""
    return write_if_changed(reports / PAGE, dictionary_html())


def _linked(content: Dictionary, text: str, own: str) -> Markup:
    """A text in which the names of other tables are links."""
    from markupsafe import Markup, escape

    addresses = {t.address for t in content.tables} - {own}
    return Markup(
        re.sub(
            r"\b[a-z]+\.[a-z_]+\b",
            lambda m: f'<a href="#{m[0]}">{m[0]}</a>' if m[0] in addresses else m[0],
            str(escape(text)).replace("&#39;", "'"),
        )
    )
