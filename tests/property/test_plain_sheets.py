"""A sheet that is read by column says what the reader that takes each tag as it comes says of it, cell by cell.

That one is calamine, with the spreadsheet errors that it leaves out. Every workbook is written by hand here, as office
programs write them, as others do, and with bytes damaged.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import workbook_bytes as made
from hypothesis import given
from hypothesis import strategies as st

from flows.cells.column_letters import column_letter
from flows.deliveries.extract import UnreadableFile
from flows.steps.read.workbook import xlsx
from flows.steps.read.workbook.percentages import percent_cells, percent_styles
from flows.steps.read.workbook.sheet import CalamineReader, Table
from flows.steps.read.workbook.xlsx import sheets_of_xlsx
from flows.steps.read.workbook.xlsx.plain.plain_sheet import PlainTable
from flows.steps.read.workbook.xlsx.sheet_xml import errors_of_sheet, hidden_in_sheet
from flows.steps.read.zip_package import Package

SHEET, BOOK, STYLES, TEXTS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
FORMATS = ("0", "dd/mm/yyyy", "yyyy-mm-dd hh:mm:ss", "hh:mm", "[h]:mm:ss", '0.00" kg"', "0%", '"dd"0', "@", "mmm-yy")
SHARED = (
    "<si><t>contact_id</t></si><si><t>W-0012</t></si><si><t/></si><si><t>  two </t></si>"
    '<si><t xml:space="preserve">  two </t></si><si><t>a &amp; b &lt;c&gt; &#233;é</t></si><si><t>x_x000D_y</t></si>'
    "<si><r><rPr><b/></rPr><t>Jo</t></r><r><t>hn</t></r></si><si><t>水</t><rPh sb='0' eb='1'><t>mizu</t></rPh></si>"
)
SHARED_COUNT = SHARED.count("<si>")


def package_of(xml: bytes, from_1904: bool = False, shared: bool = True) -> bytes:
    """A workbook with a sheet's XML, styles for each of FORMATS, and shared texts."""
    custom = "".join(f'<numFmt numFmtId="{164 + n}" formatCode="{_quoted(f)}"/>' for n, f in enumerate(FORMATS))
    styles = "".join(f'<xf numFmtId="{n}"/>' for n in (0, 14, 22, 46, *range(164, 164 + len(FORMATS))))
    parts = {
        BOOK: f'<workbook {MAIN} xmlns:r="r"><workbookPr date1904="{int(from_1904)}"/><sheets>'
        '<sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
        STYLES: f'<styleSheet {MAIN}><numFmts>{custom}</numFmts><cellXfs count="9">{styles}</cellXfs></styleSheet>',
        TEXTS: f"<sst {MAIN}>{SHARED}</sst>",
    }
    content = made.replace_parts(
        made.xlsx([["a"]]), {SHEET: xml, **{name: text.encode() for name, text in parts.items()}}
    )
    return content if shared else without(content, TEXTS)


