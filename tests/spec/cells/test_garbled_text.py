"""Text that was garbled before it was saved (rules C24, F28): told where it stands, and hiding nobody.

Control characters are garbled text: all below U+0020 but tab and line ends, and U+0080 to U+009F, where Windows-1252
has its dashes and quotation marks.
"""

from __future__ import annotations

import pytest
import workbook_bytes as made
from file_validator import Finding, Row, Validator, as_csv, as_table, awards, contacts, participants, workbook
from soak import in_soak

WRITERS = {
    "csv": lambda rows: as_csv(rows).encode(),
    "xlsx": lambda rows: workbook({"Data": as_table(rows)}),
    "xls": lambda rows: made.xls({"Data": as_table(rows)}),
    "ods": lambda rows: made.ods("".join(made.ods_row(*row) for row in as_table(rows))),
    "parquet": lambda rows: made.parquet(as_table(rows)),
}
ANY_FORMAT = pytest.mark.parametrize("suffix", WRITERS)


def written(rows: list[dict[str, str]], suffix: str) -> bytes:
    return WRITERS[suffix](rows)  # type: ignore[no-untyped-call]


def test_letters_read_as_windows_1252_are_told_where_they_stand(validate: Validator) -> None:
    """The text was read as Windows-1252 and saved again before it was sent: what it was is suggested, and not used."""
    names = ["A café in Zürich", "£5 for Renée’s", "NÃO, â and Åse are letters too", "Zürich"]
    garbled = [n.encode().decode("cp1252") for n in names[:2]] + names[2:]
    rows = awards(*({"funding_org_name": n} for n in garbled))
    outcome = validate(as_csv(rows), "funding_awards")
    assert outcome.accepted == [2, 3, 4, 5]
    assert [r["funding_org_name"] for r in outcome.values] == garbled
    assert outcome.findings == [
        Finding("C24", "warning", 2, "funding_org_name", garbled[0], names[0]),
        Finding("C24", "warning", 3, "funding_org_name", garbled[1], names[1]),
    ]


@ANY_FORMAT
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("A trust \x96 the \x93Best\x94", "A trust – the “Best”"),
        ("The Minister\x92s fund", "The Minister’s fund"),
        ("Phase 2\x85", "Phase 2…"),  # to Python a line break
        ("A trust â\x80\x93 the best", "A trust – the best"),  # UTF-8, copied byte by byte
        ("A tr\x81ust", None),  # no sign of Windows-1252
    ],
)
def test_control_characters_in_text_are_told(validate: Validator, suffix: str, text: str, meant: str | None) -> None:
    rows = awards({"funding_org_name": text}, {"funding_org_name": "Best – “good”"})
    outcome = validate(written(rows, suffix), "funding_awards", suffix=suffix)
    assert outcome.findings == [Finding("C24", "warning", 2, "funding_org_name", text, meant)]
    assert outcome.values[0]["funding_org_name"] == text


@pytest.mark.parametrize("control", ["\x01", "\x07", "\x0b", "\x0c", "\x1a", "\x1f", "\x7f"])
@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])  # an ODS file cannot hold them
def test_nothing_is_suggested_for_those_that_no_sign_is_known_for(
    validate: Validator, suffix: str, control: str
) -> None:
    text = f"A made-up{control}funder"
    outcome = validate(written(awards({"source_document": text}), suffix), "funding_awards", suffix=suffix)
    assert outcome.findings == [Finding("C24", "warning", 2, "source_document", text, None)]


@pytest.mark.parametrize("suffix", ["xls", "parquet"])  # a line of text that holds a zero byte is torn
def test_zero_bytes_after_every_letter_are_garbled_text(validate: Validator, suffix: str) -> None:
    text = "".join(f"{letter}\x00" for letter in "A made-up funder")
    outcome = validate(written(awards({"funding_org_name": text}, {}), suffix), "funding_awards", suffix=suffix)
    assert outcome.findings == [Finding("C24", "warning", 2, "funding_org_name", text, None)]


@ANY_FORMAT
@pytest.mark.parametrize(
    ("rows", "field", "text", "meant"),
    [
        (awards, "award_id", "360G\x96made-up", "360G–made-up"),
        (awards, "amount", "1100\x91", None),
        (contacts, "contact_date", "2016\x9611\x9603", None),
        (contacts, "contact_medium", "zz\x96", None),
        (contacts, "with_employer", "\x9f", None),
        (contacts, "staff_ref", "W\x960012", None),
        (participants, "year_of_birth", "1980\x80", None),
    ],
)
def test_a_row_is_held_for_them_where_no_text_is_asked_for(
    validate: Validator, suffix: str, rows: object, field: str, text: str, meant: str | None
) -> None:
    assert callable(rows)
    dataset = "funding_awards" if rows is awards else rows.__name__
    outcome = validate(written(rows({field: text}, {}), suffix), dataset, suffix=suffix)
    assert [(f.rule, f.severity, f.row, f.suggestion) for f in outcome.findings] == [("C24", "row", 2, meant)]
    assert outcome.accepted == [3]


