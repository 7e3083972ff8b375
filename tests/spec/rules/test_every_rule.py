"""Each rule that applies to any dataset has a small file that breaks it and a similar file that does not.

Removing a rule fails here, and so does adding one without a case. The bounds of single rules are in `test_files.py`,
`test_cells.py` and `test_personal_data.py`, and rules between deliveries in `test_earlier_deliveries.py`.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import pytest
import workbook_bytes
from column_files import ROWS
from file_validator import (
    CONTACT,
    JOB,
    Row,
    ValidatedFile,
    Validator,
    as_csv,
    awards,
    contact,
    contacts,
    participants,
    workbook,
)
from shared_file import OnceValidator, SharedFiles

from flows.steps.read.workbook.marked_copy import sheet_digest
from schemas._contract.workbook_names import (
    COPY_LINE,
    EXAMPLES,
    FORM_VERSION,
    HIDDEN_CELL,
    NIL_RETURN,
    NOTES,
    READ_ME,
    ROW_PROBLEMS,
)
from schemas._rules.cells import CELL_RULES
from schemas._rules.files import DELIVERY_RULES, FILE_RULES
from schemas._rules.privacy import PERSONAL_DATA_RULES

FILE, ROW, WARNING = "file", "row", "warning"
VALID = as_csv(contacts({}, {}, {}))
HEADING = VALID.splitlines()[0]
PEOPLE, AWARDS = as_csv(participants({}, {}, {})), as_csv(awards({}, {}))


class Case(NamedTuple):
    """A rule, a file that breaks it, one that does not, and the validator's arguments for both."""

    rule: str
    severity: str
    broken: str | bytes
    valid: str | bytes
    arguments: dict[str, Any] = {}  # noqa: RUF012 - never changed
    cells: tuple[Row, Row] | None = None  # where one cell decides: the cell that breaks the rule, and one that does not

    def __str__(self) -> str:
        return f"{self.rule}-{self.severity}"


def cell(rule: str, severity: str, dataset: str, field: str, broken: str, valid: str) -> Case:
    """A case for a rule about one cell, which is on row 3 between two valid rows."""
    rows = {"contacts": contacts, "participants": participants, "funding_awards": awards, "claims": claims}[dataset]
    files = (as_csv([{field: "", **r} for r in rows({}, {field: text}, {})]) for text in (broken, valid))
    return Case(rule, severity, *files, {"dataset": dataset}, ({field: broken}, {field: valid}))


def claims(*changes: Row) -> list[dict[str, str]]:
    """Valid claims, one for each set of changes."""
    example, key, reference = ROWS["claims"]
    return [{**example, key: reference.format(n), **c} for n, c in enumerate(changes, 1)]


def jobs(hours_band: str, number: int) -> str:
    """Sixty jobs, of which a number have this code for their weekly hours."""
    bands = [hours_band] * number + ["02"] * (60 - number)
    return as_csv([{**JOB, "outcome_id": f"BPL-J{n:06}", "weekly_hours_worked": b} for n, b in enumerate(bands)])


def column(rule: str, dataset: str, field: str, *texts: str, valid: str, site: str = "MHT-BPL") -> Case:
    """A case for a rule that refuses the file for one column: these cells, followed by twenty valid ones."""
    rows = {"contacts": contacts, "participants": participants}[dataset]
    files = (as_csv(rows(*({field: t} for t in cells), *[{}] * 20)) for cells in (texts, [valid] * len(texts)))
    return Case(rule, FILE, *files, {"dataset": dataset, "site": site})


def heading(rule: str, severity: str, broken: str, valid: str, dataset: str = "contacts") -> Case:
    """A case for a rule about one heading, that of the last column."""
    first = contacts({}, {}, {}) if dataset == "contacts" else awards({}, {}, {})
    files = (as_csv([{**r, "last": "x"} for r in first]).replace("last", name, 1) for name in (broken, valid))
    return Case(rule, severity, *files, {"dataset": dataset})


def contacts_on(*days: str) -> str:
    """Contacts on these dates."""
    return as_csv(contacts(*({"contact_date": d} for d in days)))


def durations(*texts: str) -> str:
    """Contacts with these durations, not attended where there is none."""
    return as_csv(contacts(*({"duration_minutes": t, "attended": "5" if t else "2"} for t in texts)))


def withdrawals(*days: str) -> str:
    """Participants, of whom some withdrew consent on these dates and twenty did not."""
    people = participants(*({"consent_withdrawn_date": d} for d in (*days, *[""] * 20)))
    return as_csv([row | {"consent_date": "2016-02-29"} for row in people])


