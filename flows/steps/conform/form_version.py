"""Report a workbook that uses another version of the form, in place of the findings that follow from it (F47)."""

from __future__ import annotations

from dataclasses import replace

from flows.deliveries.conformed import Layout
from flows.deliveries.findings import Finding
from flows.runtime.wording import listed
from schemas._contract.model import Contract, Severity
from schemas._rules.files import FORM_VERSIONS

_ABOUT_OTHER_COLUMNS = ("F09", "F41")
_MAX_SHOWN = 12  # letters and digits of a version: a longer text may be anything


def layout_of_form(layout: Layout, contract: Contract, version: str) -> Layout:
    """The layout of a file, given the form's stated `version` ('' if none).

    If another version lacks columns that are needed, one finding names them. Columns that it has beyond ours are named
    by their own findings.
    """
    if not version or version in FORM_VERSIONS:
        return layout
    missing = [f for f in layout.findings if f.rule_id in _ABOUT_OTHER_COLUMNS and f.severity is Severity.FILE]
    shown = version if len(version) <= _MAX_SHOWN and version.replace(".", "").isalnum() else "another"
    titles = [contract.by_name[f.field].title for f in missing]
    found = f"version {shown}, without {listed(titles)}" if titles else f"version {shown}"
    finding = Finding("F47", Severity.FILE if missing else Severity.WARNING, found=found)
    others = [f for f in layout.findings if f not in missing]
    return replace(layout, findings=[finding, *others], not_read=layout.not_read | {f.field for f in missing})
