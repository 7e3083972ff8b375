"""The index page of a site: its latest files, what to do and by when, what is due next, and its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flows.runtime.wording import counted, day, deadline, listed, month
from schemas._contract.registry import sites

INDEX = "index.html"  # in the site's folder of reports
LATEST, DUE_NEXT, HISTORY = "The latest file of each dataset", "What is due next", "All files that came"
HISTORY_IN_SHORT = "Newest first"
FILE, RECEIVED, RESULT, WHAT_TO_DO, LINKS = "File", "Received", "Result", "What to do", "Open"
REPORT, WORKBOOK, FINDINGS = "Report", "Your file with the cells to fix marked", "Every finding as a table"
NONE_RECEIVED = "No file has come yet"
NOT_TAKEN_IN = "Files that were not taken in, and why"
NO_PERSONAL_VALUES = "This page holds no personal values. It is safe to forward to the people who look after your data."
FILES_LISTED = 100


@dataclass(frozen=True)
class SentFile:
    """One delivery of a site, as the index lists it. Links are file names beside the page; '' where there is none."""

    dataset_title: str
    period: str
    version: int
    file_name: str
    received_at: datetime
    outcome: str
    what_to_do: str = ""  # the title of its report
    must_act: bool = False
    report: str = ""
    workbook: str = ""
    findings: str = ""

    @property
    def title(self) -> str:
        """'Contacts, November 2016'."""
        return f"{self.dataset_title}, {month(self.period)}"

    @property
    def received(self) -> str:
        """The day on which it came, and its version."""
        return f"{day(self.received_at)}, version {self.version}"

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """File names beside the page with the text of the link to them."""
        links = ((self.report, REPORT), (self.workbook, WORKBOOK), (self.findings, FINDINGS))
        return tuple((name, f"{text}: {self.title}") for name, text in links if name)


@dataclass(frozen=True)
class SiteIndex:
    """Everything on the index page of one site."""

    site: str
    latest: tuple[SentFile, ...]
    history: tuple[SentFile, ...]  # newest first
    never_sent: tuple[str, ...] = ()  # titles of datasets that the site has to send
    overdue: tuple[tuple[str, str], ...] = ()  # month and title of each dataset that was due
    due_period: str = ""
    due: datetime | None = None
    due_datasets: tuple[str, ...] = ()
    not_taken_in: str = ""  # name of the page on files that were not taken in
    contact: str = ""  # of the data team

    @property
    def caption(self) -> str:
        """The line above the title: the site's name and code."""
        return f"{sites()[self.site].name} · {self.site}"

    @property
    def instruction(self) -> str:
        """The page's title: what to do, and by when."""
        to_fix = sum(f.must_act for f in self.latest)
        by = f" by {deadline(self.due)}" if self.due and to_fix else ""
        parts = [f"fix {counted(to_fix, 'file')}{by}"] if to_fix else []
        parts += [f"send {counted(len(self.overdue), 'return')} now overdue"] if self.overdue else []
        parts += ["look at the files that were not taken in"] if self.not_taken_in else []
        text = listed(parts) or "nothing to do now"
        return text[0].upper() + text[1:]

    @property
    def overdue_in_words(self) -> str:
        """Which returns are overdue; '' for none."""
        of_month = {
            period: [t for p, t in self.overdue if p == period] for period in sorted({p for p, _ in self.overdue})
        }
        return " ".join(f"Overdue for {month(period)}: {listed(titles)}." for period, titles in of_month.items())

    @property
    def due_in_words(self) -> str:
        """Which returns are due next, and when."""
        if self.due is None or not self.due_period:
            return "No return is due in the calendar."
        if not self.due_datasets:
            return f"Every file for {month(self.due_period)} has come."
        return f"For {month(self.due_period)}, by {deadline(self.due)}: {listed(self.due_datasets)}."

    @property
    def listed_history(self) -> tuple[SentFile, ...]:
        """The files in the table of all files."""
        return self.history[:FILES_LISTED]

    @property
    def more_history(self) -> str:
        """How many older files the table leaves out; '' for none."""
        more = len(self.history) - FILES_LISTED
        return f"{counted(more, 'older file is', 'older files are')} not listed here." if more > 0 else ""

    @property
    def whom_to_ask(self) -> str:
        """How to reach the data team; '' where no contact is set."""
        return contact_in_words(self.contact)


def contact_in_words(contact: str) -> str:
    """How to reach the data team; '' where no contact is set."""
    return f"To reach the data team: {contact}." if contact else ""
