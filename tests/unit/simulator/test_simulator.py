"""The simulator is reproducible by seed, its truth points at the faulty cells, and clean data have no faults."""

import csv
import hashlib
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from flows.simulator.faults.of_files import FILE_PATTERNS
from flows.simulator.faults.planting import FAULT_KINDS
from flows.simulator.files.staging import OtherFilesPresent
from flows.simulator.simulate import MISSING_COLUMN, TOO_MANY_FAULTS, Refusal, simulate
from flows.simulator.sites import DATASETS, OF_GRANTS, OF_RESULTS
from schemas._contract.catalogue import datasets

SITES = ["MHT-BPL", "MHT-NECA", "PWW-IAPT", "HLT-WMCA", "HLT-SCR"]
CSV_SITES = ["MHT-NECA", "PWW-IAPT", "HLT-WMCA"]


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def _truth(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _cells_of_csv(path: Path) -> dict[int, list[str]]:
    """The records of a CSV, keyed by the physical line on which each begins."""
    found, line = {}, 1
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        for record in reader:
            found[line] = record
            line = reader.line_num + 1
    return found


def _cells_of_workbook(path: Path) -> dict[int, list[str]]:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(path)
    assert len(book.sheetnames) == 1
    rows = book.worksheets[0].iter_rows(values_only=True)
    return {n: ["" if c is None else str(c) for c in row] for n, row in enumerate(rows, start=1)}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder / "raw", rows=4000, seed=3, truth=folder / "truth.csv", months=2, fault_rate=0.03, sites=SITES)
    return folder


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    simulate(folder / "raw", rows=6000, seed=4, truth=folder / "truth.csv", months=2, fault_rate=0, sites=CSV_SITES)
    return folder


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("again", 3), ("other", 5)):
        folder = tmp_path / name
        simulate(
            folder / "raw", seed=seed, truth=folder / "truth.csv", rows=400, months=2, fault_rate=0.03, sites=SITES
        )
    one, again, other = (_digests(tmp_path / name) for name in ("one", "again", "other"))
    assert one == again != other


def test_the_truth_points_at_the_faulty_cells(simulated: Path) -> None:
    files: dict[str, dict[int, list[str]]] = {}
    rule_ids = set()
    for fault in _truth(simulated / "truth.csv"):
        name = fault["file"]
        path = simulated / "raw" / name.split("_")[0] / name
        if name not in files:
            files[name] = _cells_of_csv(path) if path.suffix == ".csv" else _cells_of_workbook(path)
        if fault["fault"] == "shape":
            continue
        rows, row = files[name], int(fault["source_row"])
        heading = next(r for r in rows.values() if all(r))
        cell = rows[row][heading.index(fault["column"])] if fault["column"] else ""
        rule_ids.add(fault["rule_id"])
        match fault["rule_id"], fault["severity"]:
            case "F05", _:
                assert rows[row] == heading
            case "F06", _:
                assert rows[row][0] == "Total"
            case "F07", _:
                assert not any(rows[row])
            case "F13", _:
                assert len(rows[row]) == len(heading) + 1
            case "F14", _:
                assert "\n" in cell
            case "C10", _:
                assert cell == "#REF!"
            case (("V01" | "F08"), _):
                assert cell == ""
            case "V04", _:
                assert "/" in cell or cell == "E02001234"
            case "C17", _:
                assert cell != cell.strip()
            case "C01", _:
                assert cell.isdigit()
            case "C02", _:
                assert cell[2::3].startswith("/")
            case "C05", _:
                assert cell.endswith("02-30")
            case "C20", _:
                assert cell.endswith("-Jan")
            case "K02", _:
                assert cell == "45"
            case "P12", _:
                assert "-SIMZ" in cell
            case "P04", _:
                assert sum(r[:1] == [cell] for r in rows.values()) >= 2
            case "E07", _:
                assert cell == "volunteering"
    assert {"F05", "F06", "F07", "F13", "F14", "C10", "V01", "C17", "P04", "P12", "K02"} <= rule_ids


def test_no_row_has_two_faults(simulated: Path) -> None:
    faults = [t for t in _truth(simulated / "truth.csv") if t["fault"] != "shape"]
    with_two = {
        (t["file"], t["source_row"]) for t in faults if t["rule_id"] == "E16"
    }  # no programme has its definition
    rows = [(t["file"], t["source_row"]) for t in faults if t["rule_id"] != "E16"]
    assert len(rows) == len(set(rows)) and with_two <= set(rows)


