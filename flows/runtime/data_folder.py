"""The names of the files beside the raw ones in the data folder, and the errors of those that cannot be used.

Apart from the modules that read them, so that a no-op run need not import those.
"""

CORRECTIONS = "corrections.csv"  # corrections of sent files that the sites agreed to
CONFIRMATIONS = "confirmations.csv"  # warnings that sites have confirmed to be right all the same
CONFIRMATIONS_KEY = "confirmations.key"  # the secret of the keyed hashes in it


class CorrectionsUnusable(ValueError):  # noqa: N818 - it says what is wrong with a file
    """The corrections file cannot be read as one. The run stops: going on would silently undo the corrections."""

    def __init__(self, why: str) -> None:
        super().__init__(f"`{CORRECTIONS}` cannot be used, and to go on would undo the corrections in it: {why}")


class ConfirmationsUnusable(ValueError):  # noqa: N818 - it says what is wrong with a file
    """The confirmations file cannot be read as one. The run stops: the next new confirmation would replace the file."""

    def __init__(self, why: str) -> None:
        super().__init__(f"`{CONFIRMATIONS}` cannot be used: {why}. Put it back from the backup, or delete it: the"
                         " warnings that were confirmed are then back")  # fmt: skip
