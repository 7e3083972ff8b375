"""What the name of an organisation or a team may not be. Source: docs/domain.md 5.2."""

from __future__ import annotations

import polars as pl

# A title before a name, or an address of electronic mail. Names by themselves are not searched for: many organisations
# are called after somebody.
_OF_A_PERSON = r"(?i)@|\b(?:mr|mrs|ms|miss|mx|dr)\b\.?\s+[a-z]"


def names_no_person(field: str) -> pl.Expr:
    """W19: a text has no title with a name, and no e-mail address."""
    return ~pl.col(field).str.contains(_OF_A_PERSON)
