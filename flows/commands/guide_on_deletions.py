"""The section on deletions of the guide for sites, with the headings and codes of that dataset."""

from __future__ import annotations

from schemas._contract.catalogue import DELETIONS, datasets
from schemas._contract.code_lists import CodeList

_INTRO = """
## 9. Someone withdraws consent, or a record was made in error

Leaving rows out of your next file is not enough: earlier files, and files of single months, still hold them. Send a
file that names what is to go, such as `MHT-BPL_deletions_201611_v1.csv`, with one row for each:

| deletion_id | record_type | reference | reason | deletion_date |
|---|---|---|---|---|
| BPL-D000001 | participants | BPL-000123 | consent_withdrawn | 2016-11-14 |
| BPL-D000002 | referrals | BPL-E000456 | made_in_error | 2016-11-20 |

`pilots template deletions --site MHT-BPL --period 201611` makes a blank workbook for it.

""".splitlines()
_AFTERWARDS = """
**What happens.** From the next night on, everything that belongs to the record is in no figure, in whatever file it
still is. Where one of your files still holds such rows, its report says so (P21), and that nothing has to be fixed.
Delete them from your own system too, so that they are not sent again. They need not be stated as `deletes` in a
manifest.

**Every deletions file holds all deletions to date**, like your other files. A line that is gone from it is taken back,
and its rows count again. To take back the last one, send a nil return (section 1).

**Withdrawn, and yet to be kept?** If the person agrees that what was recorded before may stay, fill in
`consent_withdrawn_date` in `participants` instead, and send nothing that is dated after it. Do not delete anybody
because they have left, moved or died: that is an exit with its reason.

**What it does not do.** The files that you have sent, and what was stored of them, are not erased by this. If that is
asked for, delete your files and tell the data team: they follow the incident process (section 2).""".splitlines()


def section_on_deletions() -> list[str]:
    """The lines of the section."""
    fields = datasets()[DELETIONS].by_name
    return [
        *_INTRO,
        f"- **`record_type`**, the dataset that the reference is from: {_codes(fields['record_type'].code_list)}.",
        f"- **`reason`**: {_codes(fields['reason'].code_list)}.",
        *_AFTERWARDS,
    ]


def _codes(codes: CodeList) -> str:
    return "; ".join(f"`{e.code}` ({e.label[0].lower()}{e.label[1:]})" for e in codes.entries)
