"""judge: what is broken, row by row (pandera) and over the whole file; every failure is a finding."""

from flows.steps.judge.rows import judge
from flows.steps.judge.whole_file import WholeFile

__all__ = ["WholeFile", "judge"]
