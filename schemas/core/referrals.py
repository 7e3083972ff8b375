"""core.referrals: spells of support, from referral to exit. Source: docs/domain.md 7.2, rules P07, P12-P20, E08."""

from __future__ import annotations

import polars as pl

from schemas._contract.model import MIN_ROWS_FOR_A_PATTERN, Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import (
    EMPLOYMENT_STATUS,
    EPISODE_ID,
    PARTICIPANT_REF,
    STAFF_REF,
    WEEKLY_HOURS_WORKED,
    before_death,
    orphan,
)
from schemas._rules.datasets.employment import hours_agree
from schemas._rules.months import within_period


def _age(condition: str) -> str:
    """SQL for referrals whose `age` meets `condition`.

    Only the year of birth is known, so `age` is the most that the person can be: in fact it may be a year less.
    """
    return f"""
                select delivery_id, source_row
                from (
                    select r.*, year(r.referral_received_date) - p.year_of_birth as age
                    from core.referrals r join core.participants p using (site_code, participant_ref))
                where {condition}"""


CONTRACT = Contract(
    dataset="referrals",
    title="Referrals",
    description="Spells of support from referral to exit. A second referral of a person is a new row.",
    grain="one row per referral (episode)",
    key=("episode_id",),
    participant_level=True,
    event_date="referral_received_date",
    fields=(
        EPISODE_ID,
        PARTICIPANT_REF,
        Field(
            "referral_received_date",
            Kind.DATE,
            "Referral received",
            "The day on which the site received the referral. Cohorts of referrals are counted by it.",
            aliases=("Date of referral", "Referral date", "Date referred", "Date referral received"),
            example="2016-05-04",
        ),
        Field(
            "source_of_referral",
            Kind.CODE,
            "Source of referral",
            "Who referred the person (NHS code). Jobcentre Plus is M5; E5 is court liaison.",
            codes="source_of_referral",
            aliases=("Referral source", "Referred by", "Referrer type"),
            example="M5",
        ),
        Field(
            "referring_org_ods",
            Kind.REFERENCE,
            "Referring organisation",
            "NHS organisation (ODS) code of the referrer, where it is an NHS body.",
            required=False,
            pattern=r"^[A-Z0-9]{3,6}$",
            aliases=("ODS code", "Referrer ODS", "GP practice code", "Referring organisation code"),
            example="RXV",
        ),
        Field(
            "jobcentre_district",
            Kind.CODE,
            "Jobcentre Plus district",
            "The Jobcentre Plus district of the referral, where there is one.",
            codes="jobcentre_district",
            required=False,
            aliases=("JCP district", "Jobcentre"),
            example="Cumbria and Lancashire",
        ),
        Field(
            "eligibility_outcome",
            Kind.CODE,
            "Eligibility",
            "Whether the person was found eligible for the pilot.",
            codes="eligibility_outcome",
            aliases=("Eligible", "Eligibility decision", "Triage outcome"),
            example="eligible",
        ),
        Field(
            "ineligible_reason",
            Kind.CODE,
            "Reason not eligible",
            "Why the person was found not eligible; empty otherwise.",
            codes="ineligible_reason",
            required=False,
            empty_if="the person was not found ineligible",
            aliases=("Reason for ineligibility", "Ineligibility reason", "Rejection reason"),
        ),
        Field(
            "eligibility_date",
            Kind.DATE,
            "Date of the eligibility decision",
            "The day on which eligibility was decided.",
            required=False,
            aliases=("Decision date", "Date of decision", "Eligibility decision date", "Triage date"),
            example="2016-05-11",
        ),
        Field(
            "programme_start_date",
            Kind.DATE,
            "Start of support",
            "The day on which support began, as `start_basis` says; empty if it has not.",
            required=False,
            column_required=True,
            aliases=("Start date", "Date started", "Programme start", "Date of first appointment"),
            example="2016-05-20",
        ),
        Field(
            "start_basis",
            Kind.CODE,
            "What counts as the start",
            "What the start of support is the date of: first contact, provider's start or randomisation.",
            codes="start_basis",
            required=False,
            empty_if="support has not started",
            aliases=("Basis of start", "Start type"),
            example="first_contact",
        ),
        Field(
            "support_model",
            Kind.CODE,
            "Support model",
            "The kind of support the person was referred to.",
            codes="support_model",
            aliases=("Model", "Intervention", "Service type"),
            example="ips",
        ),
        EMPLOYMENT_STATUS.replace(
            name="employment_status_at_start",
            title="Employment status at start",
            description="Employment status when referred (NHS code). 01 is wider than paid work.",
            aliases=("Employment status at referral", "Employment status", "Work status at start"),
        ),
        WEEKLY_HOURS_WORKED.replace(
            name="weekly_hours_at_start",
            title="Weekly hours band at start",
            required=False,
            aliases=("Hours at start", "Weekly hours at start", "Weekly hours at referral"),
            example="98",
        ),
        Field(
            "sick_absence_at_start",
            Kind.CODE,
            "Absent through sickness at start",
            "Whether someone in work was on sick leave when referred (NHS code).",
            codes="sick_absence_ind",
            required=False,
            aliases=("Sick absence", "Off sick", "On sick leave"),
            example="8",
        ),
        Field(
            "statutory_sick_pay",
            Kind.CODE,
            "Statutory Sick Pay",
            "Whether the person received Statutory Sick Pay when referred (NHS code).",
            codes="ssp_ind",
            required=False,
            aliases=("SSP", "Receiving SSP"),
            example="N",
        ),
        Field(
            "exit_date",
            Kind.DATE,
            "Date of exit",
            "The day on which support ended; empty while the episode is open.",
            required=False,
            column_required=True,
            may_go_on=True,
            aliases=("Exit date", "Discharge date", "Date closed", "End date", "Leaving date"),
            example="2016-11-02",
        ),
        Field(
            "exit_reason",
            Kind.CODE,
            "Reason for exit",
            "Why support ended; empty while the episode is open.",
            codes="exit_reason",
            required=False,
            empty_if="the episode is open",
            column_required=True,
            aliases=("Exit reason", "Discharge reason", "Reason closed", "Reason for leaving", "Closure reason"),
            example="completed_in_work",
        ),
        EMPLOYMENT_STATUS.replace(
            name="employment_status_at_exit",
            title="Employment status at exit",
            description="Employment status when support ended (NHS code). 01 is wider than paid work.",
            required=False,
            aliases=("Employment status at discharge", "Work status at exit"),
            example="01",
        ),
        WEEKLY_HOURS_WORKED.replace(
            name="weekly_hours_at_exit",
            title="Weekly hours band at exit",
            required=False,
            aliases=("Hours at exit", "Weekly hours at exit", "Weekly hours at discharge"),
        ),
        STAFF_REF.replace(
            name="key_worker_ref",
            title="Key worker",
            description="The site's own reference for the person's main worker; never a name.",
            aliases=("Key worker ID", "Caseworker ID", "Employment specialist ID"),
        ),
        Field(
            "priority_group",
            Kind.CODE,
            "Priority group",
            "The group by which the person was given priority, where the pilot has such groups.",
            codes="priority_group",
            required=False,
            aliases=("Priority", "Target group", "Client group"),
        ),
    ),
    rules=(
        Rule(
            "V01",
            Severity.ROW,
            "The reason for not being eligible is empty",
            expected="a reason wherever the referral is not eligible",
            fix="Enter why the person was not eligible, or correct the eligibility.",
            field="ineligible_reason",
            check=lambda: (pl.col("eligibility_outcome") != "ineligible") | pl.col("ineligible_reason").is_not_null(),
        ),
        Rule(
            "V01",
            Severity.ROW,
            "What counts as the start of support is not given",
            expected="first_contact, provider_start or randomised wherever there is a start of support",
            fix="Enter what counts as the start, or empty the start of support if there was none.",
            field="start_basis",
            check=lambda: pl.col("programme_start_date").is_null() | pl.col("start_basis").is_not_null(),
        ),
        Rule(
            "P13",
            Severity.ROW,
            "Support starts before the referral",
            expected="a start on or after the day the referral was received",
            fix="Correct the start of support or the date of referral.",
            field="programme_start_date",
            check=lambda: pl.col("programme_start_date") >= pl.col("referral_received_date"),
        ),
        Rule(
            "P14",
            Severity.ROW,
            "Eligibility was decided before the referral",
            expected="a decision on or after the day the referral was received",
            fix="Correct the date of the decision or the date of referral.",
            field="eligibility_date",
            check=lambda: pl.col("eligibility_date") >= pl.col("referral_received_date"),
        ),
        Rule(
            "P14",
            Severity.ROW,
            "A referral that is not eligible has a start of support",
            expected="no start of support where the referral is not eligible",
            fix="Correct the eligibility if support did start; otherwise empty the start of support.",
            field="eligibility_outcome",
            check=lambda: (pl.col("eligibility_outcome") != "ineligible") | pl.col("programme_start_date").is_null(),
        ),
        Rule(
            "P17",
            Severity.ROW,
            "Exit date and exit reason do not come together",
            expected="both an exit date and an exit reason, or neither while the episode is open",
            fix="Enter whichever of the two is missing, or empty both if the episode is still open.",
            field="exit_reason",
            check=lambda: pl.col("exit_date").is_null() == pl.col("exit_reason").is_null(),
        ),
        Rule(
            "P17",
            Severity.ROW,
            "Exit is before the start of support",
            expected="an exit on or after the start of support (or the referral, where support did not start)",
            fix="Correct the exit date, the start of support or the date of referral.",
            field="exit_date",
            check=lambda: pl.col("exit_date") >= pl.coalesce("programme_start_date", "referral_received_date"),
        ),
        hours_agree("employment_status_at_start", "weekly_hours_at_start", "at start"),
        hours_agree("employment_status_at_exit", "weekly_hours_at_exit", "at exit"),
        within_period("referral_received_date"),
        orphan("referrals", "referral", "participants"),
        Rule(
            "P07",
            Severity.ROW,
            "The person was too young for the programme when referred",
            expected="an age at referral of 16 or over, and of 18 or over in the health-led trials",
            fix="Correct the date of referral, or the year of birth in the participants extract.",
            field="referral_received_date",
            needs=("participants",),
            violations_sql=_age("age < case programme_code when 'HLT' then 18 else 16 end"),
        ),
        Rule(
            "P07",
            Severity.WARNING,
            "The person was over 75 when referred",
            expected="an age at referral of 75 or under",
            fix="Check the date of referral, and the year of birth in the participants extract.",
            field="referral_received_date",
            confirmable=True,
            needs=("participants",),
            # `age` may be a year too high, if the birthday is after the referral.
            violations_sql=_age("age - 1 > 75"),
        ),
        Rule(
            "P16",
            Severity.ROW,
            "The participant already had an open episode",
            expected="a referral received when the person's earlier episode had ended",
            fix="First look whether a date or a participant reference was copied down by mistake: if so, correct it. "
            "If the earlier episode has ended, enter its exit date. If this is the same episode, delete this row.",
            field="referral_received_date",
            names_other="the earlier episode is on",
            # Recursive, because a referral that this rule holds must not make the next one overlap: each is compared
            # with the end of the last episode not held. Ineligible referrals never open an episode.
            violations_sql="""
                with recursive episodes as (
                    select *, coalesce(exit_date, date '9999-12-31') as until, row_number() over (
                        partition by site_code, participant_ref
                        order by referral_received_date, delivery_id, source_row) as n
                    from core.referrals where eligibility_outcome <> 'ineligible'
                ), checked as (
                    select delivery_id, source_row, site_code, participant_ref, n, until, false as is_open,
                        delivery_id as other_delivery, source_row as other_row
                    from episodes where n = 1
                    union all
                    select e.delivery_id, e.source_row, e.site_code, e.participant_ref, e.n,
                        case when e.referral_received_date < c.until then c.until else greatest(c.until, e.until) end,
                        e.referral_received_date < c.until,
                        -- the last episode not held: of a row that is held, the one that was open
                        if(e.referral_received_date < c.until or e.until < c.until, c.other_delivery, e.delivery_id),
                        if(e.referral_received_date < c.until or e.until < c.until, c.other_row, e.source_row)
                    from checked c join episodes e
                        on e.site_code = c.site_code and e.participant_ref = c.participant_ref and e.n = c.n + 1
                )
                select delivery_id, source_row, other_delivery, other_row from checked where is_open""",
        ),
        Rule(
            "P18",
            Severity.WARNING,
            "The episode has been open for over two years, without a contact in the last six months",
            expected="an exit where support has ended",
            fix="Enter the exit date and reason if the person has left. Send any contact that is missing.",
            field="exit_date",
            confirmable=True,
            # Contacts depend on referrals, so naming them in `needs` would be a cycle. Sites without any are left out.
            violations_sql="""
                select r.delivery_id, r.source_row
                from core.referrals r
                join (select delivery_id, data_cut_date from audit.deliveries) using (delivery_id)
                where r.eligibility_outcome = 'eligible' and r.exit_date is null
                    and coalesce(r.programme_start_date, r.referral_received_date) < data_cut_date - interval 24 month
                    and exists (from core.contacts c where c.site_code = r.site_code)
                    and not exists (
                        from core.contacts c
                        where c.site_code = r.site_code and c.episode_id = r.episode_id
                            and c.contact_date >= data_cut_date - interval 6 month)""",
        ),
        Rule(
            "P19",
            Severity.WARNING,
            "Support started without consent to take part",
            expected="consent to take part (Y) for everyone whose support started",
            fix="Check the consent in the participants extract, and the start of support.",
            field="programme_start_date",
            needs=("participants",),
            violations_sql="""
                select r.delivery_id, r.source_row
                from core.referrals r join core.participants p using (site_code, participant_ref)
                where r.programme_start_date is not null and not p.consent_participation""",
        ),
        # Court liaison refers few people anywhere; ten and a twentieth are far more than chance or a slip gives.
        Rule(
            "P15",
            Severity.WARNING,
            "Many referrals come from court liaison (E5), and none from Jobcentre Plus (M5)",
            expected="M5 for a referral by Jobcentre Plus; E5 is court liaison and diversion",
            fix="Look how your system translates its own codes. Where E5 stands for Jobcentre Plus, enter M5 on all"
            " these rows. If court liaison did refer them, nothing needs doing.",
            field="source_of_referral",
            whole_file=True,
            violations_sql=f"""
                select delivery_id, count(*) filter (source_of_referral = 'E5') || ' of ' || count(*)
                    || ' referrals are E5, and none is M5' as found
                from core.referrals group by delivery_id
                having count(*) >= {MIN_ROWS_FOR_A_PATTERN}
                    and count(*) filter (source_of_referral = 'E5') >= greatest(10, 0.05 * count(*))
                    and count(*) filter (source_of_referral = 'M5') = 0""",
        ),
        before_death("referrals", "referral_received_date", "The referral"),
        before_death("referrals", "programme_start_date", "The start of support"),
    ),
)
