"""Fields and rules that several datasets share, so that one name means the same everywhere.

What only one dataset uses is stated in the file of that dataset.
"""

from __future__ import annotations

from schemas._contract.model import Field, Kind, PersonalWhen, Rule, Severity

# of the tables of the registry
SOURCE = Field(
    "source",
    Kind.TEXT,
    "Source",
    "Where the entry comes from; that section names the publication. '(our choice)' marks a rule or name of our own, "
    "'(derived)' what was worked out, '(unconfirmed)' general knowledge.",
    example="docs/domain.md 7.0",
)

AREA_CODE = Field(
    "area_code",
    Kind.REFERENCE,
    "Area code",
    "The national code of the area (ONS). Codes that begin with JCP- or NHS- are our own: Jobcentre Plus districts and "
    "the NHS areas of the IPS in IAPT pilot have no national code.",
    example="E06000009",
)

# of datasets that sites send
PARTICIPANT_REF = Field(
    "participant_ref",
    Kind.REFERENCE,
    "Participant reference",
    "The site's own pseudonym for a participant, unique within a programme. Never an NHS number or NINO.",
    pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,12}$",
    personal=True,
    personal_when=PersonalWhen.NHS_NUMBER,
    aliases=("Client ID", "Client ref", "Participant ID", "Service user ID", "Patient ID", "Pseudonym"),
    example="BPL-000123",
)

EPISODE_ID = Field(
    "episode_id",
    Kind.REFERENCE,
    "Episode reference",
    "One spell of support, from referral to exit. A re-referral is a new episode.",
    pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
    personal=True,
    aliases=("Referral ID", "Episode number", "Case ID", "Spell ID", "Referral number", "Referral ref", "Case number"),
    example="BPL-E000123",
)

SITE_CODE = Field(
    "site_code",
    Kind.CODE,
    "Site code",
    "The site that sends the record.",
    codes="sites",
    aliases=("Site", "Pilot site"),
    example="MHT-BPL",
)

STAFF_REF = Field(
    "staff_ref",
    Kind.REFERENCE,
    "Staff reference",
    "The site's own reference for a member of staff; never a name.",
    required=False,
    personal=True,
    pattern=r"^[A-Z0-9][A-Z0-9-]{2,15}$",
    aliases=("Worker ID", "Staff ID", "Employee ID", "Staff code"),
    example="W-0012",
)

EMPLOYMENT_STATUS = Field(
    "employment_status",
    Kind.CODE,
    "Employment status",
    "Employment status (NHS code). 01 is wider than paid work: it is no proof of a paid job.",
    codes="employment_status",
    aliases=("Work status", "EmployStatus"),
    example="02",
)

WEEKLY_HOURS_WORKED = Field(
    "weekly_hours_worked",
    Kind.CODE,
    "Weekly hours band",
    "Band of hours worked in a week (NHS code). The codes run downwards: 01 is the most hours.",
    unit="hours a week, in bands",
    codes="weekly_hours_worked",
    aliases=("Hours band", "Hours code", "WeekHoursWorked"),
    example="02",
)

SOURCE_DOCUMENT = Field(
    "source_document",
    Kind.TEXT,
    "Source document",
    "Where the figure is printed: publisher, title and date.",
    aliases=("Data Source", "Source"),
    example="Public Sector Executive, 15 December 2014",
)

SOURCE_DATE = Field(
    "source_date",
    Kind.DATE,
    "Source date",
    "The day that the source document bears; empty where it bears none. What it reports may be older.",
    required=False,
)

SOURCE_WORDING = Field(
    "source_wording",
    Kind.TEXT,
    "Source wording",
    "The few words of the source that carry the figure, such as 'up to'.",
    required=False,
)

# Published figures (grants, targets, benchmarks, ...) are sent by an office, not by the site that they are about. Hence
# their own columns for programme and site: `site_code` is always the sender.
PROGRAMME_CODE = Field(
    "programme_code",
    Kind.CODE,
    "Programme",
    "The programme that the row is about; empty where it is about none of them, as a comparator is.",
    codes="programmes",
    required=False,
    aliases=("Programme code",),
    example="MHT",
)

ABOUT_SITE_CODE = Field(
    "about_site_code",
    Kind.CODE,
    "Site it is about",
    "The pilot site that the row is about; empty where it is about a whole programme.",
    codes="sites",
    required=False,
    aliases=("About site", "Area site code"),
    example="MHT-BPL",
)

AMOUNT = Field(
    "amount",
    Kind.MONEY,
    "Amount",
    "The amount in pounds; empty, never 0, where it is not known.",
    unit="GBP",
    required=False,
    column_required=True,
    example="100000.00",
)

AMOUNT_STATUS = Field(
    "amount_status",
    Kind.CODE,
    "Amount status",
    "Whether the amount is known, unknown, or known to have been left out by its source.",
    codes="amount_status",
    default="known",
)

