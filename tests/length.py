"""How long a test goes on: short every day, at full length in `make soak`.

What is marked as soak is not in `make test`. `make test-all`, and with it every merge, takes it too, in its small form.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings


def length(everyday: int, soak: int) -> int:
    """How often a test repeats what it does, or how many random examples it tries.

    The profile of Hypothesis decides for both, so that one option sets the length of a whole run.
    """
    return soak if settings.get_current_profile_name() == "soak" else everyday


def in_soak(*cases: Any) -> list[Any]:
    """Cases of a test that show the same as its others, elsewhere: another format, another order, another place."""
    return [pytest.param(*case, marks=pytest.mark.soak) if isinstance(case, tuple) else
            pytest.param(case, marks=pytest.mark.soak) for case in cases]  # fmt: skip
