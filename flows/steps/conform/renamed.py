"""Link columns with unknown headings to the fields that a file lacks: they may be the same (rule F41).

Such a column is not read: the sender is asked. There are three kinds of evidence for a link: what the column's cells
contain, how like the heading is to the field's names, and whether the column is where the field should be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from os.path import commonprefix

from flows.cells.date_orders import AGREED_ORDER
from flows.cells.headings import split_hint
from flows.cells.parse import read_cell
from flows.deliveries.conformed import Layout
from flows.deliveries.extract import TextBatch
from flows.deliveries.findings import Finding
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind, Severity

TEXTS_TRIED = 200  # distinct texts of a column that are read as the field's
MIN_FIT = 0.8  # share of them that must be readable
MIN_FIT_OF_A_LIKE_NAME, LIKE_NAME = 0.5, 0.6
MIN_SCORE, MIN_SCORE_OF_OPTIONAL = 0.8, 0.9  # a file without an optional column may be right as it is
MIN_LEAD = 0.1  # over any other link of the same column or field
IN_PLACE, NEARLY_IN_PLACE = 0.5, 0.2
_TYPO_RATIO = 0.8
_SAYS_LITTLE = frozenset({"id", "ref", "reference", "code", "date", "type", "number", "name", "status", "gbp", "no"})
_SAYS_NOTHING = frozenset({"of", "the", "a", "an", "is", "was", "your", "our", "to", "in", "at"})
# How much it says that a column's cells can be read as the field's: few other texts are dates or codes of the list.
_EVIDENCE = {Kind.TEXT: 0.0, Kind.INTEGER: 0.3, Kind.DECIMAL: 0.3, Kind.MONEY: 0.3}
_EVIDENCE_OF_OTHERS, _EVIDENCE_OF_EMPTY = 0.6, 0.3


def link_renamed(layout: Layout, rows: TextBatch, contract: Contract) -> Layout:
    """Replace the findings of a missing field (F09) and of an unknown column (F11) by one, where they may be the same.

    `rows` are the first rows of the file.
    """
    reported = {f.field for f in layout.findings if f.rule_id == "F12"}
    absent = [f for f in contract.fields if f.name not in layout.positions and f.name not in reported]
    unknown = [i for i, c in enumerate(layout.columns) if _is_left_out(i, layout) or _has_no_heading(i, layout, rows)]
    if not absent or not unknown:
        return layout
    places = _places(layout, unknown, absent, contract)
    scores = {
        (i, f.name): score
        for i in unknown
        for f in absent
        if (score := _score(layout.as_written[i], _texts(rows, i), f, places.get((i, f.name), 0.0)))
        >= (MIN_SCORE if f.column_is_required else MIN_SCORE_OF_OPTIONAL)
    }
    links = _best_links(scores)
    letters = {layout.columns[i].letter for i in links}
    kept = [
        f
        for f in layout.findings
        if not (f.rule_id == "F11" and f.column and f.column.letter in letters)
        and not (f.rule_id == "F09" and f.field in links.values())
    ]
    asked = [
        Finding(
            "F41",
            Severity.FILE if contract.by_name[name].column_is_required else Severity.WARNING,
            field=name,
            column=layout.columns[i],
        )
        for i, name in sorted(links.items())
    ]
    return replace(layout, findings=[*asked, *kept])


def _is_left_out(position: int, layout: Layout) -> bool:
    """Whether a column was left out only because its heading is unknown."""
    column = layout.columns[position]
    return any(f.rule_id == "F11" and f.severity is Severity.WARNING and f.column is column for f in layout.findings)


def _has_no_heading(position: int, layout: Layout, rows: TextBatch) -> bool:
    """Whether a column has values and no heading."""
    return not layout.as_written[position].strip() and bool(_texts(rows, position))


def _texts(rows: TextBatch, position: int) -> list[str]:
    """Some distinct texts of a column, without blanks."""
    texts = rows.cells[str(position)].distinct.str.strip_chars()
    return texts.filter(texts != "").unique(maintain_order=True).head(TEXTS_TRIED).to_list()


def _score(heading: str, texts: Sequence[str], field: Field, place: float) -> float:
    """How much speaks for a column being a field's; 0 where its cells cannot be read as the field's."""
    likeness = _likeness(heading, field)
    if not texts:  # an empty column: nothing speaks against it
        return _EVIDENCE_OF_EMPTY + likeness + place
    fit = sum(_is_readable(text, field) for text in texts) / len(texts)
    if fit < (MIN_FIT_OF_A_LIKE_NAME if likeness >= LIKE_NAME else MIN_FIT):
        return 0.0
    evidence = _EVIDENCE.get(field.kind, _EVIDENCE_OF_OTHERS)
    if field.kind is Kind.REFERENCE and not field.pattern:
        evidence = 0.0
    if all(map(_is_small_number, texts)):  # which is a count, a flag or a code of nearly any list
        evidence = min(evidence, _EVIDENCE[Kind.INTEGER])
    return fit * evidence + likeness + place


def _is_small_number(text: str) -> bool:
    return len(text) == 1 and text.isdecimal()


def _is_readable(text: str, field: Field) -> bool:
    """Whether a cell can be read as the field's, perhaps with a repair."""
    reading = read_cell(text, field, AGREED_ORDER)
    if reading.rule_id and reading.severity is not Severity.WARNING and not reading.suggestion:
        return False
    if field.pattern and isinstance(reading.value, str):
        return re.search(field.pattern, reading.value) is not None
    return True


