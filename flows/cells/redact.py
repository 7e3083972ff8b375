"""What may be shown of a text that is about a person: only what cannot be personal. Source: docs/domain.md 5.2.

A text is shown if each of its words is one of the contract's own or a plain word of reports, or if it is a short
number, or a date that cannot be a birth. Whatever else it is, it is hidden and its cell is named. So nothing need be
recognised as personal to stay hidden: a name that no list has is hidden too. References are hidden always: pseudonyms
are personal data. What is not about people (published figures) is shown as it stands.
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
from typing import TYPE_CHECKING

from flows.cells.parse import MISSING_WORDS, NO, SERIAL_EPOCH, YES
from flows.cells.person_names import certain_names, listed_names, may_be_full_name, words_of
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind
from schemas._contract.registry import programmes, rows, sites
from schemas._contract.workbook_names import TO_FIX
from schemas.audit.findings import LONGEST_FOUND

if TYPE_CHECKING:
    import polars as pl

MOST_KNOWN, FIELDS_KNOWN = 20_000, 32  # texts that are remembered of a field (at a cut-off), and such fields
LONGEST_SHOWN = 40  # characters of a text that is no label of ours
YOUNGEST = 14  # years: nobody in a pilot is younger than 16, so no date of the last 14 years is a birth
MOST_DIGITS_BESIDE_WORDS = 4
MOST_DIGITS_OF_NO_NUMBER = 4  # where no number is asked for: more may be a part of somebody's
LEAST_ROWS_OF_A_CODE = 10  # that hold a word which no list has: it is a code of the site's, not somebody's name
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.MONEY})
LATEST_CUT_OFF = date(2027, 12, 31)  # for names that are met before a cut-off is known: the later, the less is shown
PLACES = ("areas", "sites")  # lists whose labels count as a whole: their words are surnames too

_ORDINARY = """
    a about above actual address again all also am an and any approx approximately area as at average band below
    birth blank by calc case cell changed check choose client code column comment comments contact copy count
    current data date day days dd declined delete div dob done dont draft due each email empty end ended error
    estimate estimated extra extract family fax final first for forename form free from full getting given gp hour
    hours hr hrs id in include incomplete info initial initials insurance invalid is it item last late latest left
    less line list local lost main min mins minute minutes missing mm mobile month monthly months more most multiple
    name names national new next nhs nino no none not note notes now null num number numbers of old on only open or
    order other over own part participant patient pending per percent phone pm postcode previous provided quarter
    question questions reason recorded ref reference refused report response return returned row same score second
    section see seen sent session sheet short site space spill staff start started status still summary surname
    table target team tel telephone test text than the these this time to total type uk unit unknown unsure up
    updated uprn value various version very visit visits was weather week weekday weekly weeks were when with year
    years yes yet yyyy
