"""The cause score: of each broken file, the report names the cause first and by itself, and what it says works.

Each file is made from a sound one (`sound_files.py`) in one way (`breaks.py`), by the table in `cases.py`. What only
the site's accepted files show is in tests/flow/deliveries: another site's rows (`test_held_up.py`), and columns that
were the other way round the month before (`test_exchanged_columns.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cases import CASES, Case
from fixes import with_suggestions
from front_door import check
from soak import in_soak
from sound_files import sound_file

MOST_ITEMS = 2  # for one cause
RARER = ("ods", "xls")
NUMBERS: Counter[str] = Counter()


@cache
def _sound_rows(dataset: str) -> Mapping[tuple[Any, ...], dict[str, Any]]:
    """The rows that the sound file of a dataset loads."""
    with TemporaryDirectory() as folder:
        return check(sound_file(dataset), Path(folder)).loaded


def _everyday() -> set[int]:
    """The first case of each kind in a usual format."""
    first: dict[str, int] = {}
    for n, case in enumerate(CASES):
        if case.suffix not in RARER:
            first.setdefault(case.kind, n)
    return set(first.values())


EVERYDAY = _everyday()


def _case(number: int, case: Case) -> Any:
    """A case as a parameter. What repeats another in one more dataset or format is left to the long tests."""
    NUMBERS[name := f"{case.kind}-{case.dataset}-{case.suffix}"] += 1
    again = f"-{NUMBERS[name]}" if NUMBERS[name] > 1 else ""
    return pytest.param(case, id=f"{name}{again}", marks=() if number in EVERYDAY else pytest.mark.soak)


@pytest.mark.parametrize("case", [_case(n, case) for n, case in enumerate(CASES)])
def test_the_report_names_the_cause_first_and_what_it_says_works(case: Case, tmp_path: Path) -> None:
    sound = sound_file(case.dataset, case.suffix)
    right = _sound_rows(case.dataset)
    broken = case.break_file(sound)
    checked = check(broken, tmp_path)
    assert [i.rule_id for i in checked.items][:1] == [case.rule], checked.items_in_short
    assert len(checked.items) <= MOST_ITEMS, checked.items_in_short
    wrong = {key: row for key, row in checked.loaded.items() if right.get(key) != row}
    assert not wrong, "a wrong value loads"
    assert not case.loads or (checked.report.result, checked.loaded) == ("accepted", right), checked.items_in_short

    fixed_file = case.fix(with_suggestions(broken, checked), checked, sound) if case.fix else broken
    if case.fix and fixed_file is not broken:
        fixed = check(fixed_file, tmp_path)
        assert (fixed.report.result, fixed.loaded) == ("accepted", right), fixed.items_in_short


SOUND = sorted({(c.dataset, c.suffix) for c in CASES})


@pytest.mark.parametrize(
    ("dataset", "suffix"),
    [*(s for s in SOUND if s[1] == "csv"), *in_soak(*(s for s in SOUND if s[1] != "csv"))],
)
def test_the_files_that_are_broken_were_sound(dataset: str, suffix: str, tmp_path: Path) -> None:
    sound = sound_file(dataset, suffix)
    checked = check(sound, tmp_path)
    assert (checked.items_in_short, checked.report.result) == ([], "accepted")
    assert len(checked.loaded) == len(sound.grid) - 1 and checked.loaded == _sound_rows(dataset)


@pytest.mark.parametrize(("dataset", "suffix"), [("contacts", "csv"), *in_soak(("referrals", "xlsx"))])
def test_last_months_file_under_a_new_name_is_named_as_that(dataset: str, suffix: str, tmp_path: Path) -> None:
    sound = sound_file(dataset, suffix)
    assert not check(sound, tmp_path).items
    (tmp_path / f"{sound.site}_{dataset}_201611_v1.{suffix}").write_bytes(sound.content)
    assert [i.rule_id for i in check(sound, tmp_path).items] == ["F54"]


def test_there_are_enough_broken_files_of_enough_kinds() -> None:
    assert len(EVERYDAY) >= 55
    assert len({case.kind for case in CASES}) >= 24
