"""Conditions on any column of `images`, made of values instead of SQL.

Values may be given as text whatever the column holds, as they come from an address or a command line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from numbers import Integral

import pyarrow as pa

from clipsearch.errors import QueryError
from clipsearch.query.dates import span
from clipsearch.query.kinds import Column, Kind, column_named
from clipsearch.store.sql import literal, quote

Value = str | float | Decimal | date
"""A text, a number, a truth value, a date or a datetime."""
Range = tuple[Value | None, Value | None]
"""The least and the greatest, both included; None where there is no bound."""

_A: dict[Kind, str] = {"text": "a text", "number": "a number", "boolean": "true or false", "date": "a date"}
_HOLDS: dict[Kind, str] = {"text": "texts", "number": "numbers", "boolean": "true or false", "date": "dates"}


def several(given: Value | Collection[Value]) -> Collection[Value]:
    """One value, or as many as there are."""
    return given if isinstance(given, Collection) and not isinstance(given, str) else [given]


def check_values(
    any_of: Mapping[str, Value | Collection[Value]], between: Mapping[str, Range], contains: Mapping[str, str]
) -> None:
    """Refuse what no column could be asked for.

    Raises:
        QueryError: something given is empty.
    """
    for name, given in any_of.items():
        if not several(given):
            raise QueryError(f"No value of {name!r} is given that would pass; leave it out or say which.")
    for name, ends in between.items():
        if len(ends) != 2 or (ends[0] is None and ends[1] is None):
            raise QueryError(f"The range of {name!r} has no end; leave it out or give (least, greatest).")
    for name, text in contains.items():
        if not isinstance(text, str) or not text.strip():
            raise QueryError(f"No text is given that {name!r} should contain; leave it out or say which.")


def value_conditions(
    schema: pa.Schema,
    any_of: Mapping[str, Value | Collection[Value]],
    between: Mapping[str, Range],
    contains: Mapping[str, str],
) -> Iterator[str]:
    """SQL conditions on `images`, whose columns are `schema`; a picture without a value meets none of them.

    Raises:
        QueryError: there is no such column, or it holds something else.
    """
    for name, given in any_of.items():
        column = column_named(schema, name)
        yield _of_each(column, partial(_is_one, column, several(given)))
    for name, (least, greatest) in between.items():
        column = column_named(schema, name)
        if column.listed or column.kind not in ("number", "date"):
            raise QueryError(
                f"The column {column.name} holds {_holds(column)}, of which there is no range; {_OTHERWISE}"
            )
        yield _lies_between(column, quote(column.name), least, greatest)
    for name, text in contains.items():
        column = column_named(schema, name)
        if column.kind != "text":
            raise QueryError(f"The column {column.name} holds {_holds(column)}, which contain no text; {_OTHERWISE}")
        yield _of_each(column, partial(_contains, text))


_OTHERWISE = "ask for its values, or write a condition in SQL."


def _of_each(column: Column, condition: Callable[[str], str]) -> str:
    """The condition on a column's value, or on any element of its lists."""
    if not column.listed:
        return condition(quote(column.name))
    return f"len(list_filter({quote(column.name)}, lambda element: {condition('element')})) > 0"


def _contains(text: str, sql: str) -> str:
    return f"contains(lower({sql}), lower({_literal(text)}))"


def _is_one(column: Column, values: Collection[Value], sql: str) -> str:
    if column.kind is None:
        raise QueryError(f"The column {column.name} holds {column.type} values; write a condition on it in SQL.")
    if column.kind == "date":
        return " OR ".join(_lies_between(column, sql, value, value) for value in values)
    return f"{sql} IN ({', '.join(_sql(column, value) for value in values)})"


def _lies_between(column: Column, sql: str, least: Value | None, greatest: Value | None) -> str:
    # DuckDB takes what is no number for the greatest.
    ends = [f"NOT isnan({sql})"] if column.floating else []
    if least is not None:
        ends.append(f"{sql} >= {_sql(column, least)}")
    if greatest is not None:
        ends.append(f"{sql} <= {_sql(column, greatest, last=True)}")
    return f"({' AND '.join(ends)})"


def _sql(column: Column, value: Value, *, last: bool = False) -> str:
    """A value as an SQL literal; of a day, month or year its first moment, or its last."""
    written = None
    match column.kind:
        case "text" if isinstance(value, str):
            written = _literal(value)
        case "number":
            written = _number(value, "FLOAT" if column.type == pa.float32() else "DOUBLE")
        case "boolean":
            written = _boolean(value)
        case "date" if isinstance(value, (str, date)):
            moment = span(column.name, value)[last].isoformat(" ")
            # A column with a time zone is compared in UTC; without saying so DuckDB would take the machine's.
            zone = getattr(column.type, "tz", None) is not None
            written = f"TIMESTAMPTZ {literal(moment + '+00')}" if zone else f"TIMESTAMP {literal(moment)}"
    if written is None:
        assert column.kind is not None
        raise QueryError(
            f"The column {column.name} holds {_holds(column)} and cannot be {value!r}; give {_A[column.kind]}."
        )
    return written


def _literal(text: str) -> str:
    if any("\ud800" <= letter <= "\udfff" or letter == "\0" for letter in text):
        raise QueryError(f"{text!r} is not valid Unicode text; write it in UTF-8.")
    return literal(text)


def _number(value: Value, kind: str) -> str | None:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            try:
                value = float(value)
            except ValueError:
                return None
    if isinstance(value, (bool, date)):
        return None
    if isinstance(value, Integral):
        return str(int(value))
    return f"{float(value)!r}::{kind}" if math.isfinite(value) else None


def _boolean(value: Value) -> str | None:
    if isinstance(value, str):
        return value.lower() if value.lower() in ("true", "false") else None
    return str(value).lower() if isinstance(value, bool) else None


def _holds(column: Column) -> str:
    held = str(column.type) if column.kind is None else _HOLDS[column.kind]
    return f"lists of {held}" if column.listed else held
