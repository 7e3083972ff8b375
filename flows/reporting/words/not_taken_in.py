"""The page on the files in a site's folder that were not taken in: its data and its wording.

Such a file has no report of its own, because nothing in it was checked. Its name is shown only if it is not personal.
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.deliveries.file_names import WHOLE_RETURN
from flows.reporting.words.pieces import Pieces, in_pieces
from flows.runtime.wording import counted, listed
from schemas._contract.catalogue import datasets
from schemas._contract.registry import NONE, returns_for, sites

WHY, NAME_IT = "Why", "Name it"
HOW_TO_NAME = "How to name a file"
FROM_NOW = (
    "A file under the right name is checked the night it arrives, and you get its report the next morning. Delete the "
    "one under the old name. This page goes when nothing is left to say."
)
NO_PERSONAL_VALUES = (
    "This page holds no personal values: a name that may hold some is not repeated. It is safe to forward to the "
    "people who look after your data."
)


@dataclass(frozen=True)
class FileLeft:
    """A file that was not taken in, and why."""

    name: str  # redacted where it may be personal
    why: str
    send_as: str = ""  # the name to send it under, without the ending; '' where the name is not at fault

    @property
    def name_in_words(self) -> str:
        """The name, or the text in place of one that may hold personal data."""
        if not self.name.startswith("(a "):
            return self.name
        return self.name.removeprefix("(").replace(")", "", 1).capitalize()  # a number in brackets may follow

    @property
    def why_in_words(self) -> str:
        """The reason as a sentence."""
        reason = self.why.replace("`", "")
        return f"{reason[:1].upper()}{reason[1:]}."

    @property
    def how_to_name_it(self) -> str:
        """The name to send it under; '' where the name is not at fault."""
        return f"{self.send_as}, with the ending that it has" if self.send_as else ""


@dataclass(frozen=True)
class NotTakenIn:
    """The files of one site that were not taken in."""

    site: str
    files: tuple[FileLeft, ...]

    @property
    def file_name(self) -> str:
        """The file name of the page."""
        return page_name(self.site)

    @property
    def caption(self) -> str:
        """The line above the title: the site's name and code."""
        return f"{sites()[self.site].name} · {self.site}"

    @property
    def instruction(self) -> str:
        """The page's title: what to do."""
        were = "file was" if len(self.files) == 1 else "files were"
        again = "rename it and send it again" if self._only_name_is_wrong else "see why, and send what is right"
        return f"{len(self.files):,} {were} not taken in: {again}"

    @property
    def _only_name_is_wrong(self) -> bool:
        return len(self.files) == 1 and bool(self.files[0].send_as)

    @property
    def in_short(self) -> str:
        """What it means for the figures."""
        were, them = ("was", "it") if len(self.files) == 1 else ("were", "them")
        files = counted(len(self.files), "file")
        return f"{files} in your folder {were} not read, so nothing of {them} is in the figures."

    @property
    def datasets(self) -> tuple[tuple[str, str], ...]:
        """The datasets that the site sends, as (name in file names, title)."""
        sends = returns_for(self.site)
        return tuple((name, c.title) for name, c in datasets().items() if sends.get(name, NONE) != NONE)

    @property
    def example_of_a_name(self) -> Pieces:
        """How a file name is built, with an example for this site."""
        dataset = self.datasets[0][0] if self.datasets else "participants"
        return in_pieces(
            "Four parts with a low line between them, and nothing before or after: {name}",
            {"name": f"{self.site}_{dataset}_201611_v1.xlsx"},
        )

    @property
    def parts_of_a_name(self) -> tuple[tuple[str, str], ...]:
        """The parts of a file name and what each may be."""
        names = listed([name for name, _ in self.datasets] or [*datasets()], "or")
        return (
            ("Site", self.site),
            ("Dataset", f"{names}; {WHOLE_RETURN} for an Excel workbook with several, one a sheet"),
            ("Month", "the month that the data reach to, as year and month: 201611 is November 2016"),
            ("Version", "v1 for the first file of a month, v2 for the next"),
        )


def page_name(site: str) -> str:
    """The file name of a site's page."""
    return f"{site}_not_taken_in.html"
