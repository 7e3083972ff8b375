"""The figures of outcomes.kpi in words, read from the SQL that defines them: outcomes.kpi_definitions.

A test compares them with the rows of the mart.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from schemas._contract.catalogue import marts
from schemas._contract.code_lists import code_list

_ROWS = re.compile(r"VALUES\n(.*?)\n *UNION ALL", re.DOTALL)
_TARGETS = "target_metric"  # each of its codes but the population has a figure of attainment


def figures() -> Iterator[tuple[str, str]]:
    """The code of each figure, with its title and what it counts."""
    (mart,) = (m for m in marts() if m.address == "outcomes.kpi_definitions")
    found = _ROWS.search(mart.sql)
    assert found is not None, "outcomes.kpi_definitions no longer lists its figures"
    # a row of SQL literals is a Python tuple, once its NULL is None
    for code, title, *_, counts, of in ast.literal_eval(f"[{found[1].replace('NULL', 'None')}]"):
        yield code, f"{title}: {counts}{f', of {of}' if of else ''}"
    for metric in code_list(_TARGETS).entries:
        if metric.code != "population":
            yield f"kpi_19_target_{metric.code}", f"Target attainment: {metric.label}"
