"""core.randomisation: who was allocated to which arm, and when. Source: docs/domain.md 4.6, 7.3, rules T01-T07."""

from __future__ import annotations

from datetime import date

import polars as pl

from schemas._contract.model import MIN_ROWS_FOR_A_PATTERN, Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import PARTICIPANT_REF, before_death, orphan, repeats_sql
from schemas._rules.months import within_period

RECRUITMENT = (date(2018, 5, 1), date(2019, 10, 31))  # docs/domain.md 1.5

# The allocation that counts: the earliest one in the first extract that was accepted for the participant
# (docs/domain.md 4.6). A row of a current delivery that another rule has removed from core is left out.
AS_SENT = "received_at, data_cut_date, version, delivery_id, randomised_date, source_row"
FIRST_SENT = f"""
    select site_code, participant_ref, arm, delivery_id, source_row from history.randomisation
    where not counts or (delivery_id, source_row) in (select (delivery_id, source_row) from core.randomisation)
    qualify row_number() over (partition by site_code, participant_ref order by {AS_SENT}) = 1"""

CONTRACT = Contract(
    dataset="randomisation",
    title="Randomisation",
    description="Allocations to a trial arm. Analysis is by the arm first allocated, whatever support followed.",
    grain="one row per allocation; one allocation per participant",
    key=("randomisation_id",),
    participant_level=True,
    event_date="randomised_date",
    fields=(
        Field(
            "randomisation_id",
            Kind.REFERENCE,
            "Randomisation reference",
            "The trial's own reference for the allocation.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            personal=True,
            aliases=("Randomisation ID", "Randomisation number", "Allocation ID"),
            example="SCR-R000123",
        ),
        PARTICIPANT_REF,
        Field(
            "trial_group",
            Kind.CODE,
            "Trial group",
            "The trial and the group within it; the groups are analysed apart.",
            codes="trial_group",
            aliases=("Group", "Trial", "Cohort group"),
            example="scr_oow",
        ),
        Field(
            "baseline_completed_date",
            Kind.DATE,
            "Baseline completed",
            "The day on which the baseline questions were completed: always before allocation.",
            aliases=("Baseline date", "Date of baseline", "Baseline assessment date"),
            example="2018-06-04",
        ),
        Field(
            "randomised_date",
            Kind.DATE,
            "Date of randomisation",
            "The day on which the person was allocated to an arm.",
            aliases=("Randomisation date", "Date randomised", "Allocation date"),
            example="2018-06-05",
        ),
        Field(
            "arm",
            Kind.CODE,
            "Trial arm",
            "The arm the person was first allocated to. It never changes.",
            codes="trial_arm",
            not_listed_rule="T05",
            aliases=("Allocation", "Treatment arm", "Allocated to", "Treatment or control"),
            example="ips",
        ),
        Field(
            "stratum",
            Kind.TEXT,
            "Stratum",
            "The stratum within which the person was allocated, where allocation was stratified.",
            required=False,
            pattern=r"^[a-z0-9]{1,12}(?:_[a-z0-9]{1,12}){0,3}$",
            aliases=("Strata", "Stratification"),
            example="oow_dudley",
        ),
        Field(
            "allocation_method",
            Kind.CODE,
            "Method of allocation",
            "How the allocation was made.",
            codes="allocation_method",
            required=False,
            aliases=("Randomisation method",),
            example="blocked",
        ),
        Field(
            "notified_date",
            Kind.DATE,
            "Participant told",
            "The day on which the person was told the arm.",
            required=False,
            aliases=("Date notified", "Date told", "Notification date"),
            example="2018-06-06",
        ),
        Field(
            "consent_version",
            Kind.TEXT,
            "Version of the consent form",
            "The version of the consent form that the person signed.",
            required=False,
            pattern=r"^[vV]?[0-9]{1,2}(?:\.[0-9]{1,2}){0,2}$",
            aliases=("Consent form version", "PIS version"),
            example="v2.1",
        ),
    ),
    rules=(
        Rule(
            "T03",
            Severity.ROW,
            "Randomised before the baseline was completed",
            expected="a baseline completed on or before the day of randomisation",
            fix="Correct whichever date is wrong. If the baseline did come later, tell the trial team.",
            field="baseline_completed_date",
            check=lambda: pl.col("baseline_completed_date") <= pl.col("randomised_date"),
        ),
        Rule(
            "T04",
            Severity.WARNING,
            "Randomised outside the trial's recruitment period",
            expected="a date from 2018-05-01 to 2019-10-31",
            fix="Check the date of randomisation.",
            field="randomised_date",
            confirmable=True,
            check=lambda: (pl.col("programme_code") != "HLT") | pl.col("randomised_date").is_between(*RECRUITMENT),
        ),
        # Text only: the check is the field's code list.
        Rule(
            "T05",
            Severity.ROW,
            "The trial arm is not recognised",
            expected="ips or control",
            fix="Enter ips or control, as first allocated.",
            field="arm",
        ),
        Rule(
            "T06",
            Severity.ROW,
            "The trial group is not one of this site's",
            expected="wmca_oow from the West Midlands, which recruited out-of-work people only; scr_oow or scr_iw from "
            "Sheffield City Region",
            fix="Correct the trial group.",
            field="trial_group",
            check=lambda: (pl.col("site_code") == "HLT-WMCA") == (pl.col("trial_group") == "wmca_oow"),
        ),
        within_period("randomised_date"),
        orphan("randomisation", "randomisation", "participants"),
        Rule(
            "T01",
            Severity.ROW,
            "The participant has already been randomised",
            expected="one randomisation for each participant: the earliest stands",
            fix="First look whether the participant reference was copied down by mistake: if so, correct it. If it is "
            "the same person, delete this row.",
            field="participant_ref",
            names_other="the first randomisation is on",
            violations_sql=repeats_sql(
                "(from core.randomisation join"
                " (select delivery_id, received_at, data_cut_date, version from audit.deliveries) using (delivery_id))",
                columns="site_code, participant_ref",
                order_by=AS_SENT,
            ),
        ),
        Rule(
            "T02",
            Severity.ROW,
            "The trial arm differs from the one first recorded",
            expected="the arm that was sent first: an allocation never changes",
            fix="Restore the arm first allocated. If the first record was wrong, tell the trial team: "
            "until they decide, the first allocation stands.",
            field="arm",
            # Runs after T01, which leaves one allocation for each participant in core.
            violations_sql=f"""
                with first_sent as ({FIRST_SENT})
                select now_sent.delivery_id, now_sent.source_row
                from core.randomisation now_sent join first_sent using (site_code, participant_ref)
                where now_sent.arm <> first_sent.arm""",
            reinstate_sql=f"""
                with first_sent as ({FIRST_SENT})
                select first_sent.delivery_id, first_sent.source_row
                from first_sent
                join core.randomisation c using (site_code, participant_ref)
                join broken on broken.delivery_id = c.delivery_id and broken.source_row = c.source_row""",
        ),
        Rule(
            "T03",
            Severity.ROW,
            "Randomised before consent",
            expected="a randomisation on or after the date of consent",
            fix="Correct the date of randomisation, or the date of consent in the participants extract. "
            "If consent did come later, tell the trial team.",
            field="randomised_date",
            needs=("participants",),
            violations_sql="""
                select z.delivery_id, z.source_row
                from core.randomisation z join core.participants p using (site_code, participant_ref)
                where z.randomised_date < p.consent_date""",
        ),
        Rule(
            "T06",
            Severity.ROW,
            "A West Midlands participant was in work when randomised",
            expected="someone out of work: the West Midlands trial recruited out-of-work people only",
            fix="Correct the employment status at start in the referrals extract. If the person was in work, "
            "tell the trial team.",
            field="participant_ref",
            needs=("referrals",),
            # A person may have several referrals: the last one up to the allocation is the one that led to it.
            violations_sql="""
                select z.delivery_id, z.source_row
                from core.randomisation z join core.referrals r using (site_code, participant_ref)
                where z.site_code = 'HLT-WMCA' and r.referral_received_date <= z.randomised_date
                group by z.delivery_id, z.source_row
                having arg_max(
                    r.employment_status_at_start, (r.referral_received_date, r.delivery_id, r.source_row)) = '01'""",
        ),
        # Both trials allocated one to one. By chance one file or month in a thousand is as far from that as this, on
        # either side: the exact binomial test.
        Rule(
            "T07",
            Severity.WARNING,
            "The allocation is far from one to one",
            expected="about as many people in either arm, in all and in each month",
            fix="Check that no allocations are missing and that no arm was copied down by mistake. If the arms are"
            " right, tell the trial team.",
            field="arm",
            whole_file=True,
            violations_sql=f"""
                with counted as (
                    select delivery_id, date_trunc('month', randomised_date) as month, count(*) as n,
                        count(*) filter (arm = 'ips') as ips
                    from core.randomisation group by grouping sets ((delivery_id), (delivery_id, month))
                ), tested as (
                    select *, 2 * list_sum(list_transform(
                        range(least(ips, n - ips) + 1),
                        lambda i: exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) - n * ln(2)))) as p
                    from counted where n >= {MIN_ROWS_FOR_A_PATTERN}
                )
                select delivery_id, string_agg(ips || ' of ' || n || ' in the ips arm'
                    || coalesce(strftime(month, ' in %B %Y'), ''), '; ' order by month nulls first) as found
                from tested where p < 0.001 group by delivery_id""",
        ),
        before_death("randomisation", "randomised_date", "The randomisation"),
    ),
)
