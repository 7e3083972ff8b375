"""Redact texts from cells about people: only what cannot be personal is shown. Source: docs/domain.md 5.2.

This is an allow-list. A text is shown if all its words are the contract's own or ordinary words of forms and returns
(`ordinary_words.txt`, without any listed name), or if it is a short number, an amount, a duration or a date that cannot
be a date of birth. Anything else is hidden, and reports name only its cell. So a
text need not be recognised as personal to stay hidden: a name that is on no list is hidden too. References are always
hidden, for pseudonyms are personal data. Texts that are not about people (published figures) are shown unchanged.
"""

from __future__ import annotations

import calendar
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import category

from flows.cells.dates import YearFirst, worded, year_first
from flows.cells.parse import MISSING_WORDS, NO, NOT_CALCULATED, SERIAL_EPOCH, YES
from flows.cells.person_names import listed_names, may_be_full_name, words_of
from flows.cells.reading.numbers import CLOCK, is_part_of_hours
from flows.cells.reading.units import stated_number
from schemas._contract.code_lists import fold
from schemas._contract.model import MINUTES, Contract, Field, Kind
from schemas._contract.registry import programmes, rows, sites
from schemas._contract.workbook_names import NO_RESULT, TO_FIX
from schemas.audit.findings import MAX_FOUND_LENGTH

if TYPE_CHECKING:
    import polars as pl

MAX_TEXTS_CACHED = 20_000  # in the cache of decisions, of each field (and cut-off)
MAX_FIELDS_CACHED = 32
MAX_SHOWN_LENGTH = 40  # characters of a text that is not a label of the contract
YOUNGEST = 14  # years: nobody in a pilot is younger than 16, so a date of the last 14 years is not a date of birth
MAX_DIGITS_BESIDE_WORDS = 4
MAX_DIGITS_OUTSIDE_NUMBERS = 4  # in a field that is not a number: more digits may be part of an identifier
MIN_ROWS_OF_A_CODE = 10  # a word on no list that so many rows have is a site's own code, and nobody's name
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY})
LATEST_CUT_OFF = date(2027, 12, 31)  # where no cut-off is known yet; a later one shows less
PLACE_LISTS = ("areas", "sites")  # code lists whose labels count only as a whole: their words are surnames too