def test_the_share_of_faulty_rows_is_near_the_fault_rate(tmp_path: Path) -> None:
    arguments = {"rows": 10_000, "seed": 6, "months": 1, "fault_rate": 0.02, "sites": ["PWW-IAPT"]}
    simulated = simulate(tmp_path / "raw", truth=tmp_path / "t.csv", **arguments)
    # Faults are drawn at random per row, so only their share is predictable.
    assert 0.015 < simulated.faults / simulated.rows < 0.025


def test_the_number_of_contacts_is_near_the_argument(tmp_path: Path) -> None:
    simulated = simulate(tmp_path / "raw", rows=20_000, seed=1, truth=tmp_path / "t.csv", months=1, sites=CSV_SITES)
    assert 0.85 * 20_000 < simulated.contacts < 1.15 * 20_000


@pytest.mark.soak
def test_a_simulation_may_have_tens_of_rows(tmp_path: Path) -> None:
    simulated = simulate(tmp_path / "raw", rows=30, seed=1, truth=tmp_path / "t.csv", months=1, money_of=())
    assert 0 < simulated.rows < 6000  # fidelity, training and posts have a size of their own


def _frame(folder: Path, site: str, dataset: str, period: str) -> pl.DataFrame:
    """A simulated CSV with its columns named as in the contract and its dates parsed."""
    frame = pl.read_csv(folder / "raw" / site / f"{site}_{dataset}_{period}_v1.csv", infer_schema=False)
    known = {heading: f.name for f in datasets()[dataset].fields for heading in (f.name, *f.aliases[:1])}
    return frame.rename({h: known[h] for h in frame.columns}).with_columns(pl.col("^.*_date$").str.to_date())


@pytest.mark.parametrize(("site", "period"), [("MHT-NECA", "201812"), ("PWW-IAPT", "201512"), ("HLT-WMCA", "201910")])
def test_clean_extracts_are_consistent(clean: Path, site: str, period: str) -> None:
    people, referrals, contacts, jobs = (
        _frame(clean, site, d, period) for d in ("participants", "referrals", "contacts", "employment_outcomes")
    )
    cut_off = date(int(period[:4]) + int(period[4:]) // 12, int(period[4:]) % 12 + 1, 1)
    for frame, key in ((people, "participant_ref"), (referrals, "episode_id"), (contacts, "contact_id")):
        assert frame[key].is_unique().all()
        for name in frame.select(pl.col(pl.Date)).columns:
            assert (frame[name].drop_nulls() < cut_off).all()
    assert people["participant_ref"].str.contains("-SIM").all()
    assert referrals.join(people, on="participant_ref", how="anti").is_empty()
    assert contacts.join(referrals, on="episode_id", how="anti").is_empty()
    assert jobs.join(referrals, on="episode_id", how="anti").is_empty()
    attended = contacts.filter(pl.col("attended").is_in(["5", "6"]))
    details = ["episode_id", "contact_date", "contact_type", "staff_role", "duration_minutes"]
    assert attended.select(details).is_unique().all()
    started = referrals.filter(pl.col("programme_start_date") < pl.col("referral_received_date"))
    assert started.is_empty()
    if site.startswith("HLT"):
        arms = _frame(clean, site, "randomisation", period)
        assert abs((arms["arm"] == "control").mean() - 0.5) < 0.05
        assert arms["randomised_date"].is_between(date(2018, 5, 1), date(2019, 10, 31)).all()
        control = referrals.join(arms.filter(pl.col("arm") == "control"), on="participant_ref")
        assert contacts.join(control, on="episode_id", how="semi").is_empty()
        assert not jobs.join(control, on="episode_id", how="semi").is_empty()


def test_a_clean_simulation_has_only_findings_of_site_headings(clean: Path) -> None:
    assert {(t["rule_id"], t["fault"]) for t in _truth(clean / "truth.csv")} == {("F10", "shape")}


def test_extracts_are_cumulative(clean: Path) -> None:
    before, after = (_frame(clean, "PWW-IAPT", "contacts", p)["contact_id"] for p in ("201511", "201512"))
    assert before.is_in(after.implode()).all()
    assert len(after) > len(before)


def test_files_can_be_made_so_that_they_are_refused(tmp_path: Path) -> None:
    refused = (
        Refusal("PWW-IAPT", "contacts", 0, TOO_MANY_FAULTS),
        Refusal("MHT-NECA", "contacts", 0, MISSING_COLUMN),
    )
    simulate(tmp_path / "raw", rows=1000, seed=2, truth=tmp_path / "t.csv", months=1, sites=CSV_SITES, refused=refused)
    faults = [t for t in _truth(tmp_path / "t.csv") if t["severity"] == "file"]
    assert {(t["file"].split("_")[0], t["rule_id"]) for t in faults} == {("PWW-IAPT", "L01"), ("MHT-NECA", "F09")}


def test_the_truth_must_be_outside_the_raw_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside"):
        simulate(tmp_path, rows=10, seed=1, truth=tmp_path / "truth.csv")


SMALL = {"rows": 100, "seed": 1, "months": 1, "sites": ["MHT-NECA"]}


def _content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.glob("**/*") if p.is_file()}


