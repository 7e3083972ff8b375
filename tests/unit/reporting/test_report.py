"""The sender's report and the run summary: what they say, and what they never show."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from sample_reports import SAMPLES

from flows.deliveries.findings import FINDING_TYPES
from flows.reporting import report as shape
from flows.reporting.render import delivery_report, findings_csv, render_html, report_json, write_reports
from flows.reporting.render.run_summary import RunSummary, count_findings, render_run_summary
from flows.reporting.words import items as words
from flows.reporting.words.sending import no_workbook
from flows.runtime.wording import clock, counted, deadline, listed, moment, month, ranges, spans
from schemas._contract.registry import OverdueReturn
from schemas.audit.deliveries import Counts, Delivery, Result, Verdict

ROOT = Path(__file__).parents[3]
DUE = datetime(2016, 12, 9, 17)
LETTERS = {"attended": "F", "contact_medium": "E", "duration_minutes": "G", "contact_date": "C", "episode_id": "B"}
DELIVERY = Delivery(
    delivery_id="MHT-BPL_contacts_201611_v1_0f1e2d3c",
    site_code="MHT-BPL",
    programme_code="MHT",
    dataset="contacts",
    period="201611",
    version=1,
    file_name="MHT-BPL_contacts_201611_v1.csv",
    path="MHT-BPL/MHT-BPL_contacts_201611_v1.csv",
    sheet="",
    sha256="0" * 64,
    bytes=1,
    received_at=datetime(2016, 12, 2, 16, 12, tzinfo=UTC),
    data_cut_date=date(2016, 11, 30),
)


def finding(rule="V02", severity="row", row=2, field="contact_medium", found=None, **more):
    """A row of audit.findings, by default an unlisted contact medium on row 2."""
    values = {
        "rule_id": rule,
        "severity": severity,
        "outcome": "broken",
        "sheet": "",
        "source_row": row,
        "column_letter": LETTERS.get(field),
        "column_name": field.upper() or None,
        "field": field,
        "found": found,
        "hidden": False,
        "suggestion": None,
    }
    return values | more


def frame(*findings):
    return pl.DataFrame(list(findings), schema=FINDING_TYPES)


def verdict(result=Result.HELD_ROWS, rows_judged=True, **rows):
    return Verdict(result, Counts(**({"read": 10, "accepted": 8, "held": 2} | rows)), rows_judged=rows_judged)


def report_of(*findings, result=Result.HELD_ROWS, due=None, rows_judged=True, **rows):
    """The report on a delivery with these findings."""
    return delivery_report(DELIVERY, verdict(result, rows_judged, **rows), frame(*findings), deadline=due)


class Page(HTMLParser):
    """A parsed page: its headings, links, ids, text, and every attribute that could fetch something."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.fetches: list[str] = []
        self.words: list[str] = []
        self._style = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self._style = tag == "style"
        attributes = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "a":
            self.links.append(attributes["href"])
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.fetches += [v for k, v in attrs if k in ("src", "srcset", "action", "data", "poster", "style")]

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        if not self._style:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_one_wrong_code_on_many_rows_is_one_item() -> None:
    report = report_of(*(finding(row=r, found="XX") for r in (*range(34, 76), 81)))
    (item,) = report.to_json()["rules"]
    assert item["rows_affected"] == 43
    assert item["row_ranges"] == ["34-75", "81"]
    assert item["found"] == [{"value": "XX", "count": 43}]


def test_items_differ_by_rule_severity_and_column() -> None:
    report = report_of(
        finding("V02", "row", field="attended"),
        finding("V02", "row", field="contact_medium"),
        finding("C09", "row", field="attended"),
        finding("C09", "warning", field="attended"),
    )
    assert [(i.rule_id, i.severity, i.column_letter) for i in report.items] == [
        ("C09", "row", "F"),
        ("V02", "row", "E"),
        ("V02", "row", "F"),
        ("C09", "warning", "F"),
    ]


