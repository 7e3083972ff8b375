"""The rules between deliveries: what the extracts of a site, taken together, say.

Source: docs/domain.md 6.1 (F17, F18, F22, F23).

Each test sends participants of Blackpool, one extract a night, and looks at what the last of them is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from file_validator import as_csv, participants

from flows.orchestration.active_run import validated_deliveries
from flows.orchestration.build_steps import cross_check_build, load_build
from flows.steps.receive import receive
from flows.steps.validate_delivery import validate_delivery
from flows.store.ledger import Ledger
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import DuckDBOptions
from flows.store.warehouse.new_build import NewBuild

Manifest = dict[str, object]
ReportSnapshot = list[tuple[str, str, str | None]]
FIRST = datetime(2018, 1, 2, 3, 30, tzinfo=UTC)


class Sender:
    """Sends one extract a night, each of the next month unless it says which, and asks what is found of it."""

    def __init__(self, data: Path) -> None:
        self.places, self.nights = DataPaths(data), 0
        self.places.make()

    def __call__(self, people: Iterable[int], month: str = "", manifest: Manifest | None = None) -> ReportSnapshot:
        """What is found about the delivery as a whole: (rule, severity, found)."""
        return self.told(self.before(people, month, manifest))

    def before(self, people: Iterable[int], month: str = "", manifest: Manifest | None = None) -> str:
        """Send participants by their numbers, as one that comes before the extract in question."""
        rows = participants(*[{}] * 400)
        return self.text("participants", as_csv([rows[n] for n in people]), month, manifest)

    def text(self, dataset: str, text: str, month: str = "", manifest: Manifest | None = None) -> str:
        """Send a text; it is received and validated. Gives the file's name."""
        self.nights += 1
        moment = FIRST + timedelta(days=self.nights)
        path = self.places.raw / "MHT-BPL" / f"MHT-BPL_{dataset}_{month or f'2017{self.nights:02}'}_v{self.nights}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if manifest:
            path.with_suffix(".manifest.json").write_text(json.dumps(manifest))
        with closing(Ledger(self.places.ledger)) as ledger:
            received = receive(self.places, ledger, "run", moment)
            for new in received.new:
                judgement = validate_delivery(received.deliveries[new], self.places, ResultStore(self.places))
                ledger.record_result_key(new, judgement.key)
        return path.name

    def told(self, name: str) -> ReportSnapshot:
        """What is found once all that was sent stands side by side."""
        judgements = ResultStore(self.places)
        new = NewBuild(self.places.unfinished / f"{name}.duckdb", DuckDBOptions())
        with closing(Ledger(self.places.ledger)) as ledger:
            validated = validated_deliveries(
                ledger.deliveries().values(), ledger.result_keys(), judgements, FIRST + timedelta(days=99)
            )
        load_build(new, validated, [], judgements)
        cross_check_build(new, validated, judgements)
        with new.read() as db:
            return db.execute(
                "select rule_id, severity, found from audit.findings join audit.deliveries using (delivery_id)"
                " where file_name = ? and source_row is null and outcome = 'broken' order by rule_id",
                [name],
            ).fetchall()


@pytest.fixture
def send(tmp_path: Path) -> Sender:
    return Sender(tmp_path)


class TestF22TheNumberOfRows:
    def test_a_cumulative_extract_may_grow_as_it_did_before(self, send: Sender) -> None:
        send.before(range(100))
        assert send(range(200)) == []  # twice as many: nothing is known of its growth yet
        assert send(range(300)) == []

    def test_one_that_grows_far_beyond_that_is_told(self, send: Sender) -> None:
        send.before(range(100))
        send.before(range(110))
        assert send(range(180)) == []  # up to half as many again as 120
        assert send(range(376)) == [("F22", "warning", "376 rows, 180 in the extract before")]

    def test_one_that_falls_by_more_than_half_is_told(self, send: Sender) -> None:
        send.before(range(100))
        said = send(range(49))
        assert said[0] == ("F22", "warning", "49 rows, 100 in the extract before")
        assert [rule for rule, *_ in said] == ["F22", "F23"]

    def test_not_by_half(self, send: Sender) -> None:
        send.before(range(100))
        assert [rule for rule, *_ in send(range(50))] == ["F23"]

    def test_few_rows_say_nothing(self, send: Sender) -> None:
        send.before(range(29))
        assert [rule for rule, *_ in send(range(10))] == ["F23"]

    def test_extracts_of_a_month_are_compared_with_the_month_before(self, send: Sender) -> None:
        period = {"extract_type": "period"}
        send.before(range(100), manifest=period)
        said = send(range(100, 251), manifest=period)
        assert said == [("F22", "warning", "151 rows, 100 in the extract before")]

    def test_a_second_version_takes_the_place_of_the_first(self, send: Sender) -> None:
        """Growth is told from month to month: a version that fixes the last one is no month without growth."""
        send.before(range(100), month="201701")
        send.before(range(150), month="201702")
        send.before(range(151), month="201702")
        assert send(range(220), month="201703") == []


class TestF23RecordsThatAreGone:
    def test_they_are_counted_and_not_named(self, send: Sender) -> None:
        send.before(range(40))
        assert send(range(3, 50)) == [("F23", "warning", "3 of 40 records of the extract before")]

    def test_none_are(self, send: Sender) -> None:
        send.before(range(40))
        assert send(range(41)) == []

    @pytest.mark.parametrize(("stated", "left"), [(2, ["F23"]), (3, []), (4, [])])
    def test_unless_the_manifest_states_them(self, send: Sender, stated: int, left: list[str]) -> None:
        send.before(range(40))
        assert [rule for rule, *_ in send(range(3, 50), manifest={"deletes": stated})] == left

    def test_they_are_told_once(self, send: Sender) -> None:
        """What was missed last month is not missed again."""
        send.before(range(40))
        send.before(range(3, 50))
        assert send(range(3, 51)) == []

    def test_a_record_that_is_held_is_not_gone(self, send: Sender) -> None:
        send.before(range(40))
        rows = participants(*[{}] * 40)
        spoilt = [{**rows[0], "gender": "8"}, {**rows[1], "participant_ref": ""}, *rows[2:]]
        assert send.told(send.text("participants", as_csv(spoilt))) == []  # nor one whose reference cannot be told
        assert send.told(send.text("participants", as_csv(spoilt[2:]))) == []  # it was not accepted the last time

    def test_extracts_of_a_month_add_up(self, send: Sender) -> None:
        send.before(range(40))
        assert send(range(40, 80), manifest={"extract_type": "period"}) == []


def test_f17_the_same_again_changes_nothing(send: Sender) -> None:
    send.before(range(5))
    assert [rule for rule, *_ in send(range(5))] == ["F17"]


def test_f18_an_older_extract_is_not_taken(send: Sender) -> None:
    send.before(range(6), month="201611")
    assert [(rule, severity) for rule, severity, _ in send(range(5), month="201610")] == [("F18", "file")]
