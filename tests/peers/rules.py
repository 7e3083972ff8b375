"""The rules of contacts that every tool is asked to judge, stated once for all of them; standard library only.

They are those of `schemas/core/contacts.py`; `ours.py` stops where the two differ.
"""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

COLUMNS = (
    "contact_id",
    "episode_id",
    "contact_date",
    "contact_type",
    "contact_medium",
    "attended",
    "duration_minutes",
    "staff_role",
    "staff_ref",
    "with_employer",
)
REQUIRED = tuple(c for c in COLUMNS if c not in ("duration_minutes", "staff_ref", "with_employer"))
LISTS = {
    "contact_type": (
        "first",
        "vocational_profile",
        "action_plan",
        "job_search",
        "employer_contact",
        "benefits_advice",
        "in_work_support",
        "clinical_liaison",
        "review",
        "therapy",
    ),
    "contact_medium": ("01", "02", "03", "04", "11", "98"),
    "attended": ("2", "3", "4", "5", "6", "7"),
    "staff_role": ("key_worker", "employment_specialist", "employment_adviser", "therapist", "gp", "other"),
    "with_employer": ("Y", "N"),
}
PATTERNS = {
    "contact_id": r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
    "episode_id": r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
    "staff_ref": r"^[A-Z0-9][A-Z0-9-]{2,15}$",
}
KEY = "contact_id"
CAME = ("5", "6")  # only who came has a duration, and who came has one
MOST_MINUTES = 480
LAST_DAY = date(2016, 11, 30)  # nothing in the extract is later

# Each tool reads as gently as it can, unless it is asked to read as it does when nothing is set.
AS_SET_BY_DEFAULT = os.environ.get("PEERS_READING") == "default"
# Where only the cost of a large file is measured, a tool does its work and writes no report for people.
AT_SCALE = os.environ.get("PEERS_SIZE") == "large"
DID = "did.json"


def is_a_day(text: str) -> bool:
    """Whether a text is a real day, written year-month-day, not after the extract."""
    try:
        return len(text) == 10 and date.fromisoformat(text) <= LAST_DAY
    except ValueError:
        return False


def did(out: Path, **numbers: int) -> None:
    """Write down how much was done: work that was not done costs nothing."""
    (out / DID).write_text(json.dumps(numbers), encoding="utf-8")
