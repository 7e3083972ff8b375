"""Deliveries held up for a doubtful month in their name, and the findings that follow from a site's other files."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from flows.deliveries.compared_with_others import comparison_findings
from flows.deliveries.file_names import last_day_of
from flows.deliveries.months import is_doubtful, is_future_month
from flows.deliveries.standings import apply_standing, replacements, standings
from flows.deliveries.validated import ValidatedDelivery
from schemas.audit.deliveries import Counts, Delivery, ExtractType, Result, Standing, Verdict

BPL = "MHT-BPL"


class SiteDeliveries:
    """The deliveries of a site in the order received, each with its newest date."""

    def __init__(self, site: str = BPL) -> None:
        self.site, self.verdicts, self.deliveries = site, dict[str, Verdict](), list[Delivery]()

    def file(
        self,
        period: str,
        newest: str | None,
        received: str,
        version: int = 1,
        dataset: str = "contacts",
        **attributes: object,
    ) -> SiteDeliveries:
        """Add a delivery: `newest` is the latest date in it, `received` the day it came."""
        values = {"content": f"{period}{version}", "result": Result.ACCEPTED, "accepted": 40, "lately": 40} | attributes
        delivery = Delivery(
            f"{dataset} {period} v{version}", self.site, self.site[:3], dataset, period, version,
            f"{self.site}_{dataset}_{period}_v{version}.csv", f"{self.site}/{dataset}_{period}_v{version}.csv", "",
            str(values["content"]), 1, datetime.fromisoformat(received), last_day_of(period),
            ExtractType(attributes.get("extract_type", "cumulative")),
        )  # fmt: skip
        self.deliveries.append(delivery)
        accepted = int(str(values["accepted"]))
        self.verdicts[delivery.delivery_id] = Verdict(
            Result(values["result"]),
            Counts(40, accepted, 40 - accepted),
            newest_event=date.fromisoformat(newest) if newest else None,
            events_lately=int(str(values["lately"])),
            content=str(values.get("rows", values["content"])),
        )
        return self

    @property
    def standings_by_name(self) -> dict[str, str]:
        """Standing by delivery, such as 'referrals 201611 v1'; contacts have no dataset in the key."""
        found = standings(self.deliveries, self.verdicts)
        return {i.removeprefix("contacts "): str(s) for i, s in found.items()}

    @property
    def validated(self) -> list[ValidatedDelivery]:
        found = standings(self.deliveries, self.verdicts)
        return [
            ValidatedDelivery(d, "", apply_standing(self.verdicts[d.delivery_id], s), s)
            for d in self.deliveries
            if (s := found[d.delivery_id])
        ]

    @property
    def findings(self) -> list[tuple[str, str, str, str | None]]:
        """Findings against other deliveries: (delivery, rule, severity, text)."""
        return [
            (j.delivery.delivery_id.removeprefix("contacts "), f.rule_id, str(f.severity), f.found)
            for j, f in comparison_findings(self.validated)
        ]


def test_a_year_too_late_is_held_up_and_the_correct_file_counts() -> None:
    sent = SiteDeliveries().file("201602", "2016-02-24", "2016-03-05").file("201703", "2016-03-24", "2017-04-05")
    assert sent.standings_by_name == {"201602 v1": "current", "201703 v1": "held_up"}
    assert sent.findings == [
        ("201703 v1", "F26", "file", "the dates end in March 2016; no file for March 2016 to February 2017")
    ]
    sent.file("201603", "2016-03-24", "2017-04-06")
    assert sent.standings_by_name == {"201602 v1": "superseded", "201703 v1": "held_up", "201603 v1": "current"}
    assert {i: d.delivery_id for i, d in replacements(sent.validated).items()}[
        "contacts 201703 v1"
    ] == "contacts 201603 v1"


def test_the_same_bytes_count_under_the_correct_name() -> None:
    sent = (
        SiteDeliveries()
        .file("201602", "2016-02-24", "2016-03-05")
        .file("201703", "2016-03-24", "2017-04-05", content="a")
    )
    sent.file("201603", "2016-03-24", "2017-04-06", content="a")
    assert sent.standings_by_name["201603 v1"] == "current"


def test_a_wrong_year_is_held_up_even_after_all_months_have_come() -> None:
    """A year later no month is missing before it, and the wrong file would take the figures back a year."""
    sent = SiteDeliveries().file("201602", "2016-02-24", "2016-03-05").file("201703", "2016-03-24", "2017-03-31")
    months = ["201603", *(f"2016{m:02}" for m in range(4, 13)), "201701", "201702"]
    for day, month in enumerate(months, 1):
        sent.file(month, f"{month[:4]}-{month[4:]}-20", f"2017-04-{day:02}")
    assert sent.standings_by_name["201703 v1"] == "held_up" and sent.standings_by_name["201702 v1"] == "current"
    sent.file("201703", "2017-03-20", "2017-04-20", version=2)
    assert sent.standings_by_name["201703 v2"] == "current" and sent.standings_by_name["201702 v1"] == "superseded"


def test_a_month_too_late_is_held_up_until_the_missing_month_comes() -> None:
    sent = SiteDeliveries().file("201602", "2016-02-24", "2016-03-05").file("201604", "2016-03-24", "2016-05-05")
    assert sent.standings_by_name["201604 v1"] == "held_up"
    sent.file("201603", "2016-03-24", "2016-05-06")
    assert sent.standings_by_name == {"201602 v1": "superseded", "201604 v1": "held_up", "201603 v1": "current"}
    sent.file("201604", "2016-04-24", "2016-05-07", version=2)
    assert sent.standings_by_name["201604 v2"] == "current"


def test_a_held_up_file_counts_once_the_missing_month_comes_with_older_dates() -> None:
    sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05").file("201701", "2016-12-31", "2017-02-05")
    assert sent.standings_by_name["201701 v1"] == "held_up"
    sent.file("201612", "2016-12-20", "2017-02-06")
    assert sent.standings_by_name == {"201611 v1": "superseded", "201701 v1": "current", "201612 v1": "superseded"}
    assert sent.findings == []


@pytest.mark.parametrize(
    ("newest", "standing"), [("2016-12-31", "held_up"), ("2017-01-01", "current"), (None, "current")]
)
def test_dates_beyond_the_missing_month_confirm_the_name(newest: str | None, standing: str) -> None:
    sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05").file("201701", newest, "2017-02-05")
    assert sent.standings_by_name["201701 v1"] == standing


def test_dates_in_another_dataset_of_the_month_confirm_the_name() -> None:
    """A month without a job start is common, but the contacts show that this is January's return."""
    sent = SiteDeliveries()
    for dataset, newest in (("contacts", "2017-01-24"), ("employment_outcomes", "2016-11-02"), ("participants", None)):
        sent.file("201611", "2016-11-24", "2016-12-05", dataset=dataset)
        sent.file("201701", newest, "2017-02-05", dataset=dataset)
    assert "held_up" not in sent.standings_by_name.values()


