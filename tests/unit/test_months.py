"""Which deliveries wait for the month in their name, and what is told of them beside the others of their site."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from flows.deliveries.compared_with_others import comparison_findings
from flows.deliveries.months import is_doubtful, is_future_month
from flows.deliveries.standings import apply_standing, replacements, standings
from flows.deliveries.validated import ValidatedDelivery
from flows.steps.receive import _last_day
from schemas.audit.deliveries import Counts, Delivery, ExtractType, Result, Standing, Verdict

BPL = "MHT-BPL"


class Sent:
    """What a site sent, night by night: each file with the newest date in it."""

    def __init__(self, site: str = BPL) -> None:
        self.site, self.verdicts, self.deliveries = site, dict[str, Verdict](), list[Delivery]()

    def file(
        self, period: str, newest: str | None, on: str, version: int = 1, dataset: str = "contacts", **what: object
    ) -> Sent:
        said = {"content": f"{period}{version}", "result": Result.ACCEPTED, "accepted": 40, "lately": 40} | what
        delivery = Delivery(
            f"{dataset} {period} v{version}", self.site, self.site[:3], dataset, period, version,
            f"{self.site}_{dataset}_{period}_v{version}.csv", f"{self.site}/{dataset}_{period}_v{version}.csv", "",
            str(said["content"]), 1, datetime.fromisoformat(on), _last_day(period),
            ExtractType(what.get("extract_type", "cumulative")),
        )  # fmt: skip
        self.deliveries.append(delivery)
        accepted = int(str(said["accepted"]))
        self.verdicts[delivery.delivery_id] = Verdict(
            Result(said["result"]),
            Counts(40, accepted, 40 - accepted),
            newest_event=date.fromisoformat(newest) if newest else None,
            events_lately=int(str(said["lately"])),
        )
        return self

    @property
    def standing(self) -> dict[str, str]:
        """By what a delivery is: how it stands. Contacts are told by month and version alone."""
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
    def told(self) -> list[tuple[str, str, str, str | None]]:
        """Each finding that follows from the others: delivery, rule, severity, what was found."""
        return [
            (j.delivery.delivery_id.removeprefix("contacts "), f.rule_id, str(f.severity), f.found)
            for j, f in comparison_findings(self.validated)
        ]


def test_a_year_too_late_waits_and_the_right_file_counts() -> None:
    sent = Sent().file("201602", "2016-02-24", "2016-03-05").file("201703", "2016-03-24", "2017-04-05")
    assert sent.standing == {"201602 v1": "current", "201703 v1": "held_up"}
    assert sent.told == [
        ("201703 v1", "F26", "file", "the dates end in March 2016; no file for March 2016 to February 2017")
    ]
    sent.file("201603", "2016-03-24", "2017-04-06")
    assert sent.standing == {"201602 v1": "superseded", "201703 v1": "held_up", "201603 v1": "current"}
    assert {i: d.delivery_id for i, d in replacements(sent.validated).items()}[
        "contacts 201703 v1"
    ] == "contacts 201603 v1"


def test_the_same_bytes_under_the_right_name_count() -> None:
    sent = Sent().file("201602", "2016-02-24", "2016-03-05").file("201703", "2016-03-24", "2017-04-05", content="a")
    sent.file("201603", "2016-03-24", "2017-04-06", content="a")
    assert sent.standing["201603 v1"] == "current"


def test_it_never_counts_when_all_the_months_have_come() -> None:
    """A year later no month is skipped, and the wrong file would set the figures a year back."""
    sent = Sent().file("201602", "2016-02-24", "2016-03-05").file("201703", "2016-03-24", "2017-03-31")
    months = ["201603", *(f"2016{m:02}" for m in range(4, 13)), "201701", "201702"]
    for night, month in enumerate(months, 1):
        sent.file(month, f"{month[:4]}-{month[4:]}-20", f"2017-04-{night:02}")
    assert sent.standing["201703 v1"] == "held_up" and sent.standing["201702 v1"] == "current"
    sent.file("201703", "2017-03-20", "2017-04-20", version=2)
    assert sent.standing["201703 v2"] == "current" and sent.standing["201702 v1"] == "superseded"


def test_one_month_too_late_waits_for_the_month_that_was_left_out() -> None:
    sent = Sent().file("201602", "2016-02-24", "2016-03-05").file("201604", "2016-03-24", "2016-05-05")
    assert sent.standing["201604 v1"] == "held_up"
    sent.file("201603", "2016-03-24", "2016-05-06")
    assert sent.standing == {"201602 v1": "superseded", "201604 v1": "held_up", "201603 v1": "current"}
    sent.file("201604", "2016-04-24", "2016-05-07", version=2)
    assert sent.standing["201604 v2"] == "current"


def test_it_counts_by_itself_when_the_missing_month_comes_and_it_reaches_further() -> None:
    sent = Sent().file("201611", "2016-11-24", "2016-12-05").file("201701", "2016-12-31", "2017-02-05")
    assert sent.standing["201701 v1"] == "held_up"
    sent.file("201612", "2016-12-20", "2017-02-06")
    assert sent.standing == {"201611 v1": "superseded", "201701 v1": "current", "201612 v1": "superseded"}
    assert sent.told == []


@pytest.mark.parametrize(
    ("newest", "standing"), [("2016-12-31", "held_up"), ("2017-01-01", "current"), (None, "current")]
)
def test_dates_beyond_the_month_after_the_last_show_that_the_name_is_right(newest: str | None, standing: str) -> None:
    sent = Sent().file("201611", "2016-11-24", "2016-12-05").file("201701", newest, "2017-02-05")
    assert sent.standing["201701 v1"] == standing


def test_so_do_those_of_another_dataset_of_the_month() -> None:
    """A month without a job start is common; the contacts show that it is January's return."""
    sent = Sent()
    for dataset, newest in (("contacts", "2017-01-24"), ("employment_outcomes", "2016-11-02"), ("participants", None)):
        sent.file("201611", "2016-11-24", "2016-12-05", dataset=dataset)
        sent.file("201701", newest, "2017-02-05", dataset=dataset)
    assert "held_up" not in sent.standing.values()


