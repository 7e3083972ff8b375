"""Detect a file that has the columns of a dataset other than the one it is named after (rule F42)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flows.cells.headings import recognise
from flows.deliveries.conformed import Layout
from flows.deliveries.context import DeliveryContext
from flows.deliveries.findings import Finding
from flows.steps.conform.heading import fields_by_heading
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import fold
from schemas._contract.model import Contract, Severity
from schemas._contract.registry import profile
from schemas._rules.headings import COLUMNS_OF
from schemas.audit.deliveries import Column

MIN_HEADINGS = 3  # of the other dataset: fewer may occur by chance
MIN_LEAD = 3  # more headings of the other dataset than of this one
MIN_SHARE = 0.6  # of the headings


def headings_of_any_dataset(context: DeliveryContext) -> frozenset[str]:
    """All headings, folded, under which a field of any dataset is recognised in this site's files."""
    return frozenset().union(*(fields_by_heading(c, _context_of(c, context)) for c in datasets().values()))


def other_dataset(headings: Sequence[str], contract: Contract, context: DeliveryContext) -> Contract | None:
    """The dataset whose columns these are, if it is clearly another than `contract`; else None."""
    own = len(_fields(headings, contract, context))
    filled = sum(1 for h in headings if h.strip())
    found = {name: _fields(headings, c, context) for name, c in datasets().items() if name != contract.dataset}
    best = max(found, key=lambda name: len(found[name]))
    n = len(found[best])
    is_it = n >= max(MIN_HEADINGS, MIN_SHARE * filled, own + MIN_LEAD) and _key_columns(datasets()[best]) <= found[best]
    return datasets()[best] if is_it else None


def layout_of_other(layout: Layout, contract: Contract, other: Contract) -> Layout:
    """The layout of a file that holds another dataset: nothing is read, and one finding says why."""
    found = Finding("F42", Severity.FILE, found=COLUMNS_OF.format(other.title))
    return layout_of_nothing(layout, contract, [found])


def layout_of_nothing(layout: Layout, contract: Contract, why: Sequence[Finding]) -> Layout:
    """The layout of a file of which nothing is read, because its heading cannot be used; `why` refuses it.

    Its cells are searched for personal data all the same, and so are its headings.
    """
    personal = [f for f in layout.findings if f.rule_id == "F11" and f.severity is Severity.FILE]
    columns = tuple(Column(c.heading or f"column {c.letter}", c.letter, "") for c in layout.columns)
    return replace(
        layout, columns=columns, positions={}, findings=[*why, *personal], not_read=frozenset(contract.by_name)
    )


def _key_columns(contract: Contract) -> set[str]:
    return {name for name in contract.key if contract.by_name[name].column_is_required}


def _fields(headings: Sequence[str], contract: Contract, context: DeliveryContext) -> set[str]:
    """The fields of a dataset for which a file has a heading."""
    known = fields_by_heading(contract, _context_of(contract, context))
    return {known[heading] for h in headings if (heading := recognise(h, known))}


def _context_of(contract: Contract, context: DeliveryContext) -> DeliveryContext:
    """The context with the site's own headings of this dataset."""
    own = profile(context.site_code).headings.get(contract.dataset, {})
    return replace(context, headings=tuple(sorted((fold(h), f) for h, f in own.items())))
