"""core.match_funding: contributions of others towards an award. Source: docs/domain.md 1.1, 3.1, 7.12, rules M08, M09.

Match is never counted as an award. The £6.0m that the Trailblazer areas pledged is one row here, for the programme; an
area's part of it may be another. `schemas/funding/match_records.sql`, which the rules query, decides what is part of
what, so that nothing is counted twice.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import (
    ABOUT_SITE_CODE,
    AMOUNT,
    AMOUNT_STATUS,
    CURRENCY,
    FINANCIAL_YEAR,
    PROGRAMME_CODE,
    SOURCE_DATE,
    SOURCE_DOCUMENT,
    SOURCE_WORDING,
)
from schemas._rules.datasets.money import scale_of_last
from schemas._rules.datasets.public_figures import (
    MHT_MATCH,
    control_totals,
    figure_agrees_with_status,
    funding_mart,
    one_amount,
    sent_under_another_reference,
    site_of_programme,
    trailblazer_scale,
)

# The programme office's own records, without those that are part of a sum for the whole programme.
WITHOUT_PARTS_OF_PMO = f"""
    select m.* from core.match_funding m
    join {funding_mart("match_records")} r using (delivery_id, source_row)
    where m.site_code = 'PMO' and r.is_counted"""
# Join condition of rule M30. `is distinct from false` means equal, or unknown on either side.
SAME_AREA_STAGE_AND_CONTRIBUTOR = """
    a.match_stage = b.match_stage and a.area_site_code is not distinct from b.area_site_code
    and a.match_source_type = b.match_source_type
    and (lower(trim(a.match_source_org_name)) = lower(trim(b.match_source_org_name))) is distinct from false
    and (a.award_id = b.award_id) is distinct from false and (a.evidence_ref = b.evidence_ref) is distinct from false"""

CONTRACT = Contract(
    dataset="match_funding",
    title="Match funding",
    description="Contributions of others beside an award: pledged, confirmed or evidenced, in cash or in kind.",
    grain="one row per contribution and stage",
    key=("match_id",),
    control_total="amount",
    fields=(
        Field("match_id", Kind.REFERENCE, "Match reference", "The sender's own reference.", example="MHT-MATCH-PLEDGE"),
        PROGRAMME_CODE.replace(description="The programme that the match is for.", required=True),
        ABOUT_SITE_CODE,
        Field(
            "award_id",
            Kind.REFERENCE,
            "Award reference",
            "The award that it is match for; empty where it is for a whole programme.",
            required=False,
        ),
        Field(
            "match_source_type",
            Kind.CODE,
            "Kind of contributor",
            "Whose money it is. ESF money is European, not local.",
            codes="match_source_type",
        ),
        Field(
            "match_source_org_id",
            Kind.REFERENCE,
            "Contributor's identifier",
            "Register and number as org-id.guide writes them.",
            required=False,
        ),
        Field(
            "match_source_org_name",
            Kind.TEXT,
            "Contributor",
            "Who contributes, as the source names it.",
            required=False,
        ),
        Field("match_kind", Kind.CODE, "Kind of match", "In cash or in kind.", codes="match_kind"),
        Field(
            "match_stage",
            Kind.CODE,
            "Stage",
            "Whether it is pledged, confirmed or evidenced.",
            codes="match_stage",
            aliases=("Stage",),
        ),
        AMOUNT,
        AMOUNT_STATUS,
        CURRENCY,
        FINANCIAL_YEAR,
        Field(
            "valuation_basis",
            Kind.TEXT,
            "Valuation basis",
            "How a contribution in kind was valued.",
            required=False,
            example="market rent of two rooms",
        ),
        Field(
            "evidence_ref",
            Kind.REFERENCE,
            "Evidence reference",
            "The sender's reference of the evidence.",
            required=False,
        ),
        Field(
            "esf_project_ref",
            Kind.REFERENCE,
            "ESF project",
            "The reference of the European Social Fund project.",
            required=False,
        ),
        SOURCE_DOCUMENT,
        SOURCE_DATE,
        SOURCE_WORDING,
        Field(
            "reconciliation_note",
            Kind.TEXT,
            "Reconciliation note",
            "How the amount relates to other published sums.",
            required=False,
        ),
    ),
    rules=(
        trailblazer_scale(),
        *scale_of_last("match_funding", "amount", ("match_id",)),
        control_totals(WITHOUT_PARTS_OF_PMO, "match_stage", {"pledged": MHT_MATCH}, "Trailblazer match pledges"),
        Rule(
            "M08",
            Severity.ROW,
            "A contribution in kind does not say how it was valued",
            expected="a valuation basis for match in kind",
            fix="Say how the contribution was valued, such as the market rent of a room.",
            field="valuation_basis",
            check=lambda: (pl.col("match_kind") != "in_kind") | pl.col("valuation_basis").is_not_null(),
        ),
        Rule(
            "M08",
            Severity.ROW,
            "The match amount is zero or less",
            expected="an amount above 0",
            fix="Correct the amount. Leave it empty where it is not known, and say so in amount_status.",
            field="amount",
            check=lambda: pl.col("amount") > 0,
        ),
        Rule(
            "M08",
            Severity.WARNING,
            "Evidenced match is more than one and a half times the pledge",
            expected="evidenced match up to 1.5 times what was pledged",
            fix="Check that nothing is counted twice. If the contribution grew, send the new pledge too.",
            field="amount",
            confirmable=True,
            violations_sql="""
                select delivery_id, source_row
                from (
                    select *,
                        sum(amount) filter (match_stage = 'pledged') over grant_of as pledged,
                        sum(amount) filter (match_stage = 'evidenced') over grant_of as evidenced
                    from core.match_funding
                    window grant_of as (partition by site_code, programme_code, about_site_code, award_id)
                )
                where match_stage = 'evidenced' and evidenced > 1.5 * pledged""",
        ),
        Rule(
            "M09",
            Severity.ROW,
            "The same evidence is used twice",
            expected="each piece of evidence for one grant, once a stage",
            fix="One pound may be match for one grant only. Correct the evidence reference or delete the second use.",
            field="evidence_ref",
            across_sites=True,
            violations_sql="""
                select delivery_id, source_row
                from (
                    select delivery_id, source_row,
                        (programme_code, about_site_code, award_id) as of_grant,
                        first_value((programme_code, about_site_code, award_id)) over by_evidence as first_grant,
                        row_number() over (
                            partition by evidence_ref, match_stage order by delivery_id, source_row) as use_no
                    from core.match_funding
                    where evidence_ref is not null
                    window by_evidence as (partition by evidence_ref order by delivery_id, source_row)
                )
                where of_grant is distinct from first_grant or use_no > 1""",
        ),
        figure_agrees_with_status("amount", "amount_status"),
        site_of_programme("match_funding"),
        one_amount("match_records", "contribution", columns="match_key, match_stage"),
        sent_under_another_reference(
            "match_records", "match_key", "match_id", "contribution", SAME_AREA_STAGE_AND_CONTRIBUTOR
        ),
        Rule(
            "M32",
            Severity.WARNING,
            "What areas put in adds up to more than the whole programme's sum",
            expected="parts that add up to at most the sum for the whole programme, at the same stage",
            fix="Check the parts and the sum with their sources. Only the sum for the whole programme is counted.",
            field="amount",
            across_sites=True,
            violations_sql=f"""
                select delivery_id, source_row from {funding_mart("match_records")}
                where is_part and amount_gbp is not null
                qualify sum(amount_gbp) over (partition by programme_code, match_stage) > whole_gbp + 1""",
        ),
    ),
)