def test_a_label_that_is_known_without_them_is_read(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({"contact_type": "Job\x96search"}, {})))
    assert (outcome.rules, outcome.accepted) == ([("C16", "warning", 2)], [2, 3])


@pytest.mark.parametrize("text", ["Café – “best” … £5 €6 ™", "tab\there", "Zürich, Łódź, Αθήνα, 東京", "naïve ÿ ÷ ×"])
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_accents_signs_and_tabs_are_not(validate: Validator, suffix: str, text: str) -> None:
    outcome = validate(written(awards({"funding_org_name": text}), suffix), "funding_awards", suffix=suffix)
    assert outcome.findings_of("C24") == []


@ANY_FORMAT
def test_f28_a_heading_is_told_and_known_all_the_same(validate: Validator, suffix: str) -> None:
    rows = [{k.replace("funding_org", "funding\x96org"): v for k, v in row.items()} for row in awards({}, {})]
    outcome = validate(written(rows, suffix), "funding_awards", suffix=suffix)
    heading = "funding\x96org_name"
    assert outcome.findings == [Finding("F28", "warning", None, heading, heading, "funding–org_name")]
    rows = [{k.replace("_type", "\x97type"): v for k, v in row.items()} for row in contacts({}, {})]
    outcome = validate(written(rows, suffix), suffix=suffix)
    assert [(f.rule, f.severity) for f in outcome.findings] == [("F28", "warning")]
    assert outcome.accepted == [2, 3]


def test_f28_a_heading_that_nobody_knows_is_not_shown(validate: Validator) -> None:
    rows = [{**row, "Smith\x92s view": "x"} for row in contacts({}, {})]
    outcome = validate(as_csv(rows))
    assert sorted(f.rule for f in outcome.findings) == ["F11", "F28"]
    assert "Smith" not in outcome.stored_findings.write_csv()


def test_f28_the_name_of_the_sheet_is_told(validate: Validator) -> None:
    for name, suffix, book in (
        ("Awards\x96new", "xlsx", workbook({"Awards\x96new": as_table(awards({}))})),
        ("Awards\x96new", "xls", made.xls({"Awards\x96new": as_table(awards({}))})),
    ):
        outcome = validate(book, "funding_awards", suffix=suffix)
        assert outcome.findings == [Finding("F28", "warning", None, None, "the name of the sheet", None)], name


HIDDEN_PEOPLE = {
    "an NHS number": "943 476 5919",
    "a NINO": "QQ 12 34 56 C",
    "a name": "Jonathan Smith",
    "an e-mail address": "someone@example.org",
    "a telephone number": "07700 900123",
    "a postcode": "FY1 4BB",
}


@pytest.mark.parametrize("between", ["\x00", *in_soak("\x96", "\u00ad")], ids=ascii)
@pytest.mark.parametrize("text", HIDDEN_PEOPLE.values(), ids=HIDDEN_PEOPLE.keys())
@pytest.mark.parametrize(
    ("rows", "column"),
    [(contacts, "staff_ref"), (contacts, "remark"), (participants, "remark")],
    ids=["contacts-reference", "contacts-remark", "participants-remark"],
)
def test_what_nobody_sees_hides_nobody(validate: Validator, rows: object, column: str, text: str, between: str) -> None:
    """Between all letters, as a workbook read by the wrong code page has them, or in place of the spaces."""
    assert callable(rows)
    for spoilt in ("".join(letter + between for letter in text), text.replace(" ", between)):
        outcome = validate(made.parquet(as_table(_with(rows({}, {}), column, spoilt))), rows.__name__, suffix="parquet")
        assert (outcome.result, outcome.held, len(outcome.refusals)) == ("refused", [], 1), ascii(spoilt)
        assert outcome.refusals[0] in ("P01", "P03")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "xls", "ods"])
def test_nor_in_any_format(validate: Validator, suffix: str) -> None:
    rows = _with(contacts({}, {}), "remark", "Jonathan\x96Smith")
    assert validate(written(rows, suffix), suffix=suffix).refusals == ["P01"]


def _with(rows: list[dict[str, str]], column: str, text: str) -> list[dict[str, str]]:
    """The rows with a text in a column of the last one."""
    first: Row = {column: "", **rows[0]}
    return [*({**first, **row} for row in rows[:-1]), {**first, **rows[-1], column: text}]
