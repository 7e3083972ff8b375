"""core.training_events: training of those who refer, advise, treat and employ: counts, never names.

Source: docs/domain.md 7.10, rule W12. W16, W18 and W19 are our own.
"""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Contract, Field, Kind, Rule, Severity
from schemas._rules.datasets.organisations import names_no_person
from schemas._rules.months import within_period

SHORTEST = 15  # minutes of an event: fewer are likely hours

CONTRACT = Contract(
    dataset="training_events",
    title="Training events",
    description="Training events and how many people attended them. A course of several days is one event.",
    grain="one row per event and audience",
    key=("event_id", "audience"),
    control_total="cost",
    event_date="event_date",
    fields=(
        Field(
            "event_id",
            Kind.REFERENCE,
            "Event reference",
            "The site's own reference for the event. Both rows of an event for two audiences have it.",
            aliases=("Event ID", "Event number", "Session ID", "Event ref", "Course ref"),
            example="BPL-TR-012",
        ),
        Field(
            "event_date",
            Kind.DATE,
            "Date of the event",
            "The day of the event, the last of several.",
            aliases=("Event date", "Date of session", "Training date", "Session date", "Date of training"),
            example="2016-06-21",
        ),
        Field(
            "audience",
            Kind.CODE,
            "Audience",
            "Who was trained. An event for two audiences has two rows.",
            codes="training_audience",
            aliases=("Attendees", "Who attended", "Target audience", "Audience type", "Staff group"),
            example="gp",
        ),
        Field(
            "topic",
            Kind.CODE,
            "Topic",
            "What the event was mainly about.",
            codes="training_topic",
            aliases=("Subject", "Course", "Training topic", "Title of training", "Course title"),
            example="work_is_good",
        ),
        Field(
            "provider_org",
            Kind.TEXT,
            "Provider",
            "The organisation that gave the training; never the name of a person.",
            required=False,
            personal=True,  # not shown: it may be somebody's name all the same
            aliases=("Training provider", "Delivered by", "Provider name", "Provider organisation"),
            example="Local training hub",
        ),
        Field(
            "duration_minutes",
            Kind.INTEGER,
            "Duration",
            "How long the event lasted, all its days together.",
            unit="minutes",
            low=1,
            high=3000,
            sentinels=("9999",),
            aliases=("Length (mins)", "Minutes", "Length"),
            example="90",
        ),
        Field(
            "invited",
            Kind.INTEGER,
            "Invited",
            "How many people were invited.",
            required=False,
            low=0,
            sentinels=("9999", "99999"),
            aliases=("Number invited", "Invitations", "No. invited", "Number of invitees"),
            example="30",
        ),
        Field(
            "attended",
            Kind.INTEGER,
            "Attended",
            "How many people came, each counted once however many sessions the event had.",
            low=0,
            sentinels=("9999", "99999"),
            aliases=("Number attended", "Number trained", "No. attended", "Attendance", "Number of attendees"),
            example="18",
        ),
        Field(
            "unique_people_to_date",
            Kind.INTEGER,
            "Different people so far",
            "How many different people of this audience have been trained so far, this event included.",
            required=False,
            low=0,
            sentinels=("9999", "99999"),
            aliases=("Unique people to date", "Cumulative people trained", "Unique attendees to date"),
            example="18",
        ),
        Field(
            "practices_represented",
            Kind.INTEGER,
            "Practices represented",
            "From how many GP practices people came.",
            required=False,
            empty_if="it is not known, or nobody came from one",
            low=0,
            sentinels=("999", "9999"),
            aliases=("Number of practices", "Practices", "No. of practices", "Number of GP practices"),
            example="9",
        ),
        *(
            Field(
                f"{moment}_confidence_mean",
                Kind.DECIMAL,
                f"Confidence {when} the event",
                f"The mean of the answers, from 0 to 10, to how confident people felt {when} the event.",
                required=False,
                empty_if="it was not asked",
                low=0,
                high=10,
                aliases=(f"{moment.title()}-training confidence", f"{moment.title()} confidence"),
                example=example,
            )
            for moment, when, example in (("pre", "before", "4.8"), ("post", "after", "7.1"))
        ),
        Field(
            "cost",
            Kind.MONEY,
            "Cost",
            "What the event cost; spending is counted in `expenditure`, never here.",
            unit="GBP",
            required=False,
            empty_if="it is not known",
            low=0,
            aliases=("Event cost", "Total cost"),
            example="850.00",
        ),
    ),
    rules=(
        within_period("event_date"),
        Rule(
            "W18",
            Severity.WARNING,
            "The event lasted only a few minutes",
            expected=f"at least {SHORTEST} minutes: the length in minutes, not in hours or days",
            fix="If the figure is in hours or days, enter the minutes: 120 for two hours. If it is right, nothing needs"
            " doing.",
            field="duration_minutes",
            confirmable=True,
            check=lambda: pl.col("duration_minutes") >= SHORTEST,
        ),
        Rule(
            "W19",
            Severity.ROW,
            "The provider may be a person",
            expected="the organisation that gave the training, without names, titles and addresses of people",
            fix="Enter the organisation, or leave the cell empty.",
            field="provider_org",
            check=lambda: names_no_person("provider_org"),
        ),
        Rule(
            "W16",
            Severity.WARNING,
            "More people came than were invited",
            expected="at most as many as were invited",
            fix="Check both numbers. If people came without an invitation, nothing needs doing.",
            field="attended",
            confirmable=True,
            check=lambda: pl.col("attended") <= pl.col("invited"),
        ),
        Rule(
            "W12",
            Severity.ROW,
            "The number of different people so far cannot be right",
            expected="at least as many as came to this event, and at most as many as came to all events for this"
            " audience up to this one",
            fix="Count each person once, in this event and in those before it. If an event was left out, send it.",
            field="unique_people_to_date",
            found_column="found",
            violations_sql="""
                select delivery_id, source_row, format('{} people; {} attended this event, {} all so far',
                    unique_people_to_date, attended, so_far) as found
                from (
                    select *, sum(attended) over (partition by site_code, audience order by event_date) as so_far
                    from core.training_events)
                where unique_people_to_date not between attended and so_far""",
        ),
        Rule(
            "W12",
            Severity.WARNING,
            "More different people were trained than there are",
            expected="at most as many as there are in the site's area, by the total that targets has for the audience",
            fix="Count each person once, however many events they came to. If the total is out of date, tell the data"
            " team.",
            field="unique_people_to_date",
            confirmable=True,
            also_reads=("targets",),  # most sites have no total on record
            across_sites=True,  # the programme office may have sent the total
            found_column="found",
            violations_sql="""
                with in_post as (
                    select about_site_code as site_code, audience, max(target_value) as people from core.targets
                    where metric_code = 'population' and audience is not null and about_site_code is not null
                    group by all
                )
                select delivery_id, source_row, format('{} people of {:.0f}', unique_people_to_date, people::double)
                    as found
                from core.training_events join in_post using (site_code, audience)
                where unique_people_to_date > people""",
        ),
    ),
)
