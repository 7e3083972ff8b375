"""Cases of rules between rows of contacts, for `test_participant_relations.py`."""

from __future__ import annotations

from participant_rows import BEFORE, ROW, WARNING, RelationCase, contact, d, person

CONTACT_CASES: list[RelationCase] = [
    RelationCase(
        ("contacts", "P12", ROW, "episode_id"),
        [2, 3],
        {
            "referrals": [{}],
            "contacts": [contact(1), contact(2, episode_id="SCR-E000002"), contact(3, site_code="HLT-WMCA")],
        },
    ),
    RelationCase(
        ("contacts", "K01", WARNING, "contact_date"),
        [2, 4, 6],
        {
            "referrals": [
                {"exit_date": d("2019-01-31")},
                {"episode_id": "SCR-E000002", "programme_start_date": None},
                {"episode_id": "SCR-E000003"},
            ],
            "contacts": [
                contact(1, contact_date=d("2018-06-15")),
                contact(2, contact_date=d("2018-06-14")),
                contact(3, contact_date=d("2019-03-03")),
                contact(4, contact_date=d("2019-03-04")),
                contact(5, episode_id="SCR-E000002", contact_date=d("2018-05-20")),
                contact(6, episode_id="SCR-E000002", contact_date=d("2018-05-19")),
                contact(7, episode_id="SCR-E000003", contact_date=d("2030-01-01")),
            ],
        },
    ),
    RelationCase(
        ("contacts", "K04", ROW, "contact_id"),
        [1, 3],
        {
            "contacts": [
                contact(1),
                contact(2, **BEFORE),  # from an earlier delivery: the first one is kept
                contact(3, attended="6"),  # attended late, so not a copy
                contact(4, attended="3", duration_minutes=None),
                contact(5, attended="3", duration_minutes=None),
                contact(6, contact_date=d("2020-01-11")),
                contact(7, contact_type="job_search"),
                contact(8, staff_role="job_coach"),
                contact(9, duration_minutes=46),
                contact(10, episode_id="SCR-E000002"),
                contact(11, site_code="HLT-WMCA"),
            ]
        },
    ),
    RelationCase(
        ("contacts", "K05", WARNING, "staff_ref"),
        [3, 5, 6, 7],
        {
            "staff_posts": [
                {"end_date": d("2019-12-31")},
                {"staff_ref": "W-0013", "start_date": d("2020-01-11")},
                {"staff_ref": "W-0014", "site_code": "HLT-WMCA"},
            ],
            "contacts": [
                contact(1, staff_ref="W-0012", contact_date=d("2018-01-08")),
                contact(2, staff_ref="W-0012", contact_date=d("2019-12-31")),
                contact(3, staff_ref="W-0012", contact_date=d("2020-01-01")),
                contact(4, staff_ref="W-0013", contact_date=d("2020-01-11")),
                contact(5, staff_ref="W-0013"),
                contact(6, staff_ref="W-0014"),
                contact(7, staff_ref="W-0099"),
                contact(8),
            ],
        },
    ),
    RelationCase(
        ("contacts", "T08", WARNING, "episode_id"),
        [1],
        {
            "referrals": [{}, {"episode_id": "SCR-E000002", "participant_ref": "SCR-000002"}],
            "randomisation": [person(1, arm="control"), person(2)],
            "contacts": [
                contact(1),
                contact(2, attended="3", duration_minutes=None),
                contact(3, episode_id="SCR-E000002"),
            ],
        },
    ),
]