"""
_MONTHS = tuple(n.casefold() for n in (*calendar.month_name[1:], *calendar.month_abbr[1:], "sept"))
_MONTH = "(?:" + "|".join(_MONTHS) + ")"
_CLOCK = r"(?:[t ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z| ?[ap]m)?)?"
_ANY_DAY, _ANY_MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"  # 80-11-03 begins with a year
# Each gives the year of a date in its first group; all are matched against lower-case texts.
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
# Six digits, or five where the nought of a day below 10 is lost.
_DIGITS_OF_A_DATE = rf"^(?:{_DD}{_MM}\d\d|{_MM}{_DD}\d\d|\d\d{_MM}{_DD}|[1-9]{_MM}\d\d|\d\d{_MM}[1-9])$"
_THREE_NUMBERS = r"\d[^\p{L}\p{N}]+\d+[^\p{L}\p{N}]+\d"  # however short they are, they may be a day of birth
_NEW_CODE = r"^[a-z]+(?:[ _/-]+[a-z]+)*$"
# What a file's name has besides words: a month (or a day on which nobody in a pilot was born), a version, our suffix.
_OF_A_FILE_NAME = re.compile(
    r"(?<![0-9])20[1-3]\d[-_. ]?\d\d(?![-_. ]?[0-9])"
    rf"|(?<![0-9])20(?:1[4-9]|[23]\d)[-_. ]?{_MM}[-_. ]?{_DD}(?![-_. ]?[0-9])"
    rf"|(?<![A-Za-z])v\d{{1,4}}(?![0-9A-Za-z])|(?:{TO_FIX}|\.findings)(?![0-9A-Za-z])"
)
_SPELLS_NOTHING = r"[@\p{Cc}\p{Co}\p{Cn}]"
_GAP = r"[^\p{L}\p{M}\p{N}]"


@dataclass(frozen=True)
class _Vocabulary:
    """The labels of a contract as they are looked up (folded), and the pattern of texts made of its words."""

    labels: tuple[str, ...]
    pattern: str


@lru_cache
def _vocabulary(contract: Contract) -> _Vocabulary:
    lists = {f.codes: f.code_list for f in contract.fields if f.codes}
    labels = {spelling for codes in lists.values() for spelling in codes.spellings} | MISSING_WORDS | YES | NO
    labels |= {fold(text) for f in contract.fields for text in (f.name, f.title, *f.aliases)}
    said = [contract.dataset, contract.title, _ORDINARY, *MISSING_WORDS, *YES, *NO]
    said += sorted({row["dataset"] for row in rows("returns")})  # sheets are named after datasets
    said += [text for f in contract.fields for text in (f.name, f.title, *f.aliases)]
    said += [t for n, c in lists.items() if n not in PLACES for e in c.entries for t in (e.code, e.label, *e.aliases)]
    said += [text for site in sites().values() for text in (site.code, site.name)]
    said += [text for programme in programmes().values() for text in (programme.code, programme.name)]
    words = {word for text in said for word in _tokens(text)}
    word = "|".join(sorted(words - {*certain_names(), *_MONTHS}))
    return _Vocabulary(tuple(sorted(labels - {""})), rf"^{_GAP}*(?:(?:{word}|[0-9]+)(?:{_GAP}+|$))*$")


def _tokens(text: str) -> list[str]:
    return "".join(ch if ch.isalnum() else " " for ch in text.casefold()).split()


def is_private(field: Field, contract: Contract) -> bool:
    """Whether no cell of a field is ever shown: a reference is a pseudonym, and pseudonyms are personal data."""
    return field.personal or (contract.participant_level and field.kind is Kind.REFERENCE)


def redact(texts: pl.Series, field: Field | None, contract: Contract, cut_off: date) -> pl.DataFrame:
    """What a finding may show of each text, and whether it hides it: columns `found` (cut to 80) and `hidden`.

    `field` is the one whose cells they are; None for headings, sheets and the like. An empty text hides nothing.
    """
    import polars as pl

    found = pl.col("text").str.slice(0, LONGEST_FOUND).alias("found")
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    if field is not None and is_private(field, contract):
        empty = (pl.col("text").str.strip_chars() == "").fill_null(True)
        return frame.select(pl.when(empty).then(found), (~empty).alias("hidden"))
    if not contract.participant_level:
        return frame.select(found, pl.lit(False).alias("hidden"))
    rows = Counter(texts)
    said = _redaction_for(list(rows), field, contract, cut_off)
    often = {text for text, n in rows.items() if n >= LEAST_ROWS_OF_A_CODE}
    shows = {t for t in rows if said[t] is _Redaction.ALWAYS or (said[t] is _Redaction.OFTEN and t in often)}
    visible = pl.Series([text in shows for text in texts], dtype=pl.Boolean)
    return frame.select(pl.when(visible).then(found), (~visible).alias("hidden"))


def redact_text(text: str, field: Field | None, contract: Contract, cut_off: date) -> str | None:
    """What may be shown of one text; None where it is hidden."""
    import polars as pl

    [found] = redact(pl.Series([text], dtype=pl.String), field, contract, cut_off)["found"]
    return None if found is None else str(found)


def redact_headings(headings: Sequence[str], letters: Sequence[str], contract: Contract, cut_off: date) -> list[str]:
    """Headings as they may be repeated: one that may be personal is told by its column ('column D')."""
    import polars as pl

    found = redact(pl.Series(list(headings), dtype=pl.String), None, contract, cut_off)["found"]
    return [f"column {letter}" if text is None else h for h, text, letter in zip(headings, found, letters, strict=True)]


def redact_sheet_name(name: str, number: int, contract: Contract, cut_off: date) -> str:
    """A sheet's name as it may be repeated: one that may be personal is told by its place ('sheet 2')."""
    return name if not name or redact_text(name, None, contract, cut_off) is not None else f"sheet {number}"


