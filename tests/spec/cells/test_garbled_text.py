"""Garbled text (C24 in cells, F28 in headings and sheet names) is reported, and hides no personal data.

Control characters count as garbled: all below U+0020 except tab and line ends, and U+0080 to U+009F, where Windows-1252
has its dashes and quotation marks.
"""

from __future__ import annotations

import pytest
import workbook_bytes
from file_formats import file_of
from file_validator import Finding, Row, Validator, as_csv, as_table, awards, contacts, participants, workbook
from shared_file import SharedFiles
from soak import in_soak

ANY_FORMAT = pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx", "parquet")])


def written(rows: list[dict[str, str]], suffix: str) -> bytes:
    """The rows as a file of this format."""
    return file_of(as_table(rows), suffix)


def test_utf8_read_as_windows_1252_is_reported_with_the_original(validate: Validator) -> None:
    """UTF-8 text was read as Windows-1252 and saved again: the original is suggested, the value is left as sent."""
    originals = ["A café in Zürich", "£5 for Renée’s", "NÃO, â and Åse are letters too", "Zürich"]
    garbled = [n.encode().decode("cp1252") for n in originals[:2]] + originals[2:]
    rows = awards(*({"funding_org_name": n} for n in garbled))
    outcome = validate(as_csv(rows), "funding_awards")
    assert outcome.accepted == [2, 3, 4, 5]
    assert [r["funding_org_name"] for r in outcome.values] == garbled
    assert outcome.findings == [
        Finding("C24", "warning", 2, "funding_org_name", garbled[0], originals[0]),
        Finding("C24", "warning", 3, "funding_org_name", garbled[1], originals[1]),
    ]


CONTROLLED = (
    ("A trust \x96 the \x93Best\x94", "A trust – the “Best”"),
    ("The Minister\x92s fund", "The Minister’s fund"),
    ("Phase 2\x85", "Phase 2…"),  # U+0085 is a line break to str.splitlines
    ("A trust â\x80\x93 the best", "A trust – the best"),  # UTF-8 decoded byte by byte
    ("A tr\x81ust", None),  # byte 81 is undefined in Windows-1252
)


@ANY_FORMAT
@pytest.mark.parametrize(("text", "suggestion"), CONTROLLED)
def test_control_characters_in_text_are_reported(
    in_shared_file: SharedFiles, suffix: str, text: str, suggestion: str | None
) -> None:
    texts = [t for t, _ in CONTROLLED]
    cases = [{"funding_org_name": t} for t in (*texts, "Best – “good”")]
    result = in_shared_file(cases, {"funding_org_name": text}, "funding_awards", suffix)
    assert result.findings == [Finding("C24", "warning", result.row, "funding_org_name", text, suggestion)]
    assert result.values["funding_org_name"] == text
    assert in_shared_file(cases, cases[-1], "funding_awards", suffix).findings == []


CONTROLS = ("\x01", "\x07", "\x0b", "\x0c", "\x1a", "\x1f", "\x7f")


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx", "parquet")])  # XML 1.0, and so ODS, cannot hold these
def test_unknown_control_characters_have_no_suggestion(in_shared_file: SharedFiles, suffix: str, control: str) -> None:
    texts = [f"A made-up{c}funder" for c in CONTROLS]
    text = f"A made-up{control}funder"
    cases = [{"source_document": t} for t in texts]
    result = in_shared_file(cases, {"source_document": text}, "funding_awards", suffix)
    assert result.findings == [Finding("C24", "warning", result.row, "source_document", text, None)]


@pytest.mark.parametrize("suffix", ["xls", "parquet"])  # in a CSV a zero byte makes the line malformed (F13)
def test_zero_bytes_after_every_letter_are_garbled_text(validate: Validator, suffix: str) -> None:
    text = "".join(f"{letter}\x00" for letter in "A made-up funder")
    outcome = validate(written(awards({"funding_org_name": text}, {}), suffix), "funding_awards", suffix=suffix)
    assert outcome.findings == [Finding("C24", "warning", 2, "funding_org_name", text, None)]


OUTSIDE_TEXTS = (
    ("funding_awards", "award_id", "360G\x96made-up", "360G–made-up"),
    ("funding_awards", "amount", "1100\x91", None),
    ("contacts", "contact_date", "2016\x9611\x9603", None),
    ("contacts", "contact_medium", "zz\x96", None),
    ("contacts", "with_employer", "\x9f", None),
    ("contacts", "staff_ref", "W\x960012", None),
    ("participants", "year_of_birth", "1980\x80", None),
)


@ANY_FORMAT
@pytest.mark.parametrize(("dataset", "field", "text", "suggestion"), OUTSIDE_TEXTS)
def test_control_characters_outside_text_fields_hold_the_row(
    in_shared_file: SharedFiles, suffix: str, dataset: str, field: str, text: str, suggestion: str | None
) -> None:
    cases = [{f: t} for d, f, t, _ in OUTSIDE_TEXTS if d == dataset]
    result = in_shared_file(cases, {field: text}, dataset, suffix)
    assert [(f.rule, f.severity, f.suggestion) for f in result.findings] == [("C24", "row", suggestion)]
    assert result.is_held