def test_a_repeated_simulation_replaces_its_files_beside_the_published_record(tmp_path: Path) -> None:
    raw, truth = tmp_path / "raw", tmp_path / "truth.csv"
    (raw / "PMO").mkdir(parents=True)
    (raw / "PMO" / "PMO_targets_202312_v1.csv").write_text("real", encoding="utf-8")
    simulate(raw, truth=truth, **SMALL)
    before = _content(tmp_path)
    simulate(raw, truth=truth, **SMALL)
    assert _content(tmp_path) == before and len(before) > 3


@pytest.mark.parametrize("repeated", [False, True])
def test_files_of_sites_are_never_replaced(tmp_path: Path, repeated: bool) -> None:
    raw, truth = tmp_path / "raw", tmp_path / "truth.csv"
    if repeated:
        simulate(raw, truth=truth, **SMALL)
    real = next(raw.glob("MHT-NECA/*contacts*.csv"), raw / "MHT-NECA" / "MHT-NECA_contacts_201810_v1.csv")
    real.parent.mkdir(parents=True, exist_ok=True)
    real.write_text("what a site sent", encoding="utf-8")
    before = _content(tmp_path)
    with pytest.raises(OtherFilesPresent, match=f"1 file in .*, such as MHT-NECA/{real.name}. Nothing was written"):
        simulate(raw, truth=truth, **SMALL)
    assert _content(tmp_path) == before


def test_simulated_files_are_not_written_beside_those_of_sites(tmp_path: Path) -> None:
    other = tmp_path / "raw" / "MHT-GM" / "MHT-GM_contacts_201001_v1.csv"
    other.parent.mkdir(parents=True)
    other.write_text("what a site sent", encoding="utf-8")
    with pytest.raises(OtherFilesPresent):
        simulate(tmp_path / "raw", truth=tmp_path / "truth.csv", **SMALL)
    assert _content(tmp_path) == {"raw/MHT-GM/MHT-GM_contacts_201001_v1.csv": b"what a site sent"}


def test_every_fault_kind_names_a_field_of_its_contract() -> None:
    assert len({p.rule_id for planters in FAULT_KINDS.values() for p in planters}) >= 40
    for dataset, planters in FAULT_KINDS.items():
        assert {p.field for p in planters} <= {"", *datasets()[dataset].by_name}


# rules without a fault of their own in the simulated files, and why
NOT_PLANTED = {
    ("participants", "P04", "site_code"): "the same reference in two sites' files: tests/flow/deliveries",
    (
        "referrals",
        "P07",
        "referral_received_date",
        "warning",
    ): "the year of birth is in another file",
    ("randomisation", "T06", "participant_ref"): "the employment status is in another file",
    ("employment_outcomes", "E14", "outcome_id"): "no two programmes share a controller",
    (
        "training_events",
        "W12",
        "unique_people_to_date",
        "warning",
    ): "totals that the programme office sends",
}
OF_OTHER_FILES = {
    "F57": "only contacts are sent by single months, by some sites",
    "M24": "a claims file without a new claim",
    "M01": "a whole file in pence is made otherwise (IN_PENCE), and some amounts are part of other sums",
}


def test_every_rule_has_a_fault_or_a_reason() -> None:
    """Each rule is counted by its field and severity: a fault for each."""
    left = set(NOT_PLANTED)
    for dataset in (*DATASETS, *OF_GRANTS[1:], *OF_RESULTS):
        rules = Counter((r.rule_id, r.field, str(r.severity)) for r in datasets()[dataset].rules)
        planted = Counter((k.rule_id, k.field, k.severity) for k in FAULT_KINDS[dataset])
        planted.update((p.rule_id, p.field, "warning") for p in FILE_PATTERNS if p.dataset == dataset)
        for rule_id, field, severity in rules - planted:
            reasons = {(dataset, rule_id, field), (dataset, rule_id, field, severity)} & set(NOT_PLANTED)
            left -= reasons
            assert reasons or rule_id in OF_OTHER_FILES, (dataset, rule_id, field, severity)
    assert not left, "these have a fault by now"