def test_a_rule_of_form_is_one_item_for_all_its_columns() -> None:
    report = report_of(finding("C09", "warning", field="attended"), finding("C09", "warning", field="contact_medium"))
    [item] = report.items
    assert (item.column_letter, [part.column_letter for part in item.parts]) == ("", ["E", "F"])


def test_faults_of_the_file_come_first_and_then_the_most_frequent() -> None:
    report = report_of(
        finding("K02", row=9, field="duration_minutes"),
        *(finding(row=r) for r in (3, 4)),
        finding("F09", "file", None, "contact_date", column_letter=None, column_name=None),
        result=Result.REFUSED,
    )
    assert [i.rule_id for i in report.must_fix] == ["F09", "V02", "K02"]
    assert words.where(report.must_fix[0]) == "Column Contact date (contact_date)"


def test_checks_that_could_not_be_made_are_listed_apart() -> None:
    report = report_of(finding("T08", "warning", None, "episode_id", outcome="not judged"), result=Result.ACCEPTED)
    assert not report.items
    page = Page(render_html(report))
    assert "Could not be checked" in page.text
    assert report.to_json()["not_judged"]["rules"][0]["rule_id"] == "T08"
    rows = findings_csv(report, frame(finding("T08", "warning", None, "episode_id", outcome="not judged")))
    assert "could not be checked" in rows


@pytest.mark.parametrize(
    ("result", "problems", "due", "title"),
    [
        (Result.HELD_ROWS, 1, DUE, "Fix 1 problem and send the file again by 5pm, Friday 9 December 2016"),
        (Result.HELD_ROWS, 2, DUE, "Fix 2 problems and send the file again by 5pm, Friday 9 December 2016"),
        (Result.HELD_ROWS, 2, None, "Fix 2 problems and send the file again"),
        (Result.ACCEPTED, 0, DUE, "Accepted: nothing to do"),
        (Result.REFUSED, 2, None, "This file was refused: fix 2 problems and send it again"),
        (
            Result.UNREADABLE,
            1,
            DUE,
            "This file could not be read: send it again by 5pm, Friday 9 December 2016",
        ),
    ],
)
def test_the_title_is_the_instruction(result, problems, due, title) -> None:
    fields = ("attended", "contact_medium")[:problems]
    html = render_html(report_of(*(finding(field=f) for f in fields), result=result, due=due))
    assert f"<h1>{title}</h1>" in html


def test_a_report_says_when_rows_were_not_validated() -> None:
    report = report_of(finding("U03", "file", None, ""), result=Result.REFUSED, rows_judged=False)
    assert "The rows were not checked" in Page(render_html(report)).text
    assert report.to_json()["not_judged"]["rows"] is True


def test_a_hidden_value_is_not_shown_even_if_a_finding_has_it() -> None:
    secret = finding(
        "V04", row=8, field="episode_id", found="943 476 5919", suggestion="9434765919", hidden=True, column_letter="D"
    )
    warning = secret | {"rule_id": "C17", "severity": "warning"}
    report = report_of(secret, warning)
    findings = frame(secret, warning)
    everything = render_html(report) + report_json(report) + findings_csv(report, findings)
    everything += render_run_summary(
        {}, RunSummary("published", [(DELIVERY, verdict())], count_findings("x", findings))
    )
    assert "943" not in everything
    assert "hidden (may be personal data) - see cell D8 in your own file" in render_html(report)


def test_a_long_list_of_hidden_cells_is_shortened() -> None:
    report = report_of(*(finding("V04", row=r, field="episode_id", hidden=True) for r in range(2, 40, 2)))
    assert words.hidden(report.items[0]) == (
        "hidden (may be personal data) - see cells B2, B4, B6, B8, B10, ... in your own file"
    )


