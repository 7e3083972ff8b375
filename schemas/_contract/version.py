"""The version of a contract: what of it can change the result of validating one file."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from functools import lru_cache

from schemas._contract.code_lists import CodeList
from schemas._contract.model import Contract, Field

# Texts for people alone. Titles are not among them: a heading may be a field's title, and a sheet's name a dataset's.
_TEXTS_OF_FIELDS = ("description", "example")
_TEXTS_OF_CONTRACTS = ("description", "grain")
_STATED_APART = ("fields", "rules")


@lru_cache
def contract_version(contract: Contract) -> str:
    """Twelve hexadecimal digits that change when what the contract says of a single file may change a result.

    That is its fields, the code lists that they use and the checks within a row. What a rule tells the sender is joined
    when a report is made, and rules between tables are asked at every build: neither is part of it.
    """
    stated = (
        _values(contract, (*_TEXTS_OF_CONTRACTS, *_STATED_APART)),
        [(_values(f, _TEXTS_OF_FIELDS), _codes(f.code_list) if f.codes else ()) for f in contract.fields],
        [(r.rule_id, str(r.severity), r.field, r.check().meta.serialize()) for r in contract.row_rules if r.check],
    )
    return hashlib.sha256(repr(stated).encode()).hexdigest()[:12]


def _values(stated: Contract | Field, left_out: tuple[str, ...]) -> list[tuple[str, object]]:
    return [(f.name, getattr(stated, f.name)) for f in fields(stated) if f.name not in left_out]


def _codes(codes: CodeList) -> list[tuple[object, ...]]:
    """The codes of a list, in its order, with all that they are recognised by."""
    return [(c.code, c.label, c.aliases, c.active_code) for c in codes.entries]
