"""validate: check typed rows against their contract, row by row with pandera and over the whole file."""

from flows.steps.validate.misplaced import findings_about_misplaced, grouped_findings, withhold_misplaced
from flows.steps.validate.rows import validate_rows
from flows.steps.validate.whole_file import WholeFile

__all__ = ["WholeFile", "findings_about_misplaced", "grouped_findings", "validate_rows", "withhold_misplaced"]
