"""Rules about cells that hold another column's values, or whose value is in a row above. Our own: F50-F53, F55, F56.

They are detected over the whole file, in `flows/steps/validate/misplaced/`; F56 by comparison with the file before, in
`flows/steps/cross_check/exchanged.py`. One finding about the file replaces the findings of its cells, all of which have
the same cause.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Kind, Rule, Severity

GROUPED_RULE = "F53"
MISPLACED_RULE_IDS = ("F50", "F51", "F52", "F53", "F56")


def _any_column(contract: Contract) -> tuple[str, ...]:
    return tuple(contract.by_name)


def _may_be_copied(contract: Contract) -> tuple[str, ...]:
    dates = [f for f in contract.fields if f.kind is Kind.DATE]
    references = [f for f in contract.fields if f.kind is Kind.REFERENCE and f.pattern]
    return tuple(f.name for f in (*(dates if any(f.comes_later for f in dates) else ()), *references))


MISPLACED_RULES: tuple[Rule, ...] = (
    Rule(
        "F50",
        Severity.FILE,
        "Two columns are swapped: the values of each fit the heading of the other",
        "under each heading the values that belong there",
        "Exchange the two headings: type each in the cell of the other, and leave the values where they are. Only if"
        " headings cannot be changed, as in our form, exchange the values below them, and not the headings. Then send"
        " the file again. Neither of the two columns was checked further.",
        found_on=_any_column,
    ),
    Rule(
        "F51",
        Severity.FILE,
        "{title} holds the values of another column",
        "{expected}",
        "Enter the right values from your own records, and send the file again. If another column"
        " has them, exchange the headings. The column was not checked further.",
        found_on=_any_column,
    ),
    Rule(
        "F52",
        Severity.FILE,
        "Values are one column away from their headings",
        "every value under its own heading",
        "Move the cells back by one column, on all these rows, and send the file again. Do not change any values:"
        " they are only under the wrong heading. These cells were not checked further.",
        found_on=_any_column,
    ),
    *(
        Rule(
            "F53",
            severity,
            "{title} is filled in only on the first row of each group",
            "a value on every row",
            "Clear any filter that hides rows. Then, in each group, select the filled cell with the empty cells below"
            " it, down to the row before the next filled cell, and press Ctrl+D. Do not drag the corner of the cell:"
            " Excel then counts a reference on (E1, E2, E3). We never fill empty cells ourselves.",
            found_on=_any_column,
        )
        for severity in (Severity.FILE, Severity.ROW)
    ),
    Rule(
        "F56",
        Severity.FILE,
        "Two columns are swapped: in the last file their values were the other way round",
        "the same value of a record as in the file before, unless it has changed",
        "Look at the two columns. If they are swapped here, exchange their headings and send the file again. If they"
        " are right here, they were swapped in the file before: send that month again, put right, or tell the data"
        " team. Until then this file replaces nothing: the figures use the file before it.",
        found_on=_any_column,
    ),
    Rule(
        "F55",
        Severity.WARNING,
        "{title} is the same as another column on every row",
        "a value of its own",
        "Check that neither column was copied over the other. If both are right, nothing needs doing.",
        found_on=_may_be_copied,
    ),
)