def name_of_stray_sheet(name: str, number: int, contract: Contract) -> str:
    """How a report may call a sheet that is not read: by its name if it is of the words of the dataset that is.

    What nobody reads may be about people, whatever the dataset is. That the words of other datasets do not count keeps
    the result of a file apart from their contracts and code lists.
    """
    about_people = replace(contract, participant_level=True)
    return name if is_safe_to_echo(name, (about_people,)) else f"sheet {number}"


class _Redaction(Enum):
    """Whether a text may be shown: always, where so many rows hold it that it is a site's own code, or never."""

    ALWAYS = auto()
    OFTEN = auto()
    NEVER = auto()


# Given to be added to: what is known of a text never changes, so batches that run side by side may both add it.
@lru_cache(FIELDS_KNOWN)  # mutable: a memory of what was validated
def _known(field: Field | None, contract: Contract, cut_off: date) -> dict[str | None, _Redaction]:
    """Which texts of a field may be shown, as validated before: the next batch holds mostly the same ones.

    What may never be shown is not remembered: it may be somebody's. Of headings and sheets, the contract's own are
    known from the start: most files have no others.
    """
    return dict.fromkeys(own_headings(contract), _Redaction.ALWAYS) if field is None else {}


def own_headings(contract: Contract) -> set[str]:
    """The agreed names of a dataset's sheet and columns, which may always be shown."""
    return {contract.dataset, *contract.by_name}


def _redaction_for(
    texts: Sequence[str | None], field: Field | None, contract: Contract, cut_off: date
) -> dict[str | None, _Redaction]:
    """Whether each distinct text may be shown. What is known may be forgotten at any time: batches run side by side."""
    import polars as pl

    known = _known(field, contract, cut_off)
    said = {text: known.get(text) for text in texts}
    new = [text for text, showing in said.items() if showing is None]
    validated = _validated(pl.Series(new, dtype=pl.String), field, contract, cut_off) if new else {}
    if len(known) + len(validated) > MOST_KNOWN:
        known.clear()
    known |= {t: showing for t, showing in validated.items() if showing is not _Redaction.NEVER}
    return {text: showing or validated[text] for text, showing in said.items()}


def _validated(
    texts: pl.Series, field: Field | None, contract: Contract, cut_off: date
) -> dict[str | None, _Redaction]:
    """Whether each distinct text holds nothing that can be personal."""
    import polars as pl

    plain = pl.col("plain")
    frame = pl.DataFrame({"text": texts}).with_columns(
        pl.col("text").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars().alias("plain"),
        pl.col("text").str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", "").alias("folded"),
    )
    own = list(field.code_list.spellings) if field is not None and field.codes else []
    is_label = pl.col("folded").is_in([*_vocabulary(contract).labels, *own])
    is_name = pl.col("folded").is_in(sorted(listed_names())) & ~pl.col("folded").is_in(own)
    is_figure = _is_short_number(plain, field, cut_off) | _is_late_date(plain, cut_off)
    brief = pl.col("text").str.len_chars() <= LONGEST_SHOWN
    of_words = _is_of_words(plain, contract, cut_off)
    safe = (is_label | is_figure | of_words) & (is_label | brief) & ~is_name & ~plain.str.contains(_SPELLS_NOTHING)
    is_code = field is not None and field.kind is Kind.CODE
    validated = frame.select(
        "text",
        safe.fill_null(True).alias("safe"),
        is_label.fill_null(True).alias("is_label"),
        (pl.lit(is_code) & pl.col("text").str.contains(_NEW_CODE) & brief).fill_null(False).alias("is_new"),
    )
    return {
        text: _redaction(text, safe=safe, is_label=is_label, is_new=is_new)
        for text, safe, is_label, is_new in validated.iter_rows()
    }


def _redaction(text: str | None, *, safe: bool, is_label: bool, is_new: bool) -> _Redaction:
    if safe and (is_label or not text or not may_be_full_name(text)):
        return _Redaction.ALWAYS
    if not safe and text and is_new and not listed_names().intersection(words_of(text)):
        return _Redaction.OFTEN
    return _Redaction.NEVER