def lines(*more: str) -> str:
    """The valid file with these lines appended."""
    return VALID + "\n".join(more) + "\n"


def with_password(book: bytes) -> bytes:
    """Mark every part of a workbook as encrypted, which zip does by bit 0 of the part's flags."""
    parts = book.split(b"PK\x03\x04")
    marked = b"PK\x03\x04".join(p[:2] + bytes([p[2] | 1]) + p[3:] if i else p for i, p in enumerate(parts))
    listed = marked.split(b"PK\x01\x02")
    return b"PK\x01\x02".join(p[:4] + bytes([p[4] | 1]) + p[5:] if i else p for i, p in enumerate(listed))


def with_hidden_row(book: bytes) -> bytes:
    """Hide the second row of a workbook."""
    sheet = "xl/worksheets/sheet1.xml"
    return workbook_bytes.replace_parts(
        book, {sheet: workbook_bytes.read_part(book, sheet).replace(b'<row r="2"', b'<row r="2" hidden="1"')}
    )


TABLE = [list(CONTACT), list(CONTACT.values())]
BOOK = workbook({"Contacts": TABLE})


def marked_copy(table: list[list[str]]) -> bytes:
    """A marked workbook of one contact, with these cells."""
    rows = [[*table[0], ROW_PROBLEMS], *table[1:]]
    line = f"{COPY_LINE}contacts, November 2016, version 1: {sheet_digest(TABLE)}"
    return workbook({READ_ME: [[line]], "Contacts": rows})


def nil_return(table: list[list[str]], answer: str) -> bytes:
    """A workbook with the sheet on which its sender may say that there is nothing to send."""
    return workbook({"Contacts": table, NIL_RETURN: [["Sheet", "Dataset"], ["contacts", "Contacts", answer]]})


OLD_FORM = [[f"{FORM_VERSION}0.9"]]
WITHOUT_MEDIUM = as_csv([{k: v for k, v in r.items() if k != "contact_medium"} for r in contacts({}, {})])
VERSIONED = [{**r, "schema_version": "1"} for r in contacts({}, {}, {})]
NOVEMBER, OCTOBER = [f"2016-11-{d:02}" for d in range(1, 31)], [f"2016-10-{d:02}" for d in range(1, 31)]
SWAPPED = ("2016-03-11", "2016-04-10", "14/11/2016", "15/10/2016")  # of 3 November and 4 October
PERIOD = {"manifest": '{"extract_type": "period"}'}
GRANT = '{"id": "A-1", "amountAwarded": 2000000, "fundingOrganization": [{"name": "A made-up funder"}]}'

