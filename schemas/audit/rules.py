"""audit.rules: texts of every rule by dataset and field: what it says, what was expected, how to fix it."""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind

CONTRACT = Contract(
    dataset="rules",
    title="Rules",
    description="Every rule that can be found broken: what it says, what was expected, how to fix it.",
    grain="one row per dataset, rule, severity and field",
    key=("dataset", "rule_id", "severity", "field"),
    fields=(
        Field("dataset", Kind.TEXT, "Dataset", "The dataset the rule applies to."),
        Field("rule_id", Kind.TEXT, "Rule", "The rule's key: see docs/domain.md 6."),
        Field("severity", Kind.TEXT, "Severity", "file, row or warning."),
        Field("field", Kind.TEXT, "Field", "The field to fix ('' for the file)."),
        Field("title", Kind.TEXT, "Title", "The rule in plain words."),
        Field("expected", Kind.TEXT, "Expected", "What was expected."),
        Field("fix", Kind.TEXT, "How to fix", "What the sender can do."),
        Field(
            "confirmable",
            Kind.YES_NO,
            "Can be confirmed",
            "Whether the site can say that a value is right all the same: see audit.confirmations.",
        ),
    ),
)
