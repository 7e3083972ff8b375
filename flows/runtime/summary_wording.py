"""What the summary of a run says, wherever it is written: short enough for a run with nothing to do.

Apart from `wording.py`, which findings are written with: to reword a summary validates no file again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.runtime.wording import counted, moment


def personal_data_first(files: int) -> str:
    """What is said before all else while files with personal data lie in data/raw; '' where none does."""
    lie, them = ("lies", "it") if files == 1 else ("lie", "them")
    said = f"{counted(files, 'file')} with personal data {lie} in data/raw: delete {them} under the incident process."
    return said if files else ""


def safe_in_markdown(text: str) -> str:
    """A markdown text whose angle brackets stay what they are; in `code` they do so by themselves."""
    pieces = re.split(r"(`[^`\n]*`)", text)  # every second piece is code
    return "".join(p if i % 2 else p.replace("&", "&amp;").replace("<", "&lt;") for i, p in enumerate(pieces))


def summary_in_words(verdict: str, run: Mapping[str, Any], sections: str) -> str:
    """The summary of a run: the verdict in one sentence, which run it was, and what else there is to say.

    A run that says so follows one that did not end well.
    """
    return "\n\n".join(part for part in (verdict, _which(run), run.get("before"), sections) if part) + "\n"


def _which(run: Mapping[str, Any]) -> str:
    started = run.get("started_at")
    said = [
        f"Run {run['id']}" if run.get("id") else "",
        f"started {moment(started) if isinstance(started, datetime) else started}" if started else "",
        f"code version {run['code_version']}" if run.get("code_version") else "",
    ]
    return ", ".join(s for s in said if s)
