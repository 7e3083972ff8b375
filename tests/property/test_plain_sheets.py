"""The columnar sheet reader gives the same cells as the reference reader.

The reference is calamine, plus the spreadsheet errors that it omits. The workbooks are generated XML: as office
programs write it, as other programs do, and with damaged bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import workbook_bytes
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
    """A workbook with this sheet XML, a style for each of FORMATS, and shared strings."""
    custom = "".join(f'<numFmt numFmtId="{164 + n}" formatCode="{_quoted(f)}"/>' for n, f in enumerate(FORMATS))
    styles = "".join(f'<xf numFmtId="{n}"/>' for n in (0, 14, 22, 46, *range(164, 164 + len(FORMATS))))
    parts = {
        BOOK: f'<workbook {MAIN} xmlns:r="r"><workbookPr date1904="{int(from_1904)}"/><sheets>'
        '<sheet name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
        STYLES: f'<styleSheet {MAIN}><numFmts>{custom}</numFmts><cellXfs count="9">{styles}</cellXfs></styleSheet>',
        TEXTS: f"<sst {MAIN}>{SHARED}</sst>",
    }
    content = workbook_bytes.replace_parts(
        workbook_bytes.xlsx([["a"]]), {SHEET: xml, **{name: text.encode() for name, text in parts.items()}}
    )
    return content if shared else without(content, TEXTS)


def without(content: bytes, name: str) -> bytes:
    """Remove a part from a zip package."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for part in source.namelist():
            if part != name:
                target.writestr(part, source.read(part))
    return out.getvalue()


def _quoted(text: str) -> str:
    return text.replace('"', "&quot;")


def sheet_of(rows: str, after: str = "", root: str = "worksheet") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {MAIN}><dimension ref="A1"/><sheetData>{rows}</sheetData>'
        f"{after}</{root}>"
    ).encode()


TableContent = tuple[list[list[str]], int, list[tuple[int, int, int, int]]] | str


def content_of(table: Table) -> TableContent:
    """The content of a table: its rows as text, its width from row 3, and its merged cells."""
    texts = [row for frame in table.texts(0, 7) for row in frame.iter_rows()]
    below = [row for frame in table.texts(3, 100) for row in frame.iter_rows()]
    width = max(map(len, texts), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in texts]
    assert [[*row, *[""] * (width - len(row))] for row in below] == rows[3:]
    assert [[*row, *[""] * (width - len(row))] for row in table.head(5)] == rows[:5]
    return rows, table.width(3, 1), table.merged


def read_by_both(path: Path, content: bytes) -> tuple[TableContent, TableContent, bool]:
    """Read a workbook by both readers: the result, the reference, and whether it was read by column."""
    path.write_bytes(content)
    is_plain = False
    try:
        table = sheets_of_xlsx(path, Package(path))[0].open()
        is_plain, actual = isinstance(table, PlainTable), content_of(table)
    except UnreadableFile as refused:
        actual = refused.rule_id
    try:
        package = Package(path)
        percent = percent_cells(package.pieces(SHEET), percent_styles(package.pieces(STYLES)))
        reference = content_of(CalamineReader(path).table("Data", errors_of_sheet(package, SHEET), percent=percent))
    except UnreadableFile as refused:
        reference = refused.rule_id
    return actual, reference, is_plain


@pytest.fixture(scope="module", autouse=True)
def read_by_column() -> Iterator[None]:
    """Have small workbooks read by column too, so that both readers are compared."""
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
    """The XML of a cell after its reference, as office programs write it."""
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
        run = "<r><rPr><b/><color rgb='FF0000'/></rPr><t>{}</t></r>".format
        return f'{style} t="inlineStr"><is>{run(draw(texts))}{run("z")}</is></c>'
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
    """The XML of rows, with gaps between rows and between cells."""
    out, row, first_column = [], 0, draw(st.sampled_from([-1, -1, -1, 1]))
    for _ in range(draw(st.integers(0, 6))):
        row += draw(st.sampled_from([1, 1, 1, 2, 40]))
        column, inside = first_column, []
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
def test_the_readers_agree_on_rows_of_office_programs(path: Path, rows: str, from_1904: bool, after: str) -> None:
    actual, reference, _ = read_by_both(path, package_of(sheet_of(rows, after), from_1904))
    assert actual == reference