@pytest.mark.parametrize(("number", "shown"), [(20, 20), (21, 3)])
def test_of_more_than_twenty_suggestions_three_are_shown(number: int, shown: int) -> None:
    days = [
        finding("C02", row=n, field="contact_date", found=f"{n}/06/2016", suggestion=f"2016-06-{n:02}")
        for n in range(2, 2 + number)
    ]
    text = Page(render_html(report_of(*days))).text
    assert "Change 13/06/2016 to 2016-06-13 (cell C13)" in text or shown < number
    assert text.count("Change ") == shown
    is_cut = "other values: see MHT-BPL_contacts_201611_v1.findings.csv" in text
    assert is_cut is (shown < number) and ("All 21 suggestions are in the file" in text) is is_cut
    assert "Change 10/06/2016 to 2016-06-10." in report_of(*days).to_json()["rules"][0]["fix"]


def test_values_are_escaped_in_html() -> None:
    hostile = '<script>alert("x")</script>'
    report = report_of(finding(found=hostile, column_name=hostile, suggestion=hostile))
    html = render_html(replace(report, file_name=f"{hostile}.csv"))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("result", list(Result))
def test_the_page_is_self_contained_and_well_structured(result) -> None:
    held = [] if result is Result.ACCEPTED else [finding(row=r, found="x") for r in range(2, 90, 2)]
    findings = [
        *held,
        finding("C17", "warning", 3, "attended", " 5 ", suggestion="5"),
        finding("F07", "warning", 99, ""),
    ]
    html = render_html(report_of(*findings, result=result, due=DUE))
    page = Page(html)
    assert "script" not in page.tags and not page.fetches
    assert not re.search(r"https?:|url\(|@import|//", html.replace("<!doctype html>", ""))
    linked = {link for link in page.links if not link.startswith("#")}
    assert linked and all("/" not in name and name.startswith("MHT-BPL_contacts_201611_v1") for name in linked)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert html.lstrip().startswith("<!doctype html>") and '<html lang="en-GB">' in html


@pytest.mark.parametrize("kind", SAMPLES)
def test_the_page_has_no_jargon(kind) -> None:
    text = Page(render_html(SAMPLES[kind].report)).text
    assert not re.search(r"\b(schema|null|regex|dtype|constraint|please)\b", text, re.IGNORECASE)


def test_a_long_list_of_row_ranges_is_shortened() -> None:
    text = Page(render_html(report_of(*(finding(row=r, found="x") for r in range(2, 90, 2))))).text
    assert "44 rows: 2, 4, 6, 8, 10, 12 and 38 more. All of them are in MHT-BPL_contacts_201611_v1.findings.csv" in text


@pytest.mark.soak
def test_a_page_of_a_hundred_thousand_findings_stays_small() -> None:
    rows = pl.DataFrame({"source_row": pl.int_range(0, 200_000, 2, eager=True)})
    findings = rows.with_columns(
        *(pl.lit(v).alias(k) for k, v in finding().items() if k not in ("source_row", "found", "column_name")),
        pl.format("<&\"'{}" + "<" * 100, "source_row").alias("found"),
        pl.format("<&heading {}" + "&" * 100, pl.col("source_row") % 400).alias("column_name"),
    ).select(pl.col(name).cast(kind) for name, kind in FINDING_TYPES.items())
    report = delivery_report(DELIVERY, verdict(), findings)
    assert len(report.items) == 200
    assert len(render_html(report).encode()) <= 300_000
    assert findings_csv(report, findings).count("\n") >= 100_000


