"""The manifest that may lie beside a file: what the sender states of it. Source: docs/domain.md 7."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints

from schemas.audit.deliveries import ExtractType

MANIFEST_SUFFIX = ".manifest.json"
LARGEST = 1 << 16  # bytes: a manifest is a few lines
MOST_ROWS, MOST_POUNDS = 9_999_999, 999_999_999  # what is longer may be somebody's number, and is not written down


def _yes_no(value: object) -> object:
    return (
        {"y": True, "yes": True, "n": False, "no": False}.get(value.casefold(), value)
        if isinstance(value, str)
        else value
    )


class Manifest(BaseModel):
    """Control totals and the nature of an extract. What it does not state is not checked; what it does is."""

    # Few files have one. What reads it is made for the first that has: pydantic looks through all that is installed.
    model_config = ConfigDict(defer_build=True, extra="forbid")  # a misspelt key would be passed over

    rows: Annotated[int, Field(ge=0, le=MOST_ROWS)] | None = None
    sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^(?i:[0-9a-f]{64})$")] | None = None
    gbp_total: Annotated[Decimal | FiniteFloat, Field(ge=-MOST_POUNDS, le=MOST_POUNDS)] | None = None
    deletes: Annotated[int, Field(ge=0, le=MOST_ROWS)] = 0
    nil_return: Annotated[bool, BeforeValidator(_yes_no)] = False
    data_cut_date: date | None = None
    extract_type: ExtractType = ExtractType.CUMULATIVE
    note: object = None  # for people: it is not looked at, and not kept


class WrongManifest(ValueError):  # noqa: N818 - it says what is wrong with a file
    """A manifest that cannot be used, in words that its sender may read."""


def manifest_of(path: Path, period: str) -> Manifest:
    """The manifest beside a file, or one that states nothing. Raises WrongManifest for one that is wrong."""
    stray_text = path.with_name(path.stem + MANIFEST_SUFFIX)
    if not stray_text.exists():
        return Manifest.model_construct()
    try:
        if stray_text.stat().st_size > LARGEST:
            raise ValueError
        manifest = Manifest.model_validate_json(stray_text.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise WrongManifest(
            f"its manifest is not in the agreed form: it may state {', '.join(Manifest.model_fields)}"
        ) from None
    if manifest.data_cut_date and f"{manifest.data_cut_date:%Y%m}" != period:
        raise WrongManifest(f"its manifest states a cut-off that is not in the month of its name, {period}")
    return manifest
