"""Search the XML of an Excel sheet before it is opened, for its extent, spreadsheet errors and hidden rows and columns.

A formula without a stored result is listed with the errors (rule F37), because its cell would be read as empty: some
programs write formulas and leave the calculation to Excel. If its result is an empty text, the cell's type says so.

An ordinary sheet is searched with regular expressions, piece by piece. Any other is parsed, which is slower and gives
the same result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from xml.parsers import expat

from flows.cells.column_letters import index_of
from flows.cells.parse import NOT_CALCULATED
from flows.deliveries.extract import UnreadableFile
from flows.steps.read.heading import MAX_COLUMNS
from flows.steps.read.workbook.sheet import MAX_CELLS, Errors, Hidden, check_extent
from flows.steps.read.zip_package import MAX_CELL_CHARACTERS, Package

# Cells beyond AH1099999, or without a plain reference. A sheet without such cells is certainly smaller than MAX_CELLS,
# so its extent need not be computed.
_FAR_CELL = re.compile(rb'<c(?=[\s/>])(?! r="(?:[A-Z]|A[A-H])(?:\d{1,6}|10\d{5})")')
_PLAIN_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"')
_OTHER_CELL = re.compile(rb'<c(?=[\s/>])(?! r="[A-Z]{1,3}\d{1,7}")')
_PREFIXED_CELL = re.compile(rb":c[\s/>]")
_CUTS = (b"<c ", b"<c/", b"<c>", b"<row", b"</row", b"</sheetData")
_ERROR = re.compile(rb"""\bt\s*=\s*["']e["']""")
_ERROR_CELL = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"[^>]*\bt="e"[^>]*>\s*(?:<f[^<]*(?:</f>\s*)?)?<v>([^<]*)</v>')
_FORMULA = re.compile(rb"<f[\s/>]")
_FORMULA_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})(\d{1,7})"([^<>]*)>\s*<f(?:\s[^<>]*)?(?:/>|(?<!/)>[^<]*</f>)\s*'
    rb"(?:<v(?:\s[^<>]*)?(?:/>|(?<!/)>([^<]*)</v>))?"
)
_TEXT_CELL = re.compile(rb"""\bt\s*=\s*["']str["']""")
_ROW_OR_COLUMN = re.compile(rb"<(?:\w+:)?(row|col)(?=[\s/>])([^<>]*)>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*["']([^"']*)["']""")
_MAY_HIDE = (b"hidden", b'ht="0', b"ht='0", b'width="0', b"width='0")
_NO_SIZE = re.compile(r"0(?:\.0*)?")


def errors_of_sheet(package: Package, member: str) -> Errors:
    """The spreadsheet errors of a sheet, by (row, column) from 0.

    Raises UnreadableFile (U01) if its cells are so far apart that the rectangle around them is too large for memory.
    """
    for odd_cell in (_FAR_CELL, _OTHER_CELL):
        errors = _search(package, member, odd_cell)
        if errors is not None:
            return errors
    return errors_in(package.xml_pieces(member))


def hidden_in_sheet(package: Package, member: str) -> Hidden:
    """The hidden rows and columns of a sheet."""
    if not any(mark in piece for piece in package.xml_pieces(member) for mark in _MAY_HIDE):
        return Hidden()
    rows: list[int] = []
    columns: list[int] = []
    number = 0
    for piece in whole_cells(package.xml_pieces(member)):
        for kind, raw in _ROW_OR_COLUMN.findall(piece):
            attributes = dict(_ATTRIBUTE.findall(raw.decode("utf-8", errors="replace")))
            if kind == b"col":
                columns += hidden_columns(attributes)
                continue
            named = attributes.get("r", "")
            number = int(named) if named.isdecimal() and len(named) < 12 else number + 1
            if _is_hidden(attributes, "ht"):
                rows.append(number - 1)
    return Hidden(rows, columns)


def hidden_columns(attributes: Mapping[str, str]) -> list[int]:
    """The columns, from 0, that a `col` element hides."""
    first, last = (attributes.get(name, "") for name in ("min", "max"))
    if not (_is_hidden(attributes, "width") and first.isdecimal() and last.isdecimal() and len(first + last) < 24):
        return []
    return list(range(int(first) - 1, min(int(last), MAX_COLUMNS)))


