"""core.funding_awards: caps, announcements and awards, one amount per row.

Source: docs/domain.md 3.1, 3.4, 7.11, rules M01-M07.

A grant (`award_id`) has a row for each stage, such as cap, announced, awarded or varied. Stages are never added up, and
a stage may be restated (`award_version`). A bid, and money that depends on an approval still to come, are stages too,
but nobody has promised that money: it is in no total. A 360Giving file has one row per grant and neither column, so by
default a row is version 1 at the stage `awarded`. Aliases are 360Giving's headings; its Title and Description are not
loaded (docs/domain.md 5.2). `award_date` is always a day that was printed, as an export to 360Giving needs it; a month
that was printed without a day has a field of its own.

Which records of several senders are one award is decided in `schemas/funding/award_records.sql`, which the rules query.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import MONTHS, Contract, Field, Kind, Rule, Severity
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
    MHT_ANNOUNCED,
    MHT_CAPS,
    MHT_HEADLINE,
    control_totals,
    figure_agrees_with_status,
    funding_mart,
    one_amount,
    sent_under_another_reference,
    site_of_programme,
    trailblazer_scale,
)

# An organisation id that begins with one of these registers must have that register's format; any other must only have
# no space or slash (docs/domain.md 3.4).
ORGANISATION_ID = (
    r"^(?:GB-COH-[A-Z0-9]{8}|GB-CHC-\d{6,7}|GB-SC-SC\d{6}|GB-NIC-\d{6}|GB-LAE-[A-Z]{3}|GB-NHS-[A-Z0-9]{3,6}"
    r"|GB-UKPRN-\d{8}|GB-GOR-[A-Z]{1,2}\d+)$"
)
NAMED_REGISTER = r"(?i)^GB-(?:COH|CHC|SC|NIC|LAE|NHS|UKPRN|GOR)\b"
SPACE_OR_SLASH = r"[/\s]"
# Stages at which nobody has promised anything: no total counts them, and no cap limits them.
NOT_PROMISED = ("applied_for", "prospective")
ITSELF = "the funder's own file of grants"  # the source of a grant where the file has no column for it
AREA_CODES = r"^[A-Z][0-9]{8}(?:; ?[A-Z][0-9]{8})*$"
GRANT_ID = r"^360G-[A-Za-z0-9]+-[^/\s]+$"


def _headings(titles: str, names: str) -> tuple[str, ...]:
    """360Giving's headings for a field of a list, such as the funders: with and without number, titles and JSON."""
    (title, of_title), (name, of_name) = titles.split(":"), names.split("/")
    return titles, f"{title}:0:{of_title}", names, f"{name}/0/{of_name}"


def _organisation_id(name: str, title: str, of_title: str, of_name: str) -> Field:
    return Field(
        name,
        Kind.REFERENCE,
        title,
        "Register and number as org-id.guide writes them; empty where it is not known or several share the role.",
        required=False,
        aliases=_headings(f"{of_title}:Identifier", f"{of_name}/id"),
        example="GB-COH-09506232",
    )


def _organisation_id_form(name: str) -> Rule:
    return Rule(
        "M05",
        Severity.ROW,
        "The organisation's identifier is not in the form of its register",
        expected="a register and its number in one piece: GB-COH has 8 characters, such as GB-COH-09506232",
        fix="Check the number with the register. Put back a zero that was lost in front.",
        field=name,
        check=lambda: (
            pl.when(pl.col(name).str.contains(NAMED_REGISTER))
            .then(pl.col(name).str.contains(ORGANISATION_ID))
            .otherwise(~pl.col(name).str.contains(SPACE_OR_SLASH))
        ),
    )


def _area_codes(severity: Severity, applies: pl.Expr) -> Rule:
    return Rule(
        "V04",
        severity,
        "Local authorities has a value that is no area code",
        expected="codes of nine characters, such as E06000009, with a semicolon between them",
        fix="Look the codes up at the Office for National Statistics, and write nothing else into the cell.",
        field="la_codes",
        check=lambda: ~applies | pl.col("la_codes").str.contains(AREA_CODES),
    )


