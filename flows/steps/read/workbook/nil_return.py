"""Read the boxes of our own sheet on which a sender says that there is nothing to send."""

from __future__ import annotations

from collections.abc import Sequence

from flows.steps.read.workbook.sheet import Sheet
from schemas._contract.workbook_names import NIL_BOX_COLUMN, NIL_RETURN, NIL_ROWS

MAX_ANSWER = 40  # characters: a longer text is not what the box is for


def nil_return_boxes(sheets: Sequence[Sheet]) -> dict[str, str]:
    """What the box beside each dataset's name holds; empty if the workbook has no such sheet."""
    sheet = next((s for s in sheets if s.name == NIL_RETURN), None)
    rows = [[cell.strip() for cell in row] for row in sheet.open().head(NIL_ROWS)] if sheet else []
    return {row[0]: "".join(row[NIL_BOX_COLUMN : NIL_BOX_COLUMN + 1])[:MAX_ANSWER] for row in rows if row}
