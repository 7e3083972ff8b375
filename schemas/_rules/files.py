"""Rules about the structure of a file, for every dataset. Source: docs/domain.md 6.1 (F01-F26).

F27-F31 are our own: they report what the readers tolerate or change in a file, so that none of it is silent. F32-F39,
what is no data, are in `not_data.py`, and U01-U05 in `unreadable.py`. L01-L05 refuse a file or hold it
up as a whole: too many rows at fault, a dataset that the site does not send, rows that do not fit the site's other
files. A rule is about the whole file unless `found_on` names columns.
"""

from __future__ import annotations

from schemas._contract.model import Contract, Rule, Severity
from schemas._rules.headings import HEADING_RULES
from schemas._rules.months import MONTH_RULES
from schemas._rules.not_data import NOT_DATA_RULES
from schemas._rules.unreadable import UNREADABLE_RULES

BLANK_ROWS_LISTED = 100  # above this, only their number is reported (F07); so with headings (F05) and totals (F06)
WAITING_RULE = "L04"  # held up only because another file of the same site is late, refused or held up
# The one column beyond the contract that a file may have: the version of the form for each row (F24). It is not loaded.
VERSION_COLUMN = "schema_version"
CURRENT_FORM = "1"  # stated in blank workbooks: raised when columns are added, renamed or removed
FORM_VERSIONS = frozenset({CURRENT_FORM, "1.0"})
FILE, ROW, WARNING = Severity.FILE, Severity.ROW, Severity.WARNING


def _any_column(contract: Contract) -> tuple[str, ...]:
    return tuple(contract.by_name)


def _any_column_or_unknown(contract: Contract) -> tuple[str, ...]:
    return ("", *contract.by_name)


def _required_columns(contract: Contract) -> tuple[str, ...]:
    return tuple(f.name for f in contract.fields if f.column_is_required)


def _first_of_key(contract: Contract) -> tuple[str, ...]:
    return contract.key[:1]


def _key_without_pattern(contract: Contract) -> tuple[str, ...]:
    return tuple(n for n in contract.key[:1] if not contract.by_name[n].pattern)


def _site_column(contract: Contract) -> tuple[str, ...]:
    return tuple(n for n in contract.by_name if n == "site_code")


def _participant_level(contract: Contract) -> tuple[str, ...]:
    return ("",) if contract.participant_level else ()


def _randomisation_only(contract: Contract) -> tuple[str, ...]:
    return ("",) if contract.dataset == "randomisation" else ()


def _all_but_randomisation(contract: Contract) -> tuple[str, ...]:
    return () if contract.dataset == "randomisation" else ("",)


def _with_row_rules_between_tables(contract: Contract) -> tuple[str, ...]:
    return ("",) if any(r.severity is ROW for r in contract.cross_check_rules) else ()


def _with_parents(contract: Contract) -> tuple[str, ...]:
    return ("",) if contract.parent_rules else ()


def _no_delivery(_: Contract) -> tuple[str, ...]:
    """No dataset: a file whose name is not recognised is not registered as a delivery."""
    return ()