_MONTHS = tuple(n.casefold() for n in (*calendar.month_name[1:], *calendar.month_abbr[1:], "sept"))
_MONTH = "(?:" + "|".join(_MONTHS) + ")"
_CLOCK = r"(?:[t ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z| ?[ap]m)?)?"
_ANY_DAY, _ANY_MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"  # 80-11-03 begins with a year
# The first group of each is the year. They are matched against texts in lower case.
_DATES = (
    rf"^(\d{{4}})[-/. ]\d{{1,2}}[-/. ]\d{{1,2}}{_CLOCK}$",
    rf"^{_ANY_DAY}[-/. ]{_ANY_DAY}[-/. ]([12]\d{{3}}){_CLOCK}$",
    rf"^(?:{_ANY_DAY}[-/. ]{_ANY_MONTH}|{_ANY_MONTH}[-/. ]{_ANY_DAY})[-/. ](\d{{2}}){_CLOCK}$",
    rf"^(?:\d{{1,2}}(?:st|nd|rd|th)?[- ]?{_MONTH}|{_MONTH}[- ]?\d{{1,2}}(?:st|nd|rd|th)?|{_MONTH}),?[- ]?(\d{{4}})$",
    rf"^{_ANY_DAY}[- ]?{_MONTH}[- ](\d{{2}})$",
)
_DAY_AND_MONTH = rf"^(?:[0-3]?\d[- ]?{_MONTH}|{_MONTH}[- ][0-3]?\d|{_MONTH})$"
_NUMBER = r"^[-+(]?£? ?(\d{1,3},\d{3}|\d{1,6})(?:\.\d{1,2})?\)?%?$|^(\d{1,6}),\d{1,2}$"
_DD, _MM = "(?:0[1-9]|[12][0-9]|3[01])", "(?:0[1-9]|1[0-2])"
# Six digits, or five if a leading nought was lost.
_DIGITS_OF_A_DATE = rf"^(?:{_DD}{_MM}\d\d|{_MM}{_DD}\d\d|\d\d{_MM}{_DD}|[1-9]{_MM}\d\d|\d\d{_MM}[1-9])$"
_THREE_NUMBERS = r"\d[^\p{L}\p{N}]+\d+[^\p{L}\p{N}]+\d"  # however short, they may be a date of birth
# Amounts of money in short ('£1.2m'), quarters and financial years ('Q3 2016/17'), and in fields that are numbers
# durations ('1h 15m', '45m', '0:20'). In another field '45m' may be an age and a sex.
_SHORT_AMOUNT = r"^£ ?\d{1,3}(?:\.\d{1,2})? ?(?:k|m|mn|bn|thousand|million)$"
_PART_OF_A_YEAR = r"^(?:(?:q[1-4]|fy),? ?)?(\d{4})(?: ?[-/] ?(?:\d{4}|\d{2}))?$|^(?:q[1-4]|fy),? ?(\d{4})$"
_DURATION = (
    r"^\d{1,3}(?:\.\d{1,2})? ?(?:h|hrs?|hours?|m|mins?|minutes?)\.?(?: ?\d{1,2} ?(?:m|mins?|minutes?)\.?)?$"
    r"|^\d{1,2}:[0-5]\d$"
)
_LIKE_A_REFERENCE = r"\p{L}-?\d{3}|(?:^|\D)(?:[013-9]\d{3}|2[1-9]\d\d)(?:\D|$)"  # four digits must be a year
_NEW_CODE = r"^[a-z]+(?:[ _/-]+[a-z]+)*$"
# What file names have besides words: a month (or a date that is not a date of birth), a version, the pipeline's suffix.
_FILE_NAME_PARTS = re.compile(
    r"(?<![0-9])20[1-3]\d[-_. ]?\d\d(?![-_. ]?[0-9])"
    rf"|(?<![0-9])20(?:1[4-9]|[23]\d)[-_. ]?{_MM}[-_. ]?{_DD}(?![-_. ]?[0-9])"
    rf"|(?<![A-Za-z])v\d{{1,4}}(?![0-9A-Za-z])|(?:{TO_FIX}|\.findings)(?![0-9A-Za-z])"
)
_NEVER_SHOWN = r"[@\p{Cc}\p{Co}\p{Cn}]"
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class _Vocabulary:
    """A contract's labels, folded for look-up, and the words of which other texts may consist."""

    labels: frozenset[str]
    words: frozenset[str]

    def makes_up(self, text: str) -> bool:
        """Whether a text in small letters consists of these words and of digits."""
        if not text.isascii() and any(category(character).startswith("M") for character in text):
            return False  # an accent written as a mark of its own would divide a word
        return all(word in self.words or (word.isascii() and word.isdigit()) for word in _WORD.findall(text))


@lru_cache
def _vocabulary(contract: Contract) -> _Vocabulary:
    lists = {f.codes: f.code_list for f in contract.fields if f.codes}
    labels = {spelling for codes in lists.values() for spelling in codes.spellings} | MISSING_WORDS | YES | NO
    labels |= {fold(text) for f in contract.fields for text in (f.name, f.title, *f.aliases)}
    texts = [contract.dataset, contract.title, *MISSING_WORDS, *YES, *NO]
    texts += sorted({row["dataset"] for row in rows("returns")})  # sheets are named after datasets
    texts += [text for f in contract.fields for text in (f.name, f.title, *f.aliases)]
    texts += [
        t for n, c in lists.items() if n not in PLACE_LISTS for e in c.entries for t in (e.code, e.label, *e.aliases)
    ]
    places = [text for site in sites().values() for text in (site.code, site.name)]
    places += [text for programme in programmes().values() for text in (programme.code, programme.name)]
    labels |= {fold(part) for text in places for part in _phrases(text)}
    words = ordinary_words() | {word for text in (*texts, *places) for word in _tokens(text)}
    # months are left out: `_is_late_date` decides on dates
    return _Vocabulary(frozenset(labels - {""}), words - {*listed_names(), *_MONTHS})


@lru_cache
def ordinary_words() -> frozenset[str]:
    """Words of forms and returns that say nothing about a person and are no listed name."""
    return frozenset(Path(__file__).with_name("ordinary_words.txt").read_text(encoding="utf-8").split())


def _phrases(text: str) -> list[str]:
    """A text and each run of two or more of its words: West London Alliance, West London, London Alliance."""
    words = text.split()
    runs = (words[i:j] for i in range(len(words)) for j in range(i + 2, len(words) + 1))
    return [text, *(" ".join(run) for run in runs)]


def _tokens(text: str) -> list[str]:
    return "".join(ch if ch.isalnum() else " " for ch in text.casefold()).split()


def is_private(field: Field, contract: Contract) -> bool:
    """Whether no cell of a field may ever be shown: it is personal, or a pseudonym, which is personal data too."""
    return field.personal or (contract.participant_level and field.kind is Kind.REFERENCE)


