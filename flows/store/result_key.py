"""The key of a validation result: it changes exactly when validating the delivery again might give another result.

Data that a result depends on is in the key by value (the file's bytes, its context, the contract, code lists, the
registry), code as compiled code. Of the readers only that of the file's own format is included. The ending of the
file's name says which: a file whose bytes are of another format is refused before any reader sees it (rule F15). The
texts that a rule has for senders are in neither result nor key.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from flows.deliveries.context import context_of
from flows.deliveries.corrections import NO_CORRECTIONS, Corrections
from flows.deliveries.file_names import about_name
from flows.deliveries.formats import Format, format_named
from flows.deliveries.months import day_received
from flows.runtime.code_fingerprint import code_digest, library_versions
from schemas._contract.catalogue import datasets
from schemas._contract.code_lists import code_list
from schemas._contract.model import Contract
from schemas._contract.registry import programmes, rows, sites
from schemas._contract.version import contract_version
from schemas._rules.agreements import APPLIED, NOT_APPLIED, NOT_TAKEN, SIGN_OFF_RULE
from schemas._rules.cells import (
    CLOCK_RULE,
    HOURS_RULE,
    MONTH_FIRST_RULE,
    NUMBERED_CODES_RULE,
    SWAPPED_RULE,
    YEAR_FIRST_RULE,
)
from schemas._rules.files import BLANK_ROWS_LISTED, FORM_VERSIONS, VERSION_COLUMN
from schemas._rules.headings import COLUMNS_OF
from schemas._rules.months import OUTSIDE_PERIOD_RULE
from schemas._rules.privacy import PERSONAL_DATA_RULE_IDS
from schemas.audit.deliveries import APPROVING_ROLES, Delivery
from schemas.audit.findings import CONTRACT as FINDINGS

# What the steps import from `schemas/_rules` besides `checks.py`, by value: the rest of those modules is texts, and a
# reworded text must validate nothing again.
RULES_IN_USE = {
    "APPLIED": APPLIED,
    "BLANK_ROWS_LISTED": BLANK_ROWS_LISTED,
    "CLOCK_RULE": CLOCK_RULE,
    "COLUMNS_OF": COLUMNS_OF,
    "FORM_VERSIONS": tuple(sorted(FORM_VERSIONS)),
    "HOURS_RULE": HOURS_RULE,
    "MONTH_FIRST_RULE": MONTH_FIRST_RULE,
    "NOT_APPLIED": NOT_APPLIED,
    "NOT_TAKEN": NOT_TAKEN,
    "NUMBERED_CODES_RULE": NUMBERED_CODES_RULE,
    "OUTSIDE_PERIOD_RULE": OUTSIDE_PERIOD_RULE,
    "PERSONAL_DATA_RULE_IDS": PERSONAL_DATA_RULE_IDS,
    "SWAPPED_RULE": SWAPPED_RULE,
    "SIGN_OFF_RULE": SIGN_OFF_RULE,
    "VERSION_COLUMN": VERSION_COLUMN,
    "YEAR_FIRST_RULE": YEAR_FIRST_RULE,
}


class SourceFiles(NamedTuple):
    """Source files, as glob patterns below the project's folder, and the libraries that they use."""

    files: tuple[str, ...]
    libraries: tuple[str, ...] = ()

    def __or__(self, other: SourceFiles) -> SourceFiles:
        """The files and libraries of both."""
        return SourceFiles((*self.files, *other.files), tuple(dict.fromkeys((*self.libraries, *other.libraries))))


