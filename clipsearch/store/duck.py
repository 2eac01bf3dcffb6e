"""The one module that imports DuckDB: opening connections and translating what DuckDB says into our errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection as Connection
from duckdb import Error as DatabaseError

from clipsearch.errors import IndexDamaged, QueryError

__all__ = [
    "Connection",
    "DatabaseError",
    "literal",
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


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


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
