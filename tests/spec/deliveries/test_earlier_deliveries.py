"""Rules that compare an extract with the site's earlier ones: F17, F18, F22 and F23. Source: docs/domain.md 6.1.

Each test sends several extracts of one site's participants, one a night, and asserts the findings of the last.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from file_validator import as_csv, participants
from soak import in_soak

from flows.orchestration.active_run import validated_deliveries
from flows.orchestration.build_steps import run_cross_check, run_load
from flows.steps.receive import receive
from flows.steps.validate_delivery import validate_delivery
from flows.store.build_fingerprint import load_version
from flows.store.ledger import Ledger
from flows.store.paths import DataPaths
from flows.store.results import ResultStore
from flows.store.warehouse import DuckDBOptions
from flows.store.warehouse.load_cache import LoadCache
from flows.store.warehouse.new_build import NewBuild

Manifest = dict[str, object]
DeliveryFindings = list[tuple[str, str, str | None]]
FIRST = datetime(2018, 1, 2, 3, 30, tzinfo=UTC)


class Sender:
    """Sends one extract a night, each for the next month unless given, and returns the findings of the last."""

    def __init__(self, data: Path, empty_load_cache: Path) -> None:
        self.paths, self.sent = DataPaths(data), 0
        self.paths.make()
        shutil.copytree(empty_load_cache, self.paths.load_cache, dirs_exist_ok=True)

    def __call__(self, people: Iterable[int], month: str = "", manifest: Manifest | None = None) -> DeliveryFindings:
        """Send participants by number; return the findings about the delivery as a whole: (rule, severity, found)."""
        return self.findings_of(self.send_participants(people, month, manifest))

    def send_participants(self, people: Iterable[int], month: str = "", manifest: Manifest | None = None) -> str:
        """Send participants by number without asking for the findings. Returns the file's name."""
        rows = participants(*[{}] * 400)
        return self.send_text("participants", as_csv([rows[n] for n in people]), month, manifest)

    def send_text(self, dataset: str, text: str, month: str = "", manifest: Manifest | None = None) -> str:
        """Write a file, receive it and validate it. Returns the file's name."""
        self.sent += 1
        received_at = FIRST + timedelta(days=self.sent)
        path = self.paths.raw / "MHT-BPL" / f"MHT-BPL_{dataset}_{month or f'2017{self.sent:02}'}_v{self.sent}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if manifest:
            path.with_suffix(".manifest.json").write_text(json.dumps(manifest))
        with closing(Ledger(self.paths.ledger)) as ledger:
            received = receive(self.paths, ledger, "run", received_at)
            for new in received.new:
                result = validate_delivery(received.deliveries[new], self.paths, ResultStore(self.paths))
                ledger.record_result_key(new, result.key)
        return path.name

    def findings_of(self, name: str) -> DeliveryFindings:
        """Load and cross-check everything sent so far; return the findings about one file as a whole."""
        results = ResultStore(self.paths)
        cache = LoadCache.of(self.paths, load_version())
        new = NewBuild(self.paths.unfinished / f"{name}.duckdb", DuckDBOptions(threads=1), cache=cache)
        with closing(Ledger(self.paths.ledger)) as ledger:
            validated = validated_deliveries(
                ledger.deliveries().values(), ledger.result_keys(), results, FIRST + timedelta(days=99)
            )
        run_load(new, validated, [], results)
        run_cross_check(new, validated, results)
        with new.read() as db:
            return db.execute(
                "select rule_id, severity, found from audit.findings join audit.deliveries using (delivery_id)"
                " where file_name = ? and source_row is null and outcome = 'broken' order by rule_id",
                [name],
            ).fetchall()


@pytest.fixture
def send(tmp_path: Path, empty_load_cache: Path) -> Sender:
    return Sender(tmp_path, empty_load_cache)