# The programme office's own records, at the latest version of each stage.
LATEST_OF_PMO = """
    select * from core.funding_awards where site_code = 'PMO'
    qualify row_number() over (partition by award_id, award_stage order by award_version desc) = 1"""
# Join condition of rule M30. Areas are compared by site code; by name where one record or both have no site code.
SAME_AREA_STAGE_AND_FUNDER = """
    a.award_stage = b.award_stage
    and case
        when a.area_site_code is null and b.area_site_code is null
            then lower(trim(a.area_name)) is not distinct from lower(trim(b.area_name))
        when a.area_site_code is null or b.area_site_code is null
            then lower(trim(a.area_name)) = lower(trim(b.area_name))
        else a.area_site_code = b.area_site_code end
    and (lower(trim(a.funding_org_name)) = lower(trim(b.funding_org_name)) or a.funding_org_id = b.funding_org_id)
    and a.supersedes_award_id is distinct from b.award_id and b.supersedes_award_id is distinct from a.award_id"""


def _is_one_of(one: str, several: str) -> pl.Expr:
    """Whether the text of a column is among those that another separates by semicolons, without regard to case."""
    texts = pl.col(several).str.to_lowercase().str.split(";").list.eval(pl.element().str.strip_chars())
    return texts.list.contains(pl.col(one).str.to_lowercase().str.strip_chars())


