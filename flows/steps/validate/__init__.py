"""validate: what is broken, row by row (pandera) and over the whole file; every failure is a finding."""

from flows.steps.validate.rows import validate_rows
from flows.steps.validate.whole_file import WholeFile

__all__ = ["WholeFile", "validate_rows"]
