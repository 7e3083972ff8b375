"""Polars types of fields."""

from __future__ import annotations

import polars as pl

from schemas._contract.model import Field, Kind

_POLARS = {
    Kind.TEXT: pl.String,
    Kind.REFERENCE: pl.String,
    Kind.CODE: pl.String,
    Kind.DATE: pl.Date,
    Kind.INTEGER: pl.Int64,
    Kind.YES_NO: pl.Boolean,
    Kind.FINANCIAL_YEAR: pl.String,
}


def polars_type(field: Field) -> pl.DataType:
    """The polars type of a field. Numbers with decimals are Decimal, never floats, so that pounds add up exactly."""
    if field.kind in (Kind.MONEY, Kind.DECIMAL):
        return pl.Decimal(14, 2 if field.kind is Kind.MONEY else field.decimals)
    return _POLARS[field.kind]()
