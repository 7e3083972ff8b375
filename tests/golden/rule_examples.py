"""The examples of docs/rules.md, made from the very cases that the specifications of the rules run.

A list of cases of one of the shapes below is taken up by a line in `_CASES`. `test_documents.py` fails for a rule of a
dataset without an example.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import dataset_rows
import participant_rows
import public_figure_rows
import test_codes_by_date
import test_conflicting_senders
import test_deletion_rules
import test_every_rule
import test_misplaced_columns as misplaced
import test_money_relations as money
import test_money_row_rules
import test_participant_contracts
import test_participant_relations
import test_public_figures
import test_service_relations
import test_service_row_rules
import test_whole_file_rules
from python_calamine import CalamineWorkbook

from schemas._contract.catalogue import datasets
from schemas._contract.model import Rule
from schemas._rules import explain
from schemas._rules.misplaced import MISPLACED_RULES
from tests.golden import example_tables
from tests.golden.example_tables import Row

Example = tuple[Rule, list[str]]  # a rule, and the lines of its example
EARLIER = {"before": "rows of an earlier file", "earlier_still": "rows of a file before that"}


def within_row(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases of the datasets of money and services: dataset, rule, field, title, sound row, broken row."""
    for dataset, rule_id, field, title, sound, broken in cases:
        rule = dataset_rows.rule_of(dataset, rule_id, field, title, within_row=True)
        first, second = dataset_rows.sound(dataset, broken, sound)
        yield rule, example_tables.in_row(rule, _complete(dataset, first), _complete(dataset, second))


