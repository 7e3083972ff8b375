"""File names: parse the agreed form, and other names that can only mean one thing.

A name that differs slightly is accepted if it has only one reading: numbered as a copy by a browser or Excel, in small
letters, with other marks between its parts, with a month in words, or with its ending twice. Any other word in it makes
it unknown. So a name that is accepted contains nothing personal. Source: docs/domain.md 6.1 (F21).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from flows.deliveries.findings import Finding
from schemas._contract.catalogue import datasets
from schemas._contract.model import Severity
from schemas._contract.registry import sites
from schemas._contract.workbook_names import TO_FIX
from schemas.audit.deliveries import Delivery

PERIOD = r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])"
WHOLE_RETURN = "return"  # a workbook of this name holds several datasets, one a sheet (docs/domain.md 7)
AGREED_NAME = re.compile(
    rf"^(?P<site>[A-Z0-9-]+)_(?P<dataset>[a-z_]+)_(?P<period>{PERIOD})_v(?P<version>\d{{1,4}})\.(?P<ending>\w+)$"
)
# Our own marked workbook under the name we gave it: the most likely mistake when it is sent back.
MARKED = re.compile(
    rf"^(?P<stem>(?P<site>[A-Z0-9-]+)_(?P<dataset>[a-z_]+)_{PERIOD}_v)(?P<version>\d{{1,4}}){TO_FIX}(?![0-9A-Za-z])"
)
# Files that operating systems add to folders, in small letters.
ADDED_BY_COMPUTERS = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
# What programs add to the name of a copy: 'Copy of X', 'X - Copy', 'X copy 2', 'X (1)'. Matched in small letters.
_COPY = re.compile(r"^copy(?: \(\d{1,2}\))? of |(?:[ _-]+copy(?: \d{1,2})?| ?\(\d{1,2}\))+$")
_PLAIN = re.compile(r"[A-Za-z0-9 _.,()+-]+")  # a name that is safe to write anywhere
_ENDING = re.compile(r"^(?P<stem>.+?)(?P<ending>\.\w+)(?:(?P=ending))*$", re.IGNORECASE)
_MONTHS = {
    name.casefold(): n for names in (calendar.month_name, calendar.month_abbr) for n, name in enumerate(names) if name
} | {"sept": 9}
_MONTH_WORD = "|".join(sorted(_MONTHS, key=len, reverse=True))
_YEAR, _MM = r"(?:19|20)\d{2}", r"0[1-9]|1[0-2]"
_MONTH_AS_TYPED = (
    rf"(?:(?P<y1>{_YEAR}) ?(?P<m1>{_MM})|(?P<m2>{_MM}) (?P<y2>{_YEAR})"
    rf"|(?P<m3>{_MONTH_WORD}) ?(?P<y3>{_YEAR})|(?P<y4>{_YEAR}) ?(?P<m4>{_MONTH_WORD}))"
)
_VERSION_AS_TYPED = r" ?v(?:er|ersion)? ?(?P<version>\d{1,4})"
# A version without its 'v' is recognised only as one digit after yyyymm, where it cannot be a day of the month.
_BARE_VERSION = rf"(?P<y0>{_YEAR})(?P<m0>{_MM}) (?P<bare>[1-9])"


def last_day_of(period: str) -> date:
    """The last day of a month given as yyyymm: a delivery's cut-off if its manifest states none."""
    year, month = int(period[:4]), int(period[4:])
    return date(year, month, calendar.monthrange(year, month)[1])


@dataclass(frozen=True)
class FileName:
    """The parts of a file's name. `is_agreed`: whether the name has the agreed form."""

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
    """Parse a file's name: in the agreed form, or by the only other reading it has; None if it has none or several.

    `folder` is the site's folder that the file is in, if known. A name in the agreed form is returned even where its
    site or dataset is unknown.
    """
    parts = AGREED_NAME.match(name)
    if parts is None or parts["site"] not in sites() or parts["dataset"] not in _sent():
        only_reading = _only_reading(name, folder)
        if only_reading or parts is None:
            return only_reading
    return FileName(parts["site"], parts["dataset"], parts["period"], int(parts["version"]), f".{parts['ending']}")


