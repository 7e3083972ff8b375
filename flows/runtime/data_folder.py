"""The names of what people put into the data folder, beside what sites send, and what stops a run about it."""

CORRECTIONS = "corrections.csv"  # errors in what sites sent that they agreed to: see corrections.py


class CorrectionsUnusable(ValueError):  # noqa: N818 - it says what is wrong with a file
    """The corrections are no table of corrections: to go on without them would undo them, without a word."""

    def __init__(self, why: str) -> None:
        super().__init__(f"`{CORRECTIONS}` cannot be used, and to go on would undo the corrections in it: {why}")
