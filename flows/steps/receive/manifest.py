"""Read the manifest that may accompany a file, with the sender's control totals. Source: docs/domain.md 7."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints

from flows.deliveries.months import cannot_be_signed_on
from schemas._contract.code_lists import code_list
from schemas.audit.deliveries import APPROVING_ROLES, MAX_POUNDS, ExtractType

MANIFEST_SUFFIX = ".manifest.json"
MAX_BYTES = 1 << 16  # a manifest is a few lines of JSON
MAX_ROWS = 9_999_999  # a longer number may be a person's identifier, and must not be stored


def _yes_no(value: object) -> object:
    """Accept Y, N, yes and no for a boolean; anything else is left to pydantic."""
    return (
        {"y": True, "yes": True, "n": False, "no": False}.get(value.casefold(), value)
        if isinstance(value, str)
        else value
    )


class Manifest(BaseModel):
    """Control totals, extract type and sign-off of a file. Only what it states is checked."""

    # `defer_build`, because few files have a manifest and pydantic is slow to build its first validator: it looks for
    # plugins among all installed packages. `extra="forbid"`, because a misspelt key would be ignored.
    model_config = ConfigDict(defer_build=True, extra="forbid")

    rows: Annotated[int, Field(ge=0, le=MAX_ROWS)] | None = None
    sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^(?i:[0-9a-f]{64})$")] | None = None
    gbp_total: Annotated[Decimal | FiniteFloat, Field(ge=-MAX_POUNDS, le=MAX_POUNDS)] | None = None
    deletes: Annotated[int, Field(ge=0, le=MAX_ROWS)] = 0
    nil_return: Annotated[bool, BeforeValidator(_yes_no)] = False
    data_cut_date: date | None = None
    extract_type: ExtractType = ExtractType.CUMULATIVE
    signed_off_by_role: str = ""  # of the list `approving_role`: a code, a label or another spelling
    signed_off_on: date | None = None
    note: object = None  # free text for people: neither checked nor stored


class InvalidManifest(ValueError):  # noqa: N818 - an outcome for the sender, not an error of ours
    """A manifest that cannot be used; the message is for its sender."""


def read_manifest(path: Path, period: str, received_on: date) -> Manifest:
    """Read the manifest beside a file; without one, an empty manifest. Raises InvalidManifest.

    `period` is the month in the file's name (yyyymm), and `received_on` the day on which both came.
    """
    manifest_path = path.with_name(path.stem + MANIFEST_SUFFIX)
    if not manifest_path.exists():
        return Manifest.model_construct()
    try:
        if manifest_path.stat().st_size > MAX_BYTES:
            raise ValueError
        manifest = Manifest.model_validate_json(manifest_path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        raise InvalidManifest(
            f"its manifest is not in the agreed form: it may state {', '.join(Manifest.model_fields)}"
        ) from None
    if manifest.data_cut_date and f"{manifest.data_cut_date:%Y%m}" != period:
        raise InvalidManifest(f"its manifest states a cut-off that is not in the month of its name, {period}")
    return _with_sign_off(manifest, date(int(period[:4]), int(period[4:]), 1), received_on)


def _with_sign_off(manifest: Manifest, month_of_file: date, received_on: date) -> Manifest:
    """The manifest with its role as a code of the list. Raises InvalidManifest; what it states may be a name."""
    if manifest.signed_off_on and (fault := cannot_be_signed_on(manifest.signed_off_on, month_of_file, received_on)):
        raise InvalidManifest(f"signed_off_on in its manifest is {fault}")
    if not manifest.signed_off_by_role:
        return manifest
    role = code_list(APPROVING_ROLES).code_for(manifest.signed_off_by_role)
    if not role:
        roles = ", ".join(code_list(APPROVING_ROLES).codes)
        raise InvalidManifest(
            f"signed_off_by_role in its manifest is not in the list {APPROVING_ROLES}: state one of {roles}; no name"
        )
    return manifest.model_copy(update={"signed_off_by_role": role})
