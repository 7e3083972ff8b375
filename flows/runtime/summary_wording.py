"""Wording of a run's summary, for full runs and no-op runs. It imports nothing heavy, for the latter.

Apart from `wording.py`, with which findings are worded: so rewording a summary re-validates no file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flows.runtime.wording import counted, moment


def personal_data_first(files: int) -> str:
    """The first sentence of a summary while files with personal data are in data/raw; '' for none."""
    lie, them = ("lies", "it") if files == 1 else ("lie", "them")
    text = f"{counted(files, 'file')} with personal data {lie} in data/raw: delete {them} under the incident process."
    return text if files else ""


def safe_in_markdown(text: str) -> str:
    """Escape & and < in a Markdown text, except in `code`, where Markdown leaves them as they are."""
    pieces = re.split(r"(`[^`\n]*`)", text)  # every second piece is code
    return "".join(p if i % 2 else p.replace("&", "&amp;").replace("<", "&lt;") for i, p in enumerate(pieces))


def summary_in_words(verdict: str, run: Mapping[str, Any], sections: str) -> str:
    """The summary of a run in Markdown: the verdict in one sentence, which run it was, and the sections.

    `run` has `id`, `started_at` and `code_version`, and as `before` a warning that the run before it failed, if any.
    """
    return "\n\n".join(part for part in (verdict, _run_line(run), run.get("before"), sections) if part) + "\n"


def _run_line(run: Mapping[str, Any]) -> str:
    started = run.get("started_at")
    parts = [
        f"Run {run['id']}" if run.get("id") else "",
        f"started {moment(started) if isinstance(started, datetime) else started}" if started else "",
        f"code version {run['code_version']}" if run.get("code_version") else "",
    ]
    return ", ".join(part for part in parts if part)