def test_all_datasets_of_a_return_are_held_up_together() -> None:
    sent = SiteDeliveries()
    for dataset, newest in (("contacts", "2016-03-24"), ("employment_outcomes", "2015-11-02"), ("participants", None)):
        sent.file("201602", "2016-02-24", "2016-03-05", dataset=dataset)
        sent.file("201703", newest, "2017-04-05", dataset=dataset)
        sent.file("201603", newest, "2017-04-06", dataset=dataset)
    march_2017 = {i: s for i, s in sent.standings_by_name.items() if "201703" in i}
    assert march_2017 and set(march_2017.values()) == {"held_up"}
    assert sum(s == "current" for s in sent.standings_by_name.values()) == 3


def test_the_true_file_of_the_month_does_not_confirm_the_wrong_one() -> None:
    sent = SiteDeliveries().file("201602", "2016-02-24", "2016-03-05").file("201703", "2016-03-24", "2017-04-05")
    sent.file("201603", "2016-03-24", "2017-04-06")
    sent.file("201703", "2017-03-24", "2017-04-07", dataset="referrals")
    assert sent.standings_by_name["201703 v1"] == "held_up" and sent.standings_by_name["201603 v1"] == "current"


@pytest.mark.parametrize(
    ("site", "dataset", "before", "doubtful", "standing"),
    [
        (BPL, "contacts", "201611", "201612", "current"),  # no month is missing, however old the dates
        ("MWW-LIN", "contacts", "201612", "201703", "current"),  # the programme had ended: no month is due
        ("MWW-LIN", "contacts", "201602", "202603", "held_up"),
        (BPL, "randomisation", "201602", "201703", "current"),  # optional for the site, so not due
        (BPL, "referrals", "201602", "201703", "held_up"),
        (BPL, "employment_outcomes", "201602", "201703", "held_up"),
        (BPL, "participants", "201602", "201703", "held_up"),
    ],
)
def test_only_months_due_from_the_site_count_as_missing(
    site: str, dataset: str, before: str, doubtful: str, standing: str
) -> None:
    sent = SiteDeliveries(site).file(before, "2016-02-10", "2016-03-05", dataset=dataset)
    sent.file(doubtful, "2016-02-20", "2026-11-29", dataset=dataset)
    assert sent.deliveries[1].delivery_id in (ids := standings(sent.deliveries, sent.verdicts))
    assert str(ids[sent.deliveries[1].delivery_id]) == standing


