"""`pilots template`: a blank workbook to fill in, for one dataset or for a site's whole return."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import typer

from flows.commands.console import Exit, echo
from flows.deliveries.file_names import PERIOD, WHOLE_RETURN
from flows.workbooks.blank import write_blank_workbook
from schemas._contract.catalogue import datasets
from schemas._contract.model import Contract
from schemas._contract.registry import REQUIRED, is_sent_for, returns_for, sites


def write_template(dataset: str, site: str = "", period: str = "", to: Path | None = None) -> Path:
    """Write a blank workbook, by default under the name that it must have when it is sent. Returns its path.

    Raises typer.Exit(2) for an unknown dataset, site or month, and where the file exists.
    """
    if site and site not in sites():
        _refuse(f"There is no site called {site}. A site code looks like MHT-BPL.")
    if period and not re.fullmatch(PERIOD, period):
        _refuse(f"'{period}' is not a valid month: write November 2016 as 201611.")
    contracts = _contracts(dataset, site, period)
    name = f"{site or '<site>'}_{dataset}_{period or '<yyyymm>'}_v1.xlsx"
    path = to or Path(name if site and period else f"{'_'.join(filter(None, (site, dataset)))}_blank.xlsx")
    if path.exists():
        _refuse(f"{path} is there already: it is not written over. Say another name with --to.")
    if path.suffix != ".xlsx":
        _refuse(f"{path} must end in .xlsx: it is an Excel workbook.")
    path.parent.mkdir(parents=True, exist_ok=True)
    # In memory, then written by us: if the folder cannot be written into, xlsxwriter hides that in an error of its own.
    book = BytesIO()
    write_blank_workbook(book, contracts, name, site, period)
    with path.open("xb") as file:
        file.write(book.getbuffer())
    return path


def _contracts(dataset: str, site: str, period: str) -> list[Contract]:
    """The datasets of a workbook: one, or all that the site has to send for a month (without a month, for any)."""
    if dataset != WHOLE_RETURN:
        if dataset not in datasets():
            _refuse(f"There is no dataset called {dataset}. There are: {', '.join(datasets())}, and {WHOLE_RETURN}.")
        return [datasets()[dataset]]
    if not site:
        _refuse("A whole return differs from site to site: say which with --site, such as --site MHT-BPL.")
    owed = [
        datasets()[name]
        for name, need in returns_for(site).items()  # in the order of the registry: people, then money
        if need == REQUIRED and (not period or is_sent_for(site, name, period))
    ]
    if not owed:
        _refuse(f"{site} owes no dataset: name the one it wants to send.")
    return owed


def _refuse(message: str) -> None:
    echo(message)
    raise typer.Exit(Exit.USAGE)