def without(content: bytes, name: str) -> bytes:
    """A zip package without one of its parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as whole, zipfile.ZipFile(out, "w") as less:
        for part in whole.namelist():
            if part != name:
                less.writestr(part, whole.read(part))
    return out.getvalue()


def _quoted(text: str) -> str:
    return text.replace('"', "&quot;")


def sheet_of(rows: str, after: str = "", root: str = "worksheet") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {MAIN}><dimension ref="A1"/><sheetData>{rows}</sheetData>'
        f"{after}</{root}>"
    ).encode()


Said = tuple[list[list[str]], int, list[tuple[int, int, int, int]]] | str


def said(table: Table) -> Said:
    """What a table says: its rows as text, its width below the third, its merged cells."""
    texts = [row for frame in table.texts(0, 7) for row in frame.iter_rows()]
    below = [row for frame in table.texts(3, 100) for row in frame.iter_rows()]
    wide = max(map(len, texts), default=0)
    rows = [[*row, *[""] * (wide - len(row))] for row in texts]
    assert [[*row, *[""] * (wide - len(row))] for row in below] == rows[3:]
    assert [[*row, *[""] * (wide - len(row))] for row in table.head(5)] == rows[:5]
    return rows, table.width(3, 1), table.merged


def both(path: Path, content: bytes) -> tuple[Said, Said, bool]:
    """What is said of the workbook, what the careful reader says of it, and whether it was read by column."""
    path.write_bytes(content)
    is_plain = False
    try:
        table = sheets_of_xlsx(path, Package(path))[0].open()
        is_plain, ours = isinstance(table, PlainTable), said(table)
    except UnreadableFile as refused:
        ours = refused.rule_id
    try:
        package = Package(path)
        percent = percent_cells(package.pieces(SHEET), percent_styles(package.pieces(STYLES)))
        theirs = said(CalamineReader(path).table("Data", errors_of_sheet(package, SHEET), percent=percent))
    except UnreadableFile as refused:
        theirs = refused.rule_id
    return ours, theirs, is_plain


@pytest.fixture(scope="module", autouse=True)
def read_by_column() -> Iterator[None]:
    """A small workbook is read by the careful reader alone; here both are to be told apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx, "SMALL_WORKBOOK_BYTES", -1)
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plain") / "book.xlsx"


whole_numbers = st.integers(-(10**16), 10**16).map(str)
serials = st.one_of(st.integers(0, 60_000).map(str), st.floats(0, 60_000).map(lambda n: f"{n:.6f}"))
decimals = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-(10**9), 10**9, places=2).map(str),
    st.sampled_from(["0", "-0", "007", "1E5", "1.5e-7", "+4", ".5", "5.", "1e400", "nan", "inf", " 12 ", "abc", "1_0"]),
)
plain_texts = st.text(st.characters(codec="utf-8", exclude_characters="&<\r", exclude_categories=["Cc", "Cs"]))
texts = st.one_of(
    plain_texts,
    st.sampled_from(["a &amp; b", "&#xE9;", "  x ", "x\r\ny", "x_x000D_y", "x\ny", "_X000d_", "\xa0x", "a>b", "]]>"]),
)
styles = st.one_of(st.just(""), st.integers(0, 3 + len(FORMATS) + 2).map(lambda n: f' s="{n}"'))
errors = st.sampled_from(["#REF!", "#N/A", "#DIV/0!"])
formulas = st.sampled_from(
    [
        "<f>A1+1</f>",
        '<f t="shared" ref="A1:A9" si="0">B1&gt;2</f>',
        '<f t="shared" si="0"/>',
        "<f/>",
        '<f aca="false">1</f>',
    ]
)


@st.composite
def cells(draw: st.DrawFn) -> str:
    """A cell behind its reference, as office programs write it."""
    style, formula = draw(styles), draw(st.one_of(st.just(""), formulas))
    kind = draw(
        st.sampled_from(["shared", "inline", "number", "whole", "serial", "tick", "error", "str", "none", "long"])
    )
    if kind == "none":
        return draw(st.sampled_from([f"{style}/>", f"{style}></c>", f"{style}>{formula}</c>", f"{style}><v></v></c>"]))
    if kind == "inline":
        keep = draw(st.sampled_from(["", ' xml:space="preserve"']))
        return f'{style} t="inlineStr"><is><t{keep}>{draw(texts)}</t></is></c>'
    if kind == "long":
        look = "<r><rPr><b/><color rgb='FF0000'/></rPr><t>{}</t></r>".format
        return f'{style} t="inlineStr"><is>{look(draw(texts))}{look("z")}</is></c>'
    value, type_ = {
        "shared": (st.integers(0, SHARED_COUNT - 1).map(str), ' t="s"'),
        "number": (decimals, draw(st.sampled_from(["", ' t="n"']))),
        "whole": (whole_numbers, ""),
        "serial": (serials, ""),
        "tick": (st.sampled_from("01"), ' t="b"'),
        "error": (errors, ' t="e"'),
        "str": (st.one_of(texts, st.just("")), ' t="str"'),
    }[kind]
    return f"{style}{type_}>{formula}<v>{draw(value)}</v></c>"


