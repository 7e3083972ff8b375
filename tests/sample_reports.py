"""Made-up deliveries of every kind with their reports: what the golden files and the page tests are made from.

Nothing here is about a person, and no site sent any of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl

from flows.deliveries.findings import FINDING_TYPES
from flows.reporting.render import delivery_report
from flows.reporting.report import Report
from flows.store.ledger.report_snapshots import ReportSnapshot
from flows.store.ledger.revalidations import Revalidation
from schemas._contract.catalogue import datasets
from schemas._rules.explain import rules_of
from schemas.audit.deliveries import Counts, Delivery, Result, Verdict

DUE = datetime(2016, 12, 9, 17)
RUN = {"id": "20161203T033000", "code_version": "0.1.0", "started_at": datetime(2016, 12, 3, 3, 30, tzinfo=UTC)}
HEADINGS = {
    "contact_id": ("A", "Contact number"),
    "episode_id": ("B", "Episode"),
    "contact_date": ("C", "Date of contact"),
    "contact_type": ("D", "Type of contact"),
    "contact_medium": ("E", "Medium"),
    "attended": ("F", "Attended or DNA"),
    "duration_minutes": ("G", "Length (mins)"),
    "staff_ref": ("I", "Worker ID"),
    "with_employer": ("J", "Employer present"),
}
WORKBOOK = Delivery(
    delivery_id="MHT-BPL_contacts_201611_v1_0f1e2d3c",
    site_code="MHT-BPL",
    programme_code="MHT",
    dataset="contacts",
    period="201611",
    version=1,
    file_name="MHT-BPL_contacts_201611_v1.xlsx",
    path="MHT-BPL/MHT-BPL_contacts_201611_v1.xlsx",
    sheet="",
    sha256="0f1e2d3c" * 8,
    bytes=31_415,
    received_at=datetime(2016, 12, 2, 16, 12, tzinfo=UTC),
    data_cut_date=date(2016, 11, 30),
)
CSV = replace(WORKBOOK, file_name="MHT-BPL_contacts_201611_v1.csv", path="MHT-BPL/MHT-BPL_contacts_201611_v1.csv")
VERDICT = Verdict(Result.HELD_ROWS, Counts(303, 246, 55, 0, 2), "", "Contacts", 1, (), "a1b2c3d4e5f6")
CSV_VERDICT = replace(VERDICT, sheet="", encoding="utf-8")


@dataclass(frozen=True)
class Sample:
    """A report with the findings it is made of."""

    report: Report
    findings: pl.DataFrame


def found(
    rule: str,
    severity: str,
    rows: Iterable[int | None],
    field: str,
    value: str | None = None,
    suggestion: str | None = None,
    **more: Any,
) -> list[dict[str, Any]]:
    """The findings of one rule in one column."""
    letter, heading = HEADINGS.get(field, (None, None))
    told = {
        "rule_id": rule,
        "severity": severity,
        "outcome": "broken",
        "sheet": "Contacts",
        "column_letter": letter,
        "column_name": heading,
        "field": field,
        "found": value,
        "hidden": False,
        "suggestion": suggestion,
    }
    return [told | {"source_row": row} | more for row in rows]


def frame(*findings: list[dict[str, Any]]) -> pl.DataFrame:
    """Findings as the report step takes them."""
    return pl.DataFrame([f for some in findings for f in some], schema=FINDING_TYPES)


MANY_KINDS = frame(
    found("V02", "row", range(34, 76), "contact_medium", "Carrier pigeon"),
    found("K02", "row", [84, 85, 120], "duration_minutes", "45"),
    found("V03", "row", [90], "duration_minutes", "900"),
    found("C02", "row", [114], "contact_date", "14/06/2016", "2016-06-14"),
    found("C02", "row", [115], "contact_date", "03/06/2016"),
    found("V01", "row", [7, 9], "attended"),
    found("V04", "row", [8, 12, 13, 14], "episode_id", hidden=True),
    found("P12", "row", [101], "episode_id", hidden=True),
    found("C16", "warning", range(200, 212), "contact_type", "Assessment", "02"),
    found("C17", "warning", [55], "attended", " 5 ", "5"),
    found("C18", "warning", range(20, 70, 2), "with_employer", "yes", "Y"),
    found("F07", "warning", [303, 304], ""),
    found("T08", "warning", [None], "episode_id", outcome="not judged"),
    found("F11", "warning", [None], "", column_letter="K", column_name="Weather <b>that day</b>"),
)
SEPTEMBER = frame(found("V02", "row", range(34, 60), "contact_medium", "Carrier pigeon"))
OCTOBER = frame(
    found("V02", "row", range(34, 76), "contact_medium", "Carrier pigeon"),
    found("V03", "row", range(2, 11), "duration_minutes", "999"),
    found("C09", "row", [12, 13], "attended", "perhaps"),
    found("P12", "row", [101, 102], "episode_id", hidden=True),
)


def told_of(period: str, findings: pl.DataFrame, rows: Counts) -> ReportSnapshot:
    """What an earlier report said."""
    earlier = replace(WORKBOOK, period=period, delivery_id=f"MHT-BPL_contacts_{period}_v1_99887766")
    return delivery_report(earlier, replace(VERDICT, rows=rows), findings).told


EARLIER = (
    told_of("201609", SEPTEMBER, Counts(271, 245, 26, 0, 0)),
    told_of("201610", OCTOBER, Counts(290, 235, 55, 0, 0)),
)
LAST_FINDINGS = OCTOBER.filter(pl.col("rule_id") != "P12")  # rules between tables leave a file that was replaced


def _many_kinds() -> Sample:
    return Sample(delivery_report(WORKBOOK, VERDICT, MANY_KINDS, EARLIER, LAST_FINDINGS, DUE, RUN), MANY_KINDS)


def _resubmission() -> Sample:
    """The second version of the month's file, which lies in a workbook with other sheets, and was marked."""
    first = delivery_report(WORKBOOK, VERDICT, MANY_KINDS, EARLIER, LAST_FINDINGS, DUE, RUN).told
    findings = frame(
        found("V02", "row", [40], "contact_medium", "Carrier pigeon"),
        found("C03", "row", [51, 52], "contact_date", "01/01/1900"),
    )
    again = replace(
        WORKBOOK,
        version=2,
        sheet="Contacts",
        file_name="MHT-BPL_201611_v2.xlsx",
        delivery_id="MHT-BPL_contacts_201611_v2_1f2e3d4c",
    )
    verdict = replace(VERDICT, rows=Counts(303, 298, 3, 0, 2))
    report = delivery_report(again, verdict, findings, (*EARLIER, first), MANY_KINDS, DUE, RUN)
    freed = Revalidation(again, date(2016, 12, 1), released=4, why_released="a code was added to the list")
    report = replace(report, released=freed.released, revalidated=freed.sentences)
    return Sample(replace(report, marked_workbook="MHT-BPL_201611_v2_contacts_to_fix.xlsx"), findings)


