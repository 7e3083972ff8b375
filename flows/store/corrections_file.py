"""Read `corrections.csv` of the data folder. It quotes what sites sent, so it is never in git."""

from __future__ import annotations

from datetime import date

from flows.deliveries.corrections import Corrections, parse_corrections
from flows.runtime.data_folder import CorrectionsUnusable
from flows.store.paths import DataPaths
from flows.store.warehouse import Warehouse
from schemas._rules.agreements import APPLIED


def corrections_of(paths: DataPaths, day: date) -> Corrections:
    """The corrections of a data folder that hold on a day; none where there is no file and there never was one.

    A faulty line stops nothing: it is in `faults`. Raises CorrectionsUnusable where the file is not a table of
    corrections, or is missing or empty although the current build has corrected cells; OSError where it cannot be read.
    """
    try:
        content = paths.corrections.read_bytes()
    except FileNotFoundError:
        content = b""
    if not content.strip() and _current_build_has_corrections(paths):
        raise CorrectionsUnusable(
            "it is gone or empty, and the published figures rest on it. Put it back. Where no correction holds any"
            " more, leave it with its first line alone"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CorrectionsUnusable("it is not text in UTF-8. Save it as 'CSV UTF-8 (comma delimited)'") from None
    return parse_corrections(text, day)


def _current_build_has_corrections(paths: DataPaths) -> bool:
    """Whether a cell of the current build was corrected; False where there is no build."""
    build = Warehouse(paths).current()
    if build is None:
        return False
    query = "select 1 from audit.findings where rule_id = ? limit 1"
    # a damaged build gives None: False as well, because the run reports it and replaces the build
    return bool(build.query_or_none(lambda db: db.execute(query, [APPLIED]).fetchall()))
