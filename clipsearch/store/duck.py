"""The one module that imports DuckDB: opening connections and translating what DuckDB says into our errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection as Connection
from duckdb import Error as DatabaseError

from clipsearch.errors import IndexDamaged, QueryError
from clipsearch.store.sentences import NO_SUBQUERY, NOT_A_CONDITION, filter_error, not_true_or_false
from clipsearch.store.sql import literal
from clipsearch.types import Ids

__all__ = [
    "Connection",
    "DatabaseError",
    "close_reader",
    "ids_where",
    "open_reader",
    "open_writer",
    "reading_cursor",
    "select",
    "select_once",
    "stream",
]

# Nothing leaves the machine: DuckDB must never fetch an extension on its own.
_CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}

# SHOW, DESCRIBE and FROM are SELECTs to DuckDB.
_READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def open_reader(path: Path) -> Connection:
    """Open a catalog for reading only, with files, network and settings out of reach of any statement.

    Raises:
        IndexDamaged: the file is missing or no DuckDB database.
    """
    # Attached to an instance of its own: DuckDB shares instances by file name, and would answer from a file that has
    # been replaced since.
    db = duckdb.connect(":memory:", config=_CLOSED)
    try:
        db.execute(f"ATTACH {literal(str(path))} AS catalog (READ_ONLY)")
    except duckdb.Error:
        db.close()
        raise IndexDamaged(f"{path} cannot be opened; run `clipsearch repair --index {path.parent}`.") from None
    db.execute("SET enable_external_access = false")
    db.execute("SET lock_configuration = true")
    return db


def reading_cursor(db: Connection) -> Connection:
    """A cursor of a reader, for one thread, that finds the catalog's tables by their bare names."""
    cursor = db.cursor()
    cursor.execute("USE catalog")
    return cursor


def close_reader(db: Connection) -> None:
    """Close a reader; a thread in the middle of a query keeps its own cursor until it is done."""
    with suppress(duckdb.OperationalError):  # DuckDB says so of such a cursor, once all else is closed
        db.close()


def open_writer(path: Path, *, memory: str = "512MB") -> Connection:
    """Open (or make) a database for writing, bounded in memory, spilling beside itself."""
    config = {**_CLOSED, "memory_limit": memory, "temp_directory": f"{path}.spill"}
    return duckdb.connect(str(path), config=config)


@contextmanager
def _plain_sql_errors() -> Iterator[None]:
    """Turn a DuckDB error about a user's statement into one sentence.

    Raises:
        QueryError: the statement is wrong or not permitted.
    """
    try:
        yield
    except (duckdb.PermissionException, duckdb.InvalidInputException) as error:
        raise QueryError(f"Only reading from the catalog is permitted: {_first_line(error)}") from None
    except duckdb.Error as error:
        raise QueryError(f"DuckDB cannot run this statement: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) if lines else type(error).__name__


def select(db: Connection, sql: str, **parameters: Any) -> pa.Table:
    """A statement's result as one Arrow table."""
    return db.sql(sql, params=parameters or None).to_arrow_table()


def stream(db: Connection, sql: str, rows: int = 65536) -> Any:
    """A statement's result as a reader of Arrow record batches of at most `rows` rows."""
    return db.sql(sql).to_arrow_reader(rows)


def select_once(db: Connection, sql: str) -> pa.Table:
    """Run a user's statement, which must be one single reading one.

    Raises:
        QueryError: it is wrong, more than one, or does more than read.
    """
    with _plain_sql_errors():
        statements = db.extract_statements(sql)
        if len(statements) != 1:
            raise QueryError("Give exactly one SELECT statement.")
        result = db.sql(statements[0]) if statements[0].type in _READING else None
        if result is None:
            raise QueryError("Only statements that return rows are permitted; start with SELECT.")
        return result.to_arrow_table()


def ids_where(
    db: Connection,
    view: str,
    conditions: Sequence[str],
    where: str | None,
    order: str | None = None,
    limit: int | None = None,
) -> Ids:
    """The `id` of every row of a view that meets all of our own conditions and a user's, int64 [n] in row order.

    With `order`, what stands in an ORDER BY, they come in that order, the first `limit` of them.

    Raises:
        QueryError: `where` is not one SQL condition on the columns of a row.
    """
    rows = db.view(view)
    columns = {name: str(kind) for name, kind in zip(rows.columns, rows.types, strict=True)}
    try:
        if where is not None:
            expression = _condition(db, where)
            kinds = [str(kind) for kind in rows.project(expression).types]
            if any(kind != "BOOLEAN" for kind in kinds):
                raise QueryError(not_true_or_false(kinds))
            rows = rows.filter(expression)
        if conditions:
            rows = rows.filter(" AND ".join(f"({condition})" for condition in conditions))
        if order is not None:
            rows = rows.order(order)
        if limit is not None:
            rows = rows.limit(limit)
        found: Ids = rows.project("id").fetchnumpy()["id"]
    except duckdb.Error as error:
        raise QueryError(filter_error(str(error), columns)) from None
    return found


def _condition(db: Connection, sql: str) -> duckdb.Expression:
    """Parse a text as one expression on the columns of a row: nothing in it can end it and begin something else."""
    # By itself it must be whole: brackets balanced, one statement, one expression. Then in brackets, where nothing but
    # an expression can stand; the line break ends a comment.
    expression = duckdb.SQLExpression(sql)
    [(tree,)] = db.execute("SELECT json_serialize_sql($sql)", {"sql": f"SELECT ({sql}\n)"}).fetchall()
    if not tree.startswith('{"error":false'):
        raise QueryError(NOT_A_CONDITION)
    # Without a subquery there is no FROM, hence no table function: what is left cannot read or write anything. Quotes
    # inside the strings of JSON are escaped, so this mark is never part of a user's text.
    if '"class":"SUBQUERY"' in tree:
        raise QueryError(NO_SUBQUERY)
    return expression