def within_participant_row(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases of the datasets about people: address, sound rows, broken rows, rows for which it is unknown."""
    for address, sound, broken, _ in cases:
        rule = participant_rows.find_rule(*address)
        base = {"data_cut_date": participant_rows.CUT_OFF, **participant_rows.PROVENANCE}
        valid = _complete(address[0], base | participant_rows.VALID_ROWS[address[0]])
        yield rule, example_tables.in_row(rule, valid | broken[0], valid | sound[0])


def within_published_row(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases of published figures: dataset, rule, field, sound row, broken row."""
    for dataset, rule_id, field, sound, broken in cases:
        contract, valid = public_figure_rows.CONTRACTS[dataset], public_figure_rows.VALID_ROWS[dataset]
        for rule in (r for r in contract.row_rules if (r.rule_id, r.field) == (rule_id, field)):
            if not public_figure_rows.satisfies(rule, public_figure_rows.frame(contract, [valid | broken])):
                base = _complete(dataset, valid)
                yield rule, example_tables.in_row(rule, base | broken, base | sound)


def between_rows(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases of the datasets of money and services: dataset, rule, field, title, tables, numbers of the broken rows."""
    for dataset, rule_id, field, title, tables, broken in cases:
        rule = dataset_rows.rule_of(dataset, rule_id, field, title)
        others = {_title(name): rows for name, rows in tables.items() if name != dataset}
        at_fault = (n - 2 for n in broken)
        yield rule, example_tables.between_rows(rule, datasets()[dataset], tables[dataset], at_fault, others)


def between_participant_rows(cases: Iterable[participant_rows.RelationCase]) -> Iterator[Example]:
    """Cases of the datasets about people."""
    for case in cases:
        dataset, rule = case.address[0], participant_rows.find_rule(*case.address)
        rows = {name: [_participant_row(name, r) for r in of] for name, of in case.core.items()}
        others = {_title(name): of for name, of in rows.items() if name != dataset}
        for name, past in case.history.items():
            complete = [_participant_row(name, r) for r in past]
            for delivery, words in EARLIER.items():
                if of := [r for r in complete if r["delivery_id"] == delivery]:
                    others[f"{_title(name)}, {words}"] = of
        at_fault = (n - 1 for n in case.broken)
        yield rule, example_tables.between_rows(rule, datasets()[dataset], rows[dataset], at_fault, others)


def between_published_rows(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases of published figures: dataset, rule, (field,) rows, numbers of the broken rows."""
    for dataset, rule_id, *field, rows, broken in cases:
        contract = public_figure_rows.CONTRACTS[dataset]
        complete = [_complete(dataset, {"sender": "PMO", **public_figure_rows.VALID_ROWS[dataset], **r}) for r in rows]
        for rule in contract.cross_check_rules:
            if rule.rule_id == rule_id and (not field or rule.field == field[0]):
                yield rule, example_tables.between_rows(rule, contract, complete, (n - 2 for n in broken), {})


def of_whole_file(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases about all rows of a file: address, broken rows, what is found, several lists of sound rows."""
    for address, broken, says, keeping in cases:
        rule, contract = participant_rows.find_rule(*address), datasets()[address[0]]
        first, second = ([_participant_row(address[0], r) for r in rows] for rows in (broken, keeping[0]))
        yield rule, example_tables.of_whole_file(rule, contract, first, says, second)


def of_whole_service_file(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases about all rows of a file: dataset, rule, field, broken tables, what is found, lists of sound tables."""
    for dataset, rule_id, field, broken, says, keeping in cases:
        rule = dataset_rows.rule_of(dataset, rule_id, field)
        sound = keeping[0][dataset]
        yield rule, example_tables.of_whole_file(rule, datasets()[dataset], broken[dataset], says, sound)


def since_the_file_before(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases against an earlier file: dataset, rule, field, rows, rows of the file before, numbers of broken rows."""
    for dataset, rule_id, field, now, before, broken in cases:
        rule = dataset_rows.rule_of(dataset, rule_id, field)
        yield rule, _with_file_before(rule, dataset, now, before, broken)


def nearly_alike(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cases about whole files against an earlier one: dataset, rule, field, rows, rows before, what is found."""
    for dataset, rule_id, field, now, _, says in cases:
        rule = dataset_rows.rule_of(dataset, rule_id, field)
        sound = next(rows for *_, rows, _, found in cases if not found)
        if says:
            yield rule, example_tables.of_whole_file(rule, datasets()[dataset], now, says, sound)


def in_another_unit(datasets_of_money: Iterable[str]) -> Iterator[Example]:
    """Amounts in another unit than in the file before, or than the award."""
    for dataset in datasets_of_money:
        for rule in (r for r in datasets()[dataset].rules if r.rule_id == "M01" and r.reads_history):
            before = money.with_amounts(dataset, rule.field, money.BEFORE)
            for amounts, whole_file, single in money.SCALES.values():
                if rule.severity == "row" or not whole_file:
                    now = money.with_amounts(dataset, rule.field, amounts)
                    broken = whole_file if rule.severity == "row" else single
                    yield rule, _with_file_before(rule, dataset, now, before, broken)


def against_its_award(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Amounts of another size than the award: dataset, rows, numbers of broken rows."""
    others = {_title("funding_awards"): money.awarded({})}
    for dataset, rows, broken in cases:
        (rule,) = (r for r in datasets()[dataset].rules if (r.rule_id, r.found_column) == ("M01", "found"))
        yield rule, example_tables.between_rows(rule, datasets()[dataset], rows, (n - 2 for n in broken), others)


def by_date(fields: Iterable[tuple[str, str, str, Sequence[Any]]]) -> Iterator[Example]:
    """Codes judged by the day of their row: dataset, field with the day, field, and cases of day, code and findings."""
    for dataset, day, field, cases in fields:
        rule = next(r for r in datasets()[dataset].row_rules if (r.rule_id, r.field) == ("C37", field))
        broken = [case[:2] for case in cases if [(f[0], f[1]) for f in case[2]] == [("C37", str(rule.severity))]]
        yield rule, example_tables.of_cells([day, field], broken, [case[:2] for case in cases if not case[2]])


def of_records(named: tuple[Sequence[Sequence[str]], Sequence[Sequence[str]]]) -> Iterator[Example]:
    """Kinds and references in a deletions file: those that are unknown, and one that is known."""
    unknown, known = ([[*record] for record in records] for records in named)
    rule = dataset_rows.rule_of("deletions", "P22", "reference")
    yield rule, example_tables.of_cells(["record_type", "reference"], unknown, known)


def checked_cell(cases: Iterable[Sequence[Any]]) -> Iterator[Example]:
    """Cells that a field does not allow, where the dataset has its own rule for them: dataset, field, cell, rule."""
    for dataset, field, cell, rule_id in cases:
        contract = datasets()[dataset]
        for rule in (r for r in contract.rules if (r.rule_id, r.field, r.severity) == (rule_id, field, "row")):
            if not rule.check and not rule.violations_sql:
                sound = contract.by_name[field].example or dataset_rows.sound(dataset, {})[0][field]
                yield rule, example_tables.of_cells([field], [[str(cell)]], [[str(sound)]])


def _with_file_before(
    rule: Rule, dataset: str, now: Sequence[Row], before: Sequence[Row], broken: Iterable[int]
) -> list[str]:
    others = {f"{_title(dataset)}, {EARLIER['before']}": before}
    return example_tables.between_rows(rule, datasets()[dataset], now, (n - 2 for n in broken), others)


_CASES = (
    (within_row, test_money_row_rules.CASES),
    (within_row, test_service_row_rules.CASES),
    (within_participant_row, test_participant_contracts.WITHIN_ROW),
    (within_published_row, test_public_figures.ROW_CASES),
    (between_rows, money.CASES),
    (between_rows, test_service_relations.CASES),
    (between_participant_rows, test_participant_relations.RELATION_CASES),
    (between_published_rows, test_public_figures.RELATION_CASES),
    (between_published_rows, test_conflicting_senders.SENDER_CASES),
    (of_whole_file, test_whole_file_rules.CASES),
    (of_whole_service_file, test_service_relations.WHOLE_FILES),
    (since_the_file_before, money.SINCE_BEFORE),
    (nearly_alike, money.NEARLY_ALIKE),
    (in_another_unit, money.SCALED),
    (against_its_award, money.AGAINST_ITS_AWARD),
    (
        by_date,
        (
            ("contacts", "contact_date", "contact_medium", test_codes_by_date.MEDIUM),
            ("referrals", "referral_received_date", "support_model", test_codes_by_date.MODEL),
            ("referrals", "referral_received_date", "source_of_referral", test_codes_by_date.SOURCE),
        ),
    ),
    (of_records, test_deletion_rules.NAMED),
    (checked_cell, test_participant_contracts.CELL_CHECKS),
    (checked_cell, test_service_row_rules.CELL_CHECKS),
)


def example_of(rule: Rule) -> Sequence[str]:
    """The lines of a rule's example; none where no single case shows it."""
    return of_datasets().get(id(rule)) or of_any_dataset().get(id(rule), ())


@cache
def of_datasets() -> Mapping[int, list[str]]:
    """The first example of each rule of a dataset, by the rule's identity: several rules share an id.

    Where every row of it is broken, the first sound case of the rule is added.
    """
    broken: dict[int, list[str]] = {}
    sound: dict[int, list[str]] = {}
    for shape, cases in _CASES:
        for rule, lines in shape(cases):  # type: ignore[operator]
            (broken if _has(lines, example_tables.BROKEN) else sound).setdefault(id(rule), lines)
    return {
        i: lines if _has(lines, example_tables.SOUND) or i not in sound else [*lines, "", "Sound:", "", *sound[i]]
        for i, lines in broken.items()
    }


def _has(lines: Iterable[str], label: str) -> bool:
    return any(line.startswith(f"| {label}") for line in lines)


# Of files that look alike in print: what is in the broken one, and what in the sound one.
_NOT_VISIBLE = {
    ("F02", "file"): ("a byte that is no character, in a file that says it is UTF-8", "characters of UTF-8"),
    ("F02", "warning"): ("a file saved as UTF-16", "the same saved as UTF-8"),
    ("F03", "warning"): ("three hidden bytes before the first heading", "none"),
    ("F27", "warning"): ("a row that is hidden", "the row visible"),
    ("L01", "file"): ("20 rows held of 20", "19 rows held of 19"),
    ("U01", "file"): ("the first 2,000 bytes of a workbook", "the whole workbook"),
    ("U02", "file"): ("a workbook with a password", "one without"),
}
_CONDITIONS = {
    "suffix": "its name ends in .{}",
    "manifest": "its manifest is {}",
    "site": "it is sent by {}",
    "received": "it came on {:%Y-%m-%d}",
    "name_ending": "its name has '{}' added",
}
_USUAL = ("MHT-BPL", "xlsx")  # the site of most cases; a workbook shows itself


@cache
def of_any_dataset() -> Mapping[int, list[str]]:
    """The first example of each rule of any dataset, by the rule's identity."""
    found: dict[int, list[str]] = {}
    for case in test_every_rule.CASES:
        field = next(iter(case.cells[0])) if case.cells else ""
        contract = datasets()[case.arguments.get("dataset", "contacts")]
        found.setdefault(id(explain.rule(contract, case.rule, field, case.severity)), _of_file(case))
    return found | {id(r): lines for i, lines in _misplaced() for r in MISPLACED_RULES if r.rule_id == i}


def _misplaced() -> Iterator[tuple[str, list[str]]]:
    """Columns that hold another's values: the first rows of files, by rule."""
    sound = misplaced.sound_contacts()[:4]
    names = list(sound[0])

    def of_columns(columns: Sequence[str], broken: Sequence[Row]) -> list[str]:
        return example_tables.of_cells(columns, *([[r[c] for c in columns] for r in rows] for rows in (broken, sound)))

    _, one, other, _ = misplaced.SWAPS[1]
    yield "F50", of_columns([one, other], misplaced.swapped(sound, one, other))
    _, column, source = misplaced.COPIED[0]
    yield "F51", of_columns([source, column], [r | {column: r[source]} for r in sound])
    _, column, to_the = misplaced.TestF52ShiftedValues.MOVES[0]
    yield "F52", of_columns(names[1 : names.index(column) + 3], misplaced.moved(sound, column, to_the))
    yield "F53", of_columns(names[:2], misplaced.grouped(sound, [names[1]]))


def _of_file(case: test_every_rule.Case) -> list[str]:
    """One cell where one decides, else how the two files differ, and what else is known of them."""
    if case.cells:
        (field, broken), *_ = case.cells[0].items()
        return example_tables.of_cells([field], [[broken]], [[case.cells[1][field]]])
    if says := _NOT_VISIBLE.get((case.rule, case.severity)):
        return example_tables.of_cells(["the file"], [[says[0]]], [[says[1]]])
    known = {n: v for n, v in case.arguments.items() if n in _CONDITIONS and v not in _USUAL}
    said = ", ".join(_CONDITIONS[n].format(v) for n, v in known.items())
    if case.broken == case.valid or not case.valid:
        return example_tables.of_cells(["the file"], [[said]], [])
    if isinstance(case.broken, str) and isinstance(case.valid, str):
        lines = example_tables.of_texts(case.broken, case.valid)
    else:
        lines = example_tables.of_lines(_rows_of_book(case.broken), _rows_of_book(case.valid))
    return [*([f"Of both files: {said}.", ""] if said else []), *lines]


def _rows_of_book(content: str | bytes) -> list[str]:
    """The rows of a workbook's sheets, as lines."""
    assert isinstance(content, bytes)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows = ((sheet, row) for sheet in book.sheet_names for row in book.get_sheet_by_name(sheet).to_python())
    return [f"{sheet}: {' | '.join(map(str, row))}" for sheet, row in rows]


def _complete(dataset: str, row: Row) -> dict[str, Any]:
    return {**dict.fromkeys(datasets()[dataset].by_name), **row}


def _participant_row(dataset: str, differences: Row) -> dict[str, Any]:
    valid = participant_rows.VALID_ROWS[dataset]
    return _complete(dataset, {**participant_rows.PROVENANCE, **valid, **differences})


def _title(dataset: str) -> str:
    return datasets()[dataset].title