CURRENCY = Field(
    "currency",
    Kind.CODE,
    "Currency",
    "The currency of the amount: pounds only.",
    codes="currency",
    not_listed_rule="M23",
    default="GBP",
)

FINANCIAL_YEAR = Field(
    "financial_year",
    Kind.FINANCIAL_YEAR,
    "Financial year",
    "The financial year (April to March) that the figure is for; empty where its source prints none.",
    required=False,
    pattern=r"^(?:19|20)[0-9]{2}-[0-9]{2}$",
    pattern_rule="M06",
    aliases=("FY",),
    example="2015-16",
)

AWARD_ID = Field(
    "award_id",
    Kind.REFERENCE,
    "Award reference",
    "The award that the money belongs to, by the reference that funding_awards has for it.",
    aliases=("Grant reference", "Grant ID", "Award ID"),
    example="BPL-GRANT-1",
)

QUARTER = Field(
    "quarter",
    Kind.CODE,
    "Quarter",
    "The quarter of the financial year: Q1 is April to June.",
    codes="quarter",
    aliases=("Qtr",),
    example="Q1",
)

COST_CATEGORY = Field(
    "cost_category",
    Kind.CODE,
    "Cost category",
    "What kind of cost it is. VAT is no category: it is part of the cost that it was paid on.",
    codes="cost_category",
    not_listed_rule="M18",
    aliases=("Category", "Budget line", "Cost type"),
    example="staff",
)

CAVEAT = Field(
    "caveat",
    Kind.TEXT,
    "Caveat",
    "What a reader must know before using the figure, such as what it really measures.",
    required=False,
    aliases=("Note", "Notes"),
)


def orphan(dataset: str, entity: str, parent: str) -> Rule:
    """Rule P12: a row of `dataset` without its parent row, in `participants` or in `referrals`.

    `entity` is the word for such a row in texts, such as 'contact'.
    """
    key, noun = {"participants": ("participant_ref", "participant"), "referrals": ("episode_id", "referral")}[parent]
    reference = "a participant reference" if parent == "participants" else "an episode reference"
    return Rule(
        "P12",
        Severity.ROW,
        f"There is no {noun} for this {entity}",
        expected=f"{reference} that is in your accepted {parent}",
        fix=f"Send the {noun}, or correct the reference.",
        field=key,
        needs=(parent,),
        parent=parent,
        violations_sql=f"""
                select delivery_id, source_row from (from core.{dataset} where {key} is not null)
                anti join core.{parent} using (site_code, {key})""",
    )


def participant_of_episode(dataset: str, rule_id: str) -> Rule:
    """The rule that a row's participant is the one who has its episode in the referrals."""
    return Rule(
        rule_id,
        Severity.ROW,
        "The participant is not that of the episode",
        expected="the participant who has the episode in the referrals",
        fix="Correct the participant reference or the episode reference.",
        field="participant_ref",
        needs=("referrals",),
        violations_sql=f"""
                select e.delivery_id, e.source_row from core.{dataset} e
                join core.referrals r using (site_code, episode_id)
                where r.participant_ref <> e.participant_ref""",
    )


def repeats_sql(table: str, columns: str, order_by: str, where: str = "true") -> str:
    """SQL that selects every row but the first, by `order_by`, of those that agree in `columns`.

    Result: delivery_id, source_row, and the place of the first: other_delivery, other_row.
    """
    # Only rows whose hash occurs more than once are sorted: to sort a long table for its few repeats would take longer
    # than all other rules between rows (docs/speed.md).
    return f"""
        select delivery_id, source_row, first_value(delivery_id) over alike as other_delivery,
            first_value(source_row) over alike as other_row
        from {table}
        where {where} and hash({columns}) in (
            select hash({columns}) from {table} where {where} group by all having count(*) > 1)
        window alike as (partition by {columns} order by {order_by})
        qualify row_number() over alike > 1"""


def before_death(dataset: str, field: str, event: str) -> Rule:
    """Rule P20 for one date of a dataset: no event after the participant's date of death.

    The participant is found by the reference in the row, or through the row's episode. `event` begins the title.
    """
    has_reference = dataset in ("referrals", "randomisation", "wellbeing_measures")
    through_episode = "" if has_reference else "join core.referrals r using (site_code, episode_id)"
    return Rule(
        "P20",
        Severity.ROW,
        f"{event} is after the participant's date of death",
        expected="a date on or before the date of death",
        fix="Correct this date, or the date of death in the participants extract.",
        field=field,
        needs=("participants",) if has_reference else ("participants", "referrals"),
        violations_sql=f"""
                select e.delivery_id, e.source_row
                from core.{dataset} e {through_episode}
                join core.participants p using (site_code, participant_ref)
                where e.{field} > p.deceased_date""",
    )