def test_the_json_schema_of_reports_is_valid_and_has_the_current_version() -> None:
    rules = json.loads((ROOT / "flows" / "reporting" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(rules)
    assert rules["properties"]["schema_version"]["const"] == shape.SCHEMA_VERSION


def test_a_report_is_reproducible_except_for_run_and_received_at() -> None:
    one = delivery_report(DELIVERY, verdict(), frame(finding()), run={"id": "a"}).to_json()
    later = replace(DELIVERY, received_at=datetime(2017, 1, 1, tzinfo=UTC))
    two = delivery_report(later, verdict(), frame(finding()), run={"id": "b"}).to_json()
    for report in (one, two):
        del report["run"], report["file"]["received_at"]
    assert one == two


def test_formulas_are_escaped_in_the_csv() -> None:
    hostile = ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1"]
    findings = frame(*(finding(row=r, found=e, column_name=e, suggestion=e) for r, e in enumerate(hostile)))
    rows = list(csv.DictReader(io.StringIO(findings_csv(delivery_report(DELIVERY, verdict(), findings), findings))))
    heading = "report_id,rule_id,severity,sheet,cell,source_row,spreadsheet_row,column,found_or_hidden,expected,fix"
    assert ",".join(rows[0]) == heading
    assert [r["found_or_hidden"] for r in rows] == [f"'{e}" for e in hostile]
    assert not [cell for r in rows for cell in r.values() if cell.startswith(("=", "+", "-", "@", "\t"))]
    assert (rows[0]["cell"], rows[0]["source_row"]) == ("E0", "0")


def test_reports_are_written_to_the_site_folder(tmp_path: Path) -> None:
    report = report_of(finding())
    paths = write_reports(tmp_path, report, frame(finding()))
    assert paths["html"] == tmp_path / "MHT-BPL" / "MHT-BPL_contacts_201611_v1.html"
    assert paths["json"].name == "MHT-BPL_contacts_201611_v1.report.json"
    assert sorted(p.name for p in (tmp_path / "MHT-BPL").iterdir()) == sorted(p.name for p in paths.values())
    several = replace(report, file_name="november.xlsx")
    assert write_reports(tmp_path, several, frame())["csv"].name == "november_contacts.findings.csv"


def test_the_page_gives_the_reason_for_a_missing_marked_workbook() -> None:
    report = SAMPLES["one_problem"].report
    why = no_workbook("the file is no longer there")
    assert why in render_html(replace(report, marked_workbook="", no_marked_workbook=why))
    assert "no marked workbook" not in render_html(replace(report, marked_workbook=""))


def test_the_next_file_name_has_the_next_version() -> None:
    assert report_of().next_name == "MHT-BPL_contacts_201611_v2.csv"
    assert report_of().next_workbook == "MHT-BPL_contacts_201611_v2.xlsx"
    assert replace(report_of(), file_name="november.csv").next_name == ""
    refused = report_of(finding("F15", "file", None, "", found="a PDF"), result=Result.REFUSED)
    assert replace(refused, file_name="MHT-BPL_contacts_201611_v1.pdf").next_name == "MHT-BPL_contacts_201611_v2.xlsx"


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG 2 defines it."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("ink", "ground"),
    [("ink", "white"), ("quiet", "white"), ("quiet", "shade"), ("link", "white"), ("wrong", "white"), ("ink", "focus")],
)
def test_colours_have_enough_contrast(ink, ground) -> None:
    css = (ROOT / "flows" / "reporting" / "render" / "templates" / "report.css").read_text()
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", css)) | {"white": "#ffffff"}
    assert contrast(colours[ink], colours[ground]) >= 4.5  # WCAG 2 AA for text of normal size


def test_numbers_dates_and_ranges_are_worded() -> None:
    assert (counted(1, "row"), counted(1204, "row")) == ("1 row", "1,204 rows")
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert (month("201611"), month("2016")) == ("November 2016", "2016")
    assert moment(datetime(2016, 7, 1, 23, 30)) == "2 July 2016 at 12:30am"  # London summer time
    assert [clock(datetime(2016, 1, 1, h)) for h in (0, 9, 12, 17)] == ["midnight", "9am", "midday", "5pm"]
    assert deadline(datetime(2016, 12, 9, 17, tzinfo=UTC)) == "5pm, Friday 9 December 2016"
    assert spans(ranges([2, 3, 4, 9]), "D") == ["D2 to D4", "D9"]


def test_the_first_line_of_the_summary_gives_the_result() -> None:
    files = [(DELIVERY, verdict(r)) for r in (Result.ACCEPTED, Result.HELD_ROWS, Result.REFUSED)]
    first = render_run_summary({}, RunSummary("published", files)).splitlines()[0]
    assert first == "Published: 3 files checked, 1 with rows held back, 1 refused."
    unchanged = render_run_summary({}, RunSummary("quiet", last_change=datetime(2016, 12, 8, 3, 30)))
    assert unchanged == "Nothing changed since 8 December 2016 at 3:30am: there was nothing new to check.\n"
    failed = render_run_summary({}, RunSummary("failed", files[:1], problem="rows do not add up"))
    assert failed.startswith("Not published: rows do not add up. 1 file checked; the figures of the last good night")


def test_the_summary_lists_what_needs_action() -> None:
    held = replace(DELIVERY, delivery_id="held", site_code="MHT-GM")
    findings = [
        count_findings(DELIVERY.delivery_id, frame(finding("P01", "file", None, "", found="943", hidden=True))),
        count_findings("held", frame(*(finding(row=r, found="XX") for r in range(1200)))),
    ]
    text = render_run_summary(
        {"id": "r1", "started_at": datetime(2016, 12, 9, 3, 30)},
        RunSummary(
            "published",
            [(DELIVERY, verdict(Result.REFUSED)), (held, verdict())],
            pl.concat(findings),
            current={("MHT-BPL", "contacts"): date(2016, 10, 31)},
            still_stopped=[DELIVERY],
            overdue_returns=[OverdueReturn("MHT-WLA", "contacts", "201611", DUE)],
            reports={"held": "reports/MHT-GM/x.html"},
            changes=["12 rows left quarantine"],
            files_to_purge=[DELIVERY.path],
        ),
    )
    assert "Blackpool (MHT-BPL), Contacts, November 2016, version 1: The file holds a name, an NHS number" in text
    assert "`MHT-BPL/MHT-BPL_contacts_201611_v1.csv`: delete it under the incident process" in text
    assert "Blackpool (MHT-BPL), Contacts: figures to 31 October 2016 stay current" in text
    assert "owes Contacts for November 2016, due by 5pm, Friday 9 December 2016" in text
    assert "| V02 | Contact medium is not on the agreed list | Contacts | 1,200 | 1 |" in text
    assert "| rows held back | 10 | 8 | 2 | 0 | reports/MHT-GM/x.html |" in text
    assert "- 12 rows left quarantine" in text


def test_the_tables_of_the_summary_agree_with_its_first_line() -> None:
    ids = [f"d{n}" for n in range(6)]
    results = (Result.ACCEPTED, Result.HELD_ROWS, Result.REFUSED) * 2
    files = [
        (replace(DELIVERY, delivery_id=i, version=n), verdict(r))
        for n, (i, r) in enumerate(zip(ids, results, strict=True))
    ]
    counts = [count_findings(d.delivery_id, frame(finding(found="XX"))) for d, v in files if v.result.holds_rows]
    text = render_run_summary({}, RunSummary("published", files, pl.concat(counts), replaced=ids[3:]))
    first = text.splitlines()[0]
    assert first == "Published: 6 files checked, 1 with rows held back, 1 refused, 3 replaced by a later file."
    assert (text.count("| rows held back |"), text.count("| refused |"), text.count("no reason recorded")) == (1, 1, 1)
    assert "| V02 | Contact medium is not on the agreed list | Contacts | 1 | 1 |" in text
    assert "1 other file accepted whole. 3 files replaced by a later one: in no table here." in text
    all_replaced = render_run_summary({}, RunSummary("published", files[1:2], counts[0], replaced=ids))
    assert all_replaced == (
        "Published: 1 file checked, 1 replaced by a later file.\n\n"
        "## Files checked\n\n1 file replaced by a later one: in no table here.\n"
    )
    none_replaced = render_run_summary({}, RunSummary("published", files[1:2], counts[0]))
    assert "accepted whole" not in none_replaced and "replaced" not in none_replaced


def test_a_shortened_list_of_rules_says_so() -> None:
    broken = [finding(rule=rule, field=field) for rule in ("V02", "C02", "C06") for field in LETTERS]

    def summary_of(rules: int) -> str:
        found = count_findings(DELIVERY.delivery_id, frame(*broken[:rules]))
        return render_run_summary({}, RunSummary("published", [(DELIVERY, verdict())], found))

    assert "These are the 10 largest of 12: `audit.findings` has them all." in summary_of(12)
    assert "largest" not in summary_of(10)
