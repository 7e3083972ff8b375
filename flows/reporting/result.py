"""Result of the reporting step, and the summary writer."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from flows.store.durable import write_whole
from flows.store.paths import DataPaths

if TYPE_CHECKING:
    from flows.deliveries.validated import ValidatedDelivery
    from flows.reporting.revalidated import Revalidation
    from schemas.audit.deliveries import Delivery


@dataclass(frozen=True)
class ReportingResult:
    """What the reporting step wrote, and the final outcomes it wrote about. Mappings and sets are by delivery_id."""

    summary: str = ""  # its text
    summary_path: Path | None = None
    pages: dict[str, Path] = field(default_factory=dict)  # of the reports that were written
    revalidated: dict[str, Revalidation] = field(default_factory=dict)
    outcomes: dict[str, ValidatedDelivery] = field(default_factory=dict)  # with final standing and verdict
    replaced: dict[str, Delivery] = field(default_factory=dict)  # with the accepted delivery that took its place
    not_reported: tuple[str, ...] = ()  # reports that could not be written, and why
    personal: frozenset[str] = frozenset()  # refused for personal data, in this run or before
    money: Path | None = None  # the overview of money, if it was written
    no_op_verdict: str = ""  # of the summary that later runs reissue while nothing changes
    no_op_sections: str = ""


def write_summary(paths: DataPaths, run_id: str, summary: str) -> Path:
    """Write the summary of a run, for the duty engineer."""
    path = paths.summary(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, summary)
