"""200 made-up values of the kinds that no output may repeat, and how any bytes are searched for them.

All are made up: NHS numbers of the range that is kept for tests (999 ...) and others with a right check digit, other
people's forms with nobody's content. The seed makes them the same every time.
"""

from __future__ import annotations

import base64
import html
import json
import random
import sqlite3
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import duckdb
import polars as pl

KINDS = {"NHS number": 50, "NINO": 30, "name": 30, "postcode": 30, "date of birth": 20, "e-mail": 20, "telephone": 20}
_RARE = ("Quillfeather", "Zebulon", "Ambersley", "Wrexcombe", "Yaxtholme", "Vintryck", "Oddlington", "Pruxworthy")
_COMMON = ("Sarah", "Jones", "Mohammed", "Patel", "Eleanor", "Whittaker", "Siobhan", "Gallagher")


@dataclass(frozen=True)
class Value:
    """A value as it is typed, and the other forms in which it would still be itself."""

    kind: str
    text: str
    others: tuple[str, ...] = ()


def seeded_values() -> list[Value]:
    """The values, kind by kind."""
    chance = random.Random(20161130)
    makers = {
        "NHS number": _nhs_number, "NINO": _nino, "name": _name, "postcode": _postcode,
        "date of birth": _birth, "e-mail": _email, "telephone": _telephone,
    }  # fmt: skip
    return [makers[kind](chance, n) for kind, many in KINDS.items() for n in range(many)]


def _nhs_number(chance: random.Random, n: int) -> Value:
    while True:
        nine = f"999{chance.randrange(10**6):06}" if n % 2 else f"{chance.randrange(4 * 10**8, 8 * 10**8)}"
        check = -sum(int(d) * w for d, w in zip(nine, range(10, 1, -1), strict=True)) % 11
        if check < 10:
            number = f"{nine}{check}"
            spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
            return Value("NHS number", spaced if n % 3 else number, (number, spaced, spaced.replace(" ", "-")))


def _nino(chance: random.Random, n: int) -> Value:
    letters = "QQ" if n % 5 == 0 else chance.choice("ABCEGHJL") + chance.choice("ABCEHJLM")
    nino = f"{letters}{chance.randrange(10**6):06}{chance.choice('ABCD')}"
    spaced = f"{nino[:2]} {nino[2:4]} {nino[4:6]} {nino[6:8]} {nino[8]}"
    return Value("NINO", spaced if n % 2 else nino, (nino, spaced))


def _name(chance: random.Random, n: int) -> Value:
    """Rare names by themselves, which no list has, and full names with a common one."""
    rare = f"{chance.choice(_RARE)}{chance.choice(('by', 'wick', 'smythe', 'ova'))}{chance.choice('aeiou')}"
    common = f"{chance.choice(_COMMON[::2])} {chance.choice(_COMMON[1::2])}"
    return Value("name", (rare, f"Mrs {rare}", f"{common}-{rare}")[n % 3], (rare,))


def _postcode(chance: random.Random, n: int) -> Value:
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    outward = f"{chance.choice(('FY', 'NE', 'WV', 'TS'))}{chance.randrange(10, 40)}"
    inward = f"{chance.randrange(1, 10)}{chance.choice(letters)}{chance.choice(letters)}"
    return Value("postcode", f"{outward} {inward}" if n % 3 else f"{outward}{inward}".lower(), (outward + inward,))


def _birth(chance: random.Random, n: int) -> Value:
    born = date(1950, 1, 1) + timedelta(days=chance.randrange(18_000))
    forms = (f"{born:%d/%m/%Y}", f"{born:%Y-%m-%d}", f"{born:%d %B %Y}", f"{born:%d-%b-%y}", f"{born:%Y%m%d}")
    return Value("date of birth", forms[n % len(forms)], (*forms, f"{born:%d-%m-%Y}", f"{born:%d.%m.%Y}"))


def _email(chance: random.Random, n: int) -> Value:
    return Value("e-mail", f"{chance.choice(_RARE).casefold()}.{n}{chance.randrange(10**4):04}@example.org")


def _telephone(chance: random.Random, n: int) -> Value:
    number = f"07700900{chance.randrange(1000):03}" if n % 2 else f"0161496{chance.randrange(10**4):04}"
    spaced = f"{number[:5]} {number[5:]}"
    return Value("telephone", spaced if n % 4 else f"+44 {number[1:5]} {number[5:]}", (number, spaced, number[1:]))


def needles(values: list[Value]) -> dict[str, Value]:
    """Every form in which a value might lie in some bytes, as Latin-1 text, to the value."""
    found: dict[str, Value] = {}
    for value in values:
        for text in {value.text, value.text.replace(" ", ""), *value.others}:
            plain = {text, quote(text), html.escape(text), json.dumps(text)[1:-1], text.replace(" ", "+")}
            raw = [p.encode() for p in plain] + [text.encode("utf-16-le")]
            raw += [piece for t in {text, text.casefold(), text.upper()} for piece in _in_base64(t.encode())]
            found |= {r.decode("latin-1"): value for r in raw if len(r) > 5}
    return found


def _in_base64(raw: bytes) -> list[bytes]:
    """What of base64 stands for these bytes alone, wherever among others they begin."""
    pieces = []
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw)
        first, last = (0, 2, 3)[before], (before + len(raw)) * 8 // 6
        pieces.append(text[first:last])
    return [p for p in pieces if len(p) > 7]


def outputs_of(folder: Path, but: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The bytes of every file under a folder, and of Parquet and databases what they hold as well."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.is_symlink() or name.startswith(but):
            continue
        found[name] = name.encode() + b"\n" + path.read_bytes()
        if path.suffix == ".parquet":
            found[f"{name}, read"] = pl.read_parquet(path).write_csv().encode()
        elif path.suffix == ".duckdb":
            found[f"{name}, read"] = _rows_of(path)
        elif found[name].split(b"\n", 1)[1].startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as db:
                found[f"{name}, read"] = "\n".join(db.iterdump()).encode()
    return found


def _rows_of(warehouse: Path) -> bytes:
    with duckdb.connect(str(warehouse), read_only=True) as db:
        tables = db.execute("select schema_name || '.\"' || table_name || '\"' from duckdb_tables()").fetchall()
        return b"\n".join(db.execute(f"from {table}").pl().cast(pl.String).write_csv().encode() for (table,) in tables)


def leaks(outputs: dict[str, bytes], values: list[Value]) -> list[str]:
    """Where a value stands in some outputs, and of which kind it is; in capitals or not."""
    forms = needles(values)
    lower = {form.lower(): value for form, value in forms.items()}
    searched = pl.DataFrame({"where": list(outputs), "text": [raw.decode("latin-1") for raw in outputs.values()]})
    hits = searched.select(
        "where", pl.col("text").str.extract_many(list(forms), ascii_case_insensitive=True, overlapping=True)
    ).explode("text", empty_as_null=True)
    return sorted({f"{where}: a {lower[hit.lower()].kind}, '{hit}'" for where, hit in hits.drop_nulls().iter_rows()})
