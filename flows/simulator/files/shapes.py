"""Shape of each site's files: CSV or workbook, the site's own headings or ours, and lines above the heading.

A site that SITE_SHAPES does not name sends plain CSV.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas._contract.model import Contract

MAX_WORKBOOK_ROWS = 100_000  # rows; larger files come as CSV


@dataclass(frozen=True)
class Shape:
    """Form in which a site sends its extracts."""

    extension: str
    own_headings: bool = False  # the site's own names for columns, where the contract knows some (warning F10)
    title_lines: int = 0  # lines above the heading (warning F04)


SHAPES: dict[str, Shape] = {
    "plain CSV": Shape("csv"),
    "CSV with the site's own headings": Shape("csv", own_headings=True),
    "workbook": Shape("xlsx"),
    "workbook with title lines": Shape("xlsx", title_lines=2),
    "workbook with a title line and own headings": Shape("xlsx", own_headings=True, title_lines=1),
}

SITE_SHAPES: dict[str, str] = {
    "MHT-BPL": "workbook with title lines",
    "MHT-GM": "plain CSV",
    "MHT-NECA": "CSV with the site's own headings",
    "MHT-WLA": "workbook",
    "PWW-IAPT": "plain CSV",
    "PWW-GW": "workbook with a title line and own headings",
    "PWW-TS": "plain CSV",
    "IPSIAPT-DTV": "workbook",
    "IPSIAPT-WLV": "CSV with the site's own headings",
    "MWW-BRK": "workbook with title lines",
    "MWW-LIN": "plain CSV",
    "MWW-BRD": "CSV with the site's own headings",
    "HLT-WMCA": "plain CSV",
    "HLT-SCR": "workbook",
    "WC-CPA01": "workbook",
    "WC-CPA02": "CSV with the site's own headings",
}


def shape_of(site_code: str, rows: int) -> Shape:
    """Shape of a site's file with about `rows` rows: one too large for a workbook comes as CSV."""
    shape = SHAPES[SITE_SHAPES.get(site_code, "plain CSV")]
    if shape.extension == "xlsx" and rows > MAX_WORKBOOK_ROWS:
        return Shape("csv", shape.own_headings)
    return shape


def headings(contract: Contract, fields: list[str], shape: Shape) -> list[str]:
    """The headings of a file, in the order of its fields."""
    if not shape.own_headings:
        return fields
    return [next(iter(contract.by_name[f].aliases), f) for f in fields]