def test_a_label_is_recognised_despite_control_characters(validate: Validator) -> None:
    outcome = validate(as_csv(contacts({"contact_type": "Job\x96search"}, {})))
    assert (outcome.rules, outcome.accepted) == ([("C16", "warning", 2)], [2, 3])


SOUND_TEXTS = ("Café – “best” … £5 €6 ™", "tab\there", "Zürich, Łódź, Αθήνα, 東京", "naïve ÿ ÷ ×")


@pytest.mark.parametrize("text", SOUND_TEXTS)
@pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
def test_accents_symbols_and_tabs_are_not_garbled(in_shared_file: SharedFiles, suffix: str, text: str) -> None:
    cases = [{"funding_org_name": t} for t in SOUND_TEXTS]
    result = in_shared_file(cases, {"funding_org_name": text}, "funding_awards", suffix)
    assert "C24" not in dict(result.rules) and result.is_accepted


@ANY_FORMAT
def test_f28_a_garbled_heading_is_reported_and_recognised(validate: Validator, suffix: str) -> None:
    rows = [{k.replace("funding_org", "funding\x96org"): v for k, v in row.items()} for row in awards({}, {})]
    outcome = validate(written(rows, suffix), "funding_awards", suffix=suffix)
    heading = "funding\x96org_name"
    assert outcome.findings == [Finding("F28", "warning", None, heading, heading, "funding–org_name")]
    rows = [{k.replace("_type", "\x97type"): v for k, v in row.items()} for row in contacts({}, {})]
    outcome = validate(written(rows, suffix), suffix=suffix)
    assert [(f.rule, f.severity) for f in outcome.findings] == [("F28", "warning")]
    assert outcome.accepted == [2, 3]


def test_f28_an_unknown_garbled_heading_is_not_shown(validate: Validator) -> None:
    rows = [{**row, "Smith\x92s view": "x"} for row in contacts({}, {})]
    outcome = validate(as_csv(rows))
    assert sorted(f.rule for f in outcome.findings) == ["F11", "F28"]
    assert "Smith" not in outcome.stored_findings.write_csv()


def test_f28_a_garbled_sheet_name_is_reported(validate: Validator) -> None:
    for name, suffix, book in (
        ("Awards\x96new", "xlsx", workbook({"Awards\x96new": as_table(awards({}))})),
        ("Awards\x96new", "xls", workbook_bytes.xls({"Awards\x96new": as_table(awards({}))})),
    ):
        outcome = validate(book, "funding_awards", suffix=suffix)
        assert outcome.findings == [Finding("F28", "warning", None, None, "the name of the sheet", None)], name


PERSONAL_TEXTS = {
    "an NHS number": "943 476 5919",
    "a NINO": "QQ 12 34 56 C",
    "a name": "Jonathan Smith",
    "an e-mail address": "someone@example.org",
    "a telephone number": "07700 900123",
    "a postcode": "FY1 4BB",
}


@pytest.mark.parametrize("between", ["\x00", *in_soak("\x96", "\u00ad")], ids=ascii)
@pytest.mark.parametrize("text", PERSONAL_TEXTS.values(), ids=PERSONAL_TEXTS.keys())
@pytest.mark.parametrize(
    ("rows", "column"),
    [(contacts, "staff_ref"), (contacts, "remark"), (participants, "remark")],
    ids=["contacts-reference", "contacts-remark", "participants-remark"],
)
def test_personal_data_is_found_despite_invisible_characters(
    validate: Validator, rows: object, column: str, text: str, between: str
) -> None:
    """Invisible characters between all letters, as a wrong code page leaves them, or in place of spaces."""
    assert callable(rows)
    for garbled in ("".join(letter + between for letter in text), text.replace(" ", between)):
        outcome = validate(
            workbook_bytes.parquet(as_table(_with(rows({}, {}), column, garbled))), rows.__name__, suffix="parquet"
        )
        assert (outcome.result, outcome.held, len(outcome.refusals)) == ("refused", [], 1), ascii(garbled)
        assert outcome.refusals[0] in ("P01", "P03")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", *in_soak("xls", "ods")])
def test_a_name_with_a_control_character_is_found_in_every_format(validate: Validator, suffix: str) -> None:
    rows = _with(contacts({}, {}), "remark", "Jonathan\x96Smith")
    assert validate(written(rows, suffix), suffix=suffix).refusals == ["P01"]


def _with(rows: list[dict[str, str]], column: str, text: str) -> list[dict[str, str]]:
    """The rows with `column` added, empty except for `text` in the last."""
    first: Row = {column: "", **rows[0]}
    return [*({**first, **row} for row in rows[:-1]), {**first, **rows[-1], column: text}]
