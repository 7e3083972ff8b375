"""`pilots revalidate`: re-validate what a changed rule, code list or correction touches, and report what changed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import typer

from flows.commands.console import Exit, echo, progress
from flows.commands.run import by_prefect, prepare
from flows.orchestration.run import RunResult, Scope
from flows.reporting.words import revalidated as words
from flows.reporting.words.deliveries import short_name
from flows.runtime.gc_pause import gc_paused
from flows.runtime.wording import counted, listed
from flows.settings import Settings
from schemas._contract.catalogue import datasets
from schemas._contract.registry import sites

if TYPE_CHECKING:
    from flows.deliveries.validated import ValidatedDelivery
    from flows.reporting.revalidated import Revalidation
    from schemas.audit.deliveries import Delivery

_WHY = "they were not judged yet, or a rule, a code list or a correction that touches them has changed since"


def run_revalidate(
    settings: Settings, moment: datetime | None, site: str, dataset: str, *, with_prefect: bool
) -> RunResult:
    """Re-validate what is out of date, of all or of one site and dataset, then go on as the run does.

    Raises typer.Exit(2) for a site or dataset that there is none of, and what the run raises.
    """
    _require_known(site, dataset)
    prepare(settings, with_prefect=with_prefect)
    with progress():
        if not with_prefect:
            with gc_paused():
                from flows.nightly import nightly_run

            return nightly_run(settings, moment, Scope(new_files=False, site=site, dataset=dataset))
        with gc_paused():
            from flows.nightly import revalidate

        when = moment.isoformat() if moment else None
        return by_prefect(revalidate, str(settings.data), when, site, dataset)


@dataclass(frozen=True)
class OutOfDate:
    """What a retry would re-validate, and what somebody has to look at in the corrections first: lines at fault."""

    deliveries: tuple[Delivery, ...]
    corrections_to_review: tuple[str, ...]

    @property
    def in_words(self) -> str:
        """How many files, why, and how many of each site."""
        files = counted(len(self.deliveries), "file")
        first = f"{files} would be re-validated: {_WHY}." if self.deliveries else "Nothing is out of date."
        return "\n".join([first, *self._sites])

    @property
    def _sites(self) -> list[str]:
        by_site: dict[str, Counter[str]] = defaultdict(Counter)
        for d in self.deliveries:
            by_site[d.site_code][d.dataset] += 1
        return [
            f"{site}: {counted(of.total(), 'file')} ({listed([f'{n:,} of {name}' for name, n in sorted(of.items())])})"
            for site, of in sorted(by_site.items())
        ]


def out_of_date(settings: Settings, moment: datetime | None, site: str, dataset: str) -> OutOfDate:
    """What a retry would re-validate. Nothing is written. Raises as `run_revalidate`."""
    _require_known(site, dataset)
    from flows.orchestration.active_run import read_only_run

    with read_only_run(settings, moment, Scope(new_files=False, site=site, dataset=dataset)) as run:
        return OutOfDate(tuple(run.worklist(run.received_before).deliveries), run.corrections.faults)


def in_words(result: RunResult) -> str:
    """The outcome of a retry: a line for each delivery that changed or has rows held, and where the summary is."""
    replaced = result.reported.replaced
    validated = {j.delivery.delivery_id: j for j in result.validated}
    again = result.reported.revalidated
    concerned = dict.fromkeys([*validated, *again])
    lines = sorted(line for i in concerned if i not in replaced and (line := _in_short(validated.get(i), again.get(i))))
    if others := len(concerned) - len(lines):
        lines.append(f"{counted(others, 'other file' if lines else 'file')} re-validated: nothing changed.")
    lines += [*result.not_validated, *result.reported.not_reported]
    return "\n".join([*(lines or ["Nothing was out of date."]), f"Summary: {result.reported.path}"])


def _in_short(validated: ValidatedDelivery | None, again: Revalidation | None) -> str:
    """What to say of one delivery; '' where nothing changed and nothing is held."""
    if validated is not None and validated.verdict.result.is_rejected:
        return f"{short_name(validated.delivery)}: {validated.verdict.result}"
    return words.in_short(again) if again is not None and (again.changed or again.still_held) else ""


def _require_known(site: str, dataset: str) -> None:
    if site and site not in sites():
        echo(f"There is no site {site}: it is one of {', '.join(sites())}.")
        raise typer.Exit(Exit.USAGE)
    if dataset and dataset not in datasets():
        echo(f"There is no dataset {dataset}: it is one of {', '.join(datasets())}.")
        raise typer.Exit(Exit.USAGE)