def _one_problem() -> Sample:
    findings = frame(found("C02", "row", [114], "contact_date", "14/06/2016", "2016-06-14", sheet=""))
    return Sample(
        delivery_report(CSV, replace(CSV_VERDICT, rows=Counts(10, 9, 1)), findings, deadline=DUE, run=RUN), findings
    )


def _accepted() -> Sample:
    findings = frame(found("C17", "warning", [55], "attended", " Y ", "Y", sheet=""))
    verdict = replace(CSV_VERDICT, result=Result.ACCEPTED, rows=Counts(303, 301, 0, 0, 2))
    return Sample(delivery_report(CSV, verdict, findings, EARLIER, LAST_FINDINGS, DUE, RUN), findings)


def _refused() -> Sample:
    findings = frame(
        found("F09", "file", [None], "contact_date", column_letter=None, column_name=None),
        found("F09", "file", [None], "attended", column_letter=None, column_name=None),
    )
    verdict = replace(VERDICT, result=Result.REFUSED, rows=Counts(303, 0, 303), rows_judged=False)
    return Sample(delivery_report(WORKBOOK, verdict, findings, EARLIER, None, DUE, RUN), findings)


def _unreadable() -> Sample:
    findings = frame(found("U02", "file", [None], "", sheet=""))
    verdict = Verdict(Result.UNREADABLE, Counts(), contract_version="a1b2c3d4e5f6", rows_judged=False)
    return Sample(delivery_report(WORKBOOK, verdict, findings, deadline=DUE, run=RUN), findings)


def _sixty_problems() -> Sample:
    """A finding of every rule that holds rows, on every field of the widest dataset: more than a page shows."""
    contract = datasets()["participants"]
    kinds = [(r.rule_id, str(severity), field) for r, severity, field in rules_of(contract) if severity == "row"]
    findings = frame(
        *(
            found(rule_id, severity, range(n, n + 3), field, f"value {n}", column_letter="C", column_name=field or None)
            for n, (rule_id, severity, field) in enumerate(kinds, 2)
        )
    )
    delivery = replace(
        WORKBOOK,
        dataset="participants",
        delivery_id="MHT-BPL_participants_201611_v1_0f1e2d3c",
        file_name="MHT-BPL_participants_201611_v1.xlsx",
    )
    return Sample(delivery_report(delivery, VERDICT, findings, deadline=DUE, run=RUN), findings)


def _long_and_foreign_text() -> Sample:
    """Headings and values that are very long, unbroken, right-to-left, emoji, or look like markup; scattered rows."""
    rows = range(2, 90, 2)
    findings = frame(
        found("V02", "row", rows, "contact_medium", "W" * 80, column_name="Medium" * 40),
        found("V02", "row", [91], "contact_medium", "هاتف محمول ‎(personal)", column_name="Medium" * 40),
        found("V02", "row", [92], "contact_medium", "👩🏽‍💻📞" * 10, column_name="Medium" * 40),
        found("C09", "row", [95], "attended", "<script>alert(1)</script>", column_name="‮Attended‬ نعم"),
        found("V03", "row", [93, 94], "duration_minutes", "9" * 80, column_name=""),
        found("C16", "warning", [3], "contact_type", "تقييم " * 12, "02"),
    )
    delivery = replace(CSV, file_name=f"{'contacts_of_november_' * 8}v1.csv")
    return Sample(delivery_report(delivery, CSV_VERDICT, findings, deadline=DUE, run=RUN), findings)


KINDS = {
    "many_kinds": _many_kinds(),
    "resubmission": _resubmission(),
    "one_problem": _one_problem(),
    "accepted": _accepted(),
    "refused": _refused(),
    "unreadable": _unreadable(),
    "sixty_problems": _sixty_problems(),
    "long_and_foreign_text": _long_and_foreign_text(),
}