@pytest.mark.parametrize("result", [Result.REFUSED, Result.UNREADABLE])
def test_a_month_with_a_refused_file_is_not_missing(result: Result) -> None:
    sent = (
        SiteDeliveries()
        .file("201611", "2016-11-24", "2016-12-05")
        .file("201612", None, "2017-01-05", result=result, accepted=0)
    )
    assert sent.file("201701", "2016-12-20", "2017-02-05").standings_by_name["201701 v1"] == "current"


def test_a_wrong_first_delivery_counts_and_makes_the_correct_one_stale() -> None:
    sent = SiteDeliveries().file("201703", "2016-03-24", "2017-04-05").file("201603", "2016-03-24", "2017-04-06")
    assert sent.standings_by_name == {"201703 v1": "current", "201603 v1": "stale"}
    found = {f[:2]: f[3] for f in sent.findings}
    assert found["201603 v1", "F18"] == f"{BPL}_contacts_201703_v1.csv was accepted, to 31 March 2017"


def test_period_extracts_are_held_up_too() -> None:
    sent = SiteDeliveries().file("201602", "2016-02-24", "2016-03-05", extract_type="period")
    sent.file("201703", "2016-03-24", "2017-04-05", extract_type="period")
    assert sent.standings_by_name["201703 v1"] == "held_up"


class TestSameBytesForALaterMonth:
    """A file sent again, byte for byte, under a later month."""

    def test_are_reported_as_the_last_file_sent_again(self) -> None:
        sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05", content="a")
        sent.file("201612", "2016-11-24", "2017-01-05", content="a")
        assert sent.standings_by_name == {"201611 v1": "current", "201612 v1": "same"}
        found = f"the file of November 2016: {BPL}_contacts_201611_v1.csv"
        assert sent.findings == [("201612 v1", "F54", "warning", found)]
        sent.file("201701", "2016-11-24", "2017-02-05", content="a")  # reported once
        assert [t[:3] for t in sent.findings[1:]] == [("201701 v1", "F17", "warning")]

    @pytest.mark.parametrize(
        "first", [{"result": Result.REFUSED, "accepted": 0}, {"result": Result.HELD_ROWS, "accepted": 25}]
    )
    def test_count_if_the_first_name_had_too_early_a_month(self, first: dict[str, object]) -> None:
        sent = SiteDeliveries().file("201410", "2014-10-24", "2016-04-05", content="a", **first)
        sent.file("201603", "2016-03-24", "2016-04-06", content="a")
        assert sent.standings_by_name["201603 v1"] == "current"