def _is_short_number(text: pl.Expr, field: Field | None, cut_off: date) -> pl.Expr:
    """A number of at most six digits, unless it may be a birth: a spreadsheet's day number, or day, month and year.

    Where no number is asked for it has at most four, a date's day number five.
    """
    import polars as pl

    whole = pl.coalesce(text.str.extract(_NUMBER, 1), text.str.extract(_NUMBER, 2)).str.replace(",", "")
    last_birth = (date(cut_off.year - YOUNGEST, 12, 31) - SERIAL_EPOCH).days
    day_number = (whole.str.len_chars() == 5) & (whole.cast(pl.Int32, strict=False) <= last_birth)
    kind = field.kind if field is not None else None
    most = 6 if kind in _NUMBERS else 5 if kind is Kind.DATE else MOST_DIGITS_OF_NO_NUMBER
    few = whole.str.len_chars() <= most
    return (text.str.contains(_NUMBER) & few & ~day_number & ~whole.str.contains(_DIGITS_OF_A_DATE)).fill_null(False)


def _is_late_date(text: pl.Expr, cut_off: date) -> pl.Expr:
    """A date, real or not, of a year in which no participant was born; or a day without a year."""
    import polars as pl

    year = pl.coalesce(*(text.str.extract(pattern, 1) for pattern in _DATES))
    full = (year.str.len_chars() == 4) & (year.cast(pl.Int32, strict=False) > cut_off.year - YOUNGEST)
    two = year.cast(pl.Int32, strict=False) + 2000
    short = (year.str.len_chars() == 2) & two.is_between(cut_off.year - YOUNGEST, cut_off.year + 1, closed="right")
    return (full | short).fill_null(False) | text.str.contains(_DAY_AND_MONTH)


def _is_of_words(text: pl.Expr, contract: Contract, cut_off: date) -> pl.Expr:
    """Words of the contract and a few digits, none of them a year of birth. Several single letters may spell a name."""
    import polars as pl

    year = text.str.extract(r"\b((?:19|20)\d\d)\b", 1).cast(pl.Int32, strict=False)
    return (
        text.str.contains(_vocabulary(contract).pattern)
        & (text.str.count_matches(r"\d") <= MOST_DIGITS_BESIDE_WORDS)
        & ~(year <= cut_off.year - YOUNGEST).fill_null(False)
        & (text.str.count_matches(r"\b\p{L}\b") <= 1)
        & ~text.str.contains(_THREE_NUMBERS)
    )


def in_agreed_form(rows: pl.DataFrame, contract: Contract, cut_off: date) -> pl.DataFrame:
    """Typed rows with every cell empty that is not as its field agrees: what is held keeps nothing that was typed in.

    A row is held for some fault; a name or a day of birth may be what is at fault in it.
    """
    import polars as pl

    if not contract.participant_level:
        return rows
    kept = []
    for field in contract.fields:
        cell, agreed = pl.col(field.name), []
        if field.kind is Kind.CODE:
            agreed.append(cell.is_in(list(field.code_list.codes)))
        if field.kind is Kind.DATE:
            agreed.append(cell > last_birth(cut_off))
        if field.pattern:
            agreed.append(cell.str.contains(field.pattern))
        if field.low is not None:
            agreed.append(cell >= field.low)
        if field.high is not None:
            agreed.append(cell <= field.high)
        if agreed:
            kept.append(pl.when(pl.all_horizontal(agreed)).then(cell).alias(field.name))
    return rows.with_columns(kept)


def last_birth(cut_off: date) -> date:
    """The last day on which somebody in a pilot may have been born, with a good margin."""
    return date(cut_off.year - YOUNGEST, cut_off.month, 28 if cut_off.month == 2 else min(cut_off.day, 30))


def last_birth_of(programme_code: str, cut_off: date) -> date:
    """The same for a programme, by its last year too: whoever was in it was of age by then, whatever a name says."""
    programme = programmes().get(programme_code)
    by_name = last_birth(cut_off)
    if programme is None or programme.end_year is None:
        return by_name
    return min(by_name, date(programme.end_year - YOUNGEST, 12, 31))


def is_safe_to_echo(name: str, about: Iterable[Contract]) -> bool:
    """Whether the name of a file, a folder or a sheet may be repeated before it is known what it holds.

    It may if it is of the words of a dataset about people, its month, its version and our own suffix apart.
    """
    rest = _OF_A_FILE_NAME.sub(" ", name).strip(" _-")
    people = [contract for contract in about if contract.participant_level]
    return not rest or any(redact_text(rest, None, contract, LATEST_CUT_OFF) is not None for contract in people)