CASES = (
    # --- files: format and encoding ---------------------------------------------------------------------------------
    Case("F01", FILE, HEADING, VALID),
    Case("F02", FILE, b"\xef\xbb\xbf" + VALID.encode() + b"\xff", VALID),
    Case("F02", WARNING, VALID.encode("utf-16"), VALID),
    Case("F03", WARNING, VALID.encode("utf-8-sig"), VALID),
    Case("F04", WARNING, f"Contacts of Blackpool\n{VALID}", VALID),
    Case("F13", WARNING, as_csv(contacts({}, {}, {}), ";"), VALID),
    Case("F29", WARNING, VALID.replace("with_employer", '"with_employer', 1), VALID),
    Case("F32", WARNING, VALID.replace("\n", ",\n").replace(",\n", "\n", 1), VALID),
    Case("F31", WARNING, VALID, "", {"name_ending": " (1)"}),
    Case("F30", WARNING, as_csv(contacts({}, {}, {}), quoting=csv.QUOTE_ALL).replace(",", ", "), VALID),
    Case("F15", FILE, VALID, VALID, {"suffix": "pdf"}),
    Case("F16", FILE, VALID, VALID + VALID.splitlines()[1].replace("C000001", "C000004"), {"manifest": '{"rows": 4}'}),
    Case("U01", FILE, BOOK[:2000], BOOK, {"suffix": "xlsx"}),
    Case("U02", FILE, with_password(BOOK), BOOK, {"suffix": "xlsx"}),
    Case("U03", FILE, VALID.split("\n", 1)[1], VALID),
    Case(
        "U04",
        FILE,
        workbook({"One": TABLE, "Two": [*TABLE, TABLE[1]]}),
        workbook({"One": TABLE, "Two": [["Remarks"], ["none"]]}),
        {"suffix": "xlsx"},
    ),
    Case(
        "U04",
        WARNING,
        workbook({"Contacts": TABLE, "January": [*TABLE, TABLE[1]]}),
        workbook({"Contacts": TABLE, "January": [["Remarks"], ["none"]]}),
        {"suffix": "xlsx", "sheet": "Contacts"},
    ),
    Case("U05", FILE, f"[{GRANT}]", f'{{"grants": [{GRANT}]}}', {"dataset": "funding_awards", "suffix": "json"}),
    # --- headings ---------------------------------------------------------------------------------------------------
    Case("F09", FILE, WITHOUT_MEDIUM, VALID),
    Case("F10", WARNING, VALID.replace("contact_date", "Date of contact", 1), VALID),
    heading("F11", FILE, "Surname", "Weather"),
    heading("F11", WARNING, "Weather", "Surname"),
    Case("F27", WARNING, with_hidden_row(BOOK), BOOK, {"suffix": "xlsx"}),
    Case("F28", WARNING, VALID.replace("contact_date", "contact\x96date", 1), VALID),
    heading("F12", FILE, "contact_date", "Weather"),
    Case("F24", FILE, as_csv([*VERSIONED[:2], {**VERSIONED[2], "schema_version": "2"}]), as_csv(VERSIONED)),
    # --- the wrong heading, or the wrong thing under a name -----------------------------------------------------------
    Case("F40", WARNING, VALID.replace("contact_type", "contact_type (see list)", 1), VALID),
    Case(
        "F40",
        FILE,
        as_csv(claims({}, {})).replace("claimed_amount", "claimed_amount (£000)", 1),
        as_csv(claims({}, {})),
        {"dataset": "claims"},
    ),
    Case("F41", FILE, VALID.replace("staff_role", "Staff grade", 1), VALID),
    Case("F41", WARNING, VALID.replace("with_employer", "Employer?", 1), VALID),
    Case("F42", FILE, PEOPLE, VALID),
    Case("F43", FILE, VALID.replace("contact_type,", "", 1), VALID),
    Case("F43", WARNING, VALID.replace("contact_type,", "contact_type ", 1), VALID),
    Case("F44", FILE, workbook({"Contacts": [[",".join(row)] for row in TABLE]}), BOOK, {"suffix": "xlsx"}),
    Case("F44", WARNING, "\n".join(f'"{line}"' for line in VALID.splitlines()), VALID),
    Case("F45", FILE, workbook({"Contacts": TABLE[:1], EXAMPLES: TABLE}), BOOK, {"suffix": "xlsx"}),
    Case("F45", WARNING, workbook({"Contacts": TABLE, EXAMPLES: [*TABLE, *TABLE[1:] * 3]}), BOOK, {"suffix": "xlsx"}),
    Case("F46", WARNING, workbook({"One": TABLE, "Two": TABLE}), BOOK, {"suffix": "xlsx"}),
    Case("F47", FILE, workbook({"Contacts": [r[1:] for r in TABLE], NOTES: OLD_FORM}), BOOK, {"suffix": "xlsx"}),
    Case("F49", FILE, marked_copy(TABLE), marked_copy([*TABLE, TABLE[1]]), {"suffix": "xlsx"}),
    Case("F48", FILE, nil_return(TABLE, "yes"), nil_return(TABLE, ""), {"suffix": "xlsx"}),
    Case("F47", WARNING, workbook({"Contacts": TABLE, NOTES: OLD_FORM}), BOOK, {"suffix": "xlsx"}),
    # --- lines ------------------------------------------------------------------------------------------------------
    Case("F05", WARNING, lines(HEADING, VALID.splitlines()[1].replace("C000001", "C000004")), VALID),
    Case("F05", FILE, lines(",".join(reversed(CONTACT))), VALID),
    Case("F06", WARNING, lines("Total" + "," * (len(CONTACT) - 1)), VALID),
    cell("F06", ROW, "funding_awards", "award_id", "TOTAL grant 7", "Totality grant 7"),
    Case("F07", WARNING, lines("," * (len(CONTACT) - 1)), VALID),
    Case("F33", WARNING, lines("Notes: provisional" + "," * (len(CONTACT) - 1)), VALID),
    Case("F34", WARNING, lines("(3 rows affected)"), VALID),
    Case("F35", WARNING, lines("", "Staff role,Number", "Key worker,3"), VALID),
    Case("F36", WARNING, workbook({"Data": [TABLE[0], [*TABLE[1], "", "x"]]}), BOOK, {"suffix": "xlsx"}),
    Case("F38", WARNING, lines(",".join(["----"] * len(CONTACT))), VALID),
    Case("F39", WARNING, lines("," * (len(CONTACT) - 1) + "< Select >"), VALID),
    cell("F39", WARNING, "contacts", "staff_ref", "< Select >", "W-0012"),
    cell("F39", ROW, "contacts", "contact_type", "< Select >", "review"),
    cell("F08", ROW, "contacts", "contact_id", "", "BPL-C800004"),
    Case("F13", ROW, lines("BPL-C000004,BPL-E000001"), VALID),
    Case("F13", FILE, lines(*["BPL-C000004,BPL-E000001"] * 10), lines(*["BPL-C000004,BPL-E000001"] * 9)),
    Case("P04", ROW, as_csv([contact(1), contact(1, attended="6"), contact(2)]), VALID),
    Case("P04", WARNING, as_csv([contact(1), contact(1), contact(2)]), VALID),
    Case("L01", FILE, as_csv(contacts(*[{"attended": "8"}] * 20)), as_csv(contacts(*[{"attended": "8"}] * 19))),
    # --- the sender and the month -----------------------------------------------------------------------------------
    Case("F19", FILE, contacts_on(*OCTOBER[:10], *NOVEMBER[:10]), contacts_on(*OCTOBER[:10], *NOVEMBER[:11]), PERIOD),
    Case(
        "F19", WARNING, contacts_on(*OCTOBER[:29], OCTOBER[0]), contacts_on(*OCTOBER)
    ),  # the last date is 29 October, then 30 October
    Case("F25", FILE, VALID, VALID, {"received": datetime(2016, 10, 31)}),
    Case(
        "F25", WARNING, AWARDS, AWARDS, {"dataset": "funding_awards", "site": "PMO", "received": datetime(2016, 10, 31)}
    ),
    Case("F20", FILE, as_csv(participants({}, {"site_code": "MHT-GM"})), PEOPLE, {"dataset": "participants"}),
    Case("L02", FILE, VALID, VALID, {"site": "PMO"}),
    Case("T09", FILE, "randomisation_id,participant_ref\n", "", {"dataset": "randomisation", "site": "PWW-GW"}),
    # --- personal data ----------------------------------------------------------------------------------------------
    cell("P01", FILE, "contacts", "staff_ref", "QQ someone@example.org", "W-0012"),
    cell("P01", ROW, "contacts", "staff_ref", "Smith", "W-0012"),
    cell("P02", FILE, "participants", "participant_ref", "9434765919", "BPL-000002"),
    cell("P03", FILE, "contacts", "staff_ref", "FY1 4BB", "W-0012"),
    cell("P03", ROW, "contacts", "contact_date", "1970-05-03", "2016-11-03"),
    # --- dates ------------------------------------------------------------------------------------------------------
    cell("C01", ROW, "contacts", "contact_date", "42677", "2016-11-03"),
    cell("C02", ROW, "contacts", "contact_date", "03/11/2016", "2016-11-03"),
    Case(
        "C02",
        WARNING,
        contacts_on("03/11/2016", "2016-11-03"),
        contacts_on("2016-11-03", "2016-11-03"),
        {"site": "MHT-GM"},
    ),
    column("C02", "contacts", "contact_date", "14/11/2016", "11/14/2016", valid="14/11/2016", site="MHT-GM"),
    cell("C03", ROW, "contacts", "contact_date", "1900-01-01", "2016-11-03"),
    cell("C03", WARNING, "participants", "consent_withdrawn_date", "9999-12-31", ""),
    cell("C04", ROW, "contacts", "contact_date", "2016-06-30T23:00:00Z", "2016-07-01"),
    cell("C04", WARNING, "contacts", "contact_date", "2016-11-03T23:00:00Z", "2016-11-03"),
    cell("C05", ROW, "contacts", "contact_date", "2016-11-31", "2016-11-30"),
    cell("C06", ROW, "contacts", "contact_date", "2016-12-01", "2016-11-30"),
    Case("C25", FILE, contacts_on(*SWAPPED), contacts_on(*SWAPPED, "2016-10-13")),
    Case("C25", ROW, withdrawals(*SWAPPED), withdrawals(*SWAPPED, "2016-10-13"), {"dataset": "participants"}),
    Case("C26", FILE, contacts_on("11/14/2016", "11/15/2016"), contacts_on("11/14/2016", "15/11/2016")),
    Case(
        "C26",
        ROW,
        contacts_on("11/14/2016", "11/15/2016", *NOVEMBER),
        contacts_on("11/14/2016", "15/11/2016", *NOVEMBER),
    ),
    cell("C27", WARNING, "contacts", "contact_date", "2016/11/03", "2016-11-03"),
    Case("C27", ROW, contacts_on("2016/14/11", *NOVEMBER), contacts_on("2016/11/14", *NOVEMBER)),
    Case("C27", FILE, contacts_on("2016/14/11", "2016/11/03"), contacts_on("2016/11/14", "2016/11/03")),
    cell("C28", WARNING, "contacts", "contact_date", "3rd November 2016", "2016-11-03"),
    cell("C28", ROW, "contacts", "contact_date", "3rd November", "3rd November 2016"),
    # --- numbers ----------------------------------------------------------------------------------------------------
    cell("C07", ROW, "contacts", "duration_minutes", "<5", "5"),
    column("C07", "contacts", "duration_minutes", *["*"] * 10, valid="5"),
    cell("C08", ROW, "contacts", "duration_minutes", "9999", "99"),
    cell("C11", WARNING, "funding_awards", "amount", "£1,100", "1100"),
    cell("C12", ROW, "funding_awards", "amount", "1200,50", "1200.50"),
    cell("C13", WARNING, "funding_awards", "amount", "1.1E+06", "1100000"),
    cell("C21", WARNING, "claims", "intervention_rate", "40%", "0.4"),
    cell("C22", ROW, "contacts", "duration_minutes", "-5", "5"),
    cell("C29", WARNING, "contacts", "duration_minutes", "45 mins", "45"),
    cell("C29", ROW, "contacts", "duration_minutes", "0:20", "20"),
    Case("C29", FILE, durations("0:20", "1:15"), durations("20", "75")),
    Case("C30", ROW, durations("0.5", "1.25", *[""] * 20), durations("30", "75")),
    Case("C30", FILE, durations("0.5", "1.25", "2"), durations("30", "75", "120")),
    cell("C31", WARNING, "funding_awards", "amount", "£1.1m", "1100000"),
    cell("V03", ROW, "participants", "condition_count", "31", "3"),
    cell("V05", ROW, "contacts", "duration_minutes", "about an hour", "60"),
    cell("V06", ROW, "contacts", "duration_minutes", "1.5", "2"),
    # --- codes and texts --------------------------------------------------------------------------------------------
    cell("C09", ROW, "contacts", "contact_type", "TBC", "review"),
    cell("C09", ROW, "claims", "match_share", "-", "7200.00"),
    cell("C09", WARNING, "contacts", "with_employer", "N/K", ""),
    cell("C14", WARNING, "contacts", "contact_medium", "1", "01"),
    Case("C14", ROW, jobs("2.0", 10), jobs("02", 10), {"dataset": "employment_outcomes"}),
    Case("C14", FILE, jobs("2.0", 30), jobs("02", 30), {"dataset": "employment_outcomes"}),
    cell("C16", WARNING, "contacts", "contact_medium", "Telephone", "02"),
    cell("C17", WARNING, "contacts", "attended", " 5 ", "5"),
    cell("C18", ROW, "contacts", "with_employer", "perhaps", "Y"),
    cell("C18", WARNING, "contacts", "with_employer", "Yes", "Y"),
    cell("C19", ROW, "contacts", "contact_medium", "O1", "01"),
    cell("C20", ROW, "contacts", "contact_medium", "01-Apr", "01"),
    Case("C32", WARNING, VALID.replace(",01,", ',="01",'), VALID),
    cell("C33", WARNING, "contacts", "contact_id", "bpl-c800001", "BPL-C800001"),
    cell("C34", ROW, "contacts", "contact_medium", "01; 02", "02"),
    cell("C35", ROW, "contacts", "contact_medium", HIDDEN_CELL, "02"),
    cell("C36", ROW, "claims", "claimed_amount", "12500.00 DR", "12500.00"),
    cell("F14", ROW, "contacts", "staff_ref", "W-\n0012", "W-0012"),
    cell("F14", WARNING, "contacts", "contact_medium", "0\n1", "01"),
    cell("M06", ROW, "funding_awards", "financial_year", "2015", "2015-16"),
    cell("M06", WARNING, "funding_awards", "financial_year", "2015/16", "2015-16"),
    cell("P08", WARNING, "participants", "ethnic_category", "T", "C"),
    cell("P10", WARNING, "participants", "la_code", "E08000016", "E08000038"),
    cell("V02", ROW, "contacts", "contact_medium", "carrier pigeon", "01"),
    # --- any cell ---------------------------------------------------------------------------------------------------
    cell("C10", ROW, "contacts", "contact_medium", "#REF!", "01"),
    column("C10", "contacts", "duration_minutes", *["#REF!"] * 10, valid="5"),
    cell("F37", ROW, "contacts", "duration_minutes", "#NO VALUE!", "5"),
    column("F37", "contacts", "duration_minutes", *["#NO VALUE!"] * 10, valid="5"),
    cell("C15", ROW, "contacts", "contact_id", "1.23457E+11", "BPL-C800002"),
    cell("C23", WARNING, "funding_awards", "funding_org_name", "=1+1", "A made-up funder"),
    cell("C24", WARNING, "funding_awards", "funding_org_name", "CafÃ© trust", "Café trust"),
    cell("C24", ROW, "funding_awards", "award_id", "360G\x96made-up-2", "360G-made-up-2"),
    cell("V01", ROW, "contacts", "contact_date", "", "2016-11-03"),
    cell("V04", ROW, "contacts", "contact_id", "BPL/C800003", "BPL-C800003"),
)
# Rules that no single file can break: repeated or older deliveries (F17, F18), names (F21), other deliveries.
NEEDS_OTHER_DELIVERIES = {
    ("F17", WARNING),
    ("F18", FILE),
    ("F21", FILE),
    ("F26", FILE),
    ("F26", WARNING),
    ("F54", WARNING),
    ("F56", FILE),
    ("L03", FILE),
    ("L04", FILE),
    ("L05", FILE),
    *((r.rule_id, str(r.severity)) for r in DELIVERY_RULES),
}


