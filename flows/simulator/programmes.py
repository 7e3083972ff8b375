"""Assumptions of the simulator about each programme: when it ran, whom it recruited, how many found work.

These are assumptions for made-up data, chosen to be plausible; none is a published figure. Dates follow
docs/domain.md 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np


@dataclass(frozen=True)
class SimulatedProgramme:
    """Simulated course of one programme, or of one site that ran at another time."""

    intake_from: date
    last_month: str  # yyyymm of the last extract: the default end of a simulation
    support_model: str
    definition: str  # the outcome definition its sites send
    staff_role: str
    engaged: float = 0.8  # share of eligible people who start
    in_work: float = 0.0  # share in work at the start
    days_to_job: int = 800  # mean days from start to a first job
    days_to_job_at_last: int | None = None  # the same for people who start at the end, where results change over time
    faults_at_last: float = 1.0  # share of the usual faults that its last files have, where its data get better
    support_days: int = 400  # the longest that support lasts
    benefits: tuple[str, ...] = ("jsa", "esa_wrag", "esa_assessment", "none")
    measures: tuple[str, ...] = ()  # of wellbeing
    trial: bool = False


_TALKING_THERAPIES = ("phq9", "gad7", "wsas")
_MHT = SimulatedProgramme(
    date(2015, 10, 1),
    "201709",
    "key_worker",
    "JOB_START",
    "key_worker",
    support_days=540,
    measures=("wsas", "swemwbs_raw", "phq9", "gad7"),
)
_PWW = SimulatedProgramme(
    date(2014, 6, 2),
    "201512",
    "iapt_ea",
    "JOB_START",
    "employment_adviser",
    engaged=0.5,
    support_days=180,
    measures=_TALKING_THERAPIES,
)

# A programme, or a site that is unlike the others of its programme.
PROGRAMMES: dict[str, SimulatedProgramme] = {
    "MHT": _MHT,
    "MHT-NECA": SimulatedProgramme(
        date(2017, 1, 9),
        "201812",
        "iapt_ea",
        "JOB_START",
        "employment_adviser",
        days_to_job=1400,
        measures=_TALKING_THERAPIES,
    ),
    # One site gets better from month to month, and another one, of the same programme, does not.
    "MHT-WLA": replace(_MHT, days_to_job=2600, days_to_job_at_last=120, faults_at_last=0.1),
    "MHT-GM": replace(_MHT, days_to_job=1100),
    "PWW": _PWW,
    "PWW-GW": replace(
        _PWW,
        support_model="jobs_ii_group",
        staff_role="other",
        measures=("gse", "wemwbs", "ons4_happy", "ons4_anxious"),
    ),
    "PWW-TS": replace(_PWW, support_model="telephone", staff_role="other"),
    "IPSIAPT": SimulatedProgramme(
        date(2014, 10, 6),
        "201512",
        "ips",
        "JOB_START",
        "employment_specialist",
        in_work=0.05,
        support_days=270,
        measures=_TALKING_THERAPIES,
    ),
    "MWW": SimulatedProgramme(
        date(2014, 10, 6),
        "201603",
        "ips",
        "JOB_START",
        "employment_specialist",
        days_to_job=500,
        support_days=540,
        measures=("wemwbs", "ons4_satisfied", "ons4_worthwhile"),
    ),
    "HLT": SimulatedProgramme(
        date(2018, 4, 3),
        "201910",
        "ips_lite",
        "JOB_START",
        "employment_specialist",
        in_work=0.3,
        days_to_job=900,
        benefits=("jsa", "esa_wrag", "uc_iws", "uc_lcw", "none"),
        measures=("swemwbs_raw", "swemwbs_metric", "eq5d5l", "gse"),
        trial=True,
    ),
    "WC": SimulatedProgramme(date(2014, 7, 1), "201512", "work_choice", "WC_JO", "employment_adviser", days_to_job=300),
}

_EPOCH = date(1970, 1, 1).toordinal()

# Sites that are larger or smaller than the others, as shares of the rows. Source: docs/domain.md 1.1, 1.5.
_WEIGHTS = {"HLT-SCR": 6.0, "HLT-WMCA": 3.7, "MHT-GM": 2.0, "MHT-WLA": 1.2}
_PROGRAMME_WEIGHTS = {"WC": 0.3}

TRIAL_OPENED, TRIAL_CLOSED = date(2018, 5, 1), date(2019, 10, 31)  # docs/domain.md 1.5: recruitment to the trial


@dataclass(frozen=True)
class SimulatedSite:
    """One site that sends participant-level extracts."""

    code: str
    programme_code: str
    areas: tuple[str, ...]  # local authorities where its people live
    gp_areas: tuple[str, ...]  # areas of their GP practices
    datasets: tuple[str, ...]
    programme: SimulatedProgramme  # the course of its programme
    money: tuple[str, ...] = ()  # datasets of money

    @property
    def claims(self) -> bool:
        """Whether it has grants, which it claims and spends."""
        return "claims" in self.money

    @property
    def by_results(self) -> bool:
        """Whether it is paid by results."""
        return "outcome_payments" in self.money

    @property
    def match(self) -> bool:
        """Whether it says what others contribute."""
        return "match_funding" in self.money

    def days_to_job_from(self, started: np.ndarray) -> np.ndarray:
        """Mean days to a first job for people who started on some days (since 1970-01-01)."""
        course = self.programme
        at_last = course.days_to_job if course.days_to_job_at_last is None else course.days_to_job_at_last
        ends = [d.toordinal() - _EPOCH for d in (course.intake_from, cut_off_dates(course, 1)[-1])]
        return np.interp(started, ends, [course.days_to_job, at_last])

    @property
    def weight(self) -> float:
        """Its share of the rows, relative to the other sites."""
        return _WEIGHTS.get(self.code) or _PROGRAMME_WEIGHTS.get(self.programme_code, 1.0)

    @property
    def prefix(self) -> str:
        """Prefix of its references, such as 'BPL-SIM' for MHT-BPL. SIM marks the person as simulated."""
        tail = self.code.partition("-")[2]
        letters = "".join(c for c in tail if c.isalpha())
        if len(letters) < 2:
            letters = "".join(c for c in self.code if c.isalpha())
        return f"{letters}-SIM" + "".join(c for c in tail if c.isdigit())


def cut_off_dates(programme: SimulatedProgramme, months: int) -> list[date]:
    """Last day of each simulated month, oldest first. The last one is the programme's last extract."""
    year, month = int(programme.last_month[:4]), int(programme.last_month[4:])
    index = year * 12 + month  # of the month after the last one: its first day less one is the cut-off
    ends = (date(i // 12, i % 12 + 1, 1) for i in range(index - months + 1, index + 1))
    return [date.fromordinal(day.toordinal() - 1) for day in ends]