def agreed_name(name: str) -> str:
    """The agreed form of a file's name; '' where it has that form already, or cannot be read."""
    parts = read_name(name)
    return "" if parts is None or parts.is_agreed else parts.agreed


def likely_stem(name: str, site: str) -> str:
    """Suggest a name, without ending, for a file in a site's folder whose name cannot be read.

    It has placeholders for the parts that cannot be found, and repeats nothing of the name that is not a word of ours.
    """
    text = f" {_plain(name)} "
    found_datasets = [d for d in _sent() if re.search(rf" {_words(d)} ", text)]
    months = {_period(m) for m in re.finditer(rf"(?<![0-9]){_MONTH_AS_TYPED}(?![0-9])", text)}
    dataset, period = (found.pop() if len(found) == 1 else "" for found in (found_datasets, [*months]))
    versions = re.findall(r" v(?:er|ersion)? ?(\d{1,4}) ", text)
    version = int(versions[0]) if len(versions) == 1 else 1
    return f"{site}_{dataset or '<dataset>'}_{period or '<yyyymm>'}_v{version}"


def _only_reading(name: str, folder: str) -> FileName | None:
    """The only reading of a name that does not have the agreed form; None where it has none or several."""
    parts = _ENDING.match(name)
    if parts is None or not _PLAIN.fullmatch(name):
        return None
    text = _plain(_COPY.sub("", _COPY.sub("", parts["stem"].casefold())))
    # To compile a pattern takes milliseconds, and there are thousands: those whose letters are not there are left out.
    letters = text.replace(" ", "")
    found = {
        (site, dataset, _period(match), int(match["version"] or match["bare"]))
        for site in ([folder] if folder in sites() else sites())
        if _letters(site) in letters
        for dataset in _sent()
        if _letters(dataset).removesuffix("s") in letters and (match := _pattern(site, dataset).fullmatch(text))
    }
    return FileName(*found.pop(), parts["ending"], is_agreed=False) if len(found) == 1 else None


@lru_cache
def _sent() -> tuple[str, ...]:
    """What a file can hold: one of the datasets, or a whole return."""
    return (*datasets(), WHOLE_RETURN)


@lru_cache(maxsize=1024)
def _pattern(site: str, dataset: str) -> re.Pattern[str]:
    return re.compile(f"{_spelt(site)} ?{_words(dataset)} ?(?:{_MONTH_AS_TYPED}{_VERSION_AS_TYPED}|{_BARE_VERSION})")


def _words(dataset: str) -> str:
    """A pattern for a dataset's name as people type it: any mark between its words, and singular for plural."""
    spelt = _spelt(dataset)
    return rf"{spelt}?" if spelt.endswith("s") else spelt


def _spelt(name: str) -> str:
    return _plain(name).replace(" ", " ?")


def _letters(name: str) -> str:
    return _plain(name).replace(" ", "")


def _plain(text: str) -> str:
    """A text in small letters, with one space for any run of characters other than letters and digits."""
    return re.sub(r"[^a-z0-9]+", " ", text.casefold()).strip()


def _period(match: re.Match[str]) -> str:
    """The month of a match, as yyyymm."""
    groups = match.groupdict()
    year, month = next((groups[f"y{i}"], groups[f"m{i}"]) for i in range(5) if groups.get(f"y{i}"))
    return f"{year}{_MONTHS[month] if month in _MONTHS else int(month):02}"


def about_name(delivery: Delivery) -> list[Finding]:
    """A warning if the name of a delivery's file was accepted although it does not have the agreed form (rule F31)."""
    parts = read_name(delivery.file_name, delivery.site_code)
    expected = (delivery.site_code, delivery.period, delivery.version)
    if parts is None or parts.is_agreed or (parts.site, parts.period, parts.version) != expected:
        return []
    return [Finding("F31", Severity.WARNING, found=delivery.file_name, suggestion=parts.agreed)]
