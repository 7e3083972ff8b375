"""Version of a contract: a fingerprint of the parts that can change the result of validating one file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING

from schemas._contract.code_lists import CodeList
from schemas._contract.model import Contract, Field

if TYPE_CHECKING:
    import polars as pl

# Texts that only people read. Titles are not among them: a file may use a field's title as a heading, and a dataset's
# title as the name of a sheet.
_TEXTS_OF_FIELDS = ("description", "example")
_TEXTS_OF_CONTRACTS = ("description", "grain")
_HASHED_SEPARATELY = ("fields", "rules")


@lru_cache
def contract_version(contract: Contract) -> str:
    """Fingerprint of what a contract says about a single file, as twelve hexadecimal digits.

    It covers the fields, the code lists that they use, and the checks within a row. It leaves out the texts of rules,
    which are looked up when a report is made, and the rules between tables, which are checked at every build.
    """
    content = (
        _values(contract, (*_TEXTS_OF_CONTRACTS, *_HASHED_SEPARATELY)),
        [(_values(f, _TEXTS_OF_FIELDS), _codes(f.code_list) if f.codes else ()) for f in contract.fields],
        [
            (r.rule_id, str(r.severity), r.field, _serialized(r.check), _serialized(r.suggested), r.stores_suggestion)
            for r in contract.row_rules
        ],
    )
    return hashlib.sha256(repr(content).encode()).hexdigest()[:12]


def _serialized(expression: Callable[[], pl.Expr] | None) -> bytes:
    return expression().meta.serialize() if expression else b""


def _values(source: Contract | Field, excluded: tuple[str, ...]) -> list[tuple[str, object]]:
    return [(f.name, getattr(source, f.name)) for f in fields(source) if f.name not in excluded]


def _codes(codes: CodeList) -> list[tuple[object, ...]]:
    """The codes of a list, in its order, with everything that a cell may be matched against."""
    return [(c.code, c.label, c.aliases, c.active_code) for c in codes.entries]
