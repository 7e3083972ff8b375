"""How long a test goes on: short every day, at full length in `make soak`."""

from __future__ import annotations

from hypothesis import settings


def length(everyday: int, soak: int) -> int:
    """How often a test repeats what it does, or how many random examples it tries.

    The profile of Hypothesis decides for both, so that one option sets the length of a whole run.
    """
    return soak if settings.get_current_profile_name() == "soak" else everyday
