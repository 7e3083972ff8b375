"""Match the columns of a file with the contract's fields, and report faults in the heading (rules F09-F12, F28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flows.cells.column_letters import column_letter
from flows.cells.garbled import CONTROL, ungarbled
from flows.cells.identifiers import heading_is_personal, personal_rule
from flows.cells.redact import redact_headings
from flows.deliveries.conformed import Layout
from flows.deliveries.context import DeliveryContext
from flows.deliveries.findings import Finding
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Severity
from schemas._contract.workbook_names import ROW_PROBLEMS
from schemas._rules.files import VERSION_COLUMN
from schemas.audit.deliveries import Column


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
    """Match the headings of a file with the contract's fields (rules F09-F12, F28).

    If two columns are for the same field, neither is read: nobody knows which is meant, and findings in the wrong one
    would mislead.
    """
    known = fields_by_heading(contract, context)
    personal = {h for h in headings if contract.participant_level and personal_rule(h)}
    columns = _columns(headings, known, contract, context)
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
            if column.heading != column.field and not is_garbled:
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
    version = next((i for i, h in enumerate(headings) if _states_version(h)), None)
    read = {name: i for name, i in positions.items() if name not in twice}
    return Layout(
        columns,
        read,
        findings,
        version,
        as_written=tuple(headings),
        is_marked=is_marked or ROW_PROBLEMS in headings,
    )


def _about_garbled(heading: str, column: Column) -> Finding:
    """A warning for a heading with control characters (F28), with the likely text if the heading may be shown."""
    if heading != column.heading:
        return Finding("F28", Severity.WARNING, field=column.field, column=column, hidden=True)
    meant = ungarbled(heading) or None
    return Finding("F28", Severity.WARNING, field=column.field, column=column, found=heading, suggestion=meant)


def _columns(
    headings: Sequence[str], known: Mapping[str, str], contract: Contract, context: DeliveryContext
) -> tuple[Column, ...]:
    """The columns as reports may name them: an unknown heading that may be personal is replaced by its letter."""
    fields = [known.get(fold(h), "") for h in headings]
    letters = [column_letter(i) for i in range(len(headings))]
    redacted = redact_headings(headings, letters, contract, context.data_cut_date)
    return tuple(
        Column(heading if field or not heading or _states_version(heading) else safe, letter, field)
        for heading, safe, letter, field in zip(headings, redacted, letters, fields, strict=True)
    )


def _states_version(heading: str) -> bool:
    """Whether a column states the version of the form. It is checked (F24), but is not a field and is not stored."""
    return fold(heading) == fold(VERSION_COLUMN)


def _is_ours(heading: str) -> bool:
    """Whether a column is the problems column that we add to a marked workbook."""
    return heading == ROW_PROBLEMS
