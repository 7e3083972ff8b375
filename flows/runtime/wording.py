"""Format numbers, dates, times and rows for people: plain British English, London time.

Only single values: the sentences of reports are in `flows/reporting/words/`, those of a rule in the rule itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: '1 row', '1,204 rows'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def share(part: int, whole: int) -> str:
    """A share in whole per cent: '15%'. 'under 1%' for less than one, 'over 99%' for nearly all."""
    if 0 < part * 100 < whole:
        return "under 1%"
    if whole * 99 < part * 100 < whole * 100:
        return "over 99%"
    # rounds half up in whole numbers: `round` would round half to even, of a float
    return f"{(part * 200 + whole) // (whole * 2)}%" if whole else "0%"


def listed(texts: Sequence[str], last: str = "and") -> str:
    """Join texts as in a sentence: 'a, b and c'; '' for none."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}" if texts else ""


def shortened(text: str, limit: int = 80) -> str:
    """Cut a text to `limit` characters, after a whole word where it has several, with an ellipsis if it was longer."""
    if len(text) <= limit:
        return text
    whole_words = re.sub(r"(?<=\S)\s+\S*$", "", text[: limit - 1])
    return f"{whole_words}…"


def day(when: date) -> str:
    """A date: '9 December 2016'."""
    return f"{when.day} {when:%B %Y}"


def month(period: str) -> str:
    """A period `yyyymm` as a month: '201611' -> 'November 2016'. Any other text is returned unchanged."""
    if len(period) != 6 or not period.isdecimal() or not 1 <= int(period[4:]) <= 12:
        return period
    return f"{date(int(period[:4]), int(period[4:]), 1):%B %Y}"


def clock(when: datetime) -> str:
    """A time of day: '5pm', '4:12pm', 'midday'."""
    if when.minute == 0 and when.hour in (0, 12):
        return "midday" if when.hour else "midnight"
    minutes = f":{when.minute:02}" if when.minute else ""
    return f"{(when.hour - 1) % 12 + 1}{minutes}{'am' if when.hour < 12 else 'pm'}"


def moment(when: datetime) -> str:
    """A moment in London time: '2 December 2016 at 4:12pm'. Without a time zone, `when` is UTC."""
    local = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(LONDON)
    return f"{day(local)} at {clock(local)}"


def deadline(when: datetime) -> str:
    """A deadline in London time: '5pm, Friday 9 December 2016'. Without a time zone, `when` is London time."""
    local = when.astimezone(LONDON) if when.tzinfo else when
    return f"{clock(local)}, {local:%A} {day(local)}"


def stamp(when: datetime) -> str:
    """A moment in UTC for machines: '2016-12-02T16:12:00Z'. Without a time zone, `when` is UTC."""
    utc = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    return utc.isoformat(timespec="seconds").replace("+00:00", "Z")


def ranges(rows: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Group ascending row numbers into ranges of neighbours: 34, 35, ..., 75, 81 -> ((34, 75), (81, 81))."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and runs[-1][1] == row - 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return tuple(runs)


def spans(runs: Sequence[tuple[int, int]], letter: str = "") -> list[str]:
    """Ranges of rows as text: '34 to 75', '81'; with a column's letter as cells: 'D34 to D75'."""
    return [f"{letter}{first}" if first == last else f"{letter}{first} to {letter}{last}" for first, last in runs]
