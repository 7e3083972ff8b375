"""core.contacts: every planned contact between a participant and a worker.

Source: docs/domain.md 7.4, rules K01-K05.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._contract.shared_fields import EPISODE_ID, STAFF_REF, orphan, repeats_sql
from schemas._rules.months import within_period

ATTENDED = ("5", "6")  # on time; late, but seen

CONTRACT = Contract(
    dataset="contacts",
    title="Contacts",
    description="Planned contacts with participants, whether attended or not.",
    grain="one row per planned contact",
    key=("contact_id",),
    participant_level=True,
    event_date="contact_date",
    fields=(
        Field(
            "contact_id",
            Kind.REFERENCE,
            "Contact reference",
            "The site's own reference for the contact.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            aliases=("Contact number", "Appointment ID"),
            example="BPL-C0001234",
        ),
        EPISODE_ID,
        Field(
            "contact_date",
            Kind.DATE,
            "Contact date",
            "The day on which the contact took place or was due.",
            aliases=("Date of contact", "Appointment date"),
        ),
        Field(
            "contact_type",
            Kind.CODE,
            "Contact type",
            "What the contact was for.",
            codes="contact_type",
            aliases=("Type of contact", "Activity type"),
        ),
        Field(
            "contact_medium",
            Kind.CODE,
            "Contact medium",
            "How the contact took place (NHS consultation mechanism).",
            codes="contact_medium",
            aliases=("Medium", "Consultation medium"),
        ),
        Field(
            "attended",
            Kind.CODE,
            "Attendance",
            "Whether the participant attended (NHS code; 5 and 6 count as attended).",
            codes="attendance",
            aliases=("Attendance", "Attended or DNA"),
        ),
        Field(
            "duration_minutes",
            Kind.INTEGER,
            "Duration",
            "How long an attended contact lasted; empty or 0 when it was not attended.",
            unit="minutes",
            required=False,
            empty_if="the contact was not attended",
            column_required=True,
            low=0,
            high=480,
            range_rule="K03",
            sentinels=("9999", "99999"),
            aliases=("Duration", "Length (mins)", "Minutes"),
        ),
        Field(
            "staff_role",
            Kind.CODE,
            "Staff role",
            "The role of the worker.",
            codes="staff_role",
            aliases=("Role", "Worker role"),
        ),
        STAFF_REF,
        Field(
            "with_employer",
            Kind.YES_NO,
            "Employer present",
            "Whether an employer took part.",
            required=False,
            aliases=("Employer present",),
        ),
    ),
    rules=(
        Rule(
            "K02",
            Severity.ROW,
            "A missed appointment has a duration",
            expected="no duration unless attendance is 5 or 6",
            fix="Empty the duration, or correct the attendance code if the person came.",
            field="duration_minutes",
            check=lambda: pl.col("attended").is_in(ATTENDED) | (pl.col("duration_minutes") == 0),
        ),
        Rule(
            "K03",
            Severity.ROW,
            "The duration is missing, or not 1 to 480 minutes",
            expected="a whole number of minutes from 1 to 480 for a contact that was attended",
            fix="Enter how many minutes the contact lasted. If you recorded hours, multiply by 60.",
            field="duration_minutes",
            check=lambda: ~pl.col("attended").is_in(ATTENDED) | (pl.col("duration_minutes").fill_null(0) > 0),
        ),
        within_period("contact_date"),
        orphan("contacts", "contact", "referrals"),
        Rule(
            "K01",
            Severity.WARNING,
            "The contact lies outside the episode",
            expected="a contact date from the start of support to 31 days after exit",
            fix="Check the contact date and the episode's start and exit dates.",
            field="contact_date",
            confirmable=True,
            needs=("referrals",),
            violations_sql="""
                select c.delivery_id, c.source_row
                from core.contacts c join core.referrals r using (site_code, episode_id)
                where c.contact_date < coalesce(r.programme_start_date, r.referral_received_date)
                    or c.contact_date > r.exit_date + 31""",
        ),
        Rule(
            "K04",
            Severity.ROW,
            "The same contact is recorded more than once",
            expected="one row per contact, which differs from every other in episode, date, type, role or duration",
            fix="First look whether a date, a duration or another value was copied down by mistake: if so, correct it. "
            "If it is a copy of the same contact, delete the copy. If they are different contacts and every value is "
            "right, leave the row as it is and tell the data team: it is held back until then.",
            field="contact_id",
            names_other="the same contact as",
            violations_sql=repeats_sql(
                "core.contacts",
                columns="site_code, episode_id, contact_date, contact_type, staff_role, duration_minutes",
                order_by="delivery_id, source_row",
                where="attended in ('5', '6')",
            ),
        ),
        Rule(
            "K05",
            Severity.WARNING,
            # Posts are sent each quarter: of a later day nothing is known.
            "The worker is not in post on that day",
            expected="a staff reference that has a post on the day of the contact, in staff_posts",
            fix="Check the reference and the date. If they are right, send the post, or correct its dates.",
            field="staff_ref",
            confirmable=True,
            needs=("staff_posts",),
            violations_sql="""
                select c.delivery_id, c.source_row from core.contacts c
                join (
                    select site_code, max(data_cut_date) as known_to
                    from core.staff_posts join (select delivery_id, data_cut_date from audit.deliveries)
                        using (delivery_id)
                    group by all
                ) using (site_code)
                where c.staff_ref is not null and c.contact_date <= known_to and not exists (
                    from core.staff_posts s
                    where s.site_code = c.site_code and s.staff_ref = c.staff_ref
                        and c.contact_date between s.start_date and coalesce(s.end_date, c.contact_date))""",
        ),
        Rule(
            "T08",
            Severity.WARNING,
            "A control participant has a service contact",
            expected="no attended service contact for a participant in the control arm",
            fix="Check the participant's arm and the contact. The row is kept: analysis is by arm as randomised.",
            field="episode_id",
            needs=("referrals", "randomisation"),
            violations_sql="""
                select c.delivery_id, c.source_row
                from core.contacts c
                join core.referrals r using (site_code, episode_id)
                join core.randomisation z on z.site_code = r.site_code and z.participant_ref = r.participant_ref
                where z.arm = 'control' and c.attended in ('5', '6')""",
        ),
    ),
)
