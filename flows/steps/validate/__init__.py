"""validate: check typed rows against their contract, row by row with pandera and over the whole file."""

from flows.steps.validate.misplaced import findings_about_misplaced, grouped_findings, withhold_misplaced
from flows.steps.validate.nil_return import NilBox, read_nil_box, with_nil_box
from flows.steps.validate.rows import repair_rows, validate_rows, without_repeated_placeholders
from flows.steps.validate.sign_off import (
    about_declared_sign_off,
    combined_sign_off,
    declared_sign_off,
    sign_off_on_sheet,
)
from flows.steps.validate.whole_file import WholeFile

__all__ = [
    "NilBox",
    "WholeFile",
    "about_declared_sign_off",
    "combined_sign_off",
    "declared_sign_off",
    "findings_about_misplaced",
    "grouped_findings",
    "read_nil_box",
    "repair_rows",
    "sign_off_on_sheet",
    "validate_rows",
    "with_nil_box",
    "withhold_misplaced",
    "without_repeated_placeholders",
]
