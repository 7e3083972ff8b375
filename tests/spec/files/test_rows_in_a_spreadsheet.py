"""Where cells of a text file hold line breaks, reports give a row's number in a spreadsheet beside its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from file_validator import REFERRAL, Row, Validator, as_csv, as_table, awards, contacts, participants, workbook

from flows.commands.check import check_file
from schemas._contract.workbook_names import PROBLEMS

# For each dataset: a column that may hold any text, and one with a code.
COLUMNS = {"contacts": ("remark", "attended"), "referrals": ("remark", "source_of_referral")}
BREAK = "seen twice\nand again"


def rows_of(dataset: str, number: int) -> list[dict[str, str]]:
    """Valid rows with an empty column of remarks, which is left out with a warning."""
    if dataset == "contacts":
        rows = contacts(*({"contact_date": f"2016-11-{n:02}"} for n in range(1, number + 1)))
    else:
        refs = [(f"BPL-E{n:06}", f"BPL-{n:06}") for n in range(1, number + 1)]
        rows = [{**REFERRAL, "episode_id": episode, "participant_ref": person} for episode, person in refs]
    return [{"remark": "", **row} for row in rows]


def check(folder: Path, text: str, dataset: str = "contacts") -> dict[str, Any]:
    """Check a CSV file, and return what its reports say: JSON, rows of findings.csv, page, lines, marked workbook."""
    path = folder / f"MHT-BPL_{dataset}_201611_v1.csv"
    path.write_bytes(text.encode())
    result = check_file(path, to=folder / "out")
    out = folder / "out" / "MHT-BPL"
    [findings] = out.glob("*.findings.csv")
    [marked] = out.glob("*_to_fix.xlsx")
    [page] = out.glob("*.html")
    return {
        "items": {r["rule_id"]: r for r in json.loads(result.report_json)["rules"]},
        "findings": {r["rule_id"]: r for r in csv.DictReader(io.StringIO(findings.read_text(encoding="utf-8")))},
        "page": page.read_text(encoding="utf-8"),
        "text": result.text,
        "book": openpyxl.load_workbook(marked),
    }


def with_break(dataset: str, *, crlf: bool = False) -> str:
    """Ten rows; the third has a line break in a cell, and the code of the ninth is wrong."""
    rows = rows_of(dataset, 10)
    remark, code = COLUMNS[dataset]
    rows[2][remark], rows[8][code] = BREAK, "no such code"
    text = as_csv(rows)
    return text.replace("\n", "\r\n") if crlf else text


@pytest.mark.parametrize("crlf", [False, True])
@pytest.mark.parametrize("dataset", COLUMNS)
def test_both_numbers_are_given_below_a_line_break(tmp_path: Path, dataset: str, crlf: bool) -> None:
    said = check(tmp_path, with_break(dataset, crlf=crlf), dataset)
    [item] = [i for i in said["items"].values() if i["severity"] == "row"]
    finding = said["findings"][item["rule_id"]]
    assert (item["row_ranges"], item["spreadsheet_row_ranges"]) == (["11"], ["10"])
    assert (finding["source_row"], finding["spreadsheet_row"]) == ("11", "10")
    assert finding["cell"] == f"{item['column_letter']}10"
    place = "row 10 in a spreadsheet, line 11 in a text editor"
    assert place in said["page"] and place in said["text"]
    # the marked workbook is a spreadsheet: the row is where the sender's own one shows it
    sheet = said["book"][said["book"].sheetnames[2]]
    keys = [row[1] for row in sheet.iter_rows(min_row=2, max_row=11, values_only=True)]
    assert None not in keys and len(set(keys)) == 10 and sheet[finding["cell"]].value == "no such code"
    heading, first, *_ = said["book"][PROBLEMS].iter_rows(values_only=True)
    named = dict(zip(heading, first, strict=True))
    assert (named["Cell"], named["Row"]) == (finding["cell"], "10 (line 11 in a text editor)")


def test_a_file_without_line_breaks_has_one_number(tmp_path: Path) -> None:
    rows = rows_of("contacts", 10)
    rows[2]["remark"], rows[8]["attended"] = 'a "quoted" word, and 12"', "no such code"
    said = check(tmp_path, as_csv(rows))
    [item] = [i for i in said["items"].values() if i["severity"] == "row"]
    assert item["row_ranges"] == item["spreadsheet_row_ranges"] == ["10"]
    assert "text editor" not in said["page"] + said["text"]
    assert said["findings"][item["rule_id"]]["spreadsheet_row"] == "10"


def shifts(validate: Validator, text: str, **options: Any) -> list[tuple[int, int | None]]:
    return [tuple(shift) for shift in validate(text, **options).verdict.line_shifts]


def lines(rows: Sequence[Row]) -> list[str]:
    return as_csv(rows).splitlines()


SOUND = lines(contacts(*[{}] * 6))
BROKEN_TITLE = ['"Contacts of', 'November"', ""]
QUOTED_HEADING = SOUND[0].replace("attended", '"attended"').replace("contact_date", '"contact_date\n(dd/mm/yyyy)"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SOUND, []),
        ([*SOUND[:3], "", "", *SOUND[3:]], []),  # a spreadsheet shows blank lines as rows
        ([*SOUND[:3], SOUND[0], *SOUND[3:]], []),  # and a repeated heading
        (["A title", *SOUND], []),
        ([*BROKEN_TITLE, *SOUND], [(3, 1)]),
        ([QUOTED_HEADING, *SOUND[1:]], [(3, 1)]),
        (["sep=,", *SOUND], [(2, 1)]),  # an instruction to Excel, which does not show it
        ([*SOUND[:2], SOUND[2].replace("review", '12" review')], []),
        ([*SOUND[:3], SOUND[3].replace("review", '"rev"iew'), *SOUND[4:]], []),  # malformed, and closed
        ([*SOUND[:3], SOUND[3].replace("review", '"review'), *SOUND[4:]], [(5, None)]),  # takes in what is below
        ([*SOUND[:3], SOUND[3].replace("review", "rev\riew"), *SOUND[4:]], [(5, None)]),
        ([SOUND[0].replace("attended", '"attended'), *SOUND[1:]], [(2, None)]),
        (
            [SOUND[0], SOUND[1].replace("review", '"re\n\nview"'), SOUND[2], SOUND[3].replace("review", '"re\nview"'),
             *SOUND[4:]],
            [(5, 2), (8, 3)],
        ),
        ([*SOUND[:3], SOUND[3].replace("review", '"review'), SOUND[4].replace("review", '"re\nview"'), *SOUND[5:]],
         [(5, None)]),
    ],
)  # fmt: skip
def test_where_the_numbers_differ(validate: Validator, text: list[str], expected: list[Any]) -> None:
    assert shifts(validate, "\n".join(text) + "\n") == expected


def test_spaces_beside_the_marks_make_a_spreadsheet_split_the_cell(validate: Validator) -> None:
    """Excel knows a quotation only at the very start of a cell."""
    text = [SOUND[0], SOUND[1].replace(",review,", ', "re\nview" ,'), *SOUND[2:]]
    assert shifts(validate, "\n".join(text) + "\n") == []


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters(validate: Validator, delimiter: str) -> None:
    rows = rows_of("contacts", 4)
    rows[0]["remark"] = BREAK
    assert shifts(validate, as_csv(rows, delimiter)) == [(4, 1)]


def test_numbers_go_on_from_one_piece_of_the_file_to_the_next(
    validate: Validator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.steps.read.text.delimited.CHUNK_BYTES", 20_000)
    rows = [{"remark": "", **row} for row in contacts(*[{}] * 1_000)]
    for n in (5, 500, 995):
        rows[n]["remark"] = BREAK
    assert shifts(validate, as_csv(rows)) == [(9, 1), (505, 2), (1001, 3)]


def test_a_workbook_has_its_own_rows(validate: Validator) -> None:
    table = as_table(contacts({"contact_type": "re\nview"}, {"attended": "no such code"}))
    outcome = validate(workbook({"Contacts": table}), suffix="xlsx")
    assert outcome.verdict.line_shifts == () and 3 in outcome.held


@pytest.mark.parametrize(("dataset", "make"), [("participants", participants), ("funding_awards", awards)])
def test_a_reference_sent_twice_names_the_line_where_rows_are_numbered_otherwise(
    validate: Validator, dataset: str, make: Any
) -> None:
    key = next(iter(make({})[0]))
    rows = [{"remark": "", **row} for row in make({}, {}, {})]
    rows[0]["remark"], rows[2][key], rows[2][list(rows[2])[3]] = BREAK, rows[1][key], ""
    site = "PMO" if dataset == "funding_awards" else "MHT-BPL"
    found = validate(as_csv(rows), dataset, site).findings_of("P04")
    assert {f.found for f in found} == {"the same reference as in line 4", "the same reference as in line 5"}


def test_the_line_is_all_that_is_known_below_an_open_quotation(tmp_path: Path) -> None:
    rows = lines([*rows_of("contacts", 8)])
    rows[3] = rows[3].replace("review", '"review')
    rows[7] = rows[7].replace("review", "no such code")
    said = check(tmp_path, "\n".join(rows) + "\n")
    malformed, code = said["items"]["F13"], next(i for i in said["items"].values() if i["row_ranges"] == ["8"])
    assert (malformed["row_ranges"], malformed["spreadsheet_row_ranges"]) == (["4"], ["4"])
    assert code["spreadsheet_row_ranges"] is None and "line 8 in a text editor" in said["text"]
    assert said["findings"][code["rule_id"]]["cell"] == said["findings"][code["rule_id"]]["spreadsheet_row"] == ""