class TestF22RowCount:
    """F22: the number of rows falls or grows far more than before."""

    def test_a_cumulative_extract_may_grow_at_its_earlier_rate(self, send: Sender) -> None:
        send.send_participants(range(100))
        assert send(range(200)) == []  # twice as many: no earlier growth to compare with
        assert send(range(300)) == []

    def test_growth_far_beyond_that_is_reported(self, send: Sender) -> None:
        send.send_participants(range(100))
        send.send_participants(range(110))
        assert send(range(180)) == []  # 50% above the 120 rows that steady growth predicts
        assert send(range(376)) == [("F22", "warning", "376 rows, 180 in the extract before")]

    def test_a_fall_by_more_than_half_is_reported(self, send: Sender) -> None:
        send.send_participants(range(100))
        findings = send(range(49))
        assert findings[0] == ("F22", "warning", "49 rows, 100 in the extract before")
        assert [rule for rule, *_ in findings] == ["F22", "F23"]

    def test_a_fall_by_half_is_not_reported(self, send: Sender) -> None:
        send.send_participants(range(100))
        assert [rule for rule, *_ in send(range(50))] == ["F23"]

    def test_fewer_than_thirty_rows_are_not_compared(self, send: Sender) -> None:
        send.send_participants(range(29))
        assert [rule for rule, *_ in send(range(10))] == ["F23"]

    def test_period_extracts_are_compared_with_the_month_before(self, send: Sender) -> None:
        period = {"extract_type": "period"}
        send.send_participants(range(100), manifest=period)
        findings = send(range(100, 251), manifest=period)
        assert findings == [("F22", "warning", "151 rows, 100 in the extract before")]

    def test_a_second_version_replaces_the_first_in_the_comparison(self, send: Sender) -> None:
        """Growth is compared month by month: a second version for a month does not count as a month without growth."""
        send.send_participants(range(100), month="201701")
        send.send_participants(range(150), month="201702")
        send.send_participants(range(151), month="201702")
        assert send(range(220), month="201703") == []


class TestF23MissingRecords:
    """F23: records of the extract before are missing."""

    def test_missing_records_are_counted_and_not_named(self, send: Sender) -> None:
        send.send_participants(range(40))
        assert send(range(3, 50)) == [("F23", "warning", "3 of 40 records of the extract before")]

    def test_an_extract_with_every_record_has_no_finding(self, send: Sender) -> None:
        send.send_participants(range(40))
        assert send(range(41)) == []

    @pytest.mark.parametrize(("stated", "rules"), [(2, ["F23"]), (3, []), *in_soak((4, []))])
    def test_deletions_stated_in_the_manifest_are_expected(self, send: Sender, stated: int, rules: list[str]) -> None:
        send.send_participants(range(40))
        assert [rule for rule, *_ in send(range(3, 50), manifest={"deletes": stated})] == rules

    def test_missing_records_are_reported_once(self, send: Sender) -> None:
        """Records reported missing last month are not reported again."""
        send.send_participants(range(40))
        send.send_participants(range(3, 50))
        assert send(range(3, 51)) == []

    def test_a_held_record_is_not_missing(self, send: Sender) -> None:
        send.send_participants(range(40))
        rows = participants(*[{}] * 40)
        faulty = [{**rows[0], "gender": "8"}, {**rows[1], "participant_ref": ""}, *rows[2:]]
        assert (
            send.findings_of(send.send_text("participants", as_csv(faulty))) == []
        )  # nor one whose reference is empty
        assert (
            send.findings_of(send.send_text("participants", as_csv(faulty[2:]))) == []
        )  # they were not accepted last time

    def test_period_extracts_need_not_repeat_records(self, send: Sender) -> None:
        send.send_participants(range(40))
        assert send(range(40, 80), manifest={"extract_type": "period"}) == []


def test_f17_an_identical_extract_is_reported(send: Sender) -> None:
    send.send_participants(range(5), month="201701")
    assert [rule for rule, *_ in send(range(5), month="201701")] == ["F17"]
    assert [rule for rule, *_ in send(range(5), month="201702")] == ["F54"]


def test_f18_an_older_extract_is_refused(send: Sender) -> None:
    send.send_participants(range(6), month="201611")
    assert [(rule, severity) for rule, severity, _ in send(range(5), month="201610")] == [("F18", "file")]