def assert_found(case: Case, outcome: ValidatedFile) -> None:
    """Assert that the rule is found, and that it costs what its severity says: the file, the row, or nothing."""
    found = [f for f in outcome.findings if (f.rule, f.severity) == (case.rule, case.severity)]
    assert found, f"{case} is not found: {outcome.rules}"
    rows = {f.row for f in found} - {None}
    if case.severity == FILE:
        assert outcome.verdict.result.is_rejected
        assert outcome.accepted == []
    else:
        assert not outcome.verdict.result.is_rejected
        assert outcome.accepted
        assert rows.isdisjoint(outcome.accepted if case.severity == ROW else outcome.held)


def broken_file(validate: Validator, in_shared_file: SharedFiles, case: Case) -> ValidatedFile:
    """The result of the broken file. A cell that refuses no file shares one with others of its severity."""
    if not case.cells or case.severity == FILE:
        return validate(case.broken, **case.arguments)
    alike = [c for c in CASES if c.cells and (c.severity, c.arguments) == (case.severity, case.arguments)]
    result = in_shared_file([c.cells[0] for c in alike if c.cells], case.cells[0], **case.arguments)
    return replace(result.file, findings=result.findings)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_broken_rule_is_found(validate: Validator, in_shared_file: SharedFiles, case: Case) -> None:
    """The case would fail without the rule: no other finding in the file satisfies the assertion."""
    outcome = broken_file(validate, in_shared_file, case)
    assert_found(case, outcome)
    others = [f for f in outcome.findings if (f.rule, f.severity) != (case.rule, case.severity)]
    with pytest.raises(AssertionError, match="is not found"):
        assert_found(case, replace(outcome, findings=others))


@pytest.mark.parametrize("case", [c for c in CASES if c.broken != c.valid and c.valid], ids=str)
def test_a_rule_that_holds_is_not_found(validate_once: OnceValidator, in_shared_file: SharedFiles, case: Case) -> None:
    if case.cells:
        valid = [c.cells[1] for c in CASES if c.cells and c.arguments == case.arguments]
        findings = in_shared_file(valid, case.cells[1], **case.arguments).findings
    else:
        findings = validate_once(case.valid, **case.arguments).findings
    assert (case.rule, case.severity) not in {(f.rule, f.severity) for f in findings}


def test_every_general_rule_has_a_case() -> None:
    defined = {(r.rule_id, str(r.severity)) for r in (*FILE_RULES, *CELL_RULES, *PERSONAL_DATA_RULES)}
    assert defined - NEEDS_OTHER_DELIVERIES == {(c.rule, c.severity) for c in CASES}