def test_a_return_waits_as_a_whole() -> None:
    sent = Sent()
    for dataset, newest in (("contacts", "2016-03-24"), ("employment_outcomes", "2015-11-02"), ("participants", None)):
        sent.file("201602", "2016-02-24", "2016-03-05", dataset=dataset)
        sent.file("201703", newest, "2017-04-05", dataset=dataset)
        sent.file("201603", newest, "2017-04-06", dataset=dataset)
    of_month = {i: s for i, s in sent.standing.items() if "201703" in i}
    assert of_month and set(of_month.values()) == {"held_up"}
    assert sum(s == "current" for s in sent.standing.values()) == 3


def test_the_true_file_of_the_month_a_year_later_does_not_vouch_for_the_wrong_one() -> None:
    sent = Sent().file("201602", "2016-02-24", "2016-03-05").file("201703", "2016-03-24", "2017-04-05")
    sent.file("201603", "2016-03-24", "2017-04-06")
    sent.file("201703", "2017-03-24", "2017-04-07", dataset="referrals")
    assert sent.standing["201703 v1"] == "held_up" and sent.standing["201603 v1"] == "current"


@pytest.mark.parametrize(
    ("site", "dataset", "before", "wrong", "standing"),
    [
        (BPL, "contacts", "201611", "201612", "current"),  # no month is skipped, however old the dates are
        ("MWW-LIN", "contacts", "201612", "201703", "current"),  # the programme was over: no month is owed
        ("MWW-LIN", "contacts", "201602", "202603", "held_up"),
        (BPL, "randomisation", "201602", "201703", "current"),  # it may be sent, and is not owed
        (BPL, "referrals", "201602", "201703", "held_up"),
        (BPL, "employment_outcomes", "201602", "201703", "held_up"),
        (BPL, "participants", "201602", "201703", "held_up"),
    ],
)
def test_only_months_that_the_site_owes_are_missed(
    site: str, dataset: str, before: str, wrong: str, standing: str
) -> None:
    sent = Sent(site).file(before, "2016-02-10", "2016-03-05", dataset=dataset)
    sent.file(wrong, "2016-02-20", "2026-11-29", dataset=dataset)
    assert sent.deliveries[1].delivery_id in (ids := standings(sent.deliveries, sent.verdicts))
    assert str(ids[sent.deliveries[1].delivery_id]) == standing


@pytest.mark.parametrize("came", [Result.REFUSED, Result.UNREADABLE])
def test_a_month_whose_file_was_refused_is_not_left_out(came: Result) -> None:
    sent = Sent().file("201611", "2016-11-24", "2016-12-05").file("201612", None, "2017-01-05", result=came, accepted=0)
    assert sent.file("201701", "2016-12-20", "2017-02-05").standing["201701 v1"] == "current"


