"""One file, one dataset, one table of `core`. A `.csv` beside a contract is the content of a reference table."""
