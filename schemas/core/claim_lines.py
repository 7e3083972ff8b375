"""core.claim_lines: the costs that a claim is made of, by cost category.

Source: docs/domain.md 7.14, rules M10, M16, M18, M38.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import COST_CATEGORY
from schemas._rules.datasets.money import LEDGER_CODE, TOLERANCE, cost_category_listed, not_on_record

# Each claim with its total and the sum of its lines.
TOTALS = """
    select l.delivery_id, l.source_row, c.claimed_amount as total, sum(l.amount) over claim as lines,
        row_number() over (partition by l.site_code, l.claim_id order by l.line_no) as nth,
        format('lines add to {:,.2f}, the claim is {:,.2f}', (sum(l.amount) over claim)::double,
            c.claimed_amount::double) as found
    from core.claim_lines l join core.claims c using (site_code, claim_id)
    window claim as (partition by l.site_code, l.claim_id)"""

CONTRACT = Contract(
    dataset="claim_lines",
    title="Claim lines",
    description="The costs that each claim is made of.",
    grain="one row per line of a claim",
    key=("claim_id", "line_no"),
    control_total="amount",
    fields=(
        Field(
            "claim_id",
            Kind.REFERENCE,
            "Claim reference",
            "The claim that the line belongs to.",
            aliases=("Claim number", "Claim no", "Claim ref"),
            example="BPL-CLAIM-07",
        ),
        Field(
            "line_no",
            Kind.INTEGER,
            "Line",
            "The number of the line within its claim.",
            low=1,
            aliases=("Line number", "Line no"),
            example="1",
        ),
        COST_CATEGORY,
        Field(
            "description_code",
            Kind.REFERENCE,
            "Ledger code",
            "The site's own code for the cost, as in its ledger; never a name.",
            required=False,
            pattern=LEDGER_CODE,
            personal=True,
            aliases=("Account code", "Nominal code"),
            example="R1010",
        ),
        Field(
            "amount",
            Kind.MONEY,
            "Amount",
            "The cost in pounds; below 0 only in a claim that corrects another.",
            unit="GBP",
            aliases=("Line amount", "Cost"),
            example="8200.00",
        ),
        Field(
            "in_kind",
            Kind.YES_NO,
            "In kind",
            "Whether it is a contribution in kind, for which no money was spent.",
            default="N",
        ),
    ),
    rules=(
        cost_category_listed(),
        Rule(
            "M38",
            Severity.ROW,
            "There is no claim for this line",
            expected="the reference of a claim that is in your accepted claims",
            fix="If the claim is there and was held back, fix it: its lines then load by themselves. If it was not"
            " sent, send it. If the reference is wrong, correct it.",
            field="claim_id",
            needs=("claims",),
            parent="claims",
            found_column="found",
            violations_sql=not_on_record("claim_lines", "claim_id", "core.claims"),
        ),
        Rule(
            "M10",
            Severity.ROW,
            "A line below 0 is in a claim that corrects nothing",
            expected="an amount of 0 or more, unless the claim has the type adjustment",
            fix="Correct the amount, or send the correction as a claim of its own, of the type adjustment.",
            field="amount",
            needs=("claims",),
            violations_sql="""
                select l.delivery_id, l.source_row
                from core.claim_lines l join core.claims c using (site_code, claim_id)
                where l.amount < 0 and c.claim_type <> 'adjustment'""",
        ),
        Rule(
            "M16",
            Severity.ROW,
            "The lines do not add up to the claim",
            expected="lines that add up to the costs claimed, within £1",
            fix="Check the lines and the claim's total. A line that is missing or there twice shows here too. If"
            " another line of the claim was held back, fix that first.",
            field="amount",
            needs=("claims",),
            found_column="found",
            violations_sql=f"""
                select delivery_id, source_row, found from ({TOTALS}) where abs(lines - total) > {TOLERANCE}""",
        ),
        Rule(
            "M16",
            Severity.WARNING,
            "The lines differ from the claim by rounding",
            expected="lines that add up to the costs claimed",
            fix="Check the pence. If they were rounded, nothing needs doing.",
            field="amount",
            needs=("claims",),
            found_column="found",
            violations_sql=f"""
                select delivery_id, source_row, found from ({TOTALS})
                where nth = 1 and lines <> total and abs(lines - total) <= {TOLERANCE}""",
        ),
    ),
)
