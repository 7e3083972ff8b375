"""core.participants: the people in the pilots, under a pseudonym. Source: docs/domain.md 7.1, rules P04-P06, P19, P20.

Age at referral (P07) is checked in `referrals.py`, where the date is. P06 compares a row with all earlier deliveries of
the site: only a value that none of them has is a change. So undoing a mistake is not reported again, and a real change
is accepted once it is sent a second time.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import (
    CONSENT_RULE,
    MIN_ROWS_FOR_A_PATTERN,
    Contract,
    Field,
    Kind,
    PersonalWhen,
    Rule,
    Severity,
    Usual,
)
from schemas._contract.shared_fields import PARTICIPANT_REF, SITE_CODE
from schemas._rules.datasets.areas import served_by_site


def _changed(condition: str) -> str:
    """SQL for rows of `p` that differ from the history `h` of the same participant, by a HAVING `condition`."""
    return f"""
                select p.delivery_id, p.source_row
                from core.participants p join history.participants h using (site_code, participant_ref)
                where h.delivery_id <> p.delivery_id
                group by p.delivery_id, p.source_row
                having {condition}"""


_CHECK_CHANGE = "Check which value is right. If this one is, leave it: it is taken as confirmed in your next extract."

CONTRACT = Contract(
    dataset="participants",
    title="Participants",
    description="People referred to a pilot, as they were at referral. No names, dates of birth or postcodes.",
    grain="one row per participant per site",
    key=("participant_ref",),
    participant_level=True,
    dated_by="consent_date",  # not an event date: a month's extract may include people who consented earlier
    fields=(
        PARTICIPANT_REF,
        SITE_CODE,
        Field(
            "year_of_birth",
            Kind.INTEGER,
            "Year of birth",
            "The year alone: a full date of birth is never accepted.",
            unit="year",
            low=1930,
            high=2005,
            personal=True,
            personal_when=PersonalWhen.FULL_DATE,
            sentinels=("9999",),
            aliases=("YOB", "Birth year", "Year born"),
            example="1978",
        ),
        Field(
            "age_at_referral",
            Kind.INTEGER,
            "Age at referral",
            "Age in whole years on the day the referral was received, if the site holds it.",
            unit="years",
            required=False,
            low=0,
            high=120,
            usual=Usual("from 14 to 80", low=14, high=80, least=0.8),
            personal_when=PersonalWhen.FULL_DATE,
            sentinels=("99", "999"),
            aliases=("Age", "Age when referred"),
            example="38",
        ),
        Field(
            "gender",
            Kind.CODE,
            "Gender",
            "Gender as stated by the person (NHS code).",
            codes="gender",
            aliases=("Sex", "Person stated gender", "Gender code"),
            example="2",
        ),
        Field(
            "gender_identity",
            Kind.CODE,
            "Gender identity",
            "Gender identity as stated by the person (NHS code).",
            codes="gender_identity",
            required=False,
            aliases=("Gender identity code",),
            example="2",
        ),
        Field(
            "ethnic_category",
            Kind.CODE,
            "Ethnic category",
            "Ethnic category as stated by the person (2001 census groups, NHS code).",
            codes="ethnic_category",
            old_code_rule="P08",
            aliases=("Ethnicity", "Ethnic group", "Ethnic origin", "Ethnicity code"),
            example="A",
        ),
        Field(
            "disability_ea2010",
            Kind.CODE,
            "Disability (Equality Act 2010)",
            "Whether the person has a disability as the Equality Act 2010 defines it.",
            codes="disability_ea2010",
            aliases=("Disability", "Disabled", "Disability status", "Equality Act disability"),
            example="Y",
        ),
        Field(
            "primary_condition",
            Kind.CODE,
            "Main health condition",
            "The condition that most limits the person's work.",
            codes="primary_condition",
            aliases=("Primary health condition", "Main condition", "Presenting condition"),
            example="common_mental_disorder",
        ),
        Field(
            "secondary_condition",
            Kind.CODE,
            "Second health condition",
            "The next condition that limits the person's work, if there is one.",
            codes="primary_condition",
            required=False,
            aliases=("Secondary health condition", "Other condition"),
            example="musculoskeletal",
        ),
        Field(
            "condition_count",
            Kind.INTEGER,
            "Number of health conditions",
            "How many health conditions the person has.",
            unit="conditions",
            required=False,
            low=0,
            high=30,
            sentinels=("99", "999"),
            aliases=("Number of conditions", "No of conditions"),
            example="2",
        ),
        Field(
            "lsoa",
            Kind.REFERENCE,
            "Small area of residence",
            "Lower layer super output area (2011) where the person lives; never a full postcode.",
            required=False,
            personal=True,
            pattern=r"^E01[0-9]{6}$",
            aliases=("LSOA code", "LSOA11", "LSOA 2011"),
            example="E01012345",
        ),
        Field(
            "la_code",
            Kind.CODE,
            "Local authority of residence",
            "Local authority where the person lives (ONS code).",
            codes="areas",
            aliases=("Local authority", "LA", "Local authority code", "Council", "District", "GSS code"),
            example="E06000009",
        ),
        Field(
            "gp_area_code",
            Kind.CODE,
            "Area of GP registration",
            "Area of the GP practice where the person is registered (ONS code): the health-led trials recruit by it.",
            codes="areas",
            required=False,
            empty_if="the pilot is not a health-led trial",
            aliases=("GP area", "GP registration area", "Registered GP area"),
            example="E08000031",
        ),
        Field(
            "imd_decile",
            Kind.INTEGER,
            "Deprivation decile",
            "Decile of the small area in the English Index of Multiple Deprivation; 1 is the most deprived tenth.",
            unit="decile",
            required=False,
            low=1,
            high=10,
            sentinels=("99",),
            aliases=("IMD", "IMD decile 2019", "Deprivation"),
            example="3",
        ),
        Field(
            "highest_qualification",
            Kind.CODE,
            "Highest qualification",
            "The highest level of qualification held at referral.",
            codes="highest_qualification",
            required=False,
            aliases=("Qualification", "Qualification level", "Education level"),
        ),
        Field(
            "months_out_of_work",
            Kind.INTEGER,
            "Time out of work",
            "Whole months since the person last had paid work; empty if never or in work.",
            unit="months",
            required=False,
            low=0,
            high=720,
            sentinels=("999", "9999"),
            aliases=("Months unemployed", "Months since last job"),
            example="14",
        ),
        Field(
            "benefit_at_start",
            Kind.CODE,
            "Benefit at start",
            "The main out-of-work benefit the person received when referred.",
            codes="benefit_at_start",
            aliases=("Benefit", "Benefit type", "Benefit claimed", "Main benefit"),
            example="esa_wrag",
        ),
        Field(
            "sexual_orientation",
            Kind.CODE,
            "Sexual orientation",
            "Sexual orientation as stated by the person (NHS code).",
            codes="sexual_orientation",
            required=False,
            personal=True,
            aliases=("Sexuality",),
        ),
        Field(
            "religion",
            Kind.CODE,
            "Religion or belief",
            "Religion or belief as stated by the person.",
            codes="religion",
            required=False,
            personal=True,
            aliases=("Faith", "Religion or belief"),
        ),
        Field(
            "consent_participation",
            Kind.YES_NO,
            "Consent to take part",
            "Whether the person agreed to take part in the pilot.",
            aliases=("Consent", "Consent to participate", "Participation consent"),
            example="Y",
        ),
        Field(
            "consent_data_sharing",
            Kind.YES_NO,
            "Consent to share data",
            "Whether the person agreed that the site may share this record for monitoring.",
            aliases=("Data sharing consent", "Consent to data sharing"),
            example="Y",
        ),
        Field(
            "consent_linkage",
            Kind.YES_NO,
            "Consent to data linkage",
            "Whether the person agreed that the record may be linked to administrative data.",
            required=False,
            aliases=("Linkage consent", "Data linkage consent"),
            example="Y",
        ),
        Field(
            "consent_date",
            Kind.DATE,
            "Date of consent",
            "The day on which the person gave consent.",
            aliases=("Consent given", "Consented on"),
            example="2016-05-09",
        ),
        Field(
            "consent_withdrawn_date",
            Kind.DATE,
            "Date consent was withdrawn",
            "The day on which the person withdrew consent; empty if they have not.",
            required=False,
            aliases=("Date of withdrawal", "Consent withdrawn", "Withdrawal date"),
        ),
        Field(
            "deceased_date",
            Kind.DATE,
            "Date of death",
            "The day on which the person died; empty otherwise.",
            required=False,
            personal=True,
            aliases=("DOD", "Date deceased", "Deceased"),
        ),
    ),
    rules=(
        Rule(
            "V01",
            Severity.ROW,
            "The area of GP registration is empty",
            expected="the area where the person's GP practice lies: the health-led trials recruit by it",
            fix="Enter the area code of the GP practice.",
            field="gp_area_code",
            check=lambda: (pl.col("programme_code") != "HLT") | pl.col("gp_area_code").is_not_null(),
        ),
        served_by_site(),
        Rule(
            CONSENT_RULE,
            Severity.ROW,
            "The person has not agreed to share data",
            expected="only people who agreed that their record may be shared",
            fix="Leave the person out of the extract until they agree, and tell your information governance lead. "
            "If they did agree, correct the answer.",
            field="consent_data_sharing",
            check=lambda: pl.col("consent_data_sharing"),
        ),
        Rule(
            "P19",
            Severity.WARNING,
            "Consent was withdrawn before it was given",
            expected="a date on or after the date of consent, or an empty cell if consent stands",
            fix="Check both dates. If the person agreed again later, empty the date of withdrawal.",
            field="consent_withdrawn_date",
            check=lambda: pl.col("consent_withdrawn_date") >= pl.col("consent_date"),
        ),
        Rule(
            "P20",
            Severity.ROW,
            "Consent was given after the date of death",
            expected="a date of death on or after the date of consent",
            fix="Correct whichever of the two dates is wrong.",
            field="deceased_date",
            check=lambda: pl.col("deceased_date") >= pl.col("consent_date"),
        ),
        Rule(
            "P11",
            Severity.WARNING,
            "The ethnic category of many people is not known",
            expected="the answer of each person: national figures treat not stated (Z) and not known (99) as missing",
            fix="Ask the people whose answer is 99, and enter it. If your system exports Z or 99 in place of what it "
            "holds, correct the export. Do not guess.",
            field="ethnic_category",
            whole_file=True,
            violations_sql=f"""
                select delivery_id,
                    count(*) filter (ethnic_category in ('Z', '99')) || ' of ' || count(*) || ' are Z or 99' as found
                from core.participants group by delivery_id
                having count(*) >= {MIN_ROWS_FOR_A_PATTERN}
                    and count(*) filter (ethnic_category in ('Z', '99')) > 0.4 * count(*)""",
        ),
        # Reported on the site: on the reference, P04 already has the text about copies within one file.
        Rule(
            "P04",
            Severity.ROW,
            "Another site of the programme sends the same participant reference",
            expected="a reference that only one site of the programme uses",
            fix="Agree with the programme office whose participant it is. The other site leaves the row out, or gives "
            "its own participant another reference. Until then no copy counts.",
            field="site_code",
            across_sites=True,
            violations_sql="""
                select delivery_id, source_row
                from core.participants
                semi join (
                    select programme_code, participant_ref from core.participants
                    group by all having count(distinct site_code) > 1
                ) shared using (programme_code, participant_ref)""",
        ),
        # Strict on purpose: all these fields must agree, so that people who are merely similar are not reported.
        Rule(
            "P05",
            Severity.WARNING,
            "This may be the same person as on an earlier row, under another reference",
            expected="one reference for each person",
            fix="Look for a person who agrees in year of birth, gender, ethnic category, area, condition and benefit, "
            "with a date of consent within 7 days. If it is the same person, keep one reference. "
            "If not, nothing needs doing.",
            field="participant_ref",
            confirmable=True,
            violations_sql="""
                select p.delivery_id, p.source_row
                from core.participants p
                where exists (
                    from core.participants twin
                    where twin.site_code = p.site_code and twin.source_row < p.source_row
                        and twin.participant_ref <> p.participant_ref
                        and twin.year_of_birth = p.year_of_birth and twin.gender = p.gender
                        and twin.ethnic_category = p.ethnic_category and twin.lsoa = p.lsoa
                        and twin.primary_condition = p.primary_condition
                        and twin.disability_ea2010 = p.disability_ea2010
                        and twin.benefit_at_start = p.benefit_at_start
                        and abs(twin.consent_date - p.consent_date) <= 7)""",
        ),
        Rule(
            "P06",
            Severity.ROW,
            "The year of birth has changed by more than a year since an earlier extract",
            expected="the year of birth that was sent before",
            fix="Check that the reference was not given to another person. " + _CHECK_CHANGE,
            field="year_of_birth",
            violations_sql=_changed("min(abs(h.year_of_birth - p.year_of_birth)) > 1"),
        ),
        Rule(
            "P06",
            Severity.WARNING,
            "The year of birth has changed by one since an earlier extract",
            expected="the year of birth that was sent before",
            fix=_CHECK_CHANGE,
            field="year_of_birth",
            violations_sql=_changed("min(abs(h.year_of_birth - p.year_of_birth)) = 1"),
        ),
        # A 'not known' that becomes a known answer is not a change.
        Rule(
            "P06",
            Severity.WARNING,
            "The gender has changed since an earlier extract",
            expected="the gender that was sent before",
            fix=_CHECK_CHANGE,
            field="gender",
            violations_sql=_changed("bool_and(h.gender <> p.gender) filter (where h.gender <> 'X')"),
        ),
        Rule(
            "P06",
            Severity.WARNING,
            "The ethnic category has changed since an earlier extract",
            expected="the ethnic category that was sent before",
            fix=_CHECK_CHANGE,
            field="ethnic_category",
            violations_sql=_changed(
                "bool_and(h.ethnic_category <> p.ethnic_category) filter (where h.ethnic_category not in ('Z', '99'))"
            ),
        ),
    ),
)
