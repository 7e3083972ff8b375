"""The data dictionary as Markdown: docs/data-dictionary.md."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from flows.reporting.render.dictionary import joins, words
from flows.reporting.render.dictionary.content import (
    Dictionary,
    DictionaryColumn,
    DictionarySection,
    DictionaryTable,
    ListOfCodes,
    dictionary,
)

GENERATED = (
    "<!-- Made from the contracts, the headers of the marts and the code lists by flows/reporting/render/dictionary:"
    " change those, not this page. -->"
)
_NOT_IN_ANCHOR = re.compile(r"[^\w -]")


def dictionary_markdown() -> str:
    """The page in docs/."""
    content = dictionary()
    return "\n".join(
        [
            GENERATED,
            "",
            f"# {words.TITLE}",
            "",
            words.ABOUT,
            "",
            words.SEARCH,
            "",
            *_contents(content),
            *_joins(content),
            *(line for section in content.sections for line in _section(content, section)),
            *_lists(content),
            *_rules(content),
            "",
        ]
    )


def _anchor(heading: str) -> str:
    """The anchor that Markdown gives a heading."""
    return "#" + _NOT_IN_ANCHOR.sub("", heading.lower()).replace(" ", "-")


def _link(text: str, heading: str, page: str = "") -> str:
    return f"[{text}]({page}{_anchor(heading)})"


def _linked(content: Dictionary, text: str, own: str = "") -> str:
    """A text in which the names of other tables are links."""
    addresses = {t.address for t in content.tables} - {own}
    return re.sub(r"\b[a-z]+\.[a-z_]+\b", lambda m: _link(m[0], m[0]) if m[0] in addresses else m[0], text)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (f"| {' | '.join(cells)} |" for cells in rows)
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *lines]


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def _contents(content: Dictionary) -> list[str]:
    lines = [f"- {_link(words.JOINS, words.JOINS)}"]
    for section in content.sections:
        tables = ", ".join(_link(t.address, t.address) for t in section.tables)
        lines.append(f"- {_link(section.title, section.title)}: {tables}")
    return [*lines, *(f"- {_link(title, title)}" for title in (words.LISTS, words.RULES))]


def _joins(content: Dictionary) -> list[str]:
    rows = [
        *((_link(j.table, j.table), _link(j.other, j.other), f"`{', '.join(j.using)}`", j.says) for j in joins.joins()),
        *((words.any_table(f"`{c}`"), _link(t, t), f"`{c}`", says) for c, t, says in joins.OF_ANY_TABLE),
    ]
    examples = [
        line
        for title, sql in ((words.EXAMPLE, joins.EXAMPLE), (words.LABELS, joins.LABELS))
        for line in ("", f"{title}:", "", "```sql", sql, "```")
    ]
    return ["", f"## {words.JOINS}", "", words.ABOUT_JOINS, "", *_table(words.JOIN_HEADS, rows), *examples]


def _section(content: Dictionary, section: DictionarySection) -> list[str]:
    about = f"{section.about} {words.of_senders()}" if section is content.sections[0] else section.about
    lines = ["", f"## {section.title}", "", about]
    for table in section.tables:
        lines += [
            "",
            f"### {table.address}",
            "",
            f"{_title(table)}{_linked(content, table.about, table.address)}",
            "",
        ]
        lines += [f"- {words.ROW}: {table.row}"]
        lines += [f"- {words.KEY}: {', '.join(f'`{k}`' for k in table.key)}"]
        lines += [f"- {words.SENT}: {'; '.join(table.sent)}"] if table.sent else []
        lines += [f"- {words.JOINED}: {'; '.join(_join(table, j) for j in table.joins)}"] if table.joins else []
        lines += ["", *_columns(content, table)]
    return lines


def _title(table: DictionaryTable) -> str:
    return f"**{table.title}.** " if table.title else ""


def _join(table: DictionaryTable, join: joins.Join) -> str:
    other = join.other if join.table == table.address else join.table
    return f"{_link(other, other)} by `{', '.join(join.using)}`"


def _columns(content: Dictionary, table: DictionaryTable) -> list[str]:
    heads = words.HEADS if table.has_rules else words.HEADS[:-1]
    rows = []
    for c in table.columns:
        cells = [f"`{c.name}`<br>{c.type}", _meaning(content, table, c), _values(content, c)]
        cells += [words.empty(c.meaning.empty), words.PRIVACY[c.meaning.privacy]]
        cells += [_guards(table, c)] if table.has_rules else []
        rows.append(cells)
    return _table(heads, rows)


def _meaning(content: Dictionary, table: DictionaryTable, column: DictionaryColumn) -> str:
    text = _linked(content, _in_cell(column.meaning.text), table.address) + column.unit_in_words
    return text + (f"<br>{words.HEADINGS}: {_in_cell('; '.join(column.headings))}" if column.headings else "")


def _values(content: Dictionary, column: DictionaryColumn) -> str:
    if not column.meaning.codes:
        return _in_cell(column.values)
    codes = content.lists[column.meaning.codes]
    link = _link(codes.name, words.list_heading(codes.name))
    return f"{link}: {_in_cell('; '.join(c.in_words for c in codes.codes))}" if codes.is_short else link


def _guards(table: DictionaryTable, column: DictionaryColumn) -> str:
    guards = column.guards
    lines = [f"{_link(r.rule_id, table.title, 'rules.md')} {_in_cell(r.title)} ({r.severity})" for r in guards.own]
    lines += [f"{words.READ_BY} {', '.join(guards.read_by)}"] if guards.read_by else []
    lines += [f"{words.ALSO} {_link(', '.join(guards.general), words.RULES)}"] if guards.general else []
    return "<br>".join(lines)


def _lists(content: Dictionary) -> list[str]:
    lines = ["", f"## {words.LISTS}", "", words.ABOUT_LISTS]
    for codes in content.lists.values():
        lines += ["", f"### {words.list_heading(codes.name)}", "", *_list(content, codes)]
    return lines


def _list(content: Dictionary, codes: ListOfCodes) -> list[str]:
    heads = [words.CODE, words.LABEL, *([words.FROM, words.TO] if codes.has_dates else [])]
    rows = (
        [f"`{c.code}`", _in_cell(c.label), *([c.valid_from, c.valid_to] if codes.has_dates else [])]
        for c in codes.codes
    )
    return [f"In {_link(codes.address, codes.address)}.", "", *_table(heads, rows)]


def _rules(content: Dictionary) -> list[str]:
    kinds = [(words.ANY_CELL, content.any_cell), *((words.OF_KIND[k], ids) for k, ids in content.by_kind.items())]
    return [
        "",
        f"## {words.RULES}",
        "",
        words.ABOUT_RULES,
        "",
        *_table(("Cells", "Rules"), ((kind, ", ".join(ids)) for kind, ids in kinds)),
        "",
        *_table(words.RULE_HEADS, ((r.rule_id, r.severity, _in_cell(r.title)) for r in content.general_rules)),
    ]
