"""Which column of a file is which field, and what is wrong with its heading (rules F09-F12, F28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flows.cells.column_letters import column_letter
from flows.cells.garbled import CONTROL, meant_by
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
    """Every heading, folded, by which a column of this dataset is known from this site."""
    return frozenset(fields_by_heading(contract, context))


def fields_by_heading(contract: Contract, context: DeliveryContext) -> dict[str, str]:
    """The field that each heading means, folded, in what this site sends of this dataset.

    The titles by which reports speak of a field are headings too: a sender who is asked for one may well use it.
    """
    known = {fold(f.title): f.name for f in contract.fields}
    known |= {fold(alias): f.name for f in contract.fields for alias in f.aliases}
    known |= {fold(f.name): f.name for f in contract.fields}
    return known | dict(context.headings)


def lay_out(
    headings: Sequence[str], contract: Contract, context: DeliveryContext, *, is_marked: bool = False
) -> Layout:
    """Match the headings of a file with the contract's fields (rules F09-F12, F28).

    Of two columns for one field neither is read: which is meant is not known, and findings in the wrong one mislead.
    """
    known = fields_by_heading(contract, context)
    tell_tale = {h for h in headings if contract.participant_level and personal_rule(h)}
    columns = _columns(headings, known, contract, context)
    positions: dict[str, int] = {}
    findings: list[Finding] = []
    seen: set[str] = set()
    for i, (heading, column) in enumerate(zip(headings, columns, strict=True)):
        same_heading = fold(heading) in seen and heading != ""
        seen.add(fold(heading))
        if same_heading or column.field in positions:
            findings.append(Finding("F12", Severity.FILE, field=column.field, column=column))
            continue
        if is_garbled := CONTROL.search(heading) is not None:
            findings.append(_about_garbled(heading, column))
        if column.field:
            positions[column.field] = i
            if column.heading != column.field and not is_garbled:
                findings.append(
                    Finding("F10", Severity.WARNING, field=column.field, column=column, found=column.heading)
                )
        elif heading in tell_tale or (contract.participant_level and heading_is_personal(heading)):
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
    """What to tell of a heading with control characters (F28), and what was meant where the heading may be shown."""
    if heading != column.heading:
        return Finding("F28", Severity.WARNING, field=column.field, column=column, hidden=True)
    meant = meant_by(heading) or None
    return Finding("F28", Severity.WARNING, field=column.field, column=column, found=heading, suggestion=meant)


def _columns(
    headings: Sequence[str], known: Mapping[str, str], contract: Contract, context: DeliveryContext
) -> tuple[Column, ...]:
    """The columns as they may be spoken of: a heading that is no field's and may be personal is told by its place."""
    fields = [known.get(fold(h), "") for h in headings]
    letters = [column_letter(i) for i in range(len(headings))]
    told = redact_headings(headings, letters, contract, context.data_cut_date)
    return tuple(
        Column(heading if field or not heading or _states_version(heading) else safe, letter, field)
        for heading, safe, letter, field in zip(headings, told, letters, fields, strict=True)
    )


def _states_version(heading: str) -> bool:
    """Whether a column says on which version of the form its rows were filled in. It is no field, and is not kept."""
    return fold(heading) == fold(VERSION_COLUMN)


def _is_ours(heading: str) -> bool:
    """Whether a column is the one that the warehouse put into a workbook that it gave back, wherever it stands now."""
    return heading == ROW_PROBLEMS
