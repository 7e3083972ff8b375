"""Malicious or damaged files are refused with a reason, in bounded memory and time.

Each file is read in a process of its own, where both are measured. Source: docs/domain.md 6.1, F15 and F16.
"""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import workbook_bytes
from resource_limits import ReadResult, read_under_limits

from flows.deliveries.extract import UnreadableFile
from flows.steps.read import read

pytestmark = pytest.mark.soak  # making and reading these files under limits is slow

KNOWN = ("contactid", "contactdate")
TABLE = [["contact_id", "contact_date"], ["a", "2016-11-03"]]
# Limits apply to a fresh process, so that one file's memory is not hidden in another's.
MEGABYTES, SECONDS = 700, 12  # limits of resident memory and CPU time
ADDRESS_SPACE = 6000  # MB: the libraries alone reserve 2 GB of address space

VALID = workbook_bytes.xlsx(TABLE)
SHEET, BOOK, SHARED_STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
RELATIONSHIPS = "xl/_rels/workbook.xml.rels"
ENTITY_BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "ha ha ha ha ha ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">'
    b'<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]>'
)
EXTERNAL_ENTITY = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def with_rows(cells: bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The valid workbook with more rows."""
    xml = workbook_bytes.read_part(VALID, SHEET).replace(b"</sheetData>", cells + b"</sheetData>")
    return workbook_bytes.replace_parts(VALID, {SHEET: xml}, compression)


def with_entities(part: str, entities: bytes = ENTITY_BOMB) -> bytes:
    """The valid workbook with XML entities defined and used in one part."""
    before, declared, xml = workbook_bytes.read_part(VALID, part).partition(b"?>")
    return workbook_bytes.replace_parts(
        VALID, {part: before + declared + entities + xml.replace(b">contact_id<", b">&e;<")}
    )


def with_part(name: str) -> bytes:
    """The valid workbook with another part of this name."""
    return workbook_bytes.replace_parts(VALID, {name: b"x"})


def with_duplicate_part() -> bytes:
    """The valid workbook with two parts of the same name."""
    out = io.BytesIO(VALID)
    with zipfile.ZipFile(out, "a") as package, pytest.warns(UserWarning, match="Duplicate"):
        package.writestr(SHEET, b"<worksheet/>")
    return out.getvalue()


def with_declared_size(size: int) -> bytes:
    """A workbook with a sheet of 8 MB, declared in the zip headers as `size` bytes."""
    package = bytearray(workbook_bytes.replace_parts(VALID, {SHEET: b"<a>" * 2_800_000}))
    with zipfile.ZipFile(io.BytesIO(package)) as entries:
        positions = [entries.getinfo(SHEET).header_offset + 22, package.rfind(SHEET.encode()) - 22]
    for position in positions:
        struct.pack_into("<I", package, position, size)
    return bytes(package)


def with_overlapping_entries() -> bytes:
    """A zip that lists the same 100 kB part 200 times in its directory."""
    one = workbook_bytes.zip_of({"part0.csv": b"a" * 100_000})
    entry = one[one.index(b"PK\x01\x02") : one.index(b"PK\x05\x06")]
    entries = b"".join(entry.replace(b"part0", b"%05d" % n) for n in range(200))
    start = one.index(b"PK\x01\x02")
    return one[:start] + entries + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 200, 200, len(entries), start, 0)


def with_sheet_target(target: bytes, more: bytes = b"") -> bytes:
    """The valid workbook whose sheet is said to be at `target`."""
    relationships = workbook_bytes.read_part(VALID, RELATIONSHIPS).replace(
        b'"worksheets/sheet1.xml"', b'"%s"%s' % (target, more)
    )
    assert target in relationships
    return workbook_bytes.replace_parts(VALID, {RELATIONSHIPS: relationships})


def row_of(cells: int) -> bytes:
    """The XML of a row of this many cells."""
    letters = [column_name(i) for i in range(cells)]
    return b'<row r="9">' + b"".join(b'<c r="%s9"><v>1</v></c>' % c for c in letters) + b"</row>"


def column_name(index: int) -> bytes:
    name, index = b"", index + 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = bytes([65 + rest]) + name
    return name


REPEATED = '<table:table-cell office:value-type="float" office:value="1" table:number-columns-repeated="{}"/>'
LONG_CELL = b'<row r="9"><c r="A9" t="inlineStr"><is><t>' + b"x" * 100_000_000 + b"</t></is></c></row>"
EXPANDS, ESCAPES, DEFINES_ENTITIES = "times its size", "leads outside", "definitions of its own"
# File name, content, and a part of the finding's text: each file is refused by U01.
REFUSED: list[tuple[str, Callable[[], bytes], str]] = [
    ("blown-up sheet.xlsx", lambda: workbook_bytes.replace_parts(VALID, {SHEET: b" " * (80 << 20)}), EXPANDS),
    ("blown-up text.zip", lambda: workbook_bytes.zip_of({"a.csv": b"contact_id,contact_date\n" * 4_000_000}), EXPANDS),
    (
        "zip in zip.zip",
        lambda: workbook_bytes.zip_of({"a.zip": workbook_bytes.zip_of({"b.csv": b"x"})}),
        "zip within a zip",
    ),
    ("size declared too small.xlsx", lambda: with_declared_size(1000), "more than it says"),
    ("size declared too large.xlsx", lambda: with_declared_size(0xF0000000), "more than 1 GB"),
    ("entities in shared strings.xlsx", lambda: with_entities(SHARED_STRINGS), DEFINES_ENTITIES),
    ("entities in sheet.xlsx", lambda: with_entities(SHEET), DEFINES_ENTITIES),
    ("entities in workbook.xlsx", lambda: with_entities(BOOK), DEFINES_ENTITIES),
    ("external entity.xlsx", lambda: with_entities(SHARED_STRINGS, EXTERNAL_ENTITY), DEFINES_ENTITIES),
    (
        "entities in content.ods",
        lambda: workbook_bytes.replace_parts(workbook_bytes.ods(""), {"content.xml": ENTITY_BOMB + b"<x>&e;</x>"}),
        DEFINES_ENTITIES,
    ),
    ("16,384 columns.xlsx", lambda: with_rows(row_of(16_384)), "more than 2,000 columns"),
    (
        "16,384 columns.ods",
        lambda: workbook_bytes.ods(workbook_bytes.ods_row(REPEATED.format(16_384))),
        "more than 2,000 columns",
    ),
    ("a cell of 100 MB.xlsx", lambda: with_rows(LONG_CELL, zipfile.ZIP_STORED), "a million characters"),
    (
        "a cell far away.ods",
        lambda: workbook_bytes.ods(workbook_bytes.ods_row("", times=99_999_999) + workbook_bytes.ods_row("x")),
        "far from",
    ),
    (
        "a thousand million cells.ods",
        lambda: workbook_bytes.ods(workbook_bytes.ods_row(REPEATED.format(1000), times=999_999)),
        "far from",
    ),
    (
        "forty million rows.ods",
        lambda: workbook_bytes.ods(workbook_bytes.ods_row("x", times=39_999_999)),
        "more than 1,048,576 rows",
    ),
    (
        "a cell far away.xls",
        lambda: workbook_bytes.xls({"D": TABLE}, extra=workbook_bytes.number_record(65_535, 65_535)),
        "far from",
    ),
    ("large declared extent.xls", lambda: workbook_bytes.xls({"D": TABLE}, extent=(4_000_000_000, 60_000)), "far from"),
    ("path to the parent.xlsx", lambda: with_part("../../x.xml"), ESCAPES),
    ("backslash path to the parent.xlsx", lambda: with_part("..\\..\\x.xml"), ESCAPES),
    ("absolute path.xlsx", lambda: with_part("/etc/x.xml"), ESCAPES),
    ("path with a drive.xlsx", lambda: with_part("C:\\x.xml"), ESCAPES),
    ("path to the parent.zip", lambda: workbook_bytes.zip_of({"../../x.csv": b"a,b\n1,2\n"}), ESCAPES),
    ("the same name twice.xlsx", with_duplicate_part, "the same name"),
    ("overlapping.zip", with_overlapping_entries, "overlap"),
    ("sheet outside.xlsx", lambda: with_sheet_target(b"../../../etc/passwd"), "outside the workbook"),
    (
        "sheet at a web address.xlsx",
        lambda: with_sheet_target(b"http://192.0.2.1/s.xml", b' TargetMode="External"'),
        "outside the workbook",
    ),
    ("missing sheet.xlsx", lambda: with_sheet_target(b"worksheets/none.xml"), "missing"),
]
VALID_ROWS = "".join(workbook_bytes.ods_row(*row) for row in TABLE)
BLANK_ROW = b'<row r="%d"><c r="A%d" s="1"/></row>'
ACCEPTED: list[tuple[str, Callable[[], bytes]]] = [
    ("blank rows to the end.ods", lambda: workbook_bytes.ods(VALID_ROWS + workbook_bytes.ods_row("", times=1 << 20))),
    ("blank rows to the end.xlsx", lambda: with_rows(b"".join(BLANK_ROW % (n, n) for n in range(9, 400_000)))),
    ("cells without values.xlsx", lambda: with_rows(b'<row r="9"><c r="A9" s="1"/></row>' * 1_500_000)),
    ("cells without references.xlsx", lambda: with_rows(b"<row>" + b"<c/>" * 500_000 + b"</row>")),
]


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReadResult]:
    """Read every file under limits: its result, memory and CPU time."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = []
    for name, content, *_ in [*REFUSED, *ACCEPTED]:
        paths.append(folder / name)
        paths[-1].write_bytes(content())
    results = read_under_limits(paths, KNOWN, ADDRESS_SPACE, SECONDS)
    for path in paths:
        path.unlink()
    return {p.name: r for p, r in zip(paths, results, strict=True)}


@pytest.mark.parametrize(("name", "reason"), [(name, reason) for name, _, reason in REFUSED], ids=lambda v: v)
def test_u01_a_malicious_file_is_refused(readings: dict[str, ReadResult], name: str, reason: str) -> None:
    reading = readings[name]
    assert (reading.rule, reason in reading.found) == ("U01", True), reading
    assert reading.megabytes < MEGABYTES
    assert reading.seconds < SECONDS


@pytest.mark.parametrize("name", [name for name, _ in ACCEPTED])
def test_a_file_that_only_looks_large_is_read(readings: dict[str, ReadResult], name: str) -> None:
    """Spreadsheets may store a million formatted rows without a value."""
    reading = readings[name]
    assert (reading.rule, reading.rows) == ("", 1), reading
    assert reading.megabytes < MEGABYTES


FORMATS = {
    "xlsx": VALID,
    "ods": workbook_bytes.ods("".join(workbook_bytes.ods_row(*row) for row in TABLE)),
    "xls": workbook_bytes.xls({"Data": TABLE}),
    "parquet": workbook_bytes.parquet(TABLE),
    "zip": workbook_bytes.zip_of({"contacts.csv": b"contact_id,contact_date\na,2016-11-03\n"}),
}


def rows_or_rule(path: Path) -> list[tuple[object, ...]] | str:
    """The rows of a file, or the rule that refused it."""
    try:
        return [row for batch in read(path, frozenset(KNOWN)).batches for row in batch.rows.iter_rows()]
    except UnreadableFile as refused:
        return refused.rule_id


@pytest.mark.parametrize("ending", FORMATS)
def test_u01_a_truncated_file_is_refused(tmp_path: Path, ending: str) -> None:
    whole, path = FORMATS[ending], tmp_path / f"contacts.{ending}"
    path.write_bytes(whole)
    rows = rows_or_rule(path)
    assert rows == [("a", "2016-11-03", 2)]  # the complete file can be read
    for length in {*range(1, 40), *range(40, len(whole), 37), *range(len(whole) - 40, len(whole))}:
        path.write_bytes(whole[:length])
        assert rows_or_rule(path) == "U01", length


@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_with_damaged_bytes_is_read_or_refused(tmp_path: Path, ending: str) -> None:
    """No exception other than UnreadableFile escapes."""
    random_source, path = random.Random(2016), tmp_path / f"contacts.{ending}"
    results = set()
    for _ in range(150):
        data = bytearray(FORMATS[ending])
        for _ in range(random_source.choice([1, 1, 3, 20])):
            data[random_source.randrange(len(data))] = random_source.randrange(256)
        path.write_bytes(data)
        results.add(str(rows_or_rule(path)))
    assert {"U01", str([("a", "2016-11-03", 2)])} <= results
