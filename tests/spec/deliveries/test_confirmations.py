"""The sheet on which a site confirms warnings: which lines are taken, and what is said of the others.

Each test gives the lines of the sheet in a small workbook. Every row and every hash is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import pytest
from file_validator import ValidatedFile, Validator, as_table, contacts, participants, workbook
from workbook_bytes import Cell, ods, ods_row, xls, zip_of

from flows.runtime.data_folder import ConfirmationsUnusable
from flows.steps.confirm.keyed_hash import KeyedHash
from flows.steps.confirm.record import COLUMNS, Confirmations, parse_confirmations
from schemas._contract.catalogue import datasets
from schemas._contract.model import CONSENT_RULE, Contract, Rule, Severity
from schemas._contract.workbook_names import CONFIRM, CONFIRM_CODE, CONFIRM_REASON, CONFIRM_ROLE
from schemas._rules.privacy import PERSONAL_DATA_RULE_IDS
from schemas.audit.confirmations import ConfirmedWarning

Table = Sequence[Sequence[Cell]]
KEY, VALUE = "0123456789abcdef" * 2, "fedcba9876543210" * 2
K01 = f"MHT-BPL/contacts/K01/contact_date/{KEY}/{VALUE}"
P05 = f"MHT-BPL/participants/P05/participant_ref/{KEY}/{VALUE}"
HEADING = ["Cell", "Value", CONFIRM_REASON, CONFIRM_ROLE, CONFIRM_CODE]
REASON, ROLE = "Checked against the record", "Data lead"


def sheet_of(*lines: Sequence[Cell]) -> Table:
    """The sheet with a title and these lines: reason, role, code."""
    return [["Right all the same?"], [], HEADING, *(["C2", "2016-05-01", *line] for line in lines)]


def as_xlsx(rows: Table, confirm: Table) -> tuple[bytes, str]:
    return workbook({"Data": rows, CONFIRM: confirm}), "xlsx"


def as_xls(rows: Table, confirm: Table) -> tuple[bytes, str]:
    return xls({"Data": rows, CONFIRM: confirm}), "xls"


def as_ods(rows: Table, confirm: Table) -> tuple[bytes, str]:
    more = f'<table:table table:name="{CONFIRM}">{"".join(ods_row(*row) for row in confirm)}</table:table>'
    return ods("".join(ods_row(*row) for row in rows), more=more), "ods"


def as_zip(rows: Table, confirm: Table) -> tuple[bytes, str]:
    return zip_of({"contacts.xlsx": as_xlsx(rows, confirm)[0]}), "zip"


FORMATS = (as_xlsx, as_xls, as_ods, as_zip)
CONTACTS, PEOPLE = as_table(contacts({}, {})), as_table(participants({}, {}))


def not_taken(outcome: ValidatedFile) -> list[str | None]:
    """What is said of the lines that were not taken."""
    assert all(f.severity == "warning" and f.row is None for f in outcome.findings_of("X03"))
    return [f.found for f in outcome.findings_of("X03")]


@pytest.mark.parametrize("write", FORMATS)
@pytest.mark.parametrize(
    ("dataset", "rows", "code", "rule", "field"),
    [("contacts", CONTACTS, K01, "K01", "contact_date"), ("participants", PEOPLE, P05, "P05", "participant_ref")],
)
def test_a_line_is_taken_and_the_sheet_is_no_stray_sheet(
    validate: Validator, write: Callable[[Table, Table], tuple[bytes, str]], dataset: str, rows: Table, code: str,
    rule: str, field: str,
) -> None:  # fmt: skip
    content, suffix = write(rows, sheet_of((REASON, ROLE, code), ("", "", code.replace("0", "1"))))
    outcome = validate(content, dataset, suffix=suffix)
    assert (outcome.findings, outcome.accepted) == ([], [2, 3])
    assert outcome.verdict.confirmed == (
        ConfirmedWarning(KEY, field, rule, VALUE, reason="checked_record", role="data_lead"),
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ((REASON, "", K01), "no role was chosen"),
        (("", ROLE, K01), "no reason was chosen"),
        (("because I say so", ROLE, K01), "the reason is not one of the list"),
        ((REASON, "Joanna Smith", K01), "the role is not one of the list"),
        ((REASON, ROLE, ""), "its code in the last column is not ours"),
        ((REASON, ROLE, K01[:-1]), "its code in the last column is not ours"),
        ((REASON, ROLE, K01.replace("K01/contact_date", "K02/duration_minutes")), "this check cannot be confirmed"),
        ((REASON, ROLE, K01.replace("K01", "Z99")), "this check cannot be confirmed"),
        ((REASON, ROLE, K01.replace("MHT-BPL", "MHT-WLA")), "it is about another file"),
        ((REASON, ROLE, P05), "it is about another file"),
        (("", "Joanna Smith", K01), "no reason was chosen; the role is not one of the list"),
    ],
)
def test_a_line_that_is_not_right_is_named_and_not_taken(
    validate: Validator, line: tuple[str, str, str], said: str
) -> None:
    """Nothing that was typed is repeated or stored, and the rest of the file is read as usual."""
    other = K01.replace(KEY, VALUE)
    outcome = validate(workbook({"Data": CONTACTS, CONFIRM: sheet_of(line, (REASON, ROLE, other))}), suffix="xlsx")
    assert not_taken(outcome) == [f"line 4: {said}"]
    assert [c.key for c in outcome.verdict.confirmed] == [VALUE]
    assert (outcome.result, outcome.accepted) == ("accepted", [2, 3])
    stored = f"{outcome.verdict.to_json()} {outcome.stored_findings.to_dicts()}"
    assert "Joanna" not in stored and "because" not in stored


def test_a_role_or_reason_may_be_given_by_its_code(validate: Validator) -> None:
    book = workbook({"Data": CONTACTS, CONFIRM: sheet_of(("checked_record", "data lead", K01))})
    assert [(c.reason, c.role) for c in validate(book, suffix="xlsx").verdict.confirmed] == [
        ("checked_record", "data_lead")
    ]


def test_a_number_of_a_person_on_the_sheet_refuses_the_file_as_in_any_other_cell(validate: Validator) -> None:
    for typed in ("943 476 5919", "jo@example.org"):
        outcome = validate(workbook({"Data": CONTACTS, CONFIRM: sheet_of((REASON, typed, K01))}), suffix="xlsx")
        assert outcome.result == "refused" and outcome.verdict.holds_personal_data


def test_of_a_workbook_with_several_datasets_each_takes_its_own_lines(validate: Validator) -> None:
    sheets = {"contacts": CONTACTS, "participants": PEOPLE, CONFIRM: sheet_of((REASON, ROLE, K01), (REASON, ROLE, P05))}
    for dataset, rule in (("contacts", "K01"), ("participants", "P05")):
        outcome = validate(workbook(sheets), dataset, suffix="xlsx", sheet=dataset)
        assert (not_taken(outcome), [c.rule_id for c in outcome.verdict.confirmed]) == ([], [rule])


def test_a_sheet_without_our_columns_confirms_nothing(validate: Validator) -> None:
    outcome = validate(workbook({"Data": CONTACTS, CONFIRM: [["Cell", "Value"], ["C2", "x"]]}), suffix="xlsx")
    assert (outcome.findings, outcome.verdict.confirmed) == ([], ())


CONFIRMABLE = [(c, r) for c in datasets().values() for r in c.confirmable_rules]


@pytest.mark.parametrize(("contract", "rule"), CONFIRMABLE, ids=lambda x: getattr(x, "dataset", "") or x.rule_id)
def test_only_warnings_about_a_cell_can_be_confirmed(contract: Contract, rule: Rule) -> None:
    assert rule.severity is Severity.WARNING and rule.field in contract.by_name
    assert rule.rule_id not in (*PERSONAL_DATA_RULE_IDS, CONSENT_RULE)


def test_a_rule_that_holds_rows_back_cannot_be_confirmable() -> None:
    with pytest.raises(ValueError, match="nobody can confirm it"):
        rule = Rule("K99", Severity.ROW, "t", "e", "f", field="contact_id", violations_sql="select 1", confirmable=True)
        old = datasets()["contacts"]
        Contract("contacts", "t", "d", "g", old.key, old.fields, (rule,))


LINE = {
    "site": "MHT-BPL", "dataset": "contacts", "key": KEY, "field": "contact_date", "rule": "K01", "value_hash": VALUE,
    "reason": "checked_record", "role": "data_lead", "date": "2016-12-03",
}  # fmt: skip


def on_record(*lines: dict[str, str], heading: Sequence[str] = COLUMNS) -> Confirmations:
    rows = [",".join((LINE | line)[name] for name in COLUMNS) for line in lines]
    return parse_confirmations("\n".join([",".join(heading), *rows]), KeyedHash(bytes(32)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"site": "Joanna"}, "there is no site of this code"),
        ({"rule": "K02"}, "the dataset has no such rule that can be confirmed"),
        ({"dataset": "people"}, "the dataset has no such rule that can be confirmed"),
        ({"key": "BPL-C000001"}, "key is not a hash of ours"),
        ({"value_hash": "2016-05-01"}, "value_hash is not a hash of ours"),
        ({"reason": "sure"}, "reason is not on its list"),
        ({"role": "Joanna Smith"}, "role is not on its list"),
        ({"date": "3 December"}, "date must be a day such as 2016-12-31"),
        ({"date": "2016-12-03,more"}, "it has 10 cells, the heading 9"),
    ],
)
def test_a_faulty_line_on_record_is_named_and_left_out(change: dict[str, str], said: str) -> None:
    known = on_record({}, change)
    assert [c.confirmed_on for c in known.lines] == [date(2016, 12, 3)]
    assert known.faults == (f"`confirmations.csv`, line 3: {said}",)
    assert "Joanna" not in "".join(known.faults)


def test_a_file_that_is_no_table_of_confirmations_is_not_overwritten() -> None:
    with pytest.raises(ConfirmationsUnusable, match="its first line must be site,dataset"):
        on_record({}, heading=COLUMNS[1:])


def test_without_its_key_the_record_says_that_nothing_can_be_matched() -> None:
    text = "\n".join([",".join(COLUMNS), ",".join(LINE.values())])
    assert "`confirmations.key` is gone" in parse_confirmations(text, None).faults[0]
    assert parse_confirmations(",".join(COLUMNS), None).faults == ()
