"""On which night simulated files arrive: on the day on which they are due, late, corrected, or all at once."""

from __future__ import annotations

from pathlib import Path

from flows.simulator.sending import LAST_NIGHT, LATE, PERIODS, arrivals
from schemas._contract.registry import calendar


def night_of(name: str) -> int:
    """The number of the night on which a file arrives, from 0."""
    every_night = [Path(f"MHT-BPL_contacts_{period}_v1.csv") for period in PERIODS]
    nights = arrivals([*every_night, Path("HLT-SCR_contacts_201910_v1.csv"), Path(name)])
    assert list(nights) == sorted(nights) and len(nights) == len(PERIODS) + 1
    return next(n for n, files in enumerate(nights.values()) if Path(name) in files)


def test_a_file_in_time_arrives_before_its_return_is_due() -> None:
    files = [Path(f"MHT-BPL_contacts_{period}_v1.xlsx") for period in PERIODS]
    for (night, [file]), period in zip(arrivals(files).items(), PERIODS, strict=True):
        assert period in file.name and night.date() == calendar()[period].date() and night < calendar()[period]


def test_one_site_stops_being_late_and_another_does_not() -> None:
    by_site = {
        site: [night_of(f"{site}_referrals_{period}_v1.csv") - month for month, period in enumerate(PERIODS)]
        for site in LATE
    }
    assert by_site == {"MHT-WLA": [1, 1, 1, 0, 0, 0], "MHT-GM": [2, 2, 2, 2, 2, 1]}  # none comes after the last night


def test_a_corrected_file_and_a_manifest_come_with_their_version() -> None:
    assert night_of("MHT-BPL_participants_201705_v2.csv") == night_of("MHT-BPL_participants_201705_v1.csv") + 1
    assert night_of("MHT-BPL_participants_201705_v2.manifest.json") == night_of("MHT-BPL_participants_201705_v2.csv")


def test_what_is_older_comes_first_and_what_is_newer_last() -> None:
    assert night_of("PWW-IAPT_contacts_201512_v2.csv") == 0
    assert night_of("HLT-SCR_contacts_201909_v1.csv") == len(PERIODS)
    assert list(arrivals([Path("MHT-NECA_contacts_201812_v1.csv")])) == [LAST_NIGHT]
