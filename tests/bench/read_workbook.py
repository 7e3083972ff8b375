"""Run the read step alone over a workbook, to its last batch of text."""

from __future__ import annotations

import sys
from pathlib import Path

from made_up_contacts import HEADING

from flows.steps.read import read
from schemas._contract.code_lists import fold

if __name__ == "__main__":
    for _ in read(Path(sys.argv[1]), frozenset(map(fold, HEADING))).batches:
        pass