def _is_hidden(attributes: Mapping[str, str], size: str) -> bool:
    """Whether a row or column is hidden, or has a `size` (height or width) of 0, which looks the same."""
    return attributes.get("hidden") in ("1", "true") or _NO_SIZE.fullmatch(attributes.get(size, "")) is not None


def _search(package: Package, member: str, odd_cell: re.Pattern[bytes]) -> Errors | None:
    """The spreadsheet errors of a sheet, found with regular expressions.

    None if it has cells that match `odd_cell`, is too large, or has errors that the expressions cannot read.
    """
    errors: Errors = {}
    columns: set[bytes] = set()
    last_row = 0
    for piece in whole_cells(package.xml_pieces(member)):
        if odd_cell.search(piece) or _PREFIXED_CELL.search(piece):
            return None
        if odd_cell is _OTHER_CELL:
            cells = _PLAIN_CELL.findall(piece)
            columns.update(letters for letters, _ in cells)
            last_row = max(last_row, max((int(row) for _, row in cells), default=0))
        # The pattern of a whole cell must match as often as the short one, or some cell is written in another way.
        found = _ERROR_CELL.findall(piece) if (count := len(_ERROR.findall(piece))) else []
        if count != len(found):
            return None
        formulas = _FORMULA_CELL.findall(piece) if (count := len(_FORMULA.findall(piece))) else []
        if count != len(formulas):
            return None
        errors |= {
            (int(row) - 1, index_of(column.decode())): NOT_CALCULATED
            for column, row, attributes, value in formulas
            if not value.strip() and not _TEXT_CELL.search(attributes)
        }
        errors |= {(int(row) - 1, index_of(column.decode())): text.decode() for column, row, text in found}
    width = max((index_of(c.decode()) + 1 for c in columns), default=0)
    return errors if last_row * width <= MAX_CELLS and width <= MAX_COLUMNS else None


def whole_cells(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut the XML into pieces at the start of a cell or a row, so that no match is split between two pieces."""
    rest = b""
    for piece in pieces:
        data = rest + piece
        cut = max(map(data.rfind, _CUTS))
        if cut <= 0 and len(data) > 2 * MAX_CELL_CHARACTERS:
            if data.startswith(b"<c "):
                raise UnreadableFile("U01", "a cell holds more than a million characters")
            cut = data.rfind(b"<")
        yield data[: max(cut, 0)]
        rest = data[max(cut, 0) :]
    yield rest


def errors_in(pieces: Iterable[bytes]) -> Errors:
    """The spreadsheet errors of a sheet in any XML form, by parsing it. Raises UnreadableFile as `errors_of_sheet`."""
    row = column = last_row = last_column = 0
    is_error = in_value = has_result = False
    errors: Errors = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, last_row, last_column, is_error, in_value, has_result
        kind, at = tag.rpartition(":")[2], attributes.get("r", "")
        if kind == "row":
            row, column = int(at) if at.isdecimal() and len(at) < 12 else row + 1, 0
        elif kind == "c":
            named = re.fullmatch(r"([A-Z]{1,9})(\d{1,18})", at.upper())
            row, column = (int(named[2]), index_of(named[1]) + 1) if named else (row, column + 1)
            is_error, has_result = attributes.get("t") == "e", attributes.get("t") == "str"
        elif kind in ("v", "is", "f"):  # an empty cell takes no room
            in_value = kind == "v"
            if kind == "f" and not has_result:
                errors[row - 1, column - 1] = NOT_CALCULATED
            if row > last_row or column > last_column:
                last_row, last_column = max(last_row, row), max(last_column, column)
                check_extent(last_row, last_column)

    def text(characters: str) -> None:
        nonlocal has_result
        if not in_value or not characters.strip():
            return
        before = errors.pop((row - 1, column - 1), "")
        if is_error:
            errors[row - 1, column - 1] = (before if has_result else "") + characters
        has_result = True

    def end(tag: str) -> None:
        nonlocal in_value
        in_value = False

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError):
        raise UnreadableFile("U01", "it is damaged or was cut off") from None
    return errors