FILE_RULES: tuple[Rule, ...] = (
    Rule(
        "F01",
        FILE,
        "The file has no rows of data",
        "at least one row below the heading",
        "Send the extract with its rows. If there is nothing to send, write yes beside the dataset on the sheet"
        " 'Nothing to send' of our form, and leave its own sheet empty; the data team can send you the form. Beside a"
        ' CSV file, put a text file of the same name that ends in .manifest.json and holds {"nil_return": true}.',
    ),
    Rule(
        "F02",
        WARNING,
        "The file was not saved as UTF-8",
        "a file saved as 'CSV UTF-8'",
        "Save it as 'CSV UTF-8' next time. The text was converted: check that its accents and signs are right.",
    ),
    Rule(
        "F02",
        FILE,
        "The file's characters could not be read",
        "a file saved as 'CSV UTF-8'",
        "Open it in a spreadsheet, save it as 'CSV UTF-8' and send it again.",
    ),
    Rule(
        "F03",
        WARNING,
        "A hidden mark before the first heading was removed",
        "a first heading without a hidden mark",
        "Nothing needs doing: it comes from saving as 'CSV UTF-8'.",
    ),
    Rule(
        "F04",
        WARNING,
        "The heading is not one line at the top",
        "all headings on the first line",
        "Remove the lines above the heading, and put it on one line. The lines above it were left out.",
    ),
    Rule(
        "F05",
        WARNING,
        "The heading is repeated among the rows",
        "one heading line, at the top",
        "Remove the repeated heading. The line was left out.",
    ),
    Rule(
        "F05",
        FILE,
        "A second heading is among the rows, with its columns in another order",
        "one heading line, at the top, and every row in its order",
        "Put every row in the order of the first heading, also those below the second, and send the file again.",
    ),
    Rule(
        "F06",
        WARNING,
        "A row of totals or averages was left out",
        "rows of data only",
        "Remove rows of totals, subtotals and averages.",
    ),
    Rule(
        "F06",
        ROW,
        "{title} looks like the label of a total, but the row is filled in like a record",
        "rows of data only, and a reference that does not begin with the word 'total'",
        "If it is a total, delete the row. If it is a record, give it another reference.",
        found_on=_key_without_pattern,
    ),
    Rule("F07", WARNING, "Blank rows were left out", "no blank rows", "Remove blank rows."),
    Rule(
        "F09",
        FILE,
        "A column is missing: {title}",
        "a column headed {field}",
        "Add the column, or the heading alone if the values are there, and send the file again.",
        found_on=_required_columns,
    ),
    Rule(
        "F10",
        WARNING,
        "A heading was read as {field}",
        "the heading {field}",
        "Type {field} in {heading}, as the guide has it.",
        found_on=_any_column,
    ),
    Rule(
        "F11",
        FILE,
        "A column that is not in the guide may hold personal data",
        "only the columns of the guide",
        "Delete the column and send the file again.",
        found_on=_participant_level,
    ),
    Rule(
        "F11",
        WARNING,
        "A column that is not in the guide was left out",
        "only the columns of the guide",
        "Remove the column, or tell the data team what it holds.",
    ),
    Rule(
        "F12",
        FILE,
        "Two columns have the same heading, or headings that mean the same",
        "one column for each heading",
        "Rename or delete one of them and send the file again. Neither of them was checked.",
        found_on=_any_column_or_unknown,
    ),
    Rule(
        "F13",
        WARNING,
        "The columns are not separated by commas",
        "commas between the columns",
        "Save it as 'CSV UTF-8' next time. The columns were recognised, and nothing was lost.",
    ),
    Rule(
        "F13",
        ROW,
        "The line could not be split into the columns of the heading",
        "as many cells as the heading has",
        "Check the line for a missing or extra comma, and for quotation marks. Put text with a comma inside"
        " it in double quotation marks.",
    ),
    Rule(
        "F13",
        FILE,
        "Many lines could not be split into the columns of the heading",
        "as many cells as the heading has",
        "Check for commas and quotation marks inside text, or another separator; save as CSV and send the file again.",
    ),
    Rule(
        "F15",
        FILE,
        "The file is not what its name says",
        "a file whose name ends in what it is: .csv, .xlsx, .xls, .ods or .parquet",
        "Save it as CSV or as an Excel workbook, and send it again.",
    ),
    Rule(
        "F16",
        FILE,
        "The file does not agree with its manifest or its sign-off",
        "the number of rows, pounds and the checksum that they state, and no row where the manifest says nil_return",
        "Check the amounts. Send the file again, with the manifest that belongs to it or the right total on the sheet"
        " 'Sign-off'. In a workbook of several datasets, nil_return applies to every sheet: for one without rows, write"
        " yes on the sheet 'Nothing to send' instead.",
    ),
    Rule(
        "F17",
        WARNING,
        "The file is identical to one already received",
        "a new extract",
        "Nothing needs doing. If you meant to send something else, send that file.",
    ),
    Rule(
        "F18",
        FILE,
        "The extract is older than the one already accepted",
        "an extract with a later cut-off than the last one accepted",
        "Send the latest extract. If this one is the latest, the file that counts may have a wrong month in its name:"
        " tell the data team. They can withdraw it, and this one then counts without being sent again.",
    ),
    *MONTH_RULES,
    Rule(
        "F20",
        FILE,
        "Rows of another site are in the file",
        "rows of the sending site only",
        "Remove the other site's rows and send the file again.",
        found_on=_site_column,
    ),
    Rule(
        "F21",
        FILE,
        "The file name is not recognised",
        "a name such as MHT-BPL_participants_201611_v1.xlsx, in the folder of the site",
        "Rename the file: site, dataset, month, version.",
        found_on=_no_delivery,
    ),
    # Compared with the last accepted extract. Cumulative extracts grow, so for them the upper limit is 1.5 times what
    # the last one held and had gained on the one before it. Under 30 rows a share says little. Of several files for one
    # cut-off the last version is taken. Source: docs/domain.md 6.0.
    Rule(
        "F22",
        WARNING,
        "The number of rows has changed by more than half since the last extract",
        "about as many rows as the extracts before lead one to expect",
        "Check that nothing is missing or duplicated. If the number is right, nothing needs doing.",
        violations_sql="""
            with sent as (
                select *, rows_accepted + rows_held as n from audit.deliveries
                where dataset = '{dataset}' and standing in ('current', 'superseded')
                qualify row_number() over (
                    partition by site_code, extract_type, data_cut_date order by version desc, received_at desc) = 1
            ), compared as (
                select *, lag(n) over earlier as n1, lag(n, 2) over earlier as n2 from sent
                window earlier as (partition by site_code, extract_type order by data_cut_date)
            ), expected as (
                select *, case when extract_type = 'period' or n1 < n2 then n1 else 2 * n1 - n2 end as likely_n
                from compared
            )
            select delivery_id, n || ' rows, ' || n1 || ' in the extract before' as found from expected
            where standing = 'current' and n1 >= 30 and (n < 0.5 * n1 or n > 1.5 * likely_n)""",
    ),
    # A held row whose reference could not be read may be any of the missing records, so it is given the benefit of the
    # doubt: such rows (rows_held - held) are subtracted, like the `deletes` that the manifest declares. A record that a
    # deletions file names (P21) is not missing.
    Rule(
        "F23",
        WARNING,
        "Records that were sent before are not in this extract",
        "every record that was sent before, in an extract of everything to date",
        "Check that they were meant to go. If so, name them in a deletions file if they are about people, else state"
        " their number as 'deletes' in the manifest.",
        violations_sql="""
            with counted as (
                select delivery_id, count(*) filter (where not is_deleted) as n_before, count(is_held) as held,
                    count(*) filter (where is_sent is null and is_held is null and not is_deleted) as missing
                from before."{dataset}"
                left join (select delivery_id, {key}, true as is_sent from sound."{dataset}") using (delivery_id, {key})
                left join (select distinct delivery_id, {key}, true as is_held from held."{dataset}")
                    using (delivery_id, {key})
                group by delivery_id
            ), unexplained as (
                select delivery_id, n_before, missing - deletes - (rows_held - held) as n
                from counted join before."{dataset}_compared" using (delivery_id)
                join audit.deliveries using (delivery_id)
            )
            select delivery_id, n || ' of ' || n_before || ' records of the extract before' as found
            from unexplained where n > 0""",
    ),
    Rule(
        "F24",
        FILE,
        "Rows were filled in on an old version of the form, or on several versions",
        "one version of the form, the current one, wherever the column schema_version states it",
        "Use the current form for every row, or delete the column, and send the file again.",
    ),
    Rule(
        "F27",
        WARNING,
        "Rows or columns are hidden, by a filter or by hand",
        "every row and column visible",
        "Clear the filter, unhide them, and check that they are meant to be sent. They were read like all others.",
    ),
    Rule(
        "F28",
        WARNING,
        "A heading, or the name of the sheet, holds garbled characters",
        "a heading without garbled characters",
        "Type it again: it holds invisible characters in place of signs such as a dash.",
        found_on=_any_column_or_unknown,
    ),
    Rule(
        "F29",
        WARNING,
        "A quotation mark in the heading is not closed",
        "quotation marks in pairs, each pair around one heading",
        "Delete the mark in a text editor (Notepad), not in Excel, and nothing else. It was left out: no row was lost.",
    ),
    Rule(
        "F30",
        WARNING,
        "Quotation marks are not written as a CSV file has them",
        "double quotation marks, without spaces beside them",
        "Save it as 'CSV UTF-8' next time. The marks were taken off, and nothing was lost.",
    ),
    Rule(
        "F31",
        WARNING,
        "The file's name is not quite in the agreed form, but was understood",
        "a name such as MHT-BPL_participants_201611_v1.xlsx, with nothing added",
        "Save it under the agreed name: site, dataset, month and version. A name that could mean two"
        " things is not accepted.",
    ),
    *NOT_DATA_RULES,
    *HEADING_RULES,
    Rule(
        "L02",
        FILE,
        "This site does not send this dataset",
        "a dataset that the programme collects",
        "Check the file name. If the site should send it, tell the data team.",
        found_on=_all_but_randomisation,
    ),
    Rule(
        "T09",
        FILE,
        "This programme does not randomise",
        "no randomisation file from this programme",
        "Do not send it. If the site is part of a trial, tell the data team.",
        found_on=_randomisation_only,
    ),
    Rule(
        "L01",
        FILE,
        "Too many rows are at fault",
        "fewer than {limit} of rows at fault",
        "Fix the rows that the other problems name, and send the file again.",
    ),
    Rule(
        "L03",
        FILE,
        "Most rows do not fit the site's other files",
        "rows that agree with what the site sent in its other files",
        "Check that this is the right file, and that it is complete. Fix the rows below and send it again. Until then"
        " it replaces nothing: the figures use the file before it.",
        found_on=_with_row_rules_between_tables,
    ),
    Rule(
        WAITING_RULE,
        FILE,
        "The file waits for another file of this site",
        "rows that refer to records in the site's accepted files",
        "Nothing to fix in this file: it counts by itself when the file that it refers to is right. See the page of"
        " that file; if it has not been sent, send it.",
        found_on=_with_parents,
    ),
    Rule(
        "L05",
        FILE,
        "Most rows seem to be another site's",
        "rows about this site's own people and episodes",
        "Check whose file it is, and send this site's own. Until then it replaces nothing: the figures use the file"
        " before it.",
        found_on=_with_row_rules_between_tables,
    ),
    Rule(
        "P04",
        ROW,
        "The same reference was sent more than once",
        "one row for each reference",
        "Keep the right row and delete the others, in this file or in the one sent before.",
        found_on=_first_of_key,
    ),
    Rule(
        "P04",
        WARNING,
        "A row is an exact copy of another",
        "one row for each reference",
        "Delete the copy. It was left out.",
        found_on=_first_of_key,
    ),
    *UNREADABLE_RULES,
)

# Rules that compare whole deliveries in SQL, run at every build.
DELIVERY_RULES: tuple[Rule, ...] = tuple(r for r in FILE_RULES if r.violations_sql)
