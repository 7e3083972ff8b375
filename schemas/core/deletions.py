"""core.deletions: people, episodes and single records that a site has deleted. Source: docs/domain.md 7.27.

What a deletion does to the rows of every dataset is rule P21 (`schemas/_rules/deletions.py`). A deletion counts even if
another cell holds its row back: whoever withdrew must not come back into the figures because of a misspelt reason.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Field, Kind, PersonalWhen, Rule, Severity

CONTRACT = Contract(
    dataset="deletions",
    title="Deletions",
    description="People, episodes and single records that the site has deleted: they leave every figure.",
    grain="one row per deletion",
    key=("deletion_id",),
    participant_level=True,
    bad_share_limit=1.0,  # a sound deletion takes effect, whatever the other rows of its file hold
    nil_return_replaces=True,
    fields=(
        Field(
            "deletion_id",
            Kind.REFERENCE,
            "Deletion reference",
            "The site's own reference for the deletion; not that of the record.",
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            personal=True,
            aliases=("Deletion ID", "Deletion number"),
            example="BPL-D000001",
        ),
        Field(
            "record_type",
            Kind.CODE,
            "Kind of record",
            "The dataset that the reference is from. A participant goes with everything about them, a referral with "
            "everything of that episode, any other record alone.",
            codes="deleted_record",
            aliases=("Record", "Type of record"),
            example="participants",
        ),
        Field(
            "reference",
            Kind.REFERENCE,
            "Reference of the record",
            "Its reference, as the site sent it in that dataset. Empty in the warehouse, where nobody needs it.",
            personal=True,
            personal_when=PersonalWhen.NHS_NUMBER,
            pattern=r"^[A-Z]{2,8}-[A-Z0-9]{6,16}$",
            aliases=("Record reference", "Deleted reference", "Reference deleted"),
            example="BPL-000123",
        ),
        Field(
            "reason",
            Kind.CODE,
            "Reason",
            "Why the record is deleted.",
            codes="deletion_reason",
            aliases=("Reason for deletion", "Deletion reason"),
            example="consent_withdrawn",
        ),
        Field(
            "deletion_date",
            Kind.DATE,
            "Date of deletion",
            "The day on which the person asked for it, or the site decided it.",
            aliases=("Deleted on", "Date deleted"),
            example="2016-11-14",
        ),
    ),
    rules=(
        Rule(
            "P22",
            Severity.WARNING,
            "No record with this reference has come from you",
            expected="a reference that is in one of your files, under the dataset named as its kind",
            fix="Check the reference and the kind of record: as they are, nothing is deleted. If the record has never "
            "been sent, nothing needs doing.",
            field="reference",
            violations_sql="""
                select delivery_id, source_row from core.deletions
                anti join history.sent_records using (site_code, record_type, reference)""",
        ),
    ),
)