def redact(texts: pl.Series, field: Field | None, contract: Contract, cut_off: date) -> pl.DataFrame:
    """Redact texts for findings: a frame with the columns `found` (cut to 80 characters; null if hidden) and `hidden`.

    `field` is the field of the cells; None for headings, names of sheets and the like. An empty text is not hidden.
    """
    import polars as pl

    is_long = pl.col("text").str.len_chars() > MAX_FOUND_LENGTH
    # a long text ends with a whole word, if it has several
    cut = pl.col("text").str.slice(0, MAX_FOUND_LENGTH - 1).str.replace(r"(\S)\s+\S*$", "${1}")
    as_seen = pl.col("text").replace(NOT_CALCULATED, NO_RESULT)
    found = pl.when(is_long).then(cut + "…").otherwise(as_seen).alias("found")
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    if field is not None and is_private(field, contract):
        empty = (pl.col("text").str.strip_chars() == "").fill_null(True)
        return frame.select(pl.when(empty).then(found), (~empty).alias("hidden"))
    if not contract.participant_level:
        return frame.select(found, pl.lit(False).alias("hidden"))
    counts = Counter(texts)
    decisions = _decisions(list(counts), field, contract, cut_off)
    frequent = {text for text, n in counts.items() if n >= MIN_ROWS_OF_A_CODE}
    shown = {t for t in counts if decisions[t] is _Show.ALWAYS or (decisions[t] is _Show.IF_FREQUENT and t in frequent)}
    visible = pl.Series([text in shown for text in texts], dtype=pl.Boolean)
    return frame.select(pl.when(visible).then(found), (~visible).alias("hidden"))


def own_labels(contract: Contract) -> frozenset[str]:
    """Everything that is shown as a whole, folded: labels, headings, places, and words for missing, yes and no."""
    return _vocabulary(contract).labels


def redact_text(text: str, field: Field | None, contract: Contract, cut_off: date) -> str | None:
    """Redact one text: the text, cut to 80 characters; None if it must be hidden."""
    import polars as pl

    [found] = redact(pl.Series([text], dtype=pl.String), field, contract, cut_off)["found"]
    return None if found is None else str(found)


def redact_headings(headings: Sequence[str], letters: Sequence[str], contract: Contract, cut_off: date) -> list[str]:
    """Redact headings: one that may be personal is replaced by its column's letter ('column D')."""
    import polars as pl

    if own_headings(contract).issuperset(headings):  # as in most files
        return list(headings)
    found = redact(pl.Series(list(headings), dtype=pl.String), None, contract, cut_off)["found"]
    return [f"column {letter}" if text is None else h for h, text, letter in zip(headings, found, letters, strict=True)]


def redact_sheet_name(name: str, number: int, contract: Contract, cut_off: date) -> str:
    """Redact a sheet's name: one that may be personal is replaced by the sheet's number ('sheet 2')."""
    return name if not name or redact_text(name, None, contract, cut_off) is not None else f"sheet {number}"


def name_of_stray_sheet(name: str, number: int, contract: Contract) -> str:
    """Redact the name of a sheet that is not read: shown if it consists of words of the dataset that is read.

    The sheet may be about people even if the dataset is not. The words of other datasets are not allowed: else the
    result of a file would depend on their contracts and code lists.
    """
    about_people = replace(contract, participant_level=True, rules=())  # some rules are for published figures only
    return name if is_safe_to_echo(name, (about_people,)) else f"sheet {number}"


class _Show(Enum):
    """Whether a text may be shown: always, if so many rows have it that it is a site's own code, or never."""

    ALWAYS = auto()
    IF_FREQUENT = auto()
    NEVER = auto()


# Callers add to the dictionary. A decision on a text never changes, so threads may add the same one twice.
@lru_cache(MAX_FIELDS_CACHED)  # mutable: a cache of decisions
def _cached_decisions(field: Field | None, contract: Contract, cut_off: date) -> dict[str | None, _Show]:
    """The cached decisions on texts of a field: the next batch has mostly the same texts.

    Texts that are never shown are not cached, because they may be personal. The contract's own headings are there from
    the start: most files have no others.
    """
    return dict.fromkeys(own_headings(contract), _Show.ALWAYS) if field is None else {}


def own_headings(contract: Contract) -> set[str]:
    """The agreed names of a dataset's sheet and columns, which are always shown."""
    return {contract.dataset, *contract.by_name}


