"""The page about what lies in a site's folder and was not taken in: its shape, and how it is put into words.

Such a file has no report of its own, for nothing of it was checked. Its name is repeated only where it may be.
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
    """A file that was not taken in: its name as far as it may be told, why, and what it may have to be called."""

    name: str
    why: str
    send_as: str = ""  # without its ending

    @property
    def name_in_words(self) -> str:
        """The name, or what stands in place of one that may hold personal data."""
        if not self.name.startswith("(a "):
            return self.name
        return self.name.removeprefix("(").replace(")", "", 1).capitalize()  # a number in brackets may follow

    @property
    def why_in_words(self) -> str:
        """The reason as a sentence."""
        said = self.why.replace("`", "")
        return f"{said[:1].upper()}{said[1:]}."

    @property
    def how_to_name_it(self) -> str:
        """The name to send it under; '' where the name is not at fault."""
        return f"{self.send_as}, with the ending that it has" if self.send_as else ""


@dataclass(frozen=True)
class NotTakenIn:
    """What of a site's folder was not taken in."""

    site: str
    files: tuple[FileLeft, ...]

    @property
    def file_name(self) -> str:
        """What the page is called."""
        return page_name(self.site)

    @property
    def caption(self) -> str:
        """Whose folder it is."""
        return f"{sites()[self.site].name} · {self.site}"

    @property
    def instruction(self) -> str:
        """The page's title: what to do."""
        were = "file was" if len(self.files) == 1 else "files were"
        again = "rename it and send it again" if self._names_alone else "see why, and send what is right"
        return f"{len(self.files):,} {were} not taken in: {again}"

    @property
    def _names_alone(self) -> bool:
        return len(self.files) == 1 and bool(self.files[0].send_as)

    @property
    def in_short(self) -> str:
        """What it means that they were not taken in."""
        were, them = ("was", "it") if len(self.files) == 1 else ("were", "them")
        files = counted(len(self.files), "file")
        return f"{files} in your folder {were} not read, so nothing of {them} is in the figures."

    @property
    def datasets(self) -> tuple[tuple[str, str], ...]:
        """What the site sends, as its files' names say it, with the title."""
        sends = returns_for(self.site)
        return tuple((name, c.title) for name, c in datasets().items() if sends.get(name, NONE) != NONE)

    @property
    def example_of_a_name(self) -> Pieces:
        """How a name is made up, with one that the site may use."""
        dataset = self.datasets[0][0] if self.datasets else "participants"
        return in_pieces(
            "Four parts with a low line between them, and nothing before or after: {name}",
            {"name": f"{self.site}_{dataset}_201611_v1.xlsx"},
        )

    @property
    def parts_of_a_name(self) -> tuple[tuple[str, str], ...]:
        """What the parts of a name are."""
        names = listed([name for name, _ in self.datasets] or [*datasets()], "or")
        return (
            ("Site", self.site),
            ("Dataset", f"{names}; {WHOLE_RETURN} for an Excel workbook with several, one a sheet"),
            ("Month", "the month that the data reach to, as year and month: 201611 is November 2016"),
            ("Version", "v1 for the first file of a month, v2 for the next"),
        )


def page_name(site: str) -> str:
    """What the page of a site is called."""
    return f"{site}_not_taken_in.html"
