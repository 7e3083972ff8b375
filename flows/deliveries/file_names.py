"""The names that files are sent under: the agreed form, and what can be read as nothing else.

A name that is slightly off is understood where one reading is left: the copy that a browser or Excel numbers, small
letters, other marks between the parts, a month in words, an ending that stands twice. Whatever else stands in it makes
it unknown, so a name that is understood holds none but our own words. Source: docs/domain.md 6.1 (F21).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from functools import lru_cache

from flows.deliveries.findings import Finding
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._contract.registry import sites
from schemas._contract.workbook_names import TO_FIX
from schemas.audit.deliveries import Delivery

PERIOD = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])"
WHOLE_RETURN = "return"  # a workbook of this name holds several datasets, one a sheet (docs/domain.md 7)
AGREED = re.compile(
    rf"^(?P<site>[A-Z0-9-]+)_(?P<dataset>[a-z_]+)_(?P<period>{PERIOD})_v(?P<version>\d{{1,4}})\.(?P<ending>\w+)$"
)
# Our own marked workbook under the name that it was given: the likeliest slip of who sends it again.
MARKED = re.compile(
    rf"^(?P<stem>(?P<site>[A-Z0-9-]+)_(?P<dataset>[a-z_]+)_{PERIOD}_v)(?P<version>\d{{1,4}}){TO_FIX}(?![0-9A-Za-z])"
)
ADDED_BY_COMPUTERS = frozenset({".ds_store", "thumbs.db", "desktop.ini"})  # to folders; in small letters
# What programs add: 'Copy of X', 'X - Copy', 'X copy 2', 'X (1)'. Compared in small letters.
_COPY = re.compile(r"^copy(?: \(\d{1,2}\))? of |(?:[ _-]+copy(?: \d{1,2})?| ?\(\d{1,2}\))+$")
_PLAIN = re.compile(r"[A-Za-z0-9 _.,()+-]+")  # such a name can be written down anywhere as it is
_ENDING = re.compile(r"^(?P<stem>.+?)(?P<ending>\.\w+)(?:(?P=ending))*$", re.IGNORECASE)
_MONTHS = {
    name.casefold(): n for names in (calendar.month_name, calendar.month_abbr) for n, name in enumerate(names) if name
} | {"sept": 9}
_MONTH_WORD = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR, _MM = r"(?:19|20)\d{2}", r"0[1-9]|1[0-2]"
_MONTH_SAID = (
    rf"(?:(?P<y1>{_YEAR}) ?(?P<m1>{_MM})|(?P<m2>{_MM}) (?P<y2>{_YEAR})"
    rf"|(?P<m3>{_MONTH_WORD}) ?(?P<y3>{_YEAR})|(?P<y4>{_YEAR}) ?(?P<m4>{_MONTH_WORD}))"
)
_VERSION_SAID = r" ?v(?:er|ersion)? ?(?P<version>\d{1,4})"
# Without its v, a version is told from a day of the month by standing alone behind a month in digits.
_BARE_VERSION = rf"(?P<y0>{_YEAR})(?P<m0>{_MM}) (?P<bare>[1-9])"


@dataclass(frozen=True)
class FileName:
    """What the name of a file says. `is_agreed`: in the agreed form."""

    site: str
    dataset: str
    period: str
    version: int
    ending: str  # with its dot
    is_agreed: bool = True

    @property
    def stem(self) -> str:
        """The name in the agreed form, without its ending."""
        return f"{self.site}_{self.dataset}_{self.period}_v{self.version}"

    @property
    def agreed(self) -> str:
        """The name in the agreed form."""
        return self.stem + self.ending


def read_name(name: str, folder: str = "") -> FileName | None:
    """What a file's name says: by the agreed form, or by the one reading left. `folder` is its site's, if known.

    A name in the agreed form is read as it stands, also where there is no such site or dataset.
    """
    said = AGREED.match(name)
    if said is None or said["site"] not in sites() or said["dataset"] not in _sent():
        understood = _one_reading(name, folder)
        if understood or said is None:
            return understood
    return FileName(said["site"], said["dataset"], said["period"], int(said["version"]), f".{said['ending']}")


def agreed_name(name: str) -> str:
    """The agreed form of a file's name that is only understood; '' of one that has that form, or is not understood."""
    said = read_name(name)
    return "" if said is None or said.is_agreed else said.agreed


def likely_stem(name: str, site: str) -> str:
    """What a file in a site's folder may have to be called, without its ending. Nothing of its name is repeated."""
    text = f" {_plain(name)} "
    named = [d for d in _sent() if re.search(rf" {_words(d)} ", text)]
    months = {_period(m) for m in re.finditer(rf"(?<![0-9]){_MONTH_SAID}(?![0-9])", text)}
    dataset, period = (found.pop() if len(found) == 1 else "" for found in ([*named], [*months]))
    versions = re.findall(r" v(?:er|ersion)? ?(\d{1,4}) ", text)
    version = int(versions[0]) if len(versions) == 1 else 1
    return f"{site}_{dataset or '<dataset>'}_{period or '<yyyymm>'}_v{version}"


def _one_reading(name: str, folder: str) -> FileName | None:
    """What a name says that has not the agreed form; None where it may say several things, or something else."""
    parts = _ENDING.match(name)
    if parts is None or not _PLAIN.fullmatch(name):
        return None
    text = _plain(_COPY.sub("", _COPY.sub("", parts["stem"].casefold())))
    found = {
        (site, dataset, _period(said), int(said["version"] or said["bare"]))
        for site in ([folder] if folder in sites() else sites())
        for dataset in _sent()
        if (said := _pattern(site, dataset).fullmatch(text))
    }
    return FileName(*found.pop(), parts["ending"], is_agreed=False) if len(found) == 1 else None


@lru_cache
def _sent() -> tuple[str, ...]:
    return (*datasets(), WHOLE_RETURN)


@lru_cache(maxsize=1024)
def _pattern(site: str, dataset: str) -> re.Pattern[str]:
    return re.compile(f"{_spelt(site)} ?{_words(dataset)} ?(?:{_MONTH_SAID}{_VERSION_SAID}|{_BARE_VERSION})")


def _words(dataset: str) -> str:
    """A pattern of a dataset's name as people type it: with any mark between its words, and one for many."""
    spelt = _spelt(dataset)
    return rf"{spelt}?" if spelt.endswith("s") else spelt


def _spelt(name: str) -> str:
    return _plain(name).replace(" ", " ?")


def _plain(text: str) -> str:
    """A text in small letters, with one space for whatever stands between words and numbers."""
    return re.sub(r"[^a-z0-9]+", " ", text.casefold()).strip()


def _period(said: re.Match[str]) -> str:
    """The month that was said, as yyyymm."""
    groups = said.groupdict()
    year, month = next((groups[f"y{i}"], groups[f"m{i}"]) for i in range(5) if groups.get(f"y{i}"))
    return f"{year}{_MONTHS[month] if month in _MONTHS else int(month):02}"


def about_name(delivery: Delivery) -> list[Finding]:
    """That the name of a delivery's file was only understood, if it was (rule F31)."""
    said = read_name(delivery.file_name, delivery.site_code)
    named = (delivery.site_code, delivery.period, delivery.version)
    if said is None or said.is_agreed or (said.site, said.period, said.version) != named:
        return []
    return [Finding("F31", Severity.WARNING, found=delivery.file_name, suggestion=said.agreed)]
