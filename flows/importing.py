"""Importing a lot: the libraries of a night, or of a check, once a command is known to need them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Import a lot at once. None of it is ever to be freed: to look for what is, now and at the end, takes long."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