def _decisions(
    texts: Sequence[str | None], field: Field | None, contract: Contract, cut_off: date
) -> dict[str | None, _Show]:
    """Whether each distinct text may be shown, from the cache where possible."""
    import polars as pl

    cache = _cached_decisions(field, contract, cut_off)
    # copied first: another thread may clear the cache at any time
    decisions = {text: cache.get(text) for text in texts}
    new = [text for text, show in decisions.items() if show is None]
    decided = _decide(pl.Series(new, dtype=pl.String), field, contract, cut_off) if new else {}
    if len(cache) + len(decided) > MAX_TEXTS_CACHED:
        cache.clear()
    cache |= {t: show for t, show in decided.items() if show is not _Show.NEVER}
    return {text: show or decided[text] for text, show in decisions.items()}


def _decide(texts: pl.Series, field: Field | None, contract: Contract, cut_off: date) -> dict[str | None, _Show]:
    """Decide for each distinct text whether it may be shown."""
    import polars as pl

    plain = pl.col("plain")
    frame = pl.DataFrame({"text": texts}).with_columns(
        pl.col("text").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars().alias("plain"),
        pl.col("text").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "").alias("folded"),
    )
    own = field.code_list.spellings if field is not None and field.codes else {}
    labels, folded = _vocabulary(contract).labels, frame["folded"]
    # in Python: there are few texts, and polars would take up thousands of words at each call
    is_label = pl.Series([None if text is None else text in labels or text in own for text in folded], dtype=pl.Boolean)
    is_name = pl.Series([text in listed_names() and text not in own for text in folded], dtype=pl.Boolean)
    is_figure = _is_short_number(plain, field, cut_off) | _is_late_date(plain, cut_off) | _is_amount(plain, field)
    if field is not None and field.kind is Kind.DATE:
        is_figure |= pl.Series([_is_recent_day(text, cut_off) for text in texts], dtype=pl.Boolean)
    if field is not None and field.kind in _NUMBERS:
        is_figure |= pl.Series([_is_quantity(text or "", field) for text in texts], dtype=pl.Boolean)
    brief = pl.col("text").str.len_chars() <= MAX_SHOWN_LENGTH
    of_words = _is_of_words(plain, contract, cut_off)
    safe = (is_label | is_figure | of_words) & (is_label | brief) & ~is_name & ~plain.str.contains(_NEVER_SHOWN)
    is_code = field is not None and field.kind is Kind.CODE
    properties = frame.select(
        "text",
        safe.fill_null(True).alias("safe"),
        is_label.fill_null(True).alias("is_label"),
        (pl.lit(is_code) & pl.col("text").str.contains(_NEW_CODE) & brief).fill_null(False).alias("is_new"),
    )
    return {
        text: _show(text, safe=safe, is_label=is_label, is_new=is_new)
        for text, safe, is_label, is_new in properties.iter_rows()
    }


def _show(text: str | None, *, safe: bool, is_label: bool, is_new: bool) -> _Show:
    if safe and (is_label or not text or not may_be_full_name(text)):
        return _Show.ALWAYS
    if not safe and text and is_new and not listed_names().intersection(words_of(text)):
        return _Show.IF_FREQUENT
    return _Show.NEVER


def _is_short_number(text: pl.Expr, field: Field | None, cut_off: date) -> pl.Expr:
    """Whether a text is a number of up to six digits that cannot be a date of birth, as a serial number or otherwise.

    In a field that is not a number, up to four digits; in a date field, up to five, which is a serial number.
    """
    import polars as pl

    whole = pl.coalesce(text.str.extract(_NUMBER, 1), text.str.extract(_NUMBER, 2)).str.replace(",", "")
    last_birth = (date(cut_off.year - YOUNGEST, 12, 31) - SERIAL_EPOCH).days
    day_number = (whole.str.len_chars() == 5) & (whole.cast(pl.Int32, strict=False) <= last_birth)
    kind = field.kind if field is not None else None
    most = 6 if kind in _NUMBERS else 5 if kind is Kind.DATE else MAX_DIGITS_OUTSIDE_NUMBERS
    few = whole.str.len_chars() <= most
    return (text.str.contains(_NUMBER) & few & ~day_number & ~whole.str.contains(_DIGITS_OF_A_DATE)).fill_null(False)


def _is_amount(text: pl.Expr, field: Field | None) -> pl.Expr:
    """Whether a text is an amount of money in short, or a duration in a field that is a number."""
    amount = text.str.contains(_SHORT_AMOUNT)
    return amount | text.str.contains(_DURATION) if field is not None and field.kind in _NUMBERS else amount