def test_a_delivery_that_never_had_one_before_it_counts_and_its_page_names_the_way_out() -> None:
    sent = Sent().file("201703", "2016-03-24", "2017-04-05").file("201603", "2016-03-24", "2017-04-06")
    assert sent.standing == {"201703 v1": "current", "201603 v1": "stale"}
    told = {f[:2]: f[3] for f in sent.told}
    assert told["201603 v1", "F18"] == f"{BPL}_contacts_201703_v1.csv was accepted, to 31 March 2017"


def test_extracts_of_a_period_wait_too() -> None:
    sent = Sent().file("201602", "2016-02-24", "2016-03-05", extract_type="period")
    sent.file("201703", "2016-03-24", "2017-04-05", extract_type="period")
    assert sent.standing["201703 v1"] == "held_up"


class TestTheSameBytesForALaterMonth:
    def test_are_the_last_file_sent_again(self) -> None:
        sent = Sent().file("201611", "2016-11-24", "2016-12-05", content="a")
        sent.file("201612", "2016-11-24", "2017-01-05", content="a")
        assert sent.standing == {"201611 v1": "current", "201612 v1": "same"}
        assert [t[:3] for t in sent.told] == [("201612 v1", "F17", "warning")]

    @pytest.mark.parametrize(
        "first", [{"result": Result.REFUSED, "accepted": 0}, {"result": Result.HELD_ROWS, "accepted": 25}]
    )
    def test_count_where_the_first_name_was_of_too_early_a_month(self, first: dict[str, object]) -> None:
        sent = Sent().file("201410", "2014-10-24", "2016-04-05", content="a", **first)
        sent.file("201603", "2016-03-24", "2016-04-06", content="a")
        assert sent.standing["201603 v1"] == "current"


class TestWhatIsToldOnce:
    def test_a_silence_is(self) -> None:
        """A service that has closed goes on sending everything to date."""
        sent = Sent()
        for month, on in (("201606", "2016-07-05"), ("201607", "2016-08-05"), ("201608", "2016-09-05")):
            sent.file(month, "2016-05-24", on)
        assert [t[:3] for t in sent.told] == [("201606 v1", "F19", "warning")]
        sent.file("201609", "2016-06-20", "2016-10-05")  # something came, and it stopped again
        assert [t[0] for t in sent.told] == ["201606 v1", "201609 v1"]

    def test_a_month_that_was_left_out_is(self) -> None:
        sent = Sent().file("201611", "2016-11-24", "2016-12-05").file("201701", "2017-01-24", "2017-02-05")
        sent.file("201701", "2017-01-25", "2017-02-06", version=2).file("201702", "2017-02-20", "2017-03-05")
        assert sent.told == [("201701 v1", "F26", "warning", "no file for December 2016")]

    def test_nor_is_it_told_where_the_month_came_since_or_few_events_show_anything(self) -> None:
        sent = Sent().file("201611", "2016-11-24", "2016-12-05").file("201701", "2017-01-24", "2017-02-05")
        assert sent.file("201612", "2016-12-20", "2017-02-06").standing["201612 v1"] == "stale"
        assert [t[1] for t in sent.told] == ["F18"]
        few = Sent().file("201611", "2016-11-24", "2016-12-05").file("201701", "2017-01-24", "2017-02-05", lately=29)
        assert few.told == []

    def test_one_cause_is_one_item(self) -> None:
        sent = Sent().file("201606", "2016-06-24", "2016-07-05").file("201609", "2016-08-10", "2016-10-05")
        assert [t[:3] for t in sent.told] == [("201609 v1", "F19", "warning")]


@pytest.mark.parametrize("on", ["2016-10-31T23:59", "2016-11-01"])
def test_a_month_is_to_come_until_its_first_day(on: str) -> None:
    [delivery] = Sent().file("201611", None, on).deliveries
    assert is_future_month(delivery) == (on < "2016-11")


def test_a_cut_off_within_its_month_counts_to_the_same_day_of_the_next() -> None:
    first, second = Sent().file("201611", "2016-11-10", "2016-12-05").file("201701", None, "2017-02-05").deliveries
    first = Delivery(**{**vars(first), "data_cut_date": date(2016, 11, 15)})
    reached = {second.delivery_id: date(2016, 12, 15)}
    assert is_doubtful(second, [first], {"201611", "201701"}, reached)
    reached[second.delivery_id] += timedelta(1)
    assert not is_doubtful(second, [first], {"201611", "201701"}, reached)


def test_rows_of_a_delivery_that_waits_are_held() -> None:
    [verdict] = Sent().file("201611", "2016-11-10", "2016-12-05").verdicts.values()
    settled = apply_standing(verdict, Standing.HELD_UP)
    assert (settled.result, settled.rows.accepted, settled.rows.held) == (Result.REFUSED, 0, 40)