def _likeness(heading: str, field: Field) -> float:
    """How like a heading is to the field's name, its title or another heading of it: 0 to 1."""
    name = split_hint(heading)[0] or heading
    return max(max(_shared(name, known), _typo(name, known)) for known in (field.name, field.title, *field.aliases))


def _typo(heading: str, known: str) -> float:
    """How like two headings are letter by letter, if they differ by a slip of the keyboard; else 0."""
    ratio = SequenceMatcher(None, fold(heading), fold(known)).ratio()
    return ratio if ratio >= _TYPO_RATIO else 0.0


def _shared(heading: str, known: str) -> float:
    """The share of words that two headings have in common; words that say little count less."""
    first, second = _words(heading), _words(known)
    total = sum(map(_weight, first)) + sum(map(_weight, second))
    shared = [w for w in first if any(_same(w, other) for other in second)]
    shared += [w for w in second if any(_same(w, other) for other in first)]
    return sum(map(_weight, shared)) / total if total else 0.0


def _words(text: str) -> list[str]:
    words = re.findall(r"[^\W_]+", text.casefold())
    return [w for w in words if w not in _SAYS_NOTHING]


def _weight(word: str) -> float:
    return 0.3 if word in _SAYS_LITTLE else 1.0


def _same(word: str, other: str) -> bool:
    """Whether two words are the same or one is short for the other, as 'mins' for 'minutes'."""
    shared = len(commonprefix([word, other]))
    return word == other or shared >= max(3, 0.7 * min(len(word), len(other)))


def _places(
    layout: Layout, unknown: Sequence[int], absent: Sequence[Field], contract: Contract
) -> dict[tuple[int, str], float]:
    """For each unknown column and absent field: how well the column stands where the field should.

    The columns that are left mark the places: between two of them, as many fields may be absent as columns are unknown.
    """
    order = {f.name: n for n, f in enumerate(contract.fields)}
    columns: dict[tuple[int, int], list[int]] = {}
    for i in unknown:
        before = max((p for p in layout.positions.values() if p < i), default=-1)
        after = min((p for p in layout.positions.values() if p > i), default=len(layout.columns))
        columns.setdefault((before, after), []).append(i)
    at = {position: order[name] for name, position in layout.positions.items()}
    places: dict[tuple[int, str], float] = {}
    for (before, after), between in columns.items():
        low, high = at.get(before, -1), at.get(after, len(order))
        fields = [f.name for f in absent if low < order[f.name] < high]
        for n, i in enumerate(between):
            for m, name in enumerate(fields):
                in_place = len(between) == len(fields) and n == m
                places[i, name] = IN_PLACE if in_place else NEARLY_IN_PLACE
    return places


def _best_links(scores: dict[tuple[int, str], float]) -> dict[int, str]:
    """The links by column: the best first, each clearly better than any other of its column or field that is left."""
    links: dict[int, str] = {}
    left = dict(scores)
    for (i, name), score in sorted(scores.items(), key=lambda item: -item[1]):
        if (i, name) not in left:
            continue
        rivals = [s for (j, other), s in left.items() if (j == i) != (other == name)]
        if all(score - s >= MIN_LEAD for s in rivals):
            links[i] = name
            left = {pair: s for pair, s in left.items() if pair[0] != i and pair[1] != name}
    return links
