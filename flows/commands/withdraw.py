"""`pilots withdraw`: take a delivery out of all figures, or let it back; the next run does what is noted here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

import typer

from flows.cells.identifiers import (
    FIRST_YEAR_OF_A_BIRTH,
    LAST_YEAR_OF_A_BIRTH,
    may_be_a_persons,
    personal_rule,
)
from flows.commands.console import Exit, echo
from flows.deliveries.withdrawn import apply_withdrawals
from flows.reporting.words.deliveries import short_name, withdrawal_notice
from flows.runtime.log import Entry, Event, log, run_log
from flows.settings import Settings
from flows.store.ledger import Ledger
from flows.store.ledger.runs import EarlierThanKnown, now, wrapped_ledger_errors
from flows.store.lock import writer_lock
from flows.store.paths import DataPaths
from schemas.audit.deliveries import Delivery
from schemas.audit.withdrawals import LONGEST_REASON

NEAREST = 5  # deliveries that are named where the one that was meant is not known


@dataclass(frozen=True)
class Noted:
    """What was noted: of which deliveries, and whether they are withdrawn or let back."""

    deliveries: tuple[Delivery, ...]
    let_back: bool

    @property
    def in_words(self) -> str:
        """What was noted, delivery by delivery, and when it shows."""
        did, will = ("Let back", "counts again") if self.let_back else ("Withdrawn", "leaves the figures")
        lines = [f"{did}: {short_name(d)} ({d.delivery_id})" for d in self.deliveries]
        them = "It" if len(lines) == 1 else "Each"
        return "\n".join([*lines, f"{them} {will} with the next run: `pilots run` does it now."])


def withdraw(settings: Settings, which: str, reason: str, *, undo: bool, moment: datetime | None) -> Noted:
    """Note that a delivery, or all that is in a file, is withdrawn for a reason, or let back.

    Raises typer.Exit(2) for what cannot be meant, Busy, NoDataFolder, LedgerUnusable, EarlierThanKnown.
    """
    reason = " ".join(reason.split())
    if why := _why_no_reason(reason, undo=undo):
        raise _usage(why)
    with _ledger_to_write(settings) as ledger:
        deliveries = ledger.deliveries()
        named = _named(which, deliveries.values())
        at = ledger.effective_now(moment, now())
        _, withdrawn = apply_withdrawals(deliveries.values(), ledger.withdrawals(at), at)
        chosen = tuple(d for d in named if (d.delivery_id in withdrawn) is undo)
        if not chosen:
            raise _usage(
                f"{short_name(named[0])} is not withdrawn."
                if undo
                else f"{short_name(named[0])} is withdrawn already."
                f" {withdrawal_notice(withdrawn[named[0].delivery_id], named[0])}"
            )
        if undo:
            ledger.undo_withdrawals({d.delivery_id: withdrawn[d.delivery_id] for d in chosen}, at)
        else:
            ledger.withdraw([d.delivery_id for d in chosen], reason, at)
        for d in chosen:  # the reason is a person's words, and stays in the ledger
            log(Entry(Event.DELIVERY_REINSTATED if undo else Event.DELIVERY_WITHDRAWN, delivery_id=d.delivery_id))
    return Noted(chosen, undo)


@contextmanager
def _ledger_to_write(settings: Settings) -> Iterator[Ledger]:
    places = DataPaths(settings.data.absolute())
    places.require()
    if not places.ledger.exists() and not places.has_products:
        raise _usage("Nothing was received yet: there is no delivery to withdraw.")
    with (
        writer_lock(places.lock),
        run_log(places.logs, "withdraw", None, rejections=(typer.Exit, EarlierThanKnown)),
        wrapped_ledger_errors(places),
        closing(Ledger(places.ledger)) as ledger,
    ):
        ledger.require_history(places)
        yield ledger


def _why_no_reason(reason: str, *, undo: bool) -> str:
    """What is wrong with a reason; '' where it will do. It is never repeated: what is wrong may be personal."""
    if undo:
        return "To let a delivery back takes no reason: leave --reason away." if reason else ""
    if not reason:
        return 'Say why, for all who look at the figures later: --reason "sent under another site\'s name".'
    if len(reason) > LONGEST_REASON:
        return f"The reason has {len(reason):,} characters: say it in {LONGEST_REASON} or fewer."
    if not reason.isprintable() or personal_rule(reason) or may_be_a_persons(reason) or _may_tell_a_birth(reason):
        return "The reason may hold personal data, and many people will read it: say it without."
    return ""


def _may_tell_a_birth(reason: str) -> bool:
    """Whether a year is named in which somebody in a pilot may have been born; no delivery is about so early a day."""
    years = (int(year) for year in re.findall(r"(?<!\d)\d{4}(?!\d)", reason))
    return any(FIRST_YEAR_OF_A_BIRTH <= year <= LAST_YEAR_OF_A_BIRTH for year in years)


def _named(which: str, deliveries: Iterable[Delivery]) -> Sequence[Delivery]:
    """The deliveries that are meant: one by its id, or all in the file of a name. Raises typer.Exit(2) if none is."""
    known = list(deliveries)
    if own := [d for d in known if d.delivery_id == which]:
        return own
    file_name = which.rpartition("/")[2]
    of_name = [d for d in known if d.file_name == file_name]
    if len({d.sha256 for d in of_name}) == 1:
        return of_name
    if of_name:
        raise _usage("More than one file came under this name. Say which one is meant:", *_ids(of_name))
    names = {d.delivery_id: d.delivery_id for d in known} | {d.file_name: d.delivery_id for d in known}
    near = {names[found]: None for found in get_close_matches(which, names, NEAREST * 2, cutoff=0.5)}
    said = "There is no delivery of this name." + (" The nearest are:" if near else "")
    raise _usage(said, *[*near][:NEAREST])


def _ids(deliveries: Iterable[Delivery]) -> list[str]:
    return [f"{d.delivery_id} (received {d.received_at})" for d in deliveries]


def _usage(*lines: str) -> typer.Exit:
    for line in lines:
        echo(line)
    return typer.Exit(Exit.USAGE)
