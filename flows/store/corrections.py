"""Where corrections lie: `corrections.csv` in the data folder, beside what it corrects, and never in git."""

from __future__ import annotations

from datetime import date

from flows.store.places import Places
from schemas.corrections import Corrections, corrections_in
from schemas.data_folder import CORRECTIONS


def corrections_of(places: Places, day: date) -> Corrections:
    """The corrections of a data folder as they stand on a day. Raises OSError where the file cannot be read now.

    A file in a wrong form stops nothing: what is wrong is told in `faults`.
    """
    try:
        text = places.corrections.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return Corrections(day)
    except UnicodeDecodeError:
        return Corrections(
            day, faults=(f"`{CORRECTIONS}` is not UTF-8: save it as 'CSV UTF-8'; nothing of it is used",)
        )
    return corrections_in(text, day)