@st.composite
def plain_rows(draw: st.DrawFn) -> str:
    """Rows with gaps between them and between their cells."""
    out, row, left = [], 0, draw(st.sampled_from([-1, -1, -1, 1]))
    for _ in range(draw(st.integers(0, 6))):
        row += draw(st.sampled_from([1, 1, 1, 2, 40]))
        column, inside = left, []
        for _ in range(draw(st.integers(0, 5))):
            column += draw(st.sampled_from([1, 1, 1, 3, 30]))
            inside.append(f'<c r="{column_letter(column)}{row}"{draw(cells())}')
        more = draw(
            st.sampled_from(["", ' spans="1:3"', ' ht="15" customHeight="1" x14ac:dyDescent="0.25"', ' hidden="1"'])
        )
        gap = draw(st.sampled_from(["", "", "\n  "]))
        out.append(f'<row r="{row}"{more}/>' if not inside else f'<row r="{row}"{more}>{gap.join(inside)}{gap}</row>')
    return draw(st.sampled_from(["", "", "\r\n"])).join(out)


AFTER = ("", '<mergeCells count="2"><mergeCell ref="A1:B1"/><mergeCell ref="C2:C4"/></mergeCells>')


@given(plain_rows(), st.booleans(), st.sampled_from(AFTER))
def test_it_says_the_same_of_whatever_office_programs_write(path: Path, rows: str, from_1904: bool, after: str) -> None:
    ours, theirs, _ = both(path, package_of(sheet_of(rows, after), from_1904))
    assert ours == theirs


@given(
    plain_rows(),
    st.sampled_from(["", '<cols><col min="2" max="3" hidden="1"/><col min="5" max="5" width="0"/></cols>']),
)
def test_it_says_the_same_of_what_is_hidden(path: Path, rows: str, columns: str) -> None:
    path.write_bytes(package_of(sheet_of(rows).replace(b"<sheetData>", columns.encode() + b"<sheetData>")))
    table, theirs = sheets_of_xlsx(path, Package(path))[0].open(), hidden_in_sheet(Package(path), SHEET)
    assert (list(table.hidden.rows), list(table.hidden.columns)) == (list(theirs.rows), list(theirs.columns))
    assert rows.count(' hidden="1"') == len(theirs.rows)


ODD = [
    "<row r='1'><c r='A1'><v>1</v></c></row>",
    '<row><c><v>1</v></c><c t="s"><v>1</v></c></row>',
    '<row r="1"><c s="1" r="B1"><v>1</v></c></row>',
    '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>',
    '<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
    '<row r="1"><c r="A5"><v>1</v></c></row>',
    '<row r="1"><c r="a1"><v>1</v></c></row>',
    '<row r="1"><!-- <c r="A1"><v>1</v></c> --><c r="B1"><v>2</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v><![CDATA[<c r="B1">]]></v></c></row>',
    '<row r="1"><c r="A1"><v>1</v><extLst><ext uri="x"/></extLst></c><c r="B1"><v>1</v></c></row>',
    '<row r="1"><c r="A1" t="d"><v>2016-11-03</v></c><c r="B1" t="d"><v></v></c></row>',
    '<row r="1"><c r="A1" t="inlineStr"><v>x</v></c><c r="B1" t="is"><is><t>x</t></is></c></row>',
    '<row r="1"><c r="C1"><is><t>y</t></is></c><c r="D1" t="s"><is><t>y</t></is></c></row>',
    '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
    '<row r="1"><c r="A1" t="s"><v>-1</v></c></row>',
    '<row r="1"><c r="A1" t="zz"><v>1</v></c></row>',
    '<row r="1"><c r="A1" s="1" s="2"><v>1</v></c></row>',
    '<row r="1"><c r="A1"><v>1</v></c></row><row r="1"><c r="B1"><v>1</v></c></row>',
    '<row r="1"><c r="A1"><v>1</c></v></row>',
    '<row r="1"><c r="A1"><v>1</v></c>',
    '<row r="1"><c r="A1"/><v>1</v></row>',
    '<row r="1"><c r="A1"><f>1</f><v> </v></c><c r="B1" t="e"><f>1</f></c><c r="C1" t="str"><f>1</f><v/></c></row>',
    '<row r="1"><c r="A1"><v/></c></row><row r="3"><c r="A3" t="str"><v/></c></row>',
    '<row r="99999999"><c r="A99999999"><v>1</v></c></row>',
    '<row r="1"><c r="XFD1"><v>1</v></c></row>',
    '<row r="1048576"><c r="CV1048576" t="str"><v>1</v></c></row>',
    '<row r="0"><c r="A0"><v>1</v></c></row>',
    '<row r="1"><c r="A1" t="str"><v>\xff</v></c></row>',
]


