"""Match the columns of a file with the contract's fields; report faults in the heading (rules F09-F12, F28, F40)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from flows.cells.column_letters import column_letter
from flows.cells.garbled import CONTROL, ungarbled
from flows.cells.headings import names_other_unit, order_in_hint, split_hint
from flows.cells.identifiers import heading_is_personal, personal_rule
from flows.cells.redact import redact_headings
from flows.deliveries.conformed import Layout
from flows.deliveries.context import DeliveryContext
from flows.deliveries.findings import Finding
from flows.runtime.wording import counted, listed
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Field, Kind, Severity
from schemas._contract.workbook_names import ROW_PROBLEMS
from schemas._rules.files import VERSION_COLUMN
from schemas.audit.deliveries import Column

MAX_NAMED = 3  # missing headings in one finding
# Words of hints that say what to fill in, even where they are also words of some field's name.
_WORDS_OF_HINTS = frozenset(
    {"code", "codes", "date", "gbp", "hours", "id", "list", "number", "ref", "reference", "text"}
)
_FORMAT_OF_DATES = re.compile(r"(?:day|month|year|[dmy]|\W)+", re.IGNORECASE)
_DAYS_AND_MONTHS = {"dmy": "day/month/year", "mdy": "month/day/year"}


def known_headings(contract: Contract, context: DeliveryContext) -> frozenset[str]:
    """All headings, folded, under which a field of this dataset is recognised in this site's files."""
    return frozenset(fields_by_heading(contract, context))


def fields_by_heading(contract: Contract, context: DeliveryContext) -> dict[str, str]:
    """The field for each heading (folded) that is recognised in this site's files of this dataset.

    Titles count as headings, because reports use them: a sender who is asked for a missing column may copy its title.
    The site's own headings override all others.
    """
    # Later entries win: a field's own name over another field's alias, and an alias over a title.
    known = {fold(f.title): f.name for f in contract.fields}
    known |= {fold(alias): f.name for f in contract.fields for alias in f.aliases}
    known |= {fold(f.name): f.name for f in contract.fields}
    return known | dict(context.headings)


def match_headings(
    headings: Sequence[str], contract: Contract, context: DeliveryContext, *, is_marked: bool = False
) -> Layout:
    """Match the headings of a file with the contract's fields (rules F09-F12, F28, F40).

    If two columns are for the same field, neither is read: nobody knows which is meant, and findings in the wrong one
    would mislead.
    """
    known = fields_by_heading(contract, context)
    personal = {h for h in headings if contract.participant_level and personal_rule(h)}
    fields = _fields(headings, known, contract)
    columns = _columns(headings, fields, contract, context)
    date_orders: dict[str, str] = {}
    positions: dict[str, int] = {}
    findings: list[Finding] = []
    seen: set[str] = set()
    for i, (heading, column) in enumerate(zip(headings, columns, strict=True)):
        # Two columns with the same heading are duplicates even if no field is called so.
        same_heading = fold(heading) in seen and heading != ""
        seen.add(fold(heading))
        if same_heading or column.field in positions:
            findings.append(Finding("F12", Severity.FILE, field=column.field, column=column))
            continue
        if is_garbled := CONTROL.search(heading) is not None:
            findings.append(_about_garbled(heading, column))
        if column.field:
            positions[column.field] = i
            # A heading in another spelling is accepted with a warning; a garbled one has its warning already.
            if fold(heading) not in known:
                order = order_in_hint(split_hint(heading)[1])
                if order and contract.by_name[column.field].kind is Kind.DATE:
                    date_orders[column.field] = order
                is_other_unit = names_other_unit(split_hint(heading)[1], contract.by_name[column.field])
                severity = Severity.FILE if is_other_unit else Severity.WARNING
                findings.append(_about_hint(column, date_orders.get(column.field, ""), severity))
            elif column.heading != column.field and not is_garbled:
                findings.append(
                    Finding("F10", Severity.WARNING, field=column.field, column=column, found=column.heading)
                )
        # An unknown column that may hold personal data refuses the file; any other is ignored with a warning.
        elif heading in personal or (contract.participant_level and heading_is_personal(heading)):
            findings.append(Finding("F11", Severity.FILE, column=column))
        elif column.heading and not _states_version(heading) and not _is_ours(heading):
            findings.append(Finding("F11", Severity.WARNING, column=column))
    missing = [f.name for f in contract.fields if f.column_is_required and f.name not in positions]
    findings += [Finding("F09", Severity.FILE, field=name) for name in missing]
    twice = {f.field for f in findings if f.rule_id == "F12"}
    other_unit = {f.field for f in findings if f.rule_id == "F40" and f.severity is Severity.FILE}
    version = next((i for i, h in enumerate(headings) if _states_version(h)), None)
    read = {name: i for name, i in positions.items() if name not in twice | other_unit}
    return Layout(
        columns,
        read,
        findings,
        version,
        as_written=tuple(headings),
        is_marked=is_marked or ROW_PROBLEMS in headings,
        date_orders=date_orders,
        not_read=frozenset(other_unit),
    )