OF_ANY_FILE = SourceFiles(
    (
        "schemas/_contract/code_lists.py",
        "schemas/_contract/model.py",
        "schemas/_contract/polars_types.py",
        "schemas/_contract/workbook_names.py",
        "schemas/_rules/checks.py",
        "schemas/audit/confirmations.py",
        "schemas/audit/deliveries.py",
        "schemas/audit/findings.py",
        "flows/cells/*",
        "flows/cells/reading/*.py",
        "flows/deliveries/conformed.py",
        "flows/deliveries/context.py",
        "flows/deliveries/corrections.py",
        "flows/deliveries/extract.py",
        "flows/deliveries/file_names.py",
        "flows/deliveries/findings.py",
        "flows/deliveries/formats.py",
        "flows/deliveries/months.py",
        "flows/runtime/parallel.py",
        "flows/runtime/wording.py",
        "flows/steps/read/*.py",
        "flows/steps/confirm/sheet.py",
        "flows/steps/correct.py",
        "flows/steps/conform/**/*.py",
        "flows/steps/validate/**/*.py",
        "flows/steps/validate_delivery.py",
        "flows/store/results.py",
        "flows/store/result_sink.py",
        "flows/workbooks/example_rows.py",
    ),
    ("numpy", "pandera", "polars"),
)
_TYPED_CELLS = SourceFiles(("flows/steps/read/values/*.py",))
_WORKBOOK = _TYPED_CELLS | SourceFiles(("flows/steps/read/workbook/*.py",), ("python-calamine",))
_READERS: Mapping[Format, SourceFiles] = {
    Format.TEXT: SourceFiles(("flows/steps/read/text/**/*.py",), ("pyarrow",)),
    Format.XLSX: _WORKBOOK | SourceFiles(("flows/steps/read/workbook/xlsx/**/*.py",), ("pyarrow",)),
    Format.XLS: _WORKBOOK | SourceFiles(("flows/steps/read/workbook/xls/**/*.py",)),
    Format.ODS: _WORKBOOK | SourceFiles(("flows/steps/read/workbook/ods/**/*.py",)),
    Format.JSON: SourceFiles(("flows/steps/read/grants/*.py",)),
    Format.PARQUET: _TYPED_CELLS | SourceFiles(("flows/steps/read/parquet/**/*.py",), ("pyarrow",)),
}


_WITH_SHEETS = (Format.XLSX, Format.XLS, Format.ODS, Format.ZIP)


def code_of(kind: Format | None) -> SourceFiles:
    """The code that a result of a file of this format depends on; None: a file that is refused as of no known format.

    A zip's name does not say what it holds, so its results depend on every reader.
    """
    code = OF_ANY_FILE
    for of_reader, reader in _READERS.items():
        if kind in (of_reader, Format.ZIP):
            code |= reader
    return code


def result_key(delivery: Delivery, contract: Contract, corrections: Corrections = NO_CORRECTIONS) -> str:
    """The key of a delivery's validation result: 32 hexadecimal digits."""
    kind = format_named(delivery.path)
    declared = (  # of a manifest, or by its default
        delivery.rows_declared,
        delivery.gbp_declared,
        delivery.sha256_declared,
        delivery.nil_return,
        delivery.extract_type,
        delivery.data_cut_date,
        delivery.signed_off_by_role,
        delivery.signed_off_on,
    )
    parts = (
        (delivery.sha256, delivery.path.rsplit(".", 1)[-1], delivery.sheet, declared, about_name(delivery)),
        context_of(delivery, corrections),
        contract_version(contract),
        RULES_IN_USE,
        _registry_digest(delivery.programme_code),
        _dataset_titles() if kind in _WITH_SHEETS else (),
        _of_sign_off(delivery) if kind in _WITH_SHEETS and contract.control_total else (),
        _code_digest(kind),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _of_sign_off(delivery: Delivery) -> tuple[object, ...]:
    """What reading a sign-off on a sheet depends on: the last day that it may state, and the list of roles."""
    roles = [(role.code, role.label, role.aliases) for role in code_list(APPROVING_ROLES).entries]
    return day_received(delivery.received_at), roles


@lru_cache
def _registry_digest(programme_code: str) -> str:
    """What a result takes from the registry: names that may be shown, other sites' codes, the programme's last year."""
    used = (
        [(site.code, site.name) for site in sites().values()],
        [(programme.code, programme.name) for programme in programmes().values()],
        sorted({row["dataset"] for row in rows("returns")}),
        programmes()[programme_code].end_year if programme_code in programmes() else None,
    )
    return hashlib.sha256(repr(used).encode()).hexdigest()


@lru_cache
def _dataset_titles() -> tuple[tuple[str, str], ...]:
    """The names and titles of all datasets: by them a workbook's sheets are recognised."""
    return tuple((name, contract.title) for name, contract in datasets().items())


@lru_cache
def _code_digest(kind: Format | None) -> str:
    """The code that runs for a file of this format: the project's own, its libraries' versions, and Python's."""
    code = code_of(kind)
    columns = [(f.name, str(f.kind)) for f in FINDINGS.fields]  # the descriptions of findings are texts, and left out
    parts = code_digest(code.files), library_versions(code.libraries), sys.version_info[:2], columns
    return hashlib.sha256(repr(parts).encode()).hexdigest()
