"""The data dictionary: every table, column, code list and join of the warehouse, as a page and as docs/."""
