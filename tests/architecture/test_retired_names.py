"""Retired names do not come back: each word has one meaning, and each name one home (docs/glossary.md)."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(p for f in ("flows", "schemas", "tests") for p in (ROOT / f).rglob("*.py"))
_NAMES = """
    as_if_never_sent came_too_soon corrections_in found_in_rows in_force is_of_impossible_month is_to_come lapsed
    month_is_to_come sounds_personal withdrawn_among
    TOLD_HERE findings_against_others first_sent_as replaced_before_counting seems_another_sites
    Alone CorrectedCell Dispositions Doubtful Due HeldThen Judged JudgedAgain Judgement JudgementLost
    JudgementWriter Judgements Kept LOOKS MADE Marked NOTHING_TOLD NOT_JUDGED NOT_MADE Night NightResult NightsWork
    NotGood Parts Places Reported ShortBook StandingSummary TextElsewhere Texts Told ToldItem Unkept Work as_it_lies
    as_it_stands beside breaks_sql code_meant column_look corrections_to_mend elsewhere ended find_beside_others
    findings_beside_others forestalled_by given_back headings_told held_then importing is_looked_back_at
    judge_between_rows judge_deliveries judge_delivery judge_each judge_file judge_rows judged judged_again
    judged_by judgement_key judgement_keys leave_standing let_stand lies_there look_back look_over looked_at
    made_before may_be_repeated next_turn night_summary not_judged not_made not_told note_counting note_held_up
    note_standings odd_ones open_lists personal_beside personal_elsewhere pointer published_build put_in_place
    relied_on remember_file remember_judgement remember_report report_night restores_sql run_night run_retry
    server_is_away settled_figures sheet_told side_by_side since_told sometimes_needed stand_to standing_summary
    stands_until text_shown told_again torn whole_night why_torn
    MUST_GO Part personal_files_there said_by_changes sections_if_quiet verdict_if_quiet
    BETWEEN_DELIVERIES CONSENT LEAST_ROWS_FOR_BAD_SHARE WAITS all_but_first as_known comes_after looks_back
    as_flow attempt_of is_all_done report_to_people validate_each warehouse_as_known relation_rules
    start_run_by_engine state_of_the_warehouse
    OthersThere PLANTERS Planter Spoilt made_apart
    Calamine Grammar LONGEST_LINE LONGEST_RECORD NOT_RECKONED NO_FILE NO_FILE_YET NameOfSheet SMALL_BOOK ShrunkError
    TRIED_AGAIN TWICE WrongManifest about_heading as_it_is beside_the_table by_place days_meant head_of heading_of
    Judge copy_of_the_project pilots_here read_within rules_told seeded_values
    lay_out like_totals manifest_of must_fit refused_percentages tail_of the_only_file without_heading as_sheets
    by_prefect exit_of give_json InFile OfDataset judge_by_hand said_by
    A_DAY_IN_DIGITS DatesSeen MAY_BE_A_DATE REFERENCE_WORTH_A_LOOK SETTLED_NS WORTH_A_LOOK ask_all ask_if_sound
    in_words_not_well is_settled ledger_troubles may_be_a_persons may_be_named meant_by moment_of not_well
    rules_of_births
    FEW_EVENTS LARGEST_POUNDS LEAST_EVENTS LEAST_LETTERS LEAST_ROWS_AT_FAULT LONGEST_DATE LONGEST_FOUND LONGEST_LABEL
    LONGEST_REASON MOST_BYTES MOST_SUGGESTED PERSONAL_RULES RULES_OF_PERSONAL_FILES SMALLEST_POUNDS Slashed slashed
    slashed_date
    AGREED REJECTED count_held cut_dates how_it_ended is_exempt measured_by_month previous_cut
    FULL_SCOPE ValidationResult build_marts cross_check_build cross_check_tables full_run load_build load_core
    make_marts nightly_run open_with_sent promote_build receive_files report_outcomes validate_deliveries
"""
_MODULES = """
    build_identity settle
    agreed archive as_known ask beside_others builds cell_rules code_cells date_texts delivery_reports documents
    dress faults faults_of_events faults_of_people file_rules given_back importing judgement judgements kept late
    look month_rules names night parts places publish raw replay reported retry returned_cells returned_workbook
    revalidations short_book shown side_by_side source standing stored sync terminal texts told unchanged versions
    vocabulary work workbook_xml
"""
RETIRED, RETIRED_MODULES = frozenset(_NAMES.split()), frozenset(_MODULES.split())
RETIRED_STAGES = frozenset({"judge", "relate", "publish"})


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_retired_name_comes_back(path: Path) -> None:
    if not path.is_relative_to(ROOT / "tests"):
        assert path.stem not in RETIRED_MODULES
    text = path.read_text(encoding="utf-8")
    used = {t.string for t in tokenize.generate_tokens(io.StringIO(text).readline) if t.type == tokenize.NAME}
    assert not used & RETIRED


def test_no_retired_stage_or_command_comes_back() -> None:
    stages = (ROOT / "flows" / "orchestration" / "stages.py").read_text(encoding="utf-8")
    named = set(re.findall(r'Stage\(\s*\w+, "(\w+)"', stages))
    assert named and not named & RETIRED_STAGES
    commands = (ROOT / "flows" / "cli.py").read_text(encoding="utf-8")
    assert "def revalidate(" in commands and "def retry(" not in commands