def _is_late_date(text: pl.Expr, cut_off: date) -> pl.Expr:
    """Whether a text is a date, real or not, of a year in which no participant was born; or a day without a year."""
    import polars as pl

    year = pl.coalesce(*(text.str.extract(pattern, 1) for pattern in _DATES))
    part = pl.coalesce(text.str.extract(_PART_OF_A_YEAR, 1), text.str.extract(_PART_OF_A_YEAR, 2))
    year = year.fill_null(part)
    full = (year.str.len_chars() == 4) & (year.cast(pl.Int32, strict=False) > cut_off.year - YOUNGEST)
    two = year.cast(pl.Int32, strict=False) + 2000
    short = (year.str.len_chars() == 2) & two.is_between(cut_off.year - YOUNGEST, cut_off.year + 1, closed="right")
    return (full | short).fill_null(False) | text.str.contains(_DAY_AND_MONTH)


def _is_quantity(text: str, field: Field) -> bool:
    """Whether a text of a field of numbers is a time such as 0:20, a part of some hours, or a number with its unit.

    With more than four digits together it may be part of an identifier.
    """
    plain = text.strip()
    if CLOCK.fullmatch(plain) or (field.unit == MINUTES and is_part_of_hours(plain)):
        return True
    is_short = re.search(r"[0-9]{5}|[0-9] [0-9]", plain) is None and any(ch.isalpha() for ch in plain)
    return is_short and stated_number(plain, field) is not None


def _is_recent_day(text: str | None, cut_off: date) -> bool:
    """Whether a text of a date field is a date such as 20160223 or 'Sunday 17th April 2016', not of a birth."""
    written = year_first((text or "").strip()) or worded((text or "").strip())
    day = written.day if isinstance(written, YearFirst) else written.day() if written else None
    return day is not None and day.year > cut_off.year - YOUNGEST


def _is_of_words(text: pl.Expr, contract: Contract, cut_off: date) -> pl.Expr:
    """Whether a text has only the contract's words and a few digits, and no year of birth.

    At most one single letter: several may be initials, or spell a name.
    """
    import polars as pl

    year = text.str.extract(r"\b((?:19|20)\d\d)\b", 1).cast(pl.Int32, strict=False)
    return (
        text.map_elements(_vocabulary(contract).makes_up, return_dtype=pl.Boolean)
        & (text.str.count_matches(r"\d") <= MAX_DIGITS_BESIDE_WORDS)
        & ~(year <= cut_off.year - YOUNGEST).fill_null(False)
        & (text.str.count_matches(r"\b\p{L}\b") <= 1)
        & ~text.str.contains(_THREE_NUMBERS)
        & ~text.str.contains(_LIKE_A_REFERENCE)
    )


def in_agreed_form(rows: pl.DataFrame, contract: Contract, cut_off: date) -> pl.DataFrame:
    """Typed rows without the values that are not listed, in range or of their field's form, for storing held rows.

    The fault for which a row is held may be a name or a date of birth in the wrong column.
    """
    import polars as pl

    if not contract.participant_level:
        return rows
    columns = []
    for field in contract.fields:
        cell, conditions = pl.col(field.name), []
        if field.kind is Kind.CODE:
            conditions.append(cell.is_in(list(field.code_list.codes)))
        if field.kind is Kind.DATE:
            conditions.append(cell > last_birth(cut_off))
        if field.pattern:
            conditions.append(cell.str.contains(field.pattern))
        if field.low is not None:
            conditions.append(cell >= field.low)
        if field.high is not None:
            conditions.append(cell <= field.high)
        if conditions:
            columns.append(pl.when(pl.all_horizontal(conditions)).then(cell).alias(field.name))
    return rows.with_columns(columns)


def last_birth(cut_off: date) -> date:
    """The latest possible date of birth of anybody in a pilot, with a good margin."""
    # 29 February need not exist 14 years before
    return date(cut_off.year - YOUNGEST, cut_off.month, 28 if cut_off.month == 2 else min(cut_off.day, 30))


def last_birth_of(programme_code: str, cut_off: date) -> date:
    """The latest possible date of birth in a programme: also by its last year, because a name's may be wrong."""
    programme = programmes().get(programme_code)
    by_cut_off = last_birth(cut_off)
    if programme is None or programme.end_year is None:
        return by_cut_off
    return min(by_cut_off, date(programme.end_year - YOUNGEST, 12, 31))


def is_safe_to_echo(name: str, about: Iterable[Contract]) -> bool:
    """Whether the name of a file, folder or sheet may be shown although its content is unknown.

    True if it consists of words of a dataset about people, besides a month, a version and the pipeline's own suffix.
    """
    rest = _FILE_NAME_PARTS.sub(" ", name).strip(" _-")
    people = [contract for contract in about if contract.participant_level]
    return not rest or any(redact_text(rest, None, contract, LATEST_CUT_OFF) is not None for contract in people)
