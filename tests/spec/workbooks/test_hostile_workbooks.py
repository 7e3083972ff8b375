"""Files that are made to do harm, or that went wrong on their way, are refused in words, in bounded memory and time.

What each one takes is measured on a process of its own. Source: docs/domain.md 6.1, F15 and F16.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import workbook_bytes as made
from resource_limits import ReadResult, read_under_limits

from flows.deliveries.extract import UnreadableFile
from flows.steps.read import read

pytestmark = pytest.mark.soak  # to make them and read each under limits takes long

KNOWN = ("contactid", "contactdate")
TABLE = [["contact_id", "contact_date"], ["a", "2016-11-03"]]
MEGABYTES, SECONDS = 700, 12  # of memory in use, and of a processor's time
ADDRESS_SPACE = 6000  # MB: the libraries alone reserve 2 GB that they never touch

SOUND = made.xlsx(TABLE)
SHEET, BOOK, TEXTS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
LINKS = "xl/_rels/workbook.xml.rels"
WORDS = (
    b'<!DOCTYPE x [<!ENTITY a "ha ha ha ha ha ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">'
    b'<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]>'
)
FETCHED = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def in_sheet(cells: bytes, how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The sound workbook with more rows."""
    xml = made.read_part(SOUND, SHEET).replace(b"</sheetData>", cells + b"</sheetData>")
    return made.replace_parts(SOUND, {SHEET: xml}, how)


def with_words(part: str, words: bytes = WORDS) -> bytes:
    """The sound workbook with a part that defines words of its own, and uses them."""
    before, declared, xml = made.read_part(SOUND, part).partition(b"?>")
    return made.replace_parts(SOUND, {part: before + declared + words + xml.replace(b">contact_id<", b">&e;<")})


def named(name: str) -> bytes:
    """The sound workbook with a further part of a name."""
    return made.replace_parts(SOUND, {name: b"x"})


def twice() -> bytes:
    out = io.BytesIO(SOUND)
    with zipfile.ZipFile(out, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr(SHEET, b"<worksheet/>")
    return out.getvalue()


def saying_its_size_is(size: int) -> bytes:
    """A workbook whose sheet is 8 MB and says otherwise."""
    package = bytearray(made.replace_parts(SOUND, {SHEET: b"<a>" * 2_800_000}))
    with zipfile.ZipFile(io.BytesIO(package)) as entries:
        places = [entries.getinfo(SHEET).header_offset + 22, package.rfind(SHEET.encode()) - 22]
    for place in places:
        struct.pack_into("<I", package, place, size)
    return bytes(package)


def overlapping() -> bytes:
    """A package, one part of which is named 200 times in its list."""
    one = made.zip_of({"part0.csv": b"a" * 100_000})
    entry = one[one.index(b"PK\x01\x02") : one.index(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"part0", b"%05d" % n) for n in range(200))
    start = one.index(b"PK\x01\x02")
    return one[:start] + entries + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 200, 200, len(entries), start, 0)


def link(target: bytes, more: bytes = b"") -> bytes:
    links = made.read_part(SOUND, LINKS).replace(b'"worksheets/sheet1.xml"', b'"%s"%s' % (target, more))
    assert target in links
    return made.replace_parts(SOUND, {LINKS: links})


def row_of(cells: int) -> bytes:
    letters = [made_column(i) for i in range(cells)]
    return b'<row r="9">' + b"".join(b'<c r="%s9"><v>1</v></c>' % c for c in letters) + b"</row>"


def made_column(index: int) -> bytes:
    name, index = b"", index + 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = bytes([65 + rest]) + name
    return name


