"""Tables of `core`, one contract per file. A `.csv` beside a contract has the rows of a reference table."""
