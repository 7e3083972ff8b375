"""Where corrections lie: `corrections.csv` in the data folder, beside what it corrects, and never in git."""

from __future__ import annotations

from datetime import date

from flows.deliveries.corrections import Corrections, parse_corrections
from flows.runtime.data_folder import CorrectionsUnusable
from flows.store.paths import DataPaths
from flows.store.warehouse import Warehouse
from schemas._rules.corrections import APPLIED


def corrections_of(paths: DataPaths, day: date) -> Corrections:
    """The corrections of a data folder as they stand on a day. Raises OSError where the file cannot be read now.

    Raises CorrectionsUnusable where the file is no table of corrections, or is gone or empty though figures rest on
    it. A line at fault stops nothing: it is told in `faults`.
    """
    try:
        sent = paths.corrections.read_bytes()
    except FileNotFoundError:
        sent = b""
    if not sent.strip() and _figures_rest_on_some(paths):
        raise CorrectionsUnusable(
            "it is gone or empty, and the published figures rest on it. Put it back. Where no correction holds any"
            " more, leave it with its first line alone"
        )
    try:
        text = sent.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CorrectionsUnusable("it is not text in UTF-8. Save it as 'CSV UTF-8 (comma delimited)'") from None
    return parse_corrections(text, day)


def _figures_rest_on_some(paths: DataPaths) -> bool:
    """Whether a correction was made in a delivery of the current build; False where there is none to ask."""
    build = Warehouse(paths).current()
    if build is None:
        return False
    made = "select 1 from audit.findings where rule_id = ? limit 1"
    # None, of a damaged build, is False too: the run itself says so, and makes it anew
    return bool(build.ask_if_sound(lambda db: db.execute(made, [APPLIED]).fetchall()))