class TestSameRowsInAnotherFile:
    """The rows of an earlier month, saved anew under a later one (F54), as those of a closed service may rightly be."""

    def test_are_reported_once_and_count(self) -> None:
        sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05", rows="a")
        sent.file("201612", "2016-11-24", "2017-01-05", rows="a").file("201701", "2016-11-24", "2017-02-05", rows="a")
        assert sent.standings_by_name == {"201611 v1": "superseded", "201612 v1": "superseded", "201701 v1": "current"}
        assert [t[:3] for t in sent.findings] == [("201612 v1", "F54", "warning")]

    @pytest.mark.parametrize("first", [{"result": Result.REFUSED, "accepted": 0}, {"rows": ""}, {"accepted": 25}])
    def test_are_not_where_the_first_name_was_wrong(self, first: dict[str, object]) -> None:
        sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05", **({"rows": "a"} | first))
        sent.file("201612", "2016-12-24", "2017-01-05", rows="a" if first.get("rows") != "" else "")
        assert sent.findings == []

    def test_a_new_version_of_the_same_month_is_not(self) -> None:
        sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05", rows="a")
        assert sent.file("201611", "2016-11-24", "2016-12-06", version=2, rows="a").findings == []


class TestReportedOnce:
    """What is reported in one month is not reported again in the next."""

    def test_a_gap_in_the_dates(self) -> None:
        """A closed service keeps sending cumulative extracts."""
        sent = SiteDeliveries()
        for month, received in (("201606", "2016-07-05"), ("201607", "2016-08-05"), ("201608", "2016-09-05")):
            sent.file(month, "2016-05-24", received)
        assert [t[:3] for t in sent.findings] == [("201606 v1", "F19", "warning")]
        sent.file("201609", "2016-06-20", "2016-10-05")  # new events, followed by another gap
        assert [t[0] for t in sent.findings] == ["201606 v1", "201609 v1"]

    def test_a_missing_month(self) -> None:
        sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05").file("201701", "2017-01-24", "2017-02-05")
        sent.file("201701", "2017-01-25", "2017-02-06", version=2).file("201702", "2017-02-20", "2017-03-05")
        assert sent.findings == [("201701 v1", "F26", "warning", "no file for December 2016")]

    def test_a_missing_month_is_not_reported_once_it_came_or_with_few_events(self) -> None:
        sent = SiteDeliveries().file("201611", "2016-11-24", "2016-12-05").file("201701", "2017-01-24", "2017-02-05")
        assert sent.file("201612", "2016-12-20", "2017-02-06").standings_by_name["201612 v1"] == "stale"
        assert [t[1] for t in sent.findings] == ["F18"]
        # With fewer than thirty recent events a missing month may just be quiet.
        few = (
            SiteDeliveries()
            .file("201611", "2016-11-24", "2016-12-05")
            .file("201701", "2017-01-24", "2017-02-05", lately=29)
        )
        assert few.findings == []

    def test_a_gap_and_a_missing_month_with_one_cause(self) -> None:
        sent = SiteDeliveries().file("201606", "2016-06-24", "2016-07-05").file("201609", "2016-08-10", "2016-10-05")
        assert [t[:3] for t in sent.findings] == [("201609 v1", "F19", "warning")]


@pytest.mark.parametrize("received", ["2016-10-31T23:59", "2016-11-01"])
def test_a_month_is_in_the_future_until_its_first_day(received: str) -> None:
    [delivery] = SiteDeliveries().file("201611", None, received).deliveries
    assert is_future_month(delivery) == (received < "2016-11")


def test_a_cut_off_within_the_month_allows_dates_to_the_same_day_of_the_next() -> None:
    first, second = (
        SiteDeliveries().file("201611", "2016-11-10", "2016-12-05").file("201701", None, "2017-02-05").deliveries
    )
    first = Delivery(**{**vars(first), "data_cut_date": date(2016, 11, 15)})
    reached = {second.delivery_id: date(2016, 12, 15)}
    assert is_doubtful(second, [first], {"201611", "201701"}, reached)
    reached[second.delivery_id] += timedelta(1)
    assert not is_doubtful(second, [first], {"201611", "201701"}, reached)


def test_rows_of_a_held_up_delivery_are_held() -> None:
    [verdict] = SiteDeliveries().file("201611", "2016-11-10", "2016-12-05").verdicts.values()
    held_up = apply_standing(verdict, Standing.HELD_UP)
    assert (held_up.result, held_up.rows.accepted, held_up.rows.held) == (Result.REFUSED, 0, 40)
