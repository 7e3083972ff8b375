"""The name of the corrections file in the data folder, and the error of one that cannot be used.

Apart from `flows/deliveries/corrections.py`, so that a no-op run need not import that.
"""

CORRECTIONS = "corrections.csv"  # corrections of sent files that the sites agreed to


class CorrectionsUnusable(ValueError):  # noqa: N818 - it says what is wrong with a file
    """The corrections file cannot be read as one. The run stops: going on would silently undo the corrections."""

    def __init__(self, why: str) -> None:
        super().__init__(f"`{CORRECTIONS}` cannot be used, and to go on would undo the corrections in it: {why}")
