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
    """What was told: the summary's text and path, and the page of each delivery that was reported.

    `personal` are the ids of deliveries that were refused for personal data, whenever they came. `outcomes` is each
    delivery with its final standing and verdict, `replaced` names those whose place a later one has taken, and
    `not_reported` says which reports could not be written, and why. `verdict_if_quiet` and `sections_if_quiet` are
    what the next summary says if nothing changes.
    """

    summary: str = ""
    path: Path | None = None
    pages: dict[str, Path] = field(default_factory=dict)
    revalidated: dict[str, Revalidation] = field(default_factory=dict)
    outcomes: dict[str, ValidatedDelivery] = field(default_factory=dict)
    replaced: dict[str, Delivery] = field(default_factory=dict)
    not_reported: tuple[str, ...] = ()
    personal: frozenset[str] = frozenset()
    verdict_if_quiet: str = ""
    sections_if_quiet: str = ""


def write_summary(places: DataPaths, run_id: str, summary: str) -> Path:
    """Write the summary of a run, for the duty engineer."""
    path = places.summary(run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, summary)