CONTRACT = Contract(
    dataset="funding_awards",
    title="Funding awards",
    description="Published caps, announcements and awards: one amount a row, with the stage it belongs to.",
    grain="one row per award, stage and version",
    key=("award_id", "award_stage", "award_version"),
    control_total="amount",
    fields=(
        Field(
            "award_id",
            Kind.REFERENCE,
            "Award reference",
            "The grant's own reference: its 360Giving identifier where it is published there.",
            aliases=("Identifier", "id"),
            example="360G-xyztrust-123",
        ),
        Field(
            "award_stage",
            Kind.CODE,
            "Stage",
            "What kind of money the amount is: a bid, a cap ('up to'), an announcement, an award, a variation.",
            codes="award_stage",
            aliases=("Stage",),
            default="awarded",
        ),
        Field(
            "award_version",
            Kind.INTEGER,
            "Version",
            "1 for the first statement of the amount at this stage, 2 for the next.",
            low=1,
            default="1",
        ),
        PROGRAMME_CODE.replace(
            description="The programme that the money is for; empty for other funders' grants, kept as comparators."
        ),
        ABOUT_SITE_CODE,
        Field(
            "area_name",
            Kind.TEXT,
            "Area",
            "The area that benefits, as its source names it.",
            required=False,
            aliases=_headings("Beneficiary Location:Name", "beneficiaryLocation/name"),
            example="Blackpool",
        ),
        Field(
            "la_codes",
            Kind.TEXT,
            "Local authorities",
            "The codes of the local authorities that benefit, with a semicolon between them; of other funders' grants"
            " the geographic codes that they publish, whatever area they stand for.",
            required=False,
            aliases=_headings("Beneficiary Location:Geographic Code", "beneficiaryLocation/geoCode"),
            example="E06000009;E08000003",
        ),
        Field("lep", Kind.TEXT, "LEP", "The Local Enterprise Partnership whose deal it is part of.", required=False),
        _organisation_id("funding_org_id", "Funder's identifier", "Funding Org", "fundingOrganization"),
        Field(
            "funding_org_name",
            Kind.TEXT,
            "Funder",
            "Who gives the money. Several funders of one award have a semicolon between them.",
            aliases=_headings("Funding Org:Name", "fundingOrganization/name"),
        ),
        _organisation_id("recipient_org_id", "Recipient's identifier", "Recipient Org", "recipientOrganization"),
        Field(
            "recipient_org_name",
            Kind.TEXT,
            "Recipient",
            "Who receives the money; empty where no source names a recipient.",
            required=False,
            aliases=_headings("Recipient Org:Name", "recipientOrganization/name"),
        ),
        Field(
            "instrument",
            Kind.CODE,
            "Instrument",
            "The legal form of the money; empty where it is not known.",
            codes="award_instrument",
            required=False,
        ),
        Field(
            "grant_programme",
            Kind.TEXT,
            "Grant programme",
            "The funder's own name for its programme of grants.",
            required=False,
            aliases=_headings("Grant Programme:Title", "grantProgramme/title"),
        ),
        AMOUNT.replace(aliases=("Amount Awarded",)),
        AMOUNT_STATUS,
        CURRENCY,
        FINANCIAL_YEAR,
        Field(
            "award_date",
            Kind.DATE,
            "Award date",
            "The day of the award or announcement, or of the bid; empty where its source prints none.",
            required=False,
            aliases=("Award Date",),
        ),
        Field(
            "award_month",
            Kind.DATE,
            "Award month",
            "The first day of the month of the award, where its source prints a month and no day.",
            required=False,
        ),
        Field(
            "start_date",
            Kind.DATE,
            "Start date",
            "The first day that the money is for.",
            required=False,
            may_be_future=True,
            aliases=_headings("Planned Dates:Start Date", "plannedDates/startDate"),
        ),
        Field(
            "end_date",
            Kind.DATE,
            "End date",
            "The last day that the money is for.",
            required=False,
            may_be_future=True,
            aliases=_headings("Planned Dates:End Date", "plannedDates/endDate"),
        ),
        Field(
            "planned_months",
            Kind.DECIMAL,
            "Planned length",
            "How long the money is to last, where its source prints a length, such as 'six-month pilot'.",
            unit=MONTHS,
            low=0,
            required=False,
            aliases=_headings("Planned Dates:Duration (months)", "plannedDates/duration"),
            example="6",
        ),
        Field(
            "supersedes_award_id",
            Kind.REFERENCE,
            "Replaces",
            "The reference of another award that this one replaces.",
            required=False,
        ),
        SOURCE_DOCUMENT.replace(default=ITSELF),  # the standard does not require it
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
        Rule(
            "V01",
            Severity.ROW,
            "The source of the amount is not named",
            expected="publisher, title and date of the document that prints it",
            fix="Name the document in a column headed source_document. A funder's own file can do without the column.",
            field="source_document",
            check=lambda: (pl.col("site_code") == "GRANTNAV") | (pl.col("source_document") != ITSELF),
        ),
        _area_codes(Severity.ROW, pl.col("programme_code").is_not_null()),
        _area_codes(Severity.WARNING, pl.col("programme_code").is_null()),  # published so: not for us to hold
        trailblazer_scale(),
        *scale_of_last("funding_awards", "amount", ("award_id", "award_stage", "award_version")),
        Rule(
            "M02",
            Severity.ROW,
            "A cap is recorded as an award",
            expected="the stage indicative_cap for a sum that its source calls 'up to'",
            fix="Change the stage to indicative_cap. An 'up to' sum is a limit: it is never added to awards.",
            field="award_stage",
            check=lambda: (
                pl.col("award_stage").is_in(["indicative_cap", *NOT_PROMISED])
                | ~pl.col("source_wording").fill_null("").str.contains(r"(?i)\bup to\b")
            ),
        ),
        Rule(
            "M02",
            Severity.ROW,
            "Caps are counted as awards",
            expected="no Trailblazer award of £7,000,000 (the caps) or £13,000,000 (caps and announcements added)",
            fix="Send the caps and the announcements area by area, each with its stage.",
            field="amount",
            check=lambda: (
                (pl.col("programme_code") != "MHT")
                | (pl.col("award_stage") == "indicative_cap")
                | ~pl.col("amount").is_in([MHT_CAPS, MHT_CAPS + MHT_ANNOUNCED])
            ),
        ),
        control_totals(
            LATEST_OF_PMO,
            "award_stage",
            {"indicative_cap": MHT_CAPS, "announced": MHT_ANNOUNCED},
            "Trailblazer caps or announcements",
        ),
        Rule(
            "M04",
            Severity.ROW,
            "The funder is also the recipient: this is match, not an award",
            expected="a funder other than the recipient",
            fix="Send money that an area puts in itself as match_funding.",
            field="funding_org_name",
            check=lambda: (
                pl.col("programme_code").is_null()
                | ~(
                    _is_one_of("recipient_org_name", "funding_org_name").fill_null(False)
                    | _is_one_of("recipient_org_id", "funding_org_id").fill_null(False)  # unknown is not the same
                )
            ),
        ),
        Rule(
            "M04",
            Severity.ROW,
            "The headline of £12m includes £6m of match",
            expected="only the department's own money: £6,000,000 of the £12,000,000",
            fix="Send the department's £6m as awards and the areas' £6m as match_funding.",
            field="amount",
            check=lambda: (pl.col("programme_code") != "MHT") | (pl.col("amount") != MHT_HEADLINE),
        ),
        Rule(
            "M05",
            Severity.ROW,
            "The grant's identifier is not in the 360Giving form",
            expected="360G-, the funder's prefix, a hyphen and a reference without spaces or slashes",
            fix="Use the identifier that the funder published.",
            field="award_id",
            check=lambda: (
                pl.when((pl.col("site_code") == "GRANTNAV") | pl.col("award_id").str.contains(r"(?i)^360\s*-?g"))
                .then(pl.col("award_id").str.contains(GRANT_ID))
                .otherwise(~pl.col("award_id").str.contains(SPACE_OR_SLASH))
            ),
        ),
        _organisation_id_form("funding_org_id"),
        _organisation_id_form("recipient_org_id"),
        Rule(
            "M07",
            Severity.ROW,
            "The award ends before it starts",
            expected="an end date on or after the start date",
            fix="Check the start and end dates.",
            field="end_date",
            check=lambda: pl.col("end_date") >= pl.col("start_date"),
        ),
        Rule(
            "M07",
            Severity.ROW,
            "The award was made after its end",
            expected="an award date on or before the end date",
            fix="Check the award date and the end date.",
            field="award_date",
            check=lambda: pl.col("award_date") <= pl.col("end_date"),
        ),
        Rule(
            "M07",
            Severity.ROW,
            "The month of the award is not written as its first day, or is another than that of the award date",
            expected="the first day of the month, such as 01/07/2014 for July 2014",
            fix="Write the month as its first day. Leave it empty where the day is known, and give that as award date.",
            field="award_month",
            check=lambda: (
                (pl.col("award_month").dt.day() == 1)
                & (pl.col("award_month") == pl.col("award_date").dt.month_start()).fill_null(True)
            ),
        ),
        figure_agrees_with_status("amount", "amount_status"),
        Rule(
            "M26",
            Severity.ROW,
            "The amount is zero or less",
            expected="an amount above 0; only a variation may be negative",
            fix="Correct the amount. Leave it empty where it is not known, and say so in amount_status.",
            field="amount",
            check=lambda: (
                (pl.col("award_stage") == "varied")
                | (pl.col("amount") > 0)
                | (pl.col("programme_code").is_null() & (pl.col("amount") == 0))  # some funders publish grants of 0
            ),
        ),
        site_of_programme("funding_awards"),
        one_amount("award_records", "award", columns="award_key, award_stage, award_version"),
        sent_under_another_reference("award_records", "award_key", "award_id", "award", SAME_AREA_STAGE_AND_FUNDER),
        Rule(
            "M31",
            Severity.WARNING,
            "The amount is above the award's cap",
            expected="an amount up to the cap, with every variation added",
            fix="Check the amount and the cap with their sources. If the cap was raised, send its next version.",
            field="amount",
            across_sites=True,
            violations_sql=f"""
                select r.delivery_id, r.source_row
                from {funding_mart("award_records")} r join {funding_mart("award_position")} p using (award_key)
                where r.is_counted and r.award_stage not in {("indicative_cap", *NOT_PROMISED)}
                    and if(r.award_stage = 'varied', p.awarded_gbp + p.varied_gbp, r.amount_gbp) > p.cap_gbp + 1""",
        ),
        Rule(
            "M33",
            Severity.WARNING,
            "The award is recorded for two programmes",
            expected="one programme for an award, whoever sends it",
            fix="Check which programme the money is for. Until then it is counted once, for one of them.",
            field="programme_code",
            across_sites=True,
            violations_sql=f"""
                select delivery_id, source_row from {funding_mart("award_records")}
                where stated_programme_code <> programme_code""",
        ),
    ),
)
