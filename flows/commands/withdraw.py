"""`pilots withdraw`: record that a delivery is withdrawn, or undo that; the next run takes it out of all figures."""

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
    may_identify_person,
    personal_rule,
)
from flows.commands.console import Exit, echo
from flows.deliveries.withdrawn import apply_withdrawals
from flows.reporting.words.delivery_names import short_name, withdrawal_notice
from flows.runtime.log import Entry, Event, log, run_log
from flows.settings import Settings
from flows.store.ledger import Ledger
from flows.store.ledger.runs import EarlierThanKnown, now, wrapped_ledger_errors
from flows.store.lock import writer_lock
from flows.store.paths import DataPaths
from schemas.audit.deliveries import Delivery
from schemas.audit.withdrawals import MAX_REASON_LENGTH

MAX_SUGGESTIONS = 5  # deliveries with similar names, where there is none of the name given


@dataclass(frozen=True)
class RecordedWithdrawal:
    """What was recorded: the deliveries, and whether they are withdrawn or their withdrawal is undone."""

    deliveries: tuple[Delivery, ...]
    undone: bool

    @property
    def in_words(self) -> str:
        """A line per delivery, and when it takes effect."""
        did, will = ("Let back", "counts again") if self.undone else ("Withdrawn", "leaves the figures")
        lines = [f"{did}: {short_name(d)} ({d.delivery_id})" for d in self.deliveries]
        them = "It" if len(lines) == 1 else "Each"
        return "\n".join([*lines, f"{them} {will} with the next run: `pilots run` does it now."])


def record_withdrawal(
    settings: Settings, which: str, reason: str, *, undo: bool, moment: datetime | None
) -> RecordedWithdrawal:
    """Record in the ledger that a delivery, or every delivery of a file, is withdrawn, or undo that.

    `which` is a delivery_id or a file name. Raises typer.Exit(2) for an unusable reason or an unknown or ambiguous
    delivery, Busy, NoDataFolder, LedgerUnusable, EarlierThanKnown.
    """
    reason = " ".join(reason.split())
    if problem := _problem_of_reason(reason, undo=undo):
        raise _usage_error(problem)
    with _open_ledger(settings) as ledger:
        deliveries = ledger.deliveries()
        named = _named(which, deliveries.values())
        at = ledger.effective_now(moment, now())
        _, withdrawn = apply_withdrawals(deliveries.values(), ledger.withdrawals(at), at)
        # of a file with several deliveries, those that are already so are left alone
        chosen = tuple(d for d in named if (d.delivery_id in withdrawn) is undo)
        if not chosen:
            raise _usage_error(
                f"{short_name(named[0])} is not withdrawn."
                if undo
                else f"{short_name(named[0])} is withdrawn already."
                f" {withdrawal_notice(withdrawn[named[0].delivery_id], named[0])}"
            )
        if undo:
            ledger.undo_withdrawals({d.delivery_id: withdrawn[d.delivery_id] for d in chosen}, at)
        else:
            ledger.withdraw([d.delivery_id for d in chosen], reason, at)
        for d in chosen:  # without the reason: free text has no place in the log
            log(Entry(Event.DELIVERY_REINSTATED if undo else Event.DELIVERY_WITHDRAWN, delivery_id=d.delivery_id))
    return RecordedWithdrawal(chosen, undo)


@contextmanager
def _open_ledger(settings: Settings) -> Iterator[Ledger]:
    """Open the ledger for writing, under the lock and with a log, as a run does."""
    paths = DataPaths(settings.data.absolute())
    paths.require()
    if not paths.ledger.exists() and not paths.has_products:
        raise _usage_error("Nothing was received yet: there is no delivery to withdraw.")
    with (
        writer_lock(paths.lock),
        run_log(paths.logs, "withdraw", None, usage_errors=(typer.Exit, EarlierThanKnown)),
        wrapped_ledger_errors(paths),
        closing(Ledger(paths.ledger)) as ledger,
    ):
        ledger.require_history(paths)
        yield ledger


def _problem_of_reason(reason: str, *, undo: bool) -> str:
    """Why a reason is not accepted; '' if it is. The message never quotes it: it may hold personal data."""
    if undo:
        return "To let a delivery back takes no reason: leave --reason away." if reason else ""
    if not reason:
        return 'Say why, for all who look at the figures later: --reason "sent under another site\'s name".'
    if len(reason) > MAX_REASON_LENGTH:
        return f"The reason has {len(reason):,} characters: say it in {MAX_REASON_LENGTH} or fewer."
    if (
        not reason.isprintable()
        or personal_rule(reason)
        or may_identify_person(reason)
        or _may_hold_year_of_birth(reason)
    ):
        return "The reason may hold personal data, and many people will read it: say it without."
    return ""


def _may_hold_year_of_birth(reason: str) -> bool:
    """Whether it names a year in which a participant may have been born. All deliveries are about later years."""
    years = (int(year) for year in re.findall(r"(?<!\d)\d{4}(?!\d)", reason))
    return any(FIRST_YEAR_OF_A_BIRTH <= year <= LAST_YEAR_OF_A_BIRTH for year in years)


def _named(which: str, deliveries: Iterable[Delivery]) -> Sequence[Delivery]:
    """The delivery with this id, or all deliveries of the file with this name. Raises typer.Exit(2) for neither."""
    known = list(deliveries)
    if by_id := [d for d in known if d.delivery_id == which]:
        return by_id
    file_name = which.rpartition("/")[2]
    by_name = [d for d in known if d.file_name == file_name]
    if len({d.sha256 for d in by_name}) == 1:  # several deliveries of one workbook, or of one file sent again
        return by_name
    if by_name:
        raise _usage_error("More than one file came under this name. Say which one is meant:", *_ids(by_name))
    names = {d.delivery_id: d.delivery_id for d in known} | {d.file_name: d.delivery_id for d in known}
    # twice as many matches, because the id and the file name of one delivery may both match
    matches = get_close_matches(which, names, MAX_SUGGESTIONS * 2, cutoff=0.5)
    suggestions = list(dict.fromkeys(names[match] for match in matches))
    message = "There is no delivery of this name." + (" The nearest are:" if suggestions else "")
    raise _usage_error(message, *suggestions[:MAX_SUGGESTIONS])


def _ids(deliveries: Iterable[Delivery]) -> list[str]:
    return [f"{d.delivery_id} (received {d.received_at})" for d in deliveries]


def _usage_error(*lines: str) -> typer.Exit:
    for line in lines:
        echo(line)
    return typer.Exit(Exit.USAGE)
