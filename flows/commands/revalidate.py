"""`pilots revalidate`: re-validate the deliveries that a changed rule, code list or correction affects."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from flows.commands.console import Exit, echo, progress
from flows.commands.run import prepare, run_flow
from flows.orchestration.run import RunResult, Scope
from flows.reporting.words import revalidated as words
from flows.reporting.words.delivery_names import short_name
from flows.runtime.gc_pause import gc_paused
from flows.runtime.wording import counted, listed
from flows.settings import Settings
from schemas._contract.catalogue import datasets
from schemas._contract.registry import sites

if TYPE_CHECKING:
    from flows.deliveries.validated import ValidatedDelivery
    from flows.reporting.revalidated import Revalidation
    from schemas.audit.deliveries import Delivery

_WHY = "they were not validated yet, or a rule, a code list or a correction that touches them has changed since"


def run_revalidate(
    settings: Settings, moment: datetime | None, site: str, dataset: str, *, with_prefect: bool
) -> RunResult:
    """Re-validate deliveries whose results are out of date, then build and report as the nightly run does.

    An empty `site` or `dataset` means all. Raises typer.Exit(2) for an unknown site or dataset, and as `start_run`.
    """
    _require_known(site, dataset)
    prepare(settings, with_prefect=with_prefect)
    with progress():
        if not with_prefect:
            with gc_paused():
                from flows.nightly import run_pipeline

            return run_pipeline(settings, moment, Scope(new_files=False, site=site, dataset=dataset))
        with gc_paused():
            from flows.nightly import revalidate

        date = moment.isoformat() if moment else None
        return run_flow(revalidate, str(settings.data), date, site, dataset)


@dataclass(frozen=True)
class OutOfDate:
    """Deliveries that a re-validation would validate."""

    deliveries: tuple[Delivery, ...]
    corrections_to_review: tuple[str, ...]  # faulty lines of corrections.csv, to be fixed first

    @property
    def in_words(self) -> str:
        """Number of files, the reason, and the number per site and dataset."""
        files = counted(len(self.deliveries), "file")
        first = f"{files} would be re-validated: {_WHY}." if self.deliveries else "Nothing is out of date."
        return "\n".join([first, *self._sites])

    @property
    def _sites(self) -> list[str]:
        by_site: dict[str, Counter[str]] = defaultdict(Counter)
        for d in self.deliveries:
            by_site[d.site_code][d.dataset] += 1
        lines = []
        for site, counts in sorted(by_site.items()):
            of_datasets = listed([f"{n:,} of {name}" for name, n in sorted(counts.items())])
            lines.append(f"{site}: {counted(counts.total(), 'file')} ({of_datasets})")
        return lines


def find_out_of_date(settings: Settings, moment: datetime | None, site: str, dataset: str) -> OutOfDate:
    """The deliveries that a re-validation would validate. Writes nothing. Raises as `run_revalidate`."""
    _require_known(site, dataset)
    from flows.orchestration.active_run import read_only_run

    with read_only_run(settings, moment, Scope(new_files=False, site=site, dataset=dataset)) as run:
        return OutOfDate(tuple(run.worklist(run.received_before).deliveries), run.corrections.faults)


def in_words(result: RunResult) -> str:
    """Result of a re-validation: a line per delivery that changed or has held rows, and the path of the summary."""
    replaced = result.reported.replaced
    validated = {v.delivery.delivery_id: v for v in result.validated}
    revalidations = result.reported.revalidated
    delivery_ids = dict.fromkeys([*validated, *revalidations])
    lines = sorted(
        line for i in delivery_ids if i not in replaced and (line := _in_short(validated.get(i), revalidations.get(i)))
    )
    if others := len(delivery_ids) - len(lines):
        lines.append(f"{counted(others, 'other file' if lines else 'file')} re-validated: nothing changed.")
    lines += [*result.not_validated, *result.reported.not_reported]
    return "\n".join([*(lines or ["Nothing was out of date."]), f"Summary: {result.reported.summary_path}"])


def _in_short(validated: ValidatedDelivery | None, revalidation: Revalidation | None) -> str:
    """One line about a delivery; '' where nothing changed and no row is held."""
    if validated is not None and validated.verdict.result.is_rejected:
        return f"{short_name(validated.delivery)}: {validated.verdict.result}"
    return (
        words.in_short(revalidation)
        if revalidation is not None and (revalidation.changed or revalidation.still_held)
        else ""
    )


def _require_known(site: str, dataset: str) -> None:
    if site and site not in sites():
        echo(f"There is no site {site}: it is one of {', '.join(sites())}.")
        raise typer.Exit(Exit.USAGE)
    if dataset and dataset not in datasets():
        echo(f"There is no dataset {dataset}: it is one of {', '.join(datasets())}.")
        raise typer.Exit(Exit.USAGE)
