"""Pause garbage collection during heavy imports, then freeze what was imported."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause garbage collection while heavy libraries are imported, and exempt what they made from it for good.

    None of it is ever freed, so scanning it during the import, later and at the end of the process only costs time.
    """
    before = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if len(sys.modules) > before:  # else there is nothing new to exempt
            gc.freeze()
        gc.enable()
