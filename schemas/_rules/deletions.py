"""Rule P21, of every dataset about people: rows of what their site has deleted count nowhere.

A dataset is covered if its rows name a person or an episode, so a new one is covered without being named here. The rule
is applied before all others between rows (`flows/steps/cross_check/remove_deleted.py`).
"""

from __future__ import annotations

from schemas._contract.model import Contract, Rule, Severity

DELETED_RULE = "P21"  # its rows are no fault: they count against no file, and nothing has to be fixed
OF_PERSON, OF_EPISODE = "participant_ref", "episode_id"


def is_about_people(contract: Contract) -> bool:
    """Whether rows of a dataset name a person or an episode."""
    return OF_PERSON in contract.by_name or OF_EPISODE in contract.by_name


def _first_of_key(contract: Contract) -> tuple[str, ...]:
    return contract.key[:1] if is_about_people(contract) else ()


DELETION_RULES: tuple[Rule, ...] = (
    Rule(
        DELETED_RULE,
        Severity.ROW,
        "You have deleted this record",
        "no row of a person, episode or record that your deletions file names",
        "Nothing needs doing now: the row is in no figure. It is still in this extract, so delete it there and do not"
        " send it again. If it was deleted by mistake, take its line out of your deletions file and send that again.",
        found_on=_first_of_key,
    ),
)