def heading_line_findings(
    at_fault: Sequence[Finding], missing: Sequence[str], layout: Layout, contract: Contract
) -> list[Finding]:
    """The findings about a heading line at fault, with the fields for which it lacks a heading.

    An empty cell at the end of every line (F32) is no surplus then: a heading is missing (F43).
    """
    titles = listed([contract.by_name[name].title for name in missing[:MAX_NAMED]])
    named = f": no heading for {titles}{' and others' if missing[MAX_NAMED:] else ''}" if missing else ""
    findings = []
    for f in at_fault:
        headings = counted(sum(map(bool, layout.as_written)), "heading")
        found = f"{headings}, and {f.found} on the lines below" if f.rule_id == "F32" else f.found
        is_of_line = f.rule_id in ("F32", "F43")
        findings.append(Finding("F43", Severity.FILE, found=f"{found}{named}") if is_of_line else f)
    return findings


def _fields(headings: Sequence[str], known: Mapping[str, str], contract: Contract) -> list[str]:
    """The field of each column; '' for an unknown one.

    A heading with a hint after it stands for a field only if no other heading does so without a hint: 'Contact type
    (other)' is a column of its own beside 'Contact type'.
    """
    fields = [known.get(fold(h), "") for h in headings]
    taken = set(fields)
    for i, heading in enumerate(headings):
        name, hint = ("", "") if fields[i] else split_hint(heading)
        field = known.get(fold(name), "") if name else ""
        if field and field not in taken and _only_says_how(hint, heading, contract.by_name[field], contract):
            fields[i] = field
    return fields


def _only_says_how(hint: str, heading: str, field: Field, contract: Contract) -> bool:
    """Whether a hint says how to fill in the field, rather than that the column is another one.

    'Weekly hours (exit)' may be the hours at exit, if another field has that word.
    """
    if contract.participant_level and (personal_rule(heading) or heading_is_personal(hint)):
        return False
    of_others = {word for f in contract.fields if f is not field for word in _words(f.name)}
    return not (_words(hint) - _words(field.name) - _WORDS_OF_HINTS) & of_others


def _words(text: str) -> set[str]:
    """The words of a name or heading that have more than two letters."""
    return set(re.findall(r"[a-z]{3,}", text.casefold()))


def _about_hint(column: Column, order: str, severity: Severity) -> Finding:
    """The finding for a heading that was read without its hint (F40), and what the hint says of the dates."""
    read = (
        f"{column.heading}: dates such as 03/04/2016 are taken as {_DAYS_AND_MONTHS[order]}"
        if order
        else column.heading
    )
    return Finding("F40", severity, field=column.field, column=column, found=read)


def _about_garbled(heading: str, column: Column) -> Finding:
    """A warning for a heading with control characters (F28), with the likely text if the heading may be shown."""
    if heading != column.heading:
        return Finding("F28", Severity.WARNING, field=column.field, column=column, hidden=True)
    meant = ungarbled(heading) or None
    return Finding("F28", Severity.WARNING, field=column.field, column=column, found=heading, suggestion=meant)


def _columns(
    headings: Sequence[str], fields: Sequence[str], contract: Contract, context: DeliveryContext
) -> tuple[Column, ...]:
    """The columns as reports may name them: an unknown heading that may be personal is replaced by its letter.

    Of a heading with a hint that may be personal, only what is before the hint is shown.
    """
    known = fields_by_heading(contract, context)
    letters = [column_letter(i) for i in range(len(headings))]
    redacted = redact_headings(headings, letters, contract, context.data_cut_date)
    return tuple(
        Column(_shown(heading, safe, field, known), letter, field)
        for heading, safe, letter, field in zip(headings, redacted, letters, fields, strict=True)
    )


def _shown(heading: str, redacted: str, field: str, known: Mapping[str, str]) -> str:
    """A heading as reports may show it."""
    if not heading or _states_version(heading) or (field and fold(heading) in known):
        return heading
    name, hint = split_hint(heading)
    if not field or redacted == heading:
        return redacted
    return heading if _FORMAT_OF_DATES.fullmatch(hint) else name.strip()


def _states_version(heading: str) -> bool:
    """Whether a column states the version of the form. It is checked (F24), but is not a field and is not stored."""
    return fold(heading) == fold(VERSION_COLUMN)


def _is_ours(heading: str) -> bool:
    """Whether a column is the problems column that we add to a marked workbook."""
    return heading == ROW_PROBLEMS