@given(
    plain_rows(),
    st.sampled_from(["", '<cols><col min="2" max="3" hidden="1"/><col min="5" max="5" width="0"/></cols>']),
)
def test_the_readers_agree_on_hidden_rows_and_columns(path: Path, rows: str, columns: str) -> None:
    path.write_bytes(package_of(sheet_of(rows).replace(b"<sheetData>", columns.encode() + b"<sheetData>")))
    table, reference = sheets_of_xlsx(path, Package(path))[0].open(), hidden_in_sheet(Package(path), SHEET)
    assert (list(table.hidden.rows), list(table.hidden.columns)) == (list(reference.rows), list(reference.columns))
    assert rows.count(' hidden="1"') == len(reference.rows)


UNUSUAL_ROWS = [
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


@pytest.mark.parametrize("rows", UNUSUAL_ROWS)
@pytest.mark.parametrize("shared", [True, False])
def test_the_readers_agree_on_unusual_rows(path: Path, rows: str, shared: bool) -> None:
    xml = sheet_of(rows)
    actual, reference, _ = read_by_both(path, package_of(xml.replace("ÿ".encode(), b"\xff"), shared=shared))
    assert actual == reference


ROWS = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace(b"<sheetData>", b"<sheetData >"),
        lambda xml: xml.replace(b"<sheetData>", b'<sheetData xml:space="preserve">'),
        lambda xml: re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", xml).replace(b" xmlns=", b" xmlns:x="),
    ],
    ids=["a space", "an attribute", "a prefix"],
)
def test_rows_in_other_markup_are_read(path: Path, change: Callable[[bytes], bytes]) -> None:
    actual, reference, _ = read_by_both(path, package_of(change(sheet_of(ROWS))))
    assert actual == reference == ([["a"], ["1"]], 1, [])


@given(plain_rows(), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=4))
def test_the_readers_agree_on_damaged_bytes(path: Path, rows: str, damage: list[tuple[float, int]]) -> None:
    """If both can read it: which damage is detected depends on the rest of the sheet."""
    xml = bytearray(sheet_of(rows))
    for position, byte in damage:
        xml[int(position * len(xml))] = byte
    actual, reference, _ = read_by_both(path, package_of(bytes(xml)))
    assert actual == reference or "U01" in (actual, reference)


@pytest.mark.parametrize("size", [40, 200_000])
def test_a_large_sheet_is_read_by_column(path: Path, size: int) -> None:
    """Rows cross the border between pieces, and blocks of rows that between batches."""
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>C{n}</t></is></c><c r="B{n}" t="s"><v>{n % 9}</v></c>'
        f'<c r="D{n}" s="1"><v>{n % 50_000}</v></c><c r="E{n}"><f>A{n}*2</f><v>{n / 8}</v></c></row>'
        for n in range(2, size // 10, 1 + size // 10_000)
    )
    actual, reference, is_plain = read_by_both(path, package_of(sheet_of(rows)))
    assert (actual == reference, is_plain) == (True, True)


def test_common_markup_is_read_by_column(path: Path) -> None:
    """Guards the other tests, which could otherwise compare the reference reader with itself."""
    rows = (
        '<row r="1" spans="1:4"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>é</t></is></c></row>'
        '<row r="3"><c r="A3" s="1"><v>42677</v></c><c r="B3" t="b"><v>1</v></c><c r="C3" t="e"><v>#REF!</v></c>'
        '<c r="D3"><f>A1</f></c><c r="E3" s="1"/><c r="F3"><v>0.30000000000000004</v></c></row>'
    )
    actual, reference, is_plain = read_by_both(path, package_of(sheet_of(rows)))
    cells = [["contact_id", "é", "", "", "", ""], [""] * 6, ["2016-11-03", "TRUE", "#REF!", "#NO VALUE!", "", "0.3"]]
    assert actual == reference == (cells, 1, [])
    assert is_plain
