"""The rules for contacts that every tool has to check. Standard library only: each tool's environment imports it.

They are those of `schemas/core/contacts.py`; `ours.py` fails if the two differ.
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
CAME = ("5", "6")  # codes of `attended` that require a duration; with all others there must be none
MAX_MINUTES = 480
LAST_DAY = date(2016, 11, 30)  # nothing in the extract is later

# Each tool reads the file as tolerantly as it can; with this set, with the defaults of its reader.
READER_DEFAULTS = os.environ.get("PEERS_READING") == "default"
# For measuring the cost of a large file: tools validate, but write no reports for people.
AT_SCALE = os.environ.get("PEERS_SIZE") == "large"
DONE_FILE = "did.json"


def is_valid_day(text: str) -> bool:
    """Whether a text is a valid date (YYYY-MM-DD), not after the extract's last day."""
    try:
        return len(text) == 10 and date.fromisoformat(text) <= LAST_DAY
    except ValueError:
        return False


def record_done(out: Path, **numbers: int) -> None:
    """Write the numbers of rows and failures, because a tool's cost means nothing without the work it did."""
    (out / DONE_FILE).write_text(json.dumps(numbers), encoding="utf-8")