@pytest.mark.parametrize("rows", ODD)
@pytest.mark.parametrize("shared", [True, False])
def test_it_says_the_same_however_it_is_written(path: Path, rows: str, shared: bool) -> None:
    xml = sheet_of(rows)
    ours, theirs, _ = both(path, package_of(xml.replace("ÿ".encode(), b"\xff"), shared=shared))
    assert ours == theirs


ROWS = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'


@pytest.mark.parametrize(
    "written",
    [
        lambda xml: xml.replace(b"<sheetData>", b"<sheetData >"),
        lambda xml: xml.replace(b"<sheetData>", b'<sheetData xml:space="preserve">'),
        lambda xml: re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", xml).replace(b" xmlns=", b" xmlns:x="),
    ],
    ids=["a space", "an attribute", "a prefix"],
)
def test_rows_in_another_markup_are_not_passed_over(path: Path, written: Callable[[bytes], bytes]) -> None:
    ours, theirs, _ = both(path, package_of(written(sheet_of(ROWS))))
    assert ours == theirs == ([["a"], ["1"]], 1, [])


@given(plain_rows(), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=4))
def test_of_a_sheet_with_damaged_bytes_too(path: Path, rows: str, damage: list[tuple[float, int]]) -> None:
    """Whatever both can read: which damage is seen depends on what else is on the sheet."""
    xml = bytearray(sheet_of(rows))
    for place, byte in damage:
        xml[int(place * len(xml))] = byte
    ours, theirs, _ = both(path, package_of(bytes(xml)))
    assert ours == theirs or "U01" in (ours, theirs)


@pytest.mark.parametrize("size", [40, 200_000])
def test_a_sheet_of_many_pieces_is_read_by_column(path: Path, size: int) -> None:
    """A row goes over the edge of a piece, and a block of rows over that of a batch."""
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>C{n}</t></is></c><c r="B{n}" t="s"><v>{n % 9}</v></c>'
        f'<c r="D{n}" s="1"><v>{n % 50_000}</v></c><c r="E{n}"><f>A{n}*2</f><v>{n / 8}</v></c></row>'
        for n in range(2, size // 10, 1 + size // 10_000)
    )
    ours, theirs, is_plain = both(path, package_of(sheet_of(rows)))
    assert (ours == theirs, is_plain) == (True, True)


def test_what_programs_write_most_is_read_by_column(path: Path) -> None:
    """Else every other test here might compare the careful reader with itself."""
    rows = (
        '<row r="1" spans="1:4"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>é</t></is></c></row>'
        '<row r="3"><c r="A3" s="1"><v>42677</v></c><c r="B3" t="b"><v>1</v></c><c r="C3" t="e"><v>#REF!</v></c>'
        '<c r="D3"><f>A1</f></c><c r="E3" s="1"/><c r="F3"><v>0.30000000000000004</v></c></row>'
    )
    ours, theirs, is_plain = both(path, package_of(sheet_of(rows)))
    cells = [["contact_id", "é", "", "", "", ""], [""] * 6, ["2016-11-03", "TRUE", "#REF!", "#CALC!", "", "0.3"]]
    assert ours == theirs == (cells, 1, [])
    assert is_plain