REPEATED = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="{}"/>'
LONG_CELL = b'<row r="9"><c r="A9" t="inlineStr"><is><t>' + b"x" * 100_000_000 + b"</t></is></c></row>"
GROWS, LEADS, DEFINES = "times its size", "leads outside", "words of its own"
# Name, content, and what is told: every one is refused by U01.
REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("blown-up sheet.xlsx", lambda: made.replace_parts(SOUND, {SHEET: b" " * (80 << 20)}), GROWS),
    ("blown-up text.zip", lambda: made.zip_of({"a.csv": b"contact_id,contact_date\n" * 4_000_000}), GROWS),
    ("zip in zip.zip", lambda: made.zip_of({"a.zip": made.zip_of({"b.csv": b"x"})}), "zip within a zip"),
    ("smaller than it is.xlsx", lambda: saying_its_size_is(1000), "more than it says"),
    ("larger than it is.xlsx", lambda: saying_its_size_is(0xF0000000), "more than 1 GB"),
    ("words in texts.xlsx", lambda: with_words(TEXTS), DEFINES),
    ("words in sheet.xlsx", lambda: with_words(SHEET), DEFINES),
    ("words in book.xlsx", lambda: with_words(BOOK), DEFINES),
    ("words fetched.xlsx", lambda: with_words(TEXTS, FETCHED), DEFINES),
    ("words in cells.ods", lambda: made.replace_parts(made.ods(""), {"content.xml": WORDS + b"<x>&e;</x>"}), DEFINES),
    ("16,384 columns.xlsx", lambda: in_sheet(row_of(16_384)), "more than 2,000 columns"),
    ("16,384 columns.ods", lambda: made.ods(made.ods_row(REPEATED.format(16_384))), "more than 2,000 columns"),
    ("a cell of 100 MB.xlsx", lambda: in_sheet(LONG_CELL, zipfile.ZIP_STORED), "a million characters"),
    ("a cell far away.ods", lambda: made.ods(made.ods_row("", times=99_999_999) + made.ods_row("x")), "far from"),
    ("a thousand million cells.ods", lambda: made.ods(made.ods_row(REPEATED.format(1000), times=999_999)), "far from"),
    ("forty million rows.ods", lambda: made.ods(made.ods_row("x", times=39_999_999)), "more than 1,048,576 rows"),
    ("a cell far away.xls", lambda: made.xls({"D": TABLE}, extra=made.number_record(65_535, 65_535)), "far from"),
    ("it says it is large.xls", lambda: made.xls({"D": TABLE}, extent=(4_000_000_000, 60_000)), "far from"),
    ("up.xlsx", lambda: named("../../x.xml"), LEADS),
    ("up and over.xlsx", lambda: named("..\\..\\x.xml"), LEADS),
    ("from the root.xlsx", lambda: named("/etc/x.xml"), LEADS),
    ("from a drive.xlsx", lambda: named("C:\\x.xml"), LEADS),
    ("up.zip", lambda: made.zip_of({"../../x.csv": b"a,b\n1,2\n"}), LEADS),
    ("the same name twice.xlsx", twice, "the same name"),
    ("overlapping.zip", overlapping, "overlap"),
    ("sheet outside.xlsx", lambda: link(b"../../../etc/passwd"), "outside the workbook"),
    (
        "sheet elsewhere.xlsx",
        lambda: link(b"http://192.0.2.1/s.xml", b' TargetMode="External"'),
        "outside the workbook",
    ),
    ("sheet nowhere.xlsx", lambda: link(b"worksheets/none.xml"), "missing"),
]
SOUND_ROWS = "".join(made.ods_row(*row) for row in TABLE)
BLANK_ROW = b'<row r="%d"><c r="A%d" s="1"/></row>'
NOT_REFUSED: list[tuple[str, Callable[[], bytes]]] = [
    ("blank rows to the end.ods", lambda: made.ods(SOUND_ROWS + made.ods_row("", times=1 << 20))),
    ("blank rows to the end.xlsx", lambda: in_sheet(b"".join(BLANK_ROW % (n, n) for n in range(9, 400_000)))),
    ("cells of nothing.xlsx", lambda: in_sheet(b'<row r="9"><c r="A9" s="1"/></row>' * 1_500_000)),
    ("cells that say not where.xlsx", lambda: in_sheet(b"<row>" + b"<c/>" * 500_000 + b"</row>")),
]


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadResult]:
    """What came of each file, read under limits."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = []
    for name, content, *_ in [*REFUSED, *NOT_REFUSED]:
        paths.append(folder / name)
        paths[-1].write_bytes(content())
    done = read_under_limits(paths, KNOWN, ADDRESS_SPACE, SECONDS)
    for path in paths:
        path.unlink()
    return {p.name: r for p, r in zip(paths, done, strict=True)}


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, _, words in REFUSED], ids=lambda v: v)
def test_u01_what_is_made_to_do_harm_is_refused(readings: dict[str, ReadResult], name: str, words: str) -> None:
    reading = readings[name]
    assert (reading.rule, words in reading.found) == ("U01", True), reading
    assert reading.megabytes < MEGABYTES
    assert reading.seconds < SECONDS


@pytest.mark.parametrize("name", [name for name, _ in NOT_REFUSED])
def test_what_only_looks_large_is_read(readings: dict[str, ReadResult], name: str) -> None:
    """A spreadsheet formats a million rows that nobody filled in."""
    reading = readings[name]
    assert (reading.rule, reading.rows) == ("", 1), reading
    assert reading.megabytes < MEGABYTES


FORMATS = {
    "xlsx": SOUND,
    "ods": made.ods("".join(made.ods_row(*row) for row in TABLE)),
    "xls": made.xls({"Data": TABLE}),
    "parquet": made.parquet(TABLE),
    "zip": made.zip_of({"contacts.csv": b"contact_id,contact_date\na,2016-11-03\n"}),
}


def outcome(path: Path) -> list[tuple[object, ...]] | str:
    """A file's rows, or the rule that refused it."""
    try:
        return [row for batch in read(path, frozenset(KNOWN)).batches for row in batch.rows.iter_rows()]
    except UnreadableFile as refused:
        return refused.rule_id


@pytest.mark.parametrize("ending", FORMATS)
def test_u01_a_file_that_was_cut_off_anywhere_is_not_taken(tmp_path: Path, ending: str) -> None:
    whole, path = FORMATS[ending], tmp_path / f"contacts.{ending}"
    path.write_bytes(whole)
    rows = outcome(path)
    assert rows == [("a", "2016-11-03", 2)]  # the whole file is read
    for length in {*range(1, 40), *range(40, len(whole), 37), *range(len(whole) - 40, len(whole))}:
        path.write_bytes(whole[:length])
        assert outcome(path) == "U01", length


@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_with_damaged_bytes_is_read_or_refused(tmp_path: Path, ending: str) -> None:
    """Whatever its bytes are, it is a file like any other: no exception gets out."""
    chance, path = random.Random(2016), tmp_path / f"contacts.{ending}"
    results = set()
    for _ in range(150):
        data = bytearray(FORMATS[ending])
        for _ in range(chance.choice([1, 1, 3, 20])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        results.add(str(outcome(path)))
    assert {"U01", str([("a", "2016-11-03", 2)])} <= results
