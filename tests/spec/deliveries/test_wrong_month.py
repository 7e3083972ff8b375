"""A wrong month or year in the file name is reported once, without the faults that follow from it (F19, F25).

Which of a site's files then counts is tested in `tests/flow/deliveries/test_wrong_months.py`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from file_validator import CONTACT, JOB, PARTICIPANT, REFERRAL, Validator, as_csv, as_table, awards, workbook
from soak import in_soak

from flows.commands.check import check_file
from schemas.audit.deliveries import Verdict

LIN = "MWW-LIN"
# Dataset: a valid row, its key field and its date fields.
DATED = {
    "contacts": (CONTACT, "contact_id", ["contact_date"]),
    "referrals": (REFERRAL, "episode_id", ["referral_received_date", "eligibility_date", "programme_start_date"]),
    "employment_outcomes": (JOB, "outcome_id", ["job_start_date"]),
    "participants": (PARTICIPANT, "participant_ref", ["consent_date"]),
}
DATASETS = pytest.mark.parametrize("dataset", DATED)
SUFFIXES = pytest.mark.parametrize("suffix", ["csv", *in_soak("xlsx")])
DATASETS_AND_SUFFIXES = pytest.mark.parametrize(
    ("dataset", "suffix"),
    [*((name, "csv") for name in DATED), ("contacts", "xlsx"),
     *in_soak(*((name, "xlsx") for name in DATED if name != "contacts"))],
)  # fmt: skip
TO_MARCH_2016 = [date(2016, 3, 24) - timedelta(9 * n) for n in range(40)]  # a contact every nine days, for a year
DENSE = [date(2016, 3, 24) - timedelta(3 * n) for n in range(120)]  # enough in a quarter for a gap to count


def of_days(dataset: str, days: list[date], suffix: str = "csv", **changes: str) -> str | bytes:
    """Rows of a dataset on these dates, as CSV text or as a workbook with true dates."""
    row, key, dates = DATED[dataset]
    rows = [
        {**row, key: f"{row[key][:-6]}{n:06}", **{d: day.isoformat() for d in dates}, **changes}
        for n, day in enumerate(days, 1)
    ]
    if suffix == "csv":
        return as_csv(rows)
    heading, *table = as_table(rows)
    at = {heading.index(name) for name in dates}
    cells = [[date.fromisoformat(c) if i in at else c for i, c in enumerate(r)] for r in table]
    return workbook({"Data": [heading, *cells]})


class TestF57RowOutsideThePeriod:
    """F57: a row before the month of a file that is said to hold that month alone. F19 is about most rows of one."""

    MONTH = '{"extract_type": "period"}'

    @pytest.mark.parametrize("dataset", [d for d in DATED if d != "participants"])
    def test_each_row_is_named_by_its_cell_and_counts(self, validate: Validator, dataset: str) -> None:
        days = [date(2016, 3, 1), date(2016, 2, 29), date(2016, 3, 31), date(2015, 11, 2)]
        outcome = validate(of_days(dataset, days), dataset, period="201603", manifest=self.MONTH)
        column = DATED[dataset][2][0]
        assert [f[:5] for f in outcome.findings] == [
            ("F57", "warning", 3, column, "2016-02-29"),
            ("F57", "warning", 5, column, "2015-11-02"),
        ]
        assert outcome.accepted == [2, 3, 4, 5]

    def test_an_extract_of_everything_may_begin_earlier(self, validate: Validator) -> None:
        assert validate(of_days("contacts", TO_MARCH_2016), period="201603").findings == []

    def test_people_who_consented_earlier_belong_to_a_month(self, validate: Validator) -> None:
        outcome = validate(of_days("participants", TO_MARCH_2016), "participants", period="201603", manifest=self.MONTH)
        assert outcome.findings == []

    def test_a_file_of_another_month_has_one_finding(self, validate: Validator) -> None:
        outcome = validate(of_days("contacts", TO_MARCH_2016), period="201603", manifest=self.MONTH)
        assert outcome.rules == [("F19", "file", None)]


class TestF25FutureMonth:
    """F25: a month that had not begun when the file was received."""

    @DATASETS_AND_SUFFIXES
    def test_is_the_only_finding(self, validate: Validator, dataset: str, suffix: str) -> None:
        content = of_days(dataset, TO_MARCH_2016, suffix)
        outcome = validate(content, dataset, period="202912", suffix=suffix, received=datetime(2026, 11, 29))
        assert outcome.rules == [("F25", "file", None)]
        assert outcome.findings[0].found == "the dates end in March 2016; the file came on 29 November 2026"
        assert not outcome.verdict.holds_personal_data
        assert (outcome.verdict.rows.held, outcome.accepted) == (40, [])

    @pytest.mark.parametrize(
        ("received", "refused"),
        [
            (datetime(2016, 10, 31, 23, 30), True),  # UTC, which is London time in winter
            (datetime(2016, 11, 1), False),
            (datetime(2016, 11, 30), False),
        ],
    )
    def test_a_month_can_be_sent_from_its_first_day(
        self, validate: Validator, received: datetime, refused: bool
    ) -> None:
        outcome = validate(of_days("contacts", [date(2016, 10, 3)]), received=received)
        assert ("F25" in outcome.refusals) == refused

    @SUFFIXES
    def test_is_a_warning_for_the_programme_office_which_may_publish_plans(
        self, validate: Validator, suffix: str
    ) -> None:
        rows = awards({}, {})
        content = as_csv(rows) if suffix == "csv" else workbook({"Data": as_table(rows)})
        arguments = {"site": "PMO", "period": "202912", "received": datetime(2026, 11, 29), "suffix": suffix}
        outcome = validate(content, "funding_awards", **arguments)
        assert (outcome.result, outcome.accepted) == ("accepted", [2, 3])
        [warning] = outcome.findings_of("F25")
        assert (warning.severity, warning.found) == ("warning", "the file came on 29 November 2026")

    def test_days_begin_at_midnight_in_london(self, validate: Validator) -> None:
        outcome = validate(
            of_days("contacts", [date(2016, 5, 3)]), period="201606", received=datetime(2016, 5, 31, 23, 30)
        )
        assert outcome.findings == []

    def test_future_dates_are_not_reported_as_well(self, validate: Validator) -> None:
        content = of_days("contacts", [date(2017, 3, 3)] * 30)
        outcome = validate(content, period="201703", received=datetime(2016, 12, 2))
        assert outcome.rules == [("F25", "file", None)]

    def test_dates_of_birth_are_still_found(self, validate: Validator) -> None:
        content = of_days("contacts", [*[date(1980, 3, 14)] * 12, *TO_MARCH_2016])
        outcome = validate(content, period="202903", received=datetime(2026, 11, 29))
        assert "P03" in outcome.refusals and "F25" in outcome.refusals

    def test_other_faults_are_still_reported(self, validate: Validator) -> None:
        content = of_days("contacts", TO_MARCH_2016, attended="seen")
        outcome = validate(content, period="202903", received=datetime(2026, 11, 29))
        assert {"F25", "L01"} == set(outcome.refusals) and len(outcome.findings_of("V02")) == 40

    def test_refuses_a_nil_return_too(self, validate: Validator) -> None:
        content, nil = of_days("contacts", TO_MARCH_2016[:1]), '{"nil_return": true}'
        heading = str(content).splitlines()[0]
        outcome = validate(heading, period="202903", received=datetime(2026, 11, 29), manifest=nil)
        assert (outcome.result, outcome.rules) == ("refused", [("F25", "file", None)])
        assert validate(heading, manifest=nil).result == "accepted"

    def test_re_validation_gives_the_same_findings(self, validate: Validator) -> None:
        """The rule uses the day the file was received, as recorded in the ledger, not the current date."""
        arguments = {"period": "202903", "received": datetime(2026, 11, 29)}
        first, second = (validate(of_days("contacts", TO_MARCH_2016), **arguments) for _ in range(2))
        assert first.findings == second.findings


class TestF19MonthTooEarly:
    """F19: most dates are after the month in the name."""

    @DATASETS_AND_SUFFIXES
    def test_most_dates_after_the_month_are_one_finding(self, validate: Validator, dataset: str, suffix: str) -> None:
        days = TO_MARCH_2016[:30]
        outcome = validate(of_days(dataset, days, suffix), dataset, period="201403", suffix=suffix)
        assert outcome.rules == [("F19", "file", None)]
        assert outcome.findings[0].found == "the dates end in March 2016; 30 of 30 are after 31 March 2014"
        assert outcome.verdict.rows.held == 30

    def test_a_later_outcome_date_is_not_reported_as_well(self, validate: Validator) -> None:
        content = of_days("employment_outcomes", [date(2015, 6, 1)] * 20, sust_13w_date="2015-09-15")
        assert validate(content, "employment_outcomes", period="201403").rules == [("F19", "file", None)]

    @pytest.mark.parametrize(("after", "before"), [(9, 0), (10, 10), (12, 20)])
    def test_fewer_dates_are_reported_one_by_one(self, validate: Validator, after: int, before: int) -> None:
        days = [*[date(2016, 12, 5)] * after, *[date(2016, 11, 5)] * before]
        outcome = validate(of_days("contacts", days))
        assert len(outcome.findings_of("C06")) == after and not outcome.findings_of("F19")

    def test_other_faults_are_still_reported(self, validate: Validator) -> None:
        outcome = validate(of_days("contacts", TO_MARCH_2016[:30], attended="seen"), period="201403")
        assert {"F19", "L01"} == set(outcome.refusals) and len(outcome.findings_of("V02")) == 30

    def test_future_dates_in_another_column_do_not_count(self, validate: Validator) -> None:
        content = of_days("referrals", [date(2016, 11, 1)] * 30, exit_date="2017-06-01", exit_reason="completed")
        assert "F19" not in validate(content, "referrals").refusals


class TestF19MonthTooLate:
    """F19: the dates end long before the month in the name."""

    @DATASETS_AND_SUFFIXES
    def test_a_gap_of_over_a_month_is_a_warning(self, validate: Validator, dataset: str, suffix: str) -> None:
        content = of_days(dataset, DENSE, suffix)
        outcome = validate(content, dataset, period="201703", suffix=suffix)
        [warning] = outcome.findings_of("F19")
        assert warning.severity == "warning"
        assert warning.found == "the dates end in March 2016, the extract is cut at 31 March 2017"
        assert len(outcome.accepted) == 120

    @DATASETS
    def test_dates_as_old_as_a_birth_are_reported_as_a_wrong_year(self, validate: Validator, dataset: str) -> None:
        """The service ran from 2014 to 2019: dates within that time are not births."""
        outcome = validate(of_days(dataset, TO_MARCH_2016), dataset, period="203003")
        assert outcome.rules == [("F19", "file", None)]
        assert outcome.findings[0].found == "the dates end in March 2016; 40 of 40 are 14 years before the cut-off"
        assert not outcome.verdict.holds_personal_data

    def test_dates_of_birth_are_reported_as_personal_data(self, validate: Validator) -> None:
        outcome = validate(of_days("contacts", [date(1980, 3, 14)] * 40), period="203003")
        assert "P03" in outcome.refusals and not outcome.findings_of("F19")

    def test_a_month_with_no_return_due_needs_few_dates(self, validate: Validator) -> None:
        """The programme ended in 2016, so no return is due from this site for March 2017."""
        content = of_days("contacts", TO_MARCH_2016[:5])
        assert validate(content, site=LIN, period="201703").findings_of("F19")
        assert validate(content, site=LIN, period="201612").findings == []


class TestVerdict:
    """The verdict records the newest event and how many are recent, for comparing deliveries."""

    @pytest.mark.parametrize(
        ("days", "newest", "recent"),
        [
            (TO_MARCH_2016, date(2016, 3, 24), 11),
            ([date(2016, 11, 5), date(2016, 12, 5)], date(2016, 11, 5), 1),  # dates after the cut-off are no events
            ([date(2016, 12, 5)], None, 0),
        ],
    )
    def test_has_the_newest_date_and_the_number_of_recent_ones(
        self, validate: Validator, days: list[date], newest: date | None, recent: int
    ) -> None:
        verdict = validate(of_days("contacts", days)).verdict
        assert (verdict.newest_event, verdict.events_lately) == (newest, recent)
        assert Verdict.from_json(verdict.to_json()) == verdict

    def test_a_verdict_stored_by_an_earlier_version_can_be_read(self, validate: Validator) -> None:
        record = validate(of_days("contacts", TO_MARCH_2016)).verdict.to_json()
        del record["newest_event"], record["events_lately"]
        assert Verdict.from_json(record).newest_event is None


class TestCheck:
    """`pilots check` sees one file only: it warns about the name, before anything else."""

    @staticmethod
    def checked(folder: Path, name: str, content: str | bytes, received: str = "2026-11-29") -> str:
        """The text of `pilots check` for a file of this name, run as if on the day `received`."""
        file = folder / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return check_file(file, moment=datetime.fromisoformat(received)).text

    @SUFFIXES
    @pytest.mark.parametrize("period", ["201703", "202603"])
    def test_warns_first_about_a_year_too_late(self, tmp_path: Path, suffix: str, period: str) -> None:
        content = of_days("contacts", DENSE, suffix, with_employer="no")  # a warning on every row
        text = self.checked(tmp_path, f"{LIN}_contacts_{period}_v1.{suffix}", content)
        assert "What to fix" not in text
        first = text.partition("Worth checking")[2].splitlines()[1:4]
        assert first[0].startswith("- The month in the name may be wrong") and "(check F19)" in first[0]
        assert "the dates end in March 2016" in first[2]

    @pytest.mark.parametrize(("period", "rule"), [("201403", "F19"), ("202903", "F25")])
    def test_a_refusal_for_the_name_comes_first(self, tmp_path: Path, period: str, rule: str) -> None:
        content = of_days("contacts", TO_MARCH_2016, attended="seen")  # every row has a fault as well
        text = self.checked(tmp_path, f"{LIN}_contacts_{period}_v1.csv", content)
        first = text.partition("What to fix")[2].splitlines()[1:4]
        assert f"(check {rule})" in first[0] and "the dates end in March 2016" in first[2]

    def test_uses_the_current_day(self, tmp_path: Path) -> None:
        content = of_days("contacts", TO_MARCH_2016)
        name = f"{LIN}_contacts_201604_v1.csv"
        assert "(check F25)" in self.checked(tmp_path, name, content, "2016-03-31")
        assert "(check F25)" not in self.checked(tmp_path, name, content, "2016-04-01")


class TestPage:
    """The page asks the sender to rename the file, not to send the wrong name with a higher version."""

    @pytest.mark.parametrize(("period", "received"), [("201403", "2016-12-02"), ("201703", "2016-12-02")])
    def test_asks_for_another_month_and_not_for_a_higher_version(
        self, tmp_path: Path, period: str, received: str
    ) -> None:
        file = tmp_path / f"MHT-BPL_contacts_{period}_v1.csv"
        file.write_text(str(of_days("contacts", TO_MARCH_2016)), encoding="utf-8")
        written = check_file(file, to=tmp_path / "to", moment=datetime.fromisoformat(received)).written
        [page] = [p.read_text(encoding="utf-8") for p in written if p.suffix == ".html"]
        assert f"Put the right month in the file’s name in place of {period}" in page
        assert "_v2" not in page and "marked" not in page.partition('id="send"')[2].partition("</ol>")[0]
